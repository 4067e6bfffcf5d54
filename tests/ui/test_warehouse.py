"""The warehouse keeper's screens: picking by scans, putting away behind the gates, goods in, what a code is."""

from datetime import date
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine, update

from db.tables import Lot, core
from domain.gs1 import Element, element_string
from tests.api.company import Company
from tests.api.words import at_stage, do, receive, until
from tests.ui.floor import (
    approved,
    delivered,
    dispatched,
    import_plugs,
    lying,
    new_lot,
    scan,
    stopped,
    twice,
    word,
)
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")
STOCK = "API-FLOOR"


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    await import_plugs(company)
    await receive(company, STOCK, "1000", expiresOn="2031-05-31")


async def work_order_of(company: Company, work_order: str) -> dict[str, Any]:
    """The work order as it stands in the record."""
    found: dict[str, Any] = (await (await company.desk("wil")).get(f"/mes/work-orders/{work_order}")).json()
    return found


async def test_a_list_is_approved_by_another_person_picked_by_scans_and_issued_once(
    console: Console, company: Company
) -> None:
    order = await dispatched(company, quantity="2000")
    own = order["workOrders"][0]
    other = new_lot("API")
    await delivered(company, other, "API")
    screen = f"/ui/picks/{own['id']}"
    sam, wes = await console.terminal("sam"), await console.terminal("wes", "zh")
    await sam.open(screen)
    await sam.press("Approve the list")
    await sam.said(word("code.SEPARATION_OF_DUTIES"))
    await wes.open("/ui/picks")
    await wes.page.locator(f"a[href='{screen}']").click()
    await wes.shows("须由另一人批准")
    await wes.press("批准拣料单")
    await wes.shows("批准人： wes")

    wil = await console.terminal("wil", size=PHONE)
    await wil.open(screen)
    await wil.press("Issue to the line")
    await stopped(wil, "Check every line first")
    await scan(wil, "NOBODY-KNOWS")
    await stopped(wil, "NOBODY-KNOWS is no lot and no place of this list")
    await scan(wil, other)
    await stopped(wil, f"Lot {other} (Quarantine) is not reserved for this list. Take {STOCK}.")
    assert await lying(company, other) == {"RECEIVING": "2"}
    await wil.page.context.set_offline(True)
    await scan(wil, other)
    await stopped(wil, "No connection: this could not be checked.")
    await wil.page.context.set_offline(False)
    await scan(wil, "RAW")
    await wil.shows("You stand at RAW")
    await wil.shows("0 of 1 lines checked")
    symbol = element_string((Element("91", "API"), Element("92", STOCK)))
    await scan(wil, symbol)
    await wil.shows("1 of 1 lines checked")
    before = await lying(company, STOCK)
    await twice(wil, "Issue to the line")
    await until(company, order["id"], lambda o: o["workOrders"][0]["state"] == "ready")
    await wil.shows("At the line")
    after = await lying(company, STOCK)
    assert float(before["RAW"]) - float(after["RAW"]) == 10.0
    found = (await work_order_of(company, own["id"]))["pickList"]
    assert (found["state"], found["approvedBy"], found["lineSide"][0]["atLine"]) == ("issued", "wes", "10")


async def test_material_goes_back_from_the_line_and_not_more_than_lies_there(
    console: Console, company: Company
) -> None:
    order, work_order = await at_stage(company, "ready")
    wil = await console.terminal("wil")
    await wil.open(f"/ui/picks/{work_order}")
    await wil.press("Return", within="#line-side")
    dialog = wil.page.locator("#dialog")
    await dialog.get_by_label("Quantity").fill("6")
    await dialog.get_by_label("Reason").fill("too much was issued")
    await wil.press("Return", within="#dialog", exact=True)
    await wil.said(word("code.MORE_THAN_ON_LINE"))
    assert (await work_order_of(company, work_order))["returns"] == []
    await dialog.get_by_label("Quantity").fill("1.5")
    await twice(wil, "Return", within="#dialog")
    await until(company, order, lambda o: [one["state"] for one in o["workOrders"][0]["returns"]] == ["returned"])
    (returned,) = (await work_order_of(company, work_order))["returns"]
    assert [(line["lot"], line["quantity"], line["place"]) for line in returned["returned"]] == [(STOCK, "1.5", "RAW")]
    await wil.shows("3.5 kg")


