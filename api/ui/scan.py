"""A scanned code: what it is, by the resolver of `GET /scan`, and the screen that it leads to."""

from contextlib import suppress
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.routing import Router
from api.ui.actions import safe_back
from api.ui.possible import scope_of
from api.ui.shell import PageRoute, page
from api.ui.steps import step
from db import serials
from db.queries import near_codes, scans
from db.queries.near_codes import Near
from db.session import reading
from domain import gs1
from domain.base import uuid_for
from domain.scanning import ScanKind, Scanned

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

K = ScanKind
_NOTHING: Final = frozenset({K.UNKNOWN, K.UNREADABLE})
_OF_WORK_ORDER: Final = {
    K.PICK_LIST: "/ui/picks/", K.PUT_AWAY: "/ui/put-away/", K.IN_PROCESS_INSPECTION: "/ui/inspections/",
    K.REWORK: "/ui/inspections/",
}  # fmt: skip
_BY_CODE: Final = {K.EQUIPMENT: "/ui/equipment/", K.CASE: "/ui/exceptions/"}


def readable(code: str) -> str:
    """A code for people: the separators of a GS1 symbol are blanks."""
    return code.strip().replace(gs1.GS, " ")


def known(connection: Connection, code: str) -> list[Scanned]:
    """Everything that a code may be, what counts first: as it was read, and, when nothing has it, in capitals."""
    for text in dict.fromkeys((code.strip(), code.strip().upper())):
        if found := [one for one in scans.all_of(connection, text) if one.kind not in _NOTHING]:
            return found
    return []


def names_in(connection: Connection, code: str) -> list[str]:
    """The lots and places that a code names, best first, whether the record has them or not."""
    found = [one.lot or one.id for one in known(connection, code) if one.kind in (K.LOT, K.LOCATION)]
    return list(dict.fromkeys(found)) or [code.strip()]


async def resolve(request: Request, code: str) -> tuple[list[Scanned], list[Near]]:
    """What a code may be; if it is nothing, what comes near it."""

    def work() -> tuple[list[Scanned], list[Near]]:
        with reading(request.app.state.services.engine) as connection:
            found = [one for one in known(connection, code) if one.kind != K.LOT or one.status]
            near = [] if found else near_codes.nearest(connection, readable(code), scope_of(request).orders())
            return found, near

    return await run_in_threadpool(work)


async def leads_to(request: Request, found: Scanned) -> str | None:
    """The screen of what was scanned; none for what is only of use while something else is done."""
    work_order = str(uuid_for("work-order", found.work_order)) if found.work_order else ""
    match found.kind:
        case K.OPERATION:
            return f"/ui/tasks/{work_order}/{quote(found.operation)}"
        case K.WORK_ORDER | K.REPORT:
            return await run_in_threadpool(_next_step, request, found)
        case K.INSPECTION:
            return f"/ui/inspections/{work_order or quote(found.id)}"
        case K.WORKSTATION:
            return f"/ui/tasks?{urlencode({'station': found.id})}"
        case K.LOT | K.CONTAINER:
            piece = await run_in_threadpool(_piece, request, found)
            return f"/ui/lots/{quote(found.lot)}" + (f"?{urlencode({'serial': piece})}#piece" if piece else "")
        case K.ORDER:
            return f"/ui/orders/{uuid_for('production-order', found.id)}"
        case K.PLAN_LINE:
            return f"/ui/plan/{uuid_for('plan-line', found.id)}"
        case K.PERSON if found.id == request.state.session.user_id:
            return "/ui/account"
        case K.PERSON:
            return f"/ui/login?{urlencode({'switch': 'true', 'badge': found.id})}"
    if found.kind in _OF_WORK_ORDER:
        return _OF_WORK_ORDER[found.kind] + work_order
    return _BY_CODE[found.kind] + quote(found.id) if found.kind in _BY_CODE else None


def _piece(request: Request, found: Scanned) -> str:
    """The serial number that a code names: as it stands, or AI (21) of a symbol; empty when it is that of no piece."""
    said = [found.text] if found.kind == K.LOT and found.text != found.lot else []
    with suppress(gs1.Gs1Refused):
        said += [element.value for element in gs1.parse(found.text) if element.ai == "21"]
    with reading(request.app.state.services.engine) as connection:
        pieces = [piece for text in said if (piece := serials.find(connection, text)) is not None]
    return next((str(piece.serial) for piece in pieces if piece.lot == found.lot), "")


def _next_step(request: Request, found: Scanned) -> str:
    """Where the person does the next thing that the work order waits for; else its order."""
    roles = set(request.state.session.roles)
    with reading(request.app.state.services.engine) as connection:
        number, tasks = near_codes.tasks_of(connection, found.work_order)
    for task in tasks if found.kind == K.WORK_ORDER else ():
        if roles & set(task["roles"]) and (own := step(task["command"], task["what"], number)).href:
            return own.href
    return f"/ui/orders/{step('', found.work_order, number).order_id}"


@router.get("/scan")
async def scan(
    request: Request, code: Annotated[str, Query(min_length=1, max_length=300)], back: str = "/ui/"
) -> Response:
    """Go to what was scanned. What is unknown is refused with the codes that come nearest."""
    found, near = await resolve(request, code)
    for one in found:
        if (href := await leads_to(request, one)) is not None:
            return RedirectResponse(href, 302)
    return page(
        request, "scan.html", 404, code=readable(code), found=found[0] if found else None, near=near,
        back=safe_back(back),
        again=lambda one: f"/ui/scan?{urlencode({'code': one.number, 'back': safe_back(back)})}",
    )  # fmt: skip
