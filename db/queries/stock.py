"""Lots and what lies where."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from db.tables import Lot, Place, StockBalance, core
from domain.quantities import plain

LOTS, BALANCES, PLACES = core(Lot), core(StockBalance), core(Place)


def balances(connection: Connection, lot: str | None, material: str | None, limit: int) -> list[dict[str, Any]]:
    """Balances that are not empty, by lot and place."""
    statement = (
        select(BALANCES, LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.expires_on, PLACES.c.zone)
        .join_from(BALANCES, LOTS, LOTS.c.number == BALANCES.c.lot)
        .join(PLACES, PLACES.c.code == BALANCES.c.place)
        .where(BALANCES.c.on_hand > 0)
        .order_by(BALANCES.c.lot, BALANCES.c.place)
        .limit(limit)
    )
    if lot is not None:
        statement = statement.where(BALANCES.c.lot == lot)
    if material is not None:
        statement = statement.where(LOTS.c.material == material)
    return [
        {
            "lot": row.lot, "place": row.place, "zone": row.zone, "material": row.material, "unit": row.unit,
            "onHand": plain(row.on_hand), "reserved": plain(row.reserved), "status": row.status,
            "expiresOn": row.expires_on and row.expires_on.isoformat(),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def status(connection: Connection, number: str) -> str | None:
    """The quality status of a lot; none if there is no such lot."""
    return connection.execute(select(LOTS.c.status).where(LOTS.c.number == number)).scalar_one_or_none()


def lot(connection: Connection, number: str) -> dict[str, Any] | None:
    """One lot with its balances."""
    row = connection.execute(select(LOTS).where(LOTS.c.number == number)).one_or_none()
    if row is None:
        return None
    return {
        "lot": row.number, "material": row.material, "unit": row.unit, "status": row.status, "origin": row.origin,
        "workOrder": row.work_order, "supplier": row.supplier, "supplierLot": row.supplier_lot,
        "retestOn": row.retest_on and row.retest_on.isoformat(),
        "expiresOn": row.expires_on and row.expires_on.isoformat(), "createdAt": row.created_at.isoformat(),
        "stock": balances(connection, number, None, 100),
    }  # fmt: skip


def free_places(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(place, what nobody has reserved there) of balances (see there) with something free."""
    free = [(own["place"], Decimal(own["onHand"]) - Decimal(own["reserved"])) for own in rows]
    return [(place, plain(left)) for place, left in free if left > 0]


def lots_of(connection: Connection, material: str, limit: int) -> list[str]:
    """The lots of a material, newest first."""
    statement = select(LOTS.c.number).where(LOTS.c.material == material)
    return list(connection.execute(statement.order_by(LOTS.c.created_at.desc(), LOTS.c.number).limit(limit)).scalars())
