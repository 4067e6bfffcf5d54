"""What the reports about batches, parameters, quality and the flow of material list. Each function one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, select

from db.tables import (
    BatchRecordRow,
    Deviation,
    InspectionResult,
    InspectionRow,
    Lot,
    OperationRow,
    ParameterValue,
    ProductionOrder,
    StockMove,
    WorkOrder,
    core,
)

WORK_ORDERS, ORDERS, LOTS, OPERATIONS = core(WorkOrder), core(ProductionOrder), core(Lot), core(OperationRow)
VALUES, DEVIATIONS, RECORDS = core(ParameterValue), core(Deviation), core(BatchRecordRow)
INSPECTIONS, RESULTS, MOVES = core(InspectionRow), core(InspectionResult), core(StockMove)

Inside = Sequence[ColumnElement[bool]]
Document = dict[str, Any]
_ORDER = (ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"))


def batches(connection: Connection, since: datetime, until: datetime, inside: Inside, limit: int) -> list[Document]:
    """Batches that were done in the period, newest first, with what was not as it should be."""

    def count(table: Any, *conditions: Any) -> Any:
        return select(func.count()).select_from(table).where(*conditions).scalar_subquery()

    scrap = select(func.coalesce(func.sum(OPERATIONS.c.scrap), 0)).where(
        OPERATIONS.c.work_order == WORK_ORDERS.c.number
    )
    good = select(func.coalesce(func.sum(MOVES.c.quantity), 0)).where(
        MOVES.c.work_order == WORK_ORDERS.c.number, MOVES.c.kind == "produce", MOVES.c.lot == WORK_ORDERS.c.output_lot
    )
    outside = count(VALUES, VALUES.c.work_order == WORK_ORDERS.c.number, ~VALUES.c.within_limits, ~_is_passed(VALUES))
    took = func.extract("epoch", WORK_ORDERS.c.actual_end - WORK_ORDERS.c.actual_start)
    statement = (
        select(
            WORK_ORDERS.c.actual_end.label("at"), WORK_ORDERS.c.output_lot.label("lot"),
            WORK_ORDERS.c.uuid.label("work_order_id"), WORK_ORDERS.c.number.label("work_order"),
            WORK_ORDERS.c.material.label("product"), WORK_ORDERS.c.quantity.label("planned"), WORK_ORDERS.c.unit,
            good.scalar_subquery().label("good"), scrap.scalar_subquery().label("scrap"), took.label("seconds"),
            count(DEVIATIONS, DEVIATIONS.c.work_order == WORK_ORDERS.c.number).label("deviations"),
            outside.label("outside"), LOTS.c.status, RECORDS.c.state.label("record"), *_ORDER,
        )
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(LOTS, LOTS.c.number == WORK_ORDERS.c.output_lot)
        .outerjoin(RECORDS, RECORDS.c.work_order == WORK_ORDERS.c.number)
        .where(
            WORK_ORDERS.c.actual_end >= since, WORK_ORDERS.c.actual_end < until,
            WORK_ORDERS.c.state.in_(("completed", "closed")), *inside,
        )
        .order_by(WORK_ORDERS.c.actual_end.desc(), WORK_ORDERS.c.number)
        .limit(limit)
    )  # fmt: skip
    return _documents(connection, statement)


def _is_passed(own: Any) -> Any:
    """Whether another version of a value has taken its place."""
    later = VALUES.alias()
    return exists().where(
        later.c.work_order == own.c.work_order, later.c.operation == own.c.operation,
        later.c.number == own.c.number, later.c.version > own.c.version,
    )  # fmt: skip


def _values(since: datetime, until: datetime, inside: Inside) -> Select[Any]:
    return (
        select(
            func.coalesce(VALUES.c.measured_at, VALUES.c.recorded_at).label("at"),
            WORK_ORDERS.c.material.label("product"), WORK_ORDERS.c.output_lot.label("lot"), VALUES.c.operation,
            VALUES.c.name, VALUES.c.text, VALUES.c.value, VALUES.c.unit, VALUES.c.low, VALUES.c.high,
            case((VALUES.c.within_limits, "within"), else_="outside").label("verdict"), VALUES.c.version,
            VALUES.c.recorded_by.label("person"), VALUES.c.reason, *_ORDER,
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == VALUES.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(VALUES.c.recorded_at >= since, VALUES.c.recorded_at < until, ~_is_passed(VALUES), *inside)
    )  # fmt: skip


def parameters(connection: Connection, since: datetime, until: datetime, inside: Inside) -> list[Document]:
    """Every parameter that was recorded, as its values stand now: how many, their spread, how many outside limits."""
    rows = _values(since, until, inside).subquery()
    of = (rows.c.product, rows.c.operation, rows.c.name, rows.c.unit)
    statement = select(
        *of, func.count().label("count"), func.min(rows.c.value).label("low"), func.avg(rows.c.value).label("mean"),
        func.max(rows.c.value).label("high"), func.stddev_samp(rows.c.value).label("deviation"),
        func.count().filter(rows.c.verdict == "outside").label("outside"),
        func.count().filter(rows.c.version > 1).label("corrected"),
    ).group_by(*of).order_by(*of)  # fmt: skip
    return _documents(connection, statement)


def value_rows(
    connection: Connection, since: datetime, until: datetime, inside: Inside, limit: int, **wanted: str
) -> list[Document]:
    """The values behind a figure, newest first. `wanted`: product, operation, name, lot, verdict; "" is all."""
    rows = _values(since, until, inside).subquery()
    statement = select(rows).order_by(rows.c.at.desc(), rows.c.name).limit(limit)
    for name, value in wanted.items():
        if value:
            statement = statement.where(rows.c[name] == value)
    return _documents(connection, statement)


def inspections(connection: Connection, since: datetime, until: datetime, inside: Inside, limit: int) -> list[Document]:
    """Inspections that were asked for in the period, newest first."""
    outside = select(func.count()).where(RESULTS.c.inspection == INSPECTIONS.c.number, ~RESULTS.c.within_limits)
    took = func.extract("epoch", INSPECTIONS.c.decided_at - INSPECTIONS.c.requested_at)
    statement = (
        select(
            INSPECTIONS.c.requested_at.label("at"), INSPECTIONS.c.number.label("reference"), INSPECTIONS.c.lot,
            INSPECTIONS.c.material, INSPECTIONS.c.state, outside.scalar_subquery().label("outside"),
            INSPECTIONS.c.decided_at, INSPECTIONS.c.decided_by.label("person"), took.label("seconds"), *_ORDER,
        )
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == INSPECTIONS.c.work_order)
        .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(INSPECTIONS.c.requested_at >= since, INSPECTIONS.c.requested_at < until, *inside)
        .order_by(INSPECTIONS.c.requested_at.desc(), INSPECTIONS.c.number)
        .limit(limit)
    )  # fmt: skip
    return _documents(connection, statement)


def flow(connection: Connection, since: datetime, until: datetime) -> list[Document]:
    """What went from where to where, by material: quantity, number of moves and of lots."""
    of = (LOTS.c.material, MOVES.c.from_place, MOVES.c.to_place, MOVES.c.unit)
    statement = (
        select(
            *of, func.sum(MOVES.c.quantity).label("quantity"), func.count().label("moves"),
            func.count(MOVES.c.lot.distinct()).label("lots"), func.max(MOVES.c.moved_at).label("at"),
        )
        .join(LOTS, LOTS.c.number == MOVES.c.lot)
        .where(and_(MOVES.c.moved_at >= since, MOVES.c.moved_at < until))
        .group_by(*of)
        .order_by(*of)
    )  # fmt: skip
    return _documents(connection, statement)


def _documents(connection: Connection, statement: Select[Any]) -> list[Document]:
    return [dict(row._mapping) for row in connection.execute(statement)]
