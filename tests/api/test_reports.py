"""Reports over the API: how much is open, inspection while the order runs, rework, counter-reports, over-reports."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import MASTER_DATA, Company, line, material, operation
from tests.api.words import STAGES, at_stage, create, do, go_on_to, receive, until

pytestmark = pytest.mark.usefixtures("working")
ORDER = {"quantity": "100"}


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-REPORTS", "100000")
    part = {
        "materials": [material("PLUG", "finished", "pcs")],
        "billsOfMaterial": [
            {"product": "PLUG", "version": "1", "baseQuantity": "100", "lines": [line(1, "API", "1", "kg", "TURN")]}
        ],
        "routes": [{"product": "PLUG", "version": "1", "operations": [
            operation("TURN", 10, "FIT", [], countsPieces=True, isOutput=True, inspectionRule="every")]}],
        "policies": [
            {**policy, "code": "lenient", "overReport": "approve"}
            for policy in MASTER_DATA["policies"] if policy["code"] == "swift"
        ],
    }  # fmt: skip
    imported = await (await company.desk("pat")).post("/master-data/import", part)
    assert imported.status_code == 200, imported.text


async def pressing(company: Company) -> tuple[str, str]:
    """An order of 100 whose output operation runs."""
    order, work_order = await at_stage(company, "running", **ORDER)
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return order, work_order


async def turning(company: Company) -> tuple[str, str]:
    """An order of 100 plugs, each report of which is inspected."""
    made = await create(company, product="PLUG", policy="swift", **ORDER)
    order, work_order = made["id"], made["workOrders"][0]["id"]
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/approve")
    await do(company, "sam", f"/mes/orders/{order}/release")
    await do(company, "sam", f"/mes/work-orders/{work_order}/dispatch")
    found = await until(company, order, lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "allocated")
    pick = f"/wms/outbound-orders/{found['workOrders'][0]['pickList']['id']}"
    await do(company, "wes", f"{pick}/approve")
    await do(company, "wes", f"{pick}/execute")
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "ready")
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/TURN/start")
    return order, work_order


async def report(company: Company, work_order: str, good: int, scrap: int = 0, at: str = "PRESS") -> Any:
    """The answer to a report by olu."""
    body: dict[str, Any] = {"workOrderId": work_order, "operation": at, "good": str(good), "labourSeconds": 90}
    if scrap:
        body |= {"scrap": str(scrap), "scrapReason": "dust"}
    return await (await company.desk("olu")).command("/mes/production-reports/report", **body)


async def stock_of(company: Company, work_order: str) -> dict[str, str]:
    """Place → quantity of the lot that the work order makes."""
    lot = (await (await company.desk("sam")).get(f"/mes/work-orders/{work_order}")).json()["outputLot"]
    found = (await (await company.desk("wil")).get("/wms/stock", lot=lot)).json()["stock"]
    return {row["place"]: row["onHand"] for row in found}


@pytest.mark.accepts("A13")
async def test_what_is_reported_never_passes_the_order(company: Company) -> None:
    _, exact = await pressing(company)
    accepted = await report(company, exact, 95, 5)
    assert accepted.status_code == 200, accepted.text
    number = accepted.json()["result"]["reportNumber"]
    (listed,) = (await (await company.desk("sam")).get("/mes/production-reports", workOrderId=exact)).json()["reports"]
    assert (listed["number"], listed["operator"], listed["labourSeconds"]) == (number, "olu", 90)

    _, over = await pressing(company)
    refused = await report(company, over, 96, 5)
    assert (refused.status_code, refused.json()["code"]) == (409, "OVER_REPORT")
    assert "at most 100 more of 100 ordered" in refused.json()["blockers"][0]["required"]

    _, raced = await pressing(company)
    both = await asyncio.gather(report(company, raced, 60), report(company, raced, 60))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    (loser,) = [answer.json() for answer in both if answer.status_code == 409]
    assert "at most 40 more" in loser["blockers"][0]["required"]


@pytest.mark.accepts("A13")
async def test_fifty_partial_reports_at_once_never_pass_the_order(company: Company) -> None:
    order, work_order = await pressing(company)
    answers = await asyncio.gather(*(report(company, work_order, 3) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 33 + [409] * 17
    found = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    assert found["goodQuantity"] == "99"
    assert await stock_of(company, work_order) == {"LINE": "99"}


@pytest.mark.accepts("A14")
async def test_failed_pieces_are_reworked_and_inspected_again_before_the_order_ends(
    company: Company, engine: Engine
) -> None:
    order, work_order = await turning(company)
    path = f"/mes/work-orders/{work_order}"
    reported = (await report(company, work_order, 98, 2, at="TURN")).json()
    inspection = reported["result"]["inspection"]
    await do(company, "olu", f"{path}/operations/TURN/complete")
    decision = f"{path}/in-process-inspections/{inspection}/decision"
    no_defect = await (await company.desk("ana")).command(decision, failed="5")
    assert (no_defect.status_code, no_defect.json()["code"]) == (409, "DEFECT_REQUIRED")
    too_many = await (await company.desk("ana")).command(decision, failed="99", defect="burr")
    assert too_many.json()["code"] == "FAILED_TOO_MANY"
    rework = (await do(company, "ana", decision, failed="5", defect="burr"))["result"]["rework"]

    (shown,) = (await (await company.desk("sam")).get("/mes/production-reports", workOrderId=work_order)).json()[
        "reports"
    ]
    (result,) = shown["inspections"]
    assert (result["state"], result["failed"], result["defect"]) == ("failed", "5", "burr")
    found = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    own = found["workOrders"][0]
    assert [(one["number"], one["quantity"], one["state"], one["lot"]) for one in own["reworks"]] == [
        (rework, "5", "proposed", own["outputLot"])
    ]
    assert (found["goodQuantity"], own["operations"][0]["reviewBoard"], own["state"]) == ("93", "5", "running")

    desk = await company.desk("olu")
    early = await desk.command(f"{path}/reworks/{rework}/start")
    assert (early.status_code, early.json()["code"]) == (409, "INVALID_TRANSITION")
    assert {"approveRework", "rejectRework"} <= set(early.json()["possible"])
    close = await (await company.desk("sam")).command(f"/mes/orders/{order}/close")
    assert [blocker["code"] for blocker in close.json()["blockers"]] == ["INVALID_TRANSITION", "REWORK_OPEN"]
    await do(company, "max", f"{path}/reworks/{rework}/approve")
    await do(company, "olu", f"{path}/reworks/{rework}/start")
    part = await desk.command(f"{path}/reworks/{rework}/report", good="3", scrap="1")
    assert (part.status_code, part.json()["code"]) == (409, "REWORK_INCOMPLETE")
    again = (await do(company, "olu", f"{path}/reworks/{rework}/report", good="4", scrap="1"))["result"]["inspection"]
    assert (await stock_of(company, work_order)) == {"LINE": "97"}
    twice = await (await company.desk("sam")).command(f"/mes/orders/{order}/close")
    assert "REWORK_OPEN" in [blocker["code"] for blocker in twice.json()["blockers"]]
    await do(company, "ana", f"{path}/in-process-inspections/{again}/decision", failed="0")

    found = await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    own = found["workOrders"][0]
    assert (found["goodQuantity"], own["operations"][0]["scrap"], own["putAway"]["quantity"]) == ("97", "3", "97")
    await do(company, "wil", f"{path}/put-away", place="FINISHED")
    await until(company, order, lambda o: o["state"] == "completed")
    await do(company, "sam", f"/mes/orders/{order}/close")
    assert await stock_of(company, work_order) == {"FINISHED": "97"}
    listed = (await desk.get("/quality/reworks", state="completed")).json()["reworks"]
    assert [one["doneBy"] for one in listed if one["number"] == rework] == ["olu"]
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT good, scrap, review_board FROM operation WHERE work_order = :w"), {"w": own["number"]}
        ).one()
    assert tuple(row) == (97, 3, 0)


@pytest.mark.accepts("A14")
async def test_pieces_that_are_not_worth_a_rework_become_scrap(company: Company) -> None:
    order, work_order = await turning(company)
    path = f"/mes/work-orders/{work_order}"
    inspection = (await report(company, work_order, 100, at="TURN")).json()["result"]["inspection"]
    decision = f"{path}/in-process-inspections/{inspection}/decision"
    rework = (await do(company, "ana", decision, failed="5", defect="burr"))["result"]["rework"]
    await do(company, "max", f"{path}/reworks/{rework}/reject", reason="cheaper to make new ones")
    await do(company, "olu", f"{path}/operations/TURN/complete")
    found = await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    assert (found["goodQuantity"], found["scrapQuantity"], found["reviewBoardQuantity"]) == ("95", "5", "0")
    assert await stock_of(company, work_order) == {"LINE": "95"}


@pytest.mark.accepts("A19")
async def test_a_cancelled_order_takes_its_open_rework_with_it(company: Company) -> None:
    order, work_order = await turning(company)
    path = f"/mes/work-orders/{work_order}"
    first = (await report(company, work_order, 50, at="TURN")).json()["result"]["inspection"]
    await report(company, work_order, 50, at="TURN")
    await do(company, "ana", f"{path}/in-process-inspections/{first}/decision", failed="5", defect="burr")
    await do(company, "sam", f"/mes/orders/{order}/cancel", reason="customer withdrew", disposition="scrap")
    found = await until(company, order, lambda o: o["state"] in ("aborted", "cancelled"))
    own = found["workOrders"][0]
    assert [one["state"] for one in own["inProcessInspections"]] == ["failed", "cancelled"]
    assert [one["state"] for one in own["reworks"]] == ["cancelled"]
    assert await stock_of(company, work_order) == {}


@pytest.mark.accepts("A13")
async def test_a_wrong_report_is_taken_back_by_a_counter_report(company: Company) -> None:
    order, work_order = await pressing(company)
    number = (await report(company, work_order, 80, 5)).json()["result"]["reportNumber"]
    desk = await company.desk("olu")
    no_reason = await desk.command("/mes/production-reports/reverse", reportNumber=number)
    assert (no_reason.status_code, no_reason.json()["code"]) == (409, "REASON_REQUIRED")
    back = await do(company, "olu", "/mes/production-reports/reverse", reportNumber=number, reason="wrong order")
    twice = await desk.command("/mes/production-reports/reverse", reportNumber=number, reason="wrong order")
    assert twice.json()["code"] == "ALREADY_REVERSED"
    counter = await desk.command(
        "/mes/production-reports/reverse", reportNumber=back["result"]["reportNumber"], reason="wrong order"
    )
    assert (counter.status_code, counter.json()["code"]) == (409, "COUNTER_REPORT")
    unknown = await desk.command("/mes/production-reports/reverse", reportNumber="nope", reason="wrong order")
    assert unknown.status_code == 404
    assert (await report(company, work_order, 100)).status_code == 200
    listed = (await desk.get("/mes/production-reports", workOrderId=work_order)).json()["reports"]
    assert [(one["good"], one["scrap"], one["reverses"]) for one in listed] == [
        ("80", "5", None), ("-80", "-5", number), ("100", "0", None),
    ]  # fmt: skip
    found = (await desk.get(f"/mes/orders/{order}")).json()
    assert (found["goodQuantity"], found["scrapQuantity"]) == ("100", "0")
    assert await stock_of(company, work_order) == {"LINE": "100"}


@pytest.mark.accepts("A13")
async def test_an_over_report_waits_until_somebody_else_allows_it(company: Company) -> None:
    made = await create(company, product="TAB", policy="lenient", **ORDER)
    order, work_order = made["id"], made["workOrders"][0]["id"]

    for stage in STAGES[1 : STAGES.index("running") + 1]:
        await go_on_to(company, stage, order, work_order)
    path = f"/mes/work-orders/{work_order}"
    for step in ("MIX/start", "MIX/complete", "PRESS/start"):
        await do(company, "olu", f"{path}/operations/{step}")
    asked = (await report(company, work_order, 104)).json()["result"]["overReport"]
    found = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    assert (found["goodQuantity"], found["workOrders"][0]["overReports"][0]["overBy"]) == ("0", "4")
    assert "decideOverReport" in [wait["command"] for wait in found["waitsFor"]]
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{path}/operations/PRESS/parameters", values=values)
    early = await (await company.desk("olu")).command(f"{path}/operations/PRESS/complete")
    assert (early.status_code, early.json()["code"]) == (409, "OVER_REPORT_OPEN")
    await do(company, "sam", f"{path}/over-reports/{asked}/decision", accept=True)
    (listed,) = (await (await company.desk("sam")).get("/mes/production-reports", workOrderId=work_order)).json()[
        "reports"
    ]
    assert (listed["good"], listed["operator"], listed["overBy"]) == ("104", "olu", "4")
    second = (await report(company, work_order, 1)).json()["result"]["overReport"]
    decision = f"{path}/over-reports/{second}/decision"
    no_reason = await (await company.desk("sam")).command(decision, accept=False)
    assert no_reason.json()["code"] == "REASON_REQUIRED"
    await do(company, "sam", decision, accept=False, reason="not ordered")
    await do(company, "olu", f"{path}/operations/PRESS/complete")
