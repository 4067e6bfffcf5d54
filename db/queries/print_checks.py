"""What stood on packs when somebody looked."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from db.queries.written import stamp
from db.tables import PrintCheckRow, WorkOrder, core

CHECKS, WORK_ORDERS = core(PrintCheckRow), core(WorkOrder)


def of_work_order_id(connection: Connection, work_order: UUID) -> list[dict[str, Any]]:
    """The checks of the work order with that uuid, oldest first."""
    return _checks(connection, WORK_ORDERS.c.uuid == work_order)


def of_work_order(connection: Connection, work_order: str) -> list[dict[str, Any]]:
    """The checks of the work order with that number, oldest first."""
    return _checks(connection, WORK_ORDERS.c.number == work_order)


def _checks(connection: Connection, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    statement = (
        select(CHECKS)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == CHECKS.c.work_order)
        .where(condition)
        .order_by(CHECKS.c.checked_at, CHECKS.c.operation, CHECKS.c.number)
    )
    return [
        {
            "operation": row.operation, "number": row.number, "lotText": row.lot_text, "expiryText": row.expiry_text,
            "expectedLot": row.expected_lot, "expectedExpiry": row.expected_expiry, "matches": row.matches,
            "isLate": row.is_late, "checkedBy": row.checked_by, "checkedAt": stamp(row.checked_at),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip
