"""The lots that a question is about: by batch, operation, material, person, workstation, shift, parameter and time.

A lot is a seed when **one event** of it satisfies all filters at once. Events are rows of the record:

| row | lot | person | workstation | when |
|---|---|---|---|---|
| operation | the batch made | who started it | its own | start to end; now, if it runs |
| production report | the batch made | operator, worker | the report's | the reported work, else when reported |
| parameter value | the batch made | who recorded it, who started the operation | the operation's | recorded |
| equipment run | its batch | nobody | the machine's | start to end; now, if it runs |
| stock move | the lot moved | who moved it | none | moved |
| lot link | the batch made; the lot consumed | who started the operation | the operation's | linked |

That a lot was consumed is an event of that lot only in a question that names its batch or its material: otherwise
every question about a workstation would lead through the raw lots into batches that were never near it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    union_all,
)

from db.queries.trace import LINKS, LOTS, MOVES, WORK_ORDERS
from db.tables import (
    EquipmentRun,
    Material,
    OperationParameter,
    OperationRow,
    ParameterValue,
    ProductionReport,
    RouteOperation,
    UserAccount,
    Workstation,
    core,
)

OPERATIONS, REPORTS, PARAMETERS, RUNS = (
    core(OperationRow), core(ProductionReport), core(ParameterValue), core(EquipmentRun)
)  # fmt: skip
MATERIALS, STATIONS, USERS = core(Material), core(Workstation), core(UserAccount)
ROUTE_OPERATIONS, ROUTE_PARAMETERS = core(RouteOperation), core(OperationParameter)
DAY: Final = 86_400
Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Shift:
    """A part of every day by the clock of `zone` (IANA name): `start` included, `end` not; it may pass midnight."""

    start: time
    end: time
    zone: str

    @property
    def seconds(self) -> tuple[int, int]:
        """The start as seconds of the day, and how long the shift is."""
        start, end = (moment.hour * 3600 + moment.minute * 60 + moment.second for moment in (self.start, self.end))
        return start, (end - start) % DAY


@dataclass(frozen=True)
class Filters:
    """What the seeds have to satisfy; none is no condition. `start` is included, `end` not; `low` and `high` are."""

    batch: str | None = None
    operation: str | None = None
    material: str | None = None
    person: str | None = None
    workstation: str | None = None
    parameter: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    shift: Shift | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def names_lots(self) -> bool:
        """Whether the question says itself which lots may be seeds."""
        return self.batch is not None or self.material is not None

    @property
    def asks_for_events(self) -> bool:
        """Whether anything beside batch and material is asked for."""
        asked = (self.operation, self.person, self.workstation, self.parameter, self.shift, self.start, self.end)
        return any(value is not None for value in asked)


@dataclass(frozen=True)
class _Source:
    """One kind of event. A kind without an operation, a workstation or persons cannot satisfy a filter on it."""

    rows: FromClause
    start: ColumnElement[Any]
    end: ColumnElement[Any]
    operation: ColumnElement[Any] | None = None
    workstation: ColumnElement[Any] | None = None
    persons: tuple[ColumnElement[Any], ...] = ()
    condition: Condition | None = None


def known(connection: Connection, filters: Filters) -> dict[str, bool]:
    """Which of the names that the filters ask for stand in the record, by one statement."""
    f = filters
    asked: dict[str, tuple[str | None, tuple[ColumnElement[Any], ...]]] = {
        "batch": (f.batch, (LOTS.c.number,)),
        "material": (f.material, (MATERIALS.c.code,)),
        "operation": (f.operation, (ROUTE_OPERATIONS.c.code, OPERATIONS.c.code)),
        "person": (f.person, (USERS.c.id, REPORTS.c.worker, REPORTS.c.operator, MOVES.c.actor)),
        "equipment": (f.workstation, (STATIONS.c.code,)),
        "parameter": (f.parameter, (ROUTE_PARAMETERS.c.name, PARAMETERS.c.name)),
    }  # fmt: skip
    columns = [
        or_(*(exists().where(place == value) for place in places)).label(name)
        for name, (value, places) in asked.items()
        if value is not None
    ]
    if not columns:
        return {}
    return dict(connection.execute(select(*columns)).one()._mapping)


def material_code(connection: Connection, material: str) -> str:
    """The code of a material that is named by its uuid; any other name is a code already."""
    try:
        identity = UUID(material)
    except ValueError:
        return material
    found = connection.execute(select(MATERIALS.c.code).where(MATERIALS.c.uuid == identity)).scalar_one_or_none()
    return found or material


def seeds(connection: Connection, filters: Filters, limit: int) -> list[str]:
    """The lots that satisfy the filters, sorted, at most `limit`: one statement, whatever the filters are."""
    return sorted(connection.execute(statement(filters, limit)).scalars())


def statement(filters: Filters, limit: int) -> Select[Any]:
    """The one statement that finds the seeds."""
    if not filters.asks_for_events:
        found: Any = select(LOTS.c.number).where(*_of_lot(filters))
    else:
        found = union_all(*_events(filters))
    lots = found.subquery("seed")
    return select(lots.c.number).distinct().order_by(lots.c.number).limit(limit)


def _of_lot(filters: Filters) -> list[Condition]:
    return [
        column == value
        for column, value in ((LOTS.c.number, filters.batch), (LOTS.c.material, filters.material))
        if value is not None
    ]


def _events(filters: Filters) -> list[Select[Any]]:
    found = [
        select(LOTS.c.number).select_from(source.rows).where(*_of_lot(filters), *conditions)
        for source in _sources(filters)
        for conditions in _conditions(source, filters)
    ]
    # A person's events have no workstation when they are moves: every kind may be out of the question.
    return found or [select(LOTS.c.number).where(literal(False))]


def _sources(filters: Filters) -> Iterator[_Source]:
    """The kinds of events; only values of a parameter can be asked for by the parameter."""
    if filters.parameter is not None:
        yield _parameters(filters)
        return
    op, report, run, link = OPERATIONS.c, REPORTS.c, RUNS.c, LINKS.c
    yield _Source(
        _made_by(OPERATIONS), op.started_at, func.coalesce(op.ended_at, func.greatest(op.started_at, func.now())),
        op.code, op.workstation, (op.started_by,), op.started_at.is_not(None),
    )  # fmt: skip
    ended = func.coalesce(report.ended_at, report.reported_at)
    started = func.least(func.coalesce(report.started_at, ended), ended)
    yield _Source(
        _made_by(REPORTS), started, ended, report.operation, report.workstation, (report.operator, report.worker)
    )
    yield _parameters(filters)
    yield _Source(
        RUNS.join(LOTS, LOTS.c.number == run.batch), run.started_at,
        func.coalesce(run.ended_at, func.greatest(run.started_at, func.now())), run.operation, run.workstation,
    )  # fmt: skip
    consumed = None if filters.names_lots else MOVES.c.to_place != "PROCESS"
    yield _Source(
        MOVES.join(LOTS, LOTS.c.number == MOVES.c.lot), MOVES.c.moved_at, MOVES.c.moved_at, persons=(MOVES.c.actor,),
        condition=consumed,
    )  # fmt: skip
    for lot in (link.output_lot, link.input_lot)[: 1 + filters.names_lots]:
        rows = _with_operation(LINKS.join(LOTS, LOTS.c.number == lot), LINKS)
        yield _Source(rows, link.linked_at, link.linked_at, link.operation, op.workstation, (op.started_by,))


def _parameters(filters: Filters) -> _Source:
    value = PARAMETERS.c
    limits = [] if filters.parameter is None else [value.name == filters.parameter]
    if filters.low is not None:
        limits.append(value.value >= filters.low)
    if filters.high is not None:
        limits.append(value.value <= filters.high)
    persons = (value.recorded_by, OPERATIONS.c.started_by)
    rows = _with_operation(_made_by(PARAMETERS), PARAMETERS)
    return _Source(
        rows, value.recorded_at, value.recorded_at, value.operation, OPERATIONS.c.workstation, persons,
        and_(*limits) if limits else None,
    )  # fmt: skip


def _made_by(table: Any) -> Any:
    """The rows of a table with a work order, joined with the lot that the work order makes."""
    return table.join(WORK_ORDERS, WORK_ORDERS.c.number == table.c.work_order).join(
        LOTS, LOTS.c.number == WORK_ORDERS.c.output_lot
    )


def _with_operation(rows: Any, table: Any) -> Any:
    own = (OPERATIONS.c.work_order == table.c.work_order) & (OPERATIONS.c.code == table.c.operation)
    return rows.outerjoin(OPERATIONS, own)


def _conditions(source: _Source, filters: Filters) -> Iterator[list[Condition]]:
    """The conditions on one kind of event; one list for each way in which it names a person: each goes by an index."""
    common = [] if source.condition is None else [source.condition]
    for column, value in ((source.operation, filters.operation), (source.workstation, filters.workstation)):
        if value is None:
            continue
        if column is None:
            return
        common.append(column == value)
    common += _in_time(source, filters)
    if filters.person is None:
        yield common
    else:
        yield from ([*common, column == filters.person] for column in source.persons)


def _in_time(source: _Source, filters: Filters) -> list[Condition]:
    """The event, a moment or a time from start to end, overlaps with the window, and there with the shift."""
    found: list[Condition] = []
    if filters.start is not None:
        # What ends at the very moment at which the window opens was before it; a moment is not.
        ends = source.start >= filters.start
        found.append(ends if source.end is source.start else or_(source.end > filters.start, ends))
    if filters.end is not None:
        found.append(source.start < filters.end)
    if filters.shift is not None:
        found.append(_in_shift(source, filters, filters.shift))
    return found


def _in_shift(source: _Source, filters: Filters, shift: Shift) -> Condition:
    """Into the shift at its start, or long enough to reach the next one."""
    opening, length = shift.seconds
    start = source.start if filters.start is None else func.greatest(source.start, filters.start)
    end = source.end if filters.end is None else func.least(source.end, filters.end)
    local = func.timezone(shift.zone, start)
    seconds = extract("hour", local) * 3600 + extract("minute", local) * 60 + extract("second", local)
    since_opening = func.mod(seconds - opening + DAY, DAY)
    inside = since_opening < length
    if source.end is source.start:
        return inside
    return or_(inside, extract("epoch", func.timezone(shift.zone, end) - local) > DAY - since_opening)
