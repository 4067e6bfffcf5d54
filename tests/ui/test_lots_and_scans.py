"""Lots by choice, and codes by hand: what the warehouse does otherwise than planned has a reason and a witness."""

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.words import receive, until
from tests.ui.booth import dispensing, picked
from tests.ui.floor import dispatched, new_lot, scan, stopped, word
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def scanning(company: Company, working: None) -> None:
    """A plant whose policy asks for scans."""
    await dispensing(company)


@pytest.mark.accepts("MT-02")
async def test_a_supervisor_takes_another_lot_than_the_first_to_expire_for_a_reason(
    console: Console, company: Company, engine: Engine
) -> None:
    first, later = new_lot("API"), new_lot("API")
    await receive(company, first, "500", expiresOn="2030-01-31")
    await receive(company, later, "500", expiresOn="2031-12-31")
    order = await dispatched(company, quantity="2000")
    own = order["workOrders"][0]
    wil, sam = await console.terminal("wil"), await console.terminal("sam", "zh", PHONE)
    await wil.open(f"/ui/picks/{own['id']}")
    await wil.shows(first)
    await expect(wil.page.get_by_role("link", name="Other lots")).to_have_count(0)
    await sam.open(f"/ui/picks/{own['id']}")
    await sam.press("选择其他批次")
    dialog = sam.page.locator("#dialog")
    await expect(dialog.get_by_label(later)).to_be_visible(timeout=15000)
    listed = await dialog.locator("fieldset b.mono").all_inner_texts()
    assert listed.index(first) < listed.index(later)
    await dialog.get_by_label(first).uncheck()
    await dialog.get_by_label(later).check()
    await dialog.locator("button.primary").click()
    assert not await dialog.locator("[name=reason]").evaluate("field => field.checkValidity()")
    await dialog.locator("[name=reason]").fill("无")
    await dialog.locator("button.primary").click()
    await sam.said(word("code.FEFO_OVERRIDE_REASON", "zh"))
    await sam.said(f"行 1：{later}，未填写原因")
    await sam.said("至少 5 个字符的原因，或使用先到期的批次")
    await dialog.locator("[name=reason]").fill("客户指定使用该批次")
    await dialog.locator("button.primary").click()
    await until(company, order["id"], lambda o: [a["lot"] for a in o["workOrders"][0]["pickList"]["lines"]] == [later])
    await wil.shows(later)
    with engine.connect() as connection:
        reasons = connection.execute(
            text("SELECT reason FROM audit_row WHERE entity = :list AND reason LIKE '客户%'"),
            {"list": f"pick-list/{own['pickList']['number']}"},
        ).scalars()
        assert set(reasons) == {"客户指定使用该批次"}


@pytest.mark.accepts("MT-05")
async def test_where_codes_are_scanned_nothing_is_ticked_and_what_is_typed_has_a_reason_and_a_witness(
    console: Console, company: Company, engine: Engine, scanning: None
) -> None:
    number, work_order, _ = await picked(company)
    wes = await console.terminal("wes")
    await wes.open(f"/ui/picks/{work_order}")
    await wes.page.locator("[data-mark]").first.click()
    await stopped(wes, "Scan it")
    await expect(wes.page.locator("[data-mark]:checked")).to_have_count(0)
    await wes.press("The scanner does not work")
    await wes.page.locator("#typed-0").fill("API-W")
    await wes.page.locator("#typed-reason").fill("the scanner fell into the water")
    await wes.press("Issue to the line")
    await wes.sign(user="wil")
    await wes.shows("At the line")
    with engine.connect() as connection:
        typed = connection.execute(
            text("SELECT reason, new FROM audit_row WHERE entity LIKE :entity AND new::text LIKE '%secondPerson%'"),
            {"entity": f"%{number}%"},
        ).all()
    assert [row.reason for row in typed] == ["the scanner fell into the water"]
    assert all("API-W" in str(row.new) and "wil" in str(row.new) for row in typed)


async def test_a_scan_marks_the_line_that_nobody_could_tick(console: Console, company: Company, scanning: None) -> None:
    _, work_order, _ = await picked(company)
    wes = await console.terminal("wes", "zh")
    await wes.open(f"/ui/picks/{work_order}")
    await scan(wes, "lot/API-W")
    await wes.shows("已核对 1 / 1 行")
    await wes.press("发料到线边")
    await wes.shows("线边物料")
