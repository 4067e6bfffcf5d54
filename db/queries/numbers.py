"""Lot numbers: the series they are counted in, and the record of those that were given."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Integer, Row, Text, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.queries.plan_lines import LINES, WORK_ORDERS, counted
from db.tables import GivenNumber, Lot, NumberPattern, core

LOTS, GIVEN, PATTERNS = core(Lot), core(GivenNumber), core(NumberPattern)
FREE: Final[dict[str, Any]] = {"plant": None, "kind": None, "version": None}
"""A number that no plant's pattern made."""


class SeriesExhausted(Exception):
    """The running number has no more digits."""


def give(
    connection: Connection,
    series: str,
    make: Callable[[int], str],
    by: str,
    at: datetime,
    *,
    count: int = 1,
    largest: int | None = None,
    of: dict[str, Any] = FREE,
) -> list[str]:
    """The next numbers of a series that no lot, work order or plan line has and that were never given before.

    They are on record when the transaction commits; until then the series is locked. Two statements, and two more only
    when somebody took a number by hand. Raises `SeriesExhausted`.
    """
    found: list[str] = []
    while missing := count - len(found):
        last = counted(connection, series, missing)
        if largest is not None and last > largest:
            raise SeriesExhausted
        found += _recorded(connection, [make(number) for number in range(last - missing + 1, last + 1)], by, at, of)
    return found


def _recorded(
    connection: Connection, candidates: Sequence[str], by: str, at: datetime, of: dict[str, Any]
) -> list[str]:
    """Those of the numbers that were free, and are given now."""
    wanted = select(func.unnest(literal(list(candidates), ARRAY(Text()))).label("number")).subquery()
    columns: dict[str, ColumnElement[Any]] = {
        "number": wanted.c.number, "given_by": literal(by, Text()), "given_at": literal(at),
        "plant": literal(of["plant"], Text()), "kind": literal(of["kind"], Text()),
        "version": literal(of["version"], Integer()),
    }  # fmt: skip
    is_used = or_(
        exists().where(LOTS.c.number == wanted.c.number),
        exists().where(WORK_ORDERS.c.output_lot == wanted.c.number),
        exists().where(LINES.c.batch_number == wanted.c.number),
    )
    statement = insert(GIVEN).from_select(list(columns), select(*columns.values()).where(~is_used))
    given_now = set(connection.execute(statement.on_conflict_do_nothing().returning(GIVEN.c.number)).scalars())
    return [number for number in candidates if number in given_now]


def patterns(
    connection: Connection, plants: Collection[str] | None = None, kind: str | None = None
) -> Sequence[Row[Any]]:
    """The patterns of these plants, or of all (of one kind, if it is named); of each the newest version first."""
    statement = select(PATTERNS).order_by(PATTERNS.c.plant, PATTERNS.c.kind, PATTERNS.c.version.desc())
    if plants is not None:
        statement = statement.where(PATTERNS.c.plant.in_(plants))
    if kind is not None:
        statement = statement.where(PATTERNS.c.kind == kind)
    return connection.execute(statement).all()


def newest_pattern(connection: Connection, plant: str, kind: str) -> Row[Any] | None:
    """The pattern that counts for new numbers."""
    statement = select(PATTERNS).where(PATTERNS.c.plant == plant, PATTERNS.c.kind == kind)
    return connection.execute(statement.order_by(PATTERNS.c.version.desc()).limit(1)).one_or_none()


def planned_as(connection: Connection, number: str) -> str | None:
    """What a number is kept for that no lot has yet: the batch of a plan line or a work order, cancelled or not."""
    is_lot = exists().where(LOTS.c.number == number)
    line = select(literal("plan line ") + LINES.c.reference).where(LINES.c.batch_number == number, ~is_lot)
    made = select(literal("work order ") + WORK_ORDERS.c.number).where(WORK_ORDERS.c.output_lot == number, ~is_lot)
    return connection.execute(line.union_all(made).limit(1)).scalar_one_or_none()


def given(connection: Connection, number: str) -> Row[Any] | None:
    """Who gave a number, when, by which pattern."""
    return connection.execute(select(GIVEN).where(GIVEN.c.number == number)).one_or_none()


def given_counts(connection: Connection) -> dict[tuple[str, str, int], int]:
    """(plant, kind, version) → how many numbers that pattern gave."""
    of = (GIVEN.c.plant, GIVEN.c.kind, GIVEN.c.version)
    statement = select(*of, func.count().label("given")).where(GIVEN.c.plant.is_not(None)).group_by(*of)
    return {(row.plant, row.kind, row.version): row.given for row in connection.execute(statement)}
