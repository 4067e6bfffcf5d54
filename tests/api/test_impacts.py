"""A change of master data while orders run by the old (C3), and the audit of the quality of master data."""

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company, material, operation
from tests.api.records import TAB, codes, draft, effective, ok, with_policy
from tests.api.test_master_data import post
from tests.api.words import at_stage, create, do, until

IMPACTS = "/master-data-impacts"


async def tasks(company: Company, who: str = "sam", **query: str) -> list[dict[str, Any]]:
    """The tasks that somebody sees."""
    found: list[dict[str, Any]] = ok(await (await company.desk(who)).get(IMPACTS, **query))["impacts"]
    return found


async def decided(company: Company, who: str, task: dict[str, Any], decision: str, **more: Any) -> Any:
    """Somebody decides a task."""
    path = f"/mes/orders/{task['orderId']}/impacts/{task['number']}/decide"
    body = {"decision": decision, "reason": "as agreed with quality", **more}
    return await (await company.desk(who)).command(path, **body)


async def changed(company: Company, version: str, numbers: set[str]) -> dict[str, dict[str, Any]]:
    """A new version counts: the tasks of these orders, by number."""
    await effective(company, version, TAB | {"balanceLimitPercent": "4"})
    found = await tasks(company, state="open")
    return {own["orderNumber"]: own for own in found if own["orderNumber"] in numbers and own["version"] == version}


@pytest.mark.accepts("C3", "MD-01")
@pytest.mark.usefixtures("working")
async def test_three_running_orders_are_kept_held_and_issued_anew(company: Company, engine: Engine) -> None:
    await with_policy(company)
    await effective(company, "impact-1")
    orders = [await at_stage(company, "released", policy="by-record") for _ in range(3)]
    numbers = {}
    for order, _ in orders:
        numbers[(await until(company, order, lambda _: True))["number"]] = order
    by_order = await changed(company, "impact-2", set(numbers))
    assert by_order.keys() == numbers.keys()
    for own in by_order.values():
        assert (own["kind"], own["subject"], own["madeBy"], own["owner"]) == (
            "master-batch-record", "TAB", "impact-1", "pia",
        )  # fmt: skip
        assert own["possible"] == ["keep", "hold", "reissue"]
    assert {own["orderNumber"] for own in await tasks(company, "pia", owner="pia", state="open")} >= numbers.keys()
    kept, held, anew = (by_order[number] for number in sorted(by_order))

    assert (await decided(company, "sam", kept, "keep", reason="no")).status_code == 422
    ok(await decided(company, "pia", kept, "keep"))
    again = await decided(company, "sam", kept, "hold")
    assert codes(again) == ["ALREADY_DECIDED"]
    assert "keep, by pia" in again.json()["blockers"][0]["found"]
    ok(await decided(company, "sam", held, "hold"))
    found = await until(company, numbers[held["orderNumber"]], lambda order: order["state"] == "held")
    assert found["state"] == "held"
    done = ok(await decided(company, "pia", anew, "reissue", disposition="scrap"))
    assert done["decision"] == "reissue"
    cancelled = await until(company, numbers[anew["orderNumber"]], lambda order: order["state"] == "cancelled")
    (task,) = [own for own in await tasks(company, state="decided") if own["number"] == anew["number"]]
    assert (task["next"], task["decidedBy"], task["reason"]) == ("backorder", "pia", "as agreed with quality")
    await do(company, "pia", f"/mes/orders/{cancelled['id']}/backorder", reason="made by what counts now")
    states = {(await until(company, order, lambda _: True))["state"] for order in numbers.values()}
    assert states == {"released", "held", "cancelled"}
    with engine.connect() as connection:
        query = "SELECT action, actor, reason FROM audit_row WHERE entity = :of ORDER BY seq"
        told = connection.execute(text(query), {"of": f"impact/{kept['number']}"}).all()
    assert [tuple(row)[:2] for row in told] == [
        ("impact.raised", "max"), ("impact.decided", "pia"), ("command.refused", "sam"),
    ]  # fmt: skip


@pytest.mark.accepts("C3")
@pytest.mark.usefixtures("working")
async def test_what_the_order_refuses_is_not_decided_and_a_copy_has_the_same_answer(company: Company) -> None:
    await with_policy(company)
    await effective(company, "copy-1")
    order, _ = await at_stage(company, "released", policy="by-record")
    number = (await until(company, order, lambda _: True))["number"]
    task = (await changed(company, "copy-2", {number}))[number]
    refused = await decided(company, "pia", task, "hold")  # a planner holds no order
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_AUTHORISED")
    assert [own["state"] for own in await tasks(company, order=number)] == ["open"]
    command = f"t/{uuid.uuid4()}"
    answers = await asyncio.gather(*(decided(company, "sam", task, "hold", commandId=command) for _ in range(3)))
    assert {ok(answer)["decision"] for answer in answers} == {"hold"}
    await until(company, order, lambda found: found["state"] == "held")
    assert ok(await decided(company, "sam", task, "hold", commandId=command))["decidedBy"] == "sam"
    assert (await decided(company, "olu", task, "keep")).status_code == 403


