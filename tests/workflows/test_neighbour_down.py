"""A neighbour that is down for an hour: everybody sees what is waited for, and the order goes on by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from adapters.inventory.postgres import PostgresInventory
from db.session import engine_for
from domain import commands as c
from settings import Settings
from tests.conftest import Database
from tests.plant import Plant
from tests.workflows.clock import skipping

__all__ = ["skipping"]


class Line:
    """The line to the warehouse: a TCP relay that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.is_cut = False
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()

    def cut(self) -> None:
        """Every connection breaks, and no new one is made."""
        self.is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """The line works again."""
        self.is_cut = False

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._open |= {writer, far_writer}
        with suppress(ConnectionError):
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._open -= {writer, far_writer}


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


@pytest.fixture(scope="module")
async def line(database: Database) -> AsyncIterator[Line]:
    parts = urlsplit(database.app_url)
    line = Line(parts.hostname or "127.0.0.1", parts.port or 5432)
    await line.start()
    yield line
    await line.stop()


@pytest.fixture(scope="module")
async def far_plant(
    skipping: WorkflowEnvironment, database: Database, engine: Engine, line: Line
) -> AsyncIterator[Plant]:
    """A plant whose warehouse is at the other end of a line."""
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    plant = Plant(skipping.client, engine, settings, task_queue="far")
    await asyncio.to_thread(plant.set_up)
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")
    parts = urlsplit(database.app_url)
    login = parts.netloc.rpartition("@")[0]
    url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{line.port}"))
    warehouse = engine_for(url, pool_size=2)
    async with plant.working(inventory=PostgresInventory(warehouse)):
        yield plant
    warehouse.dispose()


@pytest.mark.accepts("E9", "IN-03")
async def test_an_order_waits_for_the_warehouse_for_an_hour_and_goes_on(
    skipping: WorkflowEnvironment, far_plant: Plant, line: Line
) -> None:
    line.cut()
    with skipping.with_time_skipping_disabled():
        order = await (await far_plant.order()).released()
        await order.do(c.DispatchWorkOrder, "sam")
        await _until_it_waits(order, 1)
    await skipping.fast_forward(order.handle, timedelta(hours=1))
    (waiting,) = (await order.process()).waiting.values()
    assert waiting.neighbour == "warehouse"
    assert waiting.attempt > 5
    assert waiting.next_attempt_at - waiting.since > timedelta(minutes=50)
    assert "cannot be reached" in waiting.last_error
    shown = far_plant.rows("SELECT waiting FROM production_order WHERE number = :n", n=order.number)[0][0]
    assert shown[0]["neighbour"] == "warehouse"

    line.mend()
    await order.do(c.RetryNow, "sam")
    await order.until("pick_list", "allocated")
    assert (await order.process()).waiting == {}


@pytest.mark.accepts("A19", "E9")
async def test_a_cancelled_order_waits_for_the_warehouse_too(
    skipping: WorkflowEnvironment, far_plant: Plant, line: Line
) -> None:
    """What was reserved cannot be given back at once: it is asked for again, and a person may have it asked now."""
    with skipping.with_time_skipping_disabled():
        order = await (await far_plant.order()).allocated()
        line.cut()
        await order.do(c.CancelOrder, "sam", reason="customer withdrew")
        await _until_it_waits(order, 2)
        assert order.state() == "cancelling"
        line.mend()
        await order.do(c.RetryNow, "sam")
        await order.until("order", "cancelled")
    assert (
        far_plant.rows("SELECT 1 FROM reservation WHERE work_order = :w AND state = 'reserved'", w=order.work_order)
        == []
    )


@pytest.mark.accepts("E9")
async def test_there_is_nothing_to_retry_when_nobody_is_waited_for(far_plant: Plant) -> None:
    order = await far_plant.order()
    command = order.command(c.RetryNow, "sam")
    await order.send(command)
    verdict = await order.verdict(command.command_id)
    assert [blocker.code for blocker in verdict.blockers] == ["NOTHING_TO_RETRY"]


async def _until_it_waits(order: "object", attempts: int) -> None:
    for _ in range(500):
        waiting = (await order.process()).waiting  # type: ignore[attr-defined]
        if any(one.attempt >= attempts for one in waiting.values()):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the order does not wait")
