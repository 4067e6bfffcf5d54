"""What follows by itself, without any person or neighbour: one pure function from a state to the next events.

After every decision the order asks `consequences` until nothing more follows, so that the whole step stands in the
record before the person sees the tick.
"""

from domain import events as e
from domain.process import Process, WorkOrder
from domain.rules.common import (
    Events,
    lot_moved,
    move_operation,
    move_order,
    move_pick_list,
    move_put_away,
    move_work_order,
)
from domain.rules.record_review import complete_record
from domain.rules.start_gate import freed
from domain.rules.starting import waits_for_verifier
from domain.states import (
    InspectionState,
    LotEvent,
    LotStatus,
    OperationEvent,
    OperationState,
    OrderEvent,
    OrderState,
    PickListEvent,
    PickListState,
    PutAwayEvent,
    PutAwayState,
    WorkOrderEvent,
    WorkOrderState,
)

_DONE = (WorkOrderState.COMPLETED, WorkOrderState.CLOSED)
_WAIT = (LotStatus.ON_HOLD, LotStatus.RECALLED)
_GONE = (WorkOrderState.CANCELLED, WorkOrderState.ABORTED)


def consequences(process: Process) -> Events:
    """The next events that follow by themselves; empty when nothing does."""
    if process.specification.policy.start_gate and (left := freed(process)):
        return left
    match process.state:
        case OrderState.SUBMITTED if process.specification.policy.approvals == 0:
            return (move_order(process, OrderEvent.APPROVE),)
        case OrderState.CANCELLING:
            return _of_cancelling(process)
        case OrderState.RELEASED | OrderState.IN_PROGRESS:
            for work_order in process.work_orders.values():
                if follows := _of_work_order(process, work_order):
                    return follows
            if process.state == OrderState.IN_PROGRESS and all(w.state in _DONE for w in process.work_orders.values()):
                return (move_order(process, OrderEvent.COMPLETE),)
        case OrderState.COMPLETED:
            return _of_certification(process)
    return ()


def _of_cancelling(process: Process) -> Events:
    """Work orders that took nothing are cancelled at once; the last one ends the order."""
    for work_order in process.work_orders.values():
        if work_order.state == WorkOrderState.PENDING:
            operations = [
                move_operation(work_order, operation, OperationEvent.CANCEL)
                for operation in work_order.operations.values()
            ]
            return (*operations, move_work_order(work_order, WorkOrderEvent.CANCEL))
    if any(work_order.state not in _GONE for work_order in process.work_orders.values()):
        return ()
    aborted = any(work_order.state == WorkOrderState.ABORTED for work_order in process.work_orders.values())
    return (move_order(process, OrderEvent.ABORT if aborted else OrderEvent.COMPENSATE),)


def _of_work_order(process: Process, work_order: WorkOrder) -> Events:
    match work_order.state:
        case WorkOrderState.DISPATCHED:
            return _of_pick(process, work_order)
        case WorkOrderState.READY | WorkOrderState.RUNNING:
            return _of_operations(process, work_order)
        case WorkOrderState.INSPECTING:
            return _of_inspection(process, work_order)
        case WorkOrderState.PUTTING_AWAY:
            return _of_put_away(process, work_order)
        case WorkOrderState.COMPLETED:
            return complete_record(process, work_order)
    return ()


def _of_pick(process: Process, work_order: WorkOrder) -> Events:
    policy = process.specification.policy
    if not process.specification.work_order(work_order.number).materials:
        return (move_work_order(work_order, WorkOrderEvent.MATERIALS_ISSUED),)
    pick_list = work_order.pick_list
    if pick_list is None:
        return ()
    if pick_list.state == PickListState.ALLOCATED and not policy.pick_list_approval:
        return (move_pick_list(work_order, PickListEvent.APPROVE),)
    if pick_list.state == PickListState.APPROVED and policy.issue_automatically:
        return (move_pick_list(work_order, PickListEvent.ISSUE),)
    if pick_list.state == PickListState.ISSUED:
        return (move_work_order(work_order, WorkOrderEvent.MATERIALS_ISSUED),)
    return ()


def _of_operations(process: Process, work_order: WorkOrder) -> Events:
    specification = process.specification.work_order(work_order.number)
    for operation in specification.operations:
        own = work_order.operations[operation.code]
        done = (_is_done(process, work_order, code) for code in operation.predecessors)
        if own.state == OperationState.PENDING and all(done):
            return (move_operation(work_order, own, OperationEvent.MAKE_READY),)
    completed = all(_is_done(process, work_order, code) for code in work_order.operations)
    if work_order.state == WorkOrderState.RUNNING and completed and not work_order.open_rework():
        return (move_work_order(work_order, WorkOrderEvent.OPERATIONS_COMPLETED),)
    return ()


def _is_done(process: Process, work_order: WorkOrder, code: str) -> bool:
    """Completed, and verified where a second person has to."""
    completed = work_order.operations[code].state == OperationState.COMPLETED
    return completed and not waits_for_verifier(process, work_order, code)


def _of_inspection(process: Process, work_order: WorkOrder) -> Events:
    """Without an inspection plan, or without one asked for, the batch goes on; a decided inspection lets it go on."""
    policy, specification = process.specification.policy, process.specification.work_order(work_order.number)
    is_asked_for = policy.inspect_before_put_away and bool(specification.inspection)
    inspection = work_order.inspection
    decided = inspection is not None and inspection.state in (InspectionState.ACCEPTED, InspectionState.REJECTED)
    if (is_asked_for and not decided) or work_order.lot_status in _WAIT:
        return ()
    moved = move_work_order(work_order, WorkOrderEvent.INSPECTION_DECIDED)
    is_final = specification.feeds is None
    waits_for_certificate = is_final and (policy.certification or policy.production_release)
    if work_order.lot_status == LotStatus.QUARANTINE and not waits_for_certificate:
        released = lot_moved(work_order, specification.output_lot, LotEvent.RELEASE, LotStatus.RELEASED)
        return (released, moved)
    return (moved,)


def _of_put_away(process: Process, work_order: WorkOrder) -> Events:
    policy, put_away = process.specification.policy, work_order.put_away
    lot = process.specification.work_order(work_order.number).output_lot
    if put_away is None:
        good = work_order.produced
        target = PutAwayState.CREATED if good > 0 else PutAwayState.CANCELLED
        return (
            e.PutAwayMoved(
                work_order=work_order.number, lot=lot, event=None, origin=None, target=target, quantity=good
            ),
        )
    is_held = work_order.lot_status in _WAIT
    if put_away.state == PutAwayState.CREATED and not policy.put_away_by_person and not is_held:
        return (move_put_away(work_order, lot, PutAwayEvent.MOVE, policy.put_away_place),)
    if put_away.state in (PutAwayState.DONE, PutAwayState.CANCELLED):
        return (move_work_order(work_order, WorkOrderEvent.PUT_AWAY),)
    return ()


def _of_certification(process: Process) -> Events:
    """Where no production release is asked for, the certificate itself releases the lot."""
    if process.specification.policy.production_release:
        return ()
    for work_order in process.work_orders.values():
        if work_order.certified_by is not None and work_order.lot_status == LotStatus.QUARANTINE:
            lot = process.specification.work_order(work_order.number).output_lot
            return (lot_moved(work_order, lot, LotEvent.RELEASE, LotStatus.RELEASED),)
    return ()
