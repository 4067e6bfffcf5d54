"""Wall displays: a line or a plant on a screen that hangs on a wall, readable from five metres.

The screen has no person behind it: a token in its address opens this one area, read-only, and nothing else. What it
shows is asked for again at every change and every half minute; when nothing comes any more it says since when.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Query, Request, Response, WebSocket
from starlette.concurrency import run_in_threadpool

from api import displays
from api.routing import Router
from api.scopes import Scope
from api.ui.actions import Form
from api.ui.calls import call, read
from api.ui.language import language_of
from api.ui.live import serve
from api.ui.shell import PageRoute, environment, page, refused
from db.queries import andon as tables
from db.session import reading
from wording.texts import Words
from wording.values import Clock

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

CELLS: Final = 9
"""Stations of one page; with more the pages take turns."""
STRIP: Final = 3
"""Alarms that are written out below."""
TOPICS: Final = frozenset({"operation", "work-order", "production-order", "deviation", "equipment", "wall-display"})
LOOKS: Final = {
    "down": ("bad", "stop"), "stopped": ("bad", "stop"), "deviation": ("call", "warning"), "paused": ("call", "pause"),
    "maintenance": ("call", "gear"), "running": ("running", "play"), "ready": ("calm", "circle"),
    "idle": ("calm", "minus"),
}  # fmt: skip
"""State of a cell → the colour of its block and its icon; the word comes from the texts."""


# The list of displays ---------------------------------------------------------------------------------------------


@router.get("/andon")
async def listed(request: Request) -> Response:
    """The displays that there are, and the form for another one."""
    return await _list(request)


@router.post("/andon")
async def make(request: Request, form: Form) -> Response:
    """Make a display and show its address, once: it is not kept."""
    kind, _, area = str(form.get("of") or "").partition(":")
    body = {"commandId": form.get("commandId"), "kind": kind, "area": area, "name": str(form.get("name") or "").strip()}
    answer = await call(request, "POST", "/andon-displays", body)
    if not answer.accepted:
        return refused(request, answer.document)
    return await _list(request, made=answer.document)


async def _list(request: Request, made: dict[str, Any] | None = None) -> Response:
    found = await read(request, "/andon-displays")
    session = request.state.session
    scope = Scope(session.plants, session.lines)

    def areas() -> list[tuple[str, str]]:
        with reading(request.app.state.services.engine) as connection:
            return [own for own in tables.areas(connection) if scope.has(displays.place_of(*own))]

    return page(
        request, "andon_list.html", displays=found["displays"], areas=await run_in_threadpool(areas), made=made,
        address=str(request.base_url).rstrip("/") + made["address"] if made else "", form_id=uuid.uuid4().hex, live="",
    )  # fmt: skip


# A display --------------------------------------------------------------------------------------------------------


@router.get("/andon/{area}")
async def display(area: str, request: Request, token: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The screen; with `x-fragment` only what changes of it."""
    services = request.app.state.services
    own = await run_in_threadpool(displays.known, services.engine, area, token)
    t = Words(language_of(request))
    having = {
        "t": t, "language": t.language, "area": area, "token": token, "clock": Clock(services.settings.time_zone),
        "is_fragment": request.headers.get("x-fragment") is not None, "zone": services.settings.time_zone,
    }  # fmt: skip
    if own is None:
        return _html("andon_closed.html", having, 403)
    look = partial(run_in_threadpool, _seen, services.engine, own)
    seen = await request.app.state.changes.once(("andon", own.kind, own.area), look)
    cells = [cell(row, seen[1], seen[2]) for row in seen[0]]
    pages = [cells[at : at + CELLS] for at in range(0, len(cells), CELLS)] or [[]]
    alarms = sorted((one for one in cells if one["alarm"]), key=lambda one: str(one["tone"]))  # bad before call
    more = {
        "name": own.name, "kind": own.kind, "pages": pages, "alarms": alarms[:STRIP], "others": len(alarms) - STRIP,
        "columns": 1 if len(cells) == 1 else 2 if len(cells) in (2, 3, 4) else 3, "sums": _sums(cells),
    }  # fmt: skip
    return _html("andon.html", having | more)


def _html(template: str, having: dict[str, Any], status: int = 200) -> Response:
    content = environment().get_template(template).render(having)
    return Response(content, status, media_type="text/html; charset=utf-8", headers={"referrer-policy": "no-referrer"})


Seen = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def _seen(engine: Any, own: Any) -> Seen:
    with reading(engine) as connection:
        rows = tables.stations(connection, own.kind, own.area)
        codes = [row["station"] for row in rows]
        orders = [row["order_number"] for row in rows if row["order_number"]]
        return rows, tables.machines(connection, codes), tables.deviations(connection, orders, codes)


def cell(
    row: dict[str, Any], machines: Sequence[dict[str, Any]], deviations: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What a station shows: its state, since when, its order, good against plan, and what is wrong with it."""
    broken = [one for one in machines if one["workstation"] == row["station"]]
    open_ones = [one for one in deviations if _is_here(one, row)]
    state = _state(row, broken, open_ones)
    tone, icon = LOOKS[state]
    since: datetime | None = row["since"]
    if state == "deviation":
        since = open_ones[0]["opened_at"]
    elif state in ("down", "maintenance"):
        since = broken[0]["since"]
    return {
        **row, "state": state, "tone": tone, "icon": icon, "since": since, "deviations": len(open_ones),
        "deviation": open_ones[0] if open_ones else None, "machine": broken[0]["code"] if broken else "",
        "alarm": tone in ("bad", "call"), "has_order": row["order_number"] is not None,
        "is_producing": row["order_number"] is not None and row["state"] != "ready",
    }  # fmt: skip


def _is_here(deviation: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a deviation is of the station's equipment, or of what it works on there."""
    if deviation["station"] is not None:
        return bool(deviation["station"] == row["station"])
    of_order = row["order_number"] is not None and deviation["order_number"] == row["order_number"]
    return of_order and deviation["operation"] in (None, row["code"])


def _state(row: dict[str, Any], broken: Sequence[dict[str, Any]], open_ones: Sequence[dict[str, Any]]) -> str:
    if any(one["availability"] == "down" for one in broken):
        return "down"
    if row["state"] == "held" or row["order_state"] == "held":
        return "stopped"
    if open_ones:
        return "deviation"
    if broken:
        return "maintenance"
    return str(row["state"]) if row["state"] in ("paused", "running", "ready") else "idle"


def _sums(cells: Sequence[dict[str, Any]]) -> list[tuple[str, Decimal, Decimal]]:
    """Good against plan of what is under way, by unit: pieces and kilograms have no sum."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for one in cells:
        if one["is_producing"]:
            good, plan = found.get(one["unit"], (Decimal(0), Decimal(0)))
            found[one["unit"]] = good + one["good"], plan + one["quantity"]
    return [(unit, *sums) for unit, sums in sorted(found.items())][:2]


@router.websocket("/andon/{area}/live")
async def live(socket: WebSocket, area: str, token: str = "") -> None:
    """Tell a display that something has changed: nothing else goes over the socket. The token alone opens it."""
    origin = urlsplit(socket.headers.get("origin", ""))
    if origin.netloc != socket.headers.get("host"):
        await socket.close(4403, "another site")
        return
    engine = socket.app.state.services.engine

    async def is_open(_: WebSocket) -> bool:
        return await run_in_threadpool(displays.known, engine, area, token) is not None

    if not await is_open(socket):
        await socket.close(4401, "no display")
        return
    await serve(socket, TOPICS, is_open)
