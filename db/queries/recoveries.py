"""Material of earlier batches in later ones: what the record says of the lot, and what waits for whom."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select

from db.tables import Lot, RecoveryRow, WorkOrder, core
from domain.commands import RecoverableLot
from domain.quantities import plain

RECOVERIES: Final = core(RecoveryRow)
LOTS, WORK_ORDERS = core(Lot), core(WorkOrder)
OPEN: Final = ("requested", "approved", "introducing")
Document = dict[str, Any]


def recoverable(connection: Connection, lot: str, today: date) -> RecoverableLot | None:
    """What a request to recover a lot is judged by; none when there is no such lot."""
    statement = (
        select(LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.expires_on, WORK_ORDERS.c.order_number)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == LOTS.c.work_order)
        .where(LOTS.c.number == lot)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    is_expired = row.expires_on is not None and row.expires_on < today
    return RecoverableLot(**row._mapping, is_expired=is_expired)


def waiting(
    connection: Connection, inside: Sequence[ColumnElement[bool]] = (), limit: int = 200
) -> list[dict[str, Any]]:
    """Recoveries that wait for somebody, the oldest first. One statement."""
    statement = (
        select(RECOVERIES, WORK_ORDERS.c.uuid.label("work_order_id"), WORK_ORDERS.c.material)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == RECOVERIES.c.work_order)
        .where(RECOVERIES.c.state.in_(OPEN), *inside)
        .order_by(RECOVERIES.c.requested_at, RECOVERIES.c.number)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def page(
    connection: Connection,
    state: str | None,
    limit: int,
    after: str | None,
    inside: Sequence[ColumnElement[bool]] = (),
) -> list[Document]:
    """Recoveries by number."""
    statement = select(RECOVERIES).where(*inside).order_by(RECOVERIES.c.number).limit(limit)
    if state is not None:
        statement = statement.where(RECOVERIES.c.state == state)
    if after is not None:
        statement = statement.where(RECOVERIES.c.number > after)
    return [
        {
            "number": row.number, "workOrder": row.work_order, "operation": row.operation, "lot": row.lot,
            "lotStatus": row.lot_status, "quantity": plain(row.quantity), "unit": row.unit, "state": row.state,
            "reason": row.reason, "requestedBy": row.requested_by, "decidedBy": row.decided_by,
            "assessment": row.assessment, "procedure": row.procedure, "tests": row.tests or [],
            "introducedBy": row.introduced_by, "batchRework": row.batch_rework,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip
