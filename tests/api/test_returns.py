"""Unused material over HTTP: back to the warehouse, what an operation really used, the balance of a work order."""

from typing import Any

import pytest

from tests.api.company import Company, policy
from tests.api.words import at_stage, do, go_on_to, receive, until

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    document = {"policies": [policy("returning", certification=False, productionRelease=False, signatures={})]}
    answer = await (await company.desk("pat")).post("/master-data/import", document)
    assert answer.status_code == 200, answer.text
    await receive(company, "API-BACK", "1000")


def line(quantity: str, **more: Any) -> dict[str, Any]:
    """A quantity of the only lot of the only line."""
    return {"line": 1, "lot": "API-BACK", "quantity": quantity, "unit": "kg", **more}


async def document(company: Company, work_order: str) -> dict[str, Any]:
    """The work order as it stands."""
    found: dict[str, Any] = (await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}")).json()
    return found


async def balance(company: Company, work_order: str) -> dict[str, Any]:
    """The work order's material balance."""
    answer = await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}/material-balance")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def back_to(company: Company, work_order: str) -> str:
    """The path of the work order's returns."""
    return f"/wms/outbound-orders/{(await document(company, work_order))['pickList']['id']}/return"


@pytest.mark.accepts("A11", "A17", "MT-09")
async def test_a_batch_uses_less_than_was_issued(company: Company) -> None:
    order, work_order = await at_stage(company, "ready", policy="returning", batchNumber="TAB-BACK-1")
    path = await back_to(company, work_order)
    await do(company, "wil", path, lines=[line("1.0")], reason="too much issued")
    operations = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{operations}/MIX/start")
    too_much = await (await company.desk("olu")).command(f"{operations}/MIX/complete", consumed=[line("4.1")])
    assert (too_much.status_code, too_much.json()["code"]) == (409, "MORE_THAN_ON_LINE"), too_much.text
    assert too_much.json()["blockers"][0]["found"] == "4.1 kg of line 1; 5 kg issued, 1.0 returned"
    await do(company, "olu", f"{operations}/MIX/complete", consumed=[line("3.8")])
    found = await balance(company, work_order)
    assert found["balanced"] is False
    (own,) = found["materials"]
    told = {name: own[name] for name in ("operation", "material", "unit", "issued", "consumed", "returned", "scrapped")}
    assert told == {
        "operation": "MIX", "material": "API", "unit": "kg", "issued": "5", "consumed": "3.8", "returned": "1.0",
        "scrapped": "0",
    }  # fmt: skip
    assert (own["atLine"], own["difference"], own["accountedPercent"]) == ("0.2", "0", "100.000")
    await do(company, "olu", f"{operations}/PRESS/start")
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{operations}/PRESS/parameters", values=values)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "990", "scrap": "0"}
    await do(company, "olu", "/mes/production-reports/report", **report)
    await do(company, "olu", f"{operations}/PRESS/complete")
    await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
    await go_on_to(company, "puttingAway", order, work_order)
    await go_on_to(company, "completed", order, work_order)
    early = await (await company.desk("sam")).command(f"/mes/orders/{order}/close")
    assert (early.status_code, early.json()["code"]) == (409, "MATERIAL_ON_LINE"), early.text
    assert early.json()["blockers"][0]["id"] == "API-BACK"
    found_order = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()
    assert "returnMaterials" in [wait["command"] for wait in found_order["waitsFor"]]
    await do(company, "olu", path, lines=[line("0.2", disposition="scrap", reason="swept up")])
    assert (await balance(company, work_order))["balanced"] is True
    own = await document(company, work_order)
    assert [(paper["state"], paper["askedBy"], paper["returned"][0]["place"]) for paper in own["returns"]] == [
        ("returned", "wil", "RAW"), ("returned", "olu", "SCRAP"),
    ]  # fmt: skip
    assert own["returns"][1]["lines"][0]["reason"] == "swept up"
    assert own["inputLots"] == [{"lot": "API-BACK", "quantity": "3.8", "unit": "kg", "nonconforming": False}]
    (used,) = own["pickList"]["lineSide"]
    assert (used["operation"], used["consumed"], used["atLine"]) == ("MIX", "3.8", "0.0")
    await do(company, "sam", f"/mes/orders/{order}/close")
    trace = (await (await company.desk("aud")).get("/mes/traceabilities/forward-trace/API-BACK")).json()
    assert [(edge["to"], edge["quantity"]) for edge in trace["edges"]] == [("TAB-BACK-1", "3.8")]
    checked = (await (await company.desk("aud")).get("/mes/traceabilities/batch/TAB-BACK-1/validate/TAB")).json()
    assert checked["valid"] is True, checked


async def test_the_same_command_returns_once(company: Company) -> None:
    _, work_order = await at_stage(company, "ready", policy="returning")
    wil, path = await company.desk("wil"), await back_to(company, work_order)
    body = {"commandId": f"back/{work_order}", "lines": [line("2")], "reason": "too much issued"}
    answers = [(await wil.post(path, body)).json() for _ in range(3)]
    assert answers[0]["accepted"] is True
    assert answers[1:] == answers[:1] * 2
    assert (await balance(company, work_order))["materials"][0]["returned"] == "2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lines": []}, "lines"), ({"lines": [line("0")]}, "quantity"), ({"lines": [line("-1")]}, "quantity"),
        ({"lines": [line("1", disposition="eaten")]}, "disposition"), ({}, "lines"),
    ],
)  # fmt: skip
async def test_a_wrong_shape_is_told(company: Company, body: dict[str, Any], field: str) -> None:
    _, work_order = await at_stage(company, "dispatched", policy="returning")
    answer = await (await company.desk("wil")).command(await back_to(company, work_order), reason="too much", **body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["fields"][0]["field"]


async def test_who_may_and_when(company: Company) -> None:
    _, work_order = await at_stage(company, "dispatched", policy="returning")
    path = await back_to(company, work_order)
    denied = await (await company.desk("ana")).command(path, lines=[line("1")], reason="too much issued")
    assert (denied.status_code, denied.json()["code"]) == (403, "NOT_AUTHORISED")
    early = await (await company.desk("wil")).command(path, lines=[line("1")])
    assert early.status_code == 409, early.text
    assert [blocker["code"] for blocker in early.json()["blockers"]] == ["NOT_ISSUED", "REASON_REQUIRED"]
    assert (await balance(company, work_order))["lines"] == []
