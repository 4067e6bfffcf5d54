"""Rows of what quality approved before there was an order: the whole batch that it reworks (QL-11)."""

from collections.abc import Iterable
from typing import Any

from db import tables as t
from db.projection.context import Context
from domain.base import Message
from domain.recovery_states import RecoveryState
from domain.specification import ApprovedRecovery, WorkOrderSpecification

RECOVERIES = t.core(t.RecoveryRow)


def listed(found: Iterable[Message]) -> list[dict[str, Any]] | None:
    """Messages as JSON; none when there are none."""
    return [own.model_dump(mode="json", by_alias=True) for own in found] or None


def approved_before(specification: WorkOrderSpecification, context: Context) -> None:
    """The rows of what quality approved before there was an order."""
    for index, own in enumerate(specification.recoveries, 1):
        _approved(own, specification, f"{specification.number}-V{index}", context)


def _approved(own: ApprovedRecovery, specification: WorkOrderSpecification, number: str, context: Context) -> None:
    fact = context.fact
    context.batch.insert(
        RECOVERIES, number=number, work_order=specification.number, operation=own.operation, lot=own.lot,
        lot_status=own.lot_status, quantity=own.quantity, unit=own.unit, state=str(RecoveryState.APPROVED),
        reason=own.reason, requested_by=own.requested_by, requested_at=fact.at, decided_by=own.approved_by,
        decided_at=fact.at, assessment=own.assessment, procedure=own.procedure, tests=listed(own.tests),
        batch_rework=own.batch_rework,
    )  # fmt: skip
    context.transition("recovery", number, "approve", None, RecoveryState.APPROVED, batchRework=own.batch_rework)
