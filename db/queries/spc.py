"""Recorded values of one characteristic in the order of time, for control charts: one indexed statement each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
)

from db.tables import (
    InspectionResult,
    InspectionRow,
    OperationRow,
    ParameterValue,
    ProductionOrder,
    ProductionReport,
    WorkOrder,
    core,
)

VALUES: Final = core(ParameterValue)
RESULTS: Final = core(InspectionResult)
INSPECTIONS: Final = core(InspectionRow)
REPORTS: Final = core(ProductionReport)
WORK_ORDERS: Final = core(WorkOrder)
ORDERS: Final = core(ProductionOrder)
OPERATIONS: Final = core(OperationRow)

Source = Literal["parameter", "inspection", "scrap"]
MOST: Final = 2000
"""Values of one chart; of more the newest."""


@dataclass(frozen=True)
class Sample:
    """One recorded value, or (of scrap) the pieces of one operation: `size` made, `value` of them scrap.

    `order_id` is None for a received lot; `number` names the value within its operation."""

    value: Decimal
    at: datetime
    lot: str
    product: str
    unit: str
    low: Decimal | None
    high: Decimal | None
    order_id: UUID | None
    order_number: str | None
    work_order: str | None
    operation: str | None
    number: str | None
    person: str
    size: Decimal | None = None


@dataclass(frozen=True)
class Asked:
    """What a chart is of. `name` is a parameter, a characteristic, or (of scrap) an operation."""

    source: Source
    name: str
    product: str | None
    since: datetime
    until: datetime


def samples(connection: Connection, asked: Asked, inside: Sequence[ColumnElement[bool]] = ()) -> list[Sample]:
    """The newest values, oldest first; of corrected ones the latest version. `inside`: about the order's number."""
    match asked.source:
        case "parameter":
            statement = _parameters(asked)
        case "inspection":
            statement = _results(asked)
        case "scrap":
            statement = _scrap(asked)
    if asked.product:
        product = RESULTS_PRODUCT if asked.source == "inspection" else WORK_ORDERS.c.material
        statement = statement.where(product == asked.product)
    rows = connection.execute(statement.where(*inside)).all()
    return [Sample(**row._mapping) for row in reversed(rows)]


RESULTS_PRODUCT: Final = INSPECTIONS.c.material
_ORDER: Final = (ORDERS.c.uuid.label("order_id"), ORDERS.c.number.label("order_number"))


def latest() -> tuple[ColumnElement[Any], ColumnElement[Any], Any, ColumnElement[bool]]:
    """A corrected value belongs to the time at which it was measured: so the first version says when, the latest one
    (`newest`, if there is another) says what. Value, time, `newest`, and how it is joined to first versions."""
    newest, later = VALUES.alias("newest"), VALUES.alias("later")
    same = (newest.c.work_order == VALUES.c.work_order, newest.c.operation == VALUES.c.operation)
    is_passed = exists().where(
        later.c.work_order == newest.c.work_order, later.c.operation == newest.c.operation,
        later.c.number == newest.c.number, later.c.version > newest.c.version,
    )  # fmt: skip
    corrected = and_(*same, newest.c.number == VALUES.c.number, newest.c.version > 1, ~is_passed)
    value = case((newest.c.id.is_(None), VALUES.c.value), else_=newest.c.value)
    return value, func.coalesce(VALUES.c.measured_at, VALUES.c.recorded_at), newest, corrected


