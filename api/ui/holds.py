"""Holds of lots: what one would stop, how far the orders are with their answers, its release."""

from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.routing import Router
from api.ui.calls import read
from api.ui.newest import to_newest
from api.ui.shell import PageRoute, page
from db.queries.record_people import names
from db.session import reading
from domain.base import uuid_for

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
LIVE: Final = "lot,production-order"
SHOWN: Final = 200
Lot = Annotated[str, Query(min_length=1, max_length=80)]


@router.get("/holds")
async def listed(request: Request, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    """The holds that are not released, newest first; with `show=all` the others, too."""
    more = {} if show == "all" else {"open": True}
    found = (await read(request, "/quality/holds", limit=SHOWN, **more))["holds"]
    people = await run_in_threadpool(_people, request, found)
    return page(request, "holds.html", holds=found, people=people, show=show, shown=SHOWN, live=LIVE)


@router.get("/holds/new")
async def new(request: Request, lot: Lot, downstream: bool = False) -> Response:
    """What a hold of a lot would stop, and the form that places it with exactly these numbers."""
    shown = await read(request, f"/quality/lots/{lot}/hold-preview", downstream=downstream)
    return page(
        request, "hold_new.html", lot=lot, preview=shown, downstream=downstream, order_ids=_ids(shown["orders"]),
        live="",
    )  # fmt: skip


@router.get("/holds/newest")
async def newest(request: Request, lot: Lot) -> Response:
    """The hold that was placed last of those that a lot is under: where a new one leads to."""
    return await to_newest(request, lot, "/quality/holds")


@router.get("/holds/{number}")
async def one(number: str, request: Request) -> Response:
    """A hold: its lots, and each order with what it answered."""
    found = await read(request, f"/quality/holds/{number}")
    people = await run_in_threadpool(_people, request, found)
    numbers = {own["orderNumber"] for own in found["orders"]} | {own["order"] for own in found["lots"] if own["order"]}
    return page(request, "hold.html", hold=found, people=people, order_ids=_ids(numbers), live=LIVE)


def _people(request: Request, found: Any) -> dict[str, str]:
    with reading(request.app.state.services.engine) as connection:
        return names(connection, {"own": found})


def _ids(numbers: Any) -> dict[str, str]:
    return {number: str(uuid_for("production-order", number)) for number in numbers}
