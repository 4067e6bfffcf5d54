"""Picking: the lists that wait, one list line by line, what a scan says at the shelf, material that comes back."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.routing import Router
from api.ui.actions import safe_back
from api.ui.calls import read
from api.ui.possible import possible, scope_of
from api.ui.scan import names_in, readable
from api.ui.shell import PageRoute, context, page
from db.queries import warehouse_lists
from db.session import reading
from domain.material_commands import ReturnDisposition
from domain.states import LotStatus
from wording.texts import Words

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

SHOWS: Final = {
    "": (*warehouse_lists.TO_DO, *warehouse_lists.UNDER_WAY), "short": ("short",), "allocated": ("allocated",),
    "approved": ("approved",), "issued": ("issued",),
}  # fmt: skip
LIVE: Final = "work-order,production-order,lot,pick-list"
SOON_DAYS: Final = 30
"""A lot that expires within so many days is marked."""


@router.get("/picks")
async def picks(request: Request, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Pick lists: those that wait for a person first, then by due time."""

    def rows() -> list[dict[str, Any]]:
        inside = scope_of(request).orders()
        with reading(request.app.state.services.engine) as connection:
            return warehouse_lists.pick_lists(connection, SHOWS.get(show, SHOWS[""]), inside)

    found = await run_in_threadpool(rows)
    return page(
        request, "picks.html", lists=found, show=show, shows=[name for name in SHOWS if name], live=LIVE,
        todo=[one for one in found if one["state"] in warehouse_lists.TO_DO],
    )  # fmt: skip


@router.get("/picks/{work_order_id}")
async def pick(
    work_order_id: UUID, request: Request, by_hand: Annotated[bool, Query(alias="byHand")] = False
) -> Response:
    """One pick list, line by line. `byHand`: the scanner does not work, and codes are typed."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    found = document["pickList"]
    coverage = []
    if found is not None and found["state"] in ("created", "short", "allocated"):
        validation = await read(request, f"/wms/outbound-orders/{found['id']}/inventory-validation")
        coverage = validation["lines"]
    lines = await run_in_threadpool(_lines, request, document)
    order = await read(request, f"/mes/orders/{document['orderId']}")
    balance = await read(request, f"/mes/work-orders/{work_order_id}/material-balance")
    return page(
        request, "pick.html", doc=document, list=found, lines=lines, coverage=coverage, order=order,
        balance=balance["materials"], live=f"{document['orderNumber']},lot", by_hand=by_hand,
        short=[one for one in coverage if one["short"] != "0"],
        **await possible(request, work_order_id),
    )  # fmt: skip


def _lines(request: Request, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The reserved or issued lots of the list, in the order of the places that they lie at."""
    found = document["pickList"] or {"lines": []}
    having, t, clock = request.app.state.services, context(request)["t"], context(request)["clock"]
    with reading(having.engine) as connection:
        lots = warehouse_lists.lots(connection, {line["lot"] for line in found["lines"]})
        names = warehouse_lists.names(connection, {line["material"] for line in document["materials"]})
    today = clock.now().astimezone(clock.zone).date()
    ordered = sorted(found["lines"], key=lambda line: (line["place"], line["line"], line["lot"]))
    return [_line(line, place, lots.get(line["lot"]), names, today, t) for place, line in enumerate(ordered)]


def _line(
    line: Mapping[str, Any], place: int, lot: Mapping[str, Any] | None, names: Mapping[str, str], today: date, t: Words
) -> dict[str, Any]:
    expires = lot["expires_on"] if lot else None
    status = lot["status"] if lot else LotStatus.QUARANTINE
    is_expired = expires is not None and expires < today
    stop = t("picks.stop.expired", lot=line["lot"], day=expires) if is_expired else ""
    if status != LotStatus.RELEASED:
        stop = t("picks.stop.status", lot=line["lot"], status=t.of("lot", status))
    return {
        **line, "id": f"pick-{place}", "name": names.get(line["material"], line["material"]), "status": status,
        "expires": expires, "expired": is_expired, "stop": stop,
        "soon": expires is not None and not is_expired and (expires - today).days < SOON_DAYS,
    }  # fmt: skip


