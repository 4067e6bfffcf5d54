"""The contract when the line or the machine fails: nothing twice, nothing lost."""

import asyncio
import signal
from collections.abc import Callable

import pytest

from adapters.equipment.opcua import OpcUaEndpoint
from adapters.equipment.port import AdapterUnknown, AdapterUnreachable, Equipment, JobState, Reading
from tests.contracts.equipment.support import LONG, LONG_ROWS, PressProcess, answered, spec, until

Driver = Callable[[OpcUaEndpoint], Equipment]


async def test_a_press_killed_in_the_middle_of_a_job_goes_on_without_gap_or_double(
    press_process: PressProcess, driver: Driver
) -> None:
    press = driver(press_process.endpoint(call_timeout=1.0))
    await answered(press)
    job = spec(LONG)
    await press.load_job(job)
    started = await press.start_job(job.job_id)
    await asyncio.sleep(0.5)
    collected: list[Reading] = list(await press.readings(job.job_id, 0))
    assert 0 < len(collected) < LONG_ROWS
    press_process.send(signal.SIGKILL)
    clock = asyncio.get_running_loop().time
    began = clock()
    for _ in range(3):  # at once, one after the other: a caller in a hurry must not starve the supervisor
        with pytest.raises(AdapterUnreachable):
            await press.get_job(job.job_id)
    assert clock() - began > 1.0, "only the first may fail at once, the others wait for a connection"
    await press_process.kill()
    with pytest.raises(AdapterUnreachable):
        await press.readings(job.job_id, collected[-1].sequence)
    with pytest.raises((AdapterUnreachable, AdapterUnknown)):
        await press.load_job(job)
    await press_process.start()
    found = await until(press, job.job_id, JobState.RUNNING, JobState.ENDED)
    assert found.started_at == started.started_at
    assert (await press.start_job(job.job_id)).started_at == started.started_at
    while len(collected) < LONG_ROWS:
        collected += await press.readings(job.job_id, collected[-1].sequence)
        await asyncio.sleep(0.1)
    assert [reading.sequence for reading in collected] == list(range(1, LONG_ROWS + 1))
    assert list(await press.readings(job.job_id, 0)) == collected
    assert (await until(press, job.job_id, JobState.ENDED)).last_sequence == LONG_ROWS
    await press.close()


async def test_no_answer_is_unknown_and_the_same_key_finds_one_job(press_process: PressProcess, driver: Driver) -> None:
    press = driver(press_process.endpoint(call_timeout=1.0))
    await answered(press)
    job = spec(LONG)
    press_process.send(signal.SIGSTOP)
    try:
        with pytest.raises(AdapterUnknown):
            await press.load_job(job)
        with pytest.raises(AdapterUnreachable):
            await press.get_job(job.job_id)
    finally:
        press_process.send(signal.SIGCONT)
    found = await answered(press, job.job_id)
    assert found, "the request lay in the press's buffer, so it was carried out after all"
    again = await press.load_job(job)
    assert again.state is JobState.LOADED
    await press.close()


async def test_a_closed_driver_is_unreachable_and_leaves_no_task(
    press_process: PressProcess, session_press: Equipment, driver: Driver
) -> None:
    # The driver that the other tests share comes back from the outages above, with tasks of its own.
    await answered(session_press, "anything")
    before = asyncio.all_tasks()
    press = driver(press_process.endpoint())
    await answered(press)
    await press.close()
    await press.close()
    with pytest.raises(AdapterUnreachable):
        await press.get_job("any")
    async with asyncio.timeout(30):
        await asyncio.gather(*(asyncio.all_tasks() - before - {asyncio.current_task()}), return_exceptions=True)