async def test_a_short_list_says_what_is_missing_and_is_allocated_again(console: Console, company: Company) -> None:
    held = new_lot("GOLD")
    inspection = await delivered(company, held, quantity="5")
    order = await dispatched(company, product="RING", quantity="10")
    wil = await console.terminal("wil")
    await wil.open(f"/ui/picks/{order['workOrders'][0]['id']}")
    await wil.shows("The warehouse cannot cover this list")
    row = wil.page.locator("#short-1")
    # required, available, held, expired, reserved elsewhere, missing
    assert await row.locator("td").all_inner_texts() == ["GOLD", "1 kg", "0 kg", "5", "0", "0", "1 kg"]
    await wil.press("Allocate again")
    await wil.shows("The warehouse cannot cover this list")
    values = [{"name": "purity", "text": "99.95", "unit": "%"}, {"name": "mass", "text": "1000", "unit": "g"}]
    await do(company, "ana", f"/quality/inspections/{inspection}/results", values=values)
    await do(company, "ben", f"/quality/inspections/{inspection}/decision", accept=True)
    await wil.shows("Enough is there now")  # the page has heard of it
    await wil.press("Allocate again")
    await wil.shows(held)
    await wil.shows("0 of 1 lines checked")


async def test_an_expired_lot_is_a_red_stop(console: Console, company: Company, engine: Engine) -> None:
    old = new_lot("API")
    await receive(company, old, "50", expiresOn="2030-01-31")
    order = await approved(company)
    wil = await console.terminal("wil", "zh")
    await wil.open(f"/ui/picks/{order['workOrders'][0]['id']}")
    await wil.shows(old)  # it expires first
    with engine.begin() as connection:
        lots = core(Lot)
        connection.execute(update(lots).where(lots.c.number == old).values(expires_on=date(2026, 1, 31)))
    await scan(wil, old)  # the page was made before it expired
    await stopped(wil, f"批次 {old} 已于 2026-01-31 过期")
    await wil.press("发料到线边")
    await stopped(wil, "请先核对每一行")
    with engine.begin() as connection:
        connection.execute(update(lots).where(lots.c.number == old).values(status="onHold", expires_on=None))
    await wil.open(f"/ui/picks/{order['workOrders'][0]['id']}")
    await scan(wil, old)
    await stopped(wil, "不可用：冻结")


async def test_a_lot_is_put_away_behind_its_gate(console: Console, company: Company) -> None:
    order, work_order = await at_stage(company, "puttingAway", policy="guarded")
    lot = (await work_order_of(company, work_order))["outputLot"]
    wil = await console.terminal("wil")
    await wil.open("/ui/put-away")
    await wil.page.locator(f"a[href='/ui/put-away/{work_order}']").click()
    await wil.shows("only quarantine places")
    label = wil.page.locator("img.label")
    assert await label.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    printed = await wil.page.request.get(f"{console.address}/ui/labels/{lot}?format=pdf")
    assert (printed.status, (await printed.body())[:5]) == (200, b"%PDF-")
    await scan(wil, "FINISHED")
    await stopped(wil, f"FINISHED is no place for {lot} (Quarantine). It may go to: quarantine.")
    await scan(wil, lot)
    await wil.shows(f"{lot} is the right lot")
    await expect(wil.page.locator("#lot-seen")).to_be_checked()
    await scan(wil, "QUARANTINE")
    await expect(wil.page.locator("#place-QUARANTINE")).to_be_checked()
    quantity = wil.page.locator("#quantity")
    await quantity.fill("991")
    await wil.press("Put away", within="form")
    await wil.said(word("code.MORE_THAN_GOOD"))
    assert await lying(company, lot) == {"LINE": "990"}
    await quantity.fill("990")
    await twice(wil, "Put away", within="form")
    await until(company, order, lambda o: o["workOrders"][0]["putAway"]["state"] == "done")
    await wil.shows("Put away to QUARANTINE: 990")
    assert await lying(company, lot) == {"QUARANTINE": "990"}
    await wil.open("/ui/put-away")
    await wil.shows(word("command.certifyBatch"))


