"""The door of the console: who is behind a cookie, and what a browser may do with a page.

A session is the same as the API's; the browser keeps its token in a cookie that no script can read. A page without a
session leads to the log-in, a fragment or an action without one is answered 401, so that what was typed stays.
"""

import hashlib
import logging
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem
from api.security import Session

log = logging.getLogger("api.ui")

PREFIX: Final = "/ui"
COOKIE: Final = "mes_session"
OPEN: Final = (
    "/ui/login",
    "/ui/take-over",
    "/ui/static/",
    "/ui/language",
    "/ui/andon/",
    "/ui/worker.js",
    "/ui/offline",
)
"""Pages without a session. The wall displays have a token of their own in their address."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
}


class Door:
    """ASGI middleware for everything below `/ui`; it hands on what is not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a browser in, lead it to the log-in, or answer 401."""
        path: str = scope.get("path", "")
        if scope["type"] == "http" and path == "/":
            await RedirectResponse(f"{PREFIX}/", 303)(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket") or not (path == PREFIX or path.startswith(f"{PREFIX}/")):
            await self._app(scope, receive, send)
            return
        is_static = path.startswith(f"{PREFIX}/static/")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "public, max-age=31536000, immutable" if is_static else "no-store")
            await send(message)

        state: dict[str, Any] = scope.setdefault("state", {})
        headers = Headers(scope=scope)
        state["token"] = token = _token(headers)
        state["session"] = None if is_static else await _session(scope, token, headers)
        if state["session"] is None and not path.startswith(OPEN):
            await _outside(scope, headers)(scope, receive, sending)
            return
        await self._app(scope, receive, sending)


def _token(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


async def _session(scope: Scope, token: str, headers: Headers) -> Session | None:
    """The session of a cookie; a page that refreshes itself does not keep it alive."""
    if not token:
        return None
    sessions = scope["app"].state.services.sessions
    if (known := sessions.remembered(token)) is not None:
        return known if known.is_person else None
    by_itself = scope["type"] == "websocket" or headers.get("x-refresh") is not None
    try:
        found: Session = await run_in_threadpool(sessions.find, token, touch=not by_itself)
    except Problem as problem:
        log.debug("no session: %s", problem.code)
        return None
    return found if found.is_person else None


def _outside(scope: Scope, headers: Headers) -> ASGIApp:
    if scope["type"] == "websocket":
        return _close
    if headers.get("x-fragment") is not None or scope["method"] != "GET":
        return Response("", 401, {"x-session": "ended"})
    asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    return RedirectResponse(f"{PREFIX}/login?next={quote(asked)}", 303)


async def _close(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 4401, "reason": "no session"})


def form_token(token: str) -> str:
    """What the forms of a session carry, so that no other site can send one for it."""
    return hashlib.sha256(f"form/{token}".encode()).hexdigest()[:32]
