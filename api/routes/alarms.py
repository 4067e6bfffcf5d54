"""Alarms: what somebody has to look at, who has, and the rules that raise alarms."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Connection

from api.clock import now
from api.deps import Caller, Reading, Who, only
from api.direct_acts import act
from api.errors import refused
from api.routing import Router
from api.shapes import CommandBody, LongText, Text
from db import audit
from db.once import Request
from db.queries import alarms as tables
from domain.base import Message

router = Router(tags=["alarms"])
Acknowledger = Annotated[Caller, Depends(only("acknowledgeAlarm", "alarm"))]
Engineer = Annotated[Caller, Depends(only("setAlarmRule", "alarm-rule"))]


class AcknowledgeBody(CommandBody):
    """Somebody has seen an alarm; `note` says what they do about it."""

    note: LongText | None = None


class RuleBody(CommandBody):
    """A rule. With a `topic` it raises an alarm for each act of the audit trail that matches (`*`: anything; several
    with commas); without, it says how bad the system's own alarms of this code are. 0 seconds: never escalated."""

    code: Annotated[str, Field(min_length=3, max_length=60, pattern=r"^[A-Z][A-Z0-9_]*$")]
    name: Text
    topic: Annotated[str | None, Field(min_length=1, max_length=300, pattern=r"^[A-Za-z*][A-Za-z0-9_.*,-]*$")] = None
    severity: Literal["critical", "warning", "info"] = "warning"
    escalate_seconds: Annotated[int, Field(ge=0, le=30 * 24 * 3600)] = 900
    is_active: bool = True


class Acknowledged(Message):
    """An alarm that somebody has seen."""

    id: int
    by: str


class RuleSet(Message):
    """A rule as it stands now."""

    code: str


@router.get("/alarms")
def listed(
    reading: Reading,
    who: Who,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Alarms inside the caller's scope, newest first; `count` says how many nobody has acknowledged, by severity."""
    scope = who.scope.orders()
    found = tables.listed(reading, scope, is_open=is_open, before=before, limit=limit)
    following = found[-1]["id"] if len(found) == limit else None
    return {"alarms": found, "count": tables.open_count(reading, scope), "next": following}


@router.post("/alarms/{alarm_id}/acknowledge")
def acknowledge(
    alarm_id: Annotated[int, Field(ge=1, le=2**62)], body: AcknowledgeBody, who: Acknowledger
) -> dict[str, Any]:
    """Say that somebody has seen it: it does not escalate any more. Once; the first one counts."""
    entity = f"alarm/{alarm_id}"
    request = Request("acknowledgeAlarm", entity, body.command_id, who.id, now(), {"note": body.note})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[Acknowledged, Sequence[audit.Entry]]:
        row = tables.find(connection, alarm_id, who.scope.orders())
        if row is None:
            raise refused("UNKNOWN_ALARM", "alarm", str(alarm_id), "no such alarm", "an alarm of one's own area")
        if row.acknowledged_at is not None:
            found = f"acknowledged by {row.acknowledged_by}"
            raise refused("INVALID_TRANSITION", "alarm", str(alarm_id), found, "an alarm that nobody has acknowledged")
        tables.acknowledge(connection, alarm_id, request.actor, request.at, body.note)
        entry = request.audit("alarm.acknowledged", tables.told(row) | {"note": body.note}, reason=body.note)
        return Acknowledged(id=alarm_id, by=request.actor), [entry]

    return act(who, request, Acknowledged, work).model_dump(mode="json", by_alias=True)


@router.get("/alarm-rules")
def rules(reading: Reading) -> dict[str, Any]:
    """All rules."""
    return {"rules": tables.rules(reading)}


@router.post("/alarm-rules")
def set_rule(body: RuleBody, who: Engineer) -> dict[str, Any]:
    """Make a rule, or change the one of that code. It counts for alarms that are raised from now on."""
    told = {
        "name": body.name, "topic": body.topic, "severity": body.severity, "escalateSeconds": body.escalate_seconds,
        "isActive": body.is_active,
    }  # fmt: skip
    request = Request("setAlarmRule", f"alarm-rule/{body.code}", body.command_id, who.id, now(), told)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[RuleSet, Sequence[audit.Entry]]:
        row = tables.set_rule(
            connection,
            {
                "code": body.code, "name": body.name, "topic": body.topic, "severity": body.severity,
                "escalate_seconds": body.escalate_seconds, "is_active": body.is_active, "set_by": request.actor,
                "set_at": request.at,
            },
        )  # fmt: skip
        old = None if row is None else {name: tables.rule_shown(row)[name] for name in told}
        return RuleSet(code=body.code), [request.audit("alarm-rule.set", told, old=old, reason=body.reason)]

    return act(who, request, RuleSet, work).model_dump(mode="json", by_alias=True)
