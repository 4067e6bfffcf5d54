"""A terminal that reloads or opens a task without a network: what it shows, what it sends later, and to whom."""

import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, expect
from sqlalchemy import Engine

from api.ui import files, offline, shell
from tests.api.company import PASSWORD, Company
from tests.api.words import at_stage, do, receive
from tests.ui.cable import Cable
from tests.ui.screen import PHONE, Console, Terminal
from tests.ui.test_offline import reported

pytestmark = pytest.mark.usefixtures("working")

KEPT = """async () => {
  const found = [];
  for (const name of (await caches.keys()).filter((one) => one.startsWith("mes-pages"))) {
    for (const one of await (await caches.open(name)).keys()) found.push(new URL(one.url).pathname);
  }
  return found;
}"""
"""The addresses of what this browser keeps."""


@pytest.fixture
async def cable(served: tuple[FastAPI, str]) -> AsyncIterator[Cable]:
    """A cable that is plugged in."""
    cable = Cable(served[1])
    await cable.mend()
    yield cable
    await cable.cut()


@pytest.fixture
async def far(browser: Browser, cable: Cable) -> AsyncIterator[Console]:
    """Terminals at the far end of the cable."""
    console = Console(browser, cable.address)
    yield console
    await console.close()
    assert console.faults == []


@pytest.fixture
async def running(company: Company, working: None) -> str:
    """The id of a work order at whose PRESS pieces can be reported."""
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    _, work_order = await at_stage(company, "running")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return work_order


async def keeps(terminal: Terminal, path: str) -> None:
    """Wait until this page is kept."""
    for _ in range(150):
        if path in await terminal.page.evaluate(KEPT):
            return
        await terminal.page.wait_for_timeout(100)
    raise AssertionError(f"{path} is not kept: {await terminal.page.evaluate(KEPT)}")


async def keeps_nothing(terminal: Terminal) -> None:
    """Wait until no page is kept."""
    for _ in range(150):
        if not await terminal.page.evaluate(KEPT):
            return
        await terminal.page.wait_for_timeout(100)
    raise AssertionError(await terminal.page.evaluate(KEPT))


async def report(terminal: Terminal, quantity: str, count: int) -> None:
    """Confirm pieces without a network; `count` confirmations wait afterwards."""
    await terminal.page.locator("input[name='good:number']").fill(quantity)
    await terminal.press("Report", exact=True)
    await expect(terminal.page.locator("#outbox .count")).to_have_text(str(count))


@pytest.mark.accepts("E5")
async def test_after_reloads_without_a_network_confirmations_go_out_once_in_order_and_a_refused_one_is_shown(
    far: Console, cable: Cable, company: Company, running: str, engine: Engine
) -> None:
    terminal = await far.terminal("olu")
    page = f"/ui/tasks/{running}/PRESS"
    await terminal.open(page)
    await keeps(terminal, page)
    # One report with the network: the page that is kept was made before it, and its form had this report's id.
    await terminal.page.locator("input[name='good:number']").fill("7")
    await cable.cut()
    await terminal.page.reload()
    await expect(terminal.page.locator("#stale")).to_contain_text("offline")
    await expect(terminal.page.locator("#lamp")).not_to_have_attribute("data-on", "1")
    await terminal.shows("1,000")
    await report(terminal, "21", 1)
    await terminal.page.reload()
    await expect(terminal.page.locator("#outbox .count")).to_have_text("1")
    await report(terminal, "21", 2)  # the same quantity once more is another report
    await report(terminal, "955", 3)
    await terminal.page.reload()
    await report(terminal, "22", 4)
    assert reported(engine, running) == []
    await do(company, "olu", "/mes/production-reports/report", workOrderId=running, operation="PRESS", good="30")
    await cable.mend()
    conflict = terminal.page.locator("#outbox li.conflict")
    await expect(conflict).to_contain_text("955", timeout=30000)
    await expect(terminal.page.locator("#outbox li")).to_have_count(1, timeout=30000)
    assert reported(engine, running) == ["30", "21", "21", "22"]
    await expect(terminal.page.locator("#stale")).to_be_hidden(timeout=30000)
    await terminal.shows("Good 94 /")
    await conflict.get_by_role("button", name="Discard").click()
    await expect(terminal.page.locator("#outbox")).to_be_hidden()


