"""The console calls the API in the same process: the same gate, checks, audit and answers as for everybody else."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from starlette.types import Message, Receive, Scope, Send

from api.gate import PREFIX

_PASSED_ON: Final = ("user-agent", "accept-language", "if-none-match")


@dataclass(frozen=True)
class Answer:
    """What the API said: `document` is the JSON of it, a problem document when `status` is 400 or more."""

    status: int
    document: Any
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        """Whether it was done, or at least taken (202)."""
        return self.status < 400


async def call(
    request: Request, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None,
    content_type: str = "application/json",
) -> Answer:  # fmt: skip
    """Call a route of the API (`path` below `/api/v1`) as the person behind the request. Bytes are sent as they are."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    scope = _scope(request, method, path, content, query, content_type)
    parts: list[bytes] = []
    started: dict[str, Any] = {}

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await request.app(scope, receive, send)
    answered = {name.decode().lower(): value.decode("latin-1") for name, value in started["headers"]}
    content = b"".join(parts)
    is_json = "json" in answered.get("content-type", "")
    return Answer(started["status"], json.loads(content) if content and is_json else None, answered, content)


def _scope(
    request: Request, method: str, path: str, content: bytes, query: Mapping[str, Any] | None, content_type: str
) -> Scope:
    """A request to the API as an ASGI server would hand it on."""
    passed = [(name, request.headers[name]) for name in _PASSED_ON if name in request.headers]
    headers = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in (
            *passed, ("authorization", f"Bearer {request.state.token}"), ("content-type", content_type),
            ("content-length", str(len(content))), ("host", request.headers.get("host", "mes")),
        )
    ]  # fmt: skip
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": f"{PREFIX}{path}", "raw_path": f"{PREFIX}{path}".encode(), "root_path": "",
        "query_string": urlencode(asked, doseq=True).encode(), "headers": headers,
        "client": request.scope.get("client"), "server": request.scope.get("server"), "state": {},
    }  # fmt: skip


async def read(request: Request, path: str, **query: Any) -> Any:
    """The document of a GET. Raises `Unanswered` when the API says no."""
    answer = await call(request, "GET", path, query=query)
    if not answer.accepted:
        raise Unanswered(answer)
    return answer.document


class Unanswered(Exception):
    """The API said no to something that a page needs."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.document))
        self.answer = answer


class File(Response):
    """A file of the API, handed on as it comes: it may be larger than what this process can hold. A refusal is what
    `otherwise` makes of it."""

    def __init__(
        self, request: Request, path: str, query: Mapping[str, Any], otherwise: Callable[[Answer], Response]
    ) -> None:
        super().__init__()
        self._request, self._otherwise = request, otherwise
        self._asked = _scope(request, "GET", path, b"", query, "application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the API sends."""
        no: dict[str, Any] = {}
        parts: list[bytes] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                no.update(message)
            elif no:
                parts.append(message.get("body", b""))
            else:
                await send(message)

        await self._request.app(self._asked, receive, sending)
        if no:
            document = json.loads(b"".join(parts) or b"null")
            await self._otherwise(Answer(no["status"], document, {}))(scope, receive, send)
