"""Holds of lots: which lots and orders one reaches, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, String, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.queries.trace import LotUnknown, closure
from db.tables import Lot, LotHoldLot, LotHoldOrder, LotHoldRow, Shipment, core
from domain.hold_states import LotHoldState, OrderUnderHold
from domain.quantities import plain

HOLDS: Final = core(LotHoldRow)
HELD_LOTS: Final = core(LotHoldLot)
ORDERS: Final = core(LotHoldOrder)
LOTS, SHIPMENTS = core(Lot), core(Shipment)
OPEN: Final = (LotHoldState.STOPPING, LotHoldState.HELD)
"""The states in which a hold stops its lots."""

# A reservation counts from the allocation to the end of its order; what was consumed counts by its link.
_USERS: Final = text("""
    SELECT o.number AS order_number, used.lot, used.makes FROM (
        SELECT work_order, lot, false AS makes FROM reservation
            WHERE lot = ANY(:lots) AND state IN ('reserved', 'issued')
        UNION SELECT work_order, input_lot, false FROM lot_link WHERE input_lot = ANY(:lots)
        UNION SELECT work_order, number, true FROM lot WHERE number = ANY(:lots) AND work_order IS NOT NULL
    ) AS used
    JOIN work_order w ON w.number = used.work_order JOIN production_order o ON o.number = w.order_number
    WHERE o.state NOT IN ('closed', 'cancelled', 'aborted') ORDER BY o.number, used.lot
    """).bindparams(bindparam("lots", type_=ARRAY(String)))


@dataclass
class User:
    """A running order that uses some of the lots; `makes` are those that it makes itself."""

    order_number: str
    lots: list[str]
    makes: list[str]


def users(connection: Connection, lots: Sequence[str]) -> list[User]:
    """The running orders that have lots reserved, at the line, consumed, or that make them."""
    found: dict[str, User] = {}
    for row in connection.execute(_USERS, {"lots": list(lots)}):
        user = found.setdefault(row.order_number, User(row.order_number, [], []))
        if row.lot not in user.lots:
            user.lots.append(row.lot)
        if row.makes:
            user.makes.append(row.lot)
    return list(found.values())


@dataclass(frozen=True)
class Reach:
    """What a hold of a lot reaches: lots, the orders that run with them, and what of them was shipped already."""

    lots: tuple[str, ...]
    orders: tuple[str, ...]
    shipped: Decimal

    def as_document(self) -> dict[str, Any]:
        """What the signer is shown."""
        return {
            "lots": list(self.lots), "orders": list(self.orders), "lotCount": len(self.lots),
            "orderCount": len(self.orders), "shipped": plain(self.shipped),
        }  # fmt: skip


def reach(connection: Connection, lot: str, downstream: bool) -> Reach:
    """What a hold would reach now. Raises `LotUnknown`."""
    lots = [lot]
    if downstream:
        lots = [node.lot for node in closure(connection, (lot,), "forward")[0]]
    if not lots or connection.execute(select(LOTS.c.number).where(LOTS.c.number == lot)).first() is None:
        raise LotUnknown(lot)
    shipped = select(func.coalesce(func.sum(SHIPMENTS.c.quantity), 0))
    total = connection.execute(
        shipped.where(
            SHIPMENTS.c.lot == func.any(bindparam("lots", lots, ARRAY(String))), SHIPMENTS.c.state == "shipped"
        )
    ).scalar_one()
    orders = tuple(user.order_number for user in users(connection, lots))
    return Reach(tuple(sorted(lots)), orders, Decimal(total))


def others(connection: Connection, lot: str, besides: str | None = None) -> list[str]:
    """Numbers of the open holds of a lot, without one of them."""
    statement = (
        select(HELD_LOTS.c.hold)
        .join(HOLDS, HOLDS.c.number == HELD_LOTS.c.hold)
        .where(HELD_LOTS.c.lot == lot, HOLDS.c.state.in_(OPEN), HELD_LOTS.c.state == "held")
        .order_by(HELD_LOTS.c.hold)
    )
    return [number for number in connection.execute(statement).scalars() if number != besides]


def page(connection: Connection, lot: str | None, is_open: bool | None, limit: int) -> list[dict[str, Any]]:
    """Holds, newest first; with `lot`, those that the lot is under."""
    statement = select(HOLDS).order_by(HOLDS.c.placed_at.desc(), HOLDS.c.number).limit(limit)
    if lot is not None:
        statement = statement.where(HOLDS.c.number.in_(select(HELD_LOTS.c.hold).where(HELD_LOTS.c.lot == lot)))
    if is_open is not None:
        over = HOLDS.c.state == LotHoldState.RELEASED
        statement = statement.where(~over if is_open else over)
    return [_head(row) for row in connection.execute(statement)]


def _head(row: Any) -> dict[str, Any]:
    return {
        "number": row.number, "lot": row.lot, "reason": row.reason, "downstream": row.downstream, "recall": row.recall,
        "state": row.state, "placedBy": row.placed_by, "placedAt": row.placed_at, "signature": row.signature_id,
        "shown": row.shown, "releasedBy": row.released_by, "releasedAt": row.released_at,
        "releaseReason": row.release_reason, "releaseSignature": row.release_signature_id,
    }  # fmt: skip


def detail(connection: Connection, number: str) -> dict[str, Any] | None:
    """A hold with its lots and its orders, and how far it is."""
    row = connection.execute(select(HOLDS).where(HOLDS.c.number == number)).one_or_none()
    if row is None:
        return None
    lots = connection.execute(
        select(HELD_LOTS, LOTS.c.status)
        .join(LOTS, LOTS.c.number == HELD_LOTS.c.lot)
        .where(HELD_LOTS.c.hold == number)
        .order_by(HELD_LOTS.c.lot)
    ).all()
    orders = connection.execute(select(ORDERS).where(ORDERS.c.hold == number).order_by(ORDERS.c.order_number)).all()
    waits = [own.order_number for own in orders if own.state == OrderUnderHold.ASKED]
    return _head(row) | {
        "lots": [
            {"lot": own.lot, "status": own.status, "heldFrom": own.held_from, "order": own.owner, "state": own.state}
            for own in lots
        ],
        "orders": [
            {
                "orderNumber": own.order_number, "lots": own.lots, "makes": own.makes, "state": own.state,
                "askedAt": own.asked_at, "answeredAt": own.answered_at, "detail": own.detail,
            }
            for own in orders
        ],
        "progress": {"orders": len(orders), "answered": len(orders) - len(waits), "waitsFor": waits},
    }  # fmt: skip


def unfinished(connection: Connection) -> list[tuple[str, str]]:
    """(number, state) of the holds whose own process has something to do."""
    states = (LotHoldState.STOPPING, LotHoldState.RELEASING)
    statement = select(HOLDS.c.number, HOLDS.c.state).where(HOLDS.c.state.in_(states)).order_by(HOLDS.c.number)
    return [(row.number, row.state) for row in connection.execute(statement)]
