"""Lots fall due for retest and expire by themselves, on the plant's clock. Time is skipped, not waited for (MT-10)."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from adapters.inventory.port import MaterialNeed
from adapters.quality.lot_dates import PostgresLotDates
from adapters.quality.postgres import PostgresQuality
from domain.commands import Measurement
from domain.errors import AdapterRefused
from settings import Settings
from tests.conftest import Database
from tests.plant import Plant
from tests.workflows.clock import skipping
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.runtime import tell_clock

__all__ = ["skipping"]
SHANGHAI = "Asia/Shanghai"


@pytest.fixture(scope="module")
async def dated_plant(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> Plant:
    settings = Settings(
        database_url=database.app_url, database_owner_url="", temporal_address="", time_zone=SHANGHAI
    )  # fmt: skip
    plant = Plant(skipping.client, engine, settings, task_queue="lot-dates")
    await asyncio.to_thread(plant.set_up)
    await asyncio.to_thread(
        plant.rows, "INSERT INTO inspection_plan VALUES ('API', 'water', 1, '%', 0, 1, true) RETURNING 1"
    )
    return plant


def clock_of(plant: Plant) -> WorkflowHandle[object, object]:
    return plant.client.get_workflow_handle(EquipmentClockWorkflow.workflow_id(plant.task_queue))


def received(plant: Plant, lot: str, *, retest_on: date | None = None, expires_on: date | None = None) -> None:
    """A released lot with dates."""
    plant.inventory.receive(
        lot, "API", Decimal(10), "kg", expires_on=expires_on, retest_on=retest_on, key=f"in/{lot}", actor="wil"
    )
    plant.inventory.release_to_stock("receipt", lot, "RAW", key=f"release/{lot}", actor="ana")


def status(plant: Plant, lot: str) -> str:
    return str(plant.rows("SELECT status FROM lot WHERE number = :l", l=lot)[0][0])


async def until(plant: Plant, lot: str, wanted: str) -> None:
    for _ in range(500):
        if await asyncio.to_thread(status, plant, lot) == wanted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{lot} is {status(plant, lot)}, not {wanted}")


@pytest.mark.accepts("MT-10")
async def test_a_lot_falls_due_for_retest_by_itself_with_an_inspection_and_expires(
    skipping: WorkflowEnvironment, dated_plant: Plant
) -> None:
    plant, today = dated_plant, datetime.now(ZoneInfo(SHANGHAI)).date()
    with skipping.with_time_skipping_disabled():
        async with plant.working():
            dates = {"retest_on": today + timedelta(days=3), "expires_on": today + timedelta(days=20)}
            await asyncio.to_thread(lambda: received(plant, "API-RT", **dates))
            await asyncio.to_thread(lambda: received(plant, "API-EX", expires_on=today + timedelta(days=8)))
            await asyncio.to_thread(lambda: received(plant, "API-NEVER"))
            await tell_clock(plant.client, EquipmentClockWorkflow, plant.task_queue)
    # The worker is gone, and another one takes over: the timer is the server's.
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(days=1))
        assert await asyncio.to_thread(status, plant, "API-RT") == "released"
        await skipping.fast_forward(clock_of(plant), timedelta(days=3))
        await until(plant, "API-RT", "retestDue")
    inspections = plant.rows("SELECT number, state FROM inspection WHERE lot = 'API-RT'")
    assert [tuple(row) for row in inspections] == [("API-RT-I1", "created")]
    assert (await asyncio.to_thread(status, plant, "API-EX")) == "released"
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(days=6))
        await until(plant, "API-EX", "expired")
    moved = plant.rows("SELECT actor, event FROM state_transition WHERE entity_id IN ('API-RT', 'API-EX') ORDER BY id")
    assert [tuple(row) for row in moved] == [("system", "fallDueForRetest"), ("system", "expire")]

    await asyncio.to_thread(_passes_its_retest, plant, today + timedelta(days=15))
    assert len(plant.rows("SELECT 1 FROM inspection WHERE lot = 'API-RT'")) == 1
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(days=7))
        await until(plant, "API-RT", "retestDue")
        await skipping.fast_forward(clock_of(plant), timedelta(days=7))
        await until(plant, "API-RT", "expired")
    assert len(plant.rows("SELECT 1 FROM inspection WHERE lot = 'API-RT'")) == 2
    assert await asyncio.to_thread(status, plant, "API-NEVER") == "released"


def _passes_its_retest(plant: Plant, again_on: date) -> None:
    quality = PostgresQuality(plant.engine)
    values = [Measurement(name="water", text="0.4", unit="%")]
    quality.enter_results("API-RT-I1", values, key="rt/results", actor="ana")
    quality.decide("API-RT-I1", True, key="rt/decide", actor="ben", retest_on=again_on)
    assert status(plant, "API-RT") == "released"


@pytest.mark.accepts("MT-10", "MT-01")
async def test_the_day_begins_where_the_plant_is_and_a_lot_that_is_due_is_refused_without_the_clock(
    dated_plant: Plant,
) -> None:
    """16:00 UTC is midnight in Shanghai: the last second of the day of expiry, and the first one of the next."""
    plant = dated_plant
    await asyncio.to_thread(lambda: received(plant, "API-MID", expires_on=date(2031, 3, 9)))
    await asyncio.to_thread(lambda: received(plant, "API-RET", retest_on=date(2031, 3, 10)))
    dates = PostgresLotDates(plant.engine, ZoneInfo(SHANGHAI))
    last = datetime(2031, 3, 9, 15, 59, 59, tzinfo=UTC)
    following = await asyncio.to_thread(dates.expire, last)
    assert following == last + timedelta(seconds=1)
    assert (status(plant, "API-MID"), status(plant, "API-RET")) == ("released", "released")
    await asyncio.to_thread(dates.expire, last + timedelta(seconds=1))
    assert (status(plant, "API-MID"), status(plant, "API-RET")) == ("expired", "retestDue")
    await asyncio.to_thread(dates.expire, last + timedelta(seconds=2))  # once more: nothing happens twice
    assert len(plant.rows("SELECT 1 FROM state_transition WHERE entity_id IN ('API-MID', 'API-RET')")) == 2
    assert len(plant.rows("SELECT 1 FROM inspection WHERE lot = 'API-RET'")) == 1


async def test_a_lot_past_its_retest_is_not_picked_even_before_the_clock_has_looked(dated_plant: Plant) -> None:
    plant, today = dated_plant, datetime.now(UTC).date()
    await asyncio.to_thread(lambda: received(plant, "API-LATE", retest_on=today - timedelta(days=2)))
    need = MaterialNeed(line=1, material="API", quantity=Decimal(1), unit="kg", fixed_lots=("API-LATE",))
    answer = await asyncio.to_thread(plant.inventory.allocate, "WO-LATE", [need], key="late", actor="wil")
    assert [line.held for line in answer.short] == [10]
    assert not answer.allocations
    with pytest.raises(AdapterRefused) as refusal:
        await asyncio.to_thread(plant.inventory.issue, "WO-LATE", key="late/issue", actor="wil")
    assert refusal.value.code == "NOTHING_RESERVED"
