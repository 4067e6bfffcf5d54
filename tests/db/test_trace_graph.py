"""The seeds of a graph question against brute force over the same rows, and the indexes that it goes by."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text

from db.queries.trace_graph import Filters, Shift, seeds, statement
from db.tables import Material, core
from domain.base import uuid_for
from tests.db.database import Database, unique
from tests.genealogy import History, day

LOTS, CODES, STATIONS, PEOPLE, NAMES = (0, 1, 2), ("MIX", "CUT"), ("S1", "S2"), ("ann", "bob", "cy"), ("w", "h")
MATERIAL = {0: "MA", 1: "MB", 2: "MB"}


class Event(NamedTuple):
    """A row: its kind, the lot of the work order, operation, station, person, and times in hours."""

    kind: str
    lot: int
    code: str
    station: str
    person: str
    other: str | None
    start: int
    length: int
    name: str
    value: int


EVENTS = st.lists(
    st.builds(
        Event, st.sampled_from(("report", "value", "run", "received")), st.sampled_from(LOTS), st.sampled_from(CODES),
        st.sampled_from(STATIONS), st.sampled_from(PEOPLE), st.none() | st.sampled_from(PEOPLE), st.integers(0, 71),
        st.integers(0, 30), st.sampled_from(NAMES), st.integers(0, 9),
    ),
    max_size=6,
)  # fmt: skip
OPERATIONS = st.dictionaries(
    st.tuples(st.sampled_from(LOTS), st.sampled_from(CODES)),
    st.tuples(st.sampled_from(STATIONS), st.sampled_from(PEOPLE), st.integers(0, 71), st.integers(0, 30)),
    max_size=4,
)
LINKS = st.lists(st.tuples(st.sampled_from(LOTS), st.sampled_from(LOTS), st.sampled_from(CODES), st.integers(0, 71)),
                 max_size=3)  # fmt: skip
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: every example plants some fifty rows, and the filters that failed are shown anyway."""
ZONES = ("UTC", "Asia/Shanghai", "America/St_Johns")


