"""The server goes and comes back under an open page: people see it, lose nothing, and do nothing."""

import uuid
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from api.app import create_app
from settings import Settings
from tests.api.company import Company
from tests.api.words import at_stage, do, receive
from tests.ui.conftest import serving
from tests.ui.screen import Console

pytestmark = pytest.mark.usefixtures("working")


async def test_a_page_that_was_open_while_the_server_was_away_goes_on(
    browser: Browser, company: Company, working: None, settings: Settings, task_queue: str
) -> None:
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    order, work_order = await at_stage(company, "running")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    async with serving(create_app(settings, task_queue=task_queue)) as address:
        console = Console(browser, address)
        terminal = await console.terminal("olu")
        await terminal.open(f"/ui/tasks/{work_order}/PRESS")
        await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1")
        await terminal.page.locator("input[name='good:number']").fill("77")
    await expect(terminal.page.locator("#lamp")).to_contain_text("No connection", timeout=15000)
    await do(company, "sam", f"/mes/orders/{order}/hold", reason="while the server is away")
    async with serving(create_app(settings, task_queue=task_queue), urlsplit(address).port or 0):
        await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1", timeout=30000)
        await terminal.shows("The order is on hold")
        assert await terminal.page.locator("input[name='good:number']").count() == 0
        await do(company, "sam", f"/mes/orders/{order}/resume")
        await terminal.shows("Good 0 / 1,000")
        await expect(terminal.page.locator("input[name='good:number']")).to_be_visible(timeout=15000)
        await console.close()
    assert console.faults == []