@pytest.mark.accepts("E5")
async def test_a_task_of_the_list_opens_without_a_network_on_a_phone_and_is_started_later(
    far: Console, cable: Cable, company: Company
) -> None:
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    _, work_order = await at_stage(company, "running")
    terminal = await far.terminal("olu", "zh", PHONE)
    await terminal.open("/ui/tasks")
    await keeps(terminal, "/ui/tasks")
    await keeps(terminal, f"/ui/tasks/{work_order}/MIX")  # it was never opened here
    await cable.cut()
    await terminal.page.locator(f"a[href^='/ui/tasks/{work_order}/MIX']").click()
    await expect(terminal.page.locator("#stale")).to_contain_text("离线")
    await terminal.press("开始", exact=True)
    await expect(terminal.page.locator("#outbox .count")).to_have_text("1")
    # Also a part that came without its frame makes a whole page.
    await terminal.page.reload()
    await expect(terminal.page.locator("#task h1")).to_contain_text("10")
    assert await terminal.has_no_sideways_scroll()
    # What was never here says so, and how to go on.
    await terminal.open("/ui/orders")
    await terminal.shows("没有网络")
    await terminal.press("我的任务")
    await terminal.page.locator(f"a[href^='/ui/tasks/{work_order}/MIX']").wait_for()
    await cable.mend()
    await expect(terminal.page.locator("#outbox")).to_be_hidden(timeout=30000)
    state = (await (await company.desk("sam")).get(f"/mes/work-orders/{work_order}")).json()["operations"][0]["state"]
    assert state == "running"


async def test_what_is_kept_goes_with_its_person(far: Console, cable: Cable, company: Company, running: str) -> None:
    terminal = await far.terminal("olu")
    page = f"/ui/tasks/{running}/PRESS"
    await terminal.open(page)
    await keeps(terminal, page)
    await terminal.open("/ui/account")  # what is personal is never kept
    assert "/ui/account" not in await terminal.page.evaluate(KEPT)
    # Log-out.
    await terminal.page.locator(".who details.menu summary").click()
    await terminal.page.get_by_role("button", name="Log out").click()
    await keeps_nothing(terminal)
    # Another person at the same browser: their pages, and none of the first one's.
    await terminal.log_in("sam")
    await terminal.open("/ui/board")
    await keeps(terminal, "/ui/board")
    assert page not in await terminal.page.evaluate(KEPT)
    # The lock, also without a network: nothing is to be seen after a reload.
    await cable.cut()
    await terminal.page.locator(".who details.menu summary").click()
    await terminal.page.locator("#lock-now").click()
    await keeps_nothing(terminal)
    await terminal.page.reload()
    await terminal.shows("No network")
    assert "PO-" not in await terminal.page.content()
    # Who goes on in place, over the lock, has a page that is kept anew.
    await cable.mend()
    await terminal.open("/ui/board")
    await terminal.page.locator("#lock-password, #password").last.wait_for(state="attached")


async def test_an_unattended_terminal_shows_nothing_after_its_idle_time(
    far: Console, cable: Cable, company: Company, running: str
) -> None:
    terminal = await far.terminal("olu")
    page = f"/ui/tasks/{running}/PRESS"
    await terminal.open(page)
    await keeps(terminal, page)
    await terminal.page.evaluate(
        """async () => {
          const name = (await caches.keys()).find((one) => one.startsWith("mes-pages"));
          const cache = await caches.open(name), note = await (await cache.match("/ui/-/session")).json();
          const seen = Date.now() - note.idle * 1000 - 1000;
          await cache.put("/ui/-/session", new Response(JSON.stringify({ ...note, seen })));
        }"""
    )
    await cable.cut()
    await terminal.page.reload()
    await terminal.shows("No network")
    assert await terminal.page.evaluate(KEPT) == []


