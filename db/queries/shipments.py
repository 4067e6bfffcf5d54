"""Shipments: what was sent to whom, and what came back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

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


def returned(connection: Connection, number: str) -> Decimal:
    """What came back of a shipment until now."""
    total = select(func.coalesce(func.sum(RETURNS.c.quantity), 0)).where(RETURNS.c.shipment == number)
    return Decimal(connection.execute(total).scalar_one())
