"""One batch: what it is, and whether its genealogy says the same as its stock moves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from db.queries.trace import (
    LINKS,
    LOTS,
    MOVES,
    PLACES,
    RETURN,
    REWORK,
    WORK_ORDERS,
    InputLot,
    LotUnknown,
    during,
    inputs_where,
    made_quantity,
)
from db.tables import Deviation, ProductionOrder, SerialNumber, StockBalance, core
from domain.quantities import plain

ORDERS, DEVIATIONS, BALANCES = core(ProductionOrder), core(Deviation), core(StockBalance)
SERIALS: Final = core(SerialNumber)
_PROCESS: Final = "PROCESS"
_UNFIT: Final = ("rejected", "recalled", "returned", "destroyed")


@dataclass(frozen=True)
class BatchSummary:
    """A batch on one page. Of a received lot `work_order` and `order_number` are none."""

    lot: str
    material: str
    unit: str
    status: str
    origin: str
    quantity: Decimal
    on_hand: Decimal
    work_order: str | None
    order_number: str | None
    order_state: str | None
    inputs: tuple[InputLot, ...]
    used_in: int
    deviations: int
    serials: int


def batch_summary(
    connection: Connection, batch_no: str, since: datetime | None = None, until: datetime | None = None
) -> BatchSummary:
    """What a batch is, how much was made and is left, from what, and where it goes.

    `quantity`, `inputs`, `used_in`, `deviations` and `serials` are those of the time range; `on_hand` is what was left
    at its end; the states are those of now. Raises `LotUnknown`.
    """

    def count(table: Any, at: ColumnElement[Any], condition: ColumnElement[bool]) -> Any:
        rows = select(func.count()).select_from(table).where(condition, *during(at, since, until))
        return rows.scalar_subquery()

    at_fault = (DEVIATIONS.c.lot == LOTS.c.number) | (DEVIATIONS.c.work_order == WORK_ORDERS.c.number)
    row = connection.execute(
        select(
            LOTS.c.number, LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.origin,
            made_quantity(since, until).scalar_subquery(), _on_hand(until),
            WORK_ORDERS.c.number, ORDERS.c.number, ORDERS.c.state, _used_in(since, until),
            count(DEVIATIONS, DEVIATIONS.c.opened_at, at_fault),
            count(SERIALS, SERIALS.c.registered_at, SERIALS.c.lot == LOTS.c.number),
        )
        .select_from(
            LOTS.outerjoin(WORK_ORDERS, WORK_ORDERS.c.output_lot == LOTS.c.number)
            .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        )
        .where(LOTS.c.number == batch_no)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise LotUnknown(batch_no)
    inputs = inputs_where(connection, LINKS.c.output_lot == batch_no, *during(LINKS.c.linked_at, since, until))
    return BatchSummary(*row[:10], inputs=inputs, used_in=row[10], deviations=row[11], serials=row[12])


def _on_hand(until: datetime | None) -> Any:
    """What lies at our places: by the balances now, by the moves at an earlier time."""
    if until is None:
        balances = select(func.coalesce(func.sum(BALANCES.c.on_hand), 0)).where(BALANCES.c.lot == LOTS.c.number)
        return balances.scalar_subquery()
    outside = select(PLACES.c.code).where(PLACES.c.zone == "outside")
    came = case((MOVES.c.to_place.not_in(outside), MOVES.c.quantity), else_=0)
    went = case((MOVES.c.from_place.not_in(outside), MOVES.c.quantity), else_=0)
    moves = select(func.coalesce(func.sum(came - went), 0)).where(MOVES.c.lot == LOTS.c.number)
    return moves.where(*during(MOVES.c.moved_at, None, until)).scalar_subquery()


def _used_in(since: datetime | None, until: datetime | None) -> Any:
    """How many lots it went into; one that all of it came back from is none of them."""
    net = (
        select(LINKS.c.output_lot)
        .where(LINKS.c.input_lot == LOTS.c.number, *during(LINKS.c.linked_at, since, until))
        .group_by(LINKS.c.output_lot, LINKS.c.work_order, LINKS.c.unit)
        .having(func.sum(LINKS.c.quantity) > 0)
        .correlate(LOTS)
        .subquery()
    )
    return select(func.count(net.c.output_lot.distinct())).scalar_subquery()


class Validation(NamedTuple):
    """Whether a batch is what it is said to be; `reasons` are empty when it is."""

    valid: bool
    reasons: tuple[str, ...]


def validate_batch(
    connection: Connection,
    batch_no: str,
    product: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Validation:
    """Whether the batch exists, is of this product, is fit for use, and its genealogy agrees with the stock moves.

    With a time range, links and moves of that time are compared: both are written by the same transaction.
    """
    try:
        summary = batch_summary(connection, batch_no)
    except LotUnknown as unknown:
        return Validation(False, (str(unknown),))
    reasons: list[str] = []
    if summary.material != product:
        reasons.append(f"batch {batch_no} is {summary.material}, not {product}")
    if summary.status in _UNFIT:
        reasons.append(f"batch {batch_no} is {summary.status}")
    if summary.origin == "produced":
        if summary.work_order is None:
            reasons.append(f"no work order made batch {batch_no}")
        else:
            reasons += _contradictions(connection, batch_no, summary.work_order, since, until)
    return Validation(not reasons, tuple(reasons))


def _contradictions(
    connection: Connection, batch_no: str, work_order: str, since: datetime | None, until: datetime | None
) -> Sequence[str]:
    """Where links and moves differ: every quantity that left the line for the process, net of what came back from it,
    stands in the genealogy; for the work order that made the batch, and for every other one that put something into it.
    """
    others = select(LINKS.c.work_order).where(LINKS.c.output_lot == batch_no, LINKS.c.work_order != work_order)
    net = case((MOVES.c.to_place == _PROCESS, MOVES.c.quantity), else_=-MOVES.c.quantity)
    # What becomes a rework's own lot is linked to that lot, not to the batch.
    consumption = ((MOVES.c.to_place == _PROCESS) & (MOVES.c.kind != REWORK)) | (
        (MOVES.c.from_place == _PROCESS) & (MOVES.c.kind == RETURN)
    )
    moved = _totals(
        connection,
        select(MOVES.c.work_order, MOVES.c.lot, func.sum(net))
        .where((MOVES.c.work_order == work_order) | MOVES.c.work_order.in_(others), consumption)
        .where(MOVES.c.lot != batch_no, *during(MOVES.c.moved_at, since, until))
        .group_by(MOVES.c.work_order, MOVES.c.lot),
    )
    own = (LINKS.c.work_order == work_order) & (LINKS.c.output_lot == batch_no)
    linked = _totals(
        connection,
        select(LINKS.c.work_order, LINKS.c.input_lot, func.sum(LINKS.c.quantity))
        .where(own | LINKS.c.work_order.in_(others))
        .where(LINKS.c.input_lot != batch_no, *during(LINKS.c.linked_at, since, until))
        .group_by(LINKS.c.work_order, LINKS.c.input_lot),
    )
    return [
        f"{lot}: {plain(moved[order, lot])} consumed, {plain(linked[order, lot])} in the genealogy"
        + (f", by {order}" if order != work_order else "")
        for order, lot in sorted(moved.keys() | linked.keys())
        if moved[order, lot] != linked[order, lot]
    ]


def _totals(connection: Connection, statement: Select[Any]) -> defaultdict[tuple[str, str], Decimal]:
    return defaultdict(Decimal, {(row[0], row[1]): row[2] for row in connection.execute(statement)})
