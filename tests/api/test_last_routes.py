"""What no other story of the API does: every mutating route is called once, and every change that it makes is told."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from db.queries import plan_lines
from tests.api.company import Company, policy
from tests.api.records import TAB, WEIGHT, effective, said, with_policy
from tests.api.signing import audited
from tests.api.test_access import filled
from tests.api.test_equipment import NEXT_YEAR
from tests.api.test_quality_cases import failing_receipt, until_case
from tests.api.words import at_stage, create, do, own_station, receive, until

pytestmark = pytest.mark.usefixtures("working")
PROPOSAL = {"rootCause": "a bearing", "disposition": "accept", "needsCapa": False}
CHECKED = policy("checked", certification=False, productionRelease=False, signatures={}, holdOnOutOfLimit=False)
LED = policy("led", deviationProcess=True, signatures={})


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None, engine: Engine) -> None:
    with engine.begin() as connection:  # modules have a database each, but share one engine: numbers of their own
        plan_lines.counted(connection, "capa", 3000)
    await (await company.desk("pat")).post("/master-data/import", {"policies": [CHECKED]})
    await receive(company, "API-LAST", "1000")


async def test_an_operation_is_paused_checked_verified_and_the_order_held(company: Company) -> None:
    await with_policy(company)
    mixing = said("MIX", verified=True)
    await effective(company, "last", TAB | {"operations": [mixing, said("PRESS", expectedValues=[WEIGHT])]})
    order, work_order = await at_stage(company, "running", policy="by-record")
    mix, press = (f"/mes/work-orders/{work_order}/operations/{code}" for code in ("MIX", "PRESS"))
    await do(company, "olu", f"{mix}/start")
    await do(company, "olu", f"{mix}/pause", reason="a cup of tea")
    await do(company, "olu", f"{mix}/resume")
    await do(company, "olu", f"{mix}/complete")
    await do(company, "sam", f"{mix}/verify")
    await do(company, "olu", f"{press}/start")
    await do(company, "olu", f"{press}/parameters", values=[{"name": "weight", "text": "113.00", "unit": "mg"}])
    await do(company, "sam", f"{press}/parameters/check", numbers=["V1"])
    await do(company, "sam", f"/mes/orders/{order}/hold", reason="the power is off")
    await do(company, "sam", f"/mes/orders/{order}/resume")


async def test_a_deviation_is_decided_by_hand(company: Company) -> None:
    order, work_order = await at_stage(company, "running", policy="checked")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    await do(company, "olu", f"{path}/PRESS/parameters", values=[{"name": "weight", "text": "119", "unit": "mg"}])
    (number,) = (await until(company, order, lambda o: o["openDeviations"]))["openDeviations"]
    await do(company, "rae", f"/mes/orders/{order}/decide-deviation", deviation=number, decision="use as is")


async def test_what_waits_for_a_neighbour_is_asked_again_now(company: Company, engine: Engine) -> None:
    order = (await create(company))["id"]
    answer = await (await company.desk("sam")).command(f"/mes/orders/{order}/retry-now")
    assert answer.status_code == 409, "nothing waits here; that it was asked for is written down"
    assert audited(engine, "command.refused")[-1].new["command"] == "retryNow"


async def test_a_case_goes_every_other_way(company: Company) -> None:
    await (await company.desk("pat")).post("/master-data/import", {"policies": [LED]})
    body = {
        "commandId": f"d/{uuid.uuid4()}",
        "equipment": await own_station(company),
        "code": "NOISE",
        "detail": "it screams",
    }
    case = f"/quality/deviations/{(await (await company.desk('olu')).post('/quality/deviations', body)).json()['id']}"
    await do(company, "rae", f"{case}/classify", classification="critical", impact="all of May", affected=[])
    await do(company, "rae", f"{case}/assign", owner="mia")
    await do(company, "mia", f"{case}/propose", report="report 7", **PROPOSAL)
    await do(company, "rae", f"{case}/send-back", reason="why the bearing?")
    await do(company, "mia", f"{case}/propose", report="report 7, second version", **PROPOSAL)
    await do(company, "rae", f"{case}/approve")
    await do(company, "max", f"{case}/approve-as-quality-manager")
    _, _, result = await failing_receipt(company)
    await do(company, "ben", f"{result}/investigate-laboratory")
    await do(company, "rae", f"{result}/begin-phase-two", finding="the laboratory did all right")


async def test_a_corrective_action_is_extended_and_found_effective(company: Company) -> None:
    body = {"commandId": f"a/{uuid.uuid4()}", "source": "audit 8", "action": "label the drawers"}
    action = f"/quality/capas/{(await (await company.desk('rae')).post('/quality/capas', body)).json()['id']}"
    due = datetime.now(UTC) + timedelta(seconds=2)
    check = due + timedelta(seconds=1)
    plan = {"action": "label all drawers", "owner": "mia", "dueAt": due.isoformat(), "checkAt": check.isoformat()}
    await do(company, "rae", f"{action}/plan", **plan)
    await do(company, "max", f"{action}/approve")
    later = {"dueAt": (due + timedelta(seconds=1)).isoformat(), "checkAt": (check + timedelta(seconds=1)).isoformat()}
    await do(company, "rae", f"{action}/extend", reason="the labels are late", **later)
    await do(company, "mia", f"{action}/start")
    await do(company, "mia", f"{action}/implement", evidence="photo 12")
    await until_case(company, action, "effectivenessCheck")
    await do(company, "rae", f"{action}/decide-effectiveness", effective=True, evidence="none found open since")
    await until_case(company, action, "closedEffective")


async def test_equipment_is_maintained_reserved_and_retired(company: Company) -> None:
    await do(company, "pat", "/equipment-classes", code="MILL", name="Mill")
    await do(company, "pat", "/equipment", code="MILL-1", name="Mill 1", equipmentClass="MILL")
    path = "/equipment/MILL-1"
    await do(company, "max", f"{path}/qualify", validUntil=NEXT_YEAR)
    await do(company, "mia", f"{path}/start-maintenance")
    await do(company, "mia", f"{path}/return-to-service", reason="a new rotor", major=False)
    await do(company, "sam", f"{path}/reserve", batch="B-77")
    await do(company, "sam", f"{path}/cancel-reservation")
    await do(company, "max", f"{path}/retire", reason="worn out now")


async def test_what_only_the_process_does_itself_is_refused_and_written_down(company: Company, engine: Engine) -> None:
    made = await create(company)
    ids = {"order_id": made["id"], "work_order_id": made["workOrders"][0]["id"]}
    paths = [f"/mes/orders/{{order_id}}/{name}" for name in ("start", "pause", "complete")]
    paths += [
        f"/mes/work-orders/{{work_order_id}}/{name}"
        for name in ("submit", "approve", "reject", "release", "hold", "complete", "cancel", "close")
    ]
    for path in paths:
        before = len(audited(engine, "command.refused"))
        answer = await (await company.desk("sam")).command(filled(path, **ids))
        assert answer.status_code == 409, answer.text
        (row,) = audited(engine, "command.refused")[before:]
        assert (row.actor, bool(row.command_id), bool(row.source)) == ("sam", True, True)
