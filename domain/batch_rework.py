"""Rework of a whole rejected batch: proposed, decided by the head of quality, then an order of its own (CN 132, 135).

The order is made from the rejected lot, as approved material (`domain/rules/recovery.py`), and makes a lot of its own.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from domain.command_base import Command
from domain.errors import Blocker
from domain.specification import (
    ApprovedRecovery,
    Characteristic,
    OperationSpecification,
    ReworkMethod,
    WorkOrderSpecification,
)
from domain.states import StateMachine


class BatchReworkState(StrEnum):
    """What was decided about a proposal; what becomes of it then is the life of its order."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class BatchReworkEvent(StrEnum):
    """What can happen to a proposal."""

    APPROVE = "approve"
    REJECT = "reject"


_B, _BE = BatchReworkState, BatchReworkEvent
BATCH_REWORK: Final = StateMachine(
    "batch rework",
    _B.PROPOSED,
    {(_B.PROPOSED, _BE.APPROVE): _B.APPROVED, (_B.PROPOSED, _BE.REJECT): _B.REJECTED},
    {},
)
MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (BATCH_REWORK,)  # type: ignore[assignment]


class ApproveBatchRework(Command):
    """What the head of quality signs: this lot is reworked, by this procedure, with these additional tests."""

    kind: Literal["approveBatchRework"] = "approveBatchRework"
    lot: str
    rework: str
    procedure: str = ""
    tests: tuple[Characteristic, ...] = Field(default=(), max_length=50)


def repeated(operations: tuple[OperationSpecification, ...], first: str) -> tuple[OperationSpecification, ...]:
    """The operation of that code and all that come after it; what they waited for before it is done already."""
    again = {first}
    while more := {one.code for one in operations if again & set(one.predecessors)} - again:
        again |= more
    return tuple(
        one.model_copy(update={"predecessors": tuple(code for code in one.predecessors if code in again)})
        for one in operations
        if one.code in again
    )


def reworked(made: WorkOrderSpecification, own: ApprovedRecovery) -> WorkOrderSpecification:
    """A work order that makes its lot from a rejected one: from one operation on, with additional tests."""
    return made.model_copy(
        update={
            "materials": (),
            "operations": repeated(made.operations, own.operation),
            "inspection": (*made.inspection, *own.tests),
            "recoveries": (own,),
        }
    )


def not_permitted(made: WorkOrderSpecification, lot: str, first: str, method: str) -> list[Blocker]:
    """What product and stage do not permit. `made`: how the product is made today, with its master batch record."""
    known = [one.code for one in made.operations]
    if first not in known:
        return [_blocker("UNKNOWN_OPERATION", "lot", lot, first, f"one of {', '.join(known) or 'none'}")]
    return forbidden(made, repeated(made.operations, first), method)


def forbidden(made: WorkOrderSpecification, operations: Iterable[OperationSpecification], method: str) -> list[Blocker]:
    """What the product, and the stages that are gone through again, do not permit: of some pieces, or of a batch."""
    blockers: list[Blocker] = []
    if method == ReworkMethod.REPROCESS and made.dosage_form:
        found = f"another process for a {made.dosage_form}"
        required = "a rework by the approved steps, or scrap: a dosage form is never reprocessed"
        blockers.append(_blocker("REPROCESS_FORBIDDEN", "material", made.material, found, required))
    version = "no version" if made.record is None else f"version {made.record.version}"
    blockers += [
        _blocker(
            "REWORK_FORBIDDEN", "operation", f"{made.material}/{one.code}",
            f"the master batch record ({version}) permits no rework of what this operation makes",
            "a stage at which rework is permitted, or scrap",
        )
        for one in operations
        if one.rework_forbidden
    ]  # fmt: skip
    return blockers


def _blocker(code: str, entity: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity=entity, id=identity, found=found, required=required, who_can_fix="qualityManager"
    )  # fmt: skip
