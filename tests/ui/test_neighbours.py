"""Alarms and messages at the screen: the badge, who acknowledges, what is sent again, what is discarded."""

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine

from tests.api.company import Company
from tests.ui.beside import happens, neighbours
from tests.ui.screen import Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.mark.accepts("C6")
async def test_an_alarm_rings_at_the_screen_and_is_acknowledged_there(
    company: Company, console: Console, engine: Engine
) -> None:
    found = await neighbours(company, engine)
    sam, zh = await console.terminal("sam"), await console.terminal("max", "zh")
    await sam.open("/ui/board")
    bell = sam.page.locator("#bell")
    await expect(bell).to_have_text("3")
    # While the board is open, the probe fails again: the badge says so by itself.
    happens(engine, "probe.failed", "equipment/SAW-2")
    await expect(bell).to_have_text("4", timeout=15000)
    await sam.open("/ui/alarms")
    first = sam.page.locator("article.job", has_text="SAW-2")
    await expect(first).to_contain_text("Critical")
    await zh.open("/ui/alarms")
    await expect(zh.page.locator("article.job", has_text="SAW-2")).to_contain_text("严重")
    await first.get_by_role("link", name="Acknowledge").click()
    await sam.page.fill("#f-note", "I go and look")
    await sam.page.locator("#dialog").get_by_role("button", name="Acknowledge").click()
    await expect(bell).to_have_text("3", timeout=15000)
    await expect(sam.page.locator("article.job", has_text="SAW-2")).to_have_count(0)
    await sam.open("/ui/alarms?show=all")
    await expect(sam.page.locator("article.job", has_text="SAW-2")).to_contain_text("I go and look")

    # The parked message is sent again by a person; the bad one is looked at and discarded.
    await sam.open("/ui/interfaces")
    parked = sam.page.locator(f"[id='message-{found['parked']}']")
    await expect(parked).to_contain_text("MES_ENDPOINT_SECRET_QMS is not set")
    await parked.get_by_role("link", name="Send again").click()
    await sam.page.fill("#f-reason", "the secret is set now")
    await sam.page.locator("#dialog").get_by_role("button", name="Send again").click()
    await expect(parked).to_have_count(0)
    rae = await console.terminal("rae")
    await rae.open(f"/ui/interfaces/incoming/{found['quarantined']}")
    await rae.shows("The sender is not registered for this")
    await rae.shows('{"sample": "S-1"}')
    await rae.page.get_by_role("link", name="Discard").click()
    await rae.page.fill("#f-reason", "a test of the laboratory")
    await rae.page.locator("#dialog").get_by_role("button", name="Discard").click()
    await rae.shows("a test of the laboratory")
    ola = await console.terminal("ole")
    await ola.open("/ui/interfaces?state=all")
    await expect(ola.page.get_by_role("link", name="Send again")).to_have_count(0)
