"""Plan lines: what planning wants made."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Text, any_, cast, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONPATH, insert

from db.tables import (
    Lot,
    Material,
    NumberSeries,
    OrderFact,
    PlanLine,
    PlanLineLink,
    PlantPolicy,
    ProductionOrder,
    WorkOrder,
    core,
)
from domain.states import OrderState

LINES = core(PlanLine)
SERIES = core(NumberSeries)
ORDERS = core(ProductionOrder)
WORK_ORDERS = core(WorkOrder)
MATERIALS, POLICIES, LOTS = core(Material), core(PlantPolicy), core(Lot)
FACTS = core(OrderFact)
LINKS = core(PlanLineLink)
IS_SPLIT = exists().where(LINKS.c.parent == LINES.c.reference, LINKS.c.kind == "split")
"""SQL: the line was split, so it is its parts that are to be made."""
ORDER_PATTERN = "PO{yy}{seq:6}"
UNRELEASED = (OrderState.DRAFT, OrderState.SUBMITTED, OrderState.APPROVED)
_SEQUENCE = re.compile(r"\{seq(?::(\d{1,2}))?\}")


def _among(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """`column` is one of the values. They go as one parameter: thousands of them cost more than the search."""
    return column == any_(cast(literal(list(values), ARRAY(Text)), ARRAY(Text)))


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


def free_numbers(
    connection: Connection, pattern: str, at: datetime, count: int, given: Collection[str] = ()
) -> list[str]:
    """`count` numbers of a pattern that no plan line and no lot has, and that are not among `given`."""
    found: list[str] = []
    while len(found) < count:
        drawn = next_number(connection, pattern, at, count - len(found))
        held = {number for row in taken(connection, drawn, drawn) for number in (row.order_number, row.batch_number)}
        held |= lots(connection, drawn) | set(given)
        found += [number for number in drawn if number not in held]
    return found


def lock(connection: Connection) -> None:
    """Until the commit nobody else adds plan lines. `db.once` takes the same lock for subject `plan-lines`."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("plan-lines", 0))))


def units(connection: Connection, products: Collection[str]) -> dict[str, str]:
    """The units of those of the products that there are."""
    statement = select(MATERIALS.c.code, MATERIALS.c.unit).where(_among(MATERIALS.c.code, products))
    return {row.code: row.unit for row in connection.execute(statement)}


def lots(connection: Connection, numbers: Collection[str]) -> set[str]:
    """Those of the numbers that lots have, or that orders have given to what they make or would have made."""
    there = select(LOTS.c.number).where(_among(LOTS.c.number, numbers))
    planned = select(WORK_ORDERS.c.output_lot).where(_among(WORK_ORDERS.c.output_lot, numbers))
    return set(connection.execute(there.union(planned)).scalars())


def with_references(connection: Connection, references: Collection[str]) -> dict[str, Row[Any]]:
    """The lines of these references."""
    rows = connection.execute(select(LINES).where(_among(LINES.c.reference, references)))
    return {row.reference: row for row in rows}


def taken(connection: Connection, orders: Collection[str], batches: Collection[str]) -> list[Row[Any]]:
    """Lines that hold one of these order or batch numbers."""
    condition = or_(_among(LINES.c.order_number, orders), _among(LINES.c.batch_number, batches))
    return list(connection.execute(select(LINES).where(condition)))


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[Row[Any]]:
    """Insert lines whose references are new, behind `lock`; answers them as they were stored."""
    if not rows:
        return []
    return list(connection.execute(insert(LINES).returning(*LINES.c), list(rows)))


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


def locked(connection: Connection, identity: UUID) -> Row[Any] | None:
    """The line of that uuid, locked until the commit: its order is not asked for and it is not split meanwhile."""
    return connection.execute(select(LINES).where(LINES.c.id == identity).with_for_update()).one_or_none()


def page(
    connection: Connection, limit: int, after: str | None, inside: Sequence[ColumnElement[bool]] = ()
) -> list[Row[Any]]:
    """Lines that are `inside`, by reference, with the state of their orders."""
    statement = (
        select(LINES, ORDERS.c.state.label("order_state"))
        .outerjoin(ORDERS, ORDERS.c.number == LINES.c.order_number)
        .where(*inside)
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


def to_check(
    connection: Connection,
    limit: int,
    after: str | None = None,
    plan_id: UUID | None = None,
    order_id: UUID | None = None,
    inside: Sequence[ColumnElement[bool]] = (),
) -> list[Row[Any]]:
    """Lines whose order is not released yet, by reference, or the one of that line or order. One statement.

    `order_state` is none while there is no order; `gaps` are those that the order was made with, as JSON.
    """
    path = cast("$.events[*].specification.gaps[*]", JSONPATH)
    gaps = func.jsonb_path_query_array(FACTS.c.body, path).label("gaps")
    statement = (
        select(LINES, ORDERS.c.state.label("order_state"), gaps)
        .outerjoin(ORDERS, ORDERS.c.number == LINES.c.order_number)
        .outerjoin(FACTS, (FACTS.c.order_number == ORDERS.c.number) & (FACTS.c.revision == 1))
        .where(*inside)
        .order_by(LINES.c.reference)
        .limit(limit)
    )
    if plan_id is not None:
        statement = statement.where(LINES.c.id == plan_id)
    if order_id is not None:
        statement = statement.where(ORDERS.c.uuid == order_id)
    if plan_id is None and order_id is None:
        statement = statement.where(or_(ORDERS.c.number.is_(None), ORDERS.c.state.in_(UNRELEASED)), ~IS_SPLIT)
    if after is not None:
        statement = statement.where(LINES.c.reference > after)
    return list(connection.execute(statement))
