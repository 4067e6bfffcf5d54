"""Rules of the shop floor: start, pause, report, measure, complete."""

from decimal import Decimal

from domain import events as e
from domain.commands import (
    CompleteOperation,
    PauseOperation,
    PauseWorkOrder,
    RecordParameters,
    ReleaseOperationHold,
    ResumeOperation,
    ResumeWorkOrder,
    StartOperation,
    StartWorkOrder,
)
from domain.errors import Blocker
from domain.process import Operation, Process, WorkOrder
from domain.quantities import plain
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
    reason_missing,
    running_operation,
    same_person,
    work_order_runs,
)
from domain.rules.measurements import judge_values
from domain.rules.order_deviations import deviation, failed, led_elsewhere, lot_on_hold
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
        return (move_order(process, OrderEvent.START), moved, batch)
    return (moved, batch)


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
        if operation.state == OperationState.PAUSED
    )
    return (moved, *resumed)


def start_operation(process: Process, command: StartOperation) -> Events:
    """Start an operation whose predecessors are done; the first one starts the work order with it."""
    operation, specification = find_operation(process, command.work_order, command.operation)
    work_order, work_order_specification = find_work_order(process, command.work_order)
    if work_order.state == WorkOrderState.READY:
        check(order_is_worked_on(process) + _sequence(work_order, operation, specification))
        started = _start(process, work_order, work_order_specification)
        return (*started, move_operation(work_order, operation, OperationEvent.START))
    blockers = work_order_runs(process, work_order) + lot_on_hold(process, work_order)
    check(blockers + _sequence(work_order, operation, specification))
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


def _sequence(work_order: WorkOrder, operation: Operation, specification: OperationSpecification) -> list[Blocker]:
    if operation.state != OperationState.PENDING:
        return []
    missing = [
        f"{code} ({work_order.operations[code].state})"
        for code in specification.predecessors
        if work_order.operations[code].state != OperationState.COMPLETED
    ]
    return [
        Blocker(
            code="SEQUENCE",
            entity="operation",
            id=f"{work_order.number}/{operation.code}",
            found=", ".join(missing) or operation.state,
            required="completed predecessors",
            who_can_fix="operator",
        )
    ]


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
    check(work_order_runs(process, work_order))
    return (move_operation(work_order, operation, OperationEvent.RESUME),)


def record_parameters(process: Process, command: RecordParameters) -> Events:
    """Store the values; one that lies outside its limits opens a deviation and holds the operation (EB-04)."""
    work_order, operation, specification = running_operation(process, command)
    values = judge_values(f"{work_order.number}/{operation.code}", specification.parameters, command.values)
    recorded = e.ParametersRecorded(work_order=work_order.number, operation=operation.code, values=values)
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
    if outside and process.specification.policy.hold_on_out_of_limit:
        return (recorded, *deviations, move_operation(work_order, operation, OperationEvent.HOLD))
    return (recorded, *deviations)


def _limit(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def complete_operation(process: Process, command: CompleteOperation) -> Events:
    work_order, operation, specification = running_operation(process, command)
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
    blockers += [
        Blocker(
            code="OVER_REPORT_OPEN",
            entity="over-report",
            id=asked.number,
            found=f"{plain(asked.over_by)} more than ordered wait for a decision",
            required="a decision",
            who_can_fix="supervisor",
        )
        for asked in work_order.over_reports.values()
        if asked.report.operation == operation.code
    ]
    check(blockers)
    moved = move_operation(work_order, operation, OperationEvent.COMPLETE)
    return (moved, *_consumption(process, work_order, operation))


def _consumption(process: Process, work_order: WorkOrder, operation: Operation) -> Events:
    """What was issued for this operation's material lines becomes part of the batch when the operation is done."""
    if work_order.pick_list is None or operation.code in work_order.consumed_at:
        return ()
    specification = process.specification.work_order(work_order.number)
    lines = {line.line for line in specification.materials if line.operation == operation.code}
    consumed = tuple(
        e.Consumption(line=a.line, material=a.material, lot=a.lot, quantity=a.quantity, unit=a.unit)
        for a in work_order.pick_list.allocations
        if a.line in lines
    )
    if not consumed:
        return ()
    return (
        e.MaterialsConsumed(
            work_order=work_order.number,
            operation=operation.code,
            output_lot=specification.output_lot,
            lines=consumed,
        ),
    )


def release_operation_hold(process: Process, command: ReleaseOperationHold) -> Events:
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    check(led_elsewhere(process, operation.open_deviations))
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
