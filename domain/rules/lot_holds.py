"""An order and the holds of lots that it uses: it stops with the first one and goes on after the last one."""

from domain import events as e
from domain import hold_events as h
from domain.errors import Blocker
from domain.hold_commands import LiftLotHold, PlaceLotHold
from domain.process import Process, WorkOrder
from domain.rules.common import SYSTEM, Events, lot_moved, move_order, refuse
from domain.rules.order_deviations import freed_lot, lots_held_by
from domain.states import LOT, ORDER, LotEvent, LotStatus, OrderEvent, OrderState


def held_by_lots(process: Process) -> list[Blocker]:
    """A blocker for each hold of a lot that the order uses: it does not go on, is not certified and not closed."""
    return [
        Blocker(
            code="LOT_ON_HOLD", entity="lot", id=", ".join(own.lots),
            found=f"{own.hold} by {own.placed_by}: {own.reason}", required="the release of the hold",
            who_can_fix="qaReviewer",
        )
        for own in process.lot_holds.values()
    ]  # fmt: skip


def place_lot_hold(process: Process, command: PlaceLotHold) -> Events:
    """The order has heard of the hold, whatever else stops it; it is stopped if it still runs."""
    _from_the_hold(process, command.actor)
    if command.hold in process.lot_holds:
        raise refuse(_blocker(process, "LOT_HOLD_KNOWN", command.hold, "a hold that the order has not heard of"))
    if process.state == OrderState.CANCELLING or ORDER.is_final(process.state):
        raise refuse(_blocker(process, "ORDER_NOT_OPEN", process.state, "an order that is not over"))
    stops = ORDER.allows(process.state, OrderEvent.HOLD)
    placed = h.LotHoldPlaced(
        hold=command.hold, lots=command.lots, makes=command.makes, placed_by=command.placed_by, stops=stops
    )
    own = [
        _stopped(work_order, lot, command.is_recall)
        for work_order, lot in _own_lots(process, command.makes)
        if _can_be_stopped(work_order, command.is_recall)
    ]
    moved = (move_order(process, OrderEvent.HOLD),) if stops else ()
    return (placed, *moved, *own)


def lift_lot_hold(process: Process, command: LiftLotHold) -> Events:
    """One hold less. After the last one the order goes on, unless a person stopped it before."""
    _from_the_hold(process, command.actor)
    if command.hold not in process.lot_holds:
        raise refuse(_blocker(process, "LOT_HOLD_UNKNOWN", command.hold, "a hold that the order has heard of"))
    is_last = len(process.lot_holds) == 1
    is_free = is_last and process.open_change() is None
    resumes = is_free and process.held_for_lots and process.state == OrderState.HELD
    lifted = h.LotHoldLifted(hold=command.hold, lifted_by=command.lifted_by, resumes=resumes)
    lots = [
        freed_lot(work_order, lot)
        for work_order, lot in _own_lots(process, process.lot_holds[command.hold].makes)
        if work_order.lot_status == LotStatus.ON_HOLD and lots_held_by(process, work_order, lot) == [command.hold]
    ]
    moved = (move_order(process, OrderEvent.RESUME),) if resumes else ()
    return (lifted, *lots, *moved)


def _own_lots(process: Process, lots: tuple[str, ...]) -> list[tuple[WorkOrder, str]]:
    return [
        (process.work_orders[own.number], own.output_lot)
        for own in process.specification.work_orders
        if own.output_lot in lots
    ]


def _event(work_order: WorkOrder, is_recall: bool) -> LotEvent:
    status = work_order.lot_status
    is_recalled = is_recall and status is not None and LOT.allows(status, LotEvent.RECALL)
    return LotEvent.RECALL if is_recalled else LotEvent.HOLD


def _can_be_stopped(work_order: WorkOrder, is_recall: bool) -> bool:
    status = work_order.lot_status
    return status is not None and status != LotStatus.RECALLED and LOT.allows(status, _event(work_order, is_recall))


def _stopped(work_order: WorkOrder, lot: str, is_recall: bool) -> e.LotMoved:
    event = _event(work_order, is_recall)
    assert work_order.lot_status is not None
    return lot_moved(work_order, lot, event, LOT.advance(work_order.lot_status, event))


def _from_the_hold(process: Process, actor: str) -> None:
    if actor != SYSTEM:
        raise refuse(_blocker(process, "NOT_A_PERSON", actor, "the hold's own process"))


def _blocker(process: Process, code: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity="production order", id=process.specification.number, found=found, required=required
    )