@st.composite
def questions(draw: st.DrawFn) -> Filters:
    """Any combination of filters that asks for at least one thing."""
    hour = st.integers(0, 72)
    opening, closing = draw(st.integers(0, 47)), draw(st.integers(1, 47))
    times = [time((half % 48) // 2, half % 2 * 30) for half in (opening, opening + closing)]
    some = st.booleans()
    first = draw(hour)
    parameter = draw(st.none() | st.sampled_from(NAMES))
    return Filters(
        operation=draw(st.none() | st.sampled_from(CODES)),
        person=draw(st.none() | st.sampled_from(PEOPLE)),
        workstation=draw(st.none() | st.sampled_from(STATIONS)),
        parameter=parameter,
        low=Decimal(draw(st.integers(0, 9))) if parameter and draw(some) else None,
        high=Decimal(draw(st.integers(0, 9))) if parameter and draw(some) else None,
        shift=Shift(times[0], times[1], draw(st.sampled_from(ZONES))) if draw(some) else None,
        start=day(first / 24) if draw(some) else None,
        end=day((first + draw(st.integers(1, 40))) / 24) if draw(some) else None,
        batch=draw(st.none() | st.sampled_from(("L0", "L1"))),
        material=draw(st.none() | st.sampled_from(("MA", "MB"))),
    )


class Row(NamedTuple):
    """What brute force knows of one event of one lot."""

    lot: int
    code: str | None
    station: str | None
    persons: frozenset[str | None]
    start: datetime
    end: datetime
    name: str | None = None
    value: int | None = None
    consumed: bool = False


def hours(number: float) -> datetime:
    return day(number / 24)


def rows_of(events: Sequence[Event], operations: dict[Any, Any], links: Sequence[Any]) -> list[Row]:
    """The events as the page of the module tells them."""
    found = []
    for (lot, code), (station, person, start, length) in operations.items():
        found.append(Row(lot, code, station, frozenset({person}), hours(start), hours(start + length)))
    for event in events:
        station, starter = operations.get((event.lot, event.code), (None, None))[:2]
        start, end = hours(event.start), hours(event.start + event.length)
        match event.kind:
            case "report":
                persons = frozenset({event.person, event.other})
                found.append(Row(event.lot, event.code, event.station, persons, start, end))
            case "value":
                persons = frozenset({event.person, starter})
                found.append(Row(event.lot, event.code, station, persons, start, start, event.name, event.value))
            case "run":
                found.append(Row(event.lot, event.code, event.station, frozenset(), start, end))
            case _:
                found.append(Row(event.lot, None, None, frozenset({event.person}), start, start))
    for source, target, code, at in links:
        station, starter = operations.get((target, code), (None, None))[:2]
        for lot, consumed in ((source, True), (target, False)):
            persons = frozenset({starter})
            found.append(Row(lot, code, station, persons, hours(at), hours(at), consumed=consumed))
    return found


def in_shift(row: Row, start: datetime, end: datetime, shift: Shift) -> bool:
    """Minute by minute: whether any moment of the event, at least its first one, lies in the shift."""
    zone, moment = ZoneInfo(shift.zone), start
    while moment == start or moment < end:
        clock = moment.astimezone(zone).time()
        inside = shift.start <= clock < shift.end
        if shift.end < shift.start:
            inside = clock >= shift.start or clock < shift.end
        if inside:
            return True
        moment += timedelta(minutes=30)  # all times of this test are on half hours
    return False


def satisfies(row: Row, f: Filters) -> bool:
    """Whether one event satisfies all filters."""
    if row.consumed and f.batch is None and f.material is None:
        return False
    if f.batch not in (None, f"L{row.lot}") or f.material not in (None, MATERIAL[row.lot]):
        return False
    if f.operation not in (None, row.code) or f.workstation not in (None, row.station):
        return False
    if f.person is not None and f.person not in row.persons:
        return False
    if f.parameter is not None:
        if row.name != f.parameter or row.value is None:
            return False
        if not (f.low is None or row.value >= f.low) or not (f.high is None or row.value <= f.high):
            return False
    if f.start is not None and not (row.start >= f.start or row.end > f.start):
        return False
    if f.end is not None and row.start >= f.end:
        return False
    if f.shift is None:
        return True
    start = row.start if f.start is None else max(row.start, f.start)
    return in_shift(row, start, row.end if f.end is None else min(row.end, f.end), f.shift)


def plant(connection: Connection, prefix: str, events: Sequence[Event], operations: Any, links: Any) -> None:
    """The lots with work orders, then all rows."""
    history = History(connection, prefix)
    for code in ("MA", "MB"):
        history.material(code)
    history.open_order("MA")
    for lot in LOTS:
        # Outside the hours that are asked for, by nobody of the people, without any event of its own but two moves.
        history.make(f"L{lot}", MATERIAL[lot], 1000, 900)
    for (lot, code), (station, person, start, length) in operations.items():
        history.operation(f"L{lot}", code, station, person, start / 24, (start + length) / 24)
    for e in events:
        made, opened, closed = f"L{e.lot}", e.start / 24, (e.start + e.length) / 24
        match e.kind:
            case "report":
                times = {"started": opened, "ended": closed, "reported": closed}
                history.report(made, e.code, e.station, (e.person, e.other), **times)
            case "value":
                history.value(made, e.code, e.name, str(e.value), e.person, opened)
            case "run":
                history.run(made, e.code, e.station, opened, closed)
            case _:
                history.move(made, "SUPPLIER", "RECEIVING", 1, "receipt", None, opened, e.person)
    for source, target, code, at in links:
        history.link(f"L{source}", f"L{target}", 1, f"L{target}", code, at / 24)
    history.flush()


@pytest.mark.accepts("C1", "TR-07")
@settings(max_examples=25, deadline=None, phases=QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, operations=OPERATIONS, links=LINKS, questions=st.lists(questions(), min_size=20, max_size=20))
def test_seeds_are_what_brute_force_finds(
    database: Database, events: list[Event], operations: Any, links: Any, questions: list[Filters]
) -> None:
    prefix = unique("G")
    with database.app.connect() as connection, connection.begin() as transaction:
        plant(connection, prefix, events, operations, links)
        rows = rows_of(events, operations, links)
        # What `make` moved, long after: by nobody who is asked for.
        rows += [Row(lot, None, None, frozenset({"olu"}), day(900), day(900)) for lot in LOTS]
        for f in questions:
            asked = replace(f, batch=f.batch and prefix + f.batch, material=f.material and prefix + f.material)
            found = [lot.removeprefix(prefix) for lot in seeds(connection, asked, 10_000) if lot.startswith(prefix)]
            if f.asks_for_events:
                expected = {f"L{row.lot}" for row in rows if satisfies(row, f)}
            else:
                expected = {
                    f"L{lot}"
                    for lot in LOTS
                    if f.batch in (None, f"L{lot}") and f.material in (None, MATERIAL[lot]) and f.names_lots
                }
                found = found if f.names_lots else []
            assert found == sorted(expected), f
        transaction.rollback()


PLANTED = """
SET LOCAL statement_timeout = 0;
INSERT INTO production_order (number, uuid, plan_line, plant, product, quantity, unit, policy, state, created_by,
    created_at, revision)
    VALUES (:p, gen_random_uuid(), :p, 'P', :m, 1, 'kg', 'plain', 'closed', 'x', now(), 1);
INSERT INTO lot (number, material, unit, status, origin, created_at)
    SELECT :p || i, :m, 'kg', 'released', 'produced', now() FROM generate_series(0, 17000) AS i;
-- The checks of the foreign keys below were planned when there were hardly any lots.
ANALYZE lot;
INSERT INTO work_order (number, uuid, order_number, material, quantity, unit, state, output_lot)
    SELECT :p || 'W' || i, gen_random_uuid(), :p, :m, 1, 'kg', 'closed', :p || i FROM generate_series(0, 16999) AS i;
INSERT INTO operation (work_order, code, sequence, name, workstation, state, good, scrap, review_board, started_by,
    started_at, ended_at)
    SELECT :p || 'W' || i, 'C' || i % 40, 1, 'n', :p || 'S' || i % 50, 'closed', 0, 0, 0, :p || 'u' || i % 200,
        TIMESTAMPTZ '2026-01-01Z' + i * interval '10 min', TIMESTAMPTZ '2026-01-01Z' + (i + 1) * interval '10 min'
    FROM generate_series(0, 16999) AS i;
INSERT INTO production_report (number, work_order, operation, good, scrap, review_board, unit, is_rework, report_type,
    source, workstation, worker, operator, over_by, reported_at)
    SELECT :p || i, :p || 'W' || i, 'C' || i % 40, 1, 0, 0, 'kg', false, 'normal', 'manual', :p || 'S' || i % 50,
        :p || 'w' || i % 200, :p || 'u' || i % 200, 0, TIMESTAMPTZ '2026-01-01Z' + i * interval '10 min'
    FROM generate_series(0, 16999) AS i;
INSERT INTO parameter_value (work_order, operation, name, text, value, unit, within_limits, recorded_by, recorded_at)
    SELECT :p || 'W' || i, 'C' || i % 40, :p || 'v' || i % 3, '1', i, '', true, :p || 'u' || i % 200,
        TIMESTAMPTZ '2026-01-01Z' + i * interval '10 min'
    FROM generate_series(0, 16999) AS i;
INSERT INTO stock_move (key, lot, from_place, to_place, quantity, unit, kind, actor, moved_at)
    SELECT :p || i, :p || i / 3, 'RAW', 'LINE', 1, 'kg', 'issue', :p || 'u' || i % 200,
        TIMESTAMPTZ '2026-01-01Z' + i * interval '3 min'
    FROM generate_series(0, 49999) AS i;
INSERT INTO lot_link (key, input_lot, output_lot, quantity, unit, work_order, operation, linked_at)
    SELECT :p || i, :p || i / 12, :p || (i / 3 + 1), 1, 'kg', :p || 'W' || (i / 3 + 1), 'C' || (i / 3 + 1) % 40,
        TIMESTAMPTZ '2026-01-01Z' + i * interval '3 min'
    FROM generate_series(0, 49999) AS i;
ANALYZE lot, work_order, operation, production_report, parameter_value, stock_move, lot_link
"""
WINDOW = {"start": datetime.fromisoformat("2026-02-01T00:00Z"), "end": datetime.fromisoformat("2026-02-01T02:00Z")}
QUESTIONS: list[tuple[dict[str, Any], set[str]]] = [
    ({"person": "{p}u7"}, {
        "ix_operation_started_by", "ix_production_report_operator", "ix_production_report_worker",
        "ix_stock_move_actor", "ix_lot_link_work_order"}),
    ({"workstation": "{p}S3"}, {
        "ix_operation_workstation", "ix_production_report_workstation"}),
    ({"operation": "C7"}, {"ix_operation_code"}),
    ({"parameter": "{p}v1", "low": Decimal(900), "high": Decimal(990)}, {"ix_parameter_value_name"}),
    (WINDOW, {"ix_stock_move_moved_at", "ix_lot_link_linked_at"}),
]  # fmt: skip


@pytest.mark.accepts("C1")
def test_the_seeds_are_found_by_index(database: Database) -> None:
    prefix = unique("X")
    with database.owner.connect() as connection, connection.begin() as transaction:
        names = {"p": prefix, "m": prefix}
        material = {"code": prefix, "uuid": uuid_for("material", prefix), "name": "M", "kind": "raw", "unit": "kg"}
        connection.execute(insert(core(Material)).values(material))
        for part in PLANTED.split(";"):
            connection.execute(text(part), {name: names[name] for name in names if f":{name}" in part})
        unused: dict[str, set[str]] = {}
        for question, indexes in QUESTIONS:
            named: dict[str, Any] = {
                name: value.format(p=prefix) if isinstance(value, str) else value for name, value in question.items()
            }
            filters = Filters(**named)
            compiled = statement(filters, 1000).compile(dialect=connection.dialect)
            plan = "\n".join(
                connection.exec_driver_sql(f"EXPLAIN {compiled}", dict(compiled.params)).scalars().all()
            )  # fmt: skip
            unused[str(question)] = {index for index in indexes if index not in plan}
            assert seeds(connection, filters, 1000)
        transaction.rollback()
    assert unused == {str(question): set() for question, _ in QUESTIONS}
