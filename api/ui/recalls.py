"""Recalls and mock recalls: the list, and one with its report, its steps, its customers, its sums and its evidence."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.routing import Router
from api.ui.calls import Unanswered, call, read
from api.ui.shell import PageRoute, context, page
from db.queries.record_people import names
from db.session import reading
from domain.base import uuid_for
from domain.recall_states import RecallState

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 200
LIVE: Final = "recall,shipment,lot,production-order"


@router.get("/recalls")
async def listed(request: Request, lot: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Recalls, newest first; and the form that opens one, for a lot when one is named."""
    found = (await read(request, "/quality/recalls", limit=SHOWN))["recalls"]
    people = await run_in_threadpool(_people, request, found)
    return page(request, "recalls.html", recalls=found, people=people, lot=lot, shown=SHOWN, live="recall")


@router.get("/recalls/newest")
async def newest(request: Request) -> Response:
    """The recall that was opened last: where opening one leads to."""
    found = (await read(request, "/quality/recalls", limit=1))["recalls"]
    return RedirectResponse("/ui/recalls" + (f"/{quote(found[0]['number'], safe='')}" if found else ""), 303)


@router.get("/recalls/{number}")
async def one(number: str, request: Request) -> Response:
    """One recall: what it reaches, what was done, what is to be done next."""
    found = await read(request, f"/quality/recalls/{number}")
    people = await run_in_threadpool(_people, request, found)
    scope = found["scope"] or {"orders": []}
    orders = [own["orderNumber"] for own in scope["orders"]]
    told = {own["consignee"] for own in found["entries"] if own["kind"] == "told"}
    return page(
        request, "recall.html", recall=found, people=people, told=told, live=LIVE, way=_way(found["state"]),
        order_ids={own: str(uuid_for("production-order", own)) for own in orders},
    )  # fmt: skip


@router.get("/recalls/{number}/pdf")
async def evidence(number: str, request: Request) -> Response:
    """All the evidence in one file, in the language of the page. Who printed it is audited."""
    language = context(request)["language"]
    answer = await call(request, "GET", f"/quality/recalls/{number}/pdf", query={"language": language})
    if not answer.accepted:
        raise Unanswered(answer)
    headers = {name: answer.headers[name] for name in ("content-disposition",) if name in answer.headers}
    return Response(answer.body, media_type=answer.headers["content-type"], headers=headers)


def _way(state: str) -> list[tuple[str, str]]:
    """(state, past, now or later) of the way of a recall."""
    states = [str(own) for own in RecallState]
    at = states.index(state)
    is_over = at == len(states) - 1
    return [(own, "past" if n < at or is_over else "now" if n == at else "") for n, own in enumerate(states)]


def _people(request: Request, found: Any) -> dict[str, str]:
    with reading(request.app.state.services.engine) as connection:
        return names(connection, {"own": found})
