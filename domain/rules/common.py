"""Words that all rules use. A rule reads the process and answers with events, or raises `Refused`."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

from domain import events as e
from domain.commands import OperationCommand
from domain.errors import Blocker, Refused
from domain.process import Inspection, Operation, Process, WorkOrder
from domain.quantities import plain
from domain.specification import OperationSpecification, WorkOrderSpecification
from domain.states import (
    INSPECTION,
    OPERATION,
    ORDER,
    PICK_LIST,
    PUT_AWAY,
    WORK_ORDER,
    InspectionEvent,
    LotEvent,
    LotStatus,
    OperationEvent,
    OperationState,
    OrderEvent,
    OrderState,
    PickListEvent,
    PutAwayEvent,
    TransitionRefused,
    WorkOrderEvent,
    WorkOrderState,
)

Events: TypeAlias = tuple[e.Event, ...]

SYSTEM = "system"
REASON_LENGTH = 5
"""A reason has at least this many characters (AT-05)."""


def invalid_transition(entity: str, identity: str, refused: TransitionRefused) -> Blocker:
    """The blocker for an event that the state machine does not allow now."""
    return Blocker(
        code="INVALID_TRANSITION",
        entity=entity,
        id=identity,
        found=refused.state,
        required=f"a state that allows {refused.event}; possible now: {', '.join(refused.possible) or 'nothing'}",
    )


def refuse(*blockers: Blocker, possible: Iterable[StrEnum | str] = ()) -> Refused:
    """A refusal with these blockers."""
    return Refused(tuple(blockers), tuple(str(name) for name in possible))


def check(blockers: list[Blocker]) -> None:
    """Refuse if anything stands in the way."""
    if blockers:
        raise Refused(tuple(blockers))


def reason_missing(reason: str | None, entity: str, identity: str) -> list[Blocker]:
    """A blocker if the reason is missing or too short to be one."""
    if reason is not None and len(reason.strip()) >= REASON_LENGTH:
        return []
    return [
        Blocker(
            code="REASON_REQUIRED",
            entity=entity,
            id=identity,
            found=reason or "no reason",
            required=f"a reason of at least {REASON_LENGTH} characters",
        )
    ]


def same_person(actor: str, other: str | None, entity: str, identity: str, act: str, earlier: str) -> list[Blocker]:
    """A blocker if one person would act on both sides of a separation of duties (AC-03)."""
    if other is None or actor != other:
        return []
    return [
        Blocker(
            code="SEPARATION_OF_DUTIES",
            entity=entity,
            id=identity,
            found=f"{actor} {earlier}",
            required=f"another person to {act}",
            who_can_fix="another person with the same role",
        )
    ]


def move_order(process: Process, event: OrderEvent) -> e.OrderMoved:
    """The order's move by `event`, or the refusal that names what is possible."""
    try:
        target = ORDER.advance(process.state, event, process.remembered)
    except TransitionRefused as refused:
        blocker = invalid_transition("production order", process.specification.number, refused)
        raise refuse(blocker, possible=refused.possible) from None
    return e.OrderMoved(event=event, origin=process.state, target=target)


def move_work_order(work_order: WorkOrder, event: WorkOrderEvent) -> e.WorkOrderMoved:
    """The work order's move by `event`, or the refusal that names what is possible."""
    try:
        target = WORK_ORDER.advance(work_order.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("work order", work_order.number, refused), possible=refused.possible) from None
    return e.WorkOrderMoved(work_order=work_order.number, event=event, origin=work_order.state, target=target)


def move_operation(work_order: WorkOrder, operation: Operation, event: OperationEvent) -> e.OperationMoved:
    """The operation's move by `event`, or the refusal that names what is possible."""
    try:
        target = OPERATION.advance(operation.state, event)
    except TransitionRefused as refused:
        blocker = invalid_transition("operation", f"{work_order.number}/{operation.code}", refused)
        raise refuse(blocker, possible=refused.possible) from None
    return e.OperationMoved(
        work_order=work_order.number, operation=operation.code, event=event, origin=operation.state, target=target
    )


def move_pick_list(
    work_order: WorkOrder,
    event: PickListEvent,
    allocations: tuple[e.Allocation, ...] = (),
    short: tuple[e.ShortLine, ...] = (),
) -> e.PickListMoved:
    """The pick list's move by `event`, or the refusal that names what is possible."""
    pick_list = work_order.pick_list
    if pick_list is None:
        raise refuse(
            Blocker(
                code="NO_PICK_LIST",
                entity="work order",
                id=work_order.number,
                found=work_order.state,
                required="a dispatched work order with materials",
                who_can_fix="supervisor",
            )
        )
    try:
        target = PICK_LIST.advance(pick_list.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("pick list", pick_list.number, refused), possible=refused.possible) from None
    return e.PickListMoved(
        work_order=work_order.number,
        event=event,
        origin=pick_list.state,
        target=target,
        allocations=allocations,
        short=short,
    )


