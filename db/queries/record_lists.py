"""Batch records as a list: which ones wait for whom, and which are done."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, select

from db.tables import BatchRecordRow, Lot, Material, ProductionOrder, WorkOrder, core

RECORDS, WORK_ORDERS, ORDERS = core(BatchRecordRow), core(WorkOrder), core(ProductionOrder)
LOTS, MATERIALS = core(Lot), core(Material)
WAITING: Final = ("correction", "inReview", "qaReview", "approved")
"""States in which somebody has to do something, in the order in which a list shows them."""


def page(
    connection: Connection, states: Sequence[str], limit: int, inside: Sequence[ColumnElement[bool]] = ()
) -> list[dict[str, Any]]:
    """Records in these states: by state as in `WAITING`, the one that has waited longest first. One statement."""
    rank = case({state: place for place, state in enumerate(WAITING)}, value=RECORDS.c.state, else_=len(WAITING))
    statement = (
        select(
            RECORDS.c.work_order, RECORDS.c.lot, RECORDS.c.state, RECORDS.c.issued_at, RECORDS.c.reviewed_by,
            RECORDS.c.reviewed_at, RECORDS.c.approved_by, RECORDS.c.approved_at, WORK_ORDERS.c.uuid,
            WORK_ORDERS.c.material, WORK_ORDERS.c.quantity, WORK_ORDERS.c.unit, MATERIALS.c.name,
            LOTS.c.status, ORDERS.c.number.label("order_number"), ORDERS.c.due_at, ORDERS.c.tasks,
            ORDERS.c.changed_at,
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == RECORDS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(LOTS, LOTS.c.number == RECORDS.c.lot)
        .outerjoin(MATERIALS, MATERIALS.c.code == WORK_ORDERS.c.material)
        .where(RECORDS.c.state.in_(states), *inside)
        .order_by(rank, ORDERS.c.changed_at, RECORDS.c.work_order)
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]
