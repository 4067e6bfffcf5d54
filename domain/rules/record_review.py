"""Rules of the batch record as a whole: issue, production review, quality approval, return, explanations (SM-4b).

What only the record itself can tell (is everything there, is an exception open, is an input lot still usable) is asked
by the procedure, after these rules, from PostgreSQL: see `workflows/record_review.py`.
"""

from typing import Any

from domain import events as e
from domain import record_events as r
from domain.commands import (
    ApproveBatchRecord,
    JustifyException,
    ResubmitBatchRecord,
    ReturnBatchRecord,
    ReviewBatchRecord,
    WorkOrderCommand,
)
from domain.errors import Blocker
from domain.process import Process, WorkOrder
from domain.record_states import BATCH_RECORD, SEALED, BatchRecordEvent, BatchRecordState
from domain.rules.common import (
    Events,
    check,
    find_work_order,
    invalid_transition,
    reason_missing,
    refuse,
    same_person,
)
from domain.states import TransitionRefused


def review_request(work_order: str) -> str:
    """The name under which the record is asked whether production may pass it on."""
    return f"{work_order}/record-review"


def approval_request(work_order: str) -> str:
    """The name under which the record is asked whether quality may approve it."""
    return f"{work_order}/record-approval"


def certification_request(work_order: str) -> str:
    """The name under which the record is asked whether the batch may be certified."""
    return f"{work_order}/certification"


def issue_record(process: Process, number: str) -> Events:
    """One record per batch, with the start of the batch, where the policy asks for records (EB-01)."""
    work_order, specification = process.work_order(number)
    if not process.specification.policy.batch_record_review or work_order.record_state is not None:
        return ()
    return (
        r.BatchRecordMoved(
            work_order=number, lot=specification.output_lot, event=None, origin=None, target=BatchRecordState.OPEN
        ),
    )


def move_record(process: Process, number: str, event: BatchRecordEvent, **more: Any) -> r.BatchRecordMoved:
    """The record's move by `event`, or the refusal that names what is possible."""
    work_order, specification = find_work_order(process, number)
    state = work_order.record_state
    if state is None:
        raise refuse(
            Blocker(
                code="NO_BATCH_RECORD", entity="work order", id=number, found=work_order.state,
                required="a started batch, under a policy that asks for batch records",
            )
        )  # fmt: skip
    try:
        target = BATCH_RECORD.advance(state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("batch record", number, refused), possible=refused.possible) from None
    return r.BatchRecordMoved(
        work_order=number, lot=specification.output_lot, event=event, origin=state, target=target, **more
    )


def complete_record(process: Process, work_order: WorkOrder) -> Events:
    """The batch is made and put away: its record is complete and waits for the review of production."""
    if work_order.record_state != BatchRecordState.OPEN:
        return ()
    return (move_record(process, work_order.number, BatchRecordEvent.COMPLETE),)


def correct_record(process: Process, work_order: WorkOrder) -> Events:
    """A correction after production's review brings the record back to it."""
    if work_order.record_state != BatchRecordState.QA_REVIEW:
        return ()
    return (move_record(process, work_order.number, BatchRecordEvent.CORRECT),)


def review_batch_record(process: Process, command: ReviewBatchRecord) -> Events:
    """Production's review of a complete record; the policy may ask for somebody who made nothing of the batch."""
    move_record(process, command.work_order, BatchRecordEvent.REVIEW)
    work_order, _ = find_work_order(process, command.work_order)
    check(_did_it_himself(process, work_order, command.actor, "review"))
    return (_asked(process, command, review_request(command.work_order)),)


def approve_batch_record(process: Process, command: ApproveBatchRecord) -> Events:
    """Quality's approval, by another person than production's reviewer."""
    move_record(process, command.work_order, BatchRecordEvent.APPROVE)
    work_order, _ = find_work_order(process, command.work_order)
    reviewer = work_order.record_reviewed_by
    itself = same_person(command.actor, reviewer, "batch record", work_order.number, "approve", "reviewed the record")
    check(itself + _did_it_himself(process, work_order, command.actor, "approve"))
    return (_asked(process, command, approval_request(command.work_order)),)


def _did_it_himself(process: Process, work_order: WorkOrder, actor: str, act: str) -> list[Blocker]:
    """A blocker if the policy asks for another person than those who made the batch, and this one did."""
    if not process.specification.policy.record_judged_by_others:
        return []
    own = [code for code, operation in work_order.operations.items() if actor in operation.done_by]
    doer = actor if own else None
    return same_person(actor, doer, "batch record", work_order.number, act, f"did {', '.join(own)}")


def _asked(process: Process, command: WorkOrderCommand, request: str) -> e.VerdictPending:
    if (earlier := process.pending.get(request)) is not None:
        raise refuse(
            Blocker(
                code="ALREADY_ASKED", entity="batch record", id=command.work_order, found=f"asked by {earlier.actor}",
                required="the answer to it",
            )
        )  # fmt: skip
    return e.VerdictPending(
        request=request, command_id=command.command_id, command=command.kind_name(), actor=command.actor
    )


def return_batch_record(process: Process, command: ReturnBatchRecord) -> Events:
    """Back for corrections: which fields, and why."""
    moved = move_record(process, command.work_order, BatchRecordEvent.RETURN, fields=command.fields)
    check(reason_missing(command.reason, "batch record", command.work_order))
    return (moved,)


def resubmit_batch_record(process: Process, command: ResubmitBatchRecord) -> Events:
    return (move_record(process, command.work_order, BatchRecordEvent.RESUBMIT),)


def justify_exception(process: Process, command: JustifyException) -> Events:
    """Explain an exception. It stands beside the sealed content, so it is possible until the record is archived."""
    work_order, _ = find_work_order(process, command.work_order)
    blockers = reason_missing(command.reason, "exception", command.exception)
    state = work_order.record_state
    if state is None or state == BatchRecordState.ARCHIVED:
        blockers.append(record_sealed(work_order, "a batch record that is not archived"))
    check(blockers)
    return (
        r.ExceptionJustified(
            work_order=command.work_order, exception=command.exception, type=command.type, detail=command.detail,
            text=(command.reason or "").strip(),
        ),
    )  # fmt: skip


def record_sealed(work_order: WorkOrder, required: str) -> Blocker:
    """The blocker for writing into a record that is approved (EB-08)."""
    found = f"{work_order.record_state or 'none'}"
    if work_order.record_approved_by:
        found = f"approved by {work_order.record_approved_by}"
    return Blocker(code="RECORD_SEALED", entity="batch record", id=work_order.number, found=found, required=required)


def record_open(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """A blocker if the policy asks for a batch record and it is not approved (QL-10)."""
    if not process.specification.policy.batch_record_review or work_order.record_state in SEALED:
        return []
    return [
        Blocker(
            code="RECORD_NOT_APPROVED", entity="batch record", id=work_order.number,
            found=str(work_order.record_state or "not issued"), required="approved by quality",
            who_can_fix="qaReviewer",
        )
    ]  # fmt: skip
