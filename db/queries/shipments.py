"""Shipments: what was sent to whom, and what came back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from db.tables import Shipment, ShipmentReturn, core
from domain.quantities import plain

SHIPMENTS: Final = core(Shipment)
RETURNS: Final = core(ShipmentReturn)


def document(row: Row[Any], returned: Decimal) -> dict[str, Any]:
    """A shipment as it is told; `batch` is the lot."""
    return {
        "number": row.number, "batch": row.lot, "product": row.product, "productName": row.product_name,
        "strength": row.strength, "quantity": plain(row.quantity), "unit": row.unit, "place": row.place,
        "consignee": row.consignee, "address": row.address, "contact": row.contact, "transport": row.transport,
        "state": row.state, "preparedBy": row.prepared_by, "preparedAt": row.prepared_at, "endedBy": row.ended_by,
        "endedAt": row.ended_at, "shippedAt": row.ended_at if row.state == "shipped" else None,
        "expiresOn": row.expires_on, "retainUntil": row.retain_until, "returned": plain(returned),
        "detail": row.detail,
    }  # fmt: skip


def page(
    connection: Connection, *, lots: Sequence[str] | None = None, consignee: str | None = None,
    state: str | None = None, number: str | None = None, limit: int = 1000,
) -> list[dict[str, Any]]:  # fmt: skip
    """Shipments, newest first."""
    back = select(func.coalesce(func.sum(RETURNS.c.quantity), 0)).where(RETURNS.c.shipment == SHIPMENTS.c.number)
    statement = select(SHIPMENTS, back.scalar_subquery().label("returned"))
    if lots is not None:
        statement = statement.where(SHIPMENTS.c.lot == func.any(bindparam("lots", list(lots), ARRAY(String))))
    for column, value in (("consignee", consignee), ("state", state), ("number", number)):
        if value is not None:
            statement = statement.where(SHIPMENTS.c[column] == value)
    ordered = statement.order_by(SHIPMENTS.c.prepared_at.desc(), SHIPMENTS.c.number).limit(limit)
    return [document(row, row.returned) for row in connection.execute(ordered)]


def returns(connection: Connection, number: str) -> list[dict[str, Any]]:
    """What came back of a shipment, oldest first: `quantity`, `place`, `reason`, `returnedBy`, `returnedAt`."""
    statement = select(RETURNS).where(RETURNS.c.shipment == number).order_by(RETURNS.c.returned_at, RETURNS.c.key)
    return [
        {
            "quantity": plain(row.quantity), "place": row.place, "reason": row.reason, "returnedBy": row.returned_by,
            "returnedAt": row.returned_at,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def consignees(connection: Connection, limit: int) -> list[dict[str, str]]:
    """Who got something before, latest first: `number` of the last shipment to them, and how it was addressed."""
    latest = select(SHIPMENTS).ext(distinct_on(SHIPMENTS.c.consignee))
    found = latest.order_by(SHIPMENTS.c.consignee, SHIPMENTS.c.prepared_at.desc()).subquery()
    rows = connection.execute(select(found).order_by(found.c.prepared_at.desc()).limit(limit))
    return [
        {name: getattr(row, name) for name in ("number", "consignee", "address", "contact", "transport")}
        for row in rows
    ]


def returned(connection: Connection, number: str) -> Decimal:
    """What came back of a shipment until now."""
    total = select(func.coalesce(func.sum(RETURNS.c.quantity), 0)).where(RETURNS.c.shipment == number)
    return Decimal(connection.execute(total).scalar_one())
