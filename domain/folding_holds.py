"""How holds of lots change the state of an order. Importing this registers them."""

from domain import events as e
from domain import hold_events as h
from domain.applying import apply
from domain.process import LotHold, Process


@apply.register
def _(event: h.LotHoldPlaced, process: Process, fact: e.Fact) -> None:
    process.lot_holds[event.hold] = LotHold(
        hold=event.hold, lots=event.lots, makes=event.makes, placed_by=event.placed_by, reason=fact.reason or ""
    )
    process.held_for_lots = process.held_for_lots or event.stops or process.held_for_change


@apply.register
def _(event: h.LotHoldLifted, process: Process, fact: e.Fact) -> None:
    process.lot_holds.pop(event.hold, None)
    if not process.lot_holds:
        process.held_for_lots = False
