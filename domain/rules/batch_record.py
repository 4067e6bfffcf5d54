"""Rules of what is written into the batch record of an operation: values, second checks, corrections, verification.

Sources: EB-04, EB-05, AT-05, AT-06, AT-07, AT-10, AT-11, MT-09 of the GMP requirements.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from domain import events as e
from domain import record_events as r
from domain.commands import CheckParameters, CommentOperation, CorrectParameter, RecordParameters, VerifyOperation
from domain.errors import Blocker
from domain.process import Operation, Process, WorkOrder
from domain.quantities import plain, rounded
from domain.record_commands import Measurement
from domain.record_states import SEALED
from domain.rules.common import (
    Events,
    check,
    find_operation,
    find_work_order,
    move_operation,
    order_is_worked_on,
    reason_missing,
    running_operation,
    same_person,
)
from domain.rules.measurements import judge_values
from domain.rules.order_deviations import deviation, failed
from domain.rules.record_review import correct_record, record_sealed
from domain.specification import OperationSpecification
from domain.states import OperationEvent, OperationState, OrderState, WorkOrderState

CLOCK_TOLERANCE: Final = timedelta(minutes=2)
"""A sender's clock may be that far ahead of the server's."""
_OPEN_RECORD: Final = (OperationState.RUNNING, OperationState.PAUSED, OperationState.HELD, OperationState.COMPLETED)


def record_parameters(process: Process, command: RecordParameters) -> Events:
    """Store the values; one that lies outside its limits opens a deviation and holds the operation (EB-04)."""
    work_order, operation, specification = running_operation(process, command)
    identity = f"{work_order.number}/{operation.code}"
    late, blockers = _lateness(process, identity, command)
    check(blockers)
    values = judge_values(identity, specification.parameters, command.values)
    critical = {own.name for own in specification.parameters if own.second_check}
    first = operation.values + 1
    recorded = e.ParametersRecorded(
        work_order=work_order.number, operation=operation.code, values=values, first=first,
        measured_at=command.measured_at, is_late=late, is_typed=command.is_typed,
        unchecked=tuple(
            f"V{number}"
            for number, value in enumerate(values, start=first)
            if command.is_typed and value.name in critical
        ),
    )  # fmt: skip
    return (recorded, *_outside(process, work_order, operation, values))


def _lateness(process: Process, identity: str, command: RecordParameters) -> tuple[bool, list[Blocker]]:
    """Whether the entry is late, and what stands in its way: a time to come, or no reason for being late (AT-07)."""
    limit, measured = process.specification.policy.late_entry_seconds, command.measured_at
    if measured is None:
        return False, []
    if measured > command.received_at + CLOCK_TOLERANCE:
        found, required = measured.isoformat(), f"a time up to {command.received_at.isoformat()}"
        return False, [Blocker(code="TIME_TO_COME", entity="operation", id=identity, found=found, required=required)]
    late = limit is not None and command.received_at - measured > timedelta(seconds=limit)
    return late, reason_missing(command.reason, "operation", identity) if late else []


def _outside(
    process: Process, work_order: WorkOrder, operation: Operation, values: tuple[e.JudgedValue, ...]
) -> Events:
    """A deviation for each value outside its action limits; the operation is held where the policy says so."""
    outside = [value for value in values if not value.within_limits]
    opened = tuple(
        deviation(
            process,
            "OUT_OF_LIMIT",
            f"{value.name} {value.text} {value.unit}, limits {_limit(value.low)} … {_limit(value.high)}",
            work_order.number,
            operation.code,
            offset,
        )
        for offset, value in enumerate(outside)
    )
    deviations = failed(process, work_order, opened)
    holds = process.specification.policy.hold_on_out_of_limit and operation.state == OperationState.RUNNING
    if outside and holds:
        return (*deviations, move_operation(work_order, operation, OperationEvent.HOLD))
    return deviations


def _limit(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def unchecked_values(identity: str, operation: Operation) -> list[Blocker]:
    """Typed values that no second person has checked (AT-11)."""
    return [
        Blocker(
            code="SECOND_CHECK_MISSING",
            entity="parameter",
            id=f"{identity}/{number}",
            found=f"{value.name}, typed by {value.entered_by}",
            required="the check of another person",
            who_can_fix="operator",
        )
        for number, value in operation.unchecked.items()
    ]


def check_parameters(process: Process, command: CheckParameters) -> Events:
    """A second person confirms typed values; each must wait for it, and none may be his own."""
    work_order, operation, _ = _open_record(process, command.work_order, command.operation)
    identity = f"{work_order.number}/{operation.code}"
    blockers: list[Blocker] = []
    for number in command.numbers:
        value = operation.unchecked.get(number)
        if value is None:
            waiting = ", ".join(operation.unchecked) or "none"
            blockers.append(
                Blocker(
                    code="NOTHING_TO_CHECK", entity="parameter", id=f"{identity}/{number}",
                    found="does not wait for a check", required=f"one of {waiting}",
                )
            )  # fmt: skip
            continue
        blockers += same_person(
            command.actor, value.entered_by, "parameter", f"{identity}/{number}", "check", f"entered {value.name}"
        )
    check(blockers)
    checked = tuple(
        r.CheckedValue(
            number=number, version=operation.corrections.get(number, 0) + 1, name=operation.unchecked[number].name
        )
        for number in dict.fromkeys(command.numbers)
    )
    return (r.ParametersChecked(work_order=work_order.number, operation=operation.code, values=checked),)


def correct_parameter(process: Process, command: CorrectParameter) -> Events:
    """Another value beside the one before. It is judged like a new one; what was checked or verified is so no more."""
    work_order, operation, specification = _open_record(process, command.work_order, command.operation)
    identity = f"{work_order.number}/{operation.code}"
    blockers = reason_missing(command.reason, "parameter", f"{identity}/{command.number}")
    corrections = operation.corrections.get(command.number, 0)
    if corrections != command.corrections or command.seen_text not in (None, command.old_text):
        blockers.append(
            Blocker(
                code="CONTENT_CHANGED",
                entity="parameter",
                id=f"{identity}/{command.number}",
                found=f"{command.old_text}, corrected {corrections} times",
                required=f"{command.seen_text or command.old_text}, corrected {command.corrections} times, as seen",
            )
        )
    check(blockers)
    entered = (Measurement(name=command.name, text=command.text),)
    (value,) = judge_values(identity, specification.parameters, entered)
    critical = {own.name for own in specification.parameters if own.second_check}
    corrected = r.ParameterCorrected(
        work_order=work_order.number, operation=operation.code, number=command.number, version=corrections + 2,
        old_text=command.old_text, value=value, needs_check=command.name in critical,
        reopens_verification=operation.verified_by is not None,
    )  # fmt: skip
    reviewed_again = correct_record(process, work_order)
    return (corrected, *reviewed_again, *_outside(process, work_order, operation, (value,)))


def verify_operation(process: Process, command: VerifyOperation) -> Events:
    """Another person than all who did it confirms a completed operation (EB-05)."""
    operation, specification = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    identity = f"{work_order.number}/{operation.code}"
    blockers = order_is_worked_on(process)
    if not specification.verified or operation.state != OperationState.COMPLETED or operation.verified_by:
        found = f"verified by {operation.verified_by}" if operation.verified_by else operation.state
        required = "a completed operation that a second person has to verify"
        blockers.append(
            Blocker(code="NOTHING_TO_VERIFY", entity="operation", id=identity, found=found, required=required)
        )
    doer = command.actor if command.actor in operation.done_by else None
    blockers += same_person(command.actor, doer, "operation", identity, "verify", "did the operation")
    check(blockers + unchecked_values(identity, operation))
    return (r.OperationVerified(work_order=work_order.number, operation=operation.code, done_by=operation.done_by),)


def comment_operation(process: Process, command: CommentOperation) -> Events:
    """A remark for the record."""
    work_order, operation, _ = _open_record(process, command.work_order, command.operation)
    return (
        r.OperationCommented(
            work_order=work_order.number, operation=operation.code, number=operation.comments + 1,
            text=command.text.strip(),
        ),
        *correct_record(process, work_order),
    )  # fmt: skip


def _open_record(process: Process, number: str, code: str) -> tuple[WorkOrder, Operation, OperationSpecification]:
    """The operation, when its record may still be written: begun, and the batch neither certified nor given up."""
    operation, specification = find_operation(process, number, code)
    work_order, _ = find_work_order(process, number)
    blockers = []
    if work_order.record_state in SEALED:
        blockers.append(record_sealed(work_order, "a record that is not approved"))
    open_orders = (OrderState.RELEASED, OrderState.IN_PROGRESS, OrderState.HELD, OrderState.COMPLETED)
    if process.state not in open_orders or work_order.state == WorkOrderState.CLOSED or work_order.certified_by:
        found = f"certified by {work_order.certified_by}" if work_order.certified_by else str(process.state)
        blockers.append(
            Blocker(
                code="RECORD_SEALED", entity="work order", id=number, found=found,
                required="a batch that is not certified, of an order that is open",
            )
        )  # fmt: skip
    elif operation.state not in _OPEN_RECORD:
        blockers.append(
            Blocker(
                code="OPERATION_NOT_BEGUN", entity="operation", id=f"{number}/{code}", found=operation.state,
                required="an operation that has begun", who_can_fix="operator",
            )
        )  # fmt: skip
    check(blockers)
    return work_order, operation, specification


# Yield and balance -------------------------------------------------------------------------------------------------


def stage_input(process: Process, work_order: WorkOrder, specification: OperationSpecification) -> Decimal:
    """Pieces that came into an operation: the good ones of its counting predecessors, else what was ordered."""
    own = process.specification.work_order(work_order.number)
    before = [own.operation(code) for code in specification.predecessors]
    counting = [work_order.operations[op.code].good for op in before if op is not None and op.counts_pieces]
    return min(counting, default=own.quantity)


def stage_yield(process: Process, work_order: WorkOrder, operation: Operation) -> Decimal:
    """Yield in percent: actual over theoretical (the ordered quantity), as GMP reference values §11 have it."""
    return operation.good / process.specification.work_order(work_order.number).quantity * 100


def stage_balance(process: Process, work_order: WorkOrder, operation: Operation) -> Decimal | None:
    """Material balance in percent: everything accounted for over what came in; none when nothing came in."""
    _, specification = process.operation(work_order.number, operation.code)
    into = stage_input(process, work_order, specification)
    return operation.reported / into * 100 if into else None


def balance_deviations(
    process: Process, work_order: WorkOrder, operation: Operation, specification: OperationSpecification
) -> Events:
    """A yield or a balance beyond its limits is a deviation (QL-07); it blocks the certificate, not the next step."""
    if not specification.counts_pieces:
        return ()
    found: list[tuple[str, str]] = []
    low, high = specification.yield_low_percent, specification.yield_high_percent
    reached = stage_yield(process, work_order, operation)
    if (low is not None and reached < low) or (high is not None and reached > high):
        found.append(("YIELD_OUT_OF_LIMIT", f"yield {_percent(reached)} %, limits {_limit(low)} … {_limit(high)} %"))
    limit = process.specification.work_order(work_order.number).balance_limit_percent
    balance = stage_balance(process, work_order, operation)
    if limit is not None and balance is not None and abs(balance - 100) > limit:
        detail = f"{_percent(balance - 100)} % of {plain(stage_input(process, work_order, specification))} differ"
        found.append(("BALANCE_OUT_OF_LIMIT", f"{detail}, limit ± {plain(limit)} %"))
    return tuple(
        deviation(process, code, f"{operation.code}: {detail}", work_order.number, offset=offset)
        for offset, (code, detail) in enumerate(found)
    )


def _percent(value: Decimal) -> str:
    return plain(rounded(value, 2))
