"""Energy of orders, maintenance that a series proposes, a score of risk: told from the record, decided by people."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from adapters.alarms.condition_watch import ConditionWatch
from tests.api.company import Company
from tests.api.words import create, do

pytestmark = [pytest.mark.accepts("A22"), pytest.mark.usefixtures("working")]
START = datetime(2026, 11, 2, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
async def press(company: Company, engine: Engine) -> str:
    """A press of the register at a workstation whose machine has a meter."""
    run(
        engine,
        "INSERT INTO workstation (code, uuid, name, line, equipment, is_active, connection) "
        "VALUES ('METERED', :u, 'Metered', '', 'opcua', true, "
        '\'{"url": "opc.tcp://x", "energyTag": "energy", "energyUnit": "Wh"}\')',
        u=uuid4(),
    )
    await do(company, "pat", "/equipment-classes", code="METERED", name="Metered")
    await do(
        company, "pat", "/equipment", code="PRESS-E", name="Press", equipmentClass="METERED", workstation="METERED"
    )
    return "PRESS-E"


def run(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def job(
    engine: Engine, work_order: str, number: int, readings: list[dict[str, str] | None], *, station: str = "METERED",
    good: int | None = 2000, hours: float = 2,
) -> None:  # fmt: skip
    """A job of a work order that ended; a reading without values is bad."""
    name, begin = f"{work_order}/PRESS-{number}", START + timedelta(days=number)
    run(
        engine,
        "INSERT INTO equipment_run (job, workstation, work_order, operation, batch, state, good, waste, started_at, "
        "ended_at) VALUES (:j, :s, :w, 'PRESS', 'B', 'ended', :g, 0, :b, :e)",
        j=name, s=station, w=work_order, g=good, b=begin, e=begin + timedelta(hours=hours),
    )  # fmt: skip
    for index, values in enumerate(readings):
        pairs = ", ".join(f'"{key}": "{value}"' for key, value in (values or {}).items())
        run(
            engine,
            'INSERT INTO equipment_reading (job, sequence, source_time, quality, "values") '
            "VALUES (:j, :n, :t, :q, CAST(:v AS jsonb))",
            j=name, n=index + 1, t=begin + timedelta(minutes=index), q="bad" if values is None else "good",
            v="{" + pairs + "}",
        )  # fmt: skip


def energy(*values: str | None) -> list[dict[str, str] | None]:
    return [None if value is None else {"energy": value} for value in values]


async def test_an_order_has_its_kilowatt_hours_and_says_what_is_not_known(
    company: Company, engine: Engine, press: str
) -> None:
    made = await create(company)
    work_order = made["workOrders"][0]["number"]
    path = f"/mes/orders/{made['id']}/energy"
    desk = await company.desk("olu")
    nothing = (await desk.get(path)).json()
    assert (nothing["kilowattHours"], nothing["isComplete"], nothing["jobs"]) == (None, False, [])
    job(engine, work_order, 1, energy("1000", None, "2500"))
    whole = (await desk.get(path)).json()
    assert (whole["kilowattHours"], whole["isComplete"]) == ("1.500", True)
    assert whole["jobs"][0]["unread"] == 1
    report = await desk.get("/reports/energy", since=START.isoformat(), until=(START + timedelta(days=9)).isoformat())
    (own,) = [one for one in report.json()["orders"] if one["orderNumber"] == made["number"]]
    assert (own["kilowattHours"], own["kilowattHoursPerThousand"]) == ("1.500", "0.750")
    job(engine, work_order, 2, energy("2500", "100", "600"))
    job(engine, work_order, 3, energy("1"), station="BENCH")
    told = (await desk.get(path)).json()
    assert (told["kilowattHours"], told["isComplete"], told["jobsWithoutAnswer"]) == ("2.100", False, 1)
    set_back, unmetered = told["jobs"][1:]
    assert (set_back["setBacks"], set_back["isComplete"]) == (1, False)
    assert (unmetered["hasMeter"], unmetered["kilowattHours"]) == (False, None)
    batch = (await desk.get(f"/mes/work-orders/{made['workOrders'][0]['id']}/batch-record")).json()
    assert batch["energy"]["kilowattHours"] == "2.100"
    assert (await desk.get(f"/mes/orders/{uuid4()}/energy")).status_code == 404


async def test_a_series_proposes_maintenance_and_a_person_begins_it(
    company: Company, engine: Engine, app: FastAPI, press: str
) -> None:
    condition: dict[str, Any] = {
        "code": "EJECT-1",
        "equipment": press,
        "kind": "trend",
        "limit": 190,
        "tag": "ejection",
        "ahead": 5,
    }
    await do(company, "pat", "/maintenance-conditions", **condition)
    work_order = (await create(company))["workOrders"][0]["number"]
    for number, force in enumerate((150, 152, 154, 156), start=10):
        job(engine, work_order, number, [{"ejection": str(force)}, {"ejection": str(force + 20)}, None])
    watch = ConditionWatch(app.state.services.engine)
    assert watch.look() == [], "four jobs are no trend"
    job(engine, work_order, 14, [{"ejection": "158"}, {"ejection": "178"}, {"ejection": "n/a"}])
    desk = await company.desk("mia")
    (now,) = (await desk.get("/maintenance-conditions", equipment=press)).json()["conditions"]
    assert (now["now"]["value"], now["now"]["isDue"]) == ("178", False)
    condition["limit"] = 178
    await do(company, "pat", "/maintenance-conditions", **condition)
    assert watch.look() == ["EJECT-1-P1"]
    assert watch.look() == [], "one proposal is open"
    assert (await desk.get(f"/equipment/{press}")).json()["maintenanceOrder"] is None, "nothing begins by itself"
    (found,) = (await desk.get("/maintenance-proposals", state="open")).json()["proposals"]
    assert (found["finding"]["value"], found["finding"]["jobs"], found["finding"]["slope"]) == ("178", 5, "2")

    # Not now: quiet for some days, then proposed again.
    await do(company, "mia", "/maintenance-proposals/EJECT-1-P1/dismiss", reason="changed next week", quietDays=3)
    assert watch.look() == []
    run(engine, "UPDATE maintenance_proposal SET quiet_until = now() - interval '1 day' WHERE number = 'EJECT-1-P1'")
    assert watch.look() == ["EJECT-1-P2"]
    path = "/maintenance-proposals/EJECT-1-P2/accept"
    answer = await desk.command(path, commandId="accept-2")
    assert answer.status_code == 200, answer.text
    order = answer.json()
    assert (await desk.command(path, commandId="accept-2")).json() == order
    again = await desk.command(path)
    assert (again.status_code, again.json()["code"]) == (409, "INVALID_TRANSITION")
    assert (await desk.get(f"/equipment/{press}")).json()["maintenanceOrder"] == order["maintenanceOrder"]
    led = (await desk.get(f"/maintenance-orders/{order['maintenanceOrderId']}")).json()
    assert (led["cause"], led["state"]) == ("request", "requested")
    assert "EJECT-1-P2" in led["detail"]
    assert watch.look() == [], "an order leads the machine already"
    for wrong, code in (
        ({**condition, "code": "X-99", "equipment": "NONE"}, "UNKNOWN_ITEM"),
        ({**condition, "code": "X-99", "tag": ""}, "TAG_MISSING"),
        ({**condition, "equipment": "PRESS-F"}, "UNKNOWN_ITEM"),
    ):
        refusal = await (await company.desk("pat")).command("/maintenance-conditions", **wrong)
        assert (refusal.status_code, refusal.json()["code"]) == (409, code)
    lost = await desk.command("/maintenance-proposals/NONE/accept")
    assert (lost.status_code, lost.json()["code"]) == (409, "UNKNOWN_PROPOSAL")


def batches(engine: Engine, count: int) -> None:
    """Batches of the past: the water of what went in decides how much impurity comes out."""
    run(
        engine,
        """
        INSERT INTO work_order (number, uuid, order_number, material, quantity, unit, output_lot, state)
        SELECT 'RISK-WO-' || n, gen_random_uuid(), (SELECT number FROM production_order LIMIT 1), 'TAB', 1, 'pcs',
            'RISK-OUT-' || n, 'closed' FROM generate_series(1, :c) n
        """,
        c=count,
    )
    run(
        engine,
        """
        INSERT INTO lot (number, material, unit, status, origin, work_order, created_at)
        SELECT side || n, CASE side WHEN 'RISK-IN-' THEN 'API' ELSE 'TAB' END, 'kg', 'released',
            CASE side WHEN 'RISK-IN-' THEN 'received' ELSE 'produced' END,
            CASE side WHEN 'RISK-IN-' THEN NULL ELSE 'RISK-WO-' || n END,
            timestamptz '2026-01-01' + n * interval '1 hour'
        FROM generate_series(1, :c) n, unnest(ARRAY['RISK-IN-', 'RISK-OUT-']) side
        """,
        c=count,
    )
    run(
        engine,
        """
        INSERT INTO lot_link (key, input_lot, output_lot, quantity, unit, work_order, operation, linked_at)
        SELECT 'risk/' || n, 'RISK-IN-' || n, 'RISK-OUT-' || n, 1, 'kg', 'RISK-WO-' || n, 'MIX', now()
        FROM generate_series(1, :c) n
        """,
        c=count,
    )
    run(
        engine,
        """
        INSERT INTO inspection (number, uuid, lot, material, state, characteristics, requested_at)
        SELECT 'I-' || number, gen_random_uuid(), number, material, 'accepted', '[]', now()
        FROM lot WHERE number LIKE 'RISK-%'
        """,
    )
    run(
        engine,
        """
        INSERT INTO inspection_result (inspection, name, text, value, unit, within_limits, entered_by, entered_at)
        SELECT 'I-' || number, name, value::text, value, '%', true, 'ana', now() FROM (
            SELECT number, CASE WHEN number LIKE 'RISK-IN-%' THEN 'water' ELSE 'impurity' END AS name,
                CASE WHEN number LIKE 'RISK-IN-%' THEN (n * 7 % 10)::numeric / 10
                    ELSE (n * 7 % 10)::numeric / 10 + (n * 3 % 5)::numeric / 10 END AS value
            FROM (SELECT number, split_part(number, '-', 3)::int AS n FROM lot WHERE number LIKE 'RISK-%') l) v
        """,
    )


async def test_a_score_comes_with_its_metric_its_baseline_and_its_reasons(company: Company, engine: Engine) -> None:
    question = {"code": "impurity", "name": "High impurity", "characteristic": "impurity", "limit": "0.75",
                "direction": "above", "product": "TAB"}  # fmt: skip
    desk = await company.desk("pat")
    short = await desk.command("/quality/risk-models", **question)
    assert (short.status_code, short.json()["code"]) == (409, "HISTORY_TOO_SHORT")
    await create(company)
    batches(engine, 200)
    await do(company, "pat", "/quality/risk-models", **question)
    answer = (await desk.get("/quality/risk-models")).json()
    (model,) = answer["models"]
    assert answer["isAdvice"]
    assert (model["version"], model["trainedOn"], model["metrics"]["batches"]) == (1, 140, 60)
    assert model["metrics"]["auc"] > 0.85 > model["metrics"]["baselineAuc"] == 0.5
    assert model["metrics"]["brier"] < model["metrics"]["baselineBrier"]
    assert model["isBetterThanBaseline"]
    scores = {
        number: (await desk.get(f"/quality/lots/RISK-OUT-{number}/risk")).json()["scores"][0] for number in (190, 197)
    }
    assert scores[197]["probability"] > 0.8 > 0.2 > scores[190]["probability"]
    assert scores[197]["contributions"][0] == {
        "name": "water", "value": 0.9, "usual": scores[190]["contributions"][0]["usual"],
        "effect": scores[197]["contributions"][0]["effect"],
    }  # fmt: skip
    # Another version, and the old one stays.
    await do(company, "pat", "/quality/risk-models", **question)
    assert [own["version"] for own in (await desk.get("/quality/risk-models")).json()["models"]] == [2, 1]
    assert (await desk.get("/quality/lots/RISK-OUT-197/risk")).json()["scores"][0]["version"] == 2
    assert (await desk.get("/quality/lots/RISK-IN-1/risk")).status_code == 404
    assert (await desk.get("/quality/lots/NONE/risk")).status_code == 404
