"""Job orders by OPC 10031-4 on a real server with the OPC Foundation's node set (EQ-10)."""

import contextlib
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.ua.uaerrors import UaError

from adapters.equipment import job_control_names as names
from adapters.equipment import press_job_orders as orders
from adapters.equipment.job_control import JobControlEquipment
from adapters.equipment.job_orders import NEXT, JobMethod, JobOrderState, ReturnStatus
from adapters.equipment.opcua_names import JOB, node_id
from adapters.equipment.opcua_names import NAMESPACE as PRESS
from adapters.equipment.port import (
    AdapterRefused,
    AdapterUnknown,
    AdapterUnreachable,
    Capability,
    JobSpec,
    JobState,
    Refusal,
)
from adapters.equipment.press_model import Press
from adapters.equipment.press_series import read_series
from tests.contracts.equipment.conftest import secured
from tests.contracts.equipment.support import LONG, PressProcess, answered, spec, write_series

pytestmark = pytest.mark.accepts("EQ-10")
S, M = JobOrderState, JobMethod
# From state by method to state, as the standard's table has it, typed from it and not from the code; 0 is removed.
TABLE = {
    (1, "Update"): 1, (1, "Start"): 2, (1, "Abort"): 6, (1, "Cancel"): 0,
    (2, "Update"): 2, (2, "RevokeStart"): 1, (2, "Abort"): 6, (2, "Cancel"): 0,
    (3, "Pause"): 4, (3, "Stop"): 5, (3, "Abort"): 6,
    (4, "Resume"): 3, (4, "Stop"): 5, (4, "Abort"): 6,
    (5, "Clear"): 0, (6, "Clear"): 0,
}  # fmt: skip
ON_KNOWN = [method for method in M if method not in (M.STORE, M.STORE_AND_START)]


def test_the_table_is_the_standards() -> None:
    assert {(int(state), str(method)): int(after or 0) for (state, method), after in NEXT.items()} == TABLE


class Browser:
    """A bare client of the library: calls the standard's methods past our driver."""

    def __init__(self, client: Any, index: int, press_index: int) -> None:
        self.client, self.index, self.press_index = client, index, press_index
        self.receiver = client.get_node(ua.NodeId(ua.String("JobOrderReceiver"), ua.Int16(index)))

    async def call(self, method: JobMethod, job_id: str) -> ReturnStatus:
        """Call a method for a job order; those that take a whole order get one."""
        whole = method in (M.STORE, M.STORE_AND_START, M.UPDATE)
        order = ua.Variant(names.job_order(spec(LONG, job_id)), ua.VariantType.ExtensionObject)
        own = order if whole else ua.Variant(job_id, ua.VariantType.String)
        comment = ua.Variant([ua.LocalizedText("a test")], ua.VariantType.LocalizedText, is_array=True)
        return ReturnStatus(await self.receiver.call_method(f"{self.index}:{method}", own, comment))

    async def states(self) -> dict[str, tuple[JobOrderState, JobSpec | None]]:
        """Every job order of the list with its state and content."""
        entries = await (await self.receiver.get_child(f"{self.index}:JobOrderList")).read_value()
        return {e.JobOrder.JobOrderID: (names.state_number(e), names.spec_of(e.JobOrder)) for e in entries or []}

    async def starts(self) -> int:
        """How often the press was set going."""
        return int(await self.client.get_node(node_id(f"{JOB}.Starts", self.press_index)).read_value())


@pytest_asyncio.fixture
async def browser(press_process: PressProcess) -> AsyncIterator[Browser]:
    client = await secured(press_process, "mes")
    await client.connect()
    await client.load_data_type_definitions()
    own = Browser(client, await client.get_namespace_index(names.NAMESPACE), await client.get_namespace_index(PRESS))
    yield own
    with contextlib.suppress(ConnectionError, TimeoutError, UaError):  # a test may have frozen the press
        for job_id, (state, _) in (await own.states()).items():
            if state in (S.RUNNING, S.INTERRUPTED, S.ALLOWED_TO_START):
                await own.call(M.ABORT, job_id)
        await client.disconnect()


async def brought_to(browser: Browser, state: JobOrderState, job_id: str, holder: str) -> None:
    """A job order in a state, by the standard's methods alone; `holder` holds the press for one that has to wait."""
    if state is S.ALLOWED_TO_START:
        assert (await browser.call(M.STORE_AND_START, holder)).is_good
    steps = {
        S.NOT_ALLOWED_TO_START: (M.STORE,), S.ALLOWED_TO_START: (M.STORE_AND_START,),
        S.RUNNING: (M.STORE, M.START), S.INTERRUPTED: (M.STORE_AND_START, M.PAUSE),
        S.ENDED: (M.STORE_AND_START, M.STOP), S.ABORTED: (M.STORE, M.ABORT),
    }  # fmt: skip
    for method in steps[state]:
        assert (await browser.call(method, job_id)).is_good, (state, method)
    assert (await browser.states())[job_id][0] is state


