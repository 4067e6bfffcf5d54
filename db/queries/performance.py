"""What was made of an order and of which lots, for operations performance: four statements, however many operations."""

from collections import defaultdict
from typing import Final

from sqlalchemy import Connection, case, func, select

from db.tables import Lot, LotLink, OperationRow, ProductionOrder, ProductionReport, StockMove, WorkOrder, core
from domain.b2mml import CONSUMED, PRODUCED, MaterialActual, Performance, Segment

ORDERS: Final = core(ProductionOrder)
WORK_ORDERS: Final = core(WorkOrder)
OPERATIONS: Final = core(OperationRow)
LINKS: Final = core(LotLink)
LOTS: Final = core(Lot)
REPORTS: Final = core(ProductionReport)
MOVES: Final = core(StockMove)


def of_order(connection: Connection, number: str) -> Performance | None:
    """The order's actuals as they stand in the record; none for an order that there is not."""
    order = connection.execute(select(ORDERS).where(ORDERS.c.number == number)).one_or_none()
    if order is None:
        return None
    materials = defaultdict(list, _consumed(connection, number))
    for key, made in _produced(connection, number).items():
        materials[key] += made
    rows = connection.execute(
        select(OPERATIONS)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .where(WORK_ORDERS.c.order_number == number)
        .order_by(OPERATIONS.c.work_order, OPERATIONS.c.sequence, OPERATIONS.c.code)
    )
    segments = tuple(
        Segment(
            row.work_order, row.code, row.name, row.workstation, row.state, row.started_at, row.ended_at,
            tuple(materials[row.work_order, row.code]),
        )
        for row in rows
    )  # fmt: skip
    return Performance(
        order.number, order.plan_line, order.plant, order.product, order.state, order.actual_start, order.actual_end,
        segments,
    )  # fmt: skip


def _consumed(connection: Connection, number: str) -> dict[tuple[str, str], list[MaterialActual]]:
    """What each operation has used, by lot, less what came back."""
    statement = (
        select(
            LINKS.c.work_order, LINKS.c.operation, LINKS.c.input_lot, LOTS.c.material, LINKS.c.unit,
            func.sum(LINKS.c.quantity).label("quantity"),
        )
        .join(LOTS, LOTS.c.number == LINKS.c.input_lot)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == LINKS.c.work_order)
        .where(WORK_ORDERS.c.order_number == number)
        .group_by(LINKS.c.work_order, LINKS.c.operation, LINKS.c.input_lot, LOTS.c.material, LINKS.c.unit)
        .order_by(LINKS.c.work_order, LINKS.c.operation, LINKS.c.input_lot)
    )  # fmt: skip
    found: dict[tuple[str, str], list[MaterialActual]] = defaultdict(list)
    for row in connection.execute(statement):
        if row.quantity > 0:
            actual = MaterialActual(row.material, row.input_lot, CONSUMED, row.quantity, row.unit)
            found[row.work_order, row.operation].append(actual)
    return found


def _produced(connection: Connection, number: str) -> dict[tuple[str, str], list[MaterialActual]]:
    """What came into the batch of each work order, less what was taken back; it stands at the last operation that has
    reported pieces."""
    sign = case((MOVES.c.kind == "produce", MOVES.c.quantity), else_=-MOVES.c.quantity)
    last = (
        select(REPORTS.c.operation)
        .join(
            OPERATIONS,
            (OPERATIONS.c.work_order == REPORTS.c.work_order) & (OPERATIONS.c.code == REPORTS.c.operation),
        )
        .where(REPORTS.c.work_order == WORK_ORDERS.c.number)
        .order_by(OPERATIONS.c.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    made = func.sum(sign)
    statement = (
        select(
            WORK_ORDERS.c.number, WORK_ORDERS.c.output_lot, WORK_ORDERS.c.material, MOVES.c.unit,
            made.label("made"), last.label("operation"),
        )
        .join(MOVES, (MOVES.c.lot == WORK_ORDERS.c.output_lot) & (MOVES.c.work_order == WORK_ORDERS.c.number))
        .where(WORK_ORDERS.c.order_number == number, MOVES.c.kind.in_(("produce", "reverse")))
        .group_by(WORK_ORDERS.c.number, WORK_ORDERS.c.output_lot, WORK_ORDERS.c.material, MOVES.c.unit)
        .having(made > 0)
    )  # fmt: skip
    return {
        (row.number, row.operation): [MaterialActual(row.material, row.output_lot, PRODUCED, row.made, row.unit)]
        for row in connection.execute(statement)
    }
