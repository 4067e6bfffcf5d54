"""Stock is moved by hand at the screen, with its reason kept; pieces of a lot have numbers, and a scan finds them."""

import uuid

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company
from tests.api.shipping import saleable
from tests.api.test_nonconforming import rejected
from tests.api.words import receive
from tests.ui.floor import new_lot, scan, word
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _places(company: Company, working: None, engine: Engine) -> None:
    """A second store, and a cage for rejected goods."""
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO place VALUES ('RAW-2', 'Raw 2', 'released'), ('CAGE', 'Cage', 'rejected')")
        )


async def lies(company: Company, lot: str) -> dict[str, str]:
    """What of a lot lies where."""
    stock = (await (await company.desk("wil")).get("/wms/stock", lot=lot)).json()["stock"]
    return {row["place"]: row["onHand"] for row in stock}


async def test_stock_is_moved_to_a_place_that_fits_and_the_reason_stands_with_the_move(
    company: Company, console: Console
) -> None:
    lot = new_lot("API")
    await receive(company, lot, "500")
    wil, rae = await console.terminal("wil"), await console.terminal("rae", "zh", PHONE)
    await wil.open(f"/ui/lots/{lot}")
    await wil.press("Move stock")
    dialog = wil.page.locator("#dialog")
    await expect(dialog.locator("#f-from option")).to_have_text(["RAW · 500 kg free"])
    await expect(dialog.locator("#f-to")).not_to_contain_text("Cage")
    await dialog.get_by_label("To place").select_option("RAW-2")
    await dialog.get_by_label("Quantity").fill("501")
    await dialog.get_by_label("Reason").fill("the roof leaks")
    await wil.press("Move stock", within="#dialog")
    await expect(dialog).to_contain_text(word("code.NOT_ENOUGH", "en"))
    assert await lies(company, lot) == {"RAW": "500"}
    await dialog.get_by_label("Quantity").fill("120.5")
    await wil.press("Move stock", within="#dialog")
    await wil.said("Recorded: Move stock")
    assert await lies(company, lot) == {"RAW": "379.5", "RAW-2": "120.5"}

    await rae.open(f"/ui/lots/{lot}")
    await expect(rae.page.locator("#stock a", has_text="移库")).to_have_count(0)
    await rae.page.locator("#moves summary").click()
    latest = rae.page.locator("#moves li").first
    await expect(latest).to_contain_text("移库 120.5 kg")
    await expect(latest).to_contain_text("RAW → RAW-2")
    await expect(latest).to_contain_text("“the roof leaks”")
    await expect(rae.page.locator("#moves li").last).to_contain_text("收货 500 kg")
    await rae.open(f"/ui/stock-move?lot={lot}")
    await rae.shows("移库由仓库办理")


@pytest.mark.accepts("QL-12")
async def test_rejected_stock_moves_with_the_quality_manager_at_the_same_terminal(
    company: Company, console: Console
) -> None:
    lot = f"API-{uuid.uuid4().hex[:6].upper()}"
    await rejected(company, lot)
    wil = await console.terminal("wil", "zh")
    await wil.open(f"/ui/lots/{lot}")
    await wil.press("移库")
    dialog = wil.page.locator("#dialog")
    await dialog.locator("#f-to").select_option("CAGE")
    await dialog.locator("[name='quantity:number']").fill("4")
    await dialog.locator("[name=reason]").fill("库区已满，移至隔离笼")
    await wil.press("移库", within="#dialog")
    await expect(dialog).to_contain_text(word("code.NOT_APPROVED", "zh"))
    await dialog.locator("#second-user").fill("max")
    await dialog.locator("#second-password").fill("not this one")
    await wil.press("移库", within="#dialog")
    await expect(dialog.locator("[role=alert]")).to_be_visible()
    assert await lies(company, lot) == {"REJECTED": "10"}
    await dialog.locator("#second-password").fill(PASSWORD)
    await wil.press("移库", within="#dialog")
    await wil.said("已记录：移库")
    assert await lies(company, lot) == {"CAGE": "4", "REJECTED": "6"}


async def test_pieces_get_numbers_and_a_scan_of_one_leads_to_its_lot(company: Company, console: Console) -> None:
    await receive(company, new_lot("API"), "500")
    _, _, lot = await saleable(company)
    olu, rae = await console.terminal("olu"), await console.terminal("rae", "zh", PHONE)
    start = uuid.uuid4().hex[:6].upper()
    await olu.open(f"/ui/lots/{lot}")
    await olu.shows("No piece of this lot has a number of its own.")
    await olu.press("Register serial numbers")
    field = olu.page.locator("#dialog textarea")
    await field.fill(f"{start}-1\n{start}-2\n编号-3")
    await olu.press("Register serial numbers", within="#dialog")
    await expect(olu.page.locator("#dialog .field:has(textarea) .wrong")).to_be_visible()
    await field.fill(f"{start}-1\n{start}-2 {start}-3")
    await olu.press("Register serial numbers", within="#dialog")
    await expect(olu.page.locator("#serials .count")).to_have_text("3")
    await olu.press("Register serial numbers", within="#serials")
    await field.fill(f"{start}-3")
    await olu.press("Register serial numbers", within="#dialog")
    await expect(olu.page.locator("#dialog")).to_contain_text(word("code.SERIAL_TAKEN", "en"))

    await rae.open("/ui/lots")
    await scan(rae, f"{start}-2")
    await expect(rae.page.locator("#piece")).to_contain_text(f"{start}-2 是该批次的单件")
    await expect(rae.page.locator("#card h1")).to_have_text(lot)
    await expect(rae.page.locator("#serials a", has_text="登记序列号")).to_have_count(0)
    await rae.press("查找单件")
    await expect(rae.page.locator("#pieces li")).to_have_count(3)
    await rae.page.fill("#find", "-3")
    await rae.press("查找")
    await expect(rae.page.locator("#pieces li")).to_have_text([f"{start}-3"])
