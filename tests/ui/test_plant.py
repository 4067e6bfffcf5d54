"""Machines, papers and people at the terminal: what two persons do, what is refused, and what stands on the screen."""

import asyncio
import dataclasses
import json
from typing import Any

import httpx
import pytest
from playwright.async_api import expect
from sqlalchemy import Engine, text

from api.app import create_app
from settings import Settings
from tests.api.company import PASSWORD, Company
from tests.api.words import at_stage
from tests.conftest import Database
from tests.ui.engineering import machines
from tests.ui.screen import Console, Terminal


@pytest.fixture(scope="module")
async def bench(company: Company) -> None:
    """The room and the mixers of `tests.ui.engineering`."""
    await machines(company)


async def choose(terminal: Terminal, **fields: str) -> None:
    """Fill in the open dialog; a field that is a list takes its value."""
    dialog = terminal.page.locator("#dialog")
    for name, value in fields.items():
        field = dialog.locator(f"[name='{name}'], [name^='{name}:']").first
        if await field.evaluate("field => field.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await dialog.locator("button.primary").click()


@pytest.mark.usefixtures("bench")
async def test_who_has_cleaned_does_not_verify_and_another_person_does(console: Console, company: Company) -> None:
    olu = await console.terminal("olu", "zh")
    await olu.open("/ui/equipment/ROOM-1")
    await olu.shows("待清洁", within="#machine")
    await olu.press("清洁", within="#acts", exact=True)
    await choose(olu, level="full", withEquipment="false")
    await olu.said("已记录：清洁")
    await olu.shows("清洁待复核", within="#machine")
    await olu.press("复核清洁", within="#acts")
    await choose(olu, accept="true", withEquipment="false")
    await expect(olu.page.locator("#dialog")).to_contain_text("须由另一人执行")
    await expect(olu.page.locator("#dialog")).to_contain_text("没有任何更改")

    sam = await console.terminal("sam")
    await sam.open("/ui/equipment/ROOM-1")
    await sam.press("Verify cleaning", within="#acts")
    await choose(sam, accept="true", withEquipment="false")
    await sam.said("Recorded: Verify cleaning")
    await sam.shows("Clean until", within="#machine")
    found = (await (await company.desk("aud")).get("/equipment/ROOM-1")).json()
    assert (found["cleaning"], found["cleanedBy"]) == ("clean", None)


async def order_of(company: Company, equipment: str) -> dict[str, Any]:
    """The maintenance order that a fault makes: a process of its own, so it comes a little later."""
    desk = await company.desk("mia")
    async with asyncio.timeout(60):
        while True:
            found = (await desk.get("/maintenance-orders", equipment=equipment)).json()["maintenanceOrders"]
            if found:
                order: dict[str, Any] = found[0]
                return order
            await asyncio.sleep(0.2)


@pytest.mark.usefixtures("working", "bench")
async def test_a_fault_stops_a_machine_until_it_is_repaired_and_says_so_on_every_open_screen(
    console: Console, company: Company
) -> None:
    watching = await console.terminal("sam")
    await watching.open("/ui/equipment")
    await expect(watching.page.locator("#lamp")).to_contain_text("Live")
    olu = await console.terminal("olu")
    await olu.open("/ui/equipment/MIXER-1")
    await olu.press("Report a fault", within="#acts")
    dialog = olu.page.locator("#dialog")
    await dialog.locator("button.primary").click()
    await expect(dialog.locator("textarea")).to_be_focused()  # a reason is asked for before anything is sent
    await choose(olu, reason="the lid does not close")
    await olu.said("Recorded: Report a fault")
    await watching.shows("Down", within="#machine-MIXER-1")

    mia = await console.terminal("mia")
    await mia.open("/ui/equipment/MIXER-1")
    await expect(mia.page.locator("#acts", has_text="Begin maintenance")).to_have_count(0)  # its order leads it
    order = await order_of(company, "MIXER-1")
    screen = f"/ui/maintenance/{order['id']}"
    sam = await console.terminal("sam")
    await sam.open("/ui/maintenance?equipment=MIXER-1")
    await sam.press(order["number"])
    await sam.press("Approve", within="#acts")
    await choose(sam)
    await sam.said("Recorded: Approve")
    await sam.press("Schedule", within="#acts")
    await choose(sam, assignee="mia", plannedAt="2031-01-01T08:00")
    await sam.said("Recorded: Schedule")
    await mia.open(screen)
    await mia.press("Begin", within="#acts")
    await choose(mia)
    await mia.said("Recorded: Begin")
    await mia.press("Report the work", within="#acts")
    await choose(mia, work="new lid, new seal", hours="1", major="true")
    await mia.said("Recorded: Report the work")
    await mia.open("/ui/equipment/MIXER-1")
    await mia.shows("Requalification due", within="#machine")
    await mia.page.locator("#log summary").click()
    entries = mia.page.locator("#log tbody tr")
    assert "the lid does not close" in await entries.nth(2).inner_text() + await entries.nth(1).inner_text()


@pytest.mark.usefixtures("bench")
async def test_a_calibration_counts_when_another_person_has_reviewed_it(console: Console, company: Company) -> None:
    meg = await console.terminal("meg")
    await meg.open("/ui/equipment/MIXER-2")
    await meg.press("Calibrate", within="#acts", exact=True)
    await choose(meg, certificate="CAL-7", dueAt="2020-01-01T08:00", foundWithinTolerance="true")
    await expect(meg.page.locator("#dialog")).to_contain_text("The date has passed")
    await choose(meg, dueAt="2031-01-01T08:00")
    await meg.said("Recorded: Calibrate")
    await meg.press("Review calibration", within="#acts")
    await choose(meg, accept="true")
    await expect(meg.page.locator("#dialog")).to_contain_text("Another person has to do this")
    rae = await console.terminal("rae")
    await rae.open("/ui/equipment/MIXER-2")
    await rae.press("Review calibration", within="#acts")
    await choose(rae, accept="true")
    await rae.said("Recorded: Review calibration")
    found = (await (await company.desk("aud")).get("/equipment/MIXER-2")).json()
    assert (found["calibration"], found["certificate"]) == ("calibrated", "CAL-7")


@pytest.mark.usefixtures("bench")
async def test_a_line_clearance_is_recorded_item_by_item_and_checked_by_another(
    console: Console, company: Company
) -> None:
    olu = await console.terminal("olu")
    await olu.open("/ui/line-clearances?room=ROOM-1&product=TAB&batch=B-77&operation=MIX")
    form = olu.page.locator("#new-clearance")
    for row in range(4):
        await form.locator(f"[name='items.{row}.passed']").select_option("true" if row else "false")
    await form.locator("[name='items.0.remark']").fill("a scoop lay there")
    await form.locator("button.primary").click()
    await olu.said("Recorded: Record a line clearance")
    await olu.open("/ui/line-clearances?batch=B-77")
    await olu.shows("a scoop lay there", within="#clearances")
    await olu.press("Check", within="#clearances", exact=True)
    await choose(olu, accept="true")
    dialog = olu.page.locator("#dialog")
    await expect(dialog).to_contain_text("Another person has to do this")
    await expect(dialog).to_contain_text("An item of the line clearance failed")
    (paper,) = (await (await company.desk("aud")).get("/line-clearances", batch="B-77")).json()["lineClearances"]
    assert [own["passed"] for own in paper["items"]] == [False, True, True, True]
    assert paper["checkedBy"] is None

    # It waits on the start page of whoever may check it, not of who has done it.
    await olu.open("/ui/")
    assert await olu.page.locator("#wait-clearances").count() == 0
    sam = await console.terminal("sam")
    await sam.open("/ui/")
    await sam.shows("B-77", within="#wait-clearances")
    await sam.press("Check", within=f"#clearance-{paper['number']}", exact=True)
    await sam.shows("a scoop lay there", within="#clearances")


async def test_a_training_is_registered_for_another_and_not_for_oneself(
    console: Console, company: Company, bench: None
) -> None:
    rae = await console.terminal("rae")
    await rae.open("/ui/training")
    await rae.press("Register a training")
    await choose(rae, person="rae", qualification="weighing", validUntil="2031-01-01T08:00")
    await expect(rae.page.locator("#dialog")).to_contain_text("Another person has to do this")
    await choose(rae, person="sam")
    await rae.said("Recorded: Register a training")
    await rae.shows("weighing", within="#trainings")


@pytest.mark.usefixtures("working", "bench")
async def test_readiness_names_everything_in_the_way_of_an_operation(console: Console, company: Company) -> None:
    _, work_order = await at_stage(company, "released")
    sam = await console.terminal("sam", "zh")
    await sam.open(f"/ui/readiness/{work_order}/PRESS")
    await sam.shows("项未满足", within="#readiness")
    await sam.shows("前一道工序未完成", within="#readiness")
    await sam.press("打开工序")
    await expect(sam.page).to_have_url(f"{console.address}/ui/tasks/{work_order}/PRESS")


@pytest.mark.usefixtures("working", "bench")
async def test_what_is_stuck_stands_on_one_page_with_the_workers_and_who_may_not_see_it_is_told(
    console: Console, company: Company, engine: Engine
) -> None:
    order, _ = await at_stage(company, "submitted")
    wait = {"neighbour": "inventory", "request": "allocate/1", "attempt": 4, "since": "2026-11-27T01:00:00Z",
            "nextAttemptAt": "2026-11-27T01:05:00Z", "lastError": "connection refused"}  # fmt: skip
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE production_order SET waiting = CAST(:wait AS jsonb) WHERE uuid = :id"),
            {"wait": json.dumps([wait]), "id": order},
        )
    sam = await console.terminal("sam")
    await sam.open("/ui/operations")
    await sam.shows("the warehouse", within="#stuck")
    await sam.shows("connection refused", within="#stuck")
    await sam.shows("mes-equipment", within="#queues")
    assert "production-order/" not in await sam.page.locator("main").inner_text()
    await sam.press("Retry now", within="#stuck")
    await sam.said("Nothing waits for another system")  # the order's own process knows better than the row of this test
    ada = await console.terminal("ada")
    await ada.open("/ui/operations")
    await ada.shows("production-order/", within="#stuck")
    number = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["number"]
    await ada.page.fill("#find-order", number)
    await ada.press("Find", within="#process")
    await ada.shows(f"production-order/{number}", within="#process")
    await ada.shows("Running", within="#process")
    await expect(ada.page.locator("#stuck").get_by_role("button")).to_have_count(0)
    olu = await console.terminal("olu", "zh")
    await olu.open("/ui/operations")
    await olu.shows("您的角色无权执行此操作")


