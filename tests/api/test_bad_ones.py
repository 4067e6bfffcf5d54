"""Which machine and which shift made the bad ones: over the API, against a count of its own from the bare rows."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.words import do
from tests.figures import a_bad_night

pytestmark = pytest.mark.usefixtures("working")
DAYS = {"since": "2026-11-20", "until": "2026-11-21", "shifts": "06:00,18:00"}


@pytest.fixture(scope="module")
async def night(company: Company, working: None) -> str:
    """The work order that was made by day and by night."""
    return (await a_bad_night(company))[1]


async def asked(company: Company, who: str = "max", **query: Any) -> dict[str, Any]:
    answer = await (await company.desk(who)).get("/quality/bad-ones", **DAYS | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.accepts("D6")
async def test_the_machine_and_the_shift_that_made_the_bad_ones_are_named_with_counts_and_chance(
    company: Company, engine: Engine, night: str
) -> None:
    found = await asked(company)
    first, *others = found["groups"]
    assert (first["workstation"], first["shift"], first["verdict"]) == ("SAW-2", "18:00–06:00", "standsOut")
    assert (first["bad"], first["made"], first["batches"]) == (20, 200, 1)
    assert first["times"] == pytest.approx((20 / 200) / (10 / 600))
    assert first["probability"] < 0.001
    assert {own["verdict"] for own in others} == {"chance"}
    with engine.connect() as connection:
        bare = (
            "SELECT sum(scrap), sum(good + scrap) FROM production_report WHERE operation = 'PRESS' AND ended_at < :end"
        )
        bad, made = connection.execute(text(bare), {"end": "2026-11-21"}).one()
    assert (found["bad"], found["made"]) == (bad, made) == (30, 800)
    by_machine = await asked(company, by="machine")
    assert [(own["workstation"], own["shift"], own["bad"]) for own in by_machine["groups"]] == [
        ("SAW-2", "", 23), ("SAW-1", "", 7),
    ]  # fmt: skip
    by_shift = await asked(company, by="shift")
    assert [(own["shift"], own["bad"]) for own in by_shift["groups"]] == [("18:00–06:00", 24), ("06:00–18:00", 6)]


async def test_what_is_taken_back_counts_where_it_was_and_batches_count_by_their_deviations(
    company: Company, night: str
) -> None:
    body = {"workOrderId": night, "operation": "PRESS", "good": "10", "scrap": "40", "scrapReason": "dust",
            "workstation": "SAW-1", "endedAt": "2026-11-20T09:40:00+08:00"}  # fmt: skip
    made = await do(company, "olu", "/mes/production-reports/report", **body)
    assert (await asked(company, by="machine"))["groups"][0]["workstation"] == "SAW-1"
    number = made["result"]["reportNumber"]
    await do(company, "olu", "/mes/production-reports/reverse", reportNumber=number, reason="counted twice")
    assert (await asked(company, by="machine"))["groups"][0]["bad"] == 23
    batches = await asked(company, of="batches", since="2026-01-01", until="2026-12-31", operation="MIX")
    assert [(own["workstation"], own["bad"], own["made"]) for own in batches["groups"]] == [("BENCH", 0, 1)]
    assert batches["probability"] == 1


async def test_what_there_is_nothing_of_has_no_answer_and_what_is_nonsense_is_refused(company: Company) -> None:
    empty = await asked(company, since="2001-01-01", until="2001-01-02")
    assert (empty["groups"], empty["probability"], empty["made"]) == ([], None, 0)
    refused = await (await company.desk("max")).get("/quality/bad-ones", of="kilograms")
    assert refused.status_code == 422
