"""Quality's desk and the planner's in a real browser: results, the second person, reworks, plan lines and files."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.words import at_stage, do, receive, until
from tests.ui.floor import delivered, enter, import_plugs, new_lot, turned, twice, word
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")
CSV = """reference,product,quantity,unit,policy,plant,dueAt
{name}-1,TAB,1000,pcs,swift,demo,2027-03-01
{name}-2,TAB,-5,pcs,swift,demo,
{name}-3,SOAP,10,pcs,swift,demo,soon
{name}-4,TAB,2000,pcs,swift,demo,2027-04-01
"""


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    await import_plugs(company)
    await receive(company, "API-DESK", "1000")


async def document(company: Company, path: str, **query: Any) -> Any:
    """What the API says of it."""
    return (await (await company.desk("max")).get(path, **query)).json()


async def test_results_of_a_delivery_are_entered_and_decided_by_another_person(
    console: Console, company: Company
) -> None:
    lot = new_lot("GOLD")
    number = await delivered(company, lot, supplier="Aurum AG")
    ana = await console.terminal("ana")
    await ana.open("/ui/inspections")
    await ana.page.locator(f"#inspection-{number}").get_by_role("link", name="Enter").click()
    await ana.shows("Enter the results")
    purity, mass, colour = (ana.page.get_by_label(name, exact=False) for name in ("purity", "mass", "colour"))
    await purity.fill("97")
    outside = ana.page.locator("[data-limit-of='result-0']")
    await expect(outside).to_be_visible()
    await expect(purity).to_have_attribute("aria-invalid", "true")
    await purity.fill("９９。9５")
    await expect(outside).to_be_hidden()
    await purity.press("Enter")
    await expect(mass).to_be_focused()
    await mass.fill("1000")
    await mass.press("Enter")
    await expect(colour).to_be_focused()
    await twice(ana, "Save all results")
    await ana.shows("You (ana) entered the results: another person has to decide.")
    await ana.press("Accept")
    await ana.said(word("code.SEPARATION_OF_DUTIES"))
    (found,) = (await document(company, "/quality/inspections", lot=lot))["inspections"]
    assert [(one["name"], one["text"]) for one in found["results"]] == [("purity", "99.95"), ("mass", "1000")]
    assert (found["state"], found["enteredBy"]) == ("resultsEntered", "ana")

    ben = await console.terminal("ben", "zh", PHONE)
    await ben.open(f"/ui/inspections/{number}")
    await ben.shows("结果由 ana 录入")
    await twice(ben, "合格")
    await ben.shows("判定人：ben")
    assert (await document(company, f"/wms/lots/{lot}"))["status"] == "released"


async def test_a_lot_out_of_specification_cannot_be_accepted_here_and_is_rejected_for_a_reason(
    console: Console, company: Company
) -> None:
    lot = new_lot("GOLD")
    number = await delivered(company, lot)
    await enter(company, number, "97.2", "1012")
    ben = await console.terminal("ben")
    await ben.open("/ui/inspections?show=outOfSpecification")
    await ben.page.locator(f"#inspection-{number}").get_by_role("link", name="Decide").click()
    await ben.shows("Out of specification: purity, mass.")
    await expect(ben.page.locator("main").get_by_role("button", name="Accept")).to_have_count(0)
    await ben.press("Reject")
    dialog = ben.page.locator("#dialog")
    await expect(dialog).to_contain_text(f"Reject lot {lot}")
    await ben.press(word("command.decideInspection"), within="#dialog")
    await expect(dialog).to_be_visible()  # the reason is missing: nothing was sent
    assert (await document(company, f"/wms/lots/{lot}"))["status"] == "quarantine"


async def test_the_decision_is_signed_by_two_people(console: Console, company: Company) -> None:
    order, work_order = await at_stage(company, "inspecting", policy="pairs")
    values = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"/mes/work-orders/{work_order}/inspection/results", values=values)
    ben = await console.terminal("ben")
    await ben.open(f"/ui/inspections/{work_order}")
    await ben.press("Accept")
    await ben.sign("wrong-word-12345", user="max")
    await expect(ben.page.locator("#dialog")).to_contain_text(word("code.SIGNATURE_FAILED"))
    assert (await document(company, f"/mes/work-orders/{work_order}"))["inspection"]["state"] == "resultsEntered"
    await ben.sign(user="ben")
    await expect(ben.page.locator("#dialog")).to_contain_text(word("code.SEPARATION_OF_DUTIES"))
    await ben.sign(user="max")
    await ben.shows("Decided by ben")
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")


async def test_failed_pieces_are_reworked(console: Console, company: Company) -> None:
    order, work_order, inspection = await turned(company)
    ana = await console.terminal("ana")
    await ana.open("/ui/inspections")
    await ana.page.get_by_role("link", name=inspection).click()
    failed = ana.page.locator(f"#failed-{inspection}")
    await failed.fill("5")
    await ana.press("Decide")
    await ana.said(word("code.DEFECT_REQUIRED"))
    await ana.page.locator(f"#defect-{inspection}").fill("crack")
    await failed.fill("5")
    await twice(ana, "Decide")
    await ana.shows("Waits for the quality manager's approval.")
    (rework,) = (await document(company, f"/mes/work-orders/{work_order}"))["reworks"]
    assert (rework["quantity"], rework["state"]) == ("5", "proposed")
    await expect(ana.page.locator("main").get_by_role("button", name=word("command.approveRework"))).to_have_count(0)

    max_, olu = await console.terminal("max"), await console.terminal("olu", "zh", PHONE)
    await olu.open(f"/ui/inspections/{work_order}")
    await max_.open(f"/ui/inspections/{work_order}")
    await max_.page.locator(f"#procedure-{rework['number']}").fill("SOP-RW-07")
    await max_.page.locator(f"#test-{rework['number']}-0").fill("hardness")
    await max_.page.locator("[name='tests.0.low:number']").fill("4")
    await max_.press(word("command.approveRework"))
    await olu.press(word("command.startRework", "zh"))  # the open page has heard of it
    await olu.page.locator(f"#rework-good-{rework['number']}").fill("4")
    await olu.press(word("command.reportRework", "zh"))
    await olu.said("没有任何更改")  # four of five
    await olu.page.locator(f"#rework-good-{rework['number']}").fill("4")
    await olu.page.locator(f"#rework-scrap-{rework['number']}").fill("1")
    await twice(olu, word("command.reportRework", "zh"))
    found = await until(company, order, lambda o: o["workOrders"][0]["reworks"][0]["state"] != "running")
    (done,) = found["workOrders"][0]["reworks"]
    assert (done["procedure"], [(test["name"], test["low"]) for test in done["tests"]]) == (
        "SOP-RW-07", [("hardness", "4")],
    )  # fmt: skip
    again = found["workOrders"][0]["inProcessInspections"][-1]["number"]
    await ana.open(f"/ui/inspections/{work_order}")
    await ana.page.locator(f"#value-{again}-0").fill("3.9")
    await expect(ana.page.locator(f"[data-limit-of='value-{again}-0']")).to_be_visible()
    await ana.page.locator(f"#value-{again}-0").fill("4.2")
    await twice(ana, "Decide")
    found = await until(company, order, lambda o: o["workOrders"][0]["reworks"][0]["state"] == "completed")
    assert [one["text"] for one in found["workOrders"][0]["inProcessInspections"][-1]["testResults"]] == ["4.2"]
    assert (done["good"], done["scrap"], len(found["workOrders"][0]["reworks"])) == ("4", "1", 1)


async def test_a_line_is_planned_and_its_order_made_once(console: Console, company: Company) -> None:
    pia, reference = await console.terminal("pia"), new_lot("PL")
    await pia.open("/ui/plan")
    await pia.press("New plan line")
    dialog = pia.page.locator("#dialog")
    await dialog.locator("#f-reference").fill(reference)
    await dialog.locator("#f-product").fill("SOAP")
    await dialog.locator("#f-quantity-number").fill("1,000")
    await dialog.locator("#f-dueAt-time").fill("2027-02-01T08:00")
    await dialog.locator("#f-policy").select_option("swift")
    await dialog.locator("#f-plant").fill("demo")
    await pia.press("Add the line", within="#dialog")
    await expect(dialog).to_contain_text(word("code.UNKNOWN_PRODUCT"))
    await dialog.locator("#f-product").fill("TAB")
    await twice(pia, "Add the line", within="#dialog")
    await pia.said(f"Plan line {reference} is taken")
    await pia.open(f"/ui/plan?find={reference}")
    await twice(pia, "Make the order")
    await pia.said("is made")
    await pia.shows("Draft")
    lines = (await document(company, "/mes/plan-lines", limit=1000))["planLines"]
    (line,) = [one for one in lines if one["reference"] == reference]
    assert (line["orderState"], line["quantity"], line["unit"]) == ("draft", "1000", "pcs")
    orders = (await document(company, "/mes/orders", limit=500))["orders"]
    assert [one["number"] for one in orders].count(line["orderNumber"]) == 1
    # who may not plan has no buttons, and is refused
    olu = await console.terminal("olu")
    await olu.open(f"/ui/plan?find={reference}")
    await expect(olu.page.locator("main").get_by_role("button")).to_have_count(0)


async def test_a_line_is_split_into_parts_that_sum(console: Console, company: Company) -> None:
    line = await company.plan(new_lot("PL"))
    pia = await console.terminal("pia", "zh")
    await pia.open(f"/ui/plan/{line['id']}")
    await pia.press("拆分")
    dialog = pia.page.locator("#dialog")
    await dialog.locator("#part-0").fill("600")
    await dialog.locator("#part-1").fill("500")
    await dialog.get_by_label("原因").fill("two machines")
    await pia.press("拆分", within="#dialog", exact=True)
    await expect(dialog).to_contain_text(word("code.PARTS_DO_NOT_SUM", "zh"))
    await dialog.locator("#part-1").fill("400")
    await twice(pia, "拆分", within="#dialog")
    await pia.said("已拆分为新的计划行")
    family = (await document(company, f"/mes/plan-lines/{line['id']}"))["family"]
    assert [(one["kind"], one["quantity"]) for one in family["lines"]] == [
        (None, "1000"),
        ("split", "600"),
        ("split", "400"),
    ]
    await pia.shows("拆分自")


async def test_what_an_order_did_not_make_is_planned_once(console: Console, company: Company) -> None:
    made = await company.plan(new_lot("PL"), policy="swift")
    order = (await (await company.desk("pia")).post(f"/mes/orders/from-plan/{made['id']}")).json()["id"]
    await do(company, "sam", f"/mes/orders/{order}/cancel", reason="the customer is gone", disposition="scrap")
    await until(company, order, lambda o: o["state"] == "cancelled")
    pia = await console.terminal("pia")
    await pia.open(f"/ui/plan/{made['id']}")
    await twice(pia, "Plan what is missing")
    await pia.said("What is missing is a plan line now.")
    await pia.shows("backorder of")
    await pia.press("Plan what is missing")
    await pia.said(word("code.BACKORDER_EXISTS"))
    family = (await document(company, f"/mes/plan-lines/{made['id']}"))["family"]
    assert [one["kind"] for one in family["lines"]] == [None, "backorder"]


async def test_a_file_with_bad_rows_takes_nothing_and_offers_the_good_ones(console: Console, company: Company) -> None:
    pia, name = await console.terminal("pia"), new_lot("FILE")
    await pia.open("/ui/plan")
    await pia.press("Import a file")
    async with pia.page.expect_download() as download:
        await pia.press("Template (comma)")
    assert (await download.value).suggested_filename == "plan-lines.csv"
    content = CSV.format(name=name).encode()
    await pia.page.locator("#file").set_input_files({"name": "may.csv", "mimeType": "text/csv", "buffer": content})
    await pia.press("Import", exact=True)
    await pia.shows("2 bad rows in may.csv")
    rows = [await row.locator("td").all_inner_texts() for row in await pia.page.locator("#bad-rows tbody tr").all()]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("3", "quantity", word("code.QUANTITY_NOT_POSITIVE")), ("4", "dueAt", word("code.INVALID_DATE")),
        ("4", "product", word("code.UNKNOWN_PRODUCT")),
    ]  # fmt: skip
    assert rows[0][3] == "-5; more than 0"

    async def taken() -> list[str]:
        lines = (await document(company, "/mes/plan-lines", limit=1000))["planLines"]
        return [one["reference"] for one in lines if one["reference"].startswith(name)]

    assert await taken() == []
    await twice(pia, "Import the 2 good rows")
    await pia.said("2 plan lines are taken.")
    assert await taken() == [f"{name}-1", f"{name}-4"]
    olu = await console.terminal("olu")
    await olu.open("/ui/plan/import")
    await expect(olu.page.locator("#file")).to_have_count(0)
