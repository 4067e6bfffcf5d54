"""Everybody's own account: who I am here, another password, a second factor."""

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Form as Field
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.roles import Role
from api.routing import Router
from api.ui.actions import Form, problem_of
from api.ui.calls import call, read
from api.ui.door import COOKIE
from api.ui.shell import PageRoute, context, flash, page, refused
from api.ui.svg.qr import qr
from db.queries import users
from db.session import reading

router = Router(prefix="/ui/account", route_class=PageRoute, include_in_schema=False)
Secret = Annotated[str, Field(max_length=200)]
Code = Annotated[str, Field(max_length=12)]


async def _page(request: Request, uri: str = "", status: int = 200) -> Response:
    """The account; with `uri` the secret of a new second factor, this once."""
    me = await read(request, "/auth/me")

    def found() -> users.User | None:
        with reading(request.app.state.services.engine) as connection:
            return users.find(connection, me["userId"])

    user = await run_in_threadpool(found)
    t = context(request)["t"]
    secret = parse_qs(urlsplit(uri).query).get("secret", [""])[0]
    return page(
        request, "account.html", status, me=me, secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        picture=qr(uri, t("account.qr")) if uri else "",
        has_factor=user is not None and user.totp_confirmed_at is not None,
        has_pin=user is not None and user.pin_hash is not None, badge=user.badge if user is not None else None,
        is_pin_locked=user is not None and user.pin_locked_at is not None,
        may_have_pin=Role.ADMINISTRATOR not in me["roles"],
        is_configured=bool(request.app.state.services.settings.secret_keys),
    )  # fmt: skip


@router.get("")
async def account(request: Request) -> Response:
    """My account."""
    return await _page(request)


@router.post("/password")
async def password(
    request: Request, form: Form, password: Secret = "", new: Secret = "", again: Secret = ""
) -> Response:
    """Another password. All sessions of the account end, this one too: log in with the new one."""
    if new != again:
        problem = {"status": 422, "code": "PASSWORDS_DIFFER", "detail": "", "blockers": [], "possible": []}
        return refused(request, problem)
    asked = {"userId": request.state.session.user_id, "password": password, "newPassword": new}
    answer = await call(request, "POST", "/auth/password", asked)
    if not answer.accepted:
        return refused(request, problem_of(answer))
    response = RedirectResponse("/ui/login", 303)
    flash(response, "good", context(request)["t"]("account.changed"))
    response.delete_cookie(COOKIE, path="/ui")
    return response


@router.post("/pin")
async def pin(
    request: Request, form: Form, password: Secret = "", pin: Code = "", again: Code = "", remove: Code = ""
) -> Response:
    """A PIN to take over a terminal with, or none any more."""
    if not remove and pin != again:
        return refused(request, {"status": 422, "code": "PINS_DIFFER", "detail": "", "blockers": [], "possible": []})
    answer = await call(request, "POST", "/auth/pin", {"password": password, "pin": None if remove else pin})
    if not answer.accepted:
        return refused(request, problem_of(answer))
    response = RedirectResponse("/ui/account", 303)
    flash(response, "good", context(request)["t"]("account.pin.removed" if remove else "account.pin.saved"))
    return response


@router.post("/second-factor")
async def enrol(request: Request, form: Form, password: Secret = "", code: Code = "") -> Response:
    """Begin with a second factor: the secret is shown this once, as a QR code and as text."""
    asked = {"password": password} | ({"code": code.strip()} if code.strip() else {})
    answer = await call(request, "POST", "/auth/second-factor", asked)
    if not answer.accepted:
        return refused(request, problem_of(answer))
    return await _page(request, answer.document["uri"])


@router.post("/second-factor/confirm")
async def confirm(request: Request, form: Form, code: Code = "") -> Response:
    """The first code: from now on the second factor counts."""
    answer = await call(request, "POST", "/auth/second-factor/confirm", {"code": code.replace(" ", "")})
    if not answer.accepted:
        return refused(request, problem_of(answer))
    response = RedirectResponse("/ui/account", 303)
    flash(response, "good", context(request)["t"]("account.confirmed"))
    return response
