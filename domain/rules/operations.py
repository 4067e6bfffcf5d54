"""Rules of the shop floor: start, pause, report, measure, complete."""

from datetime import datetime

from domain import events as e
from domain.commands import (
    CompleteOperation,
    PauseOperation,
    PauseWorkOrder,
    ReleaseOperationHold,
    ResumeOperation,
    ResumeWorkOrder,
    StartWorkOrder,
)
from domain.errors import Blocker
from domain.process import Operation, Process, WorkOrder
from domain.rules.batch_record import balance_deviations, unchecked_values
from domain.rules.charging import uncharged
from domain.rules.common import (
    Events,
    check,
    find_operation,
    find_work_order,
    machine_runs,
    move_operation,
    move_order,
    move_work_order,
    order_is_worked_on,
    over_reports_open,
    reason_missing,
    running_operation,
    same_person,
    work_order_runs,
)
from domain.rules.equipment_faults import equipment_down
from domain.rules.line_side import consumption, consumption_blockers
from domain.rules.order_deviations import led_elsewhere, lot_on_hold
from domain.rules.print_checks import print_unchecked
from domain.rules.record_review import issue_record
from domain.rules.recovery import recoveries_open
from domain.rules.starting import not_startable
from domain.specification import OperationSpecification, WorkOrderSpecification
from domain.states import OperationEvent, OperationState, OrderEvent, OrderState, WorkOrderEvent, WorkOrderState


def start_work_order(process: Process, command: StartWorkOrder) -> Events:
    work_order, specification = find_work_order(process, command.work_order)
    check(order_is_worked_on(process))
    return _start(process, work_order, specification)


def _start(process: Process, work_order: WorkOrder, specification: WorkOrderSpecification) -> Events:
    moved = move_work_order(work_order, WorkOrderEvent.START)
    batch = e.BatchStarted(
        work_order=work_order.number,
        lot=specification.output_lot,
        material=specification.material,
        unit=specification.unit,
    )
    if process.state == OrderState.RELEASED:
        return (move_order(process, OrderEvent.START), moved, batch, *issue_record(process, work_order.number))
    return (moved, batch, *issue_record(process, work_order.number))


def pause_work_order(process: Process, command: PauseWorkOrder) -> Events:
    work_order, _ = find_work_order(process, command.work_order)
    moved = move_work_order(work_order, WorkOrderEvent.PAUSE)
    check(order_is_worked_on(process) + reason_missing(command.reason, "work order", work_order.number))
    paused = tuple(
        move_operation(work_order, operation, OperationEvent.PAUSE)
        for operation in work_order.operations.values()
        if operation.state == OperationState.RUNNING
    )
    return (moved, *paused)


def resume_work_order(process: Process, command: ResumeWorkOrder) -> Events:
    work_order, _ = find_work_order(process, command.work_order)
    moved = move_work_order(work_order, WorkOrderEvent.RESUME)
    check(order_is_worked_on(process))
    resumed = tuple(
        move_operation(work_order, operation, OperationEvent.RESUME)
        for operation in work_order.operations.values()
        if operation.state == OperationState.PAUSED and not operation.faults
    )
    return (moved, *resumed)


def started(process: Process, number: str, code: str, at: datetime) -> Events:
    """The start of an operation whose predecessors are done; the first one starts the work order with it."""
    operation, specification = find_operation(process, number, code)
    work_order, work_order_specification = find_work_order(process, number)
    gaps = not_startable(process, work_order, operation, specification, at)
    if work_order.state == WorkOrderState.READY:
        check(order_is_worked_on(process) + gaps)
        begun = _start(process, work_order, work_order_specification)
        return (*begun, move_operation(work_order, operation, OperationEvent.START))
    check(work_order_runs(process, work_order) + lot_on_hold(process, work_order) + gaps)
    reopens = operation.state == OperationState.COMPLETED and process.specification.policy.operations_may_reopen
    event = OperationEvent.REOPEN if reopens else OperationEvent.START
    if operation.state == OperationState.COMPLETED and not reopens:
        raise_already_completed(work_order, operation)
    return (move_operation(work_order, operation, event),)


def raise_already_completed(work_order: WorkOrder, operation: Operation) -> None:
    """Refuse to start what is completed, where the policy does not let operations come back."""
    check(
        [
            Blocker(
                code="INVALID_TRANSITION",
                entity="operation",
                id=f"{work_order.number}/{operation.code}",
                found=operation.state,
                required="an operation that is not completed",
            )
        ]
    )


def pause_operation(process: Process, command: PauseOperation) -> Events:
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    moved = move_operation(work_order, operation, OperationEvent.PAUSE)
    identity = f"{work_order.number}/{operation.code}"
    check(order_is_worked_on(process) + reason_missing(command.reason, "operation", identity))
    return (moved,)


def resume_operation(process: Process, command: ResumeOperation) -> Events:
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    check(work_order_runs(process, work_order) + equipment_down(work_order.number, operation))
    return (move_operation(work_order, operation, OperationEvent.RESUME),)


def complete_operation(process: Process, command: CompleteOperation) -> Events:
    """The operation is done: nothing mandatory is missing, what was issued for it becomes part of the batch."""
    work_order, operation, specification = running_operation(process, command)
    blockers = _open_points(work_order, operation, specification) + uncharged(process, work_order, operation)
    blockers += print_unchecked(work_order, operation, specification, command.received_at)
    check(blockers + consumption_blockers(process, work_order, operation, command.consumed))
    moved = move_operation(work_order, operation, OperationEvent.COMPLETE)
    outside = balance_deviations(process, work_order, operation, specification)
    return (moved, *outside, *consumption(process, work_order, operation, command.consumed))


def _open_points(work_order: WorkOrder, operation: Operation, specification: OperationSpecification) -> list[Blocker]:
    """Everything that has to be there, or over, before the operation can be completed."""
    identity = f"{work_order.number}/{operation.code}"
    blockers = [
        Blocker(
            code="PARAMETER_MISSING",
            entity="operation",
            id=identity,
            found=f"no value for {parameter.name}",
            required=f"a value within {parameter.limits}",
            who_can_fix="operator",
        )
        for parameter in specification.parameters
        if parameter.required and parameter.name not in operation.recorded
    ]
    if operation.job_state == "started":
        blockers.append(machine_runs(work_order, operation, "the end of the machine's job"))
    blockers += over_reports_open(work_order, operation.code)
    return blockers + unchecked_values(identity, operation) + recoveries_open(work_order, operation)


def release_operation_hold(process: Process, command: ReleaseOperationHold) -> Events:
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    check(led_elsewhere(process, operation.open_deviations) + equipment_down(work_order.number, operation))
    moved = move_operation(work_order, operation, OperationEvent.RELEASE_HOLD)
    identity = f"{work_order.number}/{operation.code}"
    check(
        reason_missing(command.reason, "operation", identity)
        + same_person(command.actor, operation.started_by, "operation", identity, "decide", "did the operation")
    )
    decided = tuple(
        e.DeviationDecided(number=number, decision=command.reason or "") for number in operation.open_deviations
    )
    return (*decided, moved)
