"""Log in, lock, switch the operator of a shared terminal, choose a language."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.ui import actions
from api.ui.door import COOKIE, form_token
from api.ui.shell import PageRoute, context, page
from api.ui.texts import COOKIE as LANGUAGE_COOKIE
from api.ui.texts import LANGUAGES

router = APIRouter(prefix="/ui", route_class=PageRoute, include_in_schema=False)
YEAR: Final = 365 * 86400


@router.get("/login")
def form(request: Request, next: str = "/ui/", switch: bool = False) -> Response:
    """The log-in page. Whoever has a session already goes on, unless it is another one's turn."""
    if request.state.session is not None and not switch:
        return RedirectResponse(actions.safe_back(next), 303)
    return page(request, "login.html", next=actions.safe_back(next), problem=None, user_id="")


@router.post("/login")
async def login(
    request: Request,
    user_id: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=6)] = "",
    next: Annotated[str, Form(max_length=500)] = "/ui/",
) -> Response:
    """A new session in a cookie. In place, over a locked page, the answer is empty and the page goes on."""
    sessions = request.app.state.services.sessions
    try:
        token, session = await run_in_threadpool(
            sessions.login, user_id.strip(), password, request.state.source, code.strip() or None
        )
        if not session.is_person:
            raise Problem(403, "SIGNER_NOT_A_PERSON", "machine accounts have no console")
    except Problem as problem:
        return _refused(request, problem, user_id, next)
    if request.state.session is not None:
        await run_in_threadpool(sessions.logout, request.state.session, request.state.source)
    response: Response
    if request.headers.get("x-fragment") is not None:
        response = Response("", 204, {"x-form-token": form_token(token), "x-user": session.user_id})
    else:
        response = RedirectResponse(actions.safe_back(next), 303)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path="/ui", httponly=True, samesite="lax", secure=secure)
    return response


def _refused(request: Request, problem: Problem, user_id: str, next_page: str) -> Response:
    shown: dict[str, Any] = {"problem": problem.document(), "user_id": user_id, "next": actions.safe_back(next_page)}
    if request.headers.get("x-fragment") is not None:
        return page(request, "_lock_refused.html", problem.status, **shown)
    return page(request, "login.html", problem.status, **shown)


@router.post("/logout")
async def logout(request: Request, form: actions.Form) -> Response:
    """End the session: by its person, or by a page that was left alone."""
    await run_in_threadpool(request.app.state.services.sessions.logout, request.state.session, request.state.source)
    if form.get("lock"):
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
