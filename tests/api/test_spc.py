"""Control charts over the API, from values that were recorded at the press."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from api.spc import Question, charted
from db.queries import spc as tables
from db.queries.spc import Asked
from domain import spc
from tests.api.company import Company
from tests.api.words import do
from tests.figures import IN_CONTROL, SHIFT, pressing, weigh, weights

pytestmark = pytest.mark.usefixtures("working")
MANY = """
    INSERT INTO parameter_value
        (work_order, operation, name, text, value, unit, within_limits, recorded_by, recorded_at)
    SELECT 'many', 'PRESS', 'weight', '1', n, 'mg', true, 'olu', now() - n * interval '1 hour'
    FROM generate_series(1, 30000) n
"""
BEFORE, AFTER = weights(IN_CONTROL), weights(SHIFT)


@pytest.fixture(scope="module")
async def batch(company: Company, working: None) -> tuple[str, str]:
    """A batch whose weights are shifted after the 21st: the ids of its order and work order."""
    order, work_order = await pressing(company)
    await weigh(company, work_order, [*BEFORE, *AFTER])
    return order, work_order


def asked(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    period = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    return {"name": "weight", **period, **more}


async def charts(company: Company, **more: Any) -> dict[str, Any]:
    answer = await (await company.desk("ben")).get("/quality/spc", **asked(**more))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.accepts("D5")
async def test_a_planted_shift_alarms_at_the_rules_own_sample_and_the_point_leads_to_its_order(
    company: Company, batch: tuple[str, str]
) -> None:
    found = await charts(company, baseline=len(BEFORE))
    first: dict[str, int] = {}
    for signal in found["signals"]:
        if signal["chart"] == "individuals":
            first.setdefault(signal["rule"], signal["at"])
    assert first["R6"] == len(BEFORE) + 3
    assert first["R2"] == len(BEFORE) + 8
    assert min(signal["at"] for signal in found["signals"]) == len(BEFORE) + 3
    (sample,) = found["points"][first["R6"]]
    assert sample["orderId"] == batch[0]
    assert sample["value"] == AFTER[3]
    western = await charts(company, baseline=len(BEFORE), rules="westernElectric")
    assert min(s["at"] for s in western["signals"] if s["rule"] == "W4") == len(BEFORE) + 7


@pytest.mark.accepts("D5")
async def test_limits_and_capability_are_those_of_the_recorded_texts(company: Company, batch: tuple[str, str]) -> None:
    found = await charts(company)
    values = [float(text) for text in (*BEFORE, *AFTER)]
    ranges = [abs(one - other) for one, other in zip(values[1:], values, strict=False)]
    mean, within = sum(values) / len(values), sum(ranges) / len(ranges) / 1.1283791671
    chart = found["charts"][0]
    assert chart["centre"] == pytest.approx(mean, abs=1e-6)
    assert chart["upper"][0] == pytest.approx(mean + 3 * within, abs=1e-5)
    own = found["capability"]
    overall = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    assert own["cpk"] == pytest.approx(min(118 - mean, mean - 108) / (3 * within), abs=1e-5)
    assert own["ppk"] == pytest.approx(min(118 - mean, mean - 108) / (3 * overall), abs=1e-5)
    assert (own["count"], own["isFew"]) == (len(values), False)
    assert found["specification"] == {"low": 108, "high": 118, "changed": False}


async def test_means_of_subgroups_leave_out_what_does_not_fill_one(company: Company, batch: tuple[str, str]) -> None:
    found = await charts(company, chart="meanRange", subgroup=5)
    assert [chart["name"] for chart in found["charts"]] == ["mean", "range"]
    assert (len(found["points"]), found["leftOut"]) == (6, 1)
    assert [len(point) for point in found["points"]] == [5] * 6


async def test_of_a_corrected_value_the_latest_version_counts_at_its_own_place(
    company: Company, batch: tuple[str, str]
) -> None:
    _, work_order = await pressing(company, product="TAB")
    await weigh(company, work_order, ["113.1", "112.3", "113.3"])
    path = f"/mes/work-orders/{work_order}/operations/PRESS/parameters"
    await do(company, "olu", f"{path}/V2/correct", text="113.2", reason="figures swapped")
    found = await charts(company)
    assert [point[0]["value"] for point in found["points"][-3:]] == ["113.1", "113.2", "113.3"]


async def test_shares_of_scrap_are_a_p_chart(company: Company, batch: tuple[str, str], engine: Engine) -> None:
    for scrap in ("10", "40"):
        _, work_order = await pressing(company)
        report = {"workOrderId": work_order, "operation": "PRESS", "good": str(1000 - int(scrap)), "scrap": scrap}
        await do(company, "olu", "/mes/production-reports/report", **report, scrapReason="dust")
    found = await charts(company, source="scrap", name="PRESS")
    assert found["charts"][0]["name"] == "proportion"
    assert found["charts"][0]["values"] == [0.01, 0.04]
    assert found["charts"][0]["centre"] == 0.025
    assert found["capability"] is None


async def test_results_of_inspections_are_charted_too(company: Company, batch: tuple[str, str]) -> None:
    found = await charts(company, source="inspection", name="water")
    assert len(found["points"]) >= 2
    assert found["points"][0][0]["orderId"] is None
    # They never varied: there is nothing to be capable of.
    assert found["capability"]["cpk"] is None


async def test_what_makes_no_chart_says_why(company: Company) -> None:
    assert (await charts(company, name="nothing of this name"))["reason"] == "tooFew"
    turned = asked()
    turned["since"], turned["until"] = turned["until"], turned["since"]
    answer = await (await company.desk("ben")).get("/quality/spc", **turned)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert (await (await company.desk("ben")).get("/quality/spc", **asked(subgroup=26))).status_code == 422


async def test_the_values_come_with_one_statement_that_uses_the_index(
    company: Company, batch: tuple[str, str], engine: Engine
) -> None:
    said: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        said.append((statement, parameters))

    now = datetime.now(UTC)
    asked_for = Asked("parameter", "weight", "TAB", now - timedelta(days=1), now + timedelta(days=1))
    event.listen(engine, "before_cursor_execute", note)
    try:
        with engine.connect() as connection:
            samples = tables.samples(connection, asked_for)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(said) == 1
    assert len(samples) >= len(BEFORE) + len(AFTER)
    study = charted(Question("parameter", "weight", asked_for.since, asked_for.until), samples).study
    assert study is not None
    assert study == spc.individuals([float(sample.value) for sample in samples])
    with engine.connect() as connection:  # never committed
        connection.execute(text(MANY))
        shown = "\n".join(connection.exec_driver_sql(f"EXPLAIN {said[0][0]}", said[0][1]).scalars())
        connection.rollback()
    assert "ix_parameter_value_name_recorded_at" in shown


async def test_somebody_of_another_plant_sees_nothing(company: Company, batch: tuple[str, str]) -> None:
    ada = await company.desk("ada")
    limit = {"plants": ["elsewhere"], "lines": None, "reason": "a new job"}
    assert (await ada.post("/users/dan/scope", {"commandId": "scope-dan", **limit})).status_code == 200
    desk = await company.login("dan")
    answer = await desk.get("/quality/spc", **asked())
    assert answer.json()["points"] == []
