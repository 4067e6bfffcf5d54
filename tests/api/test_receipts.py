"""Goods receipts that come without a lot number get one of the plant's."""

import asyncio
from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import Engine, text

from api.lot_numbers import newest
from tests.api.company import Company
from tests.api.words import do

RECEIPTS, PARSE, IMPORT = "/wms/receipts", "/mes/traceabilities/parse-batch-no", "/master-data/import"
API = {"material": "API", "quantity": "12.500", "unit": "kg", "supplier": "Alkem"}
RAW = {"plant": "P1", "kind": "raw", "pattern": "R{date:yyMMdd}-{seq:4}"}


async def receive(company: Company, key: str, status: int = 200, **body: Any) -> dict[str, Any]:
    """A delivery to Wil, with the status that its answer has to have."""
    answer = await (await company.desk("wil")).command(RECEIPTS, commandId=key, **{**API, **body})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def import_patterns(company: Company, *patterns: dict[str, Any]) -> None:
    """Master data of lot numbers."""
    answer = await (await company.desk("pat")).post(IMPORT, {"numberPatterns": list(patterns)})
    assert answer.status_code == 200, answer.text


def rows(engine: Engine, statement: str) -> list[Any]:
    """What the record says."""
    with engine.connect() as connection:
        return list(connection.execute(text(statement)))


def given(engine: Engine) -> list[str]:
    """All lot numbers that were ever given."""
    return [row.number for row in rows(engine, "SELECT number FROM given_number ORDER BY number")]


async def test_without_any_pattern_the_number_has_to_come_with_the_delivery(company: Company) -> None:
    refused = await receive(company, "r/none", 409)
    assert (refused["code"], refused["blockers"][0]["whoCanFix"]) == ("NO_PATTERN", "processEngineer")
    assert "lotNumber" not in await receive(company, "r/none", lot="ALK-77")


@pytest.mark.accepts("D1")
async def test_a_delivery_gets_the_plants_number_and_the_number_is_parsed_back(
    company: Company, engine: Engine
) -> None:
    await import_patterns(company, RAW)
    received = await receive(company, "r/first")
    (when,) = rows(engine, "SELECT given_at FROM given_number")
    today = when.given_at.astimezone(UTC).date()
    assert received["lot"] == received["lotNumber"]["batchNo"] == f"R{today:%y%m%d}-0001"
    inspections = (await (await company.desk("ana")).get("/quality/inspections", lot=received["lot"])).json()
    assert [own["number"] for own in inspections["inspections"]] == [received["inspection"]["number"]]
    found = (await (await company.desk("olu")).get(PARSE, number=received["lot"])).json()
    assert (found["plant"], found["kind"], found["given"], found["givenBy"]) == ("P1", "raw", True, "wil")
    assert found["parts"] == received["lotNumber"]["parts"]
    assert found["parts"] == {"date": today.isoformat(), "line": None, "process": None, "sequence": 1}
    lot = (await (await company.desk("wil")).get(f"/wms/lots/{received['lot']}")).json()
    assert (lot["material"], lot["status"], lot["stock"][0]["onHand"]) == ("API", "quarantine", "12.500")
    audited = rows(engine, "SELECT action, actor FROM audit_row WHERE command_id = 'r/first' ORDER BY seq")
    assert [tuple(row) for row in audited] == [("lotNumber.given", "wil"), ("lot.received", "wil")]


@pytest.mark.accepts("PO-10")
async def test_the_same_command_gets_the_same_lot_once(company: Company, engine: Engine) -> None:
    before = given(engine)
    answers = await asyncio.gather(*(receive(company, "r/again") for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert [*before, answers[0]["lot"]] == given(engine)
    moves = rows(engine, f"SELECT quantity FROM stock_move WHERE lot = '{answers[0]['lot']}'")
    assert [str(row.quantity) for row in moves] == ["12.500"]
    # Another plant gets a pattern and this one a newer version: what was answered stays.
    await import_patterns(company, {**RAW, "plant": "P2"}, {**RAW, "version": 2, "pattern": "Q{seq:6}"})
    assert await receive(company, "r/again") == answers[0]


@pytest.mark.accepts("PO-10")
async def test_a_command_id_is_for_one_delivery(company: Company, engine: Engine) -> None:
    own = await receive(company, "r/own", lot="ALK-78")
    numbered = await receive(company, "r/numbered", plant="P1")
    before = given(engine)
    for key, body in (
        ("r/own", {"plant": "P1"}),
        ("r/numbered", {"plant": "P1", "lot": "ALK-79"}),
        ("r/numbered", {"plant": "P1", "quantity": "13"}),
        ("r/numbered", {"plant": "P2"}),
    ):
        assert (await receive(company, key, 409, **body))["code"] == "COMMAND_ID_REUSED"
    assert given(engine) == before
    assert await receive(company, "r/own", lot="ALK-78") == own
    assert await receive(company, "r/numbered", plant="P1") == numbered


@pytest.mark.accepts("D1")
async def test_a_refused_delivery_takes_no_number(company: Company, engine: Engine) -> None:
    await import_patterns(company, {"plant": "P3", "kind": "raw", "pattern": "N{line:2}-{process:2}-{seq:4}"})
    before = given(engine)
    several = await receive(company, "r/no", 422)
    assert (several["code"], several["detail"]) == ("PLANT_NEEDED", "patterns of P1, P2, P3: name the plant")
    assert (await receive(company, "r/no", 409, plant="P9"))["code"] == "NO_PATTERN"
    parts = await receive(company, "r/no", 422, plant="P3", line="x")
    assert [blocker["found"].split(":")[0] for blocker in parts["blockers"]] == ["line", "process"]
    for code, body in (
        ("UNKNOWN_MATERIAL", {"material": "SAND"}),
        ("UNIT_MISMATCH", {"unit": "g"}),
        ("UNKNOWN_PLACE", {"place": "NOWHERE"}),
        ("ZONE_MISMATCH", {"place": "FINISHED"}),
    ):
        assert (await receive(company, "r/no", 409, plant="P2", **body))["code"] == code
    assert given(engine) == before
    # Nothing was taken under the id either: corrected, it is taken.
    taken = await receive(company, "r/no", plant="P3", line="D1", process="RC")
    assert taken["lot"] == "ND1-RC-0001"
    assert taken["lotNumber"]["parts"] == {"date": None, "line": "D1", "process": "RC", "sequence": 1}


@pytest.mark.accepts("D1", "A16")
async def test_many_deliveries_at_once_are_many_lots(company: Company, engine: Engine) -> None:
    first = await receive(company, "r/many", plant="P1")
    answers = await asyncio.gather(*(receive(company, f"r/many/{i}", plant="P1") for i in range(40)))
    numbers = {answer["lot"] for answer in answers}
    assert len(numbers) == 40
    with engine.connect() as connection:
        assert {answer["lotNumber"]["version"] for answer in answers} == {newest(connection, "P1", "raw").version}
    last = first["lotNumber"]["parts"]["sequence"]
    found = sorted(answer["lotNumber"]["parts"]["sequence"] for answer in answers)
    assert found == list(range(last + 1, last + 41))


async def test_a_number_that_somebody_took_by_hand_is_left_out(company: Company) -> None:
    await import_patterns(company, {"plant": "P4", "kind": "raw", "pattern": "H{seq:6}"})
    await do(company, "wil", RECEIPTS, lot="H000001", **API)
    assert (await receive(company, "r/hand", plant="P4"))["lot"] == "H000002"
