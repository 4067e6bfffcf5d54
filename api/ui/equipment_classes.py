"""Classes of equipment: how long clean stays clean and dirt may wait, how many batches a campaign has. In hours."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.errors import Problem, not_found
from api.routing import Router
from api.ui.actions import Form, problem_of
from api.ui.calls import call, read
from api.ui.forms import number
from api.ui.shell import PageRoute, context, flash, page, refused

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
HOURS: Final = (
    "cleanHoldSeconds", "dirtyHoldSeconds", "campaignSeconds", "calibrationWarningSeconds", "clearanceValidSeconds",
)  # fmt: skip
"""Kept in seconds, said in hours."""


@router.get("/equipment-classes")
async def listed(request: Request) -> Response:
    """Every class, and how many items are of it."""
    classes = (await read(request, "/equipment-classes"))["classes"]
    return page(request, "equipment_classes.html", classes=[_shown(own) for own in classes], live="equipment-class")


@router.get("/equipment-classes/new")
async def new(request: Request) -> Response:
    """The form of another class."""
    return page(request, "equipment_class.html", own={}, hours=HOURS)


@router.get("/equipment-classes/{code}")
async def one(code: str, request: Request) -> Response:
    """The form of a class, as it is."""
    classes = (await read(request, "/equipment-classes"))["classes"]
    found = next((own for own in classes if own["code"] == code), None)
    if found is None:
        raise not_found("equipment class", code)
    return page(request, "equipment_class.html", own=_shown(found), hours=HOURS)


def _shown(own: Mapping[str, Any]) -> dict[str, Any]:
    hours = {name: _hours(own[name]) for name in HOURS}
    return {**own, **hours}


def _hours(seconds: int | None) -> str:
    if not seconds:
        return ""
    return f"{(Decimal(seconds) / 3600).quantize(Decimal('0.01')).normalize():f}"


@router.post("/equipment-classes")
async def define(request: Request, form: Form) -> Response:
    """Make a class, or change it."""
    body: dict[str, Any] = {name: str(form.get(name) or "").strip() for name in ("commandId", "code", "name", "reason")}
    body["reason"] = body["reason"] or None
    if batches := number(str(form.get("campaignBatches") or "")):
        body["campaignBatches"] = batches
    for name in HOURS:
        if text := number(str(form.get(name) or "")):
            body[name] = _seconds(name, text)
    answer = await call(request, "POST", "/equipment-classes", body)
    if not answer.accepted:
        return refused(request, problem_of(answer))
    response = RedirectResponse("/ui/equipment-classes", 303)
    flash(response, "good", context(request)["t"]("classes.kept", code=body["code"]))
    return response


def _seconds(name: str, text: str) -> int:
    try:
        return int(Decimal(text) * 3600)
    except (InvalidOperation, ValueError, OverflowError):
        field = {"field": f"body.{name}", "problem": f"{text} is no number of hours", "kind": "value_error"}
        raise Problem(422, "INVALID_REQUEST", f"{name}: {text} is no number of hours", fields=[field]) from None
