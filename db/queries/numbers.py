"""Lot numbers: the series they are counted in, and the record of those that were given."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Integer, Row, Text, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

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
    largest: int | None = None,
    of: dict[str, Any] = FREE,
) -> str:
    """The next number of a series that no lot, work order or plan line has and that was never given before.

    It is on record when the transaction commits; until then the series is locked. Raises `SeriesExhausted`.
    """
    while True:
        count = counted(connection, series, 1)
        if largest is not None and count > largest:
            raise SeriesExhausted
        number = make(count)
        columns: dict[str, ColumnElement[Any]] = {
            "number": literal(number, Text()), "given_by": literal(by, Text()), "given_at": literal(at),
            "plant": literal(of["plant"], Text()), "kind": literal(of["kind"], Text()),
            "version": literal(of["version"], Integer()),
        }  # fmt: skip
        is_used = or_(
            exists().where(LOTS.c.number == number),
            exists().where(WORK_ORDERS.c.output_lot == number),
            exists().where(LINES.c.batch_number == number),
        )
        statement = insert(GIVEN).from_select(list(columns), select(*columns.values()).where(~is_used))
        statement = statement.on_conflict_do_nothing()
        if connection.execute(statement.returning(GIVEN.c.number)).one_or_none() is not None:
            return number


def patterns(connection: Connection, plants: Collection[str] | None = None) -> Sequence[Row[Any]]:
    """The patterns of these plants, or of all; of each plant and kind the newest version first."""
    statement = select(PATTERNS).order_by(PATTERNS.c.plant, PATTERNS.c.kind, PATTERNS.c.version.desc())
    if plants is not None:
        statement = statement.where(PATTERNS.c.plant.in_(plants))
    return connection.execute(statement).all()


def newest_pattern(connection: Connection, plant: str, kind: str) -> Row[Any] | None:
    """The pattern that counts for new numbers."""
    statement = select(PATTERNS).where(PATTERNS.c.plant == plant, PATTERNS.c.kind == kind)
    return connection.execute(statement.order_by(PATTERNS.c.version.desc()).limit(1)).one_or_none()


def given(connection: Connection, number: str) -> Row[Any] | None:
    """Who gave a number, when, by which pattern."""
    return connection.execute(select(GIVEN).where(GIVEN.c.number == number)).one_or_none()
