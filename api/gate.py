"""The gate before every route: nobody gets in without a session, no body is longer than allowed, no error gets out raw.

Refusing is the default: a route under `/api/` that is not in `OPEN` needs a session, whether its author thought of
it or not. The session is checked before a byte of the body is read.
"""

import logging
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, answer, translate
from api.security import Session, Sessions
from db.audit import SOURCE

log = logging.getLogger("api")

PREFIX: Final = "/api/v1"
OPEN: Final = frozenset(
    f"{PREFIX}{path}" for path in ("/auth/login", "/auth/password", "/auth/take-over", "/healthz", "/readyz")
)
LIMIT: Final = 64 * 1024
_LISTS: Final = ("master-data/import", "mes/plan-lines", "mes/plan-lines/import")
LARGE: Final = 2 * 1024 * 1024
LIMITS: Final = {f"{PREFIX}/{path}": LARGE for path in _LISTS}
_RECORDS: Final = f"{PREFIX}/master-batch-records"
"""A whole master batch record, in two languages."""
WITH_PICTURES: Final = 24 * 1024 * 1024
_PICTURES: Final = (
    f"{_RECORDS}/import", f"{_RECORDS}/import-batchml", "/ui/master/records/save", "/ui/master/records/import",
)  # fmt: skip
"""A whole master batch record with all of its pictures (`domain.pictures`), as JSON, BatchML or fields of a form."""
_FILES: Final = ("/ui/master/import", "/ui/plan/import")
"""What a person chooses a file for, that the API takes as a large one."""
_MESSAGES: Final = f"{PREFIX}/integration/messages"
"""A schedule of thousands of requests."""
_EVENTS: Final = f"{PREFIX}/epcis/capture"


class Gate:
    """ASGI middleware. Puts the session into `request.state.session`, what sent it into `request.state.source`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._pass(scope, receive, sending)
        except Exception as error:
            if started:
                raise
            await answer(translate(error))(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["source"] = _source(scope, headers)
        # Also for what is written where no caller is at hand; every request has a context of its own.
        SOURCE.set(state["source"])
        path: str = scope["path"]
        if "\x00" in path or b"%00" in scope.get("query_string", b""):
            raise Problem(422, "INVALID_REQUEST", "the address holds a character that cannot be stored")
        if path.startswith("/api/") and path.rstrip("/") not in OPEN:
            session = state["session"] = await _session(scope["app"].state.services.sessions, headers)
            if session.routes is not None and not _among(session.routes, scope["method"], path):
                detail = f"the key of {session.user_id} was not made for {scope['method']} {path}"
                raise Problem(403, "OUT_OF_SCOPE", detail)
        await self._app(scope, await _bounded(receive, headers, _limit(path)), send)


def _limit(path: str) -> int:
    if path in _PICTURES:
        return WITH_PICTURES
    if path.startswith((_RECORDS, _MESSAGES, _EVENTS)) or path in _FILES:
        return LARGE
    return LIMITS.get(path, LIMIT)


def _source(scope: Scope, headers: Headers) -> str:
    client = scope.get("client")
    agent = headers.get("user-agent", "").replace("\x00", "")
    return f"{client[0] if client else 'local'}; {agent}"[:120]


async def _session(sessions: Sessions, headers: Headers) -> Session:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "NOT_AUTHENTICATED", "log in and send the token as Authorization: Bearer …")
    known = sessions.remembered(token)
    return known if known is not None else await run_in_threadpool(sessions.find, token)


def _among(routes: tuple[str, ...], method: str, path: str) -> bool:
    """Whether a key is for a path: `GET /wms/lots` is for `/wms/lots` and everything below it."""
    asked = path.removeprefix(PREFIX).rstrip("/") + "/"
    allowed = (route.partition(" ") for route in routes)
    return any(verb in ("*", method) and asked.startswith(below.rstrip("/") + "/") for verb, _, below in allowed)


async def _bounded(receive: Receive, headers: Headers, limit: int) -> Receive:
    """Read the whole body, at most `limit` bytes, and hand it on."""
    too_large = Problem(413, "BODY_TOO_LARGE", f"at most {limit} bytes are taken here")
    announced = headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:20]) > limit:
        raise too_large
    chunks: list[bytes] = []
    size, more = 0, announced != "0" or "transfer-encoding" in headers
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        size, more = size + len(chunks[-1]), message.get("more_body", False)
        if size > limit:
            raise too_large
    body: bytes | None = b"".join(chunks)

    async def replay() -> Message:
        nonlocal body
        if body is None:
            return await receive()
        message, body = {"type": "http.request", "body": body, "more_body": False}, None
        return message

    return replay
