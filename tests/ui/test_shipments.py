"""The warehouse ships a certified lot at the screen, sees it leave, takes a part of it back."""

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.holding import held, until_hold
from tests.api.shipping import saleable, stored
from tests.api.words import receive
from tests.ui.floor import word
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(company: Company, working: None) -> None:
    await receive(company, "API-SHIP", "1000")


@pytest.mark.accepts("TR-08")
async def test_a_lot_is_shipped_from_its_page_and_a_part_of_it_taken_back(company: Company, console: Console) -> None:
    _, _, lot = await saleable(company)
    wil, rae = await console.terminal("wil"), await console.terminal("rae", "zh", PHONE)
    await rae.open(f"/ui/lots/{lot}")
    await expect(rae.page.locator("#lot-shipments")).to_have_count(0)
    await wil.open(f"/ui/lots/{lot}")
    await wil.shows("Nothing of this lot has been shipped.")
    await wil.press("New shipment")
    form = wil.page.locator("#ship")
    await expect(form.locator("#f-place")).to_contain_text("990 pcs free")
    await form.locator("[name='quantity:number']").fill("a few")
    await form.get_by_label("Consignee").fill("Clinic 7")
    await form.get_by_label("Address").fill("7 Harbour Road, Shanghai")
    await form.get_by_label("Contact").fill("Dr Li, +86 21 555 0101")
    await form.get_by_label("Transport").fill("truck, 15–25 °C")
    await wil.press("Prepare the shipment")

    # What is wrong with a field is said at the field, until somebody changes it.
    quantity = form.locator("[name='quantity:number']")
    await expect(quantity).to_have_attribute("aria-invalid", "true")
    await expect(form.locator(".field:has([name='quantity:number']) .wrong")).to_be_visible()
    await quantity.fill("991")
    await expect(form.locator(".wrong")).to_have_count(0)
    await wil.press("Prepare the shipment")
    await wil.said("990 pcs free at FINISHED")
    assert (await (await company.desk("aud")).get("/wms/shipments", lot=lot)).json()["shipments"] == []
    await quantity.fill("400")
    await wil.press("Prepare the shipment")
    await wil.said("The shipment is prepared")
    number = f"{lot}-S1"
    await expect(wil.page.locator("h1")).to_contain_text(number)

    # Everybody may look; only the warehouse ships.
    await rae.open(f"/ui/shipments/{number}")
    await rae.shows("已准备")
    await rae.shows("发运和退货由仓库办理")
    await expect(rae.page.locator("#steps button, #steps a.button")).to_have_count(0)
    await wil.press("The goods leave")
    await rae.shows("已发运")

    await wil.press("Take goods back")
    dialog = wil.page.locator("#dialog")
    await dialog.get_by_label("Quantity").fill("401")
    await dialog.get_by_label("Place").select_option("QUARANTINE")
    await dialog.get_by_label("Reason").fill("wrong address")
    await wil.press("Take goods back", within="#dialog")
    await expect(dialog).to_contain_text(word("code.MORE_THAN_SHIPPED", "en"))
    await dialog.get_by_label("Quantity").fill("150")
    await wil.press("Take goods back", within="#dialog")
    await expect(wil.page.locator("#return-1")).to_contain_text("wrong address")
    await rae.shows("累计退回： 150")
    await rae.open(f"/ui/lots/{lot}")
    await expect(rae.page.locator(f"#shipment-{number}")).to_contain_text("退回 150")
    found = (await (await company.desk("aud")).get(f"/wms/shipments/{number}")).json()
    assert (found["state"], found["consignee"], found["returned"]) == ("shipped", "Clinic 7", "150")

    # The next one to the same consignee is addressed already, and does not have to be sent.
    await wil.open("/ui/shipments/new")
    await wil.page.fill("#f-lot", lot)
    await wil.press("Further")
    await wil.press("Clinic 7")
    await expect(wil.page.get_by_label("Address")).to_have_value("7 Harbour Road, Shanghai")
    await wil.page.get_by_label("Quantity").fill("10")
    await wil.press("Prepare the shipment")
    await wil.press("Cancel the shipment")
    await dialog.get_by_label("Reason").fill("they are closed")
    await wil.press("Cancel the shipment", within="#dialog")
    await wil.shows("they are closed")
    await wil.open("/ui/shipments?state=cancelled")
    await expect(wil.page.locator("#shipments tbody tr")).to_have_count(1)


async def test_what_was_stopped_meanwhile_does_not_leave(company: Company, console: Console) -> None:
    _, _, lot = await saleable(company)
    wil = await console.terminal("wil", "zh")
    await wil.open(f"/ui/shipments/new?lot={lot}")
    for name, value in (("收货人", "诊所"), ("地址", "上海"), ("联系人", "李医生"), ("运输", "冷藏车")):
        await wil.page.locator("#ship").get_by_label(name).fill(value)
    await wil.page.locator("#ship [name='quantity:number']").fill("100")
    await wil.press("准备发运")
    await wil.said("发运单已准备")
    await until_hold(company, await held(company, lot), "held")
    await wil.press("确认发出")
    await wil.said(word("code.LOT_NOT_USABLE", "zh"))
    found = (await (await company.desk("aud")).get("/wms/shipments", lot=lot)).json()["shipments"]
    assert [own["state"] for own in found] == ["prepared"]


async def test_a_lot_in_quarantine_has_nothing_to_ship(company: Company, console: Console) -> None:
    _, _, lot = await stored(company)
    wil, sam = await console.terminal("wil"), await console.terminal("sam")
    await wil.open(f"/ui/shipments/new?lot={lot}")
    await wil.shows("Nothing of this lot is free")
    await expect(wil.page.locator("#ship")).to_have_count(0)
    await sam.open(f"/ui/shipments/new?lot={lot}")
    await sam.shows("The warehouse ships goods")
    await expect(sam.page.locator("form.card")).to_have_count(0)
    await wil.open("/ui/shipments/new?lot=NO-SUCH-LOT")
    await wil.shows("There is no lot NO-SUCH-LOT")
