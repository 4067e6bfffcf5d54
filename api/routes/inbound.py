"""Messages that come in from registered systems, and the quarantine of those that were not taken."""

from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api import inbound
from api.deps import Caller, Reading, only
from api.errors import not_found
from api.inbound_effects import KINDS
from api.routing import Router
from api.shapes import CommandBody, Identifier, ReasonedBody, Text
from db.queries import inbound as tables

router = Router(prefix="/integration", tags=["integration"])
Administrator = Annotated[Caller, Depends(only("manageInterfaces", "interface-system"))]
System = Annotated[Caller, Depends(only("sendMessage", "inbound-message"))]
Decider = Annotated[Caller, Depends(only("decideInboundMessage", "inbound-message"))]
Kind = Literal["operations-schedule", "laboratory-result", "plm-change-order", "plm-product-definition"]
_ANY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


class SystemBody(CommandBody):
    """A system outside: the machine account whose key it has, and the kinds of message that are taken from it."""

    account: Identifier
    name: Text
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=4)]
    policy: Identifier | None = None
    is_active: bool = True


_PUT_ASIDE: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Put aside: `blockers` say what is wrong with the message, and a person decides about it."}
}


@router.get("/systems")
def systems(reading: Reading) -> dict[str, Any]:
    """All registered systems, and the kinds of message that there are."""
    return {"systems": tables.systems(reading), "kinds": list(KINDS)}


@router.post("/systems")
def set_system(body: SystemBody, who: Administrator) -> dict[str, Any]:
    """Register a system, or change it. `policy`: under which the orders of its schedules are made."""
    found = inbound.set_system(
        who, body.account, body.name, body.kinds, body.policy, body.is_active, body.command_id
    )  # fmt: skip
    return found.model_dump(mode="json", by_alias=True)


@router.post("/messages/{kind}", openapi_extra=_ANY, responses=_PUT_ASIDE)
async def receive(
    kind: Annotated[str, Field(min_length=1, max_length=40)],
    request: Request,
    who: System,
    message_id: Annotated[str, Header(alias="Message-Id")] = "",
    content_sha256: Annotated[str, Header(alias="Content-SHA256")] = "",
) -> Response:
    """Take a message: `operations-schedule` (B2MML), `laboratory-result` or `plm-change-order`.

    200: it has had its effect, now or before (`duplicate`). 202: it was put aside, `blockers` say why; it is not lost,
    and a person decides about it. 503: send the same message again.
    """
    content = await request.body()
    status, answer = await inbound.take(who, inbound.arrived(who, kind, message_id, content_sha256, content))
    return JSONResponse(answer, status)


@router.get("/inbound-messages")
def messages(
    reading: Reading,
    state: Literal["accepted", "quarantined", "discarded"] | None = None,
    source: Annotated[str | None, Query(max_length=80)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Messages, newest first; `next` is the `before` of the next page."""
    found = tables.listed(reading, state, source, before, limit)
    return {"messages": found, "next": found[-1]["number"] if len(found) == limit else None}


Number = Annotated[int, Field(ge=1, le=2**62)]


@router.get("/inbound-messages/{number}")
def message(number: Number, reading: Reading) -> dict[str, Any]:
    """One message with its body, as it came."""
    found = tables.find(reading, number)
    if found is None:
        raise not_found("message", number)
    return found


@router.post("/inbound-messages/{number}/retry")
async def retry(number: Number, body: ReasonedBody, who: Decider) -> dict[str, Any]:
    """Try a message of the quarantine again, as it came. 409 names what is still against it."""
    return await inbound.retry(who, number, body.reason)


@router.post("/inbound-messages/{number}/discard")
def discard(number: Number, body: ReasonedBody, who: Decider) -> dict[str, Any]:
    """Decide that a message of the quarantine has no effect."""
    return inbound.discard(who, number, body.command_id, body.reason).model_dump(mode="json", by_alias=True)
