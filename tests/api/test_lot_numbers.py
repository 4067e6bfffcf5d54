"""Lot numbers of a plant: given once, by its pattern, and parsed back."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.words import create, do
from tests.conftest import Database

GENERATE, PARSE = "/mes/traceabilities/generate-batch-no", "/mes/traceabilities/parse-batch-no"
PATTERNS = [
    {"plant": "P1", "kind": "raw", "pattern": "R{date:yyMMdd}-{seq:4}"},
    {"plant": "P1", "kind": "semiFinished", "pattern": "S{date:yyDDD}-{line:1-3}-{process:2}-{seq:3}{check}"},
    {"plant": "P1", "kind": "finished", "pattern": "F{date:yyMM}{line:2}{process:2}{seq:2}"},
    {"plant": "P2", "kind": "raw", "pattern": "R{date:yyMMdd}-{seq:4}"},
]
DAY = {"date": "2026-11-25"}


async def post(company: Company, path: str, body: Any, status: int = 200, who: str = "pia") -> Any:
    """A write, with the status that it has to have."""
    answer = await (await company.desk(who)).post(path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def parsed(company: Company, number: str, status: int = 200, **query: str) -> dict[str, Any]:
    """What a number says."""
    answer = await (await company.desk("olu")).get(PARSE, number=number, **query)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module", autouse=True)
async def _patterns(company: Company) -> None:
    changed = await post(company, "/master-data/import", {"numberPatterns": PATTERNS}, who="pat")
    assert changed["changed"] == {"number-pattern": 4}


@pytest.mark.accepts("D1")
async def test_a_number_of_each_kind_is_given_and_parsed_back(company: Company) -> None:
    raw = await post(company, GENERATE, {"plant": "P1", "kind": "raw", **DAY})
    assert raw["batchNo"] == "R261125-0001"
    where = {"line": "L3", "process": "CO", **DAY}
    semi = await post(company, GENERATE, {"plant": "P1", "kind": "semiFinished", **where})
    assert semi["batchNo"][:-1] == "S26329-L3-CO-001"
    finished = await post(company, GENERATE, {"plant": "P1", "kind": "finished", **where})
    assert finished["batchNo"] == "F2611L3CO01"
    for given, kind, day, line in (
        (raw, "raw", "2026-11-25", None),
        (semi, "semiFinished", "2026-11-25", "L3"),
        (finished, "finished", "2026-11-01", "L3"),
    ):
        found = await parsed(company, given["batchNo"])
        assert (found["plant"], found["kind"], found["version"], found["given"]) == ("P1", kind, 1, True)
        assert found["parts"] == given["parts"]
        assert found["parts"] == {"date": day, "line": line, "process": line and "CO", "sequence": 1}
        assert found["givenBy"] == "pia"


@pytest.mark.accepts("D1", "A16")
async def test_many_at_once_of_three_kinds_are_unique(company: Company, engine: Engine) -> None:
    bodies = [
        {"plant": "P1", "kind": kind, "line": line, "process": "PR", "date": "2026-12-24"}
        for kind in ("raw", "semiFinished", "finished") for line in ("A1", "B2") for _ in range(20)
    ]  # fmt: skip
    answers = await asyncio.gather(*(post(company, GENERATE, body) for body in bodies))
    numbers = [answer["batchNo"] for answer in answers]
    assert len(set(numbers)) == len(bodies)
    raw = sorted(answer["parts"]["sequence"] for answer in answers if answer["kind"] == "raw")
    assert raw == list(range(1, 41))
    with engine.connect() as connection:
        audited = text(
            "SELECT count(*) FROM audit_row WHERE action = 'lotNumber.given' AND new ->> 'batchNo' = ANY(:n)"
        )
        assert connection.execute(audited, {"n": numbers}).scalar_one() == len(bodies)


async def test_the_same_command_gets_the_same_number(company: Company) -> None:
    body = {"plant": "P1", "kind": "raw", "date": "2026-01-02", "commandId": "number-1"}
    answers = await asyncio.gather(*(post(company, GENERATE, body) for _ in range(5)))
    assert {answer["batchNo"] for answer in answers} == {"R260102-0001"}
    other = await post(company, GENERATE, {**body, "date": "2026-01-03"}, 409)
    assert other["code"] == "COMMAND_ID_REUSED"
    free = [await post(company, GENERATE, {"pattern": "Q", "commandId": "number-2"}) for _ in range(2)]
    assert free[0] == free[1]
    assert (await post(company, GENERATE, {"pattern": "Z", "commandId": "number-2"}, 409))[
        "code"
    ] == "COMMAND_ID_REUSED"


@pytest.mark.accepts("D1")
@pytest.mark.usefixtures("working")
async def test_a_number_is_never_given_again(company: Company, engine: Engine, database: Database) -> None:
    """Not after a cancel, not when the series is lost, not when somebody took the number by hand."""
    body = {"plant": "P1", "kind": "raw", "date": "2026-02-02"}
    first = (await post(company, GENERATE, body))["batchNo"]
    order = await create(company, policy="swift", batchNumber=first)
    await do(company, "sam", f"/mes/orders/{order['id']}/cancel", reason="not wanted any more")
    await company.plan("PL-BY-HAND", batchNumber="R260202-0002")
    await do(company, "wil", "/wms/receipts", lot="R260202-0003", material="API", quantity="1", unit="kg")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM number_series")
    numbers = [(await post(company, GENERATE, body))["batchNo"] for _ in range(2)]
    assert numbers == ["R260202-0004", "R260202-0005"]
    with engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(text("DELETE FROM given_number"))
    with psycopg.connect(database.owner_url) as owner, pytest.raises(psycopg.Error, match="append-only"):
        owner.execute("DELETE FROM given_number")


@pytest.mark.accepts("PO-05", "A16")
@pytest.mark.usefixtures("working")
async def test_two_hundred_orders_at_once_are_two_hundred_batches_of_the_plants_pattern(
    company: Company, engine: Engine
) -> None:
    pattern = {"plant": "P6", "kind": "semiFinished", "pattern": "M{date:yyMMdd}-{line:1}-{seq:5}"}
    await post(company, "/master-data/import", {"numberPatterns": [pattern]}, who="pat")
    desk, prefix = await company.desk("pia"), uuid.uuid4().hex[:8]
    plan = [
        {"reference": f"PL-200-{n}", "orderNumber": f"PO-{prefix}-{n}", "product": "ROD", "quantity": "3",
         "unit": "pcs", "policy": "plain", "plant": "P6"}
        for n in range(200)
    ]  # fmt: skip
    lines = (await desk.post("/mes/plan-lines", plan)).json()

    async def ordered(line: dict[str, Any]) -> None:
        """Asked for until it is there: on a busy machine an answer is 503, which means to ask again."""
        while (answer := await desk.post(f"/mes/orders/from-plan/{line['id']}")).status_code != 200:
            assert answer.status_code == 503, answer.text

    await asyncio.gather(*(ordered(line) for line in lines))
    with engine.connect() as connection:
        statement = text("SELECT output_lot FROM work_order WHERE order_number LIKE :p")
        batches = list(connection.execute(statement, {"p": f"PO-{prefix}-%"}).scalars())
    assert (len(batches), len(set(batches))) == (200, 200)
    readings = [await parsed(company, batch) for batch in batches]
    assert {(own["plant"], own["version"], own["given"], own["parts"]["line"]) for own in readings} == {
        ("P6", 1, True, "A")
    }
    assert sorted(own["parts"]["sequence"] for own in readings) == list(range(1, 201))


@pytest.mark.accepts("PO-05")
@pytest.mark.usefixtures("working")
async def test_a_batch_number_of_a_cancelled_order_is_never_used_again(company: Company) -> None:
    order = await create(company, product="CART", policy="swift", batchNumber="ONCE-1", quantity="2")
    made = (await (await company.desk("pia")).get(f"/mes/orders/{order['id']}")).json()
    batches = {own["outputLot"] for own in made["workOrders"]}
    assert len(batches) == 3
    await do(company, "sam", f"/mes/orders/{order['id']}/cancel", reason="not wanted any more")
    body = {"product": "TAB", "quantity": "1", "unit": "pcs", "policy": "gmp", "plant": "demo"}
    for batch in sorted(batches):  # the product's and those of its sub-assemblies
        again = await post(
            company, "/mes/plan-lines", [{**body, "reference": f"PL-{batch}", "batchNumber": batch}], 409
        )
        assert [(own["code"], batch in own["found"]) for own in again["blockers"]] == [("BATCH_NO_USED", True)]
        receipt = {"commandId": f"in/{batch}", "lot": batch, "material": "API", "quantity": "1", "unit": "kg"}
        refused = await post(company, "/wms/receipts", receipt, 409, who="wil")
        assert [(own["code"], own["id"]) for own in refused["blockers"]] == [("BATCH_NO_USED", batch)]
    assert (await (await company.desk("wil")).get("/wms/lots/ONCE-1")).status_code == 404


async def test_missing_parts_are_named_all_at_once(company: Company) -> None:
    answer = await post(company, GENERATE, {"plant": "P1", "kind": "finished", "line": "l3"}, 422)
    assert answer["code"] == "PARTS_REFUSED"
    assert [blocker["found"].split(":")[0] for blocker in answer["blockers"]] == ["line", "process"]
    for body in ({}, {"kind": "raw"}, {"plant": "P1"}, {"pattern": "B", "kind": "raw", "plant": "P1"},
                 {"kind": "scrap", "plant": "P1"}, {"kind": "raw", "plant": "P1", "date": "2026-13-01"}):  # fmt: skip
        assert (await post(company, GENERATE, body, 422))["code"] == "INVALID_REQUEST"
    none = await post(company, GENERATE, {"plant": "P9", "kind": "raw"}, 409)
    assert (none["code"], none["blockers"][0]["whoCanFix"]) == ("NO_PATTERN", "processEngineer")


async def test_a_series_ends_with_its_digits(company: Company) -> None:
    small = {"plant": "P3", "kind": "raw", "pattern": "X{line:1}{seq:1}"}
    await post(company, "/master-data/import", {"numberPatterns": [small]}, who="pat")
    body = {"plant": "P3", "kind": "raw", "line": "A"}
    numbers = [(await post(company, GENERATE, body))["batchNo"] for _ in range(9)]
    assert numbers == [f"XA{count}" for count in range(1, 10)]
    assert (await post(company, GENERATE, body, 409))["code"] == "SERIES_EXHAUSTED"
    assert (await post(company, GENERATE, {**body, "line": "B"}))["batchNo"] == "XB1"


async def test_what_cannot_be_parsed_is_refused_clearly(company: Company) -> None:
    assert (await parsed(company, "NOTHING-LIKE-IT", 404))["code"] == "NO_PATTERN_MATCHES"
    assert (await parsed(company, "R261125-0001", 404, plant="P9"))["code"] == "NO_PATTERN_MATCHES"
    given = (await post(company, GENERATE, {"plant": "P1", "kind": "semiFinished", "line": "L", "process": "CO"}))[
        "batchNo"
    ]
    wrong = await parsed(company, given[:-1] + ("0" if given[-1] != "0" else "1"), 422)
    assert (wrong["code"], wrong["blockers"][0]["id"][:-1]) == ("NUMBER_WRONG", given[:-1])
    assert (await parsed(company, "R261399-0001", 422))["code"] == "NUMBER_WRONG"
    foreign = await parsed(company, "R250101-0001", 422)
    assert (foreign["code"], "P1, P2" in foreign["detail"]) == ("NUMBER_AMBIGUOUS", True)
    assert (await parsed(company, "R250101-0001", plant="P2"))["given"] is False
    assert (await parsed(company, "", 422))["code"] == "INVALID_REQUEST"


async def test_patterns_are_master_data_with_versions(company: Company, engine: Engine) -> None:
    async def refused(entry: dict[str, Any], code: str) -> list[dict[str, str]]:
        answer = await post(company, "/master-data/import", {"numberPatterns": [entry]}, 409, who="pat")
        assert answer["code"] == code
        blockers: list[dict[str, str]] = answer["blockers"]
        return blockers

    raw = PATTERNS[0]
    bad = await refused({**raw, "version": 2, "pattern": "R{line:1-2}{process:1-2} {seq}"}, "PATTERN_REFUSED")
    assert len(bad) == 3
    await refused({**raw, "pattern": "R{seq:6}"}, "VERSION_LOCKED")
    (shared,) = await refused({**raw, "version": 2, "pattern": "F{date:yyMM}{line:2}{seq:4}"}, "PATTERNS_OVERLAP")
    assert "could be of" in shared["found"]
    old = (await post(company, GENERATE, {"plant": "P1", "kind": "raw", "date": "2026-03-03"}))["batchNo"]
    newer = {**raw, "version": 2, "pattern": "R{date:yyMMdd}.{seq:3}"}
    await post(company, "/master-data/import", {"numberPatterns": [newer]}, who="pat")
    new = await post(company, GENERATE, {"plant": "P1", "kind": "raw", "date": "2026-03-03"})
    assert (new["batchNo"], new["version"]) == ("R260303.001", 2)
    assert (await parsed(company, old))["version"] == 1
    with engine.connect() as connection:
        rows = text("SELECT action FROM audit_row WHERE entity = 'number-pattern/P1/raw/2'")
        assert connection.execute(rows).scalars().all() == ["number-pattern.created"]


async def test_today_is_the_day_when_none_is_said(company: Company) -> None:
    given = await post(company, GENERATE, {"plant": "P2", "kind": "raw"})
    assert given["parts"]["date"] == datetime.now(UTC).date().isoformat()


@pytest.mark.accepts("D1")
@pytest.mark.usefixtures("working")
async def test_an_orders_lots_are_named_by_the_plant(company: Company) -> None:
    """The product and its sub-assemblies: date, and line and process of the operation that yields each lot."""
    patterns = [
        {"plant": "P4", "kind": "finished", "pattern": "C{date:yyMMdd}{line:1}{process:3}{seq:3}"},
        {"plant": "P4", "kind": "semiFinished", "pattern": "H{date:yyMMdd}-{line:1}-{process:3}-{seq:3}{check}"},
    ]
    await post(company, "/master-data/import", {"numberPatterns": patterns}, who="pat")
    line = await company.plan("PL-P4", product="CART", policy="plain", quantity="3", plant="P4")
    desk = await company.desk("pia")
    answers = await asyncio.gather(*(desk.post(f"/mes/orders/from-plan/{line['id']}") for _ in range(5)))
    assert len({answer.json()["id"] for answer in answers}) == 1, [answer.text for answer in answers]
    made = (await desk.get(f"/mes/orders/{answers[0].json()['id']}")).json()
    lots = {own["material"]: own["outputLot"] for own in made["workOrders"]}
    for material, kind, process in (("CART", "finished", "FIT"), ("AXLE", "semiFinished", "FIT"),
                                    ("ROD", "semiFinished", "CUT")):  # fmt: skip
        found = await parsed(company, lots[material])
        assert (found["plant"], found["kind"], found["given"]) == ("P4", kind, True)
        assert (found["parts"]["line"], found["parts"]["process"]) == ("A", process)
        assert found["parts"]["date"] == datetime.now(UTC).date().isoformat()
    needs = {line["material"]: line["fixedLots"] for own in made["workOrders"] for line in own["materials"]}
    assert (needs["AXLE"], needs["ROD"]) == ([lots["AXLE"]], [lots["ROD"]])
    narrow = {"plant": "P5", "kind": "finished", "pattern": "N{line:2}{process:2}{seq:4}"}
    await post(company, "/master-data/import", {"numberPatterns": [narrow]}, who="pat")
    line = await company.plan("PL-P5", product="CART", policy="plain", quantity="3", plant="P5")
    refused = await post(company, f"/mes/orders/from-plan/{line['id']}", {}, 409)
    assert [blocker["found"].split(":")[0] for blocker in refused["blockers"]] == ["line", "process"]
