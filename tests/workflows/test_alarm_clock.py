"""Alarms that nobody acknowledges escalate by themselves, also after a restart. Time is skipped, not waited for."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from db.queries import alarms
from db.queries.alarms import raise_alarm_once
from settings import Settings
from tests.conftest import Database
from tests.plant import Plant, pauses
from tests.workflows.clock import skipping
from workflows import alarm_clock
from workflows.runtime import start_alarm_clock

__all__ = ["skipping"]


@pytest.fixture(scope="module")
async def patient_plant(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> Plant:
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    return Plant(skipping.client, engine, settings, task_queue="alarms")


def clock_of(plant: Plant) -> WorkflowHandle[Any, Any]:
    return plant.client.get_workflow_handle(alarm_clock.workflow_id(plant.task_queue))


def raised(plant: Plant, code: str, seconds: int) -> int:
    """An alarm whose rule lets it escalate after so many seconds."""
    with plant.engine.begin() as connection:
        values = {"code": code, "name": code, "topic": None, "severity": "critical", "escalate_seconds": seconds,
                  "is_active": True, "set_by": "pat", "set_at": datetime.now(UTC)}  # fmt: skip
        alarms.set_rule(connection, values)
        raise_alarm_once(connection, code, "the press is on fire", datetime.now(UTC), code)
        return int(connection.execute(text("SELECT id FROM alarm WHERE key = :k"), {"k": code}).scalar_one())


def of(plant: Plant, alarm: int) -> Any:
    return plant.rows("SELECT * FROM alarm WHERE id = :i", i=alarm)[0]


async def until_escalated(plant: Plant, alarm: int, times: int) -> None:
    for pause in pauses(60):
        if of(plant, alarm).escalations == times:
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"escalated {of(plant, alarm).escalations} times, not {times}")


@pytest.mark.accepts("C6")
async def test_an_alarm_that_nobody_acknowledges_escalates_and_one_that_is_seen_does_not(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    plant = patient_plant
    with skipping.with_time_skipping_disabled():
        loud, seen, silent = raised(plant, "LOUD", 600), raised(plant, "SEEN", 600), raised(plant, "SILENT", 0)
        async with plant.working():
            await start_alarm_clock(plant.client, plant.task_queue)
            await start_alarm_clock(plant.client, plant.task_queue)
            with plant.engine.begin() as connection:
                alarms.acknowledge(connection, seen, "mia", datetime.now(UTC), None)
    assert of(plant, loud).severity == "critical"
    # The worker is gone, and another one takes over: the timer is the server's.
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(minutes=11))
        await until_escalated(plant, loud, 1)
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(minutes=31))
        await until_escalated(plant, loud, alarms.MOST_ESCALATIONS)
        await skipping.fast_forward(clock_of(plant), timedelta(hours=2))
    assert (of(plant, seen).escalations, of(plant, silent).escalations) == (0, 0)
    rows = plant.rows("SELECT entity, new FROM audit_row WHERE action = 'alarm.escalated' ORDER BY seq")
    assert [(row.entity, row.new["escalations"]) for row in rows] == [(f"alarm/{loud}", n) for n in (1, 2, 3)]


@pytest.mark.accepts("C6")
def test_the_same_moment_asked_twice_escalates_once(patient_plant: Plant) -> None:
    alarm = raised(patient_plant, "TWICE", 60)
    at = datetime.now(UTC) + timedelta(seconds=61)
    for _ in range(2):  # the activity was killed between commit and answer, and runs again
        with patient_plant.engine.begin() as connection:
            following = alarms.escalate(connection, at)
    assert of(patient_plant, alarm).escalations == 1
    assert following is not None
