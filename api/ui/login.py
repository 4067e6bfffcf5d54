"""Log in, lock, switch the operator of a shared terminal, choose a language."""

from typing import Annotated, Any, Final

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api import pins
from api.errors import Problem
from api.routing import Router
from api.security import Session
from api.ui import actions
from api.ui.door import COOKIE, form_token
from api.ui.language import COOKIE as LANGUAGE_COOKIE
from api.ui.shell import PageRoute, context, page
from wording.texts import LANGUAGES

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
YEAR: Final = 365 * 86400


@router.get("/login")
def form(
    request: Request, next: str = "/ui/", switch: bool = False, badge: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """The log-in page. Whoever has a session already goes on, unless it is another one's turn."""
    if request.state.session is not None and not switch:
        return RedirectResponse(actions.safe_back(next), 303)
    return page(request, "login.html", **_shown(request, next, badge=badge))


def _shown(request: Request, next_page: str, **more: Any) -> dict[str, Any]:
    """What the log-in page needs. Badge and PIN are offered where a terminal is, open or locked: it has a token."""
    return {
        "next": actions.safe_back(next_page), "problem": None, "user_id": "", "badge": "", "pin_problem": None,
        "is_terminal": bool(request.state.token),
    } | more  # fmt: skip


@router.post("/login")
async def login(
    request: Request,
    user_id: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=6)] = "",
    next: Annotated[str, Form(max_length=500)] = "/ui/",
) -> Response:
    """A new session by user and password."""
    sessions = request.app.state.services.sessions
    try:
        token, session = await run_in_threadpool(
            sessions.login, user_id.strip(), password, request.state.source, code.strip() or None
        )
        if not session.is_person:
            raise Problem(403, "SIGNER_NOT_A_PERSON", "machine accounts have no console")
    except Problem as problem:
        return _refused(request, problem, next, problem=problem.document(), user_id=user_id)
    if request.state.session is not None:
        await run_in_threadpool(sessions.logout, request.state.session, request.state.source)
    return _inside(request, token, session, next)


@router.post("/take-over")
async def take_over(
    request: Request,
    badge: Annotated[str, Form(max_length=80)] = "",
    pin: Annotated[str, Form(max_length=20)] = "",
    next: Annotated[str, Form(max_length=500)] = "/ui/",
) -> Response:
    """The next person at this terminal, by badge and PIN; also over a locked page."""
    having = request.app.state.services
    try:
        token, session = await run_in_threadpool(
            pins.take_over, having, request.state.token, badge, pin, request.state.source
        )
    except Problem as problem:
        return _refused(request, problem, next, badge=badge, pin_problem=problem.document())
    return _inside(request, token, session, next)


def _inside(request: Request, token: str, session: Session, next_page: str) -> Response:
    """The session in a cookie. In place, over a locked page, the answer is empty and the page goes on."""
    response: Response
    if request.headers.get("x-fragment") is not None:
        response = Response("", 204, {"x-form-token": form_token(token), "x-user": session.user_id})
    else:
        response = RedirectResponse(actions.safe_back(next_page), 303)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path="/ui", httponly=True, samesite="lax", secure=secure)
    return response


def _refused(request: Request, said: Problem, next_page: str, **more: Any) -> Response:
    if request.headers.get("x-fragment") is not None:
        return page(request, "_lock_refused.html", said.status, problem=said.document())
    return page(request, "login.html", said.status, **_shown(request, next_page, **more))


@router.post("/logout")
async def logout(request: Request, form: actions.Form) -> Response:
    """End the session: by its person, or by a page that was left alone."""
    sessions, locks = request.app.state.services.sessions, bool(form.get("lock"))
    await run_in_threadpool(sessions.logout, request.state.session, request.state.source, locks=locks)
    if locks:
        return Response("", 204)
    response = RedirectResponse("/ui/login", 303)
    response.delete_cookie(COOKIE, path="/ui")
    return response


@router.get("/language")
def language(to: str, back: str = "/ui/") -> Response:
    """Choose the language of this browser."""
    response = RedirectResponse(actions.safe_back(back), 303)
    if to in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, to, max_age=YEAR, path="/ui", samesite="lax")
    return response


@router.get("/help")
def help_page(request: Request) -> Response:
    """Keys, scanner, who to ask."""
    return page(request, "help.html", words=context(request)["nav"])
