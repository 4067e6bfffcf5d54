"""The finite schedule of a plant: fifty orders at two saws, one of which is down."""

import asyncio
import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.company import Company
from tests.api.words import create, do
from tests.figures import TIMED

pytestmark = pytest.mark.usefixtures("working")
ORDERS = 50
START = datetime.now(UTC)


@pytest.fixture(scope="module")
async def fifty(company: Company, working: None) -> dict[str, datetime]:
    """Fifty orders of pills, each five and a half hours at a saw: number → due date.

    Two saws make four of them in a day, weekends counted, one makes two; three and a half fall due in a day. The first
    is due after four days: no order is late for the day of the week on which the tests run.
    """
    imported = await (await company.desk("pat")).post("/master-data/import", TIMED)
    assert imported.status_code == 200, imported.text
    found: dict[str, datetime] = {}

    async def one(number: int) -> None:
        due = START + timedelta(days=4, hours=7 * (number * 7 % ORDERS))
        made = await create(company, product="PILL", policy="swift", quantity="9900000", dueAt=due.isoformat())
        found[made["number"]] = due

    for low in range(0, ORDERS, 10):
        await asyncio.gather(*(one(number) for number in range(low, low + 10)))
    return found


async def asked(company: Company, **query: Any) -> dict[str, Any]:
    answer = await (await company.desk("pia")).get("/mes/schedule", opens="06:00", closes="22:00", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def without_overlap(operations: list[dict[str, Any]]) -> None:
    by_station: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for own in operations:
        by_station[own["workstation"]].append((own["start"], own["end"]))
    for spans in by_station.values():
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(sorted(spans)))


@pytest.mark.accepts("A20")
async def test_fifty_orders_lie_in_due_date_order_and_a_saw_that_is_down_gives_its_work_away(
    company: Company, fifty: dict[str, datetime]
) -> None:
    found = await asked(company, weekdays="01234")
    operations = [own for own in found["operations"] if own["orderNumber"] in fifty]
    assert len(operations) == ORDERS
    assert {own["basis"] for own in operations} == {"cycleTime"}
    assert {own["workstation"] for own in operations} == {"SAW-1", "SAW-2"}
    without_overlap(found["operations"])
    starts = [own["start"] for own in sorted(operations, key=lambda own: fifty[own["orderNumber"]])]
    assert starts == sorted(starts)
    assert found["moved"] == []

    until = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    preview = await asked(company, weekdays="01234", down="SAW-2", downUntil=until)
    without_overlap(preview["operations"])
    assert {own["workstation"] for own in preview["operations"] if own["start"] < until[:10]} == {"SAW-1"}
    assert {move["from"]["workstation"] for move in preview["moved"]} >= {"SAW-2"}
    assert fifty.keys().isdisjoint(found["late"])
    assert not fifty.keys().isdisjoint(preview["late"])
    # Nothing was written: the schedule is the one before.
    again = await asked(company, weekdays="01234")
    assert [own["orderNumber"] for own in again["operations"]] == [own["orderNumber"] for own in found["operations"]]


async def test_a_broken_machine_is_down_without_anybody_asking_and_nonsense_is_refused(
    company: Company, fifty: dict[str, datetime]
) -> None:
    await do(company, "pat", "/equipment-classes", code="SAWS", name="Saw")
    await do(company, "pat", "/equipment", code="SAW-1-M", name="Saw", equipmentClass="SAWS", line="A",
             workstation="SAW-1")  # fmt: skip
    await do(company, "max", "/equipment/SAW-1-M/qualify")
    await do(company, "olu", "/equipment/SAW-1-M/report-fault", reason="the blade is broken")
    tomorrow = (datetime.now(UTC) + timedelta(hours=23)).isoformat()
    found = await asked(company)
    assert not [own for own in found["operations"] if own["workstation"] == "SAW-1" and own["start"] < tomorrow]
    desk = await company.desk("pia")
    past = await desk.get("/mes/schedule", down="SAW-2", downUntil="2020-01-01T00:00:00Z")
    assert (past.status_code, past.json()["fields"][0]["field"]) == (422, "query.downUntil")
    assert (await desk.get("/mes/schedule", weekdays="789")).status_code == 422
