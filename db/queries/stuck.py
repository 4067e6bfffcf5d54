"""What stands still: orders that wait for a neighbour, alarms, and what the record runs on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, text

from db.queries.waiting import ORDERS
from db.tables import OPEN_ORDER, Alarm, core

ALARMS = core(Alarm)


def orders(connection: Connection, inside: Sequence[ColumnElement[bool]], limit: int) -> list[dict[str, Any]]:
    """Each thing that an open order waits for (see `domain.procedure_events.NeighbourWaiting`), the oldest first."""
    statement = (
        select(ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.product, ORDERS.c.state, ORDERS.c.waiting)
        .where(text(OPEN_ORDER), ORDERS.c.waiting.isnot(None), *inside)
        .order_by(ORDERS.c.number)
        .limit(limit)
    )
    found = [
        {"number": row.number, "id": row.uuid, "product": row.product, "state": row.state, **wait}
        for row in connection.execute(statement)
        for wait in row.waiting or ()
    ]
    return sorted(found, key=lambda own: str(own["since"]))


def alarms(connection: Connection, inside: Sequence[ColumnElement[bool]], limit: int) -> list[dict[str, Any]]:
    """Alarms, newest first: those of orders that are inside, and those of no order."""
    statement = select(ALARMS).order_by(ALARMS.c.at.desc(), ALARMS.c.id.desc()).limit(limit)
    if inside:
        own = select(ORDERS.c.number).where(*inside)
        statement = statement.where(or_(ALARMS.c.order_number.is_(None), ALARMS.c.order_number.in_(own)))
    return [dict(row._mapping) for row in connection.execute(statement)]


def versions(connection: Connection) -> dict[str, str]:
    """The version of the database server, and the migration that the record stands at."""
    server = connection.execute(text("SHOW server_version")).scalar_one()
    migration = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return {"postgresql": str(server), "migration": str(migration or "")}
