"""Wall displays in a real browser: made by a supervisor, opened by their address alone, and honest when cut off."""

import re

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import expect
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.words import do
from tests.figures import breaks_down, display, pressing
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")
MANY = 11
WALL = (1920, 1080)


@pytest.fixture(scope="module")
async def hall(company: Company, working: None) -> tuple[str, str]:
    """Line A with an order at its bench; line W has eleven stations and nothing to do."""
    stations = [
        {"code": f"W-{n:02}", "name": f"Winder {n}", "line": "W", "equipment": "manual", "capabilities": ["WIND"]}
        for n in range(1, MANY + 1)
    ]
    imported = await (await company.desk("pat")).post("/master-data/import", {"workstations": stations})
    assert imported.status_code == 200, imported.text
    return await pressing(company)


async def test_a_supervisor_makes_a_display_sees_its_address_once_and_switches_it_off(
    console: Console, hall: tuple[str, str], engine: Engine
) -> None:
    terminal = await console.terminal("sam")
    await terminal.open("/ui/andon")
    await terminal.page.select_option("#of", "line:A")
    await terminal.page.fill("#display-name", "Hall 7")
    await terminal.press("Make the display")
    address = await terminal.page.locator("#made-address").input_value()
    token = address.partition("token=")[2]
    with engine.connect() as connection:
        stored = [str(row) for row in connection.execute(text("SELECT * FROM wall_display"))]
        audited = [str(row) for row in connection.execute(text("SELECT new::text, old::text FROM audit_row"))]
    assert token and not any(token in row for row in (*stored, *audited))  # noqa: PT018
    wall = await console.terminal(None, size=WALL)
    await wall.page.goto(address)
    await expect(wall.page.locator("h1")).to_have_text("Hall 7")
    await terminal.open("/ui/andon")
    await expect(terminal.page.locator("#made-address")).to_have_count(0)
    await terminal.page.locator("tr", has_text="Hall 7").get_by_role("button", name="Switch off").click()
    await terminal.said("Switched off: Hall 7")
    # The screen on the wall hears of it and goes dark.
    await expect(wall.page.locator("h1")).to_have_text("This display is switched off.", timeout=15000)


async def test_a_display_shows_what_stands_still_for_how_long_and_hears_of_it_at_once(
    console: Console, company: Company, hall: tuple[str, str]
) -> None:
    order, work_order = hall
    wall = await console.terminal(None, "zh", WALL)
    await wall.open(await display(company))
    cell = wall.page.locator("#cell-BENCH")
    await expect(cell).to_have_attribute("data-state", "running")
    await expect(cell).to_contain_text("运行")
    await expect(wall.page.locator("html")).to_have_attribute("data-live", "1")
    body = {"workOrderId": work_order, "operation": "PRESS", "good": "120"}
    await do(company, "olu", "/mes/production-reports/report", **body)
    await expect(cell.locator(".count")).to_have_text(re.compile(r"120\s*/ 1,000 pcs"), timeout=5000)
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/pause", reason="the hopper is empty")
    await expect(cell).to_have_attribute("data-state", "paused", timeout=5000)
    await expect(cell.locator(".timer")).to_have_text(re.compile(r"^0:0\d:\d\d$"))
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/resume")
    await do(company, "olu", "/quality/deviations", orderId=order, code="PRESS_NOISE", detail="a noise")
    await expect(cell).to_have_attribute("data-state", re.compile("deviation|stopped"), timeout=5000)
    await expect(wall.page.locator("footer .alarm")).to_have_count(1)
    machine = await breaks_down(company, "SAW-1")
    saw = wall.page.locator("#cell-SAW-1")
    await expect(saw).to_have_attribute("data-state", "down", timeout=5000)
    await expect(saw).to_contain_text(machine)
    await expect(saw).to_contain_text("故障")


async def test_pages_take_turns_where_there_are_more_than_nine_stations_and_nothing_scrolls(
    console: Console, company: Company, hall: tuple[str, str]
) -> None:
    for size in (WALL, (1280, 800)):
        wall = await console.terminal(None, size=size)
        await wall.open(await display(company, area="W", name="Winders"))
        await expect(wall.page.locator("[data-page='1'] .cell")).to_have_count(9)
        await expect(wall.page.locator("[data-page='1']")).to_be_visible()
        await expect(wall.page.locator("[data-page='2']")).to_be_hidden()
        await expect(wall.page.locator("#turn")).to_have_text("1/2")
        fits = "document.documentElement.scrollHeight <= window.innerHeight"
        assert await wall.page.evaluate(fits), size
        # What must be read from five metres is a large part of the screen.
        height = await wall.page.evaluate("parseFloat(getComputedStyle(document.querySelector('.state')).fontSize)")
        assert height >= size[1] / 30
        if size == WALL:
            await expect(wall.page.locator("[data-page='2']")).to_be_visible(timeout=20000)
            await expect(wall.page.locator("[data-page='2'] .cell")).to_have_count(2)


