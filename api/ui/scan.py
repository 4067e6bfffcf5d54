"""A scanned code: what it is, and the screen that it leads to."""

from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.ui.actions import safe_back
from api.ui.possible import scope_of
from api.ui.shell import PageRoute, page
from api.ui.steps import step
from db.queries import scanning
from db.queries.scanning import Found
from db.session import reading
from domain import gs1

router = APIRouter(prefix="/ui", route_class=PageRoute, include_in_schema=False)

_NAMED: Final = ("10", "92", "21")
"""The elements of a GS1 symbol that name something of ours: the lot, the lot inside the company, the serial number."""
_PREFIXES: Final = frozenset(
    {"operation", "work-order", "production-order", "lot", "container", "equipment", "place", "material"}
)
"""How the codes of our own labels begin, as `GET /scan` takes them: `operation/PO-1-01/MIX`."""
_BY_ID: Final = {
    "pick list": "/ui/picks/", "put-away": "/ui/put-away/", "in-process inspection": "/ui/inspections/",
    "rework": "/ui/inspections/", "order": "/ui/orders/", "case": "/ui/exceptions/", "plan line": "/ui/plan/",
}  # fmt: skip
_BY_CODE: Final = {"lot": "/ui/lots/", "equipment": "/ui/equipment/"}


def names_in(code: str) -> list[str]:
    """What a code may name, best first: the text itself, what a GS1 symbol names, the text in capitals."""
    plain = code.strip()
    try:
        elements = {element.ai: element.value for element in gs1.parse(plain)}
    except gs1.Gs1Refused:
        elements = {}
    said = [elements[ai] for ai in _NAMED if ai in elements]
    kind, _, rest = plain.partition("/")
    named = [rest] if kind in _PREFIXES else []
    return list(dict.fromkeys((plain, *said, *named, plain.upper())))


def readable(code: str) -> str:
    """A code for people: the separators of a GS1 symbol are blanks."""
    return code.strip().replace(gs1.GS, " ")


async def resolve(request: Request, code: str) -> tuple[Found | None, list[Found]]:
    """What a code is; if it is nothing, what comes near it."""

    def work() -> tuple[Found | None, list[Found]]:
        with reading(request.app.state.services.engine) as connection:
            names = names_in(code)
            for name in names:
                if (found := scanning.resolve(connection, name)) is not None:
                    return found, []
            return None, scanning.nearest(connection, readable(code), scope_of(request).orders())

    return await run_in_threadpool(work)


async def leads_to(request: Request, found: Found) -> str | None:
    """The screen of what was scanned; none for what is only of use while something else is done."""
    match found.kind:
        case "operation":
            return f"/ui/tasks/{found.id}/{quote(found.operation)}"
        case "work order":
            return await run_in_threadpool(_next_step, request, found)
        case "production report":
            return f"/ui/orders/{step('', found.work_order, found.order).order_id}"
        case "inspection":
            return f"/ui/inspections/{found.id or quote(found.number)}"
        case "workstation":
            return f"/ui/tasks?{urlencode({'station': found.number})}"
    if found.kind in _BY_ID:
        return _BY_ID[found.kind] + found.id
    return _BY_CODE[found.kind] + quote(found.number) if found.kind in _BY_CODE else None


def _next_step(request: Request, found: Found) -> str:
    """Where the person does the next thing that the work order waits for; else its order."""
    roles = set(request.state.session.roles)
    with reading(request.app.state.services.engine) as connection:
        tasks = scanning.tasks_of(connection, found.order, found.work_order)
    order = step("", found.work_order, found.order)
    for task in tasks:
        if roles & set(task["roles"]) and (own := step(task["command"], task["what"], found.order)).href:
            return own.href
    return f"/ui/orders/{order.order_id}"


@router.get("/scan")
async def scan(
    request: Request, code: Annotated[str, Query(min_length=1, max_length=300)], back: str = "/ui/"
) -> Response:
    """Go to what was scanned. What is unknown is refused with the codes that come nearest."""
    found, near = await resolve(request, code)
    href = None if found is None else await leads_to(request, found)
    if href is not None:
        return RedirectResponse(href, 302)
    return page(
        request, "scan.html", 404, code=readable(code), found=found, near=near, back=safe_back(back),
        again=lambda one: f"/ui/scan?{urlencode({'code': one.number, 'back': safe_back(back)})}",
    )  # fmt: skip