@pytest.mark.parametrize("state", S)
async def test_each_method_does_what_the_table_says_or_says_no_and_changes_nothing(
    browser: Browser, state: JobOrderState
) -> None:
    for number, method in enumerate(M):
        job_id, holder = f"TABLE/{state}/{number}", f"HOLDER/{state}/{number}"
        await brought_to(browser, state, job_id, holder)
        before, starts = await browser.states(), await browser.starts()
        status = await browser.call(method, job_id)
        after = await browser.states()
        target = TABLE.get((int(state), str(method)))
        if target is None:
            assert not status.is_good, method
            assert after == before, method
            assert await browser.starts() == starts
        else:
            assert status is ReturnStatus.NO_ERROR, method
            # The press is free: what is allowed to start begins by itself.
            expected = 3 if (state, method) == (S.NOT_ALLOWED_TO_START, M.START) else target
            assert (after[job_id][0] if expected else job_id not in after) in (expected, True), method
        for own in (job_id, holder):
            await browser.call(M.ABORT, own)


@pytest.mark.parametrize("method", ON_KNOWN)
async def test_a_job_order_that_is_not_known_is_said(browser: Browser, method: JobMethod) -> None:
    before = await browser.states()
    assert await browser.call(method, "never heard of") is ReturnStatus.UNKNOWN_JOB_ORDER_ID
    assert await browser.states() == before


async def test_what_is_allowed_begins_when_the_press_is_free(browser: Browser) -> None:
    assert (await browser.call(M.STORE_AND_START, "FREE/1")).is_good
    assert (await browser.call(M.STORE_AND_START, "FREE/2")).is_good
    assert (await browser.states())["FREE/2"][0] is S.ALLOWED_TO_START
    assert (await browser.call(M.STOP, "FREE/1")).is_good
    states = await browser.states()
    assert (states["FREE/1"][0], states["FREE/2"][0]) == (S.ENDED, S.RUNNING)


async def test_a_driver_that_finds_the_press_busy_leaves_nothing_that_begins_later(
    browser: Browser, press_process: PressProcess
) -> None:
    driver = JobControlEquipment(press_process.endpoint())
    await answered(driver)
    assert driver.capabilities & {Capability.JOURNAL, Capability.STATES} == set()
    await driver.load_job(spec(LONG, "BUSY/1"))
    await driver.load_job(spec(LONG, "BUSY/2"))
    await driver.start_job("BUSY/1")
    with pytest.raises(AdapterRefused) as no:
        await driver.start_job("BUSY/2")
    assert no.value.code == Refusal.MACHINE_BUSY
    await driver.abort_job("BUSY/1")
    assert (await browser.states())["BUSY/2"][0] is S.NOT_ALLOWED_TO_START
    # Without a journal nothing is invented: no readings, no states.
    assert [*await driver.readings("BUSY/1", 0), *await driver.machine_states("", 0)] == []
    await driver.close()


async def test_killed_between_call_and_answer_it_asks_by_job_id_and_has_one_effect(
    browser: Browser, press_process: PressProcess
) -> None:
    """The start was carried out, its answer never came: who comes after finds it running and starts nothing."""
    starts = await browser.starts()
    first = JobControlEquipment(press_process.endpoint(call_timeout=1.0))
    await answered(first)
    await first.load_job(spec(LONG, "KILL/1"))
    press_process.send(signal.SIGSTOP)
    try:
        with pytest.raises((AdapterUnknown, AdapterUnreachable)):
            await first.start_job("KILL/1")
        await first.close()  # the gateway is gone; its request lies in the press's buffer
    finally:
        press_process.send(signal.SIGCONT)
    second = JobControlEquipment(press_process.endpoint())
    await answered(second)
    found = await second.get_job("KILL/1")
    assert found is not None
    for _ in range(3):
        await second.load_job(spec(LONG, "KILL/1"))
        assert (await second.start_job("KILL/1")).state is JobState.RUNNING
    await second.close()
    client = await secured(press_process, "mes")
    async with client:
        own = Browser(client, browser.index, browser.press_index)
        assert await own.starts() == starts + 1
        await own.call(M.ABORT, "KILL/1")


def test_whatever_is_called_on_the_model_follows_the_table(tmp_path: Any) -> None:
    """All pairs of methods after all ways into a state, without a socket; the list of states only grows."""
    write_series(tmp_path / "series.csv")
    runs, now = read_series(tmp_path / "series.csv"), datetime(2026, 1, 1, tzinfo=UTC)
    for path in product(ON_KNOWN, repeat=3):
        press = Press(runs, 1.0)
        orders.store(press, "j", spec(LONG, "j"), now, start=False)
        state: JobOrderState | None = S.NOT_ALLOWED_TO_START
        for number, method in enumerate(path):
            at = now + timedelta(seconds=number)
            update = method is M.UPDATE
            status = orders.update(press, "j", spec(LONG, "j"), at) if update else orders.ask(press, method, "j", at)
            if state is None or (state, method) not in NEXT:
                assert not status.is_good, path
            else:
                state = NEXT[state, method]
                # Nothing holds this press: what is allowed runs at once.
                state = S.RUNNING if state is S.ALLOWED_TO_START else state
            assert orders.state_of(press, "j", at) is state, path
