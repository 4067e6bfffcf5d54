"""Messages to systems outside: where they go, and what a person decides about one that could not be delivered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as upsert

from api.clock import now
from api.deps import Caller
from api.direct_acts import act
from api.errors import refused
from db import audit, outbox
from db.once import Request
from db.outbox import ENDPOINTS
from db.queries.written import stamp
from domain.base import Message
from domain.outbound import Endpoint, MessageState


class EndpointSet(Message):
    """An endpoint as it stands now."""

    code: str
    is_active: bool


class MessageDecided(Message):
    """What a message is now."""

    id: str
    state: MessageState


def set_endpoint(who: Caller, endpoint: Endpoint, command_id: str, reason: str | None) -> EndpointSet:
    """Make or change an endpoint. From the commit on, what it subscribes to is written for it."""
    content = endpoint.model_dump(mode="json", by_alias=True) | {"reason": reason}
    request = Request("setEndpoint", f"endpoint/{endpoint.code}", command_id, who.id, now(), content)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[EndpointSet, Sequence[audit.Entry]]:
        row = connection.execute(ENDPOINTS.select().where(ENDPOINTS.c.code == endpoint.code)).one_or_none()
        old = None if row is None else _told(outbox.endpoint_of(row))
        values: dict[str, Any] = endpoint.model_dump() | {
            "topics": ",".join(endpoint.topics), "set_by": request.actor, "set_at": request.at,
        }  # fmt: skip
        statement = upsert(ENDPOINTS).values(values)
        connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))
        entry = request.audit("endpoint.set", _told(endpoint), old=old, reason=reason)
        return EndpointSet(code=endpoint.code, is_active=endpoint.is_active), [entry]

    return act(who, request, EndpointSet, work)


def _told(endpoint: Endpoint) -> dict[str, Any]:
    return endpoint.model_dump(mode="json", by_alias=True) | {"topics": ",".join(endpoint.topics)}


def decide(who: Caller, message: str, state: MessageState, command_id: str, reason: str) -> MessageDecided:
    """Send a parked message again, or give it up for good. A message that is not parked is left alone."""
    kind = "retryMessage" if state == MessageState.PENDING else "discardMessage"
    request = Request(kind, f"message/{message}", command_id, who.id, now(), {"reason": reason})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[MessageDecided, Sequence[audit.Entry]]:
        row = outbox.lock(connection, message)
        if row is None:
            raise refused("UNKNOWN_MESSAGE", "message", message, "no such message", "a message of the outbox")
        if row.state != MessageState.PARKED:
            raise refused("INVALID_TRANSITION", "message", message, row.state, MessageState.PARKED)
        outbox.decide(connection, message, state, who.id, reason)
        action = "message.retried" if state == MessageState.PENDING else "message.discarded"
        old = {"state": row.state, "attempts": row.attempts, "lastError": row.last_error}
        return MessageDecided(id=message, state=state), [
            request.audit(action, {"state": state}, old=old, reason=reason)
        ]

    return act(who, request, MessageDecided, work)


def endpoints(connection: Connection) -> list[dict[str, Any]]:
    """All endpoints, each with how many of its messages wait and are parked, and since when the oldest waits."""
    waiting = outbox.counts(connection)
    found = []
    for row in connection.execute(ENDPOINTS.select().order_by(ENDPOINTS.c.code)):
        counted = {state: waiting.get((row.code, state)) for state in (MessageState.PENDING, MessageState.PARKED)}
        oldest = [own[1] for own in counted.values() if own is not None]
        found.append(
            outbox.endpoint_of(row).model_dump(mode="json", by_alias=True)
            | {str(state): 0 if own is None else own[0] for state, own in counted.items()}
            | {"oldest": stamp(min(oldest)) if oldest else None, "setBy": row.set_by, "setAt": stamp(row.set_at)}
        )
    return found
