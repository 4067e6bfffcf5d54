"""Moving stock of a lot from a place to another one."""

import uuid
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from adapters.inventory.movements import ZONES
from adapters.inventory.planning import LINE, REJECTED
from api.errors import not_found
from api.routing import Router
from api.ui.actions import safe_back
from api.ui.ask import places_in
from api.ui.shell import PageRoute, page
from db.queries import stock
from db.session import reading
from domain.states import LotStatus

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
NOT_BY_HAND: Final = frozenset({LINE, "outside"})
"""Zones that stock enters and leaves by issue, return and shipment alone."""


@router.get("/stock-move")
async def form(
    request: Request, lot: Annotated[str, Query(min_length=1, max_length=80)], back: str = "/ui/"
) -> Response:
    """The form: where something of the lot is free, and the places whose zone fits its status."""

    def look() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            own = stock.lot(connection, lot)
        if own is None:
            raise not_found("lot", lot)
        here = [one for one in own["stock"] if one["zone"] not in NOT_BY_HAND]
        is_rejected = own["status"] == LotStatus.REJECTED and any(one["zone"] == REJECTED for one in here)
        return {
            "lot": own, "sources": stock.free_places(here),
            "targets": places_in(request, ZONES[own["status"]]), "needs_approval": is_rejected,
        }  # fmt: skip

    found = await run_in_threadpool(look)
    return page(request, "stock_move.html", back=safe_back(back), command_id=uuid.uuid4().hex, **found)