@router.get("/picks/{work_order_id}/check")
async def check(
    work_order_id: UUID, request: Request, code: Annotated[str, Query(min_length=1, max_length=300)],
    at: Annotated[str, Query(max_length=80)] = "",
) -> Response:  # fmt: skip
    """What a scan means for the list: `mark`, the lines that it stands for; `place`, where somebody stands; or `stop`,
    why it must not be taken. `at` is the place that was scanned before."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    return JSONResponse(await run_in_threadpool(_checked, request, document, code, at))


def _checked(request: Request, document: Mapping[str, Any], code: str, at: str) -> dict[str, Any]:
    t: Words = context(request)["t"]
    lines = _lines(request, document)
    with reading(request.app.state.services.engine) as connection:
        names = names_in(connection, code)
        known = warehouse_lists.lots(connection, names)
    for name in names:
        if own := [line for line in lines if line["lot"] == name]:
            if stops := [line["stop"] for line in own if line["stop"]]:
                return {"stop": t("picks.stop"), "detail": stops[0]}
            here = [line for line in own if not at or line["place"] == at]
            if not here:
                places = ", ".join(line["place"] for line in own)
                return {"stop": t("picks.stop"), "detail": t("picks.stop.place", lot=name, place=places, at=at)}
            return {"mark": [line["id"] for line in here], "text": t("picks.checked", lot=name)}
        if any(line["place"] == name for line in lines):
            return {"place": name, "text": t("picks.at", place=name)}
    lot = next((known[name] for name in names if name in known), None)
    if lot is None:
        return {"stop": t("picks.stop"), "detail": t("picks.stop.unknown", code=readable(code))}
    wanted = [line["lot"] for line in lines if line["material"] == lot["material"]]
    if wanted:
        detail = t("picks.stop.other", lot=lot["number"], status=t.of("lot", lot["status"]), wanted=", ".join(wanted))
    else:
        detail = t("picks.stop.material", lot=lot["number"], material=lot["material"])
    return {"stop": t("picks.stop"), "detail": detail}


@router.get("/picks/{work_order_id}/choose")
async def choose(work_order_id: UUID, request: Request, line: Annotated[int, Query(ge=0)]) -> Response:
    """The form for other lots than those that expire first: all that could be taken for a line, in their order."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    wanted = next((one for one in document["materials"] if one["line"] == line), None)
    if wanted is None or document["pickList"] is None:
        raise Problem(404, "NOT_FOUND", f"the pick list has no line {line}")
    stock = (await read(request, "/wms/stock", material=wanted["material"]))["stock"]
    taken = [one["lot"] for one in document["pickList"]["lines"] if one["line"] == line]
    clock = context(request)["clock"]
    today = clock.now().astimezone(clock.zone).date().isoformat()
    return page(
        request, "choose_lots.html", doc=document, wanted=wanted, lots=_choice(stock, taken, today), taken=taken,
        back=f"/ui/picks/{work_order_id}",
    )  # fmt: skip


def _choice(stock: list[dict[str, Any]], taken: list[str], today: str) -> list[dict[str, Any]]:
    """Lots that can be taken, first to expire first: what of each is free, and what this line has of it."""
    found: dict[str, dict[str, Any]] = {}
    for row in stock:
        expires = row["expiresOn"]
        if row["status"] != LotStatus.RELEASED or row["zone"] != "released" or (expires and expires < today):
            continue
        own = found.setdefault(row["lot"], row | {"free": Decimal(0), "places": []})
        own["free"] += Decimal(row["onHand"]) - Decimal(row["reserved"])
        own["places"].append(row["place"])
    usable = [one for one in found.values() if one["free"] > 0 or one["lot"] in taken]
    return sorted(usable, key=lambda one: (one["expiresOn"] or "9999", one["lot"]))


@router.get("/picks/{work_order_id}/return")
async def give_back(
    work_order_id: UUID, request: Request, line: Annotated[int, Query(ge=0)], lot: Annotated[str, Query(max_length=80)],
    back: str = "",
) -> Response:  # fmt: skip
    """The form for material that goes back from the line."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    stocks = (document["pickList"] or {}).get("lineSide", [])
    stock = next((one for one in stocks if one["line"] == line and one["lot"] == lot), None)
    if stock is None:
        raise Problem(404, "NOT_FOUND", f"nothing of lot {lot} was issued for line {line}")
    return page(
        request, "return.html", doc=document, stock=stock, back=safe_back(back or f"/ui/picks/{work_order_id}"),
        dispositions=[str(one) for one in ReturnDisposition],
    )  # fmt: skip
