"""Talks to the public API as the plant's people do: logs in, sends commands once, waits for verdicts and changes."""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import httpx

from domain.base import NAMESPACE, uuid_for
from replay.people import Person

API: Final = "/api/v1"
Document = dict[str, Any]
PATIENCE_SECONDS: Final = 120.0
"""How long a command is sent again while the system is away, and a verdict or change is waited for."""
_AWAY: Final = frozenset({429, 502, 503, 504})
_PAUSE_SECONDS: Final = 0.5
_LONG_POLL_SECONDS: Final = 20


class NotTaken(Exception):
    """The system said no, or nothing in time. `code` is the problem's; `blockers` name all that stands in the way."""

    def __init__(self, status: int, code: str, detail: str, blockers: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail, self.blockers = status, code, detail, tuple(blockers)


def command_id(*parts: object) -> str:
    """The id of one step: the same parts always give the same id, so that a repeated replay has no second effect."""
    return str(uuid.uuid5(NAMESPACE, "/".join(("replay", *map(str, parts)))))


class Plant:
    """The API of one system and the people who use it. Use as `async with`; safe for many tasks at once."""

    def __init__(
        self,
        client_factory: Callable[[], httpx.AsyncClient],
        people: Mapping[str, Person],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._client_factory, self.people, self.patience = client_factory, people, patience
        self._client: httpx.AsyncClient | None = None
        self._tokens: dict[str, str] = {}
        self._logins: dict[str, asyncio.Lock] = {}

    async def __aenter__(self) -> "Plant":
        self._client = self._client_factory()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def get(self, who: str, path: str, **query: Any) -> Document:
        """Read something. Raises `NotTaken`."""
        found: Document = _accepted(await self._send(who, "GET", path, params=query))
        return found

    async def find(self, who: str, path: str, **query: Any) -> Document | None:
        """Read something that may not be there."""
        response = await self._send(who, "GET", path, params=query)
        return None if response.status_code == 404 else _accepted(response)

    async def file(self, who: str, path: str, **query: Any) -> bytes:
        """The bytes of a file. Raises `NotTaken`."""
        response = await self._send(who, "GET", path, params=query)
        if not response.is_success:
            _accepted(response)
        return response.content

    async def post(self, who: str, path: str, body: Any) -> Any:
        """Send something that is no command. Raises `NotTaken`."""
        return _accepted(await self._send(who, "POST", path, json=body))

    async def upload(self, who: str, path: str, content: bytes) -> Document:
        """Send a file as it is. Raises `NotTaken`."""
        headers = {"content-type": "application/octet-stream"}
        found: Document = _accepted(await self._send(who, "POST", path, content=content, headers=headers))
        return found

    async def command(
        self, who: str, path: str, body: Mapping[str, Any], *, key: tuple[object, ...], signed: bool = False
    ) -> Document:
        """Send a command under the id of `key` and give its verdict, however long that takes. Raises `NotTaken`."""
        content = {"commandId": command_id(*key), **body}
        if signed:
            content["signature"] = {"userId": who, "password": self.people[who].password}
        response = await self._send(who, "POST", path, json=content)
        if response.status_code == 202:
            return await self._verdict(who, content["commandId"])
        answer: Document = _accepted(response)
        return answer

    async def order(self, who: str, number: str) -> Document | None:
        """The order of that number, if there is one."""
        return await self.find(who, f"/mes/orders/{uuid_for('production-order', number)}")

    async def wait(
        self,
        who: str,
        number: str,
        reached: Callable[[Document], bool],
        patience: float | None = None,
    ) -> Document:
        """The order as soon as it is as `reached` wants it.

        Raises `NotTaken` when for `patience` seconds (none: the plant's own) nothing at all happens to the order.
        """
        patience = self.patience if patience is None else max(patience, self.patience)
        path = f"/mes/orders/{uuid_for('production-order', number)}"
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        order = await self.find(who, path)
        while order is None or not reached(order):
            if loop.time() > deadline:
                waits = ", ".join(wait["what"] for wait in (order or {}).get("waitsFor", ()))
                raise NotTaken(
                    0, "NOT_REACHED", f"{number} stands still; it waits for {waits or 'nothing that is shown'}"
                )
            if order is None:
                await asyncio.sleep(_PAUSE_SECONDS)
                order = await self.find(who, path)
                continue
            before = order["revision"]
            order = await self.get(who, path, afterRevision=before, waitSeconds=_LONG_POLL_SECONDS)
            if order["revision"] > before:
                deadline = loop.time() + patience
        return order

    async def _verdict(self, who: str, command: str) -> Document:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        while loop.time() < deadline:
            response = await self._send(who, "GET", f"/commands/{command}")
            if response.status_code != 404:
                outcome: Document = _accepted(response)
                if not outcome.get("accepted", True):
                    raise _refused(409, outcome)
                return outcome
            await asyncio.sleep(_PAUSE_SECONDS)
        raise NotTaken(0, "NO_VERDICT", f"no verdict on command {command} within {self.patience:g} s")

    async def _send(self, who: str, method: str, path: str, **content: Any) -> httpx.Response:
        """Send until the system takes it: a command id makes that safe, and a system that restarts is no error."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        while True:
            try:
                response = await self._once(who, method, path, **content)
            except httpx.TransportError as error:
                if loop.time() > deadline:
                    raise NotTaken(0, "UNREACHABLE", f"{type(error).__name__}: {error}") from error
            except NotTaken as refused:
                # The login that comes first meets the same outages.
                if refused.status not in _AWAY or loop.time() > deadline:
                    raise
            else:
                if response.status_code not in _AWAY or loop.time() > deadline:
                    return response
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _once(self, who: str, method: str, path: str, **content: Any) -> httpx.Response:
        assert self._client is not None
        own: dict[str, str] = content.pop("headers", {})
        token = await self._token(who)
        response = await self._client.request(
            method, API + path, headers=own | {"Authorization": f"Bearer {token}"}, **content
        )
        if response.status_code == 401 and _code(response) in ("NOT_AUTHENTICATED", "SESSION_EXPIRED"):
            # The session ended, by time or by a restart: log in again and send the same once more.
            if self._tokens.get(who) == token:
                del self._tokens[who]
            headers = own | {"Authorization": f"Bearer {await self._token(who)}"}
            response = await self._client.request(method, API + path, headers=headers, **content)
        return response

    async def _token(self, who: str) -> str:
        async with self._logins.setdefault(who, asyncio.Lock()):
            if who not in self._tokens:
                assert self._client is not None
                person = self.people[who]
                body = {"userId": person.user_id, "password": person.password}
                answer = _accepted(await self._client.post(f"{API}/auth/login", json=body))
                self._tokens[who] = answer["token"]
            return self._tokens[who]


def _code(response: httpx.Response) -> str:
    try:
        return str(response.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""


def _accepted(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    raise _refused(response.status_code, problem)


def _refused(status: int, problem: Mapping[str, Any]) -> NotTaken:
    blockers = problem.get("blockers") or ()
    code = problem.get("code") or (blockers[0]["code"] if blockers else f"HTTP_{status}")
    detail = problem.get("detail") or "; ".join(
        f"{blocker['entity']} {blocker['id']}: {blocker.get('found', '')}, needed {blocker.get('required', '')}"
        for blocker in blockers
    )
    return NotTaken(status, code, detail or problem.get("title") or "no reason given", blockers)
