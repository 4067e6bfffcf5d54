"""Giving back what a cancelled order took. Every step is keyed and harmless when there is nothing to give back."""

from temporalio import workflow

from activities import stubs
from domain import events as e
from domain.commands import Disposition
from domain.errors import Blocker
from domain.process import WorkOrder
from domain.rules.common import (
    SYSTEM,
    lot_moved,
    move_inspection,
    move_operation,
    move_pick_list,
    move_put_away,
    move_work_order,
)
from domain.rules.line_side import cancelled_returns
from domain.rules.recovery import cancelled_recoveries
from domain.rules.release import inspection_request
from domain.rules.rework import cancelled_rework
from domain.rules.weighing import cancelled_containers
from domain.specification import Equipment, WorkOrderSpecification
from domain.states import (
    INSPECTION,
    LOT,
    OPERATION,
    PICK_LIST,
    PUT_AWAY,
    InspectionEvent,
    LotEvent,
    LotStatus,
    OperationEvent,
    PickListEvent,
    PutAwayEvent,
    WorkOrderEvent,
    WorkOrderState,
)
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import Neighbours

_ENDED = (WorkOrderState.CANCELLED, WorkOrderState.ABORTED)


async def compensate(journal: Journal, neighbours: Neighbours) -> None:
    """Undo every work order that has begun, last one first; then the order itself ends as cancelled or aborted."""
    _answer_pending(journal)
    for work_order in reversed(list(journal.process.work_orders.values())):
        if work_order.state not in _ENDED:
            await _compensate(work_order.number, journal, neighbours)


def _answer_pending(journal: Journal) -> None:
    """Commands that still waited for a neighbour get their verdict: the order was cancelled meanwhile."""
    for request, pending in list(journal.process.pending.items()):
        blocker = Blocker(
            code="ORDER_CANCELLED",
            entity="command",
            id=pending.command,
            found="the order was cancelled meanwhile",
            required="an order that goes on",
        )
        journal.note(answers=request, blockers=(blocker,))


async def _compensate(number: str, journal: Journal, neighbours: Neighbours) -> None:
    specification = journal.process.specification.work_order(number)
    keyed = {"key": f"{number}/cancel", "actor": SYSTEM, "work_order": number}
    work_order = journal.process.work_orders[number]
    for operation in specification.operations:
        if operation.equipment == Equipment.OPC_UA and work_order.operations[operation.code].job_state == "started":
            await _abort_job(number, operation.code, journal, neighbours)
    if work_order.pick_list is not None or work_order.recoveries:
        give_back = stubs.Keyed(**keyed)
        await neighbours.ask(
            "warehouse",
            f"{number}/give-back",
            lambda: workflow.execute_activity(stubs.give_back, give_back, **policies.ASK_NEIGHBOUR),
        )
    if _may_have_open_inspection(work_order, specification):
        known = work_order.inspection.number if work_order.inspection is not None else None
        cancel = stubs.CancelInspectionRequest(**keyed, inspection=known, asked_under=inspection_request(number))
        await neighbours.ask(
            "quality",
            f"{number}/cancel-inspection",
            lambda: workflow.execute_activity(stubs.cancel_inspection, cancel, **policies.ASK_NEIGHBOUR),
        )
    if journal.process.disposition == Disposition.SCRAP and work_order.lot_status is not None:
        scrap = stubs.ScrapRequest(**{**keyed, "key": f"{number}/scrap"}, lot=specification.output_lot)
        await neighbours.ask(
            "warehouse",
            f"{number}/scrap",
            lambda: workflow.execute_activity(stubs.scrap, scrap, **policies.ASK_NEIGHBOUR),
        )
    journal.note(*_void(work_order, specification.output_lot, journal))


def _may_have_open_inspection(work_order: WorkOrder, specification: WorkOrderSpecification) -> bool:
    """Whether quality has one that is not decided, or may have one whose number never reached the order."""
    if work_order.inspection is not None:
        return INSPECTION.allows(work_order.inspection.state, InspectionEvent.CANCEL)
    return work_order.state == WorkOrderState.INSPECTING and bool(specification.inspection)


async def _abort_job(number: str, code: str, journal: Journal, neighbours: Neighbours) -> None:
    specification = journal.process.specification
    own = specification.work_order(number)
    operation = own.operation(code)
    assert operation is not None
    request = stubs.JobRequest(
        job=f"{number}/{code}",
        workstation=operation.workstation,
        order_number=specification.number,
        work_order=number,
        operation=code,
        batch=own.output_lot,
        product=own.material,
        quantity=own.quantity,
        unit=own.unit,
    )
    await neighbours.ask(
        operation.workstation,
        f"{number}/{code}/abort",
        lambda: workflow.execute_activity(stubs.abort_job, request, **policies.ABORT_JOB),
    )
    journal.note(
        e.EquipmentJobMoved(
            work_order=number,
            operation=code,
            job=request.job,
            workstation=operation.workstation,
            batch=own.output_lot,
            target="aborted",
            detail="cancelled",
        )
    )


def _void(work_order: WorkOrder, lot: str, journal: Journal) -> tuple[e.Event, ...]:
    """The events that void everything of a work order: operations, documents, lot, and the work order itself."""
    events: list[e.Event] = [e.CompensationStarted(work_order=work_order.number)]
    for operation in work_order.operations.values():
        for event in (OperationEvent.CANCEL, OperationEvent.ABORT):
            if OPERATION.allows(operation.state, event):
                events.append(move_operation(work_order, operation, event))
                break
    events += cancelled_rework(journal.process, work_order)
    events += cancelled_recoveries(journal.process, work_order)
    events += cancelled_returns(work_order)
    events += cancelled_containers(work_order)
    if work_order.pick_list is not None and PICK_LIST.allows(work_order.pick_list.state, PickListEvent.CANCEL):
        events.append(move_pick_list(work_order, PickListEvent.CANCEL))
    if work_order.inspection is not None and INSPECTION.allows(work_order.inspection.state, InspectionEvent.CANCEL):
        events.append(move_inspection(work_order, InspectionEvent.CANCEL))
    if work_order.put_away is not None and PUT_AWAY.allows(work_order.put_away.state, PutAwayEvent.CANCEL):
        events.append(move_put_away(work_order, lot, PutAwayEvent.CANCEL))
    events += [
        e.DeviationDecided(number=number, decision="order cancelled")
        for number in journal.process.open_deviations()
        # What a process of its own leads goes on there: the order's end is no decision about it.
        if number not in journal.process.led_deviations
    ]
    events += _lot_of(work_order, lot, journal)
    has_consumed = bool(work_order.consumed_at)
    target = WorkOrderEvent.ABORT if has_consumed else WorkOrderEvent.CANCEL
    events.append(move_work_order(work_order, target))
    return tuple(events)


def _lot_of(work_order: WorkOrder, lot: str, journal: Journal) -> list[e.Event]:
    """A lot that was begun is rejected when it is scrapped or empty, and put on hold when it is kept."""
    if work_order.lot_status is None:
        return []
    keep = journal.process.disposition == Disposition.KEEP_AS_LOT
    event, target = (LotEvent.HOLD, LotStatus.ON_HOLD) if keep else (LotEvent.REJECT, LotStatus.REJECTED)
    if not LOT.allows(work_order.lot_status, event):
        return []
    return [lot_moved(work_order, lot, event, target)]
