"""Clean and dirty hold times, calibration and qualification end by themselves. Time is skipped, not waited for."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain import equipment_acts as acts
from domain.equipment import CleaningLevel
from settings import Settings
from tests.conftest import Database
from tests.line import Line
from tests.plant import Plant
from tests.workflows.clock import skipping
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.runtime import tell_clock

__all__ = ["skipping"]
HOUR, DAY = 3600, 24 * 3600


@pytest.fixture(scope="module")
async def patient_plant(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> Plant:
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    plant = Plant(skipping.client, engine, settings, task_queue="hold-times")
    await asyncio.to_thread(plant.set_up)
    return plant


def clock_of(plant: Plant) -> WorkflowHandle[object, object]:
    return plant.client.get_workflow_handle(EquipmentClockWorkflow.workflow_id(plant.task_queue))


async def until(line: Line, axis: str, state: str) -> None:
    for _ in range(500):
        if str(getattr(await asyncio.to_thread(line.item), axis)) == state:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{axis} is {getattr(line.item(), axis)}, not {state}")


@pytest.mark.accepts("EQ-03")
async def test_holds_and_dates_end_by_themselves_and_survive_a_restart(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    plant = patient_plant
    line = await asyncio.to_thread(
        lambda: Line(
            plant.engine, clean_hold_seconds=2 * DAY, dirty_hold_seconds=4 * DAY, calibration_warning_seconds=DAY
        )
    )
    with skipping.with_time_skipping_disabled():
        async with plant.working():
            await asyncio.to_thread(lambda: line.qualified().calibrated(line.clock() + timedelta(days=5)).cleaned())
            await asyncio.to_thread(line.do, acts.Qualify(valid_until=line.clock() + timedelta(days=9)), "max")
            await tell_clock(plant.client, EquipmentClockWorkflow, plant.task_queue)
    # The worker is gone, and another one takes over: the timer is the server's.
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(days=2, hours=1))
        await until(line, "cleaning", "cleanExpired")
        assert str(line.item().calibration) == "calibrated"
        await skipping.fast_forward(clock_of(plant), timedelta(days=2))
        await until(line, "calibration", "dueSoon")
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(days=1))
        await until(line, "calibration", "overdue")
        assert str(line.item().qualification) == "qualified"
        await skipping.fast_forward(clock_of(plant), timedelta(days=5))
        await until(line, "qualification", "requalificationDue")
    rows = plant.rows("SELECT entity, new FROM audit_row WHERE action = 'equipment.expired' ORDER BY seq")
    assert [row.new for row in rows if row.entity == f"equipment/{line.press}"] == [
        {"cleaning": "cleanExpired"},
        {"calibration": "dueSoon"},
        {"calibration": "overdue"},
        {"qualification": "requalificationDue"},
    ]


@pytest.mark.accepts("EQ-03")
async def test_dirt_that_waits_too_long_opens_a_deviation_once(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    plant = patient_plant
    line = await asyncio.to_thread(lambda: Line(plant.engine, dirty_hold_seconds=8 * HOUR))
    with skipping.with_time_skipping_disabled():
        async with plant.working():
            await asyncio.to_thread(line.do, acts.StartCleaning(level=CleaningLevel.FULL), "olu")
            await asyncio.to_thread(line.do, acts.VerifyCleaning(accept=False), "ole", "", "residue at the hopper")
            await tell_clock(plant.client, EquipmentClockWorkflow, plant.task_queue)
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(hours=9))
        await until(line, "cleaning", "dirtyHoldExceeded")
        await skipping.fast_forward(clock_of(plant), timedelta(days=1))
    rows = plant.rows("SELECT code, state, opened_by FROM deviation WHERE number LIKE :n", n=f"{line.press}-ED%")
    assert [tuple(row) for row in rows] == [("DIRTY_HOLD_EXCEEDED", "open", "system")]
    await asyncio.to_thread(line.cleaned)
    assert str(line.item().cleaning) == "clean"
