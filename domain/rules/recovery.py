"""Material of an earlier batch in this one: never without the approval of the head of quality (CN 132, 133; QL-11)."""

from typing import Final

from domain import events as e
from domain.commands import ApproveRecovery, IntroduceRecovery, RejectRecovery, RequestRecovery
from domain.errors import Blocker
from domain.process import Operation, Process, Recovery, WorkOrder
from domain.recovery_events import RecoveryMoved
from domain.recovery_states import RECOVERY, RecoveryEvent, RecoveryState
from domain.rules.common import (
    Events,
    check,
    find_operation,
    find_work_order,
    invalid_transition,
    order_is_worked_on,
    reason_missing,
    refuse,
    same_person,
    work_order_runs,
)
from domain.specification import Characteristic, WorkOrderSpecification
from domain.states import LotStatus, OperationState, TransitionRefused, WorkOrderState

RECOVERABLE: Final = (LotStatus.QUARANTINE, LotStatus.RELEASED, LotStatus.REJECTED)
"""What quality can permit. A lot that is held, recalled, expired or destroyed is decided about elsewhere first."""
OPEN: Final = (RecoveryState.REQUESTED, RecoveryState.APPROVED, RecoveryState.INTRODUCING)
_BEFORE: Final = (
    WorkOrderState.PENDING, WorkOrderState.DISPATCHED, WorkOrderState.READY, WorkOrderState.RUNNING,
    WorkOrderState.PAUSED,
)  # fmt: skip
_OVER: Final = (
    OperationState.COMPLETED, OperationState.CLOSED, OperationState.CANCELLED, OperationState.ABORTED,
)  # fmt: skip


def introduce_request(recovery: str) -> str:
    """The name under which the warehouse is asked for the material of a recovery."""
    return f"{recovery}/introduce"


def request_recovery(process: Process, command: RequestRecovery) -> Events:
    """Ask for it: by product, stage and the state of the lot it has to be possible at all."""
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, specification = find_work_order(process, command.work_order)
    number = f"{work_order.number}-V{len(work_order.recoveries) + 1}"
    blockers = order_is_worked_on(process) + _in_time(work_order, operation)
    blockers += _stage_permits(process, specification, command.operation)
    blockers += _lot_permits(process, specification, command) + reason_missing(command.reason, "recovery", number)
    check(blockers)
    assert command.known is not None, "a lot that is not there is refused"
    own = Recovery(
        number=number, operation=command.operation, lot=command.lot, lot_status=command.known.status,
        quantity=command.quantity, unit=command.known.unit, requested_by=command.actor,
    )  # fmt: skip
    return (move_recovery(process, work_order, own, None),)


def approve_recovery(process: Process, command: ApproveRecovery) -> Events:
    """By an approved procedure, after an assessment of the risk (the reason), with additional tests of the batch."""
    work_order, own = _recovery(process, command.work_order, command.recovery)
    moved = move_recovery(process, work_order, own, RecoveryEvent.APPROVE)
    specification = process.specification.work_order(work_order.number)
    blockers = order_is_worked_on(process) + _in_time(work_order, work_order.operations[own.operation])
    blockers += same_person(command.actor, own.requested_by, "recovery", own.number, "approve", "asked for it")
    blockers += reason_missing(command.reason, "recovery", own.number)
    blockers += approval_gaps("recovery", own.number, command.procedure, command.tests, specification.inspection)
    if not process.specification.policy.inspect_before_put_away:
        required = "a policy that inspects before put-away"
        blockers.append(_blocker("NO_INSPECTION", "recovery", own.number, "no inspection of the batch", required))
    check(blockers)
    tests = tuple(test.model_copy(update={"required": True}) for test in command.tests)
    return (moved.model_copy(update={"procedure": command.procedure.strip(), "tests": tests}),)


def reject_recovery(process: Process, command: RejectRecovery) -> Events:
    """For a reason; what was approved may be rejected until the material is in the batch."""
    work_order, own = _recovery(process, command.work_order, command.recovery)
    moved = move_recovery(process, work_order, own, RecoveryEvent.REJECT)
    check(order_is_worked_on(process) + reason_missing(command.reason, "recovery", own.number))
    return (moved,)


def introduce_recovery(process: Process, command: IntroduceRecovery) -> Events:
    """Ask the warehouse for the lot, as it is now; with its yes the material is in the batch."""
    work_order, own = _recovery(process, command.work_order, command.recovery)
    moved = move_recovery(process, work_order, own, RecoveryEvent.INTRODUCE)
    operation = work_order.operations[own.operation]
    blockers = work_order_runs(process, work_order)
    if operation.state != OperationState.RUNNING:
        identity = f"{work_order.number}/{operation.code}"
        running = _blocker("OPERATION_NOT_RUNNING", "operation", identity, operation.state, "running", "operator")
        blockers.append(running)
    check(blockers)
    pending = e.VerdictPending(
        request=introduce_request(own.number), command_id=command.command_id, command=command.kind, actor=command.actor
    )
    return (moved, pending)


def approval_gaps(
    entity: str,
    number: str,
    procedure: str,
    tests: tuple[Characteristic, ...],
    plan: tuple[Characteristic, ...] = (),
    *,
    required: str = "",
) -> list[Blocker]:
    """What an approval of nonconforming material leaves open: its procedure, and tests beside those of the plan.

    `required` says which tests, where they are not those of a batch.
    """
    blockers: list[Blocker] = []
    if not procedure.strip():
        procedure_required = "the approved procedure it follows"
        blockers.append(_blocker("PROCEDURE_MISSING", entity, number, "no procedure", procedure_required))
    if not tests:
        required = required or "the tests that the batch has to pass beside the ordinary inspection"
        blockers.append(_blocker("ADDITIONAL_TESTS_MISSING", entity, number, "no test", required))
    names = [*(one.name for one in plan), *(test.name for test in tests)]
    twice = sorted({name for name in names if names.count(name) > 1})
    return blockers + [_blocker("DUPLICATE", entity, f"{number}/{name}", "set twice", "once") for name in twice]


