"""The outbox: what has to be told outside stands in the record with the fact, and stays until it is told or given up.

A message is claimed before it is sent: the claim counts the attempt and moves the next one behind the time-out, so a
courier that dies in the middle leaves it to the next one. Times are the database server's. Messages about one subject
go to one endpoint in the order in which they were written; a parked one holds the later ones up.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, literal, select, text, update

from db import audit
from db.queries.alarms import raise_alarm_once
from db.queries.written import stamp, stamp_if_any
from db.tables import OutboundEndpoint, OutboundMessage, core
from domain.outbound import Endpoint, MessageState

ENDPOINTS: Final = core(OutboundEndpoint)
MESSAGES: Final = core(OutboundMessage)
_ERROR_LENGTH: Final = 500
PARKED: Final = "MESSAGE_PARKED"

_OPEN: Final = (MessageState.PENDING, MessageState.PARKED)


@dataclass(frozen=True)
class Claimed:
    """A message that may be sent now, by this courier alone until its lease is over."""

    id: str
    topic: str
    subject: str
    data: dict[str, Any]
    content: dict[str, Any] | None
    attempts: int
    created_at: datetime


def due(connection: Connection) -> list[Endpoint]:
    """The endpoints for which something is due, and may be sent in this minute."""
    recent = (
        select(func.count())
        .where(
            MESSAGES.c.endpoint == ENDPOINTS.c.code,
            MESSAGES.c.last_attempt_at > func.now() - text("interval '1 minute'"),
        )
        .scalar_subquery()
    )
    waiting = select(literal(1)).where(
        MESSAGES.c.endpoint == ENDPOINTS.c.code, MESSAGES.c.state == MessageState.PENDING,
        MESSAGES.c.next_attempt_at <= func.now(),
    ).exists()  # fmt: skip
    statement = select(ENDPOINTS).where(
        ENDPOINTS.c.is_active, waiting, ENDPOINTS.c.per_minute.is_(None) | (recent < ENDPOINTS.c.per_minute)
    )
    return [endpoint_of(row) for row in connection.execute(statement)]


def endpoint_of(row: Row[Any]) -> Endpoint:
    """An endpoint as it is configured."""
    return Endpoint(
        code=row.code, name=row.name, format=row.format, url=row.url, topics=tuple(row.topics.split(",")),
        attempts=row.attempts, timeout_seconds=row.timeout_seconds, per_minute=row.per_minute,
        is_active=row.is_active,
    )  # fmt: skip


def claim(connection: Connection, endpoint: Endpoint, pause_seconds: int) -> Claimed | None:
    """The next message that is due, for this attempt; none when there is none. `pause_seconds`: how long after the
    time-out nobody else tries it."""
    before = MESSAGES.alias("before")
    held_up = select(literal(1)).where(
        before.c.endpoint == MESSAGES.c.endpoint, before.c.subject == MESSAGES.c.subject,
        before.c.position < MESSAGES.c.position, before.c.state.in_(_OPEN),
    ).exists()  # fmt: skip
    found = connection.execute(
        select(MESSAGES)
        .where(
            MESSAGES.c.endpoint == endpoint.code, MESSAGES.c.state == MessageState.PENDING,
            MESSAGES.c.next_attempt_at <= func.now(), ~held_up,
        )
        .order_by(MESSAGES.c.position)
        .limit(1)
        .with_for_update(skip_locked=True, of=MESSAGES)
    ).one_or_none()  # fmt: skip
    if found is None:
        return None
    lease = text("make_interval(secs => :lease)").bindparams(lease=endpoint.timeout_seconds + pause_seconds)
    connection.execute(
        update(MESSAGES)
        .where(MESSAGES.c.id == found.id)
        .values(
            attempts=MESSAGES.c.attempts + 1, last_attempt_at=func.now(), next_attempt_at=func.now() + lease,
        )
    )  # fmt: skip
    return Claimed(
        found.id, found.topic, found.subject, found.data, found.content, found.attempts + 1, found.created_at
    )


def freeze(connection: Connection, message: str, content: dict[str, Any]) -> None:
    """Keep what is sent, so that every attempt sends the same."""
    own = (MESSAGES.c.id == message, MESSAGES.c.content.is_(None))
    connection.execute(update(MESSAGES).where(*own).values(content=content))


def delivered(connection: Connection, message: str) -> None:
    """The receiver has it."""
    own = (MESSAGES.c.id == message, MESSAGES.c.state == MessageState.PENDING)
    connection.execute(
        update(MESSAGES)
        .where(*own)
        .values(state=MessageState.DELIVERED, delivered_at=func.now(), last_error=None)
    )  # fmt: skip


def failed(connection: Connection, message: str, error: str, pause_seconds: int) -> None:
    """An attempt has failed; there is another one later."""
    own = (MESSAGES.c.id == message, MESSAGES.c.state == MessageState.PENDING)
    pause = text("make_interval(secs => :pause)").bindparams(pause=pause_seconds)
    connection.execute(
        update(MESSAGES)
        .where(*own)
        .values(last_error=error[:_ERROR_LENGTH], next_attempt_at=func.now() + pause)
    )  # fmt: skip


def park(connection: Connection, message: Claimed, endpoint: Endpoint, error: str, at: datetime) -> None:
    """No more attempts by itself: a person decides. An alarm says so, unless it is an alarm that could not be told."""
    own = (MESSAGES.c.id == message.id, MESSAGES.c.state == MessageState.PENDING)
    parked = connection.execute(
        update(MESSAGES)
        .where(*own)
        .values(state=MessageState.PARKED, last_error=error[:_ERROR_LENGTH])
        .returning(MESSAGES.c.id)
    ).one_or_none()
    if parked is None:
        return
    if not message.topic.startswith("alarm."):
        detail = f"{message.topic} {message.subject} could not be sent to {endpoint.code}: {error[:200]}"
        key, subject = f"{PARKED}/{message.id}/{at.isoformat()}", f"message/{message.id}"
        raise_alarm_once(connection, PARKED, detail, at, key, subject)
    new = {"state": MessageState.PARKED, "attempts": message.attempts, "lastError": error[:_ERROR_LENGTH]}
    entry = audit.Entry(
        at, "system", "message.parked", f"message/{message.id}", {"state": MessageState.PENDING}, new
    )  # fmt: skip
    audit.append(connection, [entry])


def lock(connection: Connection, message: str) -> Row[Any] | None:
    """A message for a person's decision."""
    return connection.execute(select(MESSAGES).where(MESSAGES.c.id == message).with_for_update()).one_or_none()


