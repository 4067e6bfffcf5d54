"""Plants and lines: what lies outside is refused and not listed."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company, Desk
from tests.api.signing import audited
from tests.api.words import create, do, receive

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("B20")]
STATIONS = {
    "materials": [{"code": "NUT", "name": "Nut", "kind": "finished", "unit": "pcs"}],
    "workstations": [
        {"code": "B-1", "name": "B 1", "line": "B", "equipment": "manual", "capabilities": ["TURN"]},
    ],
    "billsOfMaterial": [{"product": "NUT", "version": "1", "baseQuantity": "1", "lines": [
        {"line": 1, "material": "STEEL", "quantity": "1", "unit": "kg", "lossPercent": "0", "operation": "TURN"}]}],
    "routes": [{"product": "NUT", "version": "1", "operations": [
        {"code": "TURN", "sequence": 10, "name": "Turn", "capability": "TURN", "predecessors": [],
         "countsPieces": True, "isOutput": True, "parameters": []}]}],
}  # fmt: skip


async def limited(company: Company, name: str, role: str, **scope: Any) -> Desk:
    """Somebody who may act in some plants or at some lines."""
    ada = await company.desk("ada")
    new = {"id": name, "fullName": name.title(), "password": PASSWORD, "roles": [role], "reason": "a new colleague"}
    assert (await ada.post("/users", new)).status_code == 201
    body = {"plants": None, "lines": None, "reason": "works there alone", **scope}
    assert (await ada.post(f"/users/{name}/scope", body)).status_code == 200
    return await company.login(name)


async def test_an_order_of_another_plant_is_refused_and_not_listed(company: Company, engine: Engine) -> None:
    here, there = await create(company, plant="north"), await create(company, plant="south")
    nora = await limited(company, "nora", "supervisor", plants=["north"])
    assert (await nora.get("/auth/me")).json()["plants"] == ["north"]
    assert audited(engine, "user.limited")[-1].new == {"plants": ["north"], "lines": None}
    for name in (here, there):
        await do(company, "pia", f"/mes/orders/{name['id']}/submit")
    own_order, other_order = f"/mes/orders/{here['id']}", f"/mes/orders/{there['id']}"
    assert (await nora.command(f"{own_order}/approve", signed=PASSWORD)).status_code == 200
    work_order, before = there["workOrders"][0]["id"], len(audited(engine, "auth.denied"))
    looked = [
        await nora.command(f"{other_order}/approve", signed=PASSWORD),
        await nora.get(other_order),
        await nora.get(f"{other_order}/history"),
        await nora.get(f"/mes/work-orders/{work_order}"),
        await nora.get("/mes/production-reports", workOrderId=work_order),
        await nora.get("/quality/deviations", orderId=there["id"]),
        await nora.get("/signatures", entity=f"production-order/{there['number']}"),
        await nora.command("/quality/deviations", orderId=there["id"], code="X", detail="seen from afar"),
        await nora.post("/signatures/requests", {"command": "approveOrder", "entityId": there["id"],
                                                 "commandId": "afar"}),
    ]  # fmt: skip
    for answer in looked:
        assert (answer.status_code, answer.json()["code"]) == (403, "OUT_OF_SCOPE"), answer.text
    assert "south" in looked[0].json()["blockers"][0]["found"]
    assert len(audited(engine, "auth.denied")) == before + len(looked)
    numbers = {order["number"] for order in (await nora.get("/mes/orders", limit=500)).json()["orders"]}
    assert here["number"] in numbers
    assert there["number"] not in numbers
    plants = {line["plant"] for line in (await nora.get("/mes/plan-lines", limit=1000)).json()["planLines"]}
    assert plants == {"north"}
    gaps = (await nora.get("/validation/work-order-data-integrity", limit=200)).json()
    assert gaps["checked"] <= 1
    everybody = {order["number"] for order in (await (await company.desk("sam")).get("/mes/orders")).json()["orders"]}
    assert {here["number"], there["number"]} <= everybody


async def test_a_line_limits_to_what_is_made_there(company: Company) -> None:
    assert (await (await company.desk("pat")).post("/master-data/import", STATIONS)).status_code == 200
    at_a = await create(company, policy="plain")
    at_b = await create(company, product="NUT", quantity="3", policy="plain")
    lena = await limited(company, "lena", "supervisor", lines=["B"])
    for order in (at_a, at_b):
        await do(company, "pia", f"/mes/orders/{order['id']}/submit")
    refused = await lena.command(f"/mes/orders/{at_a['id']}/release")
    assert (refused.status_code, refused.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert (await lena.command(f"/mes/orders/{at_b['id']}/release")).status_code == 200
    numbers = {order["number"] for order in (await lena.get("/mes/orders", limit=500)).json()["orders"]}
    assert at_b["number"] in numbers
    assert at_a["number"] not in numbers


async def test_a_second_person_from_outside_does_not_sign(company: Company) -> None:
    await receive(company, "API-SCOPE", "100")
    sven = await limited(company, "sven", "qualityManager", plants=["south"])
    assert sven.user == "sven"
    made = await create(company, policy="pairs", plant="north")
    path = f"/mes/work-orders/{made['workOrders'][0]['id']}/inspection/decision"
    own, second = ({"userId": user, "password": PASSWORD} for user in ("ben", "sven"))
    answer = await (await company.desk("ben")).command(path, accept=True, signature=own, second=second)
    assert (answer.status_code, answer.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert "sven" in answer.json()["detail"]


async def test_what_is_taken_away_from_a_scope_is_free_again(company: Company) -> None:
    order = await create(company, plant="east")
    elin = await limited(company, "elin", "planner", plants=["west"])
    assert (await elin.get(f"/mes/orders/{order['id']}")).status_code == 403
    everywhere = {"plants": None, "lines": None, "reason": "works everywhere now"}
    assert (await (await company.desk("ada")).post("/users/elin/scope", everywhere)).status_code == 200
    assert (await elin.get(f"/mes/orders/{order['id']}")).status_code == 200


@pytest.mark.accepts("A22")
async def test_nobody_of_one_plant_sees_the_machines_of_another(company: Company) -> None:
    await do(company, "pat", "/equipment-classes", code="MILL", name="Mill")
    for code, plant in (("MILL-N", "north"), ("MILL-S", "south"), ("MILL-ALL", "")):
        await do(company, "pat", "/equipment", code=code, name=code, equipmentClass="MILL", plant=plant)
        body = {"code": f"HOURS-{code}", "equipment": code, "kind": "runHours", "limit": 100}
        await do(company, "pat", "/maintenance-conditions", **body)
    requested = await do(company, "olu", "/equipment/MILL-S/request-maintenance", reason="it whistles")
    await do(company, "olu", "/equipment/MILL-N/request-maintenance", reason="it whistles, too")
    nils = await limited(company, "nils", "maintenance", plants=["north"])
    listed = (await nils.get("/equipment", limit=1000)).json()["equipment"]
    mills = {own["code"]: own["plant"] for own in listed if own["equipmentClass"] == "MILL"}
    assert mills == {"MILL-N": "north", "MILL-ALL": ""}
    conditions = {own["equipment"] for own in (await nils.get("/maintenance-conditions")).json()["conditions"]}
    assert conditions == {"MILL-N", "MILL-ALL"}
    orders = {own["equipment"] for own in (await nils.get("/maintenance-orders")).json()["maintenanceOrders"]}
    assert "MILL-N" in orders
    assert "MILL-S" not in orders
    assert (await nils.get("/maintenance-proposals")).json()["proposals"] == []
    there = [
        await nils.get("/equipment/MILL-S"),
        await nils.get("/equipment/MILL-S/log"),
        await nils.get("/equipment/MILL-S/machine-states"),
        await nils.get("/maintenance-proposals", equipment="MILL-S"),
        await nils.get(f"/maintenance-orders/{requested['maintenanceOrderId']}"),
        await nils.command("/equipment/MILL-S/report-fault", reason="seen from afar"),
        await nils.command("/maintenance-conditions", code="FAR", equipment="MILL-S", kind="strokes", limit=1),
    ]
    for answer in there:
        assert (answer.status_code, answer.json()["code"]) == (403, "OUT_OF_SCOPE"), answer.text
    assert (await nils.get("/equipment/MILL-ALL")).status_code == 200
    sam = await company.desk("sam")
    everybody = {own["code"] for own in (await sam.get("/equipment", limit=1000)).json()["equipment"]}
    assert {"MILL-N", "MILL-S", "MILL-ALL"} <= everybody
