"""Goods in: a delivery is booked into quarantine, its inspection is made, and its label printed."""

import uuid
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.clock import now
from api.errors import Problem
from api.routing import Router
from api.ui.actions import Form
from api.ui.calls import call
from api.ui.forms import body_of
from api.ui.shell import PageRoute, context, flash, page, refused
from db.queries import warehouse_lists
from db.session import reading
from domain import gs1

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)


@router.get("/receipts")
async def receipts(request: Request) -> Response:
    """The form of a delivery, and the latest lots that wait in quarantine."""

    def work() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            return {
                "lots": warehouse_lists.received(connection),
                "materials": warehouse_lists.materials(connection),
                "places": warehouse_lists.places(connection, ("quarantine",)),
            }

    found = await run_in_threadpool(work)
    units = sorted({one["unit"] for one in found["materials"]})
    return page(request, "receipts.html", live="lot,inspection", units=units, command_id=uuid.uuid4().hex, **found)


@router.post("/receipts")
async def receive(request: Request, form: Form) -> Response:
    """Book a delivery. Without a unit it is that of the material."""
    fields = [(name, str(value)) for name, value in form.multi_items()]
    body = body_of(fields, ZoneInfo(request.app.state.services.settings.time_zone))
    body |= of_symbol(str(body.get("lot", "")), body.get("expiresOn"))
    if "unit" not in body:
        body["unit"] = await run_in_threadpool(_unit, request, str(body.get("material", "")))
    answer = await call(request, "POST", "/wms/receipts", body)
    if not answer.accepted:
        return refused(request, answer.document or Problem(answer.status, "NO_ANSWER", "no answer").document())
    made, t = answer.document, context(request)["t"]
    response = RedirectResponse("/ui/receipts", 303)
    flash(response, "good", t("receipts.done", lot=made["lot"], inspection=made["inspection"]["number"]))
    return response


def of_symbol(scanned: str, expires_on: str | None) -> dict[str, str]:
    """Lot and expiry of a supplier's GS1 symbol that was scanned into the field of the lot; nothing of another text.

    A number that only looks like one element (`10ABC`) is a lot number as it stands.
    """
    try:
        elements = {element.ai: element.value for element in gs1.parse(scanned)}
    except gs1.Gs1Refused:
        return {}
    if "01" not in elements or "10" not in elements:
        return {}
    found = {"lot": elements["10"]}
    with suppress(gs1.Gs1Refused):  # a day that is none is left to the person
        if expires_on is None and "17" in elements:
            found["expiresOn"] = gs1.read_day(elements["17"], now().date()).isoformat()
    return found


def _unit(request: Request, material: str) -> str:
    with reading(request.app.state.services.engine) as connection:
        return warehouse_lists.unit_of(connection, material) or "?"
