"""What the effectiveness of workstations is computed from: run times, machine states, pieces. Three statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Date, and_, cast, exists, func, or_, select

from db.tables import (
    EquipmentItem,
    EquipmentLogEntry,
    OperationRow,
    ProductionOrder,
    ProductionReport,
    Route,
    RouteOperation,
    StateTransition,
    WorkOrder,
    Workstation,
    core,
)
from domain.equipment import Activity
from domain.oee import Counts, Doing, Span

OPERATIONS, TRANSITIONS, REPORTS = core(OperationRow), core(StateTransition), core(ProductionReport)
WORK_ORDERS, ORDERS, STATIONS = core(WorkOrder), core(ProductionOrder), core(Workstation)
ROUTES, ROUTE_OPERATIONS = core(Route), core(RouteOperation)
ITEMS, LOG = core(EquipmentItem), core(EquipmentLogEntry)

Inside = Sequence[ColumnElement[bool]]
_OF_OPERATION: Final = {"running": Doing.PRODUCING, "paused": Doing.STOPPED, "held": Doing.STOPPED}
_OF_ACTIVITY: Final = {
    Activity.FAULT: Doing.DOWN, Activity.OUT_OF_SERVICE: Doing.MAINTENANCE, Activity.MAINTAIN: Doing.MAINTENANCE,
    Activity.CALIBRATE: Doing.MAINTENANCE, Activity.CLEAN: Doing.CLEANING,
}  # fmt: skip


@dataclass(frozen=True)
class OperationSpan:
    """What an operation did at a station, for the list behind a figure."""

    workstation: str
    order_number: str
    order_id: str
    work_order: str
    operation: str
    span: Span


def spans(
    connection: Connection, since: datetime, until: datetime, inside: Inside = (), lines: Sequence[str] | None = None
) -> list[OperationSpan]:
    """Run times and stops of every operation that was under way in the period, cut to it. One statement."""
    identity = OPERATIONS.c.work_order + "/" + OPERATIONS.c.code
    ends = func.lead(TRANSITIONS.c.at).over(partition_by=TRANSITIONS.c.entity_id, order_by=TRANSITIONS.c.id)
    statement = (
        select(
            OPERATIONS.c.workstation, OPERATIONS.c.work_order, OPERATIONS.c.code, TRANSITIONS.c.to_state,
            TRANSITIONS.c.at, ends.label("ends"), ORDERS.c.number, ORDERS.c.uuid,
        )
        .join(TRANSITIONS, and_(TRANSITIONS.c.entity == "operation", TRANSITIONS.c.entity_id == identity))
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(
            OPERATIONS.c.started_at < until,
            or_(
                OPERATIONS.c.ended_at.is_(None), OPERATIONS.c.ended_at >= since,
                OPERATIONS.c.state.in_(tuple(_OF_OPERATION)),  # one that was opened again has ended once
            ), *inside, *_at(lines),
        )
    )  # fmt: skip
    found = []
    for row in connection.execute(statement):
        doing, end = _OF_OPERATION.get(row.to_state), min(row.ends or until, until)
        start = max(row.at, since)
        if doing is not None and start < end:
            own = Span(start, end, doing)
            found.append(OperationSpan(row.workstation, row.number, str(row.uuid), row.work_order, row.code, own))
    return found


def machine_spans(connection: Connection, since: datetime, until: datetime) -> dict[str, list[Span]]:
    """What the equipment of each station did besides being used, from its log. One statement."""
    ends = func.lead(LOG.c.started_at).over(partition_by=LOG.c.equipment, order_by=LOG.c.sequence).label("ends")
    entries = (
        select(ITEMS.c.workstation, LOG.c.activity, LOG.c.started_at, ends)
        .join(ITEMS, ITEMS.c.code == LOG.c.equipment)
        .where(ITEMS.c.workstation != "", LOG.c.started_at < until)
        .subquery()
    )
    statement = select(entries).where(or_(entries.c.ends.is_(None), entries.c.ends > since))
    found: dict[str, list[Span]] = defaultdict(list)
    for row in connection.execute(statement):
        doing = _OF_ACTIVITY.get(Activity(row.activity))
        if doing is not None:
            found[row.workstation].append(Span(max(row.started_at, since), min(row.ends or until, until), doing))
    return found


def _reports(since: datetime, until: datetime, zone: str, inside: Inside, lines: Sequence[str] | None) -> Any:
    """Reports at stations, with the ideal cycle time of the route's newest version that knows one."""
    taken_back = REPORTS.alias("taken_back")
    station = func.coalesce(taken_back.c.workstation, REPORTS.c.workstation)
    newest = (
        select(ROUTE_OPERATIONS.c.ideal_cycle_seconds)
        .join(ROUTES, ROUTES.c.id == ROUTE_OPERATIONS.c.route)
        .where(
            ROUTES.c.product == WORK_ORDERS.c.material, ROUTE_OPERATIONS.c.code == REPORTS.c.operation,
            ROUTE_OPERATIONS.c.ideal_cycle_seconds.is_not(None), ROUTES.c.state != "draft",
        )
        .order_by(ROUTES.c.effective_from.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip
    statement = (
        select(
            station.label("workstation"), cast(func.timezone(zone, REPORTS.c.reported_at), Date).label("day"),
            REPORTS.c.good, (REPORTS.c.good + REPORTS.c.scrap + REPORTS.c.review_board).label("produced"),
            newest.label("ideal"), REPORTS.c.reported_at.label("at"), REPORTS.c.number.label("reference"),
            REPORTS.c.operation, REPORTS.c.scrap, REPORTS.c.review_board.label("review"), REPORTS.c.unit,
            REPORTS.c.operator.label("person"), ORDERS.c.number.label("order_number"),
            ORDERS.c.uuid.label("order_id"), WORK_ORDERS.c.material.label("product"),
        )
        .select_from(
            REPORTS.join(WORK_ORDERS, WORK_ORDERS.c.number == REPORTS.c.work_order)
            .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
            .outerjoin(taken_back, taken_back.c.number == REPORTS.c.reverses)
        )
        .where(REPORTS.c.reported_at >= since, REPORTS.c.reported_at < until, ~REPORTS.c.is_rework, *inside)
    )  # fmt: skip
    if lines is not None:
        statement = statement.where(station.in_(select(STATIONS.c.code).where(STATIONS.c.line.in_(lines))))
    return statement.subquery("reports")


def report_rows(
    connection: Connection, since: datetime, until: datetime, zone: str, inside: Inside, lines: Sequence[str] | None,
    station: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    """The reports behind the pieces of a station, or of all, newest first."""
    rows = _reports(since, until, zone, inside, lines)
    statement = select(rows).order_by(rows.c.at.desc(), rows.c.reference)
    if station:
        statement = statement.where(rows.c.workstation == station)
    return [dict(row._mapping) for row in connection.execute(statement)]


def counts(
    connection: Connection, since: datetime, until: datetime, zone: str, inside: Inside = (),
    lines: Sequence[str] | None = None,
) -> dict[tuple[str, Any], Counts]:  # fmt: skip
    """Pieces of each station and day, with what they should have taken. One statement."""
    rows = _reports(since, until, zone, inside, lines)
    untimed = func.coalesce(func.sum(rows.c.produced).filter(rows.c.ideal.is_(None)), 0)
    statement = select(
        rows.c.workstation, rows.c.day, func.sum(rows.c.produced).label("produced"),
        func.sum(rows.c.good).label("good"),
        func.coalesce(func.sum(rows.c.ideal * rows.c.produced), 0).label("planned_run"),
        func.coalesce(func.sum(rows.c.ideal * rows.c.good), 0).label("planned_good"), untimed.label("untimed"),
    ).group_by(rows.c.workstation, rows.c.day)  # fmt: skip
    return {
        (row.workstation, row.day): Counts(
            produced=row.produced, good=row.good, planned_run=row.planned_run, planned_good=row.planned_good,
            untimed=row.untimed,
        )
        for row in connection.execute(statement)
    }  # fmt: skip


def stations(connection: Connection, lines: Sequence[str] | None = None) -> dict[str, str]:
    """Active stations: code → name."""
    statement = select(STATIONS.c.code, STATIONS.c.name).where(STATIONS.c.is_active).order_by(STATIONS.c.code)
    if lines is not None:
        statement = statement.where(STATIONS.c.line.in_(lines))
    return {row.code: row.name for row in connection.execute(statement)}


def _at(lines: Sequence[str] | None) -> list[ColumnElement[bool]]:
    if lines is None:
        return []
    return [exists().where(STATIONS.c.code == OPERATIONS.c.workstation, STATIONS.c.line.in_(lines))]


def by_station(found: Iterable[OperationSpan]) -> dict[str, list[Span]]:
    """The spans of each station."""
    own: dict[str, list[Span]] = defaultdict(list)
    for one in found:
        own[one.workstation].append(one.span)
    return own
