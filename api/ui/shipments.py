"""Shipments: what is prepared, left and came back, of one lot or of all; the form of a new one."""

import uuid
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.ui.calls import read
from api.ui.direct import may_act
from api.ui.newest import to_newest
from api.ui.scan import names_in
from api.ui.shell import PageRoute, page
from db.queries import lot_search, stock
from db.queries import shipments as tables
from db.queries.record_people import names
from db.session import reading
from domain.shipping_states import ShipmentState

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
LIVE: Final = "shipment,lot"
SHOWN: Final = 200
AGAIN: Final = 6
"""Consignees that are proposed."""
ADDRESS: Final = ("consignee", "address", "contact", "transport")
SALEABLE: Final = "released"
"""The zone of places that goods leave from."""
STATES: Final = tuple(str(state) for state in ShipmentState)
Lot = Annotated[str, Query(max_length=300)]


@router.get("/shipments")
async def listed(
    request: Request,
    lot: Lot = "",
    state: Annotated[str, Query(max_length=20)] = "",
    consignee: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Shipments, newest first, of a lot, of a consignee, in a state."""
    asked = {"lot": lot.strip() or None, "state": state or None, "consignee": consignee.strip() or None}
    found = (await read(request, "/wms/shipments", limit=SHOWN, **asked))["shipments"]
    return page(
        request, "shipments.html", shipments=found, lot=lot.strip(), state=state, consignee=consignee.strip(),
        states=STATES, shown=SHOWN, live=LIVE,
    )  # fmt: skip


@router.get("/shipments/new")
async def new(request: Request, lot: Lot = "", like: Annotated[str, Query(max_length=120)] = "") -> Response:
    """The form of a shipment of a lot; without a lot, the field that takes one. `like`: addressed as that one was."""

    def look() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            return _form(connection, lot.strip(), like)

    found = await run_in_threadpool(look)
    return page(request, "shipment_new.html", command_id=uuid.uuid4().hex, asked=lot.strip(), live="", **found)


def _form(connection: Connection, code: str, like: str) -> dict[str, Any]:
    """What the form is filled in with. Raises 404 for a lot or a shipment that there is not."""
    known = tables.consignees(connection, AGAIN)
    found: dict[str, Any] = {"lot": None, "places": [], "known": known, "like": dict.fromkeys(ADDRESS, "")}
    if not code:
        return found
    own = stock.lot(connection, names_in(connection, code)[0])
    if own is None:
        raise not_found("lot", code)
    if like:
        earlier = tables.page(connection, number=like)
        if not earlier:
            raise not_found("shipment", like)
        found["like"] = earlier[0]
    places = stock.free_places(one for one in own["stock"] if one["zone"] == SALEABLE)
    return found | {"lot": own, "places": places, "name": lot_search.name_of(connection, own["material"])}


@router.get("/shipments/newest")
async def newest(request: Request, lot: Lot) -> Response:
    """The shipment of a lot that was prepared last: where a new one leads to."""
    return await to_newest(request, lot, "/wms/shipments")


@router.get("/shipments/{number}")
async def one(number: str, request: Request) -> Response:
    """One shipment: who gets what, its steps, what came back of it."""
    found = await read(request, f"/wms/shipments/{number}")

    def look() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            back = tables.returns(connection, number)
            return {"returns": back, "people": names(connection, {"own": [found, *back]})}

    more = await run_in_threadpool(look)
    return page(
        request, "shipment.html", shipment=found, live=LIVE, may_act=lambda name: may_act(request, name), **more
    )  # fmt: skip
