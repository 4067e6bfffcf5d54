"""A PLM's change order becomes a draft; people make it effective; running orders stay with what they were made by."""

import copy
from typing import Any

import pytest

from tests.api.company import Company
from tests.api.records import PATH, TAB, codes, effective, move, ok, shown, signed, with_policy
from tests.api.test_inbound import quarantine, reasons, send
from tests.api.words import at_stage

pytestmark = pytest.mark.usefixtures("working")
KIND = "plm-change-order"
TEXTS = {"en": "Check the balance twice.", "zh": "核对天平两次。"}


def change_order(version: str, **more: Any) -> dict[str, Any]:
    """What the PLM sends: another instruction at the first operation."""
    content = copy.deepcopy(TAB)
    content["operations"][0]["instructions"] = [{"number": 10, "text": TEXTS}]
    body = {"changeOrder": f"CO-{version}", "reasonForChange": "the balance drifts", "product": "TAB"}
    return {**body, "version": version, "content": content, **more}


@pytest.fixture(scope="module", autouse=True)
async def _registered(company: Company) -> None:
    await with_policy(company)
    ada = await company.desk("ada")
    ok(await ada.command("/integration/systems", account="erp", name="PLM", kinds=[KIND]))


async def instructions(company: Company, work_order: str) -> dict[str, Any]:
    answer = await (await company.desk("olu")).get(f"/mes/work-orders/{work_order}/operations/MIX/instructions")
    return ok(answer)


@pytest.mark.accepts("D7", "MD-01", "MD-02")
async def test_a_change_order_becomes_a_version_and_running_orders_keep_theirs(company: Company) -> None:
    await effective(company, "D7-1")
    order, work_order = await at_stage(company, "released", policy="by-record")
    before = await instructions(company, work_order)
    answer = await send(company, "erp", KIND, change_order("D7-2"), "co-1")
    assert answer.status_code == 200, answer.text
    effect = answer.json()["effect"]
    assert (effect["state"], effect["keptFromReview"], effect["changeOrder"]) == ("draft", [], "CO-D7-2")
    record = await shown(company, {"id": effect["masterBatchRecord"]})
    assert (record["state"], record["authors"], record["changeControl"]) == ("draft", ["erp"], "CO-D7-2")
    assert (await instructions(company, work_order)) == before
    machine = await company.desk("erp")
    refused = await machine.command(f"{PATH}/{record['id']}/submit")
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_AUTHORISED"), "a machine makes nothing effective"
    ok(await move(company, "pat", record, "submit"))
    early = await move(company, "max", record, "make-effective")
    assert codes(early) == ["INVALID_TRANSITION"]
    ok(await signed(company, "sam", record))
    assert (await shown(company, record))["state"] == "inReview", "one signature is not enough"
    ok(await signed(company, "max", record))
    assert (await shown(company, record))["state"] == "approved"
    ok(await move(company, "max", record, "make-effective"))
    assert (await shown(company, record))["state"] == "effective"
    assert (await instructions(company, work_order)) == before, "the running order keeps its copy"
    found = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    assert found["state"] == "released"
    _, later = await at_stage(company, "released", policy="by-record")
    told = await instructions(company, later)
    assert told["record"]["version"] == "D7-2"
    assert told["instructions"] == [{"number": 10, "text": TEXTS["en"], "pictures": []}]
    trail = (await (await company.desk("aud")).get("/audit", entity="master-batch-record/TAB/D7-2")).json()["rows"]
    assert {"erp", "pat", "sam", "max"} <= {row["actor"] for row in trail}


@pytest.mark.accepts("D7")
async def test_a_change_order_has_one_effect_and_a_wrong_one_is_put_aside(company: Company) -> None:
    first = await send(company, "erp", KIND, change_order("D7-once"), "co-2")
    again = await send(company, "erp", KIND, change_order("D7-once"), "co-2")
    assert (first.status_code, again.status_code, again.json()["duplicate"]) == (200, 200, True)
    assert first.json()["effect"] == again.json()["effect"]
    assert reasons(await send(company, "erp", KIND, change_order("D7-once", product="GHOST"), "co-2")) == [
        "DUPLICATE_MESSAGE_ID"
    ]
    assert reasons(await send(company, "erp", KIND, change_order("D7-once"), "co-3")) == ["VERSION_EXISTS"]
    assert reasons(await send(company, "erp", KIND, change_order("D7-g", product="GHOST"))) == ["UNKNOWN_PRODUCT"]
    assert reasons(await send(company, "erp", KIND, change_order("D7-s", colour="blue"))) == ["SCHEMA"]
    assert reasons(await send(company, "erp", KIND, {"changeOrder": "CO"})) == ["SCHEMA"] * 4
    assert reasons(await send(company, "erp", "laboratory-result", {})) == ["UNREGISTERED_SENDER"]
    assert {own["kind"] for own in await quarantine(company)} == {KIND, "laboratory-result"}
    holes = change_order("D7-holes")
    holes["content"]["routeVersion"] = "9"
    answer = await send(company, "erp", KIND, holes)
    assert answer.status_code == 200, "a draft may have holes: they are told, and keep it from review"
    assert answer.json()["effect"]["keptFromReview"]
    record = {"id": answer.json()["effect"]["masterBatchRecord"]}
    assert (await move(company, "pat", record, "submit")).status_code == 409
