"""Alarms, and the messages that could not be brought out or were not taken in."""

from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.ui.calls import read
from api.ui.direct import may_act
from api.ui.shell import PageRoute, page
from db.queries.record_people import names
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 100


def _people(request: Request, found: Any) -> dict[str, str]:
    with reading(request.app.state.services.engine) as connection:
        return names(connection, {"own": found})


@router.get("/alarms")
async def alarms(request: Request, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    """The alarms that nobody has acknowledged; with `show=all` the others, too. Below them the rules."""
    more = {} if show == "all" else {"open": True}
    found = await read(request, "/alarms", limit=SHOWN, **more)
    rules = (await read(request, "/alarm-rules"))["rules"]
    people = await run_in_threadpool(_people, request, [own["acknowledgedBy"] for own in found["alarms"]])
    return page(
        request, "alarms.html", alarms=found["alarms"], count=found["count"], rules=rules, people=people, show=show,
        shown=SHOWN, live="alarm,alarm-rule", may_act=lambda name: may_act(request, name),
    )  # fmt: skip


@router.get("/interfaces")
async def outgoing(request: Request, state: Annotated[str, Query(max_length=20)] = "parked") -> Response:
    """Where messages go, what waits, and what a person has to decide about."""
    endpoints = (await read(request, "/integration/endpoints"))["endpoints"]
    more = {} if state == "all" else {"state": state}
    found = (await read(request, "/integration/outbound-messages", limit=SHOWN, **more))["messages"]
    return page(
        request, "outgoing.html", endpoints=endpoints, messages=found, state=state, shown=SHOWN,
        live="message,endpoint,alarm", may_act=lambda name: may_act(request, name),
    )  # fmt: skip


@router.get("/interfaces/incoming")
async def incoming(request: Request, state: Annotated[str, Query(max_length=20)] = "quarantined") -> Response:
    """The quarantine of messages that were not taken, and the systems that may send."""
    systems = (await read(request, "/integration/systems"))["systems"]
    more = {} if state == "all" else {"state": state}
    found = (await read(request, "/integration/inbound-messages", limit=SHOWN, **more))["messages"]
    return page(
        request, "incoming.html", systems=systems, messages=found, state=state, shown=SHOWN, one=None,
        live="inbound-message,interface-system", may_act=lambda name: may_act(request, name),
    )  # fmt: skip


@router.get("/interfaces/incoming/{number}")
async def one(number: int, request: Request) -> Response:
    """One message as it came, with everything that is against it."""
    if number < 1:
        raise not_found("message", number)
    found = await read(request, f"/integration/inbound-messages/{number}")
    return page(
        request, "incoming_one.html", one=found, live="inbound-message", may_act=lambda name: may_act(request, name)
    )  # fmt: skip


@router.get("/interfaces/outgoing/{message_id}")
async def sent(message_id: str, request: Request) -> Response:
    """One message with the fact that it tells and what is sent."""
    found = await read(request, f"/integration/outbound-messages/{message_id}")
    return page(request, "outgoing_one.html", one=found, live="message", may_act=lambda name: may_act(request, name))
