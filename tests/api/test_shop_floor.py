"""Materials and pauses over the API: who gets what is scarce, what is issued once, what a pause leaves out."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import MASTER_DATA, Company, line, material, operation, policy
from tests.api.words import at_stage, create, do, receive, until

pytestmark = pytest.mark.usefixtures("working")

WATER = MASTER_DATA["inspectionPlans"][0]["characteristics"]


@pytest.fixture(scope="module", autouse=True)
async def _master_data(company: Company, working: None) -> None:
    """Powder, which is scarce here, in ten lots; and tablets whose material is not."""
    await receive(company, "API-FLOOR", "100000")
    scarce = {
        "materials": [material("POWDER", "raw", "kg"), material("CAKE", "finished", "pcs")],
        "billsOfMaterial": [
            {"product": "CAKE", "version": "1", "baseQuantity": "1", "lines": [line(1, "POWDER", "5", "kg", "FIT")]}
        ],
        "routes": [{"product": "CAKE", "version": "1", "operations": [
            operation("FIT", 10, "FIT", [], countsPieces=True, isOutput=True)]}],
        "inspectionPlans": [{"material": "POWDER", "characteristics": WATER}],
        "policies": [policy("crowd", approvals=0, certification=False, productionRelease=False, signatures={})],
    }  # fmt: skip
    imported = await (await company.desk("pat")).post("/master-data/import", scarce)
    assert imported.status_code == 200, imported.text


async def dispatched(company: Company) -> dict[str, Any]:
    """An order of one cake that needs 5 kg of powder, dispatched: the warehouse has answered."""
    made = await create(company, product="CAKE", policy="crowd", quantity="1")
    order, work_order = made["id"], made["workOrders"][0]["id"]
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/release")
    await do(company, "sam", f"/mes/work-orders/{work_order}/dispatch")
    found = await until(
        company, order, lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") in ("allocated", "short")
    )
    own: dict[str, Any] = found["workOrders"][0]
    return own


@pytest.mark.accepts("A10", "A8", "MT-03")
async def test_thirty_orders_at_once_on_ten_lots(company: Company, engine: Engine) -> None:
    for number in range(10):
        await receive(company, f"POW-{number}", "10", what="POWDER", expiresOn=f"2027-0{9 - number % 9}-15")
    own = await asyncio.gather(*(dispatched(company) for _ in range(30)))
    winners = [one for one in own if one["pickList"]["state"] == "allocated"]
    losers = [one for one in own if one["pickList"]["state"] == "short"]
    assert (len(winners), len(losers)) == (20, 10)
    for loser in losers:
        (short,) = loser["pickList"]["short"]
        assert (short["material"], short["required"], short["available"], short["unit"]) == ("POWDER", "5", "0", "kg")
        assert Decimal(short["reservedElsewhere"]) > 0
    with engine.connect() as connection:
        balances = connection.execute(
            text("SELECT on_hand, reserved FROM stock_balance WHERE lot LIKE 'POW-%' AND place = 'RAW'")
        ).all()
    assert [tuple(row) for row in balances] == [(10, 10)] * 10

    pick = f"/wms/outbound-orders/{losers[0]['pickList']['id']}"
    again = await (await company.desk("wil")).command(f"{pick}/preallocate-inventory")
    assert (again.status_code, again.json()["code"]) == (409, "SHORT")
    assert again.json()["blockers"][0]["required"] == "5 kg"
    await receive(company, "POW-LATE", "5", what="POWDER")
    await do(company, "wil", f"{pick}/preallocate-inventory")
    found = (await (await company.desk("wil")).get(f"/mes/work-orders/{losers[0]['id']}")).json()["pickList"]
    assert [(taken["lot"], taken["quantity"]) for taken in found["lines"]] == [("POW-LATE", "5")]


@pytest.mark.accepts("A11", "AC-03")
async def test_a_pick_list_is_approved_by_another_person_and_issued_once(company: Company, engine: Engine) -> None:
    order, work_order = await at_stage(company, "dispatched")
    desk = await company.desk("sam")
    own = (await desk.get(f"/mes/work-orders/{work_order}")).json()
    pick = f"/wms/outbound-orders/{own['pickList']['id']}"
    assert own["pickList"]["createdBy"] == "sam"
    refused = await desk.command(f"{pick}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "SEPARATION_OF_DUTIES")
    await do(company, "wil", f"{pick}/approve")
    tap = {"commandId": f"tap/{order}"}
    answers = [await (await company.desk("wes")).command(f"{pick}/execute", **tap) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    other = await (await company.desk("wes")).command(f"{pick}/execute")
    assert (other.status_code, other.json()["code"]) == (409, "INVALID_TRANSITION")
    # Nobody tells the work order: it goes on by itself.
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "ready")
    with engine.connect() as connection:
        moves = connection.execute(
            text("SELECT kind, quantity FROM stock_move WHERE work_order = :w"), {"w": own["number"]}
        ).all()
    assert [tuple(row) for row in moves] == [("issue", 5)]


@pytest.mark.accepts("A12")
async def test_a_pause_wants_a_reason_and_is_not_counted(company: Company) -> None:
    _, work_order = await at_stage(company, "running")
    path = f"/mes/work-orders/{work_order}"
    await do(company, "olu", f"{path}/operations/MIX/start")
    no_reason = await (await company.desk("olu")).command(f"{path}/pause")
    assert (no_reason.status_code, no_reason.json()["code"]) == (422, "INVALID_REQUEST")
    await do(company, "olu", f"{path}/pause", reason="end of the shift")
    paused = (await (await company.desk("sam")).get(path)).json()
    assert (paused["state"], paused["operations"][0]["state"]) == ("paused", "paused")
    before = paused["operations"][0]["netSeconds"]
    await asyncio.sleep(2.1)
    report = await (await company.desk("olu")).command(
        "/mes/production-reports/report", workOrderId=work_order, operation="MIX", good="1"
    )
    assert report.status_code == 409
    await do(company, "olu", f"{path}/resume")
    await do(company, "olu", f"{path}/operations/MIX/complete")
    after = (await (await company.desk("sam")).get(path)).json()["operations"][0]
    assert (after["state"], after["netSeconds"] - before <= 1) == ("completed", True)


@pytest.mark.accepts("A18")
async def test_an_order_is_completed_by_its_last_work_order_and_closed_when_nothing_is_open(company: Company) -> None:
    order, work_order = await at_stage(company, "inspecting")
    desk = await company.desk("sam")
    early = await desk.command(f"/mes/orders/{order}/close")
    assert (early.status_code, early.json()["blockers"][0]["found"]) == (409, "inProgress")
    path = f"/mes/work-orders/{work_order}"
    values = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=values)
    await do(company, "ben", f"{path}/inspection/decision", accept=True)
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    assert (await desk.command(f"/mes/orders/{order}/close")).status_code == 409
    await do(company, "wil", f"{path}/put-away", place="FINISHED")
    done = await until(company, order, lambda o: o["state"] == "completed")
    assert done["actualStart"] < done["actualEnd"]
    await do(company, "sam", f"/mes/orders/{order}/close")
