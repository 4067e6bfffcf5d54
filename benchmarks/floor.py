"""The physical floor: what Temporal and PostgreSQL cost when there is nothing to decide.

An empty workflow takes as many signals as give it an order's history, with a local activity that does nothing for
each; and as many transactions as an order has, of as many rows. What an order costs above both is ours.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from benchmarks import machine
from benchmarks.databases import scratch
from benchmarks.empty_workflow import EmptyWorkflow
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from system import Addresses, running
from system.processes import wait_until
from workflows.runtime import connect

Document = dict[str, Any]
_MOMENT_SECONDS: Final = 0.02
"""Signals that come at once share a workflow task: a moment after each keeps them apart, as people's commands are."""
_PATIENCE: Final = timedelta(minutes=5)
_ROW: Final = '{"actor": "bench", "reason": "a row of an order, about as long as most of them are", "number": 1}'


@dataclass(frozen=True)
class Settings:
    """As many `events`, `transactions` and `rows` as an order has; how many of them, and how many at a time."""

    count: int = 50
    clients: int = 4
    events: int = 187
    transactions: int = 34
    rows: int = 222


def measure(addresses: Addresses, settings: Settings, bars: Bars) -> Document:
    """Both floors on the running system's servers."""
    return {
        "emptyWorkflow": asyncio.run(_workflows(addresses, settings, bars)),
        "bareTransactions": _transactions(addresses, settings, bars),
    }


async def _workflows(addresses: Addresses, settings: Settings, bars: Bars) -> Document:
    client = await connect(addresses.temporal_address, addresses.temporal_namespace)
    queue = f"floor-{uuid.uuid4().hex[:8]}"
    with _worker(addresses, queue) as pid:
        await _life(client, queue, settings.events)
        state = running(addresses.data_dir) or {}
        used, spent = machine.cpu_seconds(state).get("temporal", 0.0), machine.own_cpu(pid)
        own, began = time.process_time(), time.perf_counter()
        left = iter(range(settings.count))
        with bars.bar("empty workflows", settings.count) as advance:

            async def client_at_work() -> None:
                for _ in left:
                    lives.append(await _life(client, queue, settings.events))
                    advance(1)

            lives: list[tuple[int, int]] = []
            async with asyncio.TaskGroup() as group:
                for _ in range(settings.clients):
                    group.create_task(client_at_work())
        took = time.perf_counter() - began
        cpu = {
            "temporal": machine.cpu_seconds(state).get("temporal", 0.0) - used,
            "worker": machine.own_cpu(pid) - spent,
            "client": time.process_time() - own,
        }
    return {
        "workflows": settings.count, "historyEvents": statistics.mean(events for events, _ in lives),
        "signals": statistics.mean(signals for _, signals in lives), "perSecond": round(settings.count / took, 2),
        "cpuSecondsPerWorkflow": {name: round(value / settings.count, 4) for name, value in cpu.items()},
    }  # fmt: skip


async def _life(client: Client, queue: str, events: int) -> tuple[int, int]:
    """One workflow from start to end: its events, and the signals that it took, each after a moment."""
    handle = await client.start_workflow(
        EmptyWorkflow.run, events, id=f"floor/{uuid.uuid4()}", task_queue=queue, execution_timeout=_PATIENCE
    )
    result = asyncio.create_task(handle.result())
    while not result.done():
        try:
            await handle.signal(EmptyWorkflow.go)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        await asyncio.wait([result], timeout=_MOMENT_SECONDS)
    return (await handle.describe()).history_length, await result


@contextmanager
def _worker(addresses: Addresses, queue: str) -> Any:
    """The worker in a process of its own, as in a plant; its pid."""
    argv = [sys.executable, "-m", "benchmarks.floor_worker", addresses.temporal_address]
    argv += [addresses.temporal_namespace, queue]
    process = subprocess.Popen(argv, env=os.environ)
    try:
        yield process.pid
    finally:
        process.terminate()
        wait_until(lambda: process.poll() is not None, 10)
        process.kill()
        process.wait()


def _transactions(addresses: Addresses, settings: Settings, bars: Bars) -> Document:
    with scratch(addresses, migrated=False) as database, psycopg.connect(database.owner_url) as connection:
        connection.execute("CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content jsonb)")
        connection.commit()
        rows = [len(range(at, settings.rows, settings.transactions)) for at in range(settings.transactions)]
        backend, seconds = connection.info.backend_pid, list[float]()
        used, own = machine.own_cpu(backend), time.process_time()
        with bars.bar("bare transactions", settings.count) as advance:
            for _ in range(settings.count):
                for count in rows:
                    seconds.append(_timed(lambda count=count: _write(connection, count)))  # type: ignore[misc]
                advance(1)
        server, client = machine.own_cpu(backend) - used, time.process_time() - own
        written = connection.execute("SELECT count(*) FROM bare").fetchone()
    return {
        "transactions": settings.transactions, "rows": settings.rows, "rowsWritten": written[0] if written else 0,
        "transactionMilliseconds": percentiles(seconds), "secondsOfAnOrder": round(sum(seconds) / settings.count, 4),
        "cpuSecondsOfAnOrder": {
            "postgres": round(server / settings.count, 4), "client": round(client / settings.count, 4)
        },
    }  # fmt: skip


def _write(connection: psycopg.Connection, rows: int) -> None:
    connection.execute(
        "INSERT INTO bare (content) SELECT %s::jsonb FROM generate_series(1, %s)", (_ROW, rows), prepare=True
    )
    connection.commit()


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
