"""Samples, counts and prints over the API: moves, balances, refusals, the record (MT-09, EB-09, B15)."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import MASTER_DATA, Company
from tests.api.records import effective, ok, said
from tests.api.words import at_stage, do, receive, until

pytestmark = pytest.mark.usefixtures("working")
RECORD: dict[str, Any] = {
    "billOfMaterialVersion": "1", "routeVersion": "1", "balanceLimitPercent": "10",
    "operations": [said("MIX"), said("PRESS", printCheckSeconds=3600)],
    "materials": [{"line": 1, "material": "API", "balanceLimitPercent": "2", "printed": True}],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-BALANCE", "1000")
    await balanced(company)


async def balanced(company: Company) -> None:
    """The policy under which orders are made by the record of this module."""
    policies = [
        {**policy, "code": "balanced", "masterBatchRecord": True}
        for policy in MASTER_DATA["policies"] if policy["code"] == "swift"
    ]  # fmt: skip
    ok(await (await company.desk("pat")).post("/master-data/import", {"policies": policies}))
    await effective(company, "balanced", RECORD)


async def balance(company: Company, work_order: str) -> dict[str, Any]:
    """The only material of a work order at its only stage."""
    found = ok(await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}/material-balance"))
    (own,) = found["materials"]
    return dict(own)


@pytest.mark.accepts("MT-09", "B15", "EB-09")
async def test_what_is_missing_beyond_the_limit_keeps_the_order_open(company: Company, engine: Engine) -> None:
    order, work_order = await at_stage(company, "running", policy="balanced", quantity="20000")
    path = f"/mes/work-orders/{work_order}"
    at_line = {"line": 1, "lot": "API-BALANCE", "unit": "kg"}
    await do(company, "ana", f"{path}/operations/MIX/samples", **at_line, quantity="1", purpose="retained")
    await do(company, "olu", f"{path}/operations/MIX/start")
    bare = await (await company.desk("olu")).command(f"{path}/operations/MIX/complete")
    assert [one["code"] for one in bare.json()["blockers"]] == ["CONSUMPTION_NOT_STATED"]
    await do(company, "olu", f"{path}/operations/MIX/complete", consumed=[{**at_line, "quantity": "94"}])
    silent = await (await company.desk("wil")).command(f"{path}/count", lines=[{**at_line, "quantity": "2"}])
    assert [one["code"] for one in silent.json()["blockers"]] == ["REASON_REQUIRED"]
    counted = [{**at_line, "quantity": "2"}]
    await do(company, "wil", f"{path}/count", lines=counted, reason="the bag was torn")
    found = await balance(company, work_order)
    named = ("issued", "consumed", "sampled", "difference", "atLine", "limitPercent")
    assert [found[name] for name in named] == ["100", "94", "1", "3", "2", "2"]
    assert (found["isOutside"], found["accountedPercent"], found["isPrinted"]) == (True, "97.000", True)
    with engine.connect() as connection:
        moves = connection.execute(
            text("SELECT kind, from_place, to_place, m.quantity FROM stock_move m JOIN work_order w"
                 " ON w.number = m.work_order WHERE w.uuid = :w AND kind IN ('sample', 'difference') ORDER BY m.id"),
            {"w": work_order},
        ).all()  # fmt: skip
    assert [tuple(move) for move in moves] == [
        ("sample", "LINE", "SAMPLE", 1), ("difference", "LINE", "DIFFERENCE", 3),
    ]  # fmt: skip

    await do(company, "olu", f"{path}/operations/PRESS/start")
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "19900", "scrap": "100", "scrapReason": "dust"}
    early = await (await company.desk("olu")).command("/mes/production-reports/report", **report)
    assert [one["code"] for one in early.json()["blockers"]] == ["PRINT_CHECK_MISSING"]
    own = (await until(company, order, lambda o: True))["workOrders"][0]
    with engine.connect() as connection:
        expiry = connection.execute(
            text("SELECT to_char((created_at AT TIME ZONE 'UTC')::date + 730, 'YYYY-MM-DD')"
                 " FROM lot WHERE number = :l"), {"l": own["outputLot"]},
        ).scalar_one()  # fmt: skip
    check = f"{path}/operations/PRESS/print-checks"
    await do(company, "olu", check, lotText=own["outputLot"], expiryText=expiry)
    await do(company, "olu", "/mes/production-reports/report", **report)
    await do(company, "ana", f"{path}/operations/PRESS/samples", quantity="20", unit="pcs")
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{path}/operations/PRESS/parameters", values=values)
    await do(company, "olu", f"{path}/operations/PRESS/complete")
    own = (await until(company, order, lambda o: o["workOrders"][0]["state"] != "running"))["workOrders"][0]
    press = own["operations"][1]
    assert (press["good"], press["sampled"]) == ("19880", "20")
    stock = ok(await (await company.desk("wil")).get("/wms/stock", lot=own["outputLot"]))["stock"]
    assert {row["place"]: row["onHand"] for row in stock} == {"LINE": "19880"}

    await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
    results = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=results)
    await do(company, "ben", f"{path}/inspection/decision", accept=True)
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    await do(company, "wil", f"{path}/put-away", place="FINISHED")
    found_order = await until(company, order, lambda o: o["state"] == "completed")
    pick = found_order["workOrders"][0]["pickList"]["id"]
    lines = [{**at_line, "quantity": "2", "disposition": "scrap"}]
    await do(company, "wil", f"/wms/outbound-orders/{pick}/return", lines=lines, reason="damaged by the clamp")
    close = await (await company.desk("sam")).command(f"/mes/orders/{order}/close")
    codes = [one["code"] for one in close.json()["blockers"]]
    assert (close.status_code, codes) == (409, ["DEVIATION_OPEN", "RECONCILIATION_OUT_OF_LIMIT"])
    (named,) = (one for one in close.json()["blockers"] if one["code"] == "RECONCILIATION_OUT_OF_LIMIT")
    assert "100 kg issued = 94 consumed + 1 sampled + 2 scrapped + 3 difference (97.000 %" in named["found"]
    (number,) = found_order["openDeviations"]
    decision = {"deviation": number, "decision": "swept up and weighed"}
    await do(company, "rae", f"/mes/orders/{order}/decide-deviation", **decision)
    await do(company, "sam", f"/mes/orders/{order}/close")
    record = ok(await (await company.desk("rae")).get(f"{path}/batch-record"))
    assert [one["difference"] for one in record["materialBalance"]] == ["3"]
    assert [(one["lotText"], one["matches"]) for one in record["printChecks"]] == [(own["outputLot"], True)]


@pytest.mark.accepts("EB-09")
async def test_a_wrong_print_stops_the_line(company: Company) -> None:
    order, work_order = await at_stage(company, "running", policy="balanced", quantity="1000")
    path = f"/mes/work-orders/{work_order}/operations"
    used = [{"line": 1, "lot": "API-BALANCE", "quantity": "5", "unit": "kg"}]
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete", consumed=used)
    await do(company, "olu", f"{path}/PRESS/start")
    await do(company, "olu", f"{path}/PRESS/print-checks", lotText="ANOTHER", expiryText="2020-01-01")
    found = await until(company, order, lambda o: o["workOrders"][0]["operations"][1]["state"] == "held")
    assert len(found["openDeviations"]) == 1
    (check,) = ok(await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}/print-checks"))["printChecks"]
    assert (check["lotText"], check["matches"], check["checkedBy"]) == ("ANOTHER", False, "olu")


@pytest.mark.accepts("MT-09")
async def test_a_sample_of_a_delivery_leaves_its_stock(company: Company) -> None:
    delivery = {"lot": "API-SAMPLED", "material": "API", "quantity": "50", "unit": "kg"}
    made = await do(company, "wil", "/wms/receipts", **delivery)
    path = f"/quality/inspections/{made['inspection']['number']}"
    desk = await company.desk("ana")
    more = await desk.command(f"{path}/samples", quantity="51", unit="kg")
    assert [one["code"] for one in more.json()["blockers"]] == ["NOT_THERE"]
    other = await desk.command(f"{path}/samples", quantity="1", unit="g")
    assert [one["code"] for one in other.json()["blockers"]] == ["UNIT_MISMATCH"]
    taken = await do(company, "ana", f"{path}/samples", quantity="0.5", unit="kg", commandId="sample/1")
    again = await do(company, "ana", f"{path}/samples", quantity="0.5", unit="kg", commandId="sample/1")
    assert (taken["left"], again["left"]) == ("49.5", "49.5")
    stock = ok(await (await company.desk("wil")).get("/wms/stock", lot="API-SAMPLED"))["stock"]
    assert {row["place"]: row["onHand"] for row in stock} == {"RECEIVING": "49.5"}
    values = [{"name": "water", "text": "0.50", "unit": "%"}]
    await do(company, "ana", f"{path}/results", values=values)
    await do(company, "ben", f"{path}/decision", accept=True)
    late = await desk.command(f"{path}/samples", quantity="1", unit="kg", place="RAW")
    assert [one["code"] for one in late.json()["blockers"]] == ["INSPECTION_DECIDED"]


@pytest.mark.accepts("QL-02")
async def test_a_plan_says_how_many_of_a_lot_are_inspected(company: Company) -> None:
    desk = await company.desk("ana")
    found = ok(await desk.get("/quality/sampling-plan", lotSize=120, aql="1.0"))
    assert (found["letter"], found["size"], found["accept"], found["reject"]) == ("E", 13, 0, 1)
    tight = ok(await desk.get("/quality/sampling-plan", lotSize=10, aql="0.65", severity="tightened"))
    assert (tight["size"], tight["isWholeLot"]) == (10, True)
    none = await desk.get("/quality/sampling-plan", lotSize=100, aql="1.0", severity="reduced")
    assert (none.status_code, none.json()["code"]) == (422, "NO_SAMPLING_PLAN")
