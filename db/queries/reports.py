"""Production reports of a work order."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, tuple_

from db.queries.written import stamp
from db.tables import InProcessInspectionRow, ProductionReport, ReworkRow, WorkOrder, core
from domain.quantities import plain

REPORTS = core(ProductionReport)
INSPECTIONS = core(InProcessInspectionRow)
REWORKS = core(ReworkRow)
WORK_ORDERS = core(WorkOrder)


def of_work_order(connection: Connection, work_order: str, limit: int, after: str | None) -> list[dict[str, Any]]:
    """Reports in the order in which they were made, after the report of that number."""
    statement = select(REPORTS).where(REPORTS.c.work_order == work_order)
    if after is not None:
        last = select(REPORTS.c.reported_at, REPORTS.c.number).where(REPORTS.c.number == after)
        row = connection.execute(last).one_or_none()
        if row is not None:
            statement = statement.where(tuple_(REPORTS.c.reported_at, REPORTS.c.number) > tuple_(row[0], row[1]))
    rows = connection.execute(statement.order_by(REPORTS.c.reported_at, REPORTS.c.number).limit(limit)).all()
    inspected = _inspections(connection, [row.number for row in rows])
    return [
        {
            "number": row.number, "workOrder": row.work_order, "operation": row.operation, "good": plain(row.good),
            "scrap": plain(row.scrap), "scrapReason": row.scrap_reason, "reviewBoard": plain(row.review_board),
            "unit": row.unit, "isRework": row.is_rework, "reportType": row.report_type, "source": row.source,
            "workstation": row.workstation, "worker": row.worker, "operator": row.operator,
            "labourSeconds": row.labour_seconds, "startedAt": row.started_at and row.started_at.isoformat(),
            "endedAt": row.ended_at and row.ended_at.isoformat(), "overBy": plain(row.over_by),
            "reportedAt": row.reported_at.isoformat(), "commandId": row.command_id, "reverses": row.reverses,
            "inspections": inspected.get(row.number, []),
        }
        for row in rows
    ]  # fmt: skip


def work_order_of(connection: Connection, number: str) -> str | None:
    """The work order of a report."""
    return connection.execute(select(REPORTS.c.work_order).where(REPORTS.c.number == number)).scalar_one_or_none()


def _inspections(connection: Connection, numbers: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The in-process inspections of these reports, oldest first."""
    statement = select(INSPECTIONS).where(INSPECTIONS.c.report_number.in_(numbers))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(statement.order_by(INSPECTIONS.c.opened_at, INSPECTIONS.c.number)):
        found.setdefault(row.report_number, []).append(
            {
                "number": row.number, "state": row.state, "quantity": plain(row.quantity), "failed": plain(row.failed),
                "defect": row.defect, "rework": row.rework, "decidedBy": row.decided_by,
                "lot": row.lot, "tests": row.tests or [], "testResults": row.test_results or [],
            }
        )  # fmt: skip
    return found


def of_operations(connection: Connection, work_order: str) -> list[dict[str, Any]]:
    """What was reported at each operation, oldest first, as a batch record shows it."""
    statement = select(REPORTS).where(REPORTS.c.work_order == work_order)
    return [
        {
            "operation": row.operation, "number": row.number, "good": plain(row.good), "scrap": plain(row.scrap),
            "scrapReason": row.scrap_reason, "reviewBoard": plain(row.review_board), "unit": row.unit,
            "isRework": row.is_rework, "source": row.source, "operator": row.operator, "worker": row.worker,
            "workstation": row.workstation, "labourSeconds": row.labour_seconds, "reverses": row.reverses,
            "reportedAt": stamp(row.reported_at),
        }
        for row in connection.execute(statement.order_by(REPORTS.c.reported_at, REPORTS.c.number))
    ]  # fmt: skip


def for_reversal(connection: Connection, number: str) -> dict[str, Any] | None:
    """What a counter-report of this report takes back: the quantities as they were reported."""
    statement = (
        select(REPORTS, WORK_ORDERS.c.uuid.label("work_order_id"))
        .join(WORK_ORDERS, WORK_ORDERS.c.number == REPORTS.c.work_order)
        .where(REPORTS.c.number == number)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return {
        "work_order_id": row.work_order_id, "operation": row.operation, "good": row.good, "scrap": row.scrap,
        "review_board": row.review_board, "reverses": row.reverses, "is_rework": row.is_rework,
    }  # fmt: skip


def reworks(
    connection: Connection, state: str | None, limit: int, after: str | None, inside: Sequence[ColumnElement[bool]] = ()
) -> list[dict[str, Any]]:
    """Reworks that are `inside`, in the order of their numbers, after the one of that number."""
    statement = select(REWORKS).where(*inside)
    if state is not None:
        statement = statement.where(REWORKS.c.state == state)
    if after is not None:
        statement = statement.where(REWORKS.c.number > after)
    return [
        {
            "number": row.number, "workOrder": row.work_order, "operation": row.operation,
            "reportNumber": row.report_number, "inspection": row.inspection, "lot": row.lot,
            "quantity": plain(row.quantity), "unit": row.unit, "state": row.state, "good": plain(row.good),
            "scrap": plain(row.scrap), "proposedBy": row.proposed_by, "approvedBy": row.approved_by,
            "doneBy": row.done_by, "ownLot": row.own_lot, "method": row.method, "procedure": row.procedure,
            "tests": row.tests or [],
        }
        for row in connection.execute(statement.order_by(REWORKS.c.number).limit(limit))
    ]  # fmt: skip
