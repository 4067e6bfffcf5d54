"""A running order is cut down to what was made, and the rest is planned anew."""

import asyncio

import pytest
from sqlalchemy import Engine

from tests.api.company import Company
from tests.api.planning_words import (
    WHY,
    audited,
    balanced,
    end_press,
    finish,
    line_of,
    order_of,
    press,
    refused,
)
from tests.api.words import at_stage, create, do, receive

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def stocked(company: Company, working: None) -> None:
    """Enough API for all orders of this module."""
    await receive(company, "API-REDUCE", "900")


@pytest.mark.accepts("A13", "A17")
async def test_a_running_order_is_cut_down_to_what_was_made_and_the_rest_is_planned(
    company: Company, engine: Engine
) -> None:
    order, work_order = await at_stage(company, "running", dueAt="2027-02-01T00:00:00Z")
    await press(company, work_order, good="600", scrap="10.5", complete=False)
    before = await order_of(company, order)
    assert before["replanning"] == ["reduceQuantity"]
    too_low = await refused(company, "sam", f"/mes/orders/{order}/reduce", quantity="610", reason=WHY)
    assert too_low["BELOW_REPORTED"]["found"] == "610 wanted, 610.5 reported at PRESS"
    not_less = await refused(company, "sam", f"/mes/orders/{order}/reduce", quantity="1000")
    assert not_less.keys() == {"NOT_A_REDUCTION", "REASON_REQUIRED"}

    body = {"commandId": f"reduce/{order}", "reason": WHY}
    sam = await company.desk("sam")
    answers = await asyncio.gather(*(sam.post(f"/mes/orders/{order}/reduce", body) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    (rest,) = answers[0].json()["planLines"]
    assert all(answer.json()["planLines"] == [rest] for answer in answers)
    assert (rest["reference"], rest["quantity"]) == (f"{before['planLine']}-R1", "389.5")
    assert rest["dueAt"].startswith("2027-02-01")
    after = await order_of(company, order)
    assert (after["quantity"], after["workOrders"][0]["quantity"]) == ("610.5", "610.5")
    assert after["parts"][0]["kind"] == "rest"
    (entry,) = audited(engine, "production-order.reduce", f"production-order/{before['number']}")
    own = {"workOrder": [{"number": before["workOrders"][0]["number"], "quantity": "610.5"}]}
    assert (entry.old, entry.new, entry.reason) == ({"quantity": "1000"}, {"quantity": "610.5"} | own, WHY)
    past = await order_of(company, order, at=before["createdAt"])
    assert (past["quantity"], past["parts"]) == ("1000", [])

    over = await (await company.desk("olu")).command(
        "/mes/production-reports/report", workOrderId=work_order, operation="PRESS", good="1"
    )
    assert (over.status_code, over.json()["code"]) == (409, "OVER_REPORT")
    await end_press(company, work_order)
    await finish(company, order, work_order)
    ended = await order_of(company, order)
    assert (ended["goodQuantity"], ended["scrapQuantity"], ended["quantity"]) == ("600", "10.5", "610.5")
    scrapped = await do(company, "pia", f"/mes/orders/{order}/backorder")
    assert scrapped["planLines"][0]["quantity"] == "10.5"
    family = (await line_of(company, rest["id"]))["family"]
    assert (family["planned"], family["open"], family["good"], family["lost"]) == ("1000", "400", "600", "0")
    assert balanced(family)


@pytest.mark.accepts("A7", "A13")
async def test_what_cannot_be_cut_down_says_what_can_be_done_instead(company: Company) -> None:
    order, _ = await at_stage(company, "dispatched")
    early = await refused(company, "sam", f"/mes/orders/{order}/reduce", quantity="500", reason=WHY)
    assert early.keys() == {"WORK_ORDER_NOT_RUNNING"}
    assert "cancelOrder" in early["WORK_ORDER_NOT_RUNNING"]["required"]
    order, _ = await at_stage(company, "running")
    nothing = await refused(company, "sam", f"/mes/orders/{order}/reduce", reason=WHY)
    assert nothing.keys() == {"NOTHING_MADE"}
    order, _ = await at_stage(company, "inspecting")
    late = await refused(company, "sam", f"/mes/orders/{order}/reduce", quantity="995", reason=WHY)
    assert "backorder" in late["WORK_ORDER_NOT_RUNNING"]["required"]
    made = await create(company, product="CART", policy="plain", quantity="10")
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/release")
    levels = await refused(company, "sam", f"/mes/orders/{made['id']}/reduce", quantity="5", reason=WHY)
    assert levels.keys() == {"WORK_ORDER_NOT_RUNNING", "SUB_ASSEMBLY_OPEN"}
