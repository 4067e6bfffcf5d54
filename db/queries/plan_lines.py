"""Plan lines: what planning wants made."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.tables import NumberSeries, PlanLine, ProductionOrder, WorkOrder, core

LINES = core(PlanLine)
SERIES = core(NumberSeries)
ORDERS = core(ProductionOrder)
WORK_ORDERS = core(WorkOrder)
_SEQUENCE = re.compile(r"\{seq(?::(\d{1,2}))?\}")


def next_number(connection: Connection, pattern: str, at: datetime, count: int = 1) -> list[str]:
    """The next numbers of a pattern with `{seq:6}` and, if wanted, `{yyyy}`, `{yy}`, `{mm}`, `{dd}`.

    Every combination of pattern and date has a series of its own. The series stays locked until the commit.
    """
    pattern = dated(pattern, at)
    last = counted(connection, pattern, count)
    return [written(pattern, number) for number in range(last - count + 1, last + 1)]


def dated(pattern: str, at: datetime) -> str:
    """The pattern with the day written in: the name of its series."""
    for name, code in (("{yyyy}", "%Y"), ("{yy}", "%y"), ("{mm}", "%m"), ("{dd}", "%d")):
        pattern = pattern.replace(name, at.strftime(code))
    return pattern


def written(pattern: str, number: int) -> str:
    """A dated pattern with its running number."""
    return _SEQUENCE.sub(lambda found: str(number).zfill(int(found[1] or 1)), pattern)


def counted(connection: Connection, series: str, count: int) -> int:
    """The last of the next `count` numbers of a series. The series stays locked until the commit."""
    statement = insert(SERIES).values(code=series, last=count)
    statement = statement.on_conflict_do_update(
        index_elements=["code"], set_={"last": SERIES.c.last + count}
    ).returning(SERIES.c.last)  # type: ignore[assignment]
    return int(connection.execute(statement).scalar_one())


def with_references(connection: Connection, references: Collection[str]) -> dict[str, Row[Any]]:
    """The lines of these references."""
    rows = connection.execute(select(LINES).where(LINES.c.reference.in_(references)))
    return {row.reference: row for row in rows}


def taken(connection: Connection, orders: Collection[str], batches: Collection[str]) -> list[Row[Any]]:
    """Lines that hold one of these order or batch numbers."""
    condition = or_(LINES.c.order_number.in_(orders), LINES.c.batch_number.in_(batches))
    return list(connection.execute(select(LINES).where(condition)))


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Insert lines; answers the references that were new (somebody else may have been faster with the others)."""
    if not rows:
        return []
    statement = insert(LINES).values(list(rows)).on_conflict_do_nothing(index_elements=["reference"])
    return [row.reference for row in connection.execute(statement.returning(LINES.c.reference))]


def find(connection: Connection, identity: UUID) -> Row[Any] | None:
    """The line of that uuid."""
    return connection.execute(select(LINES).where(LINES.c.id == identity)).one_or_none()


def with_batch_number(connection: Connection, identity: UUID, give: Callable[[Row[Any]], str]) -> Row[Any]:
    """The line, with a batch number: one that has none is given one, once for ever. The line stays locked."""
    row = connection.execute(select(LINES).where(LINES.c.id == identity).with_for_update()).one()
    if row.batch_number is not None:
        return row
    statement = update(LINES).where(LINES.c.id == identity).values(batch_number=give(row)).returning(*LINES.c)
    return connection.execute(statement).one()


def page(connection: Connection, limit: int, after: str | None) -> list[Row[Any]]:
    """Lines by reference, with the state of their orders."""
    statement = (
        select(LINES, ORDERS.c.state.label("order_state"))
        .outerjoin(ORDERS, ORDERS.c.number == LINES.c.order_number)
        .order_by(LINES.c.reference)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(LINES.c.reference > after)
    return list(connection.execute(statement))


def made(connection: Connection, order_number: str) -> tuple[str, list[str]] | None:
    """State and work order numbers of a recorded order."""
    statement = (
        select(ORDERS.c.state, WORK_ORDERS.c.number)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.order_number == ORDERS.c.number)
        .where(ORDERS.c.number == order_number)
        .order_by(WORK_ORDERS.c.number)
    )
    rows = connection.execute(statement).all()
    return (rows[0].state, [row.number for row in rows if row.number is not None]) if rows else None


def without_order(connection: Connection, limit: int) -> list[Row[Any]]:
    """Lines of which no order was made yet, oldest first."""
    statement = (
        select(LINES)
        .outerjoin(ORDERS, ORDERS.c.number == LINES.c.order_number)
        .where(ORDERS.c.number.is_(None))
        .order_by(LINES.c.created_at, LINES.c.reference)
        .limit(limit)
    )
    return list(connection.execute(statement))
