"""Plan lines and numbers; the listener; received lots; the audit trail."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, insert, text

from db.tables import CommandOutcome, core
from domain.events import Outcome
from tests.api.company import Company
from tests.conftest import Database


async def test_the_same_reference_is_the_same_line(company: Company, engine: Engine) -> None:
    first = await company.plan("PL-SAME")
    again = await company.plan("PL-SAME", orderNumber=None)
    assert first == again
    other = {"reference": "PL-SAME", "product": "TAB", "quantity": 7, "unit": "pcs", "policy": "gmp", "plant": "demo"}
    answer = await (await company.desk("pia")).post("/mes/plan-lines", [other])
    assert (answer.status_code, answer.json()["code"]) == (409, "REFERENCE_TAKEN")
    at_once = await asyncio.gather(*(company.plan("PL-AT-ONCE", orderNumber=None) for _ in range(10)))
    assert len({line["orderNumber"] for line in at_once}) == 1
    with engine.connect() as connection:
        audited = text("SELECT count(*) FROM audit_row WHERE entity IN ('plan-line/PL-SAME', 'plan-line/PL-AT-ONCE')")
        assert connection.execute(audited).scalar_one() == 2


async def test_numbers_belong_to_one_line(company: Company) -> None:
    await company.plan("PL-FIRST", orderNumber="PO-MINE", batchNumber="B-MINE")
    desk = await company.desk("pia")
    base = {"product": "TAB", "quantity": 1, "unit": "pcs", "policy": "gmp", "plant": "p"}
    lines = [
        {**base, "reference": "PL-2", "orderNumber": "PO-MINE"},
        {**base, "reference": "PL-3", "batchNumber": "B-MINE"},
        {**base, "reference": "PL-4"},
    ]
    answer = await desk.post("/mes/plan-lines", lines)
    assert (answer.status_code, answer.json()["code"]) == (409, "NUMBER_TAKEN")
    assert {(blocker["code"], blocker["found"].split()[0]) for blocker in answer.json()["blockers"]} == {
        ("NUMBER_TAKEN", "PO-MINE"), ("BATCH_NO_USED", "B-MINE"),
    }  # fmt: skip
    listed = (await desk.get("/mes/plan-lines")).json()["planLines"]
    assert "PL-4" not in [line["reference"] for line in listed]


@pytest.mark.accepts("A16")
async def test_a_thousand_numbers_at_once(company: Company) -> None:
    desk = await company.desk("pia")

    async def number() -> str:
        answer = await desk.post("/mes/traceabilities/generate-batch-no", {"pattern": "L{yy}-{seq:5}"})
        return str(answer.json()["batchNo"])

    numbers = await asyncio.gather(*(number() for _ in range(1000)))
    year = datetime.now(UTC).strftime("%y")
    assert sorted(numbers) == [f"L{year}-{counter:05}" for counter in range(1, 1001)]
    simple = await desk.post("/mes/traceabilities/generate-batch-no", {"pattern": "X"})
    assert simple.json()["batchNo"] == f"X{year}000001"


def outcome_row(command_id: str) -> dict[str, Any]:
    """A verdict, as the projector writes it."""
    outcome = Outcome(command_id=command_id, accepted=True, order_number="PO-X", revision=3)
    return {
        "command_id": command_id, "order_number": "PO-X", "revision": 3, "accepted": True,
        "body": outcome.model_dump(mode="json", by_alias=True), "at": datetime.now(UTC),
    }  # fmt: skip


def record_outcome(engine: Engine, command_id: str, *, notify: bool = True) -> None:
    """Write a verdict and tell of it."""
    with engine.begin() as connection:
        connection.execute(insert(core(CommandOutcome)), [outcome_row(command_id)])
        if notify:
            payload = json.dumps({"o": "PO-X", "r": 3, "c": [command_id]})
            connection.execute(text("SELECT pg_notify('mes_outcome', :payload)"), {"payload": payload})


async def test_a_waiter_is_woken_by_the_notification(app: FastAPI, company: Company, engine: Engine) -> None:
    outcomes = app.state.services.outcomes
    await asyncio.wait_for(outcomes.listening.wait(), 60)
    loop = asyncio.get_running_loop()
    for number in range(20):
        waiting = asyncio.create_task(outcomes.wait(f"listen-{number}", 5))
        await asyncio.sleep(0.01)
        began = loop.time()
        await asyncio.to_thread(record_outcome, engine, f"listen-{number}")
        assert (await waiting).revision == 3
        assert loop.time() - began < 1
    assert await outcomes.wait("never", 0.1) is None
    assert outcomes._waiters == {}


async def test_a_lost_notification_loses_no_verdict(app: FastAPI, company: Company, engine: Engine) -> None:
    outcomes = app.state.services.outcomes
    waiting = asyncio.create_task(outcomes.wait("silent", 0.5))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(record_outcome, engine, "silent", notify=False)
    assert (await waiting).accepted


async def test_the_listener_comes_back(app: FastAPI, company: Company, engine: Engine, database: Database) -> None:
    outcomes = app.state.services.outcomes
    await asyncio.wait_for(outcomes.listening.wait(), 60)
    waiting = asyncio.create_task(outcomes.wait("back", 10))
    await asyncio.sleep(0.05)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        record_outcome(engine, "back", notify=False)  # told while nobody listened
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'millwright-outcomes' AND datname = current_database()"
        )
    assert (await asyncio.wait_for(waiting, 5)).accepted


async def test_nonsense_on_the_channel_harms_nobody(app: FastAPI, company: Company) -> None:
    for payload in ("", "x", "[]", '{"c": 5}', "null"):
        app.state.services.outcomes.wake(payload)


async def test_commands_are_looked_up(company: Company, engine: Engine) -> None:
    record_outcome(engine, "look/me")
    desk = await company.desk("olu")
    assert (await desk.get("/commands/look/me")).json()["accepted"] is True
    assert (await desk.get("/commands/nothing")).status_code == 404


async def test_a_received_lot_is_inspected_by_two(company: Company) -> None:
    wil, ana, ben = [await company.desk(user) for user in ("wil", "ana", "ben")]
    body = {"lot": "API-1", "material": "API", "quantity": "12.500", "unit": "kg", "expiresOn": "2199-01-01"}
    first = await wil.command("/wms/receipts", commandId="receipt-1", **body)
    again = await wil.command("/wms/receipts", commandId="receipt-1", **body)
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    other = await wil.command("/wms/receipts", commandId="receipt-1", **{**body, "quantity": "13"})
    assert (other.status_code, other.json()["code"]) == (409, "COMMAND_ID_REUSED")
    path = f"/quality/inspections/{first.json()['inspection']['number']}"
    values = [{"name": "water", "text": "0.250", "unit": "%"}]
    assert (await ana.command(f"{path}/results", values=values)).status_code == 200
    same = await ana.command(f"{path}/decision", accept=True)
    assert (same.status_code, same.json()["code"]) == (409, "SEPARATION_OF_DUTIES")
    assert (await ben.command(f"{path}/decision", accept=True)).json()["lotStatus"] == "released"
    lot = (await wil.get("/wms/lots/API-1")).json()
    assert (lot["status"], lot["stock"][0]["place"], lot["stock"][0]["onHand"]) == ("released", "RAW", "12.500")
    listed = (await ana.get("/quality/inspections", lot="API-1")).json()["inspections"]
    assert listed[0]["results"][0]["text"] == "0.250"


async def test_deviations(company: Company) -> None:
    olu = await company.desk("olu")
    assert (await olu.command("/quality/deviations", code="X", detail="y")).status_code == 422
    assert (await olu.command("/quality/deviations", code="X", detail="y", lot="NONE")).status_code == 404
    opened = await olu.command(
        "/quality/deviations", code="DAMAGE", detail="a torn bag", lot="API-1", commandId="dev-1"
    )
    again = await olu.command("/quality/deviations", code="DAMAGE", detail="a torn bag", lot="API-1", commandId="dev-1")
    assert opened.json() == again.json()
    found = (await olu.get("/quality/deviations", lot="API-1")).json()["deviations"]
    assert [(row["number"], row["openedBy"]) for row in found] == [(opened.json()["number"], "olu")]


@pytest.mark.accepts("AT-09")
async def test_the_trail_is_read_by_auditors_and_that_is_audited(company: Company) -> None:
    aud = await company.desk("aud")
    rows = (await aud.get("/audit", actor="pia", limit=5)).json()["rows"]
    assert {row["actor"] for row in rows} == {"pia"}
    viewed = (await aud.get("/audit", actor="aud", action="audit.viewed")).json()["rows"]
    assert viewed[0]["new"]["actor"] == "pia"
    assert (await (await company.desk("olu")).get("/audit")).json()["code"] == "NOT_AUTHORISED"
    assert (await aud.get("/audit/verify")).json()["intact"] is True
