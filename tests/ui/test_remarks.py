"""Remarks at an operation: written at the screen, shown there to everybody, and in the batch record."""

import re
import uuid

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.words import at_stage, do, receive
from tests.ui.floor import word
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def stock(company: Company, working: None) -> None:
    """Enough active ingredient for all orders of this module."""
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "900")


async def test_a_remark_stands_at_the_operation_and_in_the_record(
    console: Console, company: Company, stock: None
) -> None:
    _, work_order = await at_stage(company, "running")
    olu, rae, pia = (
        await console.terminal("olu"),
        await console.terminal("rae", "zh", PHONE),
        await console.terminal("pia"),
    )
    await olu.open(f"/ui/tasks/{work_order}/MIX")
    await expect(olu.page.locator("[id^=remarks-]")).to_have_count(0)
    await olu.press("Start")
    await olu.page.get_by_label("Write a remark").fill("the sieve was changed\nat half of the batch")
    await olu.press("Into the record")
    await olu.said("Recorded: Remark")
    await expect(olu.page.locator("[id^=remarks-] .timeline li")).to_contain_text("the sieve was changed")
    await expect(olu.page.get_by_label("Write a remark")).to_have_value("")

    await rae.open(f"/ui/tasks/{work_order}/MIX")
    await expect(rae.page.locator("[id^=remarks-] .timeline li b")).to_have_text("Olu")
    await rae.page.get_by_label("填写备注").fill("已查看筛网")
    await rae.press("写入记录")
    await expect(olu.page.locator("[id^=remarks-] .timeline li")).to_have_count(2)
    await pia.open(f"/ui/tasks/{work_order}/MIX")
    await expect(pia.page.locator("[id^=remarks-] .timeline li")).to_have_count(2)
    await expect(pia.page.locator("[id^=remarks-] form")).to_have_count(0)
    await rae.open(f"/ui/reviews/{work_order}")
    await rae.page.locator("#whole > summary").click()
    await expect(rae.page.locator("#whole")).to_contain_text("the sieve was changed")
    await expect(rae.page.locator("#whole")).to_contain_text("已查看筛网")


async def test_a_record_that_is_closed_takes_no_remark_and_the_text_is_kept(
    console: Console, company: Company, stock: None
) -> None:
    order, work_order = await at_stage(company, "running")
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/MIX/start")
    olu = await console.terminal("olu", "zh")
    await olu.open(f"/ui/tasks/{work_order}/MIX")
    field = olu.page.get_by_label("填写备注")
    await field.fill("筛网已更换")
    cancel = {"reason": "the customer went away", "disposition": "scrap"}
    await do(company, "sam", f"/mes/orders/{order}/cancel", **cancel)
    await olu.press("写入记录")
    # The order gives everything back, or is over already.
    closed = "|".join(word(code, "zh") for code in ("code.RECORD_SEALED", "code.INVALID_TRANSITION"))
    await expect(olu.page.locator("#notices")).to_contain_text(re.compile(closed), timeout=15_000)
    await expect(field).to_have_value("筛网已更换")
    record = (await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}/batch-record")).json()
    assert [own["comments"] for own in record["operations"]] == [[], []]
