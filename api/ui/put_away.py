"""Putting away: what stands at the line, the places that fit it, its label; and what still waits for its release."""

from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.roles import Role
from api.routing import Router
from api.ui.calls import Unanswered, call, read
from api.ui.possible import possible, scope_of
from api.ui.scan import names_in, readable
from api.ui.shell import PageRoute, context, page
from db.queries import waiting, warehouse_lists
from db.session import reading
from domain.quantities import plain

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

GATES: Final = ("reviewBatchRecord", "approveBatchRecord", "certifyBatch", "releaseBatch")
"""What stands between a lot in quarantine and saleable stock."""
SHOWN: Final = 20
"""Places that are proposed."""


@router.get("/put-away")
async def put_aways(request: Request) -> Response:
    """What waits to be put away; what was put away and waits for its release can only be read."""

    def rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        inside = scope_of(request).orders()
        with reading(request.app.state.services.engine) as connection:
            tasks = waiting.tasks(connection, [str(role) for role in Role], inside, 1000)
            return warehouse_lists.put_aways(connection, inside), [one for one in tasks if one["command"] in GATES]

    found, gated = await run_in_threadpool(rows)
    return page(
        request, "put_aways.html", jobs=found, gated=gated[:50], live="production-order,work-order,lot,put-away"
    )


@router.get("/put-away/{work_order_id}")
async def put_away(
    work_order_id: UUID, request: Request, by_hand: Annotated[bool, Query(alias="byHand")] = False
) -> Response:
    """One put-away: where to, how much, the label. `byHand`: the scanner does not work, and codes are typed."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    found = document["putAway"]
    proposed = None
    if found is not None:
        proposed = await read(request, f"/wms/put-away-orders/{found['id']}/proposals", limit=SHOWN)
    stock = (await read(request, "/wms/stock", lot=document["outputLot"]))["stock"]
    at_line = sum((Decimal(one["onHand"]) for one in stock if one["zone"] == "line"), Decimal(0))
    return page(
        request, "put_away.html", doc=document, own=found, proposed=proposed, stock=stock, at_line=plain(at_line),
        live=f"{document['orderNumber']},lot", by_hand=by_hand, **await possible(request, work_order_id),
    )  # fmt: skip


@router.get("/put-away/{work_order_id}/check")
async def check(
    work_order_id: UUID, request: Request, code: Annotated[str, Query(min_length=1, max_length=300)]
) -> Response:
    """What a scan means here: the lot itself, a place that fits it, or `stop`: why it must not go there."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    t, lot, names = context(request)["t"], document["outputLot"], await run_in_threadpool(_names, request, code)
    if lot in names:
        return JSONResponse({"mark": ["lot-seen"], "text": t("putaway.lot_seen", lot=lot)})
    asked = f"/wms/put-away-orders/{document['putAway']['id']}/proposals"
    proposed = await read(request, asked, limit=200)
    for row in proposed["proposals"]:
        if row["place"] in names:
            return JSONResponse(
                {"mark": [f"place-{row['place']}"], "text": t("putaway.place_seen", place=row["place"])}
            )
    zones = t.all("zone", proposed["zones"])
    detail = t("putaway.stop", code=readable(code), lot=lot, status=t.of("lot", proposed["lotStatus"]), zones=zones)
    return JSONResponse({"stop": t("putaway.stop.title"), "detail": detail})


def _names(request: Request, code: str) -> list[str]:
    with reading(request.app.state.services.engine) as connection:
        return names_in(connection, code)


@router.get("/labels/{lot:path}")
async def label(
    lot: str,
    request: Request,
    format: Annotated[str, Query(pattern="^(svg|pdf|png)$")] = "pdf",
    symbology: Annotated[str, Query(pattern="^(dataMatrix|gs1-128)$")] = "dataMatrix",
) -> Response:
    """The label of a lot, to be printed."""
    answer = await call(request, "GET", f"/wms/lots/{lot}/label", query={"format": format, "symbology": symbology})
    if not answer.accepted:
        raise Unanswered(answer)
    headers = {"content-disposition": f'inline; filename="label.{format}"'}
    return Response(answer.body, media_type=answer.headers["content-type"], headers=headers)
