"""The contract: one key, one job, whatever is sent how often."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from adapters.equipment.opcua import OpcUaEndpoint
from adapters.equipment.opcua_names import TAGS
from adapters.equipment.port import AdapterRefused, Equipment, JobState, Refusal
from adapters.equipment.press_series import TAGS as UNITS
from domain.machine_states import MachineState, StateProfile, may_follow, number_of, state_of
from tests.contracts.equipment.conftest import Look
from tests.contracts.equipment.support import (
    LONG,
    SHORT_GOOD,
    SHORT_ROWS,
    SHORT_WASTE,
    PressProcess,
    answered,
    spec,
    until,
)


async def refused(call: Awaitable[object]) -> str:
    with pytest.raises(AdapterRefused) as no:
        await call
    return no.value.code


async def test_the_driver_is_an_equipment(press: Equipment) -> None:
    equipment: Equipment = press
    assert equipment.capabilities


async def test_a_job_nobody_loaded_is_not_found(press: Equipment) -> None:
    assert await press.get_job("never heard of") is None
    assert await refused(press.start_job("never heard of")) == Refusal.UNKNOWN_JOB
    assert await refused(press.readings("never heard of", 0)) == Refusal.UNKNOWN_JOB


async def test_the_same_key_twice_is_one_job(press: Equipment, look: Look) -> None:
    job, starts = spec(), await look("Starts")
    assert await press.load_job(job) == await press.load_job(job)
    first = await press.start_job(job.job_id)
    again = await press.start_job(job.job_id)
    assert (first.state, again.started_at) == (JobState.RUNNING, first.started_at)
    assert await look("Starts") == int(str(starts)) + 1
    assert (await press.load_job(job)).state is JobState.RUNNING


async def test_eight_at_once_are_one_start(
    press: Equipment, press_process: PressProcess, look: Look, driver: Callable[[OpcUaEndpoint], Equipment]
) -> None:
    job, starts = spec(), await look("Starts")
    other = driver(press_process.endpoint())
    await answered(other)
    try:

        async def load_and_start(own: Equipment) -> object:
            await own.load_job(job)
            return (await own.start_job(job.job_id)).started_at

        began = await asyncio.gather(*(load_and_start(own) for own in [press, other] * 4))
    finally:
        await other.close()
    assert len(set(began)) == 1
    assert await look("Starts") == int(str(starts)) + 1


@pytest.mark.parametrize("change", [{"target_quantity": Decimal(1)}, {"batch": LONG}, {"parameters": {}}])
async def test_other_content_under_a_used_key_is_refused(press: Equipment, change: dict[str, Any]) -> None:
    job = spec()
    before = await press.load_job(job)
    assert await refused(press.load_job(spec(job_id=job.job_id, **change))) == Refusal.JOB_ID_TAKEN
    assert await press.get_job(job.job_id) == before


async def test_an_unknown_batch_is_refused_and_leaves_nothing(press: Equipment) -> None:
    job = spec(batch="7777")
    assert await refused(press.load_job(job)) == Refusal.UNKNOWN_BATCH
    assert await press.get_job(job.job_id) is None


async def test_a_second_job_waits_until_the_press_is_free(press: Equipment) -> None:
    first, second = spec(), spec(LONG)
    for job in (first, second):
        await press.load_job(job)
    await press.start_job(first.job_id)
    assert await refused(press.start_job(second.job_id)) == Refusal.MACHINE_BUSY
    await press.abort_job(first.job_id)
    assert (await press.start_job(second.job_id)).state is JobState.RUNNING


async def test_a_run_counts_what_was_recorded_and_keeps_every_reading(press: Equipment) -> None:
    job = spec()
    await press.load_job(job)
    await press.start_job(job.job_id)
    end = await until(press, job.job_id, JobState.ENDED)
    assert (int(end.good), int(end.waste), end.last_sequence) == (SHORT_GOOD, SHORT_WASTE, SHORT_ROWS)
    assert end.started_at is not None
    assert end.ended_at is not None
    readings = await press.readings(job.job_id, 0)
    assert [reading.sequence for reading in readings] == list(range(1, SHORT_ROWS + 1))
    assert all((b.source_time - a.source_time).total_seconds() == 0.05 for a, b in pairwise(readings))
    assert (readings[0].source_time, readings[-1].source_time) == (end.started_at, end.ended_at)
    assert readings[5].recorded_at == "2018-11-18 00:00:50"
    assert set(readings[5].values) == set(UNITS)
    assert str(readings[5].values["main_comp"]) == "5.9"
    assert [r.sequence for r in await press.readings(job.job_id, SHORT_ROWS - 2)] == [SHORT_ROWS - 1, SHORT_ROWS]
    assert (await press.start_job(job.job_id)).state is JobState.ENDED
    assert (await press.abort_job(job.job_id)).state is JobState.ENDED


async def test_pause_holds_the_press_and_resume_goes_on(press: Equipment, look: Look) -> None:
    job = spec(LONG)
    await press.load_job(job)
    assert await refused(press.pause_job(job.job_id)) == Refusal.NOT_RUNNING
    await press.start_job(job.job_id)
    held = await press.pause_job(job.job_id)
    await asyncio.sleep(0.3)
    assert await press.pause_job(job.job_id) == held
    assert await look("MachineState") == number_of(StateProfile.OPC_30050, MachineState.HELD)
    on = await press.resume_job(job.job_id)
    assert (on.state, (await press.resume_job(job.job_id)).state) == (JobState.RUNNING, JobState.RUNNING)


async def test_abort_ends_a_job_for_good(press: Equipment) -> None:
    job = spec(LONG)
    await press.load_job(job)
    await press.start_job(job.job_id)
    gone = await press.abort_job(job.job_id)
    assert gone.state is JobState.ABORTED
    assert await press.abort_job(job.job_id) == gone
    for verb in (press.start_job, press.pause_job, press.resume_job):
        assert await refused(verb(job.job_id)) in {Refusal.JOB_ABORTED, Refusal.NOT_RUNNING, Refusal.NOT_PAUSED}


async def test_an_abort_that_overtakes_the_load_wins(press: Equipment) -> None:
    job = spec()
    assert (await press.abort_job(job.job_id)).state is JobState.ABORTED
    assert await refused(press.load_job(job)) == Refusal.JOB_ABORTED


async def test_tags_have_values_and_units(press: Equipment, look: Look) -> None:
    job = spec(LONG)
    await press.load_job(job)
    await press.start_job(job.job_id)
    await asyncio.sleep(0.5)
    assert await look("tbl_speed", TAGS) == 120.0
    assert await look("MachineState") == number_of(StateProfile.OPC_30050, MachineState.EXECUTE)
    assert await look("JobId") == job.job_id
    for tag, unit in UNITS.items():
        assert getattr(await look(f"{tag}.Unit", TAGS), "DisplayName").Text == unit  # noqa: B009


@pytest.mark.accepts("EQ-09")
async def test_the_machine_tells_every_change_of_its_state(press: Equipment) -> None:
    job = spec(LONG)
    await press.load_job(job)
    await press.start_job(job.job_id)
    await asyncio.sleep(0.3)  # its recording begins with a row in which it stands
    await press.pause_job(job.job_id)
    await press.resume_job(job.job_id)
    await press.abort_job(job.job_id)
    found = await press.machine_states("", 0)
    states = [state_of(own.profile, own.number) for own in found]
    assert states[-16:] == [
        MachineState.STARTING, MachineState.EXECUTE, MachineState.SUSPENDING, MachineState.SUSPENDED,
        MachineState.UNSUSPENDING, MachineState.EXECUTE, MachineState.HOLDING, MachineState.HELD,
        MachineState.UNHOLDING, MachineState.EXECUTE, MachineState.ABORTING, MachineState.ABORTED,
        MachineState.CLEARING, MachineState.STOPPED, MachineState.RESETTING, MachineState.IDLE,
    ]  # fmt: skip
    assert all(a and b and may_follow(a, b) for a, b in pairwise(states))
    assert [own.sequence for own in found] == list(range(1, len(found) + 1))
    assert [own.sequence for own in await press.machine_states(found[0].journal, len(found) - 2)] == [
        len(found) - 1, len(found),
    ]  # fmt: skip
    assert await press.machine_states("the journal before the fire", 10_000) == found
