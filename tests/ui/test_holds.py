"""Quality holds a lot at the screen: sees what would stop, signs, watches the orders answer, lets go."""

import uuid

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.words import at_stage, do, receive
from tests.ui.screen import Console

pytestmark = pytest.mark.usefixtures("working")


async def test_a_lot_is_held_with_what_was_shown_and_released_when_its_order_has_answered(
    company: Company, console: Console
) -> None:
    lot = f"API-{uuid.uuid4().hex[:6].upper()}"
    await receive(company, lot, "20")
    rae, zh = await console.terminal("rae"), await console.terminal("max", "zh")
    await rae.open(f"/ui/lots/{lot}")
    await rae.press("Hold a lot")
    reach = rae.page.locator("#reach dd b")
    await expect(reach).to_have_text(["1", "0", "0"])

    # Meanwhile an order takes the lot: what was shown is not true any more, and nothing is held.
    order, work_order = await at_stage(company, "dispatched", fixedLots={"API": [lot]})
    await rae.page.fill("#f-reason", "glass was found")
    await rae.press("Hold: 1 lots, 0 orders")
    refusal = rae.page.locator("#notices")
    await expect(refusal).to_contain_text("1 running orders")
    await expect(refusal.locator(".refusal .blockers")).to_be_visible()
    assert (await (await company.desk("rae")).get("/quality/holds", lot=lot)).json()["holds"] == []
    await rae.open(f"/ui/holds/new?lot={lot}&downstream=true")
    await expect(reach).to_have_text(["1", "1", "0"])
    await rae.page.fill("#f-reason", "glass was found")
    await rae.press("Hold: 1 lots, 1 orders")
    signed = rae.page.locator("#dialog .signed")
    running = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["number"]
    await expect(signed).to_contain_text(running)
    await expect(signed).to_contain_text("glass was found")
    await expect(rae.page.locator("#dialog .statement")).to_contain_text("By signing I, rae")
    await rae.sign()

    # It leads to the hold, where the order's answer comes in by itself.
    await rae.shows("1 of 1 orders have answered")
    await expect(rae.page.locator("#hold-orders tbody tr")).to_contain_text("Stopped")
    await expect(rae.page.locator("#hold-lots tbody tr")).to_contain_text("On hold")
    await rae.shows("With all that was made of it")
    assert (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["state"] == "held"
    hold = rae.page.url.rpartition("/")[2]
    await zh.open("/ui/holds")
    await expect(zh.page.locator(f"#hold-{hold}")).to_contain_text("已冻结")
    await zh.open(f"/ui/lots/{lot}")
    await expect(zh.page.locator(f"#under-{hold}")).to_contain_text("glass was found")
    olu = await console.terminal("olu")
    await olu.open(f"/ui/holds/new?lot={lot}")
    await olu.shows("Quality assurance places holds")
    await expect(olu.page.locator("#hold-form")).to_have_count(0)

    await rae.page.fill("#f-reason", "it was not glass")
    await rae.press("Release the hold of a lot", within="#release-form")
    await rae.sign()
    await expect(rae.page.locator("#hold-orders tbody tr")).to_contain_text("Goes on", timeout=15000)
    await expect(rae.page.locator("h1")).to_contain_text("Released", timeout=15000)
    await rae.shows("it was not glass")
    await expect(rae.page.locator("#release-form")).to_have_count(0)
    await zh.open("/ui/holds?show=all")
    await expect(zh.page.locator(f"#hold-{hold}")).to_contain_text("已解除")
    found = (await (await company.desk("wes")).get(f"/mes/work-orders/{work_order}")).json()
    await do(company, "wes", f"/wms/outbound-orders/{found['pickList']['id']}/approve")
