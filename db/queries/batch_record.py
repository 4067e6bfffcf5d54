"""What stands in the batch record of operations: values with all their versions, checks, verifications, remarks."""

from typing import Any

from sqlalchemy import Connection, Row, select

from db.queries.written import plain_if_any, stamp, stamp_if_any
from db.tables import OperationComment, OperationVerification, ParameterCheck, ParameterValue, core

VALUES = core(ParameterValue)
CHECKS = core(ParameterCheck)
VERIFICATIONS = core(OperationVerification)
COMMENTS = core(OperationComment)
Document = dict[str, Any]


def values(connection: Connection, work_order: str, operation: str | None = None) -> list[Document]:
    """The values of a work order (of one operation), each with its versions, oldest first: two statements.

    The last version is the one that counts; the ones before are shown struck through (AT-06).
    """
    own = [VALUES.c.work_order == work_order]
    if operation is not None:
        own.append(VALUES.c.operation == operation)
    checks = {
        (row.operation, row.number, row.version): {
            "checkedBy": row.checked_by,
            "checkedAt": stamp(row.checked_at),
        }
        for row in connection.execute(select(CHECKS).where(CHECKS.c.work_order == work_order))
    }
    found: dict[tuple[str, str], Document] = {}
    for row in connection.execute(select(VALUES).where(*own).order_by(VALUES.c.id)):
        key = (row.operation, row.number or f"#{row.id}")
        value = found.setdefault(
            key, {"operation": row.operation, "number": row.number, "name": row.name, "unit": row.unit, "versions": []}
        )
        value["versions"].append(_version(row) | checks.get((row.operation, row.number, row.version), {}))
    for value in found.values():
        value |= {"text": value["versions"][-1]["text"], "isCorrected": len(value["versions"]) > 1}
    return list(found.values())


def _version(row: Row[Any]) -> Document:
    return {
        "version": row.version, "text": row.text, "low": plain_if_any(row.low), "high": plain_if_any(row.high),
        "withinLimits": row.within_limits, "isWarning": row.is_warning, "isTyped": row.is_typed, "isLate": row.is_late,
        "measuredAt": stamp_if_any(row.measured_at), "recordedBy": row.recorded_by,
        "recordedAt": stamp(row.recorded_at), "reason": row.reason,
    }  # fmt: skip


def last_version(connection: Connection, work_order: str, operation: str, number: str) -> Row[str, str, int] | None:
    """The version of a value that counts now: `name`, `text`, `version`."""
    statement = (
        select(VALUES.c.name, VALUES.c.text, VALUES.c.version)
        .where(VALUES.c.work_order == work_order, VALUES.c.operation == operation, VALUES.c.number == number)
        .order_by(VALUES.c.version.desc())
        .limit(1)
    )
    return connection.execute(statement).one_or_none()


def verifications(connection: Connection, work_order: str) -> list[Document]:
    """Who has confirmed which operation, oldest first."""
    statement = select(VERIFICATIONS).where(VERIFICATIONS.c.work_order == work_order).order_by(VERIFICATIONS.c.id)
    return [
        {
            "operation": row.operation, "doneBy": row.done_by, "verifiedBy": row.verified_by,
            "verifiedAt": stamp(row.verified_at),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def comments(connection: Connection, work_order: str) -> list[Document]:
    """The remarks of a work order's operations, oldest first."""
    statement = select(COMMENTS).where(COMMENTS.c.work_order == work_order)
    return [
        {
            "operation": row.operation, "number": row.number, "text": row.text, "writtenBy": row.written_by,
            "writtenAt": stamp(row.written_at),
        }
        for row in connection.execute(statement.order_by(COMMENTS.c.written_at, COMMENTS.c.number))
    ]  # fmt: skip
