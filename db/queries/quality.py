"""Inspections and deviations."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, tuple_

from db.tables import Deviation, InspectionResult, InspectionRow, Lot, OperationRow, Workstation, core
from domain.base import uuid_for
from domain.quantities import plain

INSPECTIONS, RESULTS, DEVIATIONS, LOTS = core(InspectionRow), core(InspectionResult), core(Deviation), core(Lot)

STATIONS, OPERATIONS = core(Workstation), core(OperationRow)


def material_of(connection: Connection, lot: str) -> str | None:
    """The material of a lot; None if there is no such lot."""
    return connection.execute(select(LOTS.c.material).where(LOTS.c.number == lot)).scalar_one_or_none()


def workstation_exists(connection: Connection, code: str) -> bool:
    """Whether there is a workstation of that code."""
    return connection.execute(select(STATIONS.c.code).where(STATIONS.c.code == code)).first() is not None


def inspection_exists(connection: Connection, number: str) -> bool:
    """Whether there is an inspection of that number."""
    return connection.execute(select(INSPECTIONS.c.number).where(INSPECTIONS.c.number == number)).first() is not None


def inspections(connection: Connection, lot: str, limit: int) -> list[dict[str, Any]]:
    """The inspections of a lot, oldest first. Two statements."""
    statement = select(INSPECTIONS).where(INSPECTIONS.c.lot == lot).order_by(INSPECTIONS.c.requested_at).limit(limit)
    rows = connection.execute(statement).all()
    results: dict[str, list[dict[str, Any]]] = {}
    entered = select(RESULTS).where(RESULTS.c.inspection.in_([row.number for row in rows])).order_by(RESULTS.c.id)
    for row in connection.execute(entered):
        results.setdefault(row.inspection, []).append(
            {
                "name": row.name, "text": row.text, "unit": row.unit,
                "low": None if row.low is None else plain(row.low),
                "high": None if row.high is None else plain(row.high),
                "withinLimits": row.within_limits, "enteredBy": row.entered_by,
                "enteredAt": row.entered_at.isoformat(), "measuredWith": row.measured_with,
            }
        )  # fmt: skip
    return [
        {
            "number": row.number, "lot": row.lot, "material": row.material, "workOrder": row.work_order,
            "state": row.state, "characteristics": row.characteristics, "requestedAt": row.requested_at.isoformat(),
            "enteredBy": row.entered_by, "decidedBy": row.decided_by,
            "decidedAt": row.decided_at and row.decided_at.isoformat(), "results": results.get(row.number, []),
            "releaseRecord": row.release_record,
        }
        for row in rows
    ]  # fmt: skip


def deviations(
    connection: Connection, order_number: str | None, lot: str | None, limit: int,
    inside: Sequence[ColumnElement[bool]] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """Deviations that are `inside`, newest first."""
    statement = select(DEVIATIONS).order_by(DEVIATIONS.c.opened_at.desc(), DEVIATIONS.c.number.desc()).limit(limit)
    statement = statement.where(*inside)
    if order_number is not None:
        statement = statement.where(DEVIATIONS.c.order_number == order_number)
    if lot is not None:
        statement = statement.where(DEVIATIONS.c.lot == lot)
    return [
        {
            "number": row.number, "orderNumber": row.order_number, "workOrder": row.work_order,
            "operation": row.operation, "lot": row.lot, "equipment": row.equipment,
            "hasProcess": row.has_process, "id": _case_id(row), "code": row.code, "detail": row.detail,
            "state": row.state, "decision": row.decision, "openedBy": row.opened_by,
            "openedAt": row.opened_at.isoformat(), "decidedBy": row.decided_by,
             "decidedAt": row.decided_at and row.decided_at.isoformat(),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def _case_id(row: Row[Any]) -> str | None:
    """Where a deviation with a process takes its commands."""
    return str(uuid_for("deviation", row.number)) if row.has_process else None


def held(
    connection: Connection, operations: Sequence[tuple[str | None, str | None]]
) -> set[tuple[str | None, str | None]]:
    """Those of these operations (work order, code) that stand still until somebody releases them."""
    named = [one for one in operations if one[0] is not None and one[1] is not None]
    if not named:
        return set()
    is_one = tuple_(OPERATIONS.c.work_order, OPERATIONS.c.code).in_(named)
    statement = select(OPERATIONS.c.work_order, OPERATIONS.c.code).where(is_one, OPERATIONS.c.state == "held")
    return {(row.work_order, row.code) for row in connection.execute(statement)}
