"""Rules of the shop floor: start, pause, report, measure, complete."""

from decimal import Decimal
from typing import Literal

from domain import events as e
from domain.commands import (
    CompleteOperation,
    OperationCommand,
    PauseOperation,
    PauseWorkOrder,
    RecordParameters,
    ReleaseOperationHold,
    ReportProduction,
    ReportType,
    ResumeOperation,
    ResumeWorkOrder,
    StartOperation,
    StartWorkOrder,
)
from domain.errors import Blocker
from domain.policy import OverReport
from domain.process import Operation, Process, WorkOrder
from domain.quantities import plain
from domain.rules.common import (
    Events,
    check,
    find_operation,
    find_work_order,
    move_operation,
    move_order,
    move_work_order,
    next_deviation,
    order_is_worked_on,
    reason_missing,
    same_person,
    work_order_runs,
)
from domain.rules.measurements import judge_values
from domain.specification import Equipment, OperationSpecification, WorkOrderSpecification
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
    check(work_order_runs(process, work_order) + _sequence(work_order, operation, specification))
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


def _running(process: Process, command: OperationCommand) -> tuple[WorkOrder, Operation, OperationSpecification]:
    """The operation that the command is about, which must run."""
    operation, specification = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    blockers = work_order_runs(process, work_order)
    if operation.state != OperationState.RUNNING:
        blockers.append(
            Blocker(
                code="OPERATION_NOT_RUNNING",
                entity="operation",
                id=f"{work_order.number}/{operation.code}",
                found=f"held by {', '.join(operation.open_deviations)}"
                if operation.open_deviations
                else operation.state,
                required=OperationState.RUNNING,
                who_can_fix="qaReviewer" if operation.open_deviations else "operator",
            )
        )
    check(blockers)
    return work_order, operation, specification


def report_production(process: Process, command: ReportProduction) -> Events:
    work_order, operation, specification = _running(process, command)
    if specification.equipment == Equipment.OPC_UA and operation.job_state == "started":
        check([_machine_runs(work_order, operation, "the machine's own report; wait for the end of its job")])
    return reported(process, work_order, operation, specification, command, "person")


def reported(
    process: Process,
    work_order: WorkOrder,
    operation: Operation,
    specification: OperationSpecification,
    report: ReportProduction,
    source: Literal["person", "machine"],
) -> Events:
    """The events of one report, by a person or by a machine, after the checks that both must pass (PO-07)."""
    identity = f"{work_order.number}/{operation.code}"
    over_by, blockers = _open_quantity(process, work_order, operation, report)
    if report.scrap > 0 and not report.scrap_reason:
        blockers.append(
            Blocker(
                code="SCRAP_REASON_REQUIRED",
                entity="operation",
                id=identity,
                found=f"{plain(report.scrap)} scrap without a reason",
                required="a reason for the scrap",
                who_can_fix="operator",
            )
        )
    check(blockers)
    event = e.ProductionReported(
        work_order=work_order.number,
        operation=operation.code,
        report_number=f"{identity}/R{operation.reports + 1}",
        good=report.good,
        scrap=report.scrap,
        scrap_reason=report.scrap_reason,
        review_board=report.review_board,
        unit=process.specification.work_order(work_order.number).unit,
        is_rework=report.is_rework,
        is_output=specification.is_output,
        report_type=report.report_type,
        source=source,
        workstation=report.workstation or specification.workstation,
        worker=report.worker,
        labour_seconds=report.labour_seconds,
        started_at=report.started_at,
        ended_at=report.ended_at,
        over_by=over_by,
    )
    return (event, *_output(process, work_order, event), *_review_board(process, event))


def _output(process: Process, work_order: WorkOrder, report: e.ProductionReported) -> Events:
    """Good pieces of the output operation are stock. Reworked pieces were counted when they were made first."""
    if not report.is_output or report.good == 0 or report.is_rework:
        return ()
    lot = process.specification.work_order(work_order.number).output_lot
    return (e.OutputProduced(work_order=work_order.number, lot=lot, quantity=report.good, unit=report.unit),)


def _open_quantity(
    process: Process, work_order: WorkOrder, operation: Operation, report: ReportProduction
) -> tuple[Decimal, list[Blocker]]:
    """By how much the report passes what is open at the operation, and the blocker if the policy refuses that."""
    if report.report_type == ReportType.BREAKDOWN or report.is_rework:
        return Decimal(0), []
    policy = process.specification.policy
    ordered = process.specification.work_order(work_order.number).quantity
    limit = ordered * (1 + policy.over_report_tolerance_percent / 100)
    total = report.good + report.scrap + report.review_board
    over_by = max(operation.reported + total - limit, Decimal(0))
    if over_by == 0 or policy.over_report == OverReport.FLAG:
        return over_by, []
    rest = plain(limit - operation.reported)
    blocker = Blocker(
        code="OVER_REPORT",
        entity="operation",
        id=f"{work_order.number}/{operation.code}",
        found=f"{plain(total)} reported, {plain(operation.reported)} before",
        required=f"at most {rest} more of {plain(ordered)} ordered",
        who_can_fix="planner",
    )
    return over_by, [blocker]


def _review_board(process: Process, report: e.ProductionReported) -> Events:
    """Pieces for the review board are a nonconformance that somebody has to decide."""
    if report.review_board == 0:
        return ()
    return (
        e.DeviationOpened(
            number=next_deviation(process),
            work_order=report.work_order,
            code="REVIEW_BOARD",
            detail=f"{plain(report.review_board)} {report.unit} of {report.report_number} for the review board",
        ),
    )


def record_parameters(process: Process, command: RecordParameters) -> Events:
    """Store the values; one that lies outside its limits opens a deviation and holds the operation (EB-04)."""
    work_order, operation, specification = _running(process, command)
    values = judge_values(f"{work_order.number}/{operation.code}", specification.parameters, command.values)
    recorded = e.ParametersRecorded(work_order=work_order.number, operation=operation.code, values=values)
    outside = [value for value in values if not value.within_limits]
    deviations = tuple(
        e.DeviationOpened(
            number=next_deviation(process, offset),
            work_order=work_order.number,
            operation=operation.code,
            code="OUT_OF_LIMIT",
            detail=f"{value.name} {value.text} {value.unit}, limits {_limit(value.low)} … {_limit(value.high)}",
        )
        for offset, value in enumerate(outside)
    )
    if outside and process.specification.policy.hold_on_out_of_limit:
        return (recorded, *deviations, move_operation(work_order, operation, OperationEvent.HOLD))
    return (recorded, *deviations)


def _limit(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def complete_operation(process: Process, command: CompleteOperation) -> Events:
    work_order, operation, specification = _running(process, command)
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
        blockers.append(_machine_runs(work_order, operation, "the end of the machine's job"))
    check(blockers)
    moved = move_operation(work_order, operation, OperationEvent.COMPLETE)
    return (moved, *_consumption(process, work_order, operation))


def _machine_runs(work_order: WorkOrder, operation: Operation, required: str) -> Blocker:
    return Blocker(
        code="MACHINE_RUNNING",
        entity="operation",
        id=f"{work_order.number}/{operation.code}",
        found=f"job {operation.job} runs",
        required=required,
        who_can_fix="operator",
    )


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
