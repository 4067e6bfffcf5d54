"""Reports: every figure against an oracle of its own, computed in Python from the bare rows (KP-07)."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event, text

from api.scopes import Scope
from db.queries import oee as machines
from db.queries import report_lists as lists
from db.queries import reporting as tables
from domain import oee
from reporting import figures as reporting
from reporting.figures import Asked
from reporting.period import Period
from tests.api.company import PASSWORD, Company
from tests.api.words import at_stage, do, receive
from tests.figures import figures, pressing, rolling

pytestmark = pytest.mark.usefixtures("working")
ZONE = ZoneInfo("Asia/Shanghai")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
async def month(company: Company, working: None, engine: Engine) -> dict[str, str]:
    """Orders that are over, that run, that were late, with scrap, a counter-report and a deviation."""
    found = await figures(company)
    await receive(company, "API-REPORTING", "100")
    await at_stage(company, "closed", dueAt="2026-11-21T08:00:00Z")
    await at_stage(company, "released", dueAt="2026-11-22T08:00:00Z")
    _, work_order = await pressing(company)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "50", "scrap": "9", "scrapReason": "surface"}
    made = await do(company, "olu", "/mes/production-reports/report", **report)
    await do(
        company, "olu", "/mes/production-reports/reverse", reportNumber=made["result"]["reportNumber"], reason="x y z"
    )
    await do(company, "olu", "/mes/production-reports/report", **{**report, "scrap": "4"})
    identity, work = await rolling(company)
    return found | {"pill_order": identity, "pill_work": work}


def asked(**more: Any) -> Asked:
    now = datetime.now(UTC)
    today = now.astimezone(ZONE).date()
    return Asked(Period(today - timedelta(days=6), today, ZONE), more.pop("scope", Scope()), now, **more)


def rows(engine: Engine, statement: str) -> Rows:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(statement))]


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def lots(engine: Engine) -> dict[str, tuple[str, str]]:
    return {row["number"]: (row["output_lot"], row["material"]) for row in rows(engine, "SELECT * FROM work_order")}


def pieces(engine: Engine) -> tuple[dict[Any, Decimal], dict[Any, Decimal]]:
    """Good by (day, product), scrap by (day, product, reason): from moves and reports alone."""
    good: dict[Any, Decimal] = defaultdict(Decimal)
    scrap: dict[Any, Decimal] = defaultdict(Decimal)
    own = lots(engine)
    for move in rows(engine, "SELECT * FROM stock_move WHERE work_order IS NOT NULL"):
        lot, product = own[move["work_order"]]
        if move["lot"] != lot:
            continue
        key = (move["moved_at"].astimezone(ZONE).date(), product)
        if move["kind"] == "produce":
            good[key] += move["quantity"]
        elif move["kind"] in ("reverse", "scrap"):
            good[key] -= move["quantity"]
        if move["kind"] == "scrap":
            scrap[(*key, "lotScrapped")] += move["quantity"]
    reports = {row["number"]: row for row in rows(engine, "SELECT * FROM production_report")}
    for report in reports.values():
        reason = reports[report["reverses"]]["scrap_reason"] if report["reverses"] else report["scrap_reason"]
        key = (report["reported_at"].astimezone(ZONE).date(), own[report["work_order"]][1])
        scrap[(*key, reason or "")] += report["scrap"]
    return good, scrap


@pytest.mark.accepts("KP-07")
async def test_output_scrap_and_yield_are_those_of_the_bare_rows(month: dict[str, str], engine: Engine) -> None:
    with engine.connect() as connection:
        found = reporting.output(connection, asked())
        pareto = reporting.scrap(connection, asked())
    good, scrap = pieces(engine)
    assert {(row["day"], row["product"]): row["good"] for row in found} == {k: v for k, v in good.items() if v}
    for row in found:
        lost = sum(v for (day, product, _), v in scrap.items() if (day, product) == (row["day"], row["product"]))
        assert row["scrap"] == lost
        assert row["yield"] == row["good"] / (row["good"] + lost)
    by_reason: dict[str, Decimal] = defaultdict(Decimal)
    for (*_, reason), quantity in scrap.items():
        by_reason[reason] += quantity
    assert {row["reason"]: row["quantity"] for row in pareto} == {k: v for k, v in by_reason.items() if v}
    # The counter-report took its nine back; what came after it counts.
    assert by_reason["surface"] == 7 + 4
    assert [row["quantity"] for row in pareto] == sorted(by_reason.values(), reverse=True)
    assert pareto[-1]["cumulative"] == 1
    assert sum(row["share"] for row in pareto) == pytest.approx(Decimal(1))


@pytest.mark.accepts("KP-07")
async def test_every_figure_is_the_sum_of_the_rows_that_it_leads_to(month: dict[str, str], engine: Engine) -> None:
    question = asked()
    with engine.connect() as connection:
        source = tables.pieces(*question.bounds)
        for row in reporting.output(connection, question):
            for kind in ("good", "scrap"):
                wanted = {"day": row["day"], "product": row["product"], "kind": kind}
                behind = tables.piece_rows(connection, source, ZONE.key, 10_000, **wanted)
                assert sum(one["quantity"] for one in behind) == row[kind]
        for row in reporting.scrap(connection, question):
            behind = tables.piece_rows(connection, source, ZONE.key, 10_000, kind="scrap", reason=row["reason"])
            assert sum(one["quantity"] for one in behind) == row["quantity"]
            assert len(behind) == row["count"]
        for row in reporting.balance(connection, question) or []:
            for stock in tables.STOCKS:
                behind = tables.move_rows(connection, *question.bounds, 10_000, row["material"], stock)
                assert sum(one["change"] for one in behind) == row[stock]
            for direction in tables.DIRECTIONS:
                behind = tables.move_rows(connection, *question.bounds, 10_000, row["material"], direction)
                assert sum(one["quantity"] for one in behind) == row[direction]


@pytest.mark.accepts("KP-07")
async def test_lead_times_are_those_of_the_transitions(month: dict[str, str], engine: Engine) -> None:
    with engine.connect() as connection:
        lead = reporting.lead_rows(connection, asked())
    done = rows(
        engine, "SELECT w.*, o.created_at FROM work_order w JOIN production_order o ON o.number = w.order_number"
        " WHERE w.state IN ('completed', 'closed')",
    )  # fmt: skip
    assert {row["work_order"] for row in lead} == {row["number"] for row in done}
    assert len(done) >= 2
    steps = rows(engine, "SELECT * FROM state_transition ORDER BY at DESC")
    first = {(step["entity"], step["entity_id"], step["to_state"]): step["at"] for step in steps}
    wholes = []
    for row in lead:
        own = first["work-order", row["work_order"], "ready"] - first["work-order", row["work_order"], "dispatched"]
        assert float(row["stages"]["pick"]) == own.total_seconds()
        created = next(one["created_at"] for one in done if one["number"] == row["work_order"])
        closed = first.get(("production-order", row["order_number"], "closed"))
        end = closed or first["work-order", row["work_order"], "completed"]
        assert float(row["whole"]) == pytest.approx((end - created).total_seconds())
        wholes.append(float(row["whole"]))
    stage, whole = reporting.lead_times(lead)[-1]
    assert (stage, whole.count) == ("whole", len(wholes))
    assert (float(whole.median or 0), float(whole.mean or 0)) == pytest.approx((median(wholes), mean(wholes)))


@pytest.mark.accepts("KP-07")
async def test_delivery_counts_what_was_due_and_when_it_was_done(month: dict[str, str], engine: Engine) -> None:
    period = Period(datetime(2026, 11, 1).date(), datetime(2027, 1, 31).date(), ZONE)  # noqa: DTZ001
    question = Asked(period, Scope(), datetime.now(UTC))
    with engine.connect() as connection:
        found = reporting.delivered(reporting.due(connection, question))
    counts: dict[str, int] = defaultdict(int)
    orders = rows(engine, "SELECT * FROM production_order WHERE due_at IS NOT NULL")
    for order in orders:
        if order["actual_end"] is not None:
            counts["onTime" if order["actual_end"] <= order["due_at"] else "doneLate"] += 1
        else:
            counts["overdue" if order["due_at"] < question.at else "notDue"] += 1
    assert {name: int(found[name]) for name in reporting.DELIVERY if found[name]} == dict(counts)
    assert found["due"] == len(orders)
    assert min(counts[name] for name in ("onTime", "doneLate", "overdue")) > 0
    assert float(found["share"]) == pytest.approx(counts["onTime"] / (len(orders) - counts["notDue"]))


@pytest.mark.accepts("KP-07")
async def test_the_material_balance_is_what_the_ledger_says(month: dict[str, str], engine: Engine) -> None:
    question = asked()
    with engine.connect() as connection:
        found = {row["material"]: row for row in reporting.balance(connection, question) or []}
    material_of = {row["number"]: row["material"] for row in rows(engine, "SELECT * FROM lot")}
    outside = {"SUPPLIER", "PROCESS", "SCRAP", "CUSTOMER"}
    change: dict[str, Decimal] = defaultdict(Decimal)
    received: dict[str, Decimal] = defaultdict(Decimal)
    for move in rows(engine, "SELECT * FROM stock_move"):
        what = material_of[move["lot"]]
        change[what] += move["quantity"] * ((move["to_place"] not in outside) - (move["from_place"] not in outside))
        received[what] += move["quantity"] if move["from_place"] == "SUPPLIER" else 0
    assert {name: row["closing"] for name, row in found.items()} == dict(change)
    for name, row in found.items():
        # Everything was moved in this period: so there was nothing at first.
        assert row["opening"] == 0
        assert row["received"] == received[name]
        into = row["received"] + row["produced"] + row["takenBack"]
        out = row["consumed"] + row["scrapped"] + row["shipped"]
        assert row["opening"] + into - out == row["closing"]
    # And of a period that is over, the stock of then.
    past = Asked(question.period.before, Scope(), question.at)
    with engine.connect() as connection:
        assert {row["closing"] for row in reporting.balance(connection, past) or []} == {0}
        assert reporting.balance(connection, Asked(question.period, Scope(("demo",)), question.at)) is None


@pytest.mark.accepts("KP-07")
async def test_deviations_are_counted_by_kind(month: dict[str, str], engine: Engine) -> None:
    with engine.connect() as connection:
        found = reporting.deviations(reporting.deviation_rows(connection, asked()))
    expected: dict[str, list[str]] = defaultdict(list)
    for row in rows(engine, "SELECT * FROM deviation"):
        expected[row["code"]].append(row["state"])
    assert {row["code"]: (row["opened"], row["closed"]) for row in found} == {
        code: (len(states), states.count("closed")) for code, states in expected.items()
    }
    assert "PRESS_NOISE" in expected


@pytest.mark.accepts("KP-01", "KP-03", "KP-07")
async def test_effectiveness_comes_from_recorded_states_and_counts(month: dict[str, str], engine: Engine) -> None:
    question = asked()
    with engine.connect() as connection:
        found = {own.code: own for own in reporting.stations(connection, question)}
    station = rows(engine, f"SELECT o.* FROM operation o JOIN work_order w ON w.number = o.work_order "
                           f"WHERE w.uuid = '{month['pill_work']}'")[0]  # fmt: skip
    saw = found[station["workstation"]]
    # It runs since its start and nothing else ran there.
    ran = (question.at - station["started_at"]).total_seconds()
    assert float(saw.counts.producing) == pytest.approx(ran)
    calendar = (question.at - question.period.since).total_seconds()
    for own in found.values():
        if own.code:
            assert float(sum(own.seconds.values())) == pytest.approx(calendar)
            assert float(own.counts.busy) == pytest.approx(calendar)
    figures = saw.figures
    assert float(figures.availability.value or 0) == pytest.approx(ran / calendar)
    assert float(figures.effectiveness.value or 0) == pytest.approx(0.002 * 700 / ran)
    assert figures.quality.value == Decimal(690) / 700
    assert float(figures.oee.value or 0) == pytest.approx(0.002 * 690 / calendar)
    # The bench makes tablets whose route knows no ideal time: that is said, and no figure is made up.
    assert found["BENCH"].figures.effectiveness == oee.Ratio(None, "noIdealCycleTime")
    both = found[""].counts
    assert both.produced == found["BENCH"].counts.produced + saw.counts.produced
    assert both.busy == found["BENCH"].counts.busy + saw.counts.busy


async def test_a_pause_and_a_broken_machine_are_no_production(
    month: dict[str, str], company: Company, engine: Engine
) -> None:
    _, work_order = await pressing(company)
    path = f"/mes/work-orders/{work_order}/operations/PRESS"
    await do(company, "olu", f"{path}/pause", reason="the hopper is empty")
    await do(company, "olu", f"{path}/resume")
    now = datetime.now(UTC)
    number = rows(engine, f"SELECT number FROM work_order WHERE uuid = '{work_order}'")[0]["number"]
    with engine.connect() as connection:
        found = [s for s in machines.spans(connection, now - timedelta(days=1), now) if s.work_order == number]
    press = sorted((s.span for s in found if s.operation == "PRESS"), key=lambda span: span.start)
    assert [span.doing for span in press] == [oee.Doing.PRODUCING, oee.Doing.STOPPED, oee.Doing.PRODUCING]
    assert press[0].end == press[1].start
    assert press[1].end == press[2].start
    assert press[2].end == now


async def test_a_report_costs_a_constant_number_of_statements(month: dict[str, str], engine: Engine) -> None:
    question, empty = asked(), Asked(asked().period.before, Scope(), datetime.now(UTC))
    numbers = []
    for one in (question, empty):
        with counted(engine) as said, engine.connect() as connection:
            reporting.output(connection, one)
            reporting.scrap(connection, one)
            reporting.lead_rows(connection, one)
            reporting.due(connection, one)
            reporting.deviation_rows(connection, one)
            reporting.balance(connection, one)
            reporting.stations(connection, one)
        numbers.append(len(said))
    assert numbers == [10, 10]


async def logged_in(company: Company, user: str) -> dict[str, str]:
    form = {"user_id": user, "password": PASSWORD}
    answer = await company.client.post("/ui/login", data=form, follow_redirects=False)
    assert answer.status_code == 303
    return {"cookie": f"mes_session={answer.cookies['mes_session']}; mes_language=en"}


async def test_a_file_has_what_the_page_has_and_no_formula(
    month: dict[str, str], company: Company, app: FastAPI, engine: Engine
) -> None:
    headers = await logged_in(company, "sam")
    answer = await company.client.get("/ui/reports/report.csv?report=scrap", headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.startswith("\ufeff")
    found = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    with engine.connect() as connection:
        expected = reporting.scrap(connection, Asked(
            Period(asked().period.last - timedelta(days=29), asked().period.last, ZONE), Scope(), datetime.now(UTC)
        ))  # fmt: skip
    assert [Decimal(row["Scrap"]) for row in found] == [row["quantity"] for row in expected]
    rows_file = await company.client.get("/ui/reports/rows.csv?report=pieces&kind=scrap", headers=headers)
    listed = list(csv.DictReader(io.StringIO(rows_file.text.lstrip("\ufeff"))))
    assert sum(Decimal(row["Quantity"]) for row in listed) == sum(row["quantity"] for row in expected)


@pytest.mark.parametrize("report", ["output", "scrap", "leadTime", "delivery", "deviations", "oee", "balance"])
async def test_every_figure_of_a_page_leads_to_rows_that_are_there(
    report: str, month: dict[str, str], company: Company
) -> None:
    headers = await logged_in(company, "sam")
    answer = await company.client.get(f"/ui/reports?report={report}&since=2026-11-01&until=2027-01-31", headers=headers)
    assert answer.status_code == 200
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/ui/reports/rows\?[^"]+)"', answer.text)}
    assert links
    for link in sorted(links)[:12]:
        listed = await company.client.get(link, headers=headers)
        assert listed.status_code == 200, link


async def test_an_account_of_another_plant_sees_no_figures(month: dict[str, str], engine: Engine) -> None:
    question = asked(scope=Scope(("elsewhere",)))
    with engine.connect() as connection:
        assert reporting.output(connection, question) == []
        assert reporting.due(connection, question) == []
        assert reporting.deviation_rows(connection, question) == []
        assert reporting.lead_rows(connection, question) == []
        assert machines.spans(connection, *question.bounds, question.scope.orders()) == []


@pytest.mark.accepts("C5")
async def test_batches_parameters_inspections_and_flow_are_those_of_the_bare_rows(
    month: dict[str, str], engine: Engine
) -> None:
    with engine.connect() as connection:
        batches = reporting.batches(connection, asked())
        parameters = reporting.parameters(connection, asked())
        inspected = reporting.inspection_rows(connection, asked())
        flow = reporting.flow(connection, asked())
    done = [row for row in rows(engine, "SELECT * FROM work_order") if row["state"] in ("completed", "closed")]
    assert {row["lot"] for row in batches} == {row["output_lot"] for row in done}
    assert [(row["good"], row["scrap"], row["deviations"], row["status"]) for row in batches] == [
        (Decimal(990), Decimal(10), 0, "released") for _ in batches
    ]
    values = rows(engine, "SELECT * FROM parameter_value WHERE name = 'weight'")
    (weight,) = (row for row in parameters if row["name"] == "weight")
    assert weight["count"] == len(values)
    assert weight["outside"] == sum(1 for row in values if not row["within_limits"])
    assert weight["mean"] == pytest.approx(mean(row["value"] for row in values))
    assert (weight["low"], weight["high"]) == (min(v["value"] for v in values), max(v["value"] for v in values))
    figures_of = {row["material"]: row for row in reporting.quality(inspected)}
    api = rows(engine, "SELECT * FROM inspection WHERE material = 'API'")
    assert figures_of["API"]["inspections"] == figures_of["API"]["accepted"] == len(api)
    assert figures_of["API"]["share"] == 1
    moves = rows(engine, "SELECT m.*, l.material FROM stock_move m JOIN lot l ON l.number = m.lot")
    ways: dict[Any, Decimal] = defaultdict(Decimal)
    for move in moves:
        ways[move["material"], move["from_place"], move["to_place"]] += move["quantity"]
    assert flow is not None
    assert {(row["material"], row["from_place"], row["to_place"]): row["quantity"] for row in flow} == dict(ways)
    with engine.connect() as connection:
        assert reporting.flow(connection, asked(scope=Scope(plants=("demo",)))) is None
        assert reporting.batches(connection, asked(scope=Scope(plants=("elsewhere",)))) == []
        assert reporting.parameters(connection, asked(product="CART")) == []


@pytest.mark.accepts("C5")
async def test_a_figure_of_a_parameter_is_as_many_rows_as_it_leads_to(month: dict[str, str], engine: Engine) -> None:
    with engine.connect() as connection:
        (weight,) = (row for row in reporting.parameters(connection, asked()) if row["name"] == "weight")
        every = lists.value_rows(connection, *asked().bounds, (), 1000, operation="PRESS", name="weight")
        outside = lists.value_rows(connection, *asked().bounds, (), 1000, name="weight", verdict="outside")
        ways = reporting.flow(connection, asked()) or []
        for way in ways:
            direction = f"{way['from_place']}>{way['to_place']}"
            moves = tables.move_rows(connection, *asked().bounds, 1000, way["material"], direction)
            assert sum(row["quantity"] for row in moves) == way["quantity"]
            assert len(moves) == way["moves"]
    assert len(every) == weight["count"]
    assert len(outside) == weight["outside"]
