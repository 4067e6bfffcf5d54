"""Production orders: the list, one order from approval to close, how it stood at any time."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.routing import Router
from api.scopes import Scope
from api.ui.board import STAGES, stage
from api.ui.calls import read
from api.ui.shell import PageRoute, may, page
from api.ui.steps import Step, step
from db.queries import orders as lists
from db.session import reading
from domain.rules.possible import ORDER_COMMANDS
from domain.states import ORDER, OrderState

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
PAGE: Final = 50
BESIDE: Final = ("changeOrder", "requestOrderChange", "rejectOrder", "holdOrder", "resumeOrder", "cancelOrder")
"""What may be done to an order although it does not wait for it."""


@router.get("/orders")
async def listed(
    request: Request,
    find: Annotated[str, Query(max_length=80)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Orders, newest first; `find`: the beginning of a number, a plan line or a product."""
    session = request.state.session
    inside = Scope(session.plants, session.lines).orders()
    known = state if state in set(OrderState) else None

    def rows() -> list[dict[str, Any]]:
        with reading(request.app.state.services.engine) as connection:
            return lists.page(connection, known, PAGE, after or None, [*inside, *lists.beginning(find.strip())])

    found = await run_in_threadpool(rows)
    return page(
        request, "orders.html", orders=found, find=find, state=state, states=list(OrderState), live="production-order",
        after=found[-1]["number"] if len(found) == PAGE else "",
    )  # fmt: skip


@router.get("/orders/{order_id:uuid}")
async def one(
    order_id: UUID, request: Request, moment: Annotated[int | None, Query(alias="step", ge=1, le=10**6)] = None
) -> Response:
    """One order. `step`: as it stood after that many of its facts."""
    past = await _history(request, order_id)
    chosen = None
    if moment is not None and moment < len(past):
        chosen = past[moment - 1]
    document = await read(request, f"/mes/orders/{order_id}", at=chosen["at"] if chosen else None)
    states = [own["state"] for own in document["workOrders"]]
    waits = [] if chosen else [(step(w["command"], w["what"], document["number"]), w) for w in document["waitsFor"]]
    changed = await read(request, "/master-data-impacts", state="open", order=document["number"])
    return page(
        request, "order.html", order=document, changed=changed["impacts"],
        history=list(reversed(past)), facts=len(past), chosen=chosen,
        step_number=moment if chosen else len(past), stages=STAGES, stage=stage(document["state"], states),
        waits=waits, beside=[] if chosen else _beside(request, document), live=document["number"],
        is_over=document["state"] in ("closed", "cancelled", "aborted"),
    )  # fmt: skip


@router.get("/orders/{number}")
def by_number(number: str) -> Response:
    """An order by the number that people know it by, as if its code had been scanned."""
    return RedirectResponse(f"/ui/scan?{urlencode({'code': number})}", status_code=303)


async def _history(request: Request, order_id: UUID) -> list[dict[str, Any]]:
    """All facts of the order, oldest first: at most a thousand, which is far more than people read."""
    found: dict[str, Any] = await read(request, f"/mes/orders/{order_id}/history", limit=1000)
    facts: list[dict[str, Any]] = found["facts"]
    return facts


def _beside(request: Request, document: dict[str, Any]) -> list[Step]:
    possible = {
        ORDER_COMMANDS[event] for event in ORDER.possible(OrderState(document["state"])) if event in ORDER_COMMANDS
    }
    if any(own["state"] == "requested" for own in document["changeRequests"]):
        # The decision about the change resumes the order.
        possible.discard("resumeOrder")
    possible |= set(document["changing"])
    names = [name for name in BESIDE if name in possible and may(request, name)]
    return [step(name, document["number"], document["number"]) for name in names]
