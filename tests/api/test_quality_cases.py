"""Quality cases over the API: a failing receipt, a deviation of a machine, a corrective action, what waits for whom."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api import case_openings
from db.queries import plan_lines
from domain.base import uuid_for
from tests.api.company import PASSWORD, Company, policy
from tests.api.signing import shown, verdict
from tests.api.words import create, do, until
from workflows.policies import workflow_id

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _led(company: Company, engine: Engine) -> None:
    """A policy in force gives deviations a process, and asks for a signature under quality's approval."""
    with engine.begin() as connection:  # modules have a database each, but share one engine: numbers of their own
        plan_lines.counted(connection, "capa", 1000)
    led = policy("led", deviationProcess=True, signatures={"approveDeviation": "approved"})
    answer = await (await company.desk("pat")).post("/master-data/import", {"policies": [led]})
    assert answer.status_code == 200, answer.text


async def refused(company: Company, who: str, path: str, **body: Any) -> dict[str, Any]:
    """A command that is refused: the problem document."""
    answer = await (await company.desk(who)).command(path, **body)
    assert answer.status_code == 409, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def read(company: Company, path: str, **query: Any) -> dict[str, Any]:
    answer = await (await company.desk("rae")).get(path, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until_case(company: Company, path: str, state: str) -> dict[str, Any]:
    """The case, when it is recorded in that state."""
    desk = await company.desk("rae")
    async with asyncio.timeout(60):
        while True:
            answer = await desk.get(path)
            if answer.status_code == 200 and answer.json()["state"] == state:
                found: dict[str, Any] = answer.json()
                return found
            await asyncio.sleep(0.05)


async def failing_receipt(company: Company) -> tuple[str, str, str]:
    """A lot with too much water: lot, inspection, and where its case takes commands."""
    lot = f"W-{uuid.uuid4().hex[:8]}"
    got = await do(company, "wil", "/wms/receipts", lot=lot, material="API", quantity="10", unit="kg")
    inspection = got["inspection"]["number"]
    values = [{"name": "water", "text": "2.5", "unit": "%"}]
    entered = await do(company, "ana", f"/quality/inspections/{inspection}/results", values=values)
    (number,) = entered["deviations"]
    case = f"/quality/deviations/{uuid_for('deviation', number)}"
    await until_case(company, case, "detected")
    return lot, inspection, case


@pytest.mark.accepts("QL-04", "QL-05", "QL-07")
async def test_a_failing_receipt_is_tested_again_only_through_its_case(company: Company, app: FastAPI) -> None:
    lot, first, case = await failing_receipt(company)

    def of_lot() -> str:
        with app.state.services.engine.connect() as connection:
            return str(connection.exec_driver_sql("SELECT status FROM lot WHERE number = %s", (lot,)).scalar_one())

    assert await asyncio.to_thread(of_lot) == "onHold"
    for who, path, body in (
        ("ana", "/quality/inspections", {"lot": lot}),
        ("ana", f"/quality/inspections/{first}/results", {"values": [{"name": "water", "text": "0.5"}]}),
        ("ben", f"/quality/inspections/{first}/decision", {"accept": True}),
    ):
        problem = await refused(company, who, path, **body)
        assert problem["code"] == "OOS_OPEN"
        assert "water 2.5 %" in problem["blockers"][0]["found"]

    await do(company, "ben", f"{case}/investigate-laboratory")
    await do(company, "rae", f"{case}/prove-laboratory-error", finding="the oven stood at 40 degrees")
    await do(company, "rae", f"{case}/authorise-retest")
    second = (await do(company, "ana", "/quality/inspections", lot=lot))["number"]
    values = [{"name": "water", "text": "0.50", "unit": "%"}]
    entered = await do(company, "ana", f"/quality/inspections/{second}/results", values=values)
    assert (entered["state"], entered["deviations"]) == ("resultsEntered", [])
    decision = f"/quality/inspections/{second}/decision"
    assert (await refused(company, "ben", decision, accept=True))["code"] == "OOS_OPEN"
    await do(
        company, "ben", f"{case}/conclude", confirmed=False, rootCause="oven", disposition="accept", needsCapa=False,
        report="report 4",
    )  # fmt: skip
    await do(company, "rae", f"{case}/close")
    found = await until_case(company, case, "closed")
    while not any(event["kind"] == "subjectTold" for event in found["history"][-1]["events"]):
        found = await until_case(company, case, "closed")
    assert await asyncio.to_thread(of_lot) == "quarantine"
    await do(company, "ben", decision, accept=True)
    assert await asyncio.to_thread(of_lot) == "released"
    listed = (await read(company, "/quality/inspections", lot=lot))["inspections"]
    assert [(own["state"], own["results"][0]["text"]) for own in listed] == [("cancelled", "2.5"), ("accepted", "0.50")]


@pytest.mark.accepts("QL-06", "AC-03")
async def test_a_deviation_of_a_machine_from_its_opening_to_its_end_and_back(company: Company) -> None:
    body = {"commandId": f"d/{uuid.uuid4()}", "equipment": "SAW-1", "code": "NOISE", "detail": "it screams"}
    first, again = [await (await company.desk("olu")).post("/quality/deviations", body) for _ in range(2)]
    assert first.json() == again.json()
    opened = first.json()
    assert opened["hasProcess"]
    case = f"/quality/deviations/{opened['id']}"
    await until_case(company, case, "open")
    denied = await (await company.desk("olu")).command(f"{case}/classify", classification="minor", impact="none")
    assert (denied.status_code, denied.json()["code"]) == (403, "NOT_AUTHORISED")
    await do(company, "rae", f"{case}/classify", classification="minor", impact="no batch was on it", affected=[])
    await do(company, "rae", f"{case}/assign", owner="mia")
    mine = (await (await company.desk("mia")).get("/quality/cases/waiting", mine=True)).json()["waiting"]
    assert [(one["number"], one["command"]) for one in mine] == [(opened["number"], "proposeConclusion")]
    waiting = (await (await company.desk("sam")).get("/quality/cases/waiting", mine=True)).json()["waiting"]
    assert opened["number"] not in {one["number"] for one in waiting}
    proposal = {"rootCause": "a bearing", "disposition": "accept", "needsCapa": False}
    await do(company, "mia", f"{case}/propose", **proposal)

    unsigned = await (await company.desk("rae")).command(f"{case}/approve")
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    assert unsigned.json()["meaning"] == "approved"
    problem = await refused(company, "max", f"{case}/approve-as-quality-manager")
    assert problem["code"] == "APPROVAL_NOT_NEEDED"
    made = await shown(await company.desk("rae"), "approveDeviation", opened["id"])
    assert {"field": "rootCause", "value": "a bearing"} in made["content"]
    ceremony = {"requestId": made["id"], "contentHash": made["contentHash"]}
    signed_as_shown = {"signed": PASSWORD, "ceremony": ceremony, "commandId": made["commandId"]}
    late = {"signed": PASSWORD, "ceremony": {"revision": 1}}
    changed = await refused(company, "max", f"{case}/approve", **late)
    assert changed["code"] == "CONTENT_CHANGED"
    assert "rootCause" in changed["detail"]
    await do(company, "rae", f"{case}/approve", **signed_as_shown)
    given = (await read(company, "/signatures", entity=f"deviation/{opened['number']}"))["signatures"]
    assert [(one["signer"], one["meaning"]) for one in given] == [("rae", "approved")]
    assert (await verdict(company, given[0]["id"]))["status"] == "valid"
    await do(company, "rae", f"{case}/close")
    over = await refused(company, "rae", f"{case}/assign", owner="mia")
    assert (over["code"], over["blockers"][0]["found"]) == ("INVALID_TRANSITION", "closed")

    await do(company, "max", f"{case}/reopen", reason="it screams again")
    found = await until_case(company, case, "reopened")
    events = [event["kind"] for fact in found["history"] for event in fact["events"]]
    assert events[0] == "deviationRaised"
    assert "commandRefused" in events
    assert [fact["revision"] for fact in found["history"]] == list(range(1, len(found["history"]) + 1))
    signed = [fact for fact in found["history"] if fact["commandKind"] == "approveDeviation"]
    assert all(fact["signatureId"] for fact in signed)
    await do(company, "rae", f"{case}/void", reason="belongs to NOISE of another saw")
    listed = await read(company, "/quality/cases", equipment="SAW-1", kind="deviation")
    assert [(one["number"], one["state"]) for one in listed["cases"]] == [(opened["number"], "voided")]


@pytest.mark.accepts("QL-08")
async def test_a_corrective_action_by_hand_is_not_closed_before_its_check(company: Company) -> None:
    body = {"commandId": f"a/{uuid.uuid4()}", "source": "audit 7", "action": "label the drawers"}
    first, again = [await (await company.desk("rae")).post("/quality/capas", body) for _ in range(2)]
    assert first.json() == again.json()
    action = f"/quality/capas/{first.json()['id']}"
    assert (await refused(company, "max", f"{action}/approve"))["code"] == "CAPA_NOT_PLANNED"
    due, check = (datetime.now(UTC) + timedelta(days=days) for days in (10, 100))
    plan = {"action": "label all drawers", "owner": "mia", "checkAt": check.isoformat()}
    late = await refused(company, "rae", f"{action}/plan", dueAt=(check + timedelta(days=1)).isoformat(), **plan)
    assert late["code"] == "CHECK_BEFORE_DUE_DATE"
    await do(company, "rae", f"{action}/plan", dueAt=due.isoformat(), **plan)
    await do(company, "max", f"{action}/approve")
    assert (await refused(company, "olu", f"{action}/start"))["code"] == "NOT_THE_OWNER"
    await do(company, "mia", f"{action}/start")
    await do(company, "mia", f"{action}/implement", evidence="photo 12")
    early = await refused(company, "rae", f"{action}/decide-effectiveness", effective=True, evidence="all found")
    assert early["code"] == "CHECK_NOT_DUE"
    assert check.date().isoformat() in early["blockers"][0]["found"]
    found = await read(company, action)
    assert (found["state"], found["source"], found["owner"]) == ("implemented", "audit 7", "mia")


@pytest.mark.accepts("QL-06")
async def test_an_order_that_leads_its_deviations_takes_one_by_hand(company: Company) -> None:
    order = (await create(company, policy="led"))["id"]
    opened = await do(
        company, "olu", "/quality/deviations", orderId=order, equipment="SAW-1", code="SPILL", detail="oil on the floor"
    )
    assert opened["number"].endswith("-D1")
    shown = await until(company, order, lambda o: o["openDeviations"])
    assert shown["openDeviations"] == [opened["number"]]
    case = await until_case(company, f"/quality/deviations/{opened['id']}", "open")
    assert case["detail"] == "equipment SAW-1: oil on the floor"
    problem = await refused(
        company, "rae", f"/mes/orders/{order}/decide-deviation", deviation=opened["number"], decision="wiped up"
    )
    assert problem["code"] == "DEVIATION_UNDER_INVESTIGATION"
    listed = await read(company, "/quality/deviations", orderId=order)
    assert [(one["id"], one["hasProcess"]) for one in listed["deviations"]] == [(opened["id"], True)]


@pytest.mark.accepts("E2")
async def test_a_copy_that_comes_after_the_end_of_its_order_has_the_same_answer(company: Company) -> None:
    order = (await create(company, policy="led"))["id"]
    body = {"commandId": f"d/{uuid.uuid4()}", "orderId": order, "code": "SPILL", "detail": "oil on the floor"}
    first = await (await company.desk("olu")).post("/quality/deviations", body)
    assert first.status_code == 200, first.text
    await do(company, "pia", f"/mes/orders/{order}/cancel", reason="not needed")
    await until(company, order, lambda o: o["state"] == "cancelled")
    again = await (await company.desk("olu")).post("/quality/deviations", body)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len((await read(company, "/quality/deviations", orderId=order))["deviations"]) == 1
    elsewhere = {**body, "orderId": None, "equipment": "SAW-1"}
    other = await (await company.desk("olu")).post("/quality/deviations", elsewhere)
    assert (other.status_code, other.json()["code"]) == (409, "COMMAND_ID_REUSED")


@pytest.mark.accepts("E2")
async def test_an_order_that_ends_while_its_deviation_is_on_the_way(
    company: Company, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at while it ran, sent when it was over: the deviation is one for the record, for every copy."""
    order = (await create(company, policy="led"))["id"]
    await do(company, "pia", f"/mes/orders/{order}/cancel", reason="not needed")
    number = (await until(company, order, lambda o: o["state"] == "cancelled"))["number"]
    engine = await app.state.services.orders.client()
    await engine.get_workflow_handle(workflow_id(number)).result()
    look, looks = case_openings._subject, [(number, True)]
    monkeypatch.setattr(case_openings, "_subject", lambda *about: looks.pop() if looks else look(*about))
    body = {"commandId": f"d/{uuid.uuid4()}", "orderId": order, "code": "SPILL", "detail": "oil on the floor"}
    answers = [await (await company.desk("olu")).post("/quality/deviations", body) for _ in range(2)]
    assert looks == []
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json()
    (listed,) = (await read(company, "/quality/deviations", orderId=order))["deviations"]
    assert listed["number"] == answers[0].json()["number"]


@pytest.mark.accepts("QL-06")
async def test_a_deviation_that_was_written_and_not_begun_is_begun_later(company: Company, app: FastAPI) -> None:
    """The API process died between the record and the engine; any other one goes on."""
    services = app.state.services
    opened = await asyncio.to_thread(
        services.quality.open_deviation, "NOISE", "it squeaks", None, None, key=f"k/{uuid.uuid4()}", actor="olu",
        equipment="SAW-2",
    )  # fmt: skip
    case = f"/quality/deviations/{uuid_for('deviation', opened.number)}"
    assert (await (await company.desk("rae")).get(case)).status_code == 404
    await services.cases.begin_unstarted()
    await until_case(company, case, "open")


async def test_what_a_deviation_is_about_has_to_exist(company: Company) -> None:
    for about in ({"equipment": "SAW-99"}, {"lot": "nowhere"}, {"orderId": str(uuid.uuid4())}):
        answer = await (await company.desk("olu")).command("/quality/deviations", code="X", detail="y", **about)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), about
    answer = await (await company.desk("olu")).command("/quality/deviations", code="X", detail="y")
    assert answer.status_code == 422
