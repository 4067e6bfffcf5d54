"""Lists of production orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, tuple_

from db.tables import Deviation, ProductionOrder, core
from domain.quantities import plain

ORDERS = core(ProductionOrder)
DEVIATIONS = core(Deviation)


def page(
    connection: Connection, state: str | None, limit: int, after: str | None, inside: Sequence[ColumnElement[bool]] = ()
) -> list[dict[str, Any]]:
    """Orders in a state (or all) that are `inside`, newest first, after the order of that number."""
    statement = select(ORDERS).order_by(ORDERS.c.created_at.desc(), ORDERS.c.number.desc()).limit(limit).where(*inside)
    if state is not None:
        statement = statement.where(ORDERS.c.state == state)
    if after is not None:
        last = select(ORDERS.c.created_at, ORDERS.c.number).where(ORDERS.c.number == after)
        row = connection.execute(last).one_or_none()
        if row is not None:
            statement = statement.where(tuple_(ORDERS.c.created_at, ORDERS.c.number) < tuple_(row[0], row[1]))
    return [_shown(row) for row in connection.execute(statement)]


def is_empty(connection: Connection) -> bool:
    """Whether there is no order at all."""
    return connection.execute(select(ORDERS.c.number).limit(1)).first() is None


def beginning(text: str) -> list[ColumnElement[bool]]:
    """Conditions for orders whose number, plan line or product begins with a text; none for no text."""
    if not text:
        return []
    return [or_(*(ORDERS.c[name].istartswith(text, autoescape=True) for name in ("number", "plan_line", "product")))]


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.uuid), "number": row.number, "state": row.state, "revision": row.revision,
        "product": row.product, "quantity": plain(row.quantity), "unit": row.unit, "plant": row.plant,
        "createdBy": row.created_by, "createdAt": row.created_at.isoformat(),
        "dueAt": row.due_at and row.due_at.isoformat(),
        "actualStart": row.actual_start and row.actual_start.isoformat(),
        "actualEnd": row.actual_end and row.actual_end.isoformat(), "waiting": row.waiting or [],
    }  # fmt: skip


def deviations(connection: Connection, order_number: str, at: datetime | None = None) -> int:
    """How many deviations an order has, or had at a time."""
    statement = select(func.count()).select_from(DEVIATIONS).where(DEVIATIONS.c.order_number == order_number)
    if at is not None:
        statement = statement.where(DEVIATIONS.c.opened_at <= at)
    return int(connection.execute(statement).scalar_one())