async def test_a_display_that_is_cut_off_says_since_when_and_goes_on_by_itself(
    console: Console, company: Company, hall: tuple[str, str], served: tuple[FastAPI, str]
) -> None:
    wall = await console.terminal(None, size=WALL)
    # A socket that the test can cut, as a network does.
    cut: list[object] = []
    blocked = {"on": False}

    async def route(socket: object) -> None:
        if blocked["on"]:
            await socket.close()  # type: ignore[attr-defined]
            return
        socket.connect_to_server()  # type: ignore[attr-defined]
        cut.append(socket)

    await wall.page.route_web_socket(re.compile("/live"), route)
    await wall.open(await display(company))
    banner = wall.page.locator("#stale")
    await expect(wall.page.locator("html")).to_have_attribute("data-live", "1")
    await expect(banner).to_be_hidden()
    blocked["on"] = True
    for socket in cut:
        await socket.close()  # type: ignore[attr-defined]
    await expect(banner).to_have_text(re.compile(r"^No data since \d\d:\d\d$"), timeout=10000)
    blocked["on"] = False
    await expect(banner).to_be_hidden(timeout=30000)


async def test_an_address_opens_its_own_area_and_nothing_else(
    console: Console, company: Company, hall: tuple[str, str], served: tuple[FastAPI, str]
) -> None:
    address = await display(company)
    token = address.partition("token=")[2]
    async with httpx.AsyncClient(base_url=served[1], follow_redirects=False) as nobody:
        assert (await nobody.get(address)).status_code == 200
        for other in (
            "/ui/andon/A",
            f"/ui/andon/W?token={token}",
            "/ui/andon/A?token=mwd_guess",
            f"/ui/andon/demo?token={token}",
        ):
            assert (await nobody.get(other)).status_code == 403, other
            assert (await nobody.get(other, headers={"x-fragment": "1"})).status_code == 403, other
        for page in ("/ui/board", "/ui/andon", f"/ui/reports?token={token}", f"/ui/orders/{hall[0]}?token={token}"):
            assert (await nobody.get(page)).status_code == 303, page
        bearer = {"authorization": f"Bearer {token}"}
        assert (await nobody.get(f"/api/v1/mes/orders/{hall[0]}", headers=bearer)).status_code == 401
        assert (await nobody.post(address)).status_code == 405
    wall = await console.terminal(None)
    await wall.open(address)
    ask = "async path => await new Promise(done => { const s = new WebSocket(`ws://${location.host}${path}`); "
    ask += "s.onclose = () => done('closed'); s.onmessage = () => done('told') })"
    assert await wall.page.evaluate(ask, f"/ui/andon/A/live?token={token}") == "told"
    for path in (f"/ui/andon/W/live?token={token}", "/ui/andon/A/live?token=mwd_guess", f"/ui/live?token={token}"):
        assert await wall.page.evaluate(ask, path) == "closed"
    assert all("403" in fault for fault in console.faults)
    console.faults.clear()


async def test_who_may_not_make_a_display_is_told_who_may(company: Company, hall: tuple[str, str]) -> None:
    answer = await (await company.desk("olu")).command("/andon-displays", kind="line", area="A", name="mine")
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_AUTHORISED")
    sam = await company.desk("sam")
    unknown = await sam.command("/andon-displays", kind="line", area="nowhere", name="x")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
    first = (await sam.command("/andon-displays", kind="line", area="A", name="x", commandId="display/1")).json()
    again = (await sam.command("/andon-displays", kind="line", area="A", name="x", commandId="display/1")).json()
    assert first["id"] == again["id"]
    assert first["address"] != again["address"]
    # What nobody was shown opens nothing; there is one display.
    assert (await company.client.get(first["address"])).status_code == 403
    assert (await company.client.get(again["address"])).status_code == 200
    other = await sam.command("/andon-displays", kind="line", area="W", name="x", commandId="display/1")
    assert (other.status_code, other.json()["code"]) == (409, "COMMAND_ID_REUSED")
    ada = await company.desk("ada")
    assert [d["id"] for d in (await ada.get("/andon-displays")).json()["displays"]].count(first["id"]) == 1
    limit = {"plants": None, "lines": ["W"], "reason": "a new job", "commandId": "scope/sue"}
    assert (await ada.post("/users/sue/scope", limit)).status_code == 200
    sue = await company.login("sue")
    outside = await sue.command("/andon-displays", kind="line", area="A", name="x")
    assert (outside.status_code, outside.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert (await sue.command(f"/andon-displays/{first['id']}/revoke")).status_code == 403
    assert {shown["area"] for shown in (await sue.get("/andon-displays")).json()["displays"]} <= {"W"}


async def test_somebody_looks_at_a_display_on_a_telephone(
    console: Console, company: Company, hall: tuple[str, str]
) -> None:
    wall = await console.terminal(None, "zh", PHONE)
    await wall.open(await display(company, kind="plant", area="demo", name="一车间"))
    await expect(wall.page.locator("#cell-BENCH")).to_be_visible()
    assert await wall.has_no_sideways_scroll()