def recoveries_open(work_order: WorkOrder, operation: Operation) -> list[Blocker]:
    """A blocker for each recovery at an operation that is neither in the batch nor rejected."""
    return [
        _blocker(
            "RECOVERY_OPEN", "recovery", own.number, own.state, "its introduction or its rejection",
            "qualityManager" if own.state == RecoveryState.REQUESTED else "operator",
        )
        for own in work_order.recoveries.values()
        if own.operation == operation.code and own.state in OPEN
    ]  # fmt: skip


def cancelled_recoveries(process: Process, work_order: WorkOrder) -> Events:
    """What voids all recoveries of a work order that are not over."""
    return tuple(
        move_recovery(process, work_order, own, RecoveryEvent.CANCEL)
        for own in work_order.recoveries.values()
        if own.state in OPEN
    )


def possible_recoveries(process: Process, work_order: WorkOrder) -> list[str]:
    """The commands about recoveries that are possible now."""
    if order_is_worked_on(process):
        return []
    states = {own.state for own in work_order.recoveries.values()}
    names = ["approveRecovery"] if RecoveryState.REQUESTED in states else []
    if states & {RecoveryState.REQUESTED, RecoveryState.APPROVED}:
        names.append("rejectRecovery")
    if _may_introduce(work_order):
        names.append("introduceRecovery")
    specification = process.specification.work_order(work_order.number)
    if work_order.state in _BEFORE and any(
        one.recovery_allowed and work_order.operations[one.code].state not in _OVER for one in specification.operations
    ):
        names.append("requestRecovery")
    return names


def _may_introduce(work_order: WorkOrder) -> bool:
    return work_order.state == WorkOrderState.RUNNING and any(
        own.state == RecoveryState.APPROVED and work_order.operations[own.operation].state == OperationState.RUNNING
        for own in work_order.recoveries.values()
    )


def move_recovery(process: Process, work_order: WorkOrder, own: Recovery, event: RecoveryEvent | None) -> RecoveryMoved:
    """The recovery's move by `event` (none: its request), or the refusal that names what is possible."""
    try:
        target = RecoveryState.REQUESTED if event is None else RECOVERY.advance(own.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("recovery", own.number, refused), possible=refused.possible) from None
    return RecoveryMoved(
        work_order=work_order.number,
        operation=own.operation,
        recovery=own.number,
        lot=own.lot,
        lot_status=own.lot_status,
        quantity=own.quantity,
        unit=own.unit,
        output_lot=process.specification.work_order(work_order.number).output_lot,
        event=event,
        origin=None if event is None else own.state,
        target=target,
    )


def _recovery(process: Process, number: str, recovery: str) -> tuple[WorkOrder, Recovery]:
    work_order, _ = find_work_order(process, number)
    own = work_order.recoveries.get(recovery)
    if own is None:
        known = ", ".join(work_order.recoveries) or "none"
        raise refuse(_blocker("UNKNOWN_RECOVERY", "work order", number, recovery, f"one of: {known}", ""))
    return work_order, own


def _in_time(work_order: WorkOrder, operation: Operation) -> list[Blocker]:
    if work_order.state in _BEFORE and operation.state not in _OVER:
        return []
    identity = f"{work_order.number}/{operation.code}"
    return [_blocker("OPERATION_OVER", "operation", identity, operation.state, "an operation that is not over", "")]


def _stage_permits(process: Process, specification: WorkOrderSpecification, code: str) -> list[Blocker]:
    """Product × stage: the operation of the master batch record, frozen into the order."""
    operation = specification.operation(code)
    if operation is not None and operation.recovery_allowed:
        return []
    version = "no version" if specification.record is None else f"version {specification.record.version}"
    found = f"the master batch record ({version}) permits no recovery at this operation"
    required = "a stage at which recovery is permitted"
    return [_blocker("RECOVERY_FORBIDDEN", "operation", f"{specification.material}/{code}", found, required)]


def _lot_permits(process: Process, specification: WorkOrderSpecification, command: RequestRecovery) -> list[Blocker]:
    """An earlier batch of the same product, in a state that quality can decide about."""
    known = command.known
    if known is None:
        return [_blocker("UNKNOWN_LOT", "lot", command.lot, "no such lot", "a lot of an earlier batch", "")]
    blockers: list[Blocker] = []
    same = known.material == specification.material
    if not same or known.order_number in (None, process.specification.number):
        made = known.order_number or "not made here"
        required = f"an earlier batch of {specification.material}, of another order"
        blockers.append(_blocker("NOT_RECOVERABLE", "lot", command.lot, f"{known.material}, {made}", required))
    if known.status not in RECOVERABLE or known.is_expired:
        found = f"{known.status}, expires {known.expires_on or 'never'}"
        required = f"{', '.join(RECOVERABLE)}, and not past its expiry"
        blockers.append(_blocker("LOT_NOT_USABLE", "lot", command.lot, found, required, "qaReviewer"))
    return blockers


def _blocker(
    code: str, entity: str, identity: str, found: str, required: str, who_can_fix: str = "qualityManager"
) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who_can_fix)
