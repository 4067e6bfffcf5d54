"""The planner's desk: plan lines with their orders, a new line, a file of many, and planning anew."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.documents import order_id
from api.errors import Problem
from api.routing import Router
from api.ui.actions import Form, safe_back
from api.ui.calls import Answer, Unanswered, call, read
from api.ui.forms import body_of
from api.ui.possible import scope_of
from api.ui.shell import PageRoute, context, flash, may, page, refused
from db.queries import plan_board, warehouse_lists
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

PAGE: Final = 50
SHOWS: Final = ("open", "made")
PARTS: Final = 4
"""Rows for parts in the form of a split; at least two are filled in."""
CSV: Final = "text/csv; charset=utf-8"


@router.get("/plan")
async def plan(
    request: Request,
    show: Annotated[str, Query(max_length=20)] = "",
    find: Annotated[str, Query(max_length=80)] = "",
    after: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> Response:
    """Plan lines, those without an order first. `show`: open, made; `after`: how many are left out."""

    def work() -> list[dict[str, Any]]:
        with reading(request.app.state.services.engine) as connection:
            return plan_board.page(connection, show, find.strip(), scope_of(request).plan_lines(), PAGE, after)

    lines = await run_in_threadpool(work)
    more = f"/ui/plan?{urlencode({'show': show, 'find': find, 'after': after + PAGE})}" if len(lines) == PAGE else ""
    return page(
        request, "plan.html", lines=lines, show=show, shows=SHOWS, find=find, more=more,
        live="production-order,plan-line",
    )  # fmt: skip


@router.get("/plan/new")
async def new(request: Request) -> Response:
    """The form of a plan line."""

    def work() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            return {
                "products": plan_board.products(connection), "policies": plan_board.policies(connection),
                "parts": plan_board.parts(connection),
                "plants": list(request.state.session.plants or plan_board.plants(connection)),
            }  # fmt: skip

    return page(
        request, "plan_line_new.html", reference=f"PL-{uuid.uuid4().hex[:8].upper()}", **await run_in_threadpool(work)
    )


@router.post("/plan/new")
async def add(request: Request, form: Form) -> Response:
    """Take one plan line: the reference makes it once. Its unit is that of the product."""
    fields = [(name, str(value)) for name, value in form.multi_items() if name != "commandId"]
    try:
        line = body_of(fields, ZoneInfo(request.app.state.services.settings.time_zone))
    except ValueError as error:
        raise Problem(422, "INVALID_REQUEST", str(error)) from None
    chosen = {own["material"]: own["lots"] for own in line.pop("lots", []) if own.keys() == {"material", "lots"}}
    line |= {"fixedLots": chosen} if chosen else {}
    line["unit"] = await run_in_threadpool(_unit, request, str(line.get("product", "")))
    answer = await call(request, "POST", "/mes/plan-lines", [line])
    if not answer.accepted:
        return refused(request, _problem(answer))
    taken = answer.document[0]
    return _said(request, "/ui/plan", "plan.taken", reference=taken["reference"], order=taken["orderNumber"])


def _unit(request: Request, product: str) -> str:
    with reading(request.app.state.services.engine) as connection:
        return warehouse_lists.unit_of(connection, product) or "?"


def _problem(answer: Answer) -> dict[str, Any]:
    """The API's own words for a refusal."""
    document: dict[str, Any] = answer.document or Problem(answer.status, "NO_ANSWER", "no answer").document()
    return document


def _said(request: Request, back: str, key: str, **values: Any) -> Response:
    response = RedirectResponse(back, 303)
    flash(response, "good", context(request)["t"](key, **values))
    return response


# A file ---------------------------------------------------------------------------------------------------------------


@router.get("/plan/import")
async def import_form(request: Request) -> Response:
    """Where a file is chosen. The page does not refresh itself: what it says of a file has to stay."""
    return page(request, "plan_import.html", problem=None, name="", good=[])


@router.post("/plan/import")
async def import_file(request: Request, form: Form) -> Response:
    """Take a file, or the good lines of one (`csv`): all of it, or nothing and every bad row with its reason."""
    content, name = await _content(form)
    answer = await call(
        request, "POST", "/mes/plan-lines/import", content, {"commandId": form.get("commandId")}, content_type=CSV
    )
    if answer.accepted:
        return _said(request, "/ui/plan", "plan.imported", count=answer.document["accepted"])
    problem = _problem(answer)
    if problem["code"] != "PLAN_IMPORT_REFUSED":
        return refused(request, problem)
    return page(request, "plan_import.html", 422, problem=problem, name=name, good=problem["good"]["planLines"])


async def _content(form: Mapping[str, Any]) -> tuple[bytes, str]:
    """The chosen file and its name; else the lines that were sent along."""
    chosen = form.get("file")
    if isinstance(chosen, UploadFile) and chosen.filename:
        try:
            return await chosen.read(), chosen.filename
        finally:
            await chosen.close()
    return str(form.get("csv") or "").encode(), str(form.get("name") or "")


@router.get("/plan/template")
async def template(request: Request, separator: str = "comma") -> Response:
    """The heading of a file, to be filled in."""
    answer = await call(request, "GET", "/mes/plan-lines/import/template", query={"separator": separator})
    if not answer.accepted:
        raise Unanswered(answer)
    headers = {"content-disposition": 'attachment; filename="plan-lines.csv"'}
    return Response(answer.body, media_type=CSV, headers=headers)


# One line -------------------------------------------------------------------------------------------------------------


@router.get("/plan/{plan_id}")
async def line(plan_id: UUID, request: Request) -> Response:
    """One plan line: where what was planned is now, and what can be planned anew."""
    found = await read(request, f"/mes/plan-lines/{plan_id}")
    order = None
    if found["orderState"] is not None:
        order = await read(request, f"/mes/orders/{order_id(found['orderNumber'])}")
    anew = [name for name in (order or {}).get("replanning", []) if may(request, name)]
    is_split = any(one["parent"] == found["reference"] and one["kind"] == "split" for one in found["family"]["lines"])
    return page(
        request, "plan_line.html", line=found, family=found["family"], order=order, anew=anew, is_split=is_split,
        live=f"production-order,plan-line,{found['orderNumber']}",
    )  # fmt: skip


@router.get("/plan/{plan_id}/split")
async def split(plan_id: UUID, request: Request, back: str = "") -> Response:
    """The form of a split: of the line, or of its order before the release."""
    found = await read(request, f"/mes/plan-lines/{plan_id}")
    has_order = found["orderState"] is not None
    path = f"/mes/orders/{found['orderId']}/split" if has_order else f"/mes/plan-lines/{plan_id}/split"
    return page(
        request, "plan_split.html", line=found, path=path, has_order=has_order, parts=range(PARTS),
        back=safe_back(back or f"/ui/plan/{plan_id}"),
    )  # fmt: skip