def decide(connection: Connection, message: str, state: MessageState, actor: str, reason: str) -> None:
    """A person has it sent again, with all attempts anew, or gives it up."""
    connection.execute(
        update(MESSAGES)
        .where(MESSAGES.c.id == message)
        .values(state=state, attempts=0, next_attempt_at=func.now(), decided_by=actor, reason=reason)
    )


def listed(
    connection: Connection,
    *,
    state: str | None = None,
    endpoint: str | None = None,
    subject: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Messages, newest first; `before` is the `position` that the last page ended with."""
    statement = select(MESSAGES).order_by(MESSAGES.c.position.desc()).limit(limit)
    for column, wanted in ((MESSAGES.c.state, state), (MESSAGES.c.endpoint, endpoint), (MESSAGES.c.subject, subject)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if before is not None:
        statement = statement.where(MESSAGES.c.position < before)
    return [shown(row) for row in connection.execute(statement)]


def find(connection: Connection, message: str) -> dict[str, Any] | None:
    """One message with what it says."""
    row = connection.execute(select(MESSAGES).where(MESSAGES.c.id == message)).one_or_none()
    return None if row is None else shown(row) | {"data": row.data, "content": row.content}


def shown(row: Row[Any]) -> dict[str, Any]:
    """A message as the API gives it."""
    return {
        "id": row.id, "position": row.position, "endpoint": row.endpoint, "topic": row.topic, "subject": row.subject,
        "state": row.state, "attempts": row.attempts, "createdAt": stamp(row.created_at),
        "nextAttemptAt": stamp(row.next_attempt_at) if row.state == MessageState.PENDING else None,
        "lastAttemptAt": stamp_if_any(row.last_attempt_at), "lastError": row.last_error,
        "deliveredAt": stamp_if_any(row.delivered_at), "decidedBy": row.decided_by, "reason": row.reason,
    }  # fmt: skip


def counts(connection: Connection) -> dict[tuple[str, str], tuple[int, datetime]]:
    """(endpoint, state) → how many are not delivered, and since when the oldest."""
    oldest = func.min(MESSAGES.c.created_at).label("o")
    statement = (
        select(MESSAGES.c.endpoint, MESSAGES.c.state, func.count().label("n"), oldest)
        .where(MESSAGES.c.state.in_(_OPEN))
        .group_by(MESSAGES.c.endpoint, MESSAGES.c.state)
    )  # fmt: skip
    return {(row.endpoint, row.state): (row.n, row.o) for row in connection.execute(statement)}
