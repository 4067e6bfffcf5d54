"""Whole rejected batches that somebody wants to rework."""

from typing import Any, Final

from sqlalchemy import Connection, Row, select

from db.tables import BatchReworkRow, Destruction, Lot, OperationRow, PlanLine, ProductionOrder, WorkOrder, core
from domain.base import uuid_for
from domain.quantities import plain

REWORKS: Final = core(BatchReworkRow)
LOTS, WORK_ORDERS, ORDERS, PLAN_LINES = core(Lot), core(WorkOrder), core(ProductionOrder), core(PlanLine)
DESTRUCTIONS, OPERATIONS = core(Destruction), core(OperationRow)
Document = dict[str, Any]


def origin(connection: Connection, lot: str) -> Row[Any] | None:
    """Plant and policy of the order that made a lot; none if it was not made here."""
    statement = (
        select(ORDERS.c.number, ORDERS.c.plant, ORDERS.c.policy)
        .join(WORK_ORDERS, WORK_ORDERS.c.order_number == ORDERS.c.number)
        .join(LOTS, LOTS.c.work_order == WORK_ORDERS.c.number)
        .where(LOTS.c.number == lot)
    )
    found: Any = connection.execute(statement).one_or_none()
    row: Row[Any] | None = found
    return row


def is_to_be_destroyed(connection: Connection, lot: str) -> bool:
    """Whether its destruction was decided and is not done."""
    own = (DESTRUCTIONS.c.lot == lot) & (DESTRUCTIONS.c.state == "decided")
    return connection.execute(select(DESTRUCTIONS.c.number).where(own).limit(1)).first() is not None


def of_lot(connection: Connection, lot: str) -> list[Row[Any]]:
    """The proposals about a lot, oldest first, locked until the commit by the lock of their lot."""
    return list(connection.execute(select(REWORKS).where(REWORKS.c.lot == lot).order_by(REWORKS.c.proposed_at)))


def operations(connection: Connection, work_order: str) -> list[tuple[str, str]]:
    """The operations that made a batch, in their order: (code, what people read)."""
    statement = select(OPERATIONS).where(OPERATIONS.c.work_order == work_order).order_by(OPERATIONS.c.sequence)
    return [(row.code, f"{row.code} {row.name}") for row in connection.execute(statement)]


def page(connection: Connection, lot: str | None, state: str | None, limit: int) -> list[Document]:
    """Proposals, the newest first, with the order that reworks the batch."""
    statement = (
        select(
            REWORKS, PLAN_LINES.c.order_number, PLAN_LINES.c.id.label("plan_id"), ORDERS.c.state.label("order_state")
        )
        .outerjoin(PLAN_LINES, PLAN_LINES.c.reference == REWORKS.c.plan_line)
        .outerjoin(ORDERS, ORDERS.c.number == PLAN_LINES.c.order_number)
        .order_by(REWORKS.c.proposed_at.desc(), REWORKS.c.number)
        .limit(limit)
    )
    if lot is not None:
        statement = statement.where(REWORKS.c.lot == lot)
    if state is not None:
        statement = statement.where(REWORKS.c.state == state)
    return [_document(row) for row in connection.execute(statement)]


def _document(row: Row[Any]) -> Document:
    has_order = row.order_state is not None
    return {
        "number": row.number, "lot": row.lot, "quantity": plain(row.quantity), "unit": row.unit,
        "operation": row.operation, "method": row.method, "reason": row.reason, "state": row.state,
        "proposedBy": row.proposed_by, "proposedAt": row.proposed_at.isoformat(), "procedure": row.procedure,
        "tests": row.tests or [], "assessment": row.assessment, "decidedBy": row.decided_by,
        "decidedAt": row.decided_at and row.decided_at.isoformat(), "signature": row.signature,
        "planLine": row.plan_line, "planLineId": None if row.plan_id is None else str(row.plan_id),
        "orderNumber": row.order_number if has_order else None, "orderState": row.order_state,
        "orderId": str(uuid_for("production-order", row.order_number)) if has_order else None,
    }  # fmt: skip
