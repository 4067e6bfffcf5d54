"""A PLM's new bill of material and route at the screens of configuration changes (MD-01, MD-03)."""

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.api.company import PASSWORD, Company
from tests.api.records import ok
from tests.api.test_inbound import send
from tests.api.test_product_definitions import KIND, bill, definition, route
from tests.ui.screen import Console, Terminal
from tests.ui.test_configuration import act
from tests.ui.test_exchange import RULES

pytestmark = pytest.mark.usefixtures("working")


async def looks_right(terminal: Terminal, screen: str, folder: Path) -> None:
    """At the width of a desk and of a telephone: nothing beside the screen, nothing that axe finds."""
    for width in (390, 1280):
        await terminal.page.set_viewport_size({"width": width, "height": 900})
        assert await terminal.has_no_sideways_scroll(), screen
        found = await Axe().run(terminal.page, options=RULES)
        assert found.response["violations"] == [], screen
        await terminal.picture(folder / f"{screen}-{width}.png")


@pytest.mark.accepts("D7", "MD-03")
async def test_quality_reads_what_is_other_and_publishes_it(company: Company, console: Console, tmp_path: Path) -> None:
    ada = await company.desk("ada")
    ok(await ada.command("/integration/systems", account="erp", name="PLM", kinds=[KIND]))
    message = definition("CO-1", billOfMaterial=bill("2", {"quantity": "4"}), route=route("2", recipe={"speed": "12"}))
    identity = ok(await send(company, "erp", KIND, message, "pd-ui"))["effect"]["configurationChange"]
    wrong = definition("CO-2", billOfMaterial=bill("9", {"material": "GHOST"}))
    assert (await send(company, "erp", KIND, wrong)).status_code == 202

    zh, rae = await console.terminal("max", "zh"), await console.terminal("rae")
    await rae.open("/ui/interfaces/incoming")
    await expect(rae.page.locator("main")).to_contain_text("Product definition (PLM)")
    await expect(rae.page.locator("main")).to_contain_text("There is no such material")
    await rae.open("/ui/master/configuration")
    await rae.press("TAB", within="#configurations")
    await rae.shows("Nothing of this counts before it is published")
    row = rae.page.locator("#changes tbody tr").filter(has_text="Quantity")
    await expect(row).to_contain_text("Bill of material › Lines MIX › Quantity")
    await expect(row.locator(".was")).to_have_text("5")
    await expect(row.locator(".is")).to_have_text("4")
    await looks_right(rae, "definition", tmp_path)
    await act(rae, "Analyse the change", reason="orders from now on")
    await zh.open(f"/ui/master/configuration/{identity}")
    await zh.shows("产品定义", within="#standing")
    await expect(zh.page.locator("#changes tbody tr").filter(has_text="数量")).to_contain_text("物料清单")
    await looks_right(zh, "definition-zh", tmp_path)
    await act(zh, "批准配置变更", **{"signature.password": PASSWORD})
    await rae.shows("Record the test")
    await act(rae, "Record the test", passed="true", reason="a dummy order has the new line")
    await zh.open(f"/ui/master/configuration/{identity}")
    await act(zh, "发布变更")
    await rae.shows("Published", within="#standing")
    routes = (await (await company.desk("pat")).get("/process/routes/tree")).json()
    assert [own["version"] for own in routes if own["product"] == "TAB"] == ["2"]