@pytest.mark.accepts("C3")
@pytest.mark.usefixtures("working")
async def test_every_kind_of_master_data_finds_the_orders_that_run_without_it(company: Company) -> None:
    made = await create(company, policy="swift")
    number = made["number"]

    async def kinds() -> set[tuple[str, str]]:
        found = await tasks(company, order=number)
        return {(own["kind"], own["subject"]) for own in found if own["state"] == "open"}

    await until(company, made["id"], lambda _: True)
    name = {"materials": [material("API", "raw", "kg") | {"name": "API, micronised"}]}
    await post(company, name)
    assert ("material", "API") in await kinds()
    await post(company, name)
    assert len([own for own in await tasks(company, order=number) if own["kind"] == "material"]) == 1
    steps = [operation("MIX", 10, "MIXING", []), operation("PRESS", 20, "PRESSING", ["MIX"], isOutput=True)]
    route = {"product": "TAB", "version": f"r-{uuid.uuid4().hex[:6]}", "operations": steps}
    await post(company, {"routes": [route]})
    plan = {"material": "TAB", "characteristics": [{"name": "dissolution", "unit": "%", "low": "75", "high": "102"}]}
    await post(company, {"inspectionPlans": [plan]})
    assert {("route", "TAB"), ("inspection-plan", "TAB")} <= await kinds()
    assert ("route", "CART") not in await kinds()


@pytest.mark.accepts("C3")
async def test_the_audit_lists_stale_and_duplicate_items_with_what_to_do(company: Company, engine: Engine) -> None:
    parts = [material(code, kind, "pcs") | more for code, kind, more in (
        ("Q-LONELY", "finished", {"name": "Lonely"}),
        ("Q-ONE", "raw", {"name": "Same  name", "gtin": "04012345123456"}),
        ("Q-TWO", "raw", {"name": "same name", "gtin": "14012345123453"}), ("Q-OLD", "raw", {"name": "Old part"}),
        ("Q-MADE", "finished", {"name": "Made"}),
    )]  # fmt: skip
    bom = {"product": "Q-MADE", "version": "1", "baseQuantity": "1",
           "lines": [{"line": 1, "material": "Q-OLD", "quantity": "1", "unit": "pcs", "operation": "FLY"}]}  # fmt: skip
    route = {"product": "Q-MADE", "version": "1", "operations": [operation("FLY", 10, "Q-FLYING", [], isOutput=True)]}
    await post(company, {"materials": parts, "billsOfMaterial": [bom], "routes": [route]})
    await post(company, {"materials": [parts[3] | {"isActive": False}]})
    pat = await company.desk("pat")
    await do(company, "pat", "/equipment-classes", code="Q-CLASS", name="Class")
    await do(company, "pat", "/equipment", code="Q-SCALE", name="Scale", equipmentClass="Q-CLASS", calibrated=True)
    await effective(company, "q-1", TAB)
    stale = ok(await draft(company, "q-draft"))
    with engine.begin() as connection:
        old = "UPDATE master_batch_record SET created_at = now() - interval '91 days' WHERE id = :id"
        connection.execute(text(old), {"id": stale["id"]})
        connection.execute(text("UPDATE master_batch_record SET effective_from = now() - interval '25 months' "
                                "WHERE state = 'effective'"))  # fmt: skip
    found = ok(await pat.get("/master-data/quality"))
    named = {(own["code"], own["id"]) for own in found["findings"]}
    assert named >= {
        ("PRODUCT_WITHOUT_ROUTE", "Q-LONELY"), ("OPERATION_WITHOUT_STATION", "Q-MADE/1"),
        ("OBSOLETE_COMPONENT", "Q-MADE/1"), ("DUPLICATE_NAME", "Q-ONE"), ("DUPLICATE_NAME", "Q-TWO"),
        ("DUPLICATE_GTIN", "Q-ONE"), ("DUPLICATE_GTIN", "Q-TWO"), ("EQUIPMENT_WITHOUT_CALIBRATION", "Q-SCALE"),
        ("RECORD_REVIEW_OVERDUE", "TAB/q-1"), ("STALE_DRAFT", "TAB/q-draft"), ("MATERIAL_UNUSED", "Q-ONE"),
        ("EQUIPMENT_CLASS_EMPTY", "TAB/q-1"),
    }  # fmt: skip
    assert not any(own["id"] in ("Q-OLD", "API") and own["code"] == "MATERIAL_UNUSED" for own in found["findings"])
    assert all(own["required"] and own["whoCanFix"] for own in found["findings"])
    assert found["counts"]["DUPLICATE_NAME"] == len([one for one in named if one[0] == "DUPLICATE_NAME"])
    later = ok(await pat.get("/master-data/quality", reviewMonths="36", staleDays="120"))
    assert not {"RECORD_REVIEW_OVERDUE", "STALE_DRAFT"} & later["counts"].keys()
