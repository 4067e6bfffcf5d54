"""Clients as a bad network makes them: commands come twice, late, out of order, and answers are lost on their way.

A transport below the replay's own clients does it, so that the people of a replay know nothing of it. What happens to a
command is drawn from the seed and its id.
"""

import asyncio
import json
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from chaos.told import Sent, Told

API: Final = "/api/v1"
COPIES: Final = (1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5)
"""How often a command is sent, in all."""
LATEST_SECONDS: Final = 20.0
LOST_ANSWERS: Final = 0.08
OVERTAKEN: Final = 0.3
"""Share of the orders whose dispatch overtakes their submission, under an id of its own: it has to be refused."""
PATIENCE_SECONDS: Final = 240.0
_AWAY: Final = frozenset({429, 500, 502, 503, 504})
_PAUSE_SECONDS: Final = 0.5


class AnswerLost(httpx.ReadError):
    """The system has answered, and nobody heard it."""


class Clients:
    """All clients of one run. `told` is what they were told; with `mischief` the network is a bad one.

    `gate` is waited for before a new command is sent; `transport` is another one than HTTP over the network.
    """

    def __init__(
        self,
        base_url: str,
        told: Told,
        *,
        seed: int,
        mischief: bool,
        gate: Callable[[], Awaitable[None]] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url, self.told = base_url, told
        self._seed, self._mischief, self._gate = seed, mischief, gate
        self._inner = transport or httpx.AsyncHTTPTransport(retries=0, limits=httpx.Limits(max_connections=200))
        self._late: set[asyncio.Task[None]] = set()
        self._passwords: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._work_orders: dict[str, str] = {}
        self.copies = self.lost_answers = self.overtakings = self.repeated = 0

    def client(self) -> httpx.AsyncClient:
        """A client for a replay."""
        return httpx.AsyncClient(base_url=self.base_url, timeout=30, transport=_Transport(self))

    def orders(self) -> list[str]:
        """The ids of all orders that were made, in the order in which they were."""
        return list(self._work_orders)

    async def fetch(self, user: str, path: str) -> Any:
        """What `user` reads there, asked for until it is told; None for what there is not, or in PATIENCE_SECONDS."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while loop.time() < deadline:
            status, content = await self._answered(user, "GET", path, {})
            if status == 200:
                return _json(content)
            if status not in _AWAY and status not in (0, 401):
                return None
            await asyncio.sleep(_PAUSE_SECONDS)
        return None

    async def finish(self) -> None:
        """Wait for the copies that are still on their way."""
        while self._late:
            await asyncio.gather(*self._late)

    async def close(self) -> None:
        """Close all connections."""
        for task in self._late:
            task.cancel()
        await self._inner.aclose()

    async def repeat(self, most: int) -> None:
        """Send some commands once more, long after: everybody has to hear the same again."""
        known = sorted(command for command in self.told.sent if command in self.told.answers)
        dice = random.Random(f"repeat/{self._seed}")
        for command in dice.sample(known, min(most, len(known))):
            if await self._deliver(self.told.sent[command]):
                self.repeated += 1

    # What happens to a request --------------------------------------------------------------------------------------

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and do with it what the dice say."""
        path, body = request.url.path, _json(request.content)
        command = body.get("commandId") if isinstance(body, dict) else None
        is_new = request.method == "POST" and command is not None and command not in self.told.sent
        if is_new and isinstance(body, dict):
            if self._gate is not None:
                await self._gate()
            sent = Sent(self._users.get(request.headers.get("authorization", ""), ""), path, body)
            self.told.sent[str(command)] = sent
            await self._overtake(sent)
            self._send_copies(str(command), sent)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self._note(request.method, path, body, response)
        if is_new and self._mischief and self._dice(f"lost/{command}").random() < LOST_ANSWERS:
            self.lost_answers += 1
            raise AnswerLost("the answer was lost on its way", request=request)
        return response

    def _note(self, method: str, path: str, body: Any, response: httpx.Response) -> None:
        said = _json(response.content)
        command = body.get("commandId") if isinstance(body, dict) else None
        self.told.note(method, path, command, response.status_code, said)
        if not isinstance(said, dict) or not response.is_success:
            return
        if path == f"{API}/auth/login":
            user, bearer = str(body["userId"]), f"Bearer {said['token']}"
            self._passwords[user], self._tokens[user], self._users[bearer] = str(body["password"]), bearer, user
        elif "/mes/orders/from-plan/" in path and said.get("workOrders"):
            self._work_orders[str(said["id"])] = str(said["workOrders"][0]["id"])

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self._seed}/{what}")

    async def _overtake(self, sent: Sent) -> None:
        """The dispatch of a work order arrives before its order is submitted: it is refused, then and ever after."""
        parts = sent.path.split("/")
        if parts[-1] != "submit" or parts[-2] not in self._work_orders:
            return
        if self._dice(f"overtake/{sent.body['commandId']}").random() >= OVERTAKEN:
            return
        early = str(uuid.uuid5(uuid.NAMESPACE_URL, f"overtakes/{sent.body['commandId']}"))
        path = f"{API}/mes/work-orders/{self._work_orders[parts[-2]]}/dispatch"
        self.told.sent[early] = Sent(sent.user, path, {"commandId": early})
        self.overtakings += 1
        await self._deliver(self.told.sent[early])

    def _send_copies(self, command: str, sent: Sent) -> None:
        if not self._mischief:
            return
        dice = self._dice(f"copies/{command}")
        for _ in range(dice.choice(COPIES) - 1):
            delay = 0.0 if dice.random() < 0.5 else dice.uniform(0.0, LATEST_SECONDS)
            task = asyncio.create_task(self._copy(sent, delay))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            self.copies += 1

    async def _copy(self, sent: Sent, delay: float) -> None:
        await asyncio.sleep(delay)
        await self._deliver(sent)

    # Sending by ourselves -------------------------------------------------------------------------------------------

    async def _deliver(self, sent: Sent) -> bool:
        """Send until there is a final answer, like a terminal that does not give up; False after PATIENCE_SECONDS."""
        command = str(sent.body["commandId"])
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        method, path, body = "POST", sent.path, sent.body
        while loop.time() < deadline:
            status = await self._once(sent.user, method, path, body)
            if status == 202:
                method, path, body = "GET", f"{API}/commands/{command}", {}
            elif status not in _AWAY and status not in (0, 401) and (method, status) != ("GET", 404):
                return True
            await asyncio.sleep(_PAUSE_SECONDS)
        return False

    async def _once(self, user: str, method: str, path: str, body: dict[str, Any]) -> int:
        """One request in the name of a user; 0 when it did not get through."""
        return (await self._answered(user, method, path, body))[0]

    async def _answered(self, user: str, method: str, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """One request in the name of a user: status and content; 0 when it did not get through."""
        try:
            if user not in self._tokens and not await self._log_in(user):
                return 0, b""
            token = self._tokens[user]
            response = await self._request(method, path, body, {"authorization": token})
        except httpx.TransportError:
            return 0, b""
        if response.status_code == 401 and self._tokens.get(user) == token:
            del self._tokens[user]
        return response.status_code, response.content

    async def _log_in(self, user: str) -> bool:
        credentials = {"userId": user, "password": self._passwords[user]}
        return (await self._request("POST", f"{API}/auth/login", credentials, {})).is_success

    async def _request(self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        timeout = httpx.Timeout(30).as_dict()
        request = httpx.Request(
            method, self.base_url + path, json=body if method == "POST" else None, headers=headers,
            extensions={"timeout": timeout},
        )  # fmt: skip
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self._note(method, path, body, response)
        return response


class _Transport(httpx.AsyncBaseTransport):
    """What a replay's client sends goes through here; closing it closes nothing, late copies are on their way."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await self._clients.handle(request)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
