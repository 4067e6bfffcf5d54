"""What each workstation made in each shift, good and bad: pieces as they were reported, or operations of batches.

A piece is bad that was scrapped, or sent to the review board; a counter-report takes back where and when the report
was. An operation of a batch is bad when a deviation was opened at it. What was made counts when it was made: at the end
of its report, or at the start of its operation. Each function makes one statement.
"""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, Subquery, Time, case, cast, exists, func, literal, select

from db.tables import Deviation, OperationRow, ProductionOrder, ProductionReport, WorkOrder, Workstation, core

REPORTS, WORK_ORDERS, ORDERS = core(ProductionReport), core(WorkOrder), core(ProductionOrder)
OPERATIONS, DEVIATIONS, STATIONS = core(OperationRow), core(Deviation), core(Workstation)

Of = Literal["pieces", "batches"]
Inside = Sequence[ColumnElement[bool]]
Document = dict[str, Any]


def made(
    of: Of, since: datetime, until: datetime, zone: str, begins: Sequence[time], inside: Inside,
    lines: Sequence[str] | None, product: str | None,
) -> Subquery:  # fmt: skip
    """One row for each report or operation: `at`, `workstation`, `shift` (its number), `bad`, `good`."""
    statement = _pieces(zone, begins) if of == "pieces" else _batches(zone, begins)
    rows = statement.subquery("made")
    wanted = select(rows).join(ORDERS, ORDERS.c.number == rows.c.order_number)
    wanted = wanted.where(rows.c.at >= since, rows.c.at < until, *inside)
    if product:
        wanted = wanted.where(rows.c.product == product)
    if lines is not None:
        wanted = wanted.where(rows.c.workstation.in_(select(STATIONS.c.code).where(STATIONS.c.line.in_(lines))))
    return wanted.subquery("wanted")


def _shift(at: Any, zone: str, begins: Sequence[time]) -> Any:
    """The number of the shift: the last that has begun by the clock on the wall; before the first one, the last."""
    clock = cast(func.timezone(zone, at), Time)
    last = len(begins) - 1
    after = [(clock >= begin, literal(number)) for number, begin in reversed(list(enumerate(begins)))]
    return case(*after, else_=literal(last)).label("shift")


def _pieces(zone: str, begins: Sequence[time]) -> Select[Any]:
    first = REPORTS.alias("taken_back")
    at = func.coalesce(first.c.ended_at, first.c.reported_at, REPORTS.c.ended_at, REPORTS.c.reported_at)
    return (
        select(
            at.label("at"), func.coalesce(first.c.workstation, REPORTS.c.workstation).label("workstation"),
            _shift(at, zone, begins), (REPORTS.c.scrap + REPORTS.c.review_board).label("bad"), REPORTS.c.good,
            REPORTS.c.unit, REPORTS.c.operation, REPORTS.c.number.label("reference"),
            func.coalesce(first.c.scrap_reason, REPORTS.c.scrap_reason, "").label("reason"),
            REPORTS.c.operator.label("person"), WORK_ORDERS.c.material.label("product"),
            WORK_ORDERS.c.output_lot.label("lot"), ORDERS.c.number.label("order_number"),
            ORDERS.c.uuid.label("order_id"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == REPORTS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(first, first.c.number == REPORTS.c.reverses)
        .where(~REPORTS.c.is_rework)
    )  # fmt: skip


def _batches(zone: str, begins: Sequence[time]) -> Select[Any]:
    at = OPERATIONS.c.started_at
    own = (DEVIATIONS.c.work_order == OPERATIONS.c.work_order, DEVIATIONS.c.operation == OPERATIONS.c.code)
    is_bad = exists().where(*own)
    why = select(func.min(DEVIATIONS.c.code)).where(*own).scalar_subquery()
    return (
        select(
            at.label("at"), OPERATIONS.c.workstation, _shift(at, zone, begins),
            case((is_bad, 1), else_=0).label("bad"), case((is_bad, 0), else_=1).label("good"),
            literal("").label("unit"), OPERATIONS.c.code.label("operation"),
            WORK_ORDERS.c.number.label("reference"), func.coalesce(why, "").label("reason"),
            OPERATIONS.c.started_by.label("person"), WORK_ORDERS.c.material.label("product"),
            WORK_ORDERS.c.output_lot.label("lot"), ORDERS.c.number.label("order_number"),
            ORDERS.c.uuid.label("order_id"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(at.is_not(None), OPERATIONS.c.workstation != "")
    )  # fmt: skip


def groups(connection: Connection, rows: Subquery) -> list[Document]:
    """Of each operation, workstation, shift and unit: how many were bad, good, and in how many batches. `is_counted`:
    whole numbers throughout, so that a test of counts means something."""
    of = (rows.c.operation, rows.c.workstation, rows.c.shift, rows.c.unit)
    whole = func.bool_and((rows.c.bad % 1 == 0) & (rows.c.good % 1 == 0))
    statement = select(
        *of, func.sum(rows.c.bad).label("bad"), func.sum(rows.c.good).label("good"),
        func.count(rows.c.lot.distinct()).label("batches"), whole.label("is_counted"),
    ).group_by(*of)  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def rows_of(connection: Connection, rows: Subquery, limit: int, **wanted: Any) -> list[Document]:
    """The rows behind a group, those with bad ones first. `wanted`: workstation, shift, operation, unit, or None."""
    statement = select(rows).order_by((rows.c.bad > 0).desc(), rows.c.at.desc(), rows.c.reference).limit(limit)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(rows.c[name] == value)
    return [dict(row._mapping) for row in connection.execute(statement)]