@pytest.mark.usefixtures("working")
async def test_an_administrator_cannot_approve_an_order_and_is_told_why(console: Console, company: Company) -> None:
    order, _ = await at_stage(company, "submitted")
    ada = await console.terminal("ada", "zh")
    await ada.open(f"/ui/orders/{order}")
    await expect(ada.page.locator("#waits").get_by_role("button", name="批准")).to_have_count(0)
    # A form that the page does not offer does not help, either.
    await ada.open(f"/ui/ask/approveOrder?path=/mes/orders/{order}/approve")
    await ada.page.locator("main button.primary").click()
    await ada.said("您的角色无权执行此操作")
    await ada.said("没有任何更改")
    assert (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["state"] == "submitted"


async def test_without_an_engine_the_page_says_what_is_not_known(settings: Settings, database: Database) -> None:
    app = create_app(dataclasses.replace(settings, temporal_address="127.0.0.1:1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mes", timeout=30) as client:
        entered = await client.post("/ui/login", data={"user_id": "ada", "password": PASSWORD})
        assert entered.status_code == 303
        client.cookies.set("mes_session", entered.cookies["mes_session"])
        shown = await client.get("/ui/operations", headers={"accept-language": "en"})
    assert shown.status_code == 200
    assert "The process engine cannot be asked" in shown.text
    app.state.services.engine.dispose()
