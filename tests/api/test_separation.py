"""One person, not both: every pair of acts that the system keeps apart, by person and not by role (AC-03)."""

import pytest

from api.roles import Role
from tests.api.company import PASSWORD, Company, policy
from tests.api.words import at_stage, create, do, go_on_to, receive, until

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("AC-03")]
ALL = [role for role in Role if role not in (Role.ADMINISTRATOR, Role.QUALITY_MANAGER, Role.INTEGRATION)]


@pytest.fixture(scope="module", autouse=True)
async def _jack(company: Company, working: None) -> None:
    """Somebody with every role that one person can have together."""
    new = {"id": "jack", "fullName": "Jack", "password": PASSWORD, "roles": ALL, "reason": "of all trades"}
    assert (await (await company.desk("ada")).post("/users", new)).status_code == 201
    await receive(company, "API-SOD", "1000")


async def refused(company: Company, path: str, earlier: str = "jack", **body: object) -> None:
    """Jack may not, because he did the other act."""
    answer = await (await company.desk("jack")).command(path, **body)  # type: ignore[arg-type]
    assert answer.status_code in (403, 409), answer.text
    found = [own for own in answer.json()["blockers"] if own["code"] == "SEPARATION_OF_DUTIES"]
    assert found, answer.text
    assert earlier in found[0]["found"]


async def test_creator_and_approver(company: Company) -> None:
    line = await company.plan("PL-SOD-1", policy="swift")
    jack = await company.desk("jack")
    order = (await jack.post(f"/mes/orders/from-plan/{line['id']}")).json()["id"]
    await do(company, "jack", f"/mes/orders/{order}/submit")
    await refused(company, f"/mes/orders/{order}/approve")
    await do(company, "sam", f"/mes/orders/{order}/approve")


async def test_who_asked_for_material_and_who_approves_the_pick_list(company: Company) -> None:
    order, work_order = await at_stage(company, "released")
    await do(company, "jack", f"/mes/work-orders/{work_order}/dispatch")
    found = await until(company, order, lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "allocated")
    path = f"/wms/outbound-orders/{found['workOrders'][0]['pickList']['id']}/approve"
    await refused(company, path)
    await do(company, "wes", path)


async def test_analyst_and_reviewer_of_a_batch(company: Company) -> None:
    _, work_order = await at_stage(company, "inspecting")
    path = f"/mes/work-orders/{work_order}/inspection"
    values = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "jack", f"{path}/results", values=values)
    await refused(company, f"{path}/decision", accept=True)
    await do(company, "ben", f"{path}/decision", accept=True)


async def test_analyst_and_reviewer_of_a_received_lot(company: Company) -> None:
    answer = await (await company.desk("jack")).command(
        "/wms/receipts", lot="API-SOD-2", material="API", quantity="10", unit="kg"
    )
    path = f"/quality/inspections/{answer.json()['inspection']['number']}"
    await do(company, "jack", f"{path}/results", values=[{"name": "water", "text": "0.50", "unit": "%"}])
    await refused(company, f"{path}/decision", accept=True)
    await do(company, "ben", f"{path}/decision", accept=True)


async def test_who_certifies_and_who_releases(company: Company) -> None:
    own = policy("certified", approvals=0, signatures={})
    assert (await (await company.desk("pat")).post("/master-data/import", {"policies": [own]})).status_code == 200
    made = await create(company, policy="certified")
    order, work_order = made["id"], made["workOrders"][0]["id"]
    await do(company, "pia", f"/mes/orders/{order}/submit")
    for stage in ("released", "dispatched", "ready", "running", "inspecting", "puttingAway"):
        await go_on_to(company, stage, order, work_order)
    path = f"/mes/work-orders/{work_order}"
    await do(company, "wil", f"{path}/put-away", place="QUARANTINE")
    await until(company, order, lambda o: (o["workOrders"][0]["putAway"] or {}).get("state") == "done")
    await do(company, "jack", f"{path}/certify")
    await refused(company, f"{path}/release-batch", place="FINISHED")
    await do(company, "sam", f"{path}/release-batch", place="FINISHED")


async def test_heads_and_administrators(company: Company) -> None:
    ada = await company.desk("ada")
    for number, roles in enumerate((["administrator", "operator"], ["supervisor", "qualityManager"])):
        new = {"id": f"both{number}", "fullName": "B", "password": PASSWORD, "roles": roles, "reason": "two hats"}
        answer = await ada.post("/users", new)
        assert (answer.status_code, answer.json()["code"]) == (409, "SEPARATION_OF_DUTIES")
