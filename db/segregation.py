"""What happens to the stock of a lot in the moment in which it is rejected: it goes to the rejected zone (CN 131).

Reservations are withdrawn, prepared shipments blocked, and all of it that is in the store moves; what is at the line
is put away by people, and nowhere else. Runs in the transaction that rejects the lot.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, collate, insert, select, update

from db import audit
from db.rows import insert_rows
from db.tables import Lot, Place, Reservation, Shipment, StateTransition, StockBalance, StockMove, core
from domain.shipping_states import ShipmentEvent, ShipmentState

REJECTED_STOCK: Final = "REJECTED"
_STORED: Final = ("quarantine", "released")
LOTS, PLACES, BALANCES, MOVES = core(Lot), core(Place), core(StockBalance), core(StockMove)
RESERVATIONS, SHIPMENTS, TRANSITIONS = core(Reservation), core(Shipment), core(StateTransition)


class Segregated(NamedTuple):
    """A quantity that went to the rejected goods."""

    place: str
    quantity: Decimal
    unit: str


def segregate(
    connection: Connection, lot: str, key: str, actor: str, at: datetime
) -> tuple[list[Segregated], list[audit.Entry]]:
    """Bring a lot that is rejected to the rejected goods: what moved, and the audit entries of what was blocked."""
    if connection.execute(select(PLACES.c.code).where(PLACES.c.code == REJECTED_STOCK)).first() is None:
        return [], []  # a plant without such a place: people decide
    rows = connection.execute(
        select(BALANCES.c.place, BALANCES.c.on_hand, LOTS.c.unit)
        .join(PLACES, PLACES.c.code == BALANCES.c.place)
        .join(LOTS, LOTS.c.number == BALANCES.c.lot)
        .where(BALANCES.c.lot == lot, PLACES.c.zone.in_(_STORED))
        .order_by(collate(BALANCES.c.place, "C"))
        .with_for_update(of=BALANCES)
    ).all()
    own = (RESERVATIONS.c.lot == lot) & (RESERVATIONS.c.state == "reserved")
    withdrawn = update(RESERVATIONS).where(own).values(state="withdrawn")
    for row in connection.execute(withdrawn.returning(RESERVATIONS.c.place, RESERVATIONS.c.quantity)):
        _unreserve(connection, lot, row.place, row.quantity)
    _, entries = block_shipments(connection, [lot], "the lot is rejected", actor, at)
    moved = [Segregated(row.place, row.on_hand, row.unit) for row in rows if row.on_hand > 0]
    _write(connection, lot, moved, key, actor, at)
    return moved, entries


def _write(
    connection: Connection, lot: str, moved: Sequence[Segregated], key: str, actor: str, at: datetime
) -> None:  # fmt: skip
    """The moves to the rejected goods, and both ends' balances."""
    if not moved:
        return
    insert_rows(connection, MOVES, [
        {
            "key": f"{key}/{own.place}", "lot": lot, "from_place": own.place, "to_place": REJECTED_STOCK,
            "quantity": own.quantity, "unit": own.unit, "kind": "rejected", "work_order": None, "actor": actor,
            "moved_at": at,
        }
        for own in moved
    ])  # fmt: skip
    for one in moved:
        own = (BALANCES.c.lot == lot) & (BALANCES.c.place == one.place)
        connection.execute(update(BALANCES).where(own).values(on_hand=BALANCES.c.on_hand - one.quantity))
    total = sum((one.quantity for one in moved), Decimal(0))
    there = (BALANCES.c.lot == lot) & (BALANCES.c.place == REJECTED_STOCK)
    added = update(BALANCES).where(there).values(on_hand=BALANCES.c.on_hand + total)
    if connection.execute(added).rowcount == 0:
        first = {"lot": lot, "place": REJECTED_STOCK, "on_hand": total, "reserved": Decimal(0)}
        connection.execute(insert(BALANCES).values(first))


def block_shipments(
    connection: Connection, lots: Sequence[str], why: str, actor: str, at: datetime
) -> tuple[list[str], list[audit.Entry]]:
    """Stop what is prepared of some lots, and free its stock: (numbers, audit entries)."""
    own = SHIPMENTS.c.lot.in_(lots) & (SHIPMENTS.c.state == ShipmentState.PREPARED)
    changed = update(SHIPMENTS).where(own).values(state=ShipmentState.BLOCKED, detail=why)
    found = connection.execute(
        changed.returning(SHIPMENTS.c.number, SHIPMENTS.c.lot, SHIPMENTS.c.place, SHIPMENTS.c.quantity)
    ).all()
    entries: list[audit.Entry] = []
    for row in sorted(found, key=lambda row: (row.lot, row.place)):
        _unreserve(connection, row.lot, row.place, row.quantity)
        step = {
            "entity": "shipment", "entity_id": row.number, "event": ShipmentEvent.BLOCK,
            "from_state": ShipmentState.PREPARED, "to_state": ShipmentState.BLOCKED, "actor": actor, "reason": why,
            "at": at,
        }  # fmt: skip
        connection.execute(insert(TRANSITIONS).values(step))
        old, new = {"state": str(ShipmentState.PREPARED)}, {"state": str(ShipmentState.BLOCKED), "why": why}
        entries.append(audit.Entry(at, actor, "shipment.block", f"shipment/{row.number}", old, new))
    return sorted(row.number for row in found), entries


def _unreserve(connection: Connection, lot: str, place: str, quantity: Decimal) -> None:
    own = (BALANCES.c.lot == lot) & (BALANCES.c.place == place)
    connection.execute(update(BALANCES).where(own).values(reserved=BALANCES.c.reserved - quantity))
