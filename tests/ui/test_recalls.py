"""A recall at the screen: report, signature, execution, customers, sums of 100 %, its effect, the evidence."""

import uuid

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.shipping import saleable, shipped
from tests.api.words import receive
from tests.ui.screen import Console

pytestmark = pytest.mark.usefixtures("working")


async def test_a_recall_goes_from_the_lot_to_its_end(company: Company, console: Console) -> None:
    lot = f"API-{uuid.uuid4().hex[:6].upper()}"
    await receive(company, lot, "10")
    _, _, batch = await saleable(company, fixedLots={"API": [lot]})
    shipment = await shipped(company, batch, "300")
    rae, max_ = await console.terminal("rae"), await console.terminal("max", "zh")
    await rae.open(f"/ui/lots/{lot}")
    await rae.press("Open a recall")
    await rae.page.select_option("#f-isMock-bool", "false")
    await rae.page.fill("#f-reason", "glass in the bottle")
    await rae.press("Open a recall", within="#open-recall form")
    await expect(rae.page.locator("h1")).to_contain_text("Draft")
    number = rae.page.url.rpartition("/")[2]
    await rae.press("Freeze the report")
    await expect(rae.page.locator("#scope")).to_contain_text(batch)
    await expect(rae.page.locator("#customers")).to_contain_text("1 Harbour Road")
    await expect(rae.page.get_by_role("button", name="Approve a recall")).to_have_count(0)

    await max_.open("/ui/recalls")
    await max_.page.locator(f"#recall-{number}").click()
    await max_.press("批准召回")
    await expect(max_.page.locator("#dialog .signed")).to_contain_text(batch)
    await expect(max_.page.locator("#dialog .signed")).to_contain_text("范围已冻结")
    await max_.sign()
    await expect(max_.page.locator("h1")).to_contain_text("已批准")
    await rae.press("Carry the recall out")
    await expect(rae.page.locator("h1")).to_contain_text("Being carried out", timeout=15000)

    # Nothing is reconciled before every customer was told.
    await rae.press("Reconcile")
    await rae.said("A customer was not told")
    await rae.page.locator("#told-1").fill("by phone, Dr Li")
    await rae.press("Told", within="#customers form")
    await expect(rae.page.locator("#customers form")).to_have_count(0)
    await rae.page.locator("#quantity-1").fill("300")
    await rae.page.locator("#became-1").fill("destroyed by the clinic")
    await rae.press("Account for", within=f"#shipment-{shipment}")
    await expect(rae.page.locator(f"#shipment-{shipment}")).to_contain_text("Missing 0")
    await rae.press("Reconcile")
    await expect(rae.page.locator("h1")).to_contain_text("Reconciled")
    await expect(rae.page.locator("#reconciliation tr", has_text="Total")).to_contain_text("100")

    await max_.open(f"/ui/recalls/{number}")
    await max_.page.select_option("#f-effective-bool", "true")
    await max_.page.fill("#f-conclusion", "all of it is destroyed")
    await max_.press("关闭召回", within="#close-recall")
    await expect(max_.page.locator("#effect")).to_contain_text("all of it is destroyed")
    evidence = await max_.page.request.get(f"{console.address}/ui/recalls/{number}/pdf")
    assert (evidence.status, evidence.headers["content-type"]) == (200, "application/pdf")
    found = (await (await company.desk("aud")).get(f"/quality/recalls/{number}")).json()
    assert (found["state"], found["isMock"], found["effectiveness"]["effective"]) == ("closed", False, True)
    await rae.open(f"/ui/lots/{batch}")
    await expect(rae.page.locator("#card")).to_contain_text("Recalled")
    olu = await console.terminal("olu")
    await olu.open("/ui/recalls")
    await expect(olu.page.locator("#open-recall")).to_have_count(0)
