"""What each screen costs a slow terminal: bytes, requests, time until it is painted and can be used, memory, taps.

It needs Chromium and the package playwright, and axe-playwright-python for the count of violations of WCAG 2.2 AA; all
are among the tools of development.
"""

import os
import re
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from replay import people as p
from replay.people import Person

Document = dict[str, Any]
SCREENS: Final = {
    "home": (p.SUPERVISOR, "/ui/"), "tasks": (p.OPERATOR, "/ui/tasks"), "task": (p.OPERATOR, "/ui/tasks → first"),
    "board": (p.SUPERVISOR, "/ui/board"), "orders": (p.PLANNER, "/ui/orders"),
    "order": (p.SUPERVISOR, "/ui/orders → first"), "genealogy": (p.QUALITY, "/ui/lots → first"),
    "spc": (p.QUALITY, "/ui/spc"), "exceptions": (p.QUALITY, "/ui/exceptions"),
}  # fmt: skip
"""Screen → whose, and where: `→ first` is what the first link of that list leads to."""
SLOWER: Final = 4
"""The processor of a terminal: so many times slower than this one."""
ROUND_TRIP_SECONDS: Final = 0.03
OPENINGS: Final = 5
TAPS: Final = 15
RULES: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}
FIRST: Final = {
    "/ui/tasks": r"/ui/tasks/[0-9a-f-]{36}/[^\"?]+", "/ui/orders": r"/ui/orders/[0-9a-f-]{36}",
    "/ui/lots": r"/ui/lots/[^\"?]+",
}  # fmt: skip


class ToolMissing(Exception):
    """There is no browser to measure with."""


async def measure(address: str, people: Mapping[str, Person], say: Callable[[str], None]) -> Document:
    """{"screens": by name, "taps": …}. Raises ToolMissing. A screen that the data have no example of is left out."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise ToolMissing("the package playwright is not installed") from None
    chromium = os.environ.get("MES_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise ToolMissing("there is no chromium; name one in MES_CHROMIUM")
    screens: Document = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (user, path) in SCREENS.items():
            say(f"screen {name}")
            if (found := await _screen(browser, address, people[user], path)) is not None:
                screens[name] = found
        say("taps")
        taps = await _taps(browser, address, people[p.OPERATOR])
        await browser.close()
    return {"screens": screens, "taps": taps}


async def _inside(browser: Any, address: str, person: Person, **more: Any) -> Any:
    """A browser of its own, with this person logged in."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, **more)
    page = await context.new_page()
    await page.goto(f"{address}/ui/login")
    await page.fill("#user", person.user_id)
    await page.fill("#password", person.password)
    await page.click("form button.primary")
    await page.wait_for_selector("#header")
    return context


async def _first(context: Any, address: str, path: str) -> str | None:
    """The address of a screen; of `→ first`, what the list's first link leads to, or None for an empty list."""
    listed, _, first = path.partition(" → ")
    if not first:
        return address + path
    answer = await context.request.get(address + listed)
    found = re.search(f'href="({FIRST[listed]})', await answer.text())
    return None if found is None else address + found[1]


async def _screen(browser: Any, address: str, person: Person, path: str) -> Document | None:
    cold: list[Document] = []
    warm: list[Document] = []
    target: str | None = None
    for _ in range(OPENINGS):
        # The first opening of a terminal: nothing is cached, and no service worker answers for the files.
        context = await _inside(browser, address, person, service_workers="block")
        target = await _first(context, address, path)
        if target is None:
            await context.close()
            return None
        cold.append(await _opened(context, target, is_first=True))
        warm.append(await _opened(context, target, is_first=False))
        await context.close()
    middle = {name: statistics.median(one[name] for one in cold) for name in cold[0]}
    return {
        "bytesFirst": middle["bytes"], "bytesAgain": statistics.median(one["bytes"] for one in warm),
        "requestsFirst": middle["requests"], "firstPaintSeconds": round(middle["paint"], 2),
        "usableSeconds": round(middle["usable"], 2), "heapBytes": middle["heap"],
        "axeViolations": await _violations(browser, target or address, person, address),
    }  # fmt: skip


async def _slow(page: Any) -> Any:
    """A terminal: a slow processor and a network with a round trip. Answers the session of its tools."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    latency = {"offline": False, "latency": ROUND_TRIP_SECONDS * 1000, "downloadThroughput": -1, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", latency)
    return session


async def _opened(context: Any, address: str, *, is_first: bool) -> Document:
    """One opening; the first with an empty cache."""
    page = await context.new_page()
    session = await _slow(page)
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    await session.send("Network.setCacheDisabled", {"cacheDisabled": is_first})
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


async def _violations(browser: Any, target: str, person: Person, address: str) -> int | None:
    """Violations of WCAG 2.2 A and AA; None without axe."""
    try:
        from axe_playwright_python.async_playwright import Axe
    except ImportError:
        return None
    context = await _inside(browser, address, person, bypass_csp=True)
    page = await context.new_page()
    await page.goto(target)
    found = await Axe().run(page, options=RULES)
    await context.close()
    return int(found.violations_count)


async def _taps(browser: Any, address: str, person: Person) -> Document:
    """Milliseconds on a slow terminal: +10 of a number field, another task, and a report until its verdict.

    The report asks for far more pieces than the order has: the order's process refuses it, and nothing is changed. What
    the data have no example of is None.
    """
    context = await _inside(browser, address, person)
    found: Document = {"openTaskMilliseconds": None, "plusMilliseconds": None, "verdictMilliseconds": None}
    page = await context.new_page()
    await page.goto(f"{address}/ui/tasks")
    await _slow(page)
    jobs = await page.locator("a.job").count()
    if jobs > 1:
        opened = []
        for turn in range(TAPS):
            job = page.locator("a.job").nth(turn % jobs)
            opened.append(await _until_open(job, page))
        found["openTaskMilliseconds"] = _percentiles(opened)
    for turn in range(jobs):
        await page.goto(f"{address}{await page.locator('a.job').nth(turn).get_attribute('href')}")
        if await page.locator("form.report input[name='good:number']").is_visible():
            found |= await _reports(page)
            break
    await context.close()
    return found


async def _until_open(job: Any, page: Any) -> float:
    """Milliseconds from a tap on a job until it is the one that is open."""
    known = await job.get_attribute("id")
    begun = time.perf_counter()
    await job.click()
    await page.wait_for_selector(f'[id="{known}"][aria-current]')
    return (time.perf_counter() - begun) * 1000


async def _reports(page: Any) -> Document:
    good, plus = page.locator("input[name='good:number']"), page.locator("form.report [data-step='10']").first
    local, verdicts = [], []
    for _ in range(TAPS):
        before = await good.input_value()
        begun = time.perf_counter()
        await plus.click()
        while await good.input_value() == before:
            pass
        local.append((time.perf_counter() - begun) * 1000)
        await good.fill("99999999")
        await page.evaluate("document.getElementById('notices').replaceChildren()")
        begun = time.perf_counter()
        await page.locator("form.report button.go").click()
        await page.wait_for_selector("#notices [role=alert]")
        verdicts.append((time.perf_counter() - begun) * 1000)
        await good.fill("0")
    return {"plusMilliseconds": _percentiles(local), "verdictMilliseconds": _percentiles(verdicts)}


def _percentiles(values: list[float]) -> Document:
    return {"p50": round(statistics.median(values)), "least": round(min(values)), "most": round(max(values))}
