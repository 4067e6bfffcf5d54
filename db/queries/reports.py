"""Production reports of a work order."""

from typing import Any

from sqlalchemy import Connection, select, tuple_

from db.tables import ProductionReport, core
from domain.quantities import plain

REPORTS = core(ProductionReport)


def of_work_order(connection: Connection, work_order: str, limit: int, after: str | None) -> list[dict[str, Any]]:
    """Reports in the order in which they were made, after the report of that number."""
    statement = select(REPORTS).where(REPORTS.c.work_order == work_order)
    if after is not None:
        last = select(REPORTS.c.reported_at, REPORTS.c.number).where(REPORTS.c.number == after)
        row = connection.execute(last).one_or_none()
        if row is not None:
            statement = statement.where(tuple_(REPORTS.c.reported_at, REPORTS.c.number) > tuple_(row[0], row[1]))
    rows = connection.execute(statement.order_by(REPORTS.c.reported_at, REPORTS.c.number).limit(limit))
    return [
        {
            "number": row.number, "workOrder": row.work_order, "operation": row.operation, "good": plain(row.good),
            "scrap": plain(row.scrap), "scrapReason": row.scrap_reason, "reviewBoard": plain(row.review_board),
            "unit": row.unit, "isRework": row.is_rework, "reportType": row.report_type, "source": row.source,
            "workstation": row.workstation, "worker": row.worker, "operator": row.operator,
            "labourSeconds": row.labour_seconds, "startedAt": row.started_at and row.started_at.isoformat(),
            "endedAt": row.ended_at and row.ended_at.isoformat(), "overBy": plain(row.over_by),
            "reportedAt": row.reported_at.isoformat(), "commandId": row.command_id,
        }
        for row in rows
    ]  # fmt: skip


def work_order_of(connection: Connection, number: str) -> str | None:
    """The work order of a report."""
    return connection.execute(select(REPORTS.c.work_order).where(REPORTS.c.number == number)).scalar_one_or_none()