def move_put_away(work_order: WorkOrder, lot: str, event: PutAwayEvent, place: str | None = None) -> e.PutAwayMoved:
    """The put-away order's move by `event`, or the refusal that names what is possible."""
    put_away = work_order.put_away
    if put_away is None:
        raise refuse(
            Blocker(
                code="NO_PUT_AWAY",
                entity="work order",
                id=work_order.number,
                found=work_order.state,
                required="an inspected work order",
                who_can_fix="qcAnalyst",
            )
        )
    try:
        target = PUT_AWAY.advance(put_away.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("put-away", put_away.number, refused), possible=refused.possible) from None
    return e.PutAwayMoved(
        work_order=work_order.number, lot=lot, event=event, origin=put_away.state, target=target, place=place
    )


def move_inspection(
    work_order: WorkOrder, event: InspectionEvent, results: tuple[e.JudgedValue, ...] = ()
) -> e.InspectionMoved:
    """The inspection's move by `event`, or the refusal that names what is possible."""
    inspection = inspection_of(work_order)
    try:
        target = INSPECTION.advance(inspection.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("inspection", inspection.number, refused), possible=refused.possible) from None
    return e.InspectionMoved(
        work_order=work_order.number,
        inspection=inspection.number,
        event=event,
        origin=inspection.state,
        target=target,
        results=results,
    )


def inspection_of(work_order: WorkOrder) -> Inspection:
    """The work order's inspection, or a refusal."""
    if work_order.inspection is None:
        raise refuse(
            Blocker(
                code="NO_INSPECTION",
                entity="work order",
                id=work_order.number,
                found=work_order.state,
                required="a work order whose operations are completed",
                who_can_fix="operator",
            )
        )
    return work_order.inspection


def lot_moved(work_order: WorkOrder, lot: str, event: LotEvent, target: LotStatus) -> e.LotMoved:
    """The change of the quality status of the work order's own lot."""
    return e.LotMoved(
        work_order=work_order.number,
        lot=lot,
        event=event,
        origin=work_order.lot_status or LotStatus.QUARANTINE,
        target=target,
    )


def next_deviation(process: Process, offset: int = 0) -> str:
    """The number of the order's next deviation; `offset` counts those that one fact opens before it."""
    return f"{process.specification.number}-D{len(process.deviations) + 1 + offset}"


def find_work_order(process: Process, number: str) -> tuple[WorkOrder, WorkOrderSpecification]:
    """The work order of that number, or a refusal that lists the order's work orders."""
    try:
        return process.work_order(number)
    except KeyError:
        raise refuse(
            Blocker(
                code="UNKNOWN_WORK_ORDER",
                entity="production order",
                id=process.specification.number,
                found=number,
                required=f"one of {', '.join(process.work_orders)}",
            )
        ) from None


def find_operation(process: Process, number: str, code: str) -> tuple[Operation, OperationSpecification]:
    """The operation of that code, or a refusal that lists the work order's operations."""
    find_work_order(process, number)
    try:
        return process.operation(number, code)
    except KeyError:
        raise refuse(
            Blocker(
                code="UNKNOWN_OPERATION",
                entity="work order",
                id=number,
                found=code,
                required=f"one of {', '.join(process.work_orders[number].operations)}",
            )
        ) from None


def order_is_worked_on(process: Process) -> list[Blocker]:
    """A blocker if the order is not in a state in which its work orders go on."""
    if process.state in (OrderState.RELEASED, OrderState.IN_PROGRESS):
        return []
    return [
        Blocker(
            code="ORDER_NOT_RELEASED" if process.state != OrderState.HELD else "ORDER_ON_HOLD",
            entity="production order",
            id=process.specification.number,
            found=process.state,
            required="released or inProgress",
            who_can_fix="supervisor",
        )
    ]


def work_order_runs(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """A blocker for each of order and work order that does not run."""
    blockers = order_is_worked_on(process)
    if work_order.state != WorkOrderState.RUNNING:
        blockers.append(
            Blocker(
                code="WORK_ORDER_NOT_RUNNING",
                entity="work order",
                id=work_order.number,
                found=work_order.state,
                required=WorkOrderState.RUNNING,
                who_can_fix="operator",
            )
        )
    return blockers


def running_operation(
    process: Process, command: OperationCommand
) -> tuple[WorkOrder, Operation, OperationSpecification]:
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


def machine_runs(work_order: WorkOrder, operation: Operation, required: str) -> Blocker:
    """A blocker for an operation whose machine is at work."""
    return Blocker(
        code="MACHINE_RUNNING",
        entity="operation",
        id=f"{work_order.number}/{operation.code}",
        found=f"job {operation.job} runs",
        required=required,
        who_can_fix="operator",
    )


def order_blocker(process: Process, code: str, found: str, required: str, who_can_fix: str) -> Blocker:
    """Something that is in the way of the order as a whole."""
    return Blocker(
        code=code,
        entity="production order",
        id=process.specification.number,
        found=found,
        required=required,
        who_can_fix=who_can_fix,
    )


def over_reports_open(work_order: WorkOrder, operation: str | None = None) -> list[Blocker]:
    """A blocker for each report that passes what was ordered and waits to be allowed; of one operation, or of all."""
    return [
        Blocker(
            code="OVER_REPORT_OPEN",
            entity="over-report",
            id=asked.number,
            found=f"{plain(asked.over_by)} more than ordered wait for a decision",
            required="a decision",
            who_can_fix="supervisor",
        )
        for asked in work_order.over_reports.values()
        if operation in (None, asked.report.operation)
    ]