async def test_going_on_over_the_lock_keeps_the_page_for_the_new_session(
    far: Console, cable: Cable, company: Company, running: str
) -> None:
    terminal = await far.terminal("olu")
    page = f"/ui/tasks/{running}/PRESS"
    await terminal.open(page)
    await keeps(terminal, page)
    await terminal.page.locator(".who details.menu summary").click()
    await terminal.page.locator("#lock-now").click()
    await keeps_nothing(terminal)
    await terminal.page.fill("#lock-password", PASSWORD)
    await terminal.page.locator("#lock button.primary").click()
    await expect(terminal.page.locator("#lock")).to_be_hidden()
    await keeps(terminal, page)  # as a part, when the page refreshed itself first
    await keeps(terminal, "/ui/-/frame")  # and whole
    await cable.cut()
    await terminal.page.reload()
    await expect(terminal.page.locator("#stale")).to_contain_text("offline")


async def test_other_assets_are_taken_and_kept(
    far: Console, cable: Cable, running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = await far.terminal("olu")
    page = f"/ui/tasks/{running}/PRESS"
    await terminal.open(page)
    await keeps(terminal, page)
    before = await terminal.page.evaluate("async () => (await caches.keys()).filter((one) => one.includes('assets'))")
    static = shutil.copytree(shell.STATIC, tmp_path / "static")
    with (static / "mes.css").open("a") as sheet:
        sheet.write("\n:root { --release: second; }\n")
    try:
        monkeypatch.setattr(shell, "STATIC", static)
        _made_anew()
        await terminal.page.reload()
        for _ in range(150):
            after = await terminal.page.evaluate(
                "async () => (await caches.keys()).filter((one) => one.includes('assets'))"
            )
            if len(after) == 1 and after != before:
                break
            await terminal.page.wait_for_timeout(100)
        assert len(after) == 1
        assert after != before
        await keeps(terminal, page)
        await cable.cut()
        await terminal.page.reload()
        await expect(terminal.page.locator("#stale")).to_contain_text("offline")
        of_style = "getComputedStyle(document.documentElement).getPropertyValue('--release').trim()"
        assert await terminal.page.evaluate(of_style) == "second"
    finally:
        monkeypatch.undo()
        _made_anew()


async def test_the_worker_is_anybodys_and_personal_pages_are_never_marked(company: Company, running: str) -> None:
    script = await company.client.get("/ui/worker.js")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "script-src 'self'" in script.headers["content-security-policy"]
    assert all(shell.asset(name) in script.text for name in ("mes.css", "console.js"))
    answer = await company.client.post("/ui/login", data={"user_id": "olu", "password": PASSWORD})
    cookie = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    marks = {
        path: (await company.client.get(path, headers=cookie)).headers.get("x-keep")
        for path in (f"/ui/tasks/{running}/PRESS", "/ui/tasks", "/ui/account", "/ui/reports", "/ui/login?switch=true")
    }
    assert [path for path, mark in marks.items() if mark] == [f"/ui/tasks/{running}/PRESS", "/ui/tasks"]
    assert len({mark for mark in marks.values() if mark}) == 1
    assert (await company.client.get("/ui/tasks/nothing", headers=cookie)).headers.get("x-keep") is None
    other = await company.client.post("/ui/login", data={"user_id": "olu", "password": PASSWORD})
    another = {"cookie": other.headers["set-cookie"].split(";")[0]}
    assert (await company.client.get("/ui/tasks", headers=another)).headers["x-keep"] != marks["/ui/tasks"]


def _made_anew() -> None:
    """As after a restart with another release."""
    shell.asset.cache_clear()
    offline.worker.cache_clear()
    files._content.cache_clear()
