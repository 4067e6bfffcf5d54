"""Plan, order and what becomes of the rest: split and backorder."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company
from tests.api.planning_words import (
    WHY,
    audited,
    balanced,
    finish,
    line_of,
    order_of,
    own_numbers,
    parts,
    press,
    refused,
)
from tests.api.words import at_stage, create, do, go_on_to, receive, until

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def stocked(company: Company, engine: Engine, working: None) -> None:
    """Enough API for all orders of this module."""
    own_numbers(engine, 100_000)
    await receive(company, "API-REPLAN", "900")


# Backorder -----------------------------------------------------------------------------------------------------------


@pytest.mark.accepts("A5")
async def test_a_backorder_is_made_once_by_twenty_and_its_order_by_the_ordinary_route(
    company: Company, engine: Engine
) -> None:
    order, _ = await at_stage(company, "completed")
    original = await order_of(company, order)
    assert original["replanning"] == ["makeBackorder"]
    pia = await company.desk("pia")
    path = f"/mes/orders/{order}/backorder"
    body = {"commandId": f"bo/{order}", "reason": "dust in the press"}
    answers = await asyncio.gather(*(pia.post(path, body) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert len({answer.text for answer in answers}) == 1
    (line,) = answers[0].json()["planLines"]
    assert (line["reference"], line["quantity"], line["unit"]) == (f"{original['planLine']}-B1", "10", "pcs")

    others = await asyncio.gather(*(refused(company, "pia", path) for _ in range(20)))
    for blockers in others:
        assert blockers.keys() == {"BACKORDER_EXISTS"}
        assert line["reference"] in blockers["BACKORDER_EXISTS"]["found"]
    assert len(audited(engine, "command.refused", f"production-order/{original['number']}")) == 20
    (entry,) = audited(engine, "plan-line.backorder", f"plan-line/{line['reference']}")
    assert (entry.actor, entry.reason, entry.new["madeOf"]) == ("pia", body["reason"], original["planLine"])

    again = await pia.post(f"/mes/orders/from-plan/{line['id']}")
    assert again.json()["number"] == line["orderNumber"]
    made = await order_of(company, again.json()["id"])
    assert (made["quantity"], made["product"], made["policy"]) == ("10", "TAB", original["policy"])
    assert made["backorderOf"]["orderNumber"] == original["number"]
    (part,) = (await order_of(company, order))["parts"]
    assert (part["kind"], part["orderNumber"], part["quantity"]) == ("backorder", made["number"], "10")
    assert made["workOrders"][0]["materials"][0]["quantity"] == "0.05"


@pytest.mark.accepts("A5")
async def test_twenty_commands_of_their_own_make_one_backorder(company: Company, engine: Engine) -> None:
    order, _ = await at_stage(company, "closed")
    pia = await company.desk("pia")
    asked = (pia.command(f"/mes/orders/{order}/backorder") for _ in range(20))
    answers = await asyncio.gather(*asked)
    made = [answer.json() for answer in answers if answer.status_code == 200]
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert (len(made), len(refusals)) == (1, 19)
    assert {refusal["code"] for refusal in refusals} == {"BACKORDER_EXISTS"}
    reference = made[0]["planLines"][0]["reference"]
    assert all(reference in refusal["blockers"][0]["found"] for refusal in refusals)
    with engine.connect() as connection:
        counted = text("SELECT count(*) FROM plan_line_link WHERE child = :child OR parent = :child")
        assert connection.execute(counted, {"child": reference}).scalar_one() == 1


async def test_a_backorder_of_an_order_that_goes_on_is_refused(company: Company) -> None:
    order, _ = await at_stage(company, "running")
    blockers = await refused(company, "pia", f"/mes/orders/{order}/backorder")
    assert blockers.keys() == {"ORDER_NOT_ENDED"}
    assert blockers["ORDER_NOT_ENDED"]["found"] == "inProgress"
    assert "reduceQuantity" in blockers["ORDER_NOT_ENDED"]["required"]


async def test_nothing_is_missing_of_an_order_that_made_all(company: Company) -> None:
    order, work_order = await at_stage(company, "running")
    await do(company, "sam", f"/mes/orders/{order}/reduce", quantity="990", reason=WHY)
    await press(company, work_order, good="990")
    await finish(company, order, work_order)
    blockers = await refused(company, "pia", f"/mes/orders/{order}/backorder")
    assert blockers.keys() == {"NOTHING_MISSING"}
    assert blockers["NOTHING_MISSING"]["found"] == "990 good of 990 ordered"


@pytest.mark.accepts("A19")
@pytest.mark.parametrize(
    ("stage", "disposition", "state", "missing"),
    [
        ("approved", None, "cancelled", "1000"),
        ("ready", None, "cancelled", "1000"),
        ("inspecting", "scrap", "aborted", "1000"),
        ("inspecting", "keepAsLot", "aborted", "10"),
    ],
)
async def test_the_backorder_of_an_order_that_was_cancelled(
    company: Company, stage: str, disposition: str | None, state: str, missing: str
) -> None:
    order, _ = await at_stage(company, stage)
    await do(company, "sam", f"/mes/orders/{order}/cancel", reason=WHY, disposition=disposition)
    await until(company, order, lambda found: found["state"] == state)
    made = await do(company, "pia", f"/mes/orders/{order}/backorder")
    assert made["planLines"][0]["quantity"] == missing
    family = (await line_of(company, made["planLines"][0]["id"]))["family"]
    assert (family["planned"], family["open"], family["lost"]) == ("1000", missing, "0")
    assert balanced(family)


async def test_the_pieces_of_a_rejected_lot_are_missing(company: Company) -> None:
    order, work_order = await at_stage(company, "inspecting")
    path = f"/mes/work-orders/{work_order}"
    values = [{"name": "dissolution", "text": "70.0", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=values)
    await do(company, "ben", f"{path}/inspection/decision", accept=False, reason="out of specification")
    await until(company, order, lambda found: found["workOrders"][0]["state"] in ("puttingAway", "completed"))
    await do(company, "wil", f"{path}/put-away", place="REJECTED")
    await until(company, order, lambda found: found["state"] == "completed")
    made = await do(company, "pia", f"/mes/orders/{order}/backorder", dueAt="2027-03-01T12:00:00Z")
    (line,) = made["planLines"]
    assert line["quantity"] == "1000"
    assert line["dueAt"].startswith("2027-03-01T12:00:00")


# Split ---------------------------------------------------------------------------------------------------------------


@pytest.mark.accepts("A5", "A7")
async def test_a_plan_line_is_split_once_and_its_parts_are_made_instead(company: Company, engine: Engine) -> None:
    line = await company.plan("PL-SPLIT", quantity="1000.5")
    pia = await company.desk("pia")
    path = f"/mes/plan-lines/{line['id']}/split"
    wrong = await refused(company, "pia", path, parts=parts("500", "500"))
    assert wrong["PARTS_DO_NOT_SUM"]["found"] == "500 + 500 = 1000"
    assert wrong["PARTS_DO_NOT_SUM"]["required"] == "parts that sum to 1000.5"
    nearly = await refused(company, "pia", path, parts=parts("123456789012345678", "0.000000000001"))
    assert nearly["PARTS_DO_NOT_SUM"]["found"].endswith(" = 123456789012345678.000000000001")
    body = {"commandId": "split/PL-SPLIT", "parts": [{"quantity": "400.25", "dueAt": "2027-01-01T00:00:00Z"},
                                                     {"quantity": "600.25"}]}  # fmt: skip
    answers = await asyncio.gather(*(pia.post(path, body) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert len({answer.text for answer in answers}) == 1
    first, second = answers[0].json()["planLines"]
    assert [first["reference"], second["reference"]] == ["PL-SPLIT-S1", "PL-SPLIT-S2"]
    assert [first["quantity"], second["quantity"]] == ["400.25", "600.25"]
    assert (first["dueAt"][:10], second["dueAt"]) == ("2027-01-01", None)

    again = await refused(company, "pia", path, parts=parts("1000", "0.5"))
    assert again["ALREADY_SPLIT"]["found"] == "split into PL-SPLIT-S1, PL-SPLIT-S2"
    never = await pia.post(f"/mes/orders/from-plan/{line['id']}")
    assert (never.status_code, never.json()["code"]) == (409, "ALREADY_SPLIT")
    assert len(audited(engine, "command.refused", "plan-line/PL-SPLIT")) == 4
    missing = await pia.get("/validation/work-order-data-integrity", planId=line["id"])
    assert missing.status_code == 200

    made = await pia.post(f"/mes/orders/from-plan/{first['id']}")
    own = await order_of(company, made.json()["id"])
    assert (own["quantity"], own["splitFrom"]["reference"]) == ("400.25", "PL-SPLIT")
    assert own["workOrders"][0]["materials"][0]["quantity"] == "2.00125"
    whole = await line_of(company, line["id"])
    assert [(part["kind"], part["reference"]) for part in whole["parts"]] == [
        ("split", "PL-SPLIT-S1"), ("split", "PL-SPLIT-S2"),
    ]  # fmt: skip
    family = whole["family"]
    assert (family["planned"], family["open"]) == ("1000.5", "1000.5")
    assert [(own["reference"], own["open"]) for own in family["lines"]] == [
        ("PL-SPLIT", "0"), ("PL-SPLIT-S1", "400.25"), ("PL-SPLIT-S2", "600.25"),
    ]  # fmt: skip


async def test_a_line_with_an_order_or_a_batch_number_is_not_split(company: Company) -> None:
    made = await create(company)
    with_order = (await order_of(company, made["id"]))["planLine"]
    listed = (await (await company.desk("pia")).get("/mes/plan-lines", limit=1000)).json()["planLines"]
    line = next(own for own in listed if own["reference"] == with_order)
    blockers = await refused(company, "pia", f"/mes/plan-lines/{line['id']}/split", parts=parts("1", "2"))
    assert blockers.keys() == {"ORDER_EXISTS", "PARTS_DO_NOT_SUM"}
    assert made["number"] in blockers["ORDER_EXISTS"]["found"]
    named = await company.plan("PL-NAMED", batchNumber="TAB-NAMED")
    blockers = await refused(company, "pia", f"/mes/plan-lines/{named['id']}/split", parts=parts("1", "999"))
    assert blockers.keys() == {"BATCH_NUMBER_GIVEN"}


@pytest.mark.accepts("A5")
async def test_a_split_and_an_order_of_one_line_at_once_leave_one_of_both(company: Company) -> None:
    pia = await company.desk("pia")
    for number in range(6):
        line = await company.plan(f"PL-RACE-{number}")
        ordered, split = await asyncio.gather(
            pia.post(f"/mes/orders/from-plan/{line['id']}"),
            pia.command(f"/mes/plan-lines/{line['id']}/split", parts=parts("1", "999")),
        )
        assert sorted((ordered.status_code, split.status_code)) == [200, 409], (ordered.text, split.text)
        assert balanced((await line_of(company, line["id"]))["family"])


@pytest.mark.accepts("A5", "A19")
@pytest.mark.parametrize("stage", ["draft", "submitted", "approved"])
async def test_an_order_is_split_before_its_release(company: Company, engine: Engine, stage: str) -> None:
    order, _ = await at_stage(company, stage)
    before = await order_of(company, order)
    assert before["replanning"] == ["splitOrder"]
    body = {"commandId": f"split/{order}", "reason": WHY, "parts": parts("250.5", "249.5", "500")}
    pia = await company.desk("pia")
    answers = await asyncio.gather(*(pia.post(f"/mes/orders/{order}/split", body) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    lines = answers[0].json()["planLines"]
    assert all(answer.json()["planLines"] == lines for answer in answers)
    assert [line["quantity"] for line in lines] == ["250.5", "249.5", "500"]

    after = await order_of(company, order)
    assert (after["state"], after["approvals"]) == ("cancelled", [])
    assert [(part["kind"], part["reference"]) for part in after["parts"]] == [
        ("split", f"{before['planLine']}-S{number}") for number in (1, 2, 3)
    ]
    (entry,) = audited(engine, "production-order.split", f"production-order/{before['number']}")
    assert (entry.reason, entry.old["approvals"]) == (WHY, before["approvals"])
    assert (before["approvals"] == ["sam"]) == (stage == "approved")
    part = await pia.post(f"/mes/orders/from-plan/{lines[0]['id']}")
    made = await order_of(company, part.json()["id"])
    assert (made["state"], made["approvals"], made["splitFrom"]["orderId"]) == ("draft", [], order)

    for path, more in (("split", {"parts": parts("1", "999")}), ("backorder", {})):
        blockers = await refused(company, "pia", f"/mes/orders/{order}/{path}", reason=WHY, **more)
        assert blockers.keys() == ({"INVALID_TRANSITION"} if path == "split" else {"ALREADY_SPLIT"})
    family = (await line_of(company, lines[2]["id"]))["family"]
    assert (family["planned"], family["open"], len(family["lines"])) == ("1000", "1000", 4)
    past = await order_of(company, order, at=before["createdAt"])
    assert past["parts"] == []


async def test_a_split_that_cannot_be_names_everything(company: Company) -> None:
    order, _ = await at_stage(company, "released")
    blockers = await refused(company, "pia", f"/mes/orders/{order}/split", parts=parts("1", "2"))
    assert blockers.keys() == {"INVALID_TRANSITION", "REASON_REQUIRED", "PARTS_DO_NOT_SUM"}
    assert "reduceQuantity" in blockers["INVALID_TRANSITION"]["required"]
    answer = await (await company.desk("pia")).command(f"/mes/orders/{order}/split", parts=parts("1000"))
    assert answer.status_code == 422
    assert (await order_of(company, order))["state"] == "released"


async def test_an_approval_with_a_signature_is_void_after_a_split(company: Company) -> None:
    made = await create(company, policy="gmp")
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    await do(company, "sam", f"/mes/orders/{made['id']}/approve", signed=PASSWORD)
    split = await do(company, "pia", f"/mes/orders/{made['id']}/split", reason=WHY, parts=parts("1", "999"))
    part = await (await company.desk("pia")).post(f"/mes/orders/from-plan/{split['planLines'][1]['id']}")
    blockers = await refused(company, "sam", f"/mes/orders/{part.json()['id']}/release")
    assert blockers["INVALID_TRANSITION"]["found"] == "draft"


@pytest.mark.accepts("A17")
async def test_the_trace_of_the_original_stays_and_the_backorder_gets_its_own(company: Company) -> None:
    order, _ = await at_stage(company, "completed")
    pia = await company.desk("pia")
    lot = (await order_of(company, order))["workOrders"][0]["outputLot"]

    async def trace() -> Any:
        return (await pia.get(f"/mes/traceabilities/lots/{lot}", direction="both")).json()

    before = await trace()
    assert [(edge["from"], edge["to"], edge["quantity"]) for edge in before["edges"]] == [("API-REPLAN", lot, "5")]
    line = (await do(company, "pia", f"/mes/orders/{order}/backorder"))["planLines"][0]
    made = (await pia.post(f"/mes/orders/from-plan/{line['id']}")).json()
    backorder, work_order = made["id"], made["workOrders"][0]["id"]
    for stage in ("submitted", "approved", "released", "dispatched", "ready", "running"):
        await go_on_to(company, stage, backorder, work_order)
    await press(company, work_order, good="10")
    await finish(company, backorder, work_order)
    own = (await order_of(company, backorder))["workOrders"][0]["outputLot"]
    assert own != lot
    assert await trace() == before
    found = (await pia.get(f"/mes/traceabilities/lots/{own}", direction="backward")).json()
    assert [(edge["from"], edge["to"], edge["quantity"]) for edge in found["edges"]] == [("API-REPLAN", own, "0.05")]
    family = (await line_of(company, line["id"]))["family"]
    assert (family["good"], family["open"], family["lost"]) == ("1000", "0", "0")