def _parameters(asked: Asked) -> Select[Any]:
    value, measured_at, newest, corrected = latest()
    at = measured_at.label("at")
    return (
        select(
            value.label("value"), at, WORK_ORDERS.c.output_lot.label("lot"), WORK_ORDERS.c.material.label("product"),
            VALUES.c.unit, VALUES.c.low, VALUES.c.high, *_ORDER, VALUES.c.work_order, VALUES.c.operation,
            VALUES.c.number, func.coalesce(newest.c.recorded_by, VALUES.c.recorded_by).label("person"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == VALUES.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(newest, corrected)
        .where(
            VALUES.c.name == asked.name, VALUES.c.version == 1, value.is_not(None),
            VALUES.c.recorded_at >= asked.since, VALUES.c.recorded_at < asked.until,
        )
        .order_by(at.desc(), VALUES.c.id.desc())
        .limit(MOST)
    )  # fmt: skip


def _results(asked: Asked) -> Select[Any]:
    return (
        select(
            RESULTS.c.value, RESULTS.c.entered_at.label("at"), INSPECTIONS.c.lot,
            INSPECTIONS.c.material.label("product"), RESULTS.c.unit, RESULTS.c.low, RESULTS.c.high, *_ORDER,
            INSPECTIONS.c.work_order, INSPECTIONS.c.number.label("operation"), RESULTS.c.name.label("number"),
            RESULTS.c.entered_by.label("person"),
        )
        .join(INSPECTIONS, INSPECTIONS.c.number == RESULTS.c.inspection)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == INSPECTIONS.c.work_order)
        .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(
            RESULTS.c.name == asked.name, RESULTS.c.value.is_not(None),
            RESULTS.c.entered_at >= asked.since, RESULTS.c.entered_at < asked.until,
        )
        .order_by(RESULTS.c.entered_at.desc(), RESULTS.c.id.desc())
        .limit(MOST)
    )  # fmt: skip


def _scrap(asked: Asked) -> Select[Any]:
    """Pieces of each operation that was reported in the period, as they stand now: reports less counter-reports."""
    made = func.sum(REPORTS.c.good + REPORTS.c.scrap + REPORTS.c.review_board)
    at = func.max(REPORTS.c.reported_at).label("at")
    return (
        select(
            func.sum(REPORTS.c.scrap).label("value"), at, WORK_ORDERS.c.output_lot.label("lot"),
            WORK_ORDERS.c.material.label("product"), func.min(REPORTS.c.unit).label("unit"),
            cast(null(), ORDERS.c.quantity.type).label("low"), cast(null(), ORDERS.c.quantity.type).label("high"),
            *_ORDER, WORK_ORDERS.c.number.label("work_order"), REPORTS.c.operation,
            func.min(REPORTS.c.number).label("number"), func.min(REPORTS.c.operator).label("person"),
            made.label("size"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == REPORTS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(
            REPORTS.c.operation == asked.name, ~REPORTS.c.is_rework,
            REPORTS.c.reported_at >= asked.since, REPORTS.c.reported_at < asked.until,
        )
        .group_by(ORDERS.c.uuid, ORDERS.c.number, WORK_ORDERS.c.number, REPORTS.c.operation)
        .having(and_(made > 0, func.sum(REPORTS.c.scrap) >= 0))
        .order_by(at.desc(), WORK_ORDERS.c.number.desc())
        .limit(MOST)
    )  # fmt: skip


def characteristics(
    connection: Connection, since: datetime, until: datetime, inside: Sequence[ColumnElement[bool]] = ()
) -> list[dict[str, Any]]:
    """What there are values of in a period: source, name, product, how many. One statement."""
    count = func.count().label("count")
    of_order = ORDERS.join(WORK_ORDERS, WORK_ORDERS.c.order_number == ORDERS.c.number)
    values = (
        select(literal("parameter").label("source"), VALUES.c.name, WORK_ORDERS.c.material.label("product"), count)
        .select_from(of_order.join(VALUES, VALUES.c.work_order == WORK_ORDERS.c.number))
        .where(VALUES.c.value.is_not(None), VALUES.c.version == 1, *inside)
        .where(VALUES.c.recorded_at >= since, VALUES.c.recorded_at < until)
        .group_by(VALUES.c.name, WORK_ORDERS.c.material)
    )
    results = (
        select(literal("inspection").label("source"), RESULTS.c.name, INSPECTIONS.c.material.label("product"), count)
        .select_from(
            RESULTS.join(INSPECTIONS, INSPECTIONS.c.number == RESULTS.c.inspection)
            .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == INSPECTIONS.c.work_order)
            .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        )
        .where(RESULTS.c.value.is_not(None), *inside)
        .where(RESULTS.c.entered_at >= since, RESULTS.c.entered_at < until)
        .group_by(RESULTS.c.name, INSPECTIONS.c.material)
    )
    scrap = (
        select(
            literal("scrap").label("source"), REPORTS.c.operation.label("name"),
            WORK_ORDERS.c.material.label("product"),
            func.count(REPORTS.c.work_order.distinct()).label("count"),
        )
        .select_from(of_order.join(REPORTS, REPORTS.c.work_order == WORK_ORDERS.c.number))
        .where(REPORTS.c.reported_at >= since, REPORTS.c.reported_at < until, *inside)
        .group_by(REPORTS.c.operation, WORK_ORDERS.c.material)
    )  # fmt: skip
    every = union_all(values, results, scrap).subquery()
    rows = connection.execute(select(every).order_by(every.c.source, every.c.name, every.c.product))
    return [dict(row._mapping) for row in rows]
