"""What the console costs a browser and the server: bytes, time until it can be used, memory of an open page.

It needs Chromium and the package playwright, which are among the tools of development.
"""

import asyncio
import contextlib
import os
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import websockets

from benchmarks import machine
from benchmarks.run import percentiles
from replay import people as p
from replay.people import Person
from system import Addresses, running

Document = dict[str, Any]
SCREENS: Final = {
    "home": (p.SUPERVISOR, "/ui/"), "tasks": (p.OPERATOR, "/ui/tasks"), "board": (p.SUPERVISOR, "/ui/board"),
    "orders": (p.PLANNER, "/ui/orders"),
}  # fmt: skip
SLOWER: Final = 4
"""The processor of a terminal: so many times slower than this one."""
ROUND_TRIP_SECONDS: Final = 0.03
OPENINGS: Final = 5
ROUNDS: Final = 5
"""How often every open board is read again."""


class ToolMissing(Exception):
    """There is no browser to measure with."""


async def measure(
    addresses: Addresses, people: Mapping[str, Person], clients: int, say: Callable[[str], None]
) -> Document:
    """Every screen of SCREENS in a slow browser, then so many open boards at once. Raises ToolMissing."""
    address = addresses.api_url or ""
    found: Document = {"machine": machine.described(), "versions": machine.versions(addresses.database_owner_url)}
    found["screens"] = await _screens(address, people, say)
    say(f"{clients} open boards")
    found["openBoards"] = await boards(addresses, people[p.SUPERVISOR], clients)
    return found


async def _screens(address: str, people: Mapping[str, Person], say: Callable[[str], None]) -> Document:
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise ToolMissing("the package playwright is not installed") from None
    chromium = os.environ.get("MES_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise ToolMissing("there is no chromium; name one in MES_CHROMIUM")
    found: Document = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (user, path) in SCREENS.items():
            say(f"screen {name}")
            found[name] = await _screen(browser, address, people[user], path)
        await browser.close()
    return found


async def _screen(browser: Any, address: str, person: Person, path: str) -> Document:
    first: list[int] = []
    later: list[int] = []
    usable: list[tuple[float, float]] = []
    heap = requests = 0
    for _ in range(OPENINGS):
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.goto(f"{address}/ui/login")
        await page.fill("#user", person.user_id)
        await page.fill("#password", person.password)
        await page.click("form button.primary")
        await page.wait_for_selector("#header")
        for bytes_of in (first, later):
            one = await _opened(context, address + path, is_first=bytes_of is first)
            bytes_of.append(one["bytes"])
            if bytes_of is first:
                usable.append((one["paint"], one["usable"]))
                heap, requests = one["heap"], one["requests"]
        await context.close()
    return {
        "bytesFirst": statistics.median(first), "bytesAgain": statistics.median(later), "requestsFirst": requests,
        "firstPaintSeconds": round(statistics.median(paint for paint, _ in usable), 2),
        "usableSeconds": round(statistics.median(use for _, use in usable), 2), "heapBytes": heap,
    }  # fmt: skip


async def _opened(context: Any, address: str, *, is_first: bool) -> Document:
    """One opening, with a slow processor and network; the first with an empty cache."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": is_first})
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    latency = {"offline": False, "latency": ROUND_TRIP_SECONDS * 1000, "downloadThroughput": -1, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", latency)
    begun = time.perf_counter()
    await page.goto(address)
    await page.wait_for_selector("#lamp[data-on='1']")
    usable = time.perf_counter() - begun
    paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    heap = await page.evaluate("performance.memory.usedJSHeapSize")
    await page.close()
    return {
        "bytes": sum(received), "requests": len(received), "paint": paint / 1000, "usable": usable, "heap": int(heap),
    }  # fmt: skip


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
        for _ in range(clients):
            url = f"{address.replace('http', 'ws', 1)}/ui/live?topics=production-order"
            await stack.enter_async_context(websockets.connect(url, additional_headers=headers))
        open_bytes = (machine.resident(pid) - before) / clients
        used = machine.cpu_seconds(state).get("api", 0.0)
        seconds: list[float] = []
        each: list[float] = []

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
    return {
        "clients": clients, "bytesOfAnOpenPage": round(open_bytes),
        "bytesOfAFragment": max(map(len, fragments)),
        "cpuMillisecondsOfABoard": round(spent * 1000 / (ROUNDS * clients), 2),
        "secondsUntilAllHaveTheirs": round(statistics.median(seconds), 3), "boardMilliseconds": percentiles(each),
    }  # fmt: skip
