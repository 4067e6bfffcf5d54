"""Alarms: who has seen them, which ones nobody has, and the rules that raise them and say how bad they are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db import audit
from db.queries.waiting import ORDERS
from db.queries.written import stamp, stamp_if_any
from db.tables import Alarm, AlarmRule, core

ALARMS: Final = core(Alarm)
RULES: Final = core(AlarmRule)
SEVERITIES: Final = ("critical", "warning", "info")
MOST_ESCALATIONS: Final = 3
"""After so many nobody is told again: the alarm stays on every screen."""
_AT_ONCE: Final = 200


def raise_alarm(connection: Connection, code: str, detail: str, at: datetime) -> None:
    """Something that a person has to look at."""
    key = f"{code}/{detail}/{at.isoformat()}"
    connection.execute(insert(ALARMS).values(at=at, code=code, detail=detail, key=key))


def raise_alarm_once(
    connection: Connection, code: str, detail: str, at: datetime, key: str, subject: str | None = None,
    order_number: str | None = None,
) -> bool:  # fmt: skip
    """The same, once for each key; whether it is a new one."""
    values = {"at": at, "code": code, "detail": detail, "key": key, "subject": subject, "order_number": order_number}
    statement = insert(ALARMS).values(values).on_conflict_do_nothing().returning(ALARMS.c.id)
    return connection.execute(statement).one_or_none() is not None


def inside(scope: Sequence[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """The alarms of orders that are inside, and those of no order."""
    if not scope:
        return []
    own = select(ORDERS.c.number).where(*scope)
    return [or_(ALARMS.c.order_number.is_(None), ALARMS.c.order_number.in_(own))]


def open_count(connection: Connection, scope: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    """Severity → how many alarms nobody has acknowledged."""
    statement = (
        select(ALARMS.c.severity, func.count().label("n"))
        .where(ALARMS.c.acknowledged_at.is_(None), *inside(scope))
        .group_by(ALARMS.c.severity)
    )
    return {row.severity: row.n for row in connection.execute(statement)}


def listed(
    connection: Connection, scope: Sequence[ColumnElement[bool]], *, is_open: bool | None = None,
    before: int | None = None, limit: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Alarms: the newest first."""
    statement = select(ALARMS).where(*inside(scope)).order_by(ALARMS.c.id.desc()).limit(limit)
    if is_open is not None:
        seen = ALARMS.c.acknowledged_at
        statement = statement.where(seen.is_(None) if is_open else seen.is_not(None))
    if before is not None:
        statement = statement.where(ALARMS.c.id < before)
    return [shown(row) for row in connection.execute(statement)]


def find(connection: Connection, identity: int, scope: Sequence[ColumnElement[bool]] = ()) -> Row[Any] | None:
    """An alarm that is inside the scope, locked."""
    statement = select(ALARMS).where(ALARMS.c.id == identity, *inside(scope)).with_for_update()
    return connection.execute(statement).one_or_none()


def shown(row: Row[Any]) -> dict[str, Any]:
    """An alarm as the API gives it."""
    return {
        "id": row.id, "at": stamp(row.at), "code": row.code, "detail": row.detail, "severity": row.severity,
        "orderNumber": row.order_number, "subject": row.subject, "escalations": row.escalations,
        "escalateAt": stamp_if_any(row.escalate_at) if row.acknowledged_at is None else None,
        "acknowledgedBy": row.acknowledged_by, "acknowledgedAt": stamp_if_any(row.acknowledged_at),
        "acknowledgement": row.acknowledgement,
    }  # fmt: skip


def acknowledge(connection: Connection, identity: int, by: str, at: datetime, note: str | None) -> None:
    """Somebody has seen it."""
    values = {"acknowledged_by": by, "acknowledged_at": at, "acknowledgement": note, "escalate_at": None}
    connection.execute(update(ALARMS).where(ALARMS.c.id == identity).values(values))


def told(row: Row[Any]) -> dict[str, Any]:
    """What a message or an audit row says about an alarm."""
    return {
        "code": row.code, "detail": row.detail, "severity": row.severity, "orderNumber": row.order_number,
        "subject": row.subject,
    }  # fmt: skip


def escalate(connection: Connection, at: datetime) -> datetime | None:
    """Escalate what nobody has acknowledged in time; when to look again, none when nothing waits."""
    due = (ALARMS.c.acknowledged_at.is_(None), ALARMS.c.escalate_at <= at)
    rows = connection.execute(select(ALARMS).where(*due).order_by(ALARMS.c.id).limit(_AT_ONCE).with_for_update()).all()
    for row in rows:
        is_last = row.escalations + 1 >= MOST_ESCALATIONS
        following = None if is_last else at + timedelta(seconds=row.escalate_seconds)
        connection.execute(
            update(ALARMS).where(ALARMS.c.id == row.id).values(escalations=row.escalations + 1, escalate_at=following)
        )
    entries = [
        audit.Entry(
            at, "system", "alarm.escalated", f"alarm/{row.id}", {"escalations": row.escalations},
            told(row) | {"escalations": row.escalations + 1},
        )
        for row in rows
    ]  # fmt: skip
    audit.append(connection, entries)
    return connection.execute(
        select(func.min(ALARMS.c.escalate_at)).where(ALARMS.c.acknowledged_at.is_(None))
    ).scalar_one_or_none()


def shortest_seconds(connection: Connection) -> int:
    """How soon the next alarm could escalate that nobody knows of yet."""
    seconds = func.min(case((RULES.c.escalate_seconds > 0, RULES.c.escalate_seconds)))
    found = connection.execute(select(seconds).where(RULES.c.is_active)).scalar_one_or_none()
    return min(int(found or DEFAULT_SECONDS), DEFAULT_SECONDS)


DEFAULT_SECONDS: Final = 900
"""An alarm without a rule escalates after a quarter of an hour (as the trigger says that sets it)."""


def rules(connection: Connection) -> list[dict[str, Any]]:
    """All rules."""
    return [rule_shown(row) for row in connection.execute(select(RULES).order_by(RULES.c.code))]


def rule_shown(row: Row[Any]) -> dict[str, Any]:
    """A rule as the API gives it."""
    return {
        "code": row.code, "name": row.name, "topic": row.topic, "severity": row.severity,
        "escalateSeconds": row.escalate_seconds, "isActive": row.is_active, "setBy": row.set_by,
        "setAt": stamp(row.set_at),
    }  # fmt: skip


def set_rule(connection: Connection, values: dict[str, Any]) -> Row[Any] | None:
    """Store a rule; the answer is the one before."""
    before = connection.execute(select(RULES).where(RULES.c.code == values["code"]).with_for_update()).one_or_none()
    statement = insert(RULES).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))
    return before
