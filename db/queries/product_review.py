"""The data of a product quality review: one statement, however many batches and values (QL-13)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.queries.spc import latest
from db.tables import (
    Deviation,
    InspectionResult,
    InspectionRow,
    Lot,
    ParameterValue,
    ProductionReport,
    StockMove,
    WorkOrder,
    core,
)
from domain.product_review import ProductReview, ReviewedBatch, ReviewedDeviation, ReviewedValue

WORK_ORDERS, LOTS, MOVES, REPORTS = core(WorkOrder), core(Lot), core(StockMove), core(ProductionReport)
DEVIATIONS, VALUES = core(Deviation), core(ParameterValue)
INSPECTIONS, RESULTS = core(InspectionRow), core(InspectionResult)
_NUMBERS: Final = ("quantity", "good", "scrap", "value", "low", "high")
_TIMES: Final = ("ended_at", "opened_at", "at")


def review(
    connection: Connection,
    product: str,
    year: int,
    since: datetime,
    until: datetime,
    inside: Sequence[ColumnElement[bool]] = (),
) -> ProductReview:
    """What the batches of a product have shown that ended from `since` (included) to `until` (not included).

    `inside` are conditions on `WORK_ORDERS.c.order_number`.
    """
    batch = _batches(product, since, until, inside)
    parts = (_listed(select(batch), "ended_at"), _listed(_deviations(batch), "opened_at"),
             _listed(_values(batch), "at"))  # fmt: skip
    row = connection.execute(select(*(part.label(f"part{index}") for index, part in enumerate(parts)))).one()
    batches, deviations, values = (row._mapping[f"part{index}"] or [] for index in range(len(parts)))
    return ProductReview(
        product=product, year=year,
        batches=tuple(ReviewedBatch(**_read(own)) for own in batches),
        deviations=tuple(ReviewedDeviation(**_read(own)) for own in deviations),
        values=tuple(ReviewedValue(**_read(own)) for own in values),
    )  # fmt: skip


def _batches(product: str, since: datetime, until: datetime, inside: Sequence[ColumnElement[bool]]) -> CTE:
    """Work orders that ended, with what became stock of their lot: what came out of the process less what went back."""
    came = case((MOVES.c.from_place == "PROCESS", MOVES.c.quantity), else_=-MOVES.c.quantity)
    ways = or_(
        (MOVES.c.from_place == "PROCESS") & (MOVES.c.to_place == "LINE"),
        (MOVES.c.from_place == "LINE") & (MOVES.c.to_place == "PROCESS"),
    )
    own = (MOVES.c.lot == WORK_ORDERS.c.output_lot) & (MOVES.c.work_order == WORK_ORDERS.c.number) & ways
    good = select(func.coalesce(func.sum(came), 0)).where(own).scalar_subquery()
    reported = REPORTS.c.work_order == WORK_ORDERS.c.number
    scrap = select(func.coalesce(func.sum(REPORTS.c.scrap), 0)).where(reported).scalar_subquery()
    return (
        select(
            WORK_ORDERS.c.number.label("work_order"), WORK_ORDERS.c.order_number, WORK_ORDERS.c.output_lot.label("lot"),
            WORK_ORDERS.c.state, LOTS.c.status.label("lot_status"), WORK_ORDERS.c.actual_end.label("ended_at"),
            WORK_ORDERS.c.quantity, good.label("good"), scrap.label("scrap"), WORK_ORDERS.c.unit,
        )
        .outerjoin(LOTS, LOTS.c.number == WORK_ORDERS.c.output_lot)
        .where(
            WORK_ORDERS.c.material == product, WORK_ORDERS.c.actual_end >= since, WORK_ORDERS.c.actual_end < until,
            *inside,
        )
        .cte("batch")
    )  # fmt: skip


def _deviations(batch: CTE) -> Select[Any]:
    """Deviations that name one of the batches, or its lot."""
    return select(
        DEVIATIONS.c.number, DEVIATIONS.c.code, DEVIATIONS.c.detail, DEVIATIONS.c.state, DEVIATIONS.c.decision,
        DEVIATIONS.c.work_order, DEVIATIONS.c.lot, DEVIATIONS.c.opened_at,
    ).where(
        or_(DEVIATIONS.c.work_order.in_(select(batch.c.work_order)), DEVIATIONS.c.lot.in_(select(batch.c.lot)))
    )  # fmt: skip


def _values(batch: CTE) -> Any:
    """Values of operations, of corrected ones the latest, and results of inspections."""
    value, at, newest, corrected = latest()
    recorded = (
        select(
            VALUES.c.operation, VALUES.c.name, VALUES.c.unit, value.label("value"), VALUES.c.low, VALUES.c.high,
            batch.c.lot, at.label("at"), VALUES.c.id.label("id"),
        )
        .join(batch, batch.c.work_order == VALUES.c.work_order)
        .outerjoin(newest, corrected)
        .where(VALUES.c.version == 1, value.is_not(None))
    )  # fmt: skip
    tested = (
        select(
            literal("").label("operation"), RESULTS.c.name, RESULTS.c.unit, RESULTS.c.value, RESULTS.c.low,
            RESULTS.c.high, batch.c.lot, RESULTS.c.entered_at.label("at"), RESULTS.c.id,
        )
        .join(INSPECTIONS, INSPECTIONS.c.number == RESULTS.c.inspection)
        .join(batch, batch.c.work_order == INSPECTIONS.c.work_order)
        .where(RESULTS.c.value.is_not(None))
    )  # fmt: skip
    return recorded.union_all(tested)


def _listed(statement: Any, order: str) -> Any:
    """The rows as one JSON list in the order of time; numbers as text, so that they stay exact."""
    rows = statement.subquery()
    names = [column.name for column in rows.columns if column.name != "id"]
    pairs: list[Any] = []
    for name in names:
        pairs += [literal_column(f"'{name}'"), cast(rows.c[name], Text) if name in _NUMBERS else rows.c[name]]
    last = [rows.c.id] if "id" in rows.columns else [rows.columns[0]]
    made = func.json_agg(aggregate_order_by(func.json_build_object(*pairs), rows.c[order], *last))
    return select(made).select_from(rows).scalar_subquery()


def _read(own: dict[str, Any]) -> dict[str, Any]:
    found = dict(own)
    for name in _NUMBERS:
        if found.get(name) is not None:
            found[name] = Decimal(found[name])
    for name in _TIMES:
        if name in found:
            found[name] = datetime.fromisoformat(found[name])
    return found
