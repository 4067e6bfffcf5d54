"""Accounts, for who administers them: made, limited, unlocked, disabled; keys of machines, shown once."""

from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from api.errors import not_found
from api.routing import Router
from api.ui.actions import Form, problem_of
from api.ui.calls import call, read
from api.ui.direct import may_act
from api.ui.forms import body_of
from api.ui.shell import PageRoute, context, flash, may, page, refused

router = Router(prefix="/ui/admin", route_class=PageRoute, include_in_schema=False)
SHOWS = ("active", "locked", "disabled", "machines")


@router.get("")
async def people(
    request: Request,
    find: Annotated[str, Query(max_length=80)] = "",
    show: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """All accounts, disabled ones too."""
    found = await read(request, "/users")
    wanted = find.strip().lower()
    shown = [
        own for own in found
        if wanted in f"{own['id']} {own['fullName']} {' '.join(own['roles'])}".lower() and _is_shown(own, show)
    ]  # fmt: skip
    return page(
        request, "people.html", people=shown, find=find, show=show, shows=SHOWS, total=len(found), live="user",
        locked=sum(own["isLocked"] for own in found), may_act=lambda name: may_act(request, name),
    )  # fmt: skip


def _is_shown(own: Mapping[str, Any], show: str) -> bool:
    match show:
        case "active":
            return bool(own["isActive"])
        case "locked":
            return bool(own["isLocked"])
        case "disabled":
            return not own["isActive"]
        case "machines":
            return not own["isPerson"]
        case _:
            return True


async def _one(request: Request, user_id: str, **more: Any) -> Response:
    found = next((own for own in await read(request, "/users") if own["id"] == user_id), None)
    if found is None:
        raise not_found("user", user_id)
    keys = [] if found["isPerson"] else (await read(request, f"/users/{user_id}/api-keys"))["apiKeys"]
    return page(
        request, "person.html", person=found, keys=keys, may_act=lambda name: may_act(request, name),
        may_manage=may(request, "manageUsers"), **{"key": None, "live": "user", **more},
    )  # fmt: skip


@router.get("/{user_id}")
async def person(user_id: str, request: Request) -> Response:
    """One account."""
    return await _one(request, user_id)


@router.post("/{user_id}/scope")
async def scope(user_id: str, request: Request, form: Form) -> Response:
    """Limit an account: an empty field means everywhere."""
    body = _body(request, form)
    asked = {"plants": body.get("plants"), "lines": body.get("lines"), "reason": body.get("reason", "")}
    answer = await call(request, "POST", f"/users/{user_id}/scope", asked)
    if not answer.accepted:
        return refused(request, problem_of(answer))
    response = RedirectResponse(f"/ui/admin/{user_id}", 303)
    t = context(request)["t"]
    flash(response, "good", t("said.done", what=t("admin.scope")))
    return response


@router.post("/{user_id}/keys")
async def add_key(user_id: str, request: Request, form: Form) -> Response:
    """A key for a machine: it stands on the page that answers, and nowhere afterwards."""
    answer = await call(request, "POST", f"/users/{user_id}/api-keys", _body(request, form))
    if not answer.accepted:
        return refused(request, problem_of(answer))
    # Nothing may fetch this page again and take the key away before it was copied.
    return await _one(request, user_id, key=answer.document, live="")


def _body(request: Request, form: Form) -> dict[str, Any]:
    zone = ZoneInfo(request.app.state.services.settings.time_zone)
    return body_of([(name, str(value)) for name, value in form.multi_items()], zone)
