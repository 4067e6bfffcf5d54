"""Orders by changed master data at people's terminals; the audit of data quality; chosen lots of a plan line."""

import uuid

import pytest
from playwright.async_api import expect

from tests.api.company import PASSWORD, Company, material, policy
from tests.api.records import TAB, effective, ok, with_policy
from tests.api.words import at_stage, until
from tests.ui.screen import Console, Terminal
from tests.ui.test_pictures import looked_at

pytestmark = pytest.mark.usefixtures("working")
SIGNED = policy("by-record-signed", certification=False, productionRelease=False, masterBatchRecord=True,
                signatures={"holdOrder": "approved"}, signatureShowsContent=True)  # fmt: skip


async def act(terminal: Terminal, card: str, name: str, reason: str, **fields: str) -> None:
    """Open the form of a decision and send it."""
    await terminal.press(name, within=card, exact=True)
    dialog = terminal.page.locator("#dialog")
    for field, value in fields.items():
        await dialog.locator(f"[name='{field}']").select_option(value)
    await dialog.locator("[name=reason]").fill(reason)
    await dialog.locator("button.primary").click()


@pytest.mark.accepts("C3")
async def test_owners_keep_hold_and_re_issue_at_their_terminals(console: Console, company: Company) -> None:
    await with_policy(company)
    ok(await (await company.desk("pat")).post("/master-data/import", {"policies": [SIGNED]}))
    await effective(company, f"u1-{uuid.uuid4().hex[:6]}")
    numbers = []
    for rules in ("by-record", "by-record-signed", "by-record"):
        order, _ = await at_stage(company, "released", policy=rules)
        numbers.append((order, (await until(company, order, lambda _: True))["number"]))
    await effective(company, f"u2-{uuid.uuid4().hex[:6]}", TAB | {"balanceLimitPercent": "4"})
    found = ok(await (await company.desk("sam")).get("/master-data-impacts", state="open"))["impacts"]
    cards = {own["orderNumber"]: f"#impact-{own['number']}" for own in found}

    pia = await console.terminal("pia", "zh", bypass_csp=True)
    await pia.open("/ui/")
    await pia.shows("主数据变更影响的订单")
    await looked_at(pia, "impacts-home", "zh")
    await pia.open("/ui/impacts?show=mine")
    await looked_at(pia, "impacts", "zh")
    await act(pia, cards[numbers[0][1]], "按原版本继续", "下批再用新版本")
    await pia.said("按原版本继续")
    await expect(pia.page.locator(cards[numbers[0][1]])).to_have_count(0)

    sam = await console.terminal("sam", bypass_csp=True)
    await sam.open(f"/ui/orders/{numbers[1][0]}")
    await sam.shows("Master data of this order have changed")
    await sam.open("/ui/impacts")
    await looked_at(sam, "impacts", "en")
    await act(sam, cards[numbers[1][1]], "Hold", "quality looks at it")
    await sam.shows("Hold", within="#dialog")
    await sam.sign(PASSWORD)
    await until(company, numbers[1][0], lambda order: order["state"] == "held")
    await act(sam, cards[numbers[2][1]], "Re-issue", "the new limits count", disposition="scrap")
    await until(company, numbers[2][0], lambda order: order["state"] == "cancelled")
    await sam.open("/ui/impacts?show=decided")
    await sam.shows("Cancelled, to be issued anew", within=cards[numbers[2][1]])
    await looked_at(sam, "impacts-decided", "en")
    decided = ok(await (await company.desk("sam")).get("/master-data-impacts", state="decided"))["impacts"]
    assert {own["decision"] for own in decided} == {"keep", "hold", "reissue"}


@pytest.mark.accepts("C3")
async def test_the_audit_of_data_quality_leads_to_where_it_is_mended(console: Console, company: Company) -> None:
    parts = [material("U-LONELY", "finished", "pcs"), material("U-ONE", "raw", "pcs") | {"name": "Twice"},
             material("U-TWO", "raw", "pcs") | {"name": "twice"}]  # fmt: skip
    ok(await (await company.desk("pat")).post("/master-data/import", {"materials": parts}))
    for language, word in (("zh", "物料名称重复"), ("en", "Two materials with one name")):
        pat = await console.terminal("pat", language, bypass_csp=True)
        await pat.open("/ui/master/quality")
        await pat.shows(word, within="#findings")
        await looked_at(pat, "master-quality", language)
        await pat.page.locator("a.tile", has_text=word).click()
        await expect(pat.page.locator("#findings tbody tr")).to_have_count(2)
        await pat.press("U-ONE", within="#findings")
        await pat.shows("Twice")


@pytest.mark.accepts("MT-02")
async def test_chosen_lots_of_a_plan_line_are_explained(console: Console, company: Company) -> None:
    pia = await console.terminal("pia", "zh", bypass_csp=True)
    await pia.open("/ui/plan/new")
    await pia.page.fill("main [name=product]", "TAB")
    await pia.page.fill("main [name='quantity:number']", "10")
    await pia.page.select_option("main [name=policy]", "gmp")
    await pia.page.fill("main [name=plant]", "demo")
    await pia.page.locator("main details summary").click()
    await pia.page.fill("main [name='lots.0.material']", "API")
    await pia.page.fill("main [name='lots.0.lots:list']", "API-1，API-2")
    await looked_at(pia, "plan-lots", "zh")
    await pia.page.locator("main form button.primary").click()
    await pia.said("不按近效期先出须说明理由")
    await pia.page.fill("main [name=fixedLotsReason]", "客户指定这两批")
    await pia.page.locator("main form button.primary").click()
    await pia.page.locator("table tbody a").first.click()
    await pia.shows("API-1, API-2", within="#plan-line")
    await pia.shows("客户指定这两批", within="#plan-line")
