"""The life of an order until its approval, and what a change costs after it (B1, B3, PO-03)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company, policy
from tests.api.planning_words import audited, line_of, order_of, press, refused
from tests.api.signing import shown
from tests.api.words import create, do, go_on_to, receive

pytestmark = pytest.mark.usefixtures("working")
WHY = "the customer wants fewer"


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    """A policy of two approvals by three heads, one under change control, a planner who is a head himself, stock."""
    plain: dict[str, Any] = {"certification": False, "productionRelease": False, "signatures": {}}
    policies = [policy("heads", approvals=2, **plain), policy("controlled", controlledChanges=True, **plain)]
    imported = await (await company.desk("pat")).post("/master-data/import", {"policies": policies})
    assert imported.status_code == 200, imported.text
    ada = await company.desk("ada")
    for user, roles in (("stu", ["supervisor"]), ("pam", ["planner", "supervisor"])):
        new = {"id": user, "fullName": user.title(), "password": PASSWORD, "roles": roles, "reason": "new here"}
        assert (await ada.post("/users", new)).status_code == 201
    await receive(company, "API-CHANGE", "900")


async def released(company: Company, **plan: Any) -> dict[str, Any]:
    """A released order under change control."""
    made = await create(company, policy="controlled", dueAt="2027-06-01T00:00:00Z", **plan)
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/approve")
    await do(company, "sam", f"/mes/orders/{made['id']}/release")
    return await order_of(company, made["id"])


@pytest.mark.accepts("B1", "PO-01")
async def test_an_order_is_rejected_edited_submitted_again_and_approved_by_two_of_three(
    company: Company, engine: Engine
) -> None:
    line = await company.plan("PL-HEADS", policy="heads")
    made = (await (await company.desk("pam")).post(f"/mes/orders/from-plan/{line['id']}")).json()
    path = f"/mes/orders/{made['id']}"
    await do(company, "pam", f"{path}/submit", reason="for the autumn campaign")
    await do(company, "sam", f"{path}/approve", reason="fine with me")
    early = await (await company.desk("sam")).command(f"{path}/release")
    assert (early.status_code, early.json()["blockers"][0]["found"]) == (409, "submitted")
    late = await (await company.desk("pam")).command(f"{path}/change", quantity="800", reason=WHY)
    assert (late.status_code, "rejection" in late.json()["blockers"][0]["required"]) == (409, True)
    await do(company, "sue", f"{path}/reject", reason="too much for one shift")

    unexplained = await (await company.desk("pam")).command(f"{path}/change", quantity="800")
    assert [own["code"] for own in unexplained.json()["blockers"]] == ["REASON_REQUIRED"]
    nobody = await (await company.desk("olu")).command(f"{path}/change", quantity="800", reason=WHY)
    assert nobody.status_code == 403
    await do(company, "pam", f"{path}/change", quantity="800", startAt="2027-01-04T06:00:00Z", reason="one shift")
    await do(company, "pam", f"{path}/submit", reason="as Sue asked")
    own = await (await company.desk("pam")).command(f"{path}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "SEPARATION_OF_DUTIES")
    await do(company, "sue", f"{path}/approve", reason="better")
    again = await (await company.desk("sue")).command(f"{path}/approve")
    assert (again.status_code, again.json()["code"]) == (403, "SEPARATION_OF_DUTIES")
    assert (await order_of(company, made["id"]))["state"] == "submitted"
    early = await (await company.desk("sam")).command(f"{path}/release")
    assert early.status_code == 409
    await do(company, "stu", f"{path}/approve")

    order = await order_of(company, made["id"])
    assert (order["state"], order["approvals"], order["approvalsNeeded"]) == ("approved", ["sue", "stu"], 2)
    assert [(own["act"], own["by"], own["comment"], own["voidBy"]) for own in order["decisions"]] == [
        ("submitted", "pam", "for the autumn campaign", None), ("approved", "sam", "fine with me", "sue"),
        ("rejected", "sue", "too much for one shift", None), ("changed", "pam", "one shift", None),
        ("submitted", "pam", "as Sue asked", None), ("approved", "sue", "better", None), ("approved", "stu", "", None),
    ]  # fmt: skip
    assert (order["quantity"], order["workOrders"][0]["quantity"], order["startAt"]) == (
        "800", "800", "2027-01-04T06:00:00Z",
    )  # fmt: skip
    assert order["workOrders"][0]["materials"][0]["quantity"] == "4"
    (entry,) = audited(engine, "production-order.changed", f"production-order/{made['number']}")
    assert entry.old == {"quantity": "1000", "startAt": ""}
    assert (entry.new["quantity"], entry.new["startAt"], entry.reason) == ("800", "2027-01-04T06:00:00Z", "one shift")
    with engine.connect() as connection:
        states = "SELECT to_state FROM state_transition WHERE entity_id = :n ORDER BY id"
        past = list(connection.execute(text(states), {"n": made["number"]}).scalars())
    assert past == ["draft", "submitted", "draft", "submitted", "approved"]
    await do(company, "sam", f"{path}/release")


@pytest.mark.accepts("PO-03")
async def test_a_relevant_change_after_the_approval_voids_it(company: Company, engine: Engine) -> None:
    made = await create(company, policy="controlled")
    path = f"/mes/orders/{made['id']}"
    await do(company, "pia", f"{path}/submit")
    await do(company, "sam", f"{path}/approve")
    await do(company, "pia", f"{path}/change", startAt="2027-01-04T06:00:00Z", reason="the line is free")
    assert (await order_of(company, made["id"]))["state"] == "approved"
    body = {"commandId": f"change/{made['id']}", "quantity": "900", "reason": WHY}
    pia = await company.desk("pia")
    answers = await asyncio.gather(*(pia.post(f"{path}/change", body) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    order = await order_of(company, made["id"])
    assert (order["state"], order["approvals"], order["quantity"]) == ("submitted", [], "900")
    (void,) = [own for own in order["decisions"] if own["act"] == "approved"]
    assert (void["by"], void["voidBy"], void["voidReason"]) == ("sam", "pia", WHY)
    entries = audited(engine, "production-order.changed", f"production-order/{made['number']}")
    assert len(entries) == 2
    assert (entries[-1].old, entries[-1].reason) == ({"quantity": "1000", "approvals": ["sam"]}, WHY)
    assert entries[-1].new["approvals"] == []
    assert (await refused(company, "sam", f"{path}/release")).keys() == {"INVALID_TRANSITION"}
    await do(company, "sam", f"{path}/approve")
    await do(company, "sam", f"{path}/release")


@pytest.mark.accepts("B3", "ES-04", "ES-05")
async def test_a_released_order_is_changed_by_a_signed_request(company: Company, engine: Engine) -> None:
    order = await released(company)
    path, number = f"/mes/orders/{order['id']}", order["number"]
    for fields in ({"quantity": "800"}, {"dueAt": "2027-07-01T00:00:00Z"}):
        direct = await (await company.desk("pia")).command(f"{path}/change", reason=WHY, **fields)
        assert (direct.status_code, direct.json()["code"]) == (409, "CHANGE_REQUEST_REQUIRED")
        assert "requestOrderChange" in direct.json()["possible"]
    asked = {"quantity": "800", "dueAt": "2027-07-01T00:00:00Z", "reason": WHY}
    made = await do(company, "sam", f"{path}/change-requests", **asked)
    change = made["result"]["change"]
    assert change == f"{number}-C1"
    waiting = await order_of(company, order["id"])
    assert (waiting["state"], waiting["quantity"], waiting["changing"]) == (
        "held", "1000", ["approveOrderChange", "rejectOrderChange", "withdrawOrderChange"],
    )  # fmt: skip
    held = await refused(company, "sam", f"/mes/work-orders/{order['workOrders'][0]['id']}/dispatch")
    assert "ORDER_ON_HOLD" in held
    assert "CHANGE_REQUEST_OPEN" in await refused(company, "sam", f"{path}/resume")

    approve = f"{path}/change-requests/{change}/approve"
    unsigned = await (await company.desk("max")).command(approve)
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    own = await (await company.desk("sam")).command(approve, signed=PASSWORD)
    assert (own.status_code, own.json()["code"]) == (403, "SEPARATION_OF_DUTIES")
    nobody = await (await company.desk("pia")).command(approve, signed=PASSWORD)
    assert (nobody.status_code, nobody.json()["code"]) == (403, "NOT_AUTHORISED")
    desk = await company.desk("max")
    seen = await shown(desk, "approveOrderChange", order["id"], content={"change": change})
    told = {own["field"]: own["value"] for own in seen["content"]}
    assert told["change.quantity"] == "1000 → 800"
    assert told["change.dueAt"] == "2027-06-01T00:00:00Z → 2027-07-01T00:00:00Z"
    ceremony = {"requestId": seen["id"], "contentHash": seen["contentHash"]}
    answer = await desk.command(approve, signed=PASSWORD, ceremony=ceremony, commandId=seen["commandId"])
    assert answer.status_code == 200, answer.text
    again = await desk.command(approve, signed=PASSWORD, ceremony=ceremony, commandId=seen["commandId"])
    assert again.json() == answer.json()

    changed = await order_of(company, order["id"])
    assert (changed["state"], changed["quantity"], changed["dueAt"]) == ("released", "800", "2027-07-01T00:00:00Z")
    assert changed["workOrders"][0]["materials"][0]["quantity"] == "4"
    (request,) = (await (await company.desk("rae")).get(f"{path}/change-requests")).json()["changeRequests"]
    assert (request["state"], request["requestedBy"], request["decidedBy"]) == ("approved", "sam", "max")
    assert request["changes"] == [
        {"field": "quantity", "before": "1000", "after": "800"},
        {"field": "dueAt", "before": "2027-06-01T00:00:00Z", "after": "2027-07-01T00:00:00Z"},
    ]
    (entry,) = audited(engine, "production-order.changed", f"production-order/{number}")
    assert entry.old == {"quantity": "1000", "dueAt": "2027-06-01T00:00:00Z"}
    assert (entry.actor, entry.new["quantity"], entry.new["change"]) == ("max", "800", change)
    (signature,) = [own for own in changed["signatures"] if own["command"] == "approveOrderChange"]
    assert (signature["signer"], signature["meaning"]) == ("max", "approved")
    assert entry.new["signature"] == signature["id"]
    checked = await (await company.desk("rae")).get(f"/signatures/{signature['id']}/verification")
    assert checked.json()["status"] == "valid", checked.text
    past = await order_of(company, order["id"], at=request["requestedAt"])
    assert (past["quantity"], past["state"]) == ("1000", "held")
    family = (await line_of(company, (await _plan_line(engine, number))))["family"]
    assert (family["planned"], family["open"], family["changed"]) == ("800", "800", "-200")


async def _plan_line(engine: Engine, order_number: str) -> str:
    with engine.connect() as connection:
        query = text("SELECT id FROM plan_line WHERE order_number = :n")
        return str(connection.execute(query, {"n": order_number}).scalar_one())


@pytest.mark.accepts("B3")
async def test_a_rejected_request_of_a_running_order_leaves_it_as_it_was(company: Company) -> None:
    order = await released(company)
    path, work_order = f"/mes/orders/{order['id']}", order["workOrders"][0]["id"]
    for stage in ("dispatched", "ready", "running"):
        await go_on_to(company, stage, order["id"], work_order)
    await press(company, work_order, good="600", scrap="10", complete=False)
    direct = await refused(company, "sam", f"{path}/reduce", quantity="700", reason=WHY)
    assert direct.keys() == {"CHANGE_REQUEST_REQUIRED"}
    more = await refused(company, "pia", f"{path}/change-requests", quantity="1200", reason=WHY)
    assert more.keys() == {"MATERIAL_PICKED"}
    made = await do(company, "pia", f"{path}/change-requests", quantity="700", reason=WHY)
    decide = f"{path}/change-requests/{made['result']['change']}"
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "1"}
    stopped = await (await company.desk("olu")).command("/mes/production-reports/report", **report)
    assert stopped.json()["code"] == "ORDER_ON_HOLD"
    assert (await refused(company, "sam", f"{decide}/reject")).keys() == {"REASON_REQUIRED"}
    await do(company, "sam", f"{decide}/reject", reason="all of it is sold")
    after = await order_of(company, order["id"])
    assert (after["state"], after["quantity"], after["changeRequests"][0]["comment"]) == (
        "inProgress", "1000", "all of it is sold",
    )  # fmt: skip
    await do(company, "olu", "/mes/production-reports/report", **report)
    assert (await refused(company, "sam", f"{decide}/reject", reason="once more")).keys() == {"CHANGE_NOT_OPEN"}


@pytest.mark.accepts("B3")
async def test_whoever_asked_takes_the_request_back_and_the_order_goes_on(company: Company, engine: Engine) -> None:
    order = await released(company)
    path = f"/mes/orders/{order['id']}"
    made = await do(company, "pia", f"{path}/change-requests", quantity="700", reason=WHY)
    withdraw = f"{path}/change-requests/{made['result']['change']}/withdraw"
    assert (await (await company.desk("olu")).command(withdraw)).status_code == 403
    assert (await refused(company, "sam", withdraw)).keys() == {"NOT_THE_REQUESTER"}
    assert (await order_of(company, order["id"]))["state"] == "held"
    await do(company, "pia", withdraw, reason="they want all of it after all")
    after = await order_of(company, order["id"])
    assert (after["state"], after["quantity"], after["changeRequests"][0]["state"]) == ("released", "1000", "withdrawn")
    assert (await refused(company, "pia", withdraw)).keys() == {"CHANGE_NOT_OPEN"}
    decide = f"{path}/change-requests/{made['result']['change']}"
    late = await (await company.desk("max")).command(f"{decide}/approve", signed=PASSWORD)
    assert [own["code"] for own in late.json()["blockers"]] == ["CHANGE_NOT_OPEN"]
    (entry,) = audited(engine, "order-change.withdraw", f"order-change/{made['result']['change']}")
    assert (entry.actor, entry.reason, entry.new["state"]) == ("pia", "they want all of it after all", "withdrawn")
    again = await do(company, "pia", f"{path}/change-requests", quantity="800", reason=WHY)
    assert again["result"]["change"] == f"{order['number']}-C2"
