"""The serial numbers of a lot: all of them, found by a part."""

from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.ui.direct import may_act
from api.ui.shell import PageRoute, page
from db import serials
from db.queries import stock
from db.queries.record_people import names
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 500


@router.get("/lot-serials/{lot:path}")
async def of_lot(lot: str, request: Request, find: Annotated[str, Query(max_length=20)] = "") -> Response:
    """The pieces of a lot with a number of their own; `find`: those whose number holds it."""

    def look() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            own = stock.lot(connection, lot)
            if own is None:
                raise not_found("lot", lot)
            found = serials.page(connection, lot, find.strip(), SHOWN)
            return {
                "lot": own, "pieces": found, "count": serials.count(connection, lot),
                "people": names(connection, {"own": found}),
            }  # fmt: skip

    found = await run_in_threadpool(look)
    return page(
        request, "lot_serials.html", find=find.strip(), shown=SHOWN, live=lot,
        may_act=lambda name: may_act(request, name), **found,
    )  # fmt: skip