async def test_a_delivery_is_received_once_and_waits_in_quarantine(console: Console, company: Company) -> None:
    wil = await console.terminal("wil", "zh")
    lot = new_lot("GOLD")
    await wil.open("/ui/receipts")
    await wil.page.get_by_label("物料").first.fill("SAND")
    await wil.page.get_by_label("批号").fill(lot)
    await wil.page.get_by_label("数量").fill("12。5")
    await wil.page.get_by_label("供应商").fill("Aurum AG")
    await wil.page.get_by_label("有效期至").fill("2031-12-31")
    await wil.press("登记待验")
    await wil.said(word("code.UNKNOWN_MATERIAL", "zh"))
    await wil.page.get_by_label("物料").first.fill("GOLD")
    await twice(wil, "登记待验")
    await wil.said(f"批次 {lot} 已待验，检验单 {lot}-I1 已生成")
    assert await lying(company, lot) == {"RECEIVING": "12.5"}
    row = wil.page.locator(f"#lot-{lot}")
    await expect(row).to_contain_text("12.5 kg")
    await expect(row).to_contain_text("2031-12-31")
    await row.get_by_role("link", name=f"{lot}-I1").click()
    await wil.shows("等待质量控制员录入结果")
    # a supplier's label has the lot and the day on which it expires
    symbol = (Element("01", "06291041500213"), Element("17", "310228"), Element("10", new_lot("SUP")))
    await wil.open("/ui/receipts")
    await wil.page.locator("#f-material").fill("GOLD")
    await wil.page.locator("#f-quantity-number").fill("1")
    await wil.page.locator("#f-lot").focus()
    await scan(wil, element_string(symbol))
    await wil.press("登记待验")
    await wil.said(f"批次 {symbol[2].value} 已待验")
    await expect(wil.page.locator(f"#lot-{symbol[2].value}")).to_contain_text("2031-02-28")
    # who may not receive does not see the form, and is refused when they send it
    olu = await console.terminal("olu")
    await olu.open("/ui/receipts")
    await olu.shows("The warehouse keeper books deliveries")


async def test_a_code_leads_to_its_screen_and_an_unknown_one_is_refused_with_what_is_near(
    console: Console, company: Company
) -> None:
    lot = new_lot("GOLD")
    inspection = await delivered(company, lot)
    order, work_order = await at_stage(company, "ready")
    own = await work_order_of(company, work_order)
    picked = await approved(company)
    pick, olu, wil = picked["workOrders"][0], await console.terminal("olu"), await console.terminal("wil")
    symbol = element_string((Element("91", "GOLD"), Element("92", lot)))
    for terminal, code, screen in (
        (olu, f"{own['number']}/MIX", f"/ui/tasks/{work_order}/MIX"),
        (olu, f"operation/{own['number']}/MIX", f"/ui/tasks/{work_order}/MIX"),
        (olu, own["orderNumber"], f"/ui/orders/{order}"),
        (olu, "BENCH", "/ui/tasks?station=BENCH"),
        (olu, "person/wil", "/ui/login?switch=true&badge=wil"),
        (olu, "person/olu", "/ui/account"),
        (olu, lot, f"/ui/lots/{lot}"),
        (olu, lot.lower(), f"/ui/lots/{lot}"),
        (olu, symbol, f"/ui/lots/{lot}"),
        (olu, inspection, f"/ui/inspections/{inspection}"),
        (wil, pick["number"], f"/ui/picks/{pick['id']}"),  # what a keeper does next with it
        (olu, pick["number"], f"/ui/orders/{picked['id']}"),
        (wil, pick["pickList"]["number"], f"/ui/picks/{pick['id']}"),
    ):
        answer = await terminal.page.request.get(f"{console.address}/ui/scan", params={"code": code}, max_redirects=0)
        assert (answer.status, answer.headers.get("location")) == (302, screen), code
    await olu.open("/ui/tasks")
    await olu.page.locator("body").focus()
    await scan(olu, "SAW-7")
    await olu.said("Unknown code: SAW-7")
    await olu.said("SAW-1")
    assert olu.page.url.endswith("/ui/tasks")
    await scan(olu, "RAW")
    await olu.said(f"RAW is a {word('entity.place')}")
    await scan(olu, f"{own['number']}/MIX")
    await expect(olu.page).to_have_url(f"{console.address}/ui/tasks/{work_order}/MIX", timeout=15000)


async def test_a_problem_is_reported_once_and_not_by_an_auditor(console: Console, company: Company) -> None:
    order, work_order = await at_stage(company, "running")
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/MIX/start")
    olu = await console.terminal("olu")
    await olu.open(f"/ui/tasks/{work_order}/MIX")
    await olu.press("Report a problem")
    dialog = olu.page.locator("#dialog")
    await dialog.get_by_label("Contamination, cleanliness").check()
    await dialog.get_by_label("What happened?").fill("a screw lies in the mixer")
    await twice(olu, "Report", within="#dialog")
    await olu.said("Reported. Quality has been told.")
    told = (await (await company.desk("max")).get("/quality/deviations", orderId=order)).json()["deviations"]
    number = (await work_order_of(company, work_order))["number"]
    assert [(one["code"], one["detail"], one["openedBy"]) for one in told] == [
        ("CONTAMINATION", f"{number}/MIX: a screw lies in the mixer", "olu")
    ]
    aud = await console.terminal("aud")
    await aud.open(f"/ui/problem?order={order}&what={number}")
    await aud.page.locator("main").get_by_label("Something else").check()
    await aud.page.locator("main").get_by_label("What happened?").fill("I only look")
    await aud.press("Report")
    await aud.said(word("code.NOT_AUTHORISED"))
