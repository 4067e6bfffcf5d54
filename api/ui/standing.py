"""How far a batch is on its way to release: what the server would say to each step now, before anybody asks.

Nothing is judged here. Every step is put to the rules that judge it and to the record that is asked after them, with
the name of the person behind the request; what they would refuse stands on the check-list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import Request

from api.clock import now
from api.commands import WORK_ORDER
from api.errors import not_found
from db.queries import record_check
from db.session import reading
from domain import commands as c
from domain.errors import Blocker, Refused
from domain.policy import Policy
from domain.process import Process, WorkOrder
from domain.record_states import SEALED, BatchRecordState
from domain.rules.judge import judge
from domain.states import WorkOrderState

CHECKS: Final = (
    ("made", ("WORK_ORDER_NOT_COMPLETED", "ORDER_NOT_OPEN")),
    ("complete", ("RECORD_INCOMPLETE",)),
    ("exceptions", ("EXCEPTION_OPEN",)),
    ("deviations", ("DEVIATION_OPEN",)),
    ("inspection", ("INSPECTION_OPEN",)),
    ("material", ("MATERIAL_ON_LINE",)),
    ("lots", ("LOT_EXPIRED", "LOT_NOT_USABLE")),
    ("approved", ("RECORD_NOT_APPROVED",)),
    ("unchanged", ("SIGNATURE_MISMATCH",)),
)
"""The conditions of a release as people read them, and what the server says when one is not met."""
OF_RECORD: Final = ("complete", "exceptions", "approved", "unchanged")
"""Conditions of a plant whose batches have records."""
_DONE_ALREADY: Final = frozenset({"ALREADY_CERTIFIED", "ALREADY_RELEASED", "ALREADY_ASKED"})
_REVIEW: Final = frozenset({"RECORD_INCOMPLETE"})
_APPROVAL: Final = _REVIEW | {"EXCEPTION_OPEN"}


@dataclass(frozen=True)
class Check:
    """One condition. `state`: yes, no, or open when there is nothing yet that it could be asked of."""

    key: str
    missing: tuple[Blocker, ...]
    state: str


@dataclass(frozen=True)
class Act:
    """One step of a record: who may do it, who did it, or why not now. `state`: done, now or later."""

    command: str
    path: str
    roles: tuple[str, ...]
    state: str
    blockers: tuple[Blocker, ...] = ()


@dataclass(frozen=True)
class Standing:
    """The check-list, the steps in their order, and what else is possible with the record."""

    checks: tuple[Check, ...]
    acts: tuple[Act, ...]
    possible: frozenset[str]

    @property
    def current(self) -> Act | None:
        """The step that is next."""
        return next((act for act in self.acts if act.state == "now"), None)


def standing(request: Request, identity: UUID) -> Standing:
    """How a batch stands. Reads: call it in a thread. Raises 404 for an unknown work order."""
    having = request.app.state.services
    target = having.target(WORK_ORDER, identity)
    if target is None or target.work_order is None:
        raise not_found("work order", identity)
    person, number = request.state.session.user_id, target.work_order
    with reading(having.engine) as connection:
        recorded, _ = record_check.blockers(connection, number, "certification")
        with having.histories.current(connection, target.order_number) as folded:
            if folded is None:
                raise not_found("work order", identity)
            return _standing(folded.process, number, person, f"/mes/work-orders/{identity}", recorded)


def _standing(process: Process, number: str, person: str, path: str, recorded: list[Blocker]) -> Standing:
    policy, own = process.specification.policy, process.work_orders[number]
    base: dict[str, Any] = {
        "command_id": f"look/{uuid4().hex}", "actor": person, "received_at": now(), "work_order": number,
    }  # fmt: skip
    refusals = {
        kind.kind_name(): _refusal(process, kind(**base, **more))
        for kind, more in (
            (c.ReviewBatchRecord, {}), (c.ApproveBatchRecord, {}), (c.CertifyBatch, {}),
            (c.ReleaseBatch, {"place": "—"}),
        )
    }  # fmt: skip
    everything = (*refusals["certifyBatch"], *recorded)
    return Standing(
        checks=tuple(_checks(everything, policy.batch_record_review, _unasked(own))),
        acts=tuple(_acts(policy, own, path, refusals, recorded)),
        possible=_possible(own),
    )


def _refusal(process: Process, command: c.Command) -> tuple[Blocker, ...]:
    try:
        judge(process, command)
    except Refused as refused:
        return refused.blockers
    return ()


def _unasked(own: WorkOrder) -> frozenset[str]:
    """Conditions that nothing is known about yet: there is no inspection, nothing was approved."""
    found = {"unchanged"} if own.record_state not in SEALED else set()
    is_tested = own.inspection is not None or own.state in (WorkOrderState.COMPLETED, WorkOrderState.CLOSED)
    return frozenset(found if is_tested else found | {"inspection"})


def _checks(blockers: Iterable[Blocker], has_record: bool, unasked: frozenset[str]) -> Iterable[Check]:
    found = list(dict.fromkeys(own for own in blockers if own.code not in _DONE_ALREADY))
    known: set[str] = set()
    for key, codes in CHECKS:
        known |= set(codes)
        if has_record or key not in OF_RECORD:
            missing = tuple(own for own in found if own.code in codes)
            yield Check(key, missing, "no" if missing else "open" if key in unasked else "yes")
    others = tuple(own for own in found if own.code not in known)
    if others:
        yield Check("other", others, "no")


def _acts(
    policy: Policy, own: WorkOrder, path: str, refusals: dict[str, tuple[Blocker, ...]], recorded: list[Blocker]
) -> Iterable[Act]:
    state, is_sealed = own.record_state, own.record_state in SEALED
    is_reviewed = is_sealed or state == BatchRecordState.QA_REVIEW
    steps: list[tuple[type[c.Command], str, bool, bool, list[Blocker]]] = []
    if policy.batch_record_review:
        incomplete = [one for one in recorded if one.code in _REVIEW]
        unexplained = [one for one in recorded if one.code in _APPROVAL]
        in_review = state == BatchRecordState.IN_REVIEW
        steps.append((c.ReviewBatchRecord, "batch-record/review", is_reviewed, in_review, incomplete))
        in_approval = state == BatchRecordState.QA_REVIEW
        steps.append((c.ApproveBatchRecord, "batch-record/approve", is_sealed, in_approval, unexplained))
    is_before = not policy.batch_record_review or is_sealed
    is_certified = own.certified_by is not None
    if policy.certification:
        steps.append((c.CertifyBatch, "certify", is_certified, is_before and not is_certified, recorded))
    if policy.production_release:
        is_released = own.release_requested_by is not None
        may_follow = is_before and (is_certified or not policy.certification) and not is_released
        steps.append((c.ReleaseBatch, "release-batch", is_released, may_follow, []))
    for kind, end, is_done, is_next, more in steps:
        name = kind.kind_name()
        stands = "done" if is_done else "now" if is_next else "later"
        blockers = tuple(dict.fromkeys((*refusals[name], *more))) if is_next else ()
        yield Act(name, f"{path}/{end}", tuple(kind.roles), stands, blockers)


def _possible(own: WorkOrder) -> frozenset[str]:
    """What can be done with the record beside its steps."""
    match own.record_state:
        case BatchRecordState.IN_REVIEW | BatchRecordState.QA_REVIEW:
            return frozenset({"returnBatchRecord", "justifyException"})
        case BatchRecordState.CORRECTION:
            return frozenset({"resubmitBatchRecord", "justifyException"})
        case None | BatchRecordState.ARCHIVED:
            return frozenset()
    return frozenset({"justifyException"})
