"""Neighbours: where messages go and what became of them. What comes in stands in `api/routes/inbound.py`."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Query
from pydantic import Field, field_validator

from api import interfaces
from api.deps import Caller, Reading, Who, only
from api.errors import not_found
from api.routing import Router
from api.shapes import CommandBody, ReasonedBody, Text
from db import outbox
from domain.outbound import Endpoint, MessageFormat, MessageState

router = Router(prefix="/integration", tags=["integration"])
Administrator = Annotated[Caller, Depends(only("manageInterfaces", "endpoint"))]
Decider = Annotated[Caller, Depends(only("decideOutboundMessage", "message"))]
Topic = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z*][A-Za-z0-9_.*-]*$")]


class EndpointBody(CommandBody):
    """Where messages go. `topics` are acts of the audit trail (`*` stands for anything) and `alarm.raised`.

    `{token}` in the address is filled in from the environment where the courier runs: no secret belongs in here.
    """

    code: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    name: Text
    format: MessageFormat = MessageFormat.EVENT
    url: Annotated[str, Field(min_length=8, max_length=500)]
    topics: Annotated[list[Topic], Field(min_length=1, max_length=50)]
    attempts: Annotated[int, Field(ge=1, le=100)] = 10
    timeout_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    per_minute: Annotated[int | None, Field(ge=1, le=6000)] = None
    is_active: bool = True

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url.replace("{token}", "token"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError("an http or https address without user and password is needed")
        return url


@router.get("/endpoints")
def listed(reading: Reading) -> dict[str, Any]:
    """All endpoints, with what waits for each of them."""
    return {"endpoints": interfaces.endpoints(reading)}


@router.post("/endpoints")
def set_endpoint(body: EndpointBody, who: Administrator) -> dict[str, Any]:
    """Make an endpoint, or change the one of that code."""
    endpoint = Endpoint(**body.model_dump(include=set(Endpoint.model_fields)))
    return interfaces.set_endpoint(who, endpoint, body.command_id, body.reason).model_dump(mode="json", by_alias=True)


@router.get("/outbound-messages")
def messages(
    reading: Reading,
    who: Who,
    state: Literal["pending", "delivered", "parked", "discarded"] | None = None,
    endpoint: Annotated[str | None, Query(max_length=40)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Messages, newest first; `next` is the `before` of the next page."""
    found = outbox.listed(reading, state=state, endpoint=endpoint, subject=subject, before=before, limit=limit)
    return {"messages": found, "next": found[-1]["position"] if len(found) == limit else None}


@router.get("/outbound-messages/{message_id}")
def message(message_id: str, reading: Reading) -> dict[str, Any]:
    """One message with the fact that it tells (`data`) and what is sent (`content`, from the first attempt on)."""
    found = outbox.find(reading, message_id)
    if found is None:
        raise not_found("message", message_id)
    return found


@router.post("/outbound-messages/{message_id}/retry")
def retry(message_id: str, body: ReasonedBody, who: Decider) -> dict[str, Any]:
    """Send a parked message again, with all attempts anew."""
    decided = interfaces.decide(who, message_id, MessageState.PENDING, body.command_id, body.reason)
    return decided.model_dump(mode="json", by_alias=True)


@router.post("/outbound-messages/{message_id}/discard")
def discard(message_id: str, body: ReasonedBody, who: Decider) -> dict[str, Any]:
    """Give a parked message up: it is never sent, and later ones about the same subject go on."""
    decided = interfaces.decide(who, message_id, MessageState.DISCARDED, body.command_id, body.reason)
    return decided.model_dump(mode="json", by_alias=True)
