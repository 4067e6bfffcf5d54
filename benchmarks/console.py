"""What the console costs the server while boards are open: memory of an open page, processor of a change.

What it costs a browser stands in `benchmarks/browser.py`.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import psycopg
import websockets

from benchmarks import browser, machine
from benchmarks.browser import ToolMissing as ToolMissing
from benchmarks.run import percentiles
from replay import people as p
from replay.people import Person
from system import Addresses, running

Document = dict[str, Any]
ROUNDS: Final = 5
"""How often every open board is read again."""
CHANGES: Final = 15
"""Changes that all open boards hear of, one a second."""


async def measure(
    addresses: Addresses, people: Mapping[str, Person], clients: int, say: Callable[[str], None]
) -> Document:
    """Every screen in a slow browser, then so many open boards at once. Raises ToolMissing."""
    address = addresses.api_url or ""
    found: Document = {"machine": machine.described(), "versions": machine.versions(addresses.database_owner_url)}
    found |= await browser.measure(address, people, say)
    say(f"{clients} open boards")
    found["openBoards"] = await boards(addresses, people[p.SUPERVISOR], clients)
    return found


def measure_boards(addresses: Addresses, person: Person, clients: int) -> Document:
    """So many open boards at once, without a browser."""
    return asyncio.run(boards(addresses, person, clients))


async def boards(addresses: Addresses, person: Person, clients: int) -> Document:
    """Memory and processor of the API while so many boards are open, and read again once a second."""
    state = running(addresses.data_dir) or {}
    pid = int(((state.get("children") or {}).get("api") or {}).get("pid") or 0)
    address = addresses.api_url or ""
    async with httpx.AsyncClient(base_url=address, timeout=30) as client, contextlib.AsyncExitStack() as stack:
        answer = await client.post("/ui/login", data={"user_id": person.user_id, "password": person.password})
        cookie = answer.headers["set-cookie"].split(";")[0]
        board = {"x-fragment": "1", "x-refresh": "1", "cookie": cookie}
        await client.get("/ui/board", headers=board)
        before = machine.resident(pid)
        headers = {"cookie": cookie, "origin": address}
        sockets: list[websockets.ClientConnection] = []
        for _ in range(clients):
            url = f"{address.replace('http', 'ws', 1)}/ui/live?topics=production-order"
            sockets.append(await stack.enter_async_context(websockets.connect(url, additional_headers=headers)))
        open_bytes = (machine.resident(pid) - before) / clients
        used = machine.cpu_seconds(state).get("api", 0.0)
        seconds, each = list[float](), list[float]()

        async def read_again() -> bytes:
            since = time.perf_counter()
            answer = await client.get("/ui/board", headers=board)
            answer.raise_for_status()
            each.append(time.perf_counter() - since)
            return answer.content

        for _ in range(ROUNDS):
            begun = time.perf_counter()
            fragments = await asyncio.gather(*(read_again() for _ in range(clients)))
            seconds.append(time.perf_counter() - begun)
        spent = machine.cpu_seconds(state).get("api", 0.0) - used
        rounds = percentiles(each)
        share, fetched = await _changing(addresses.database_owner_url or "", state, sockets, read_again)
    return {
        "clients": clients, "bytesOfAnOpenPage": round(open_bytes),
        "bytesOfAFragment": max(map(len, fragments)),
        "cpuMillisecondsOfABoard": round(spent * 1000 / (ROUNDS * clients), 2),
        "cpuShareAtOneChangeASecond": share, "boardsReadThen": fetched,
        "secondsUntilAllHaveTheirs": round(statistics.median(seconds), 3), "boardMilliseconds": rounds,
    }  # fmt: skip


async def _changing(
    database_url: str, state: Mapping[str, Any], sockets: list[websockets.ClientConnection], read: Callable[[], Any]
) -> tuple[float, int]:
    """One change a second, and every open board reads itself again: share of a processor of the API, boards read."""
    count = 0

    async def follow(socket: websockets.ClientConnection) -> None:
        nonlocal count
        async for message in socket:
            if '"changed"' in str(message):
                await read()
                count += 1

    following = [asyncio.create_task(follow(socket)) for socket in sockets]
    used, begun = machine.cpu_seconds(state).get("api", 0.0), time.perf_counter()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for _ in range(CHANGES):
            await connection.execute("SELECT pg_notify('mes_changed', 'production-order/benchmark')")
            await asyncio.sleep(1)
    spent, seconds = machine.cpu_seconds(state).get("api", 0.0) - used, time.perf_counter() - begun
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return round(spent / seconds, 3), count
