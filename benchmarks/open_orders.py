"""Thousands of open orders: the memory of the workers, and how long after a `kill -9` of all until each order answers.

It has a system of its own, in a folder that is removed afterwards: nobody's workers are killed.
"""

import asyncio
import os
import re
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from benchmarks import machine
from benchmarks.product import PLANT, POLICY, QUANTITY, build, product
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from replay import people as p
from replay.client import Plant
from replay.people import Person
from replay.progress import in_parallel
from replay.setup import import_master_data
from system import Addresses, ChildSpec, attach_or_start, running
from workflows.policies import workflow_id
from workflows.production_order import ProductionOrderWorkflow
from workflows.runtime import connect

Document = dict[str, Any]
COMPONENTS: Final = 10
OPERATIONS: Final = 5
_AT_ONCE: Final = 16
_ASKED_AT_ONCE: Final = 64
_PATIENCE_SECONDS: Final = 1800.0
_WORKERS: Final = ("worker", "gateway")


@dataclass(frozen=True)
class Settings:
    """How many orders are open, and how the workers that hold them are set up."""

    orders: int = 10_000
    workers: int = 1
    cached: int = 2000
    pollers: int = 5


def measure(
    folder: Path,
    settings: Settings,
    bars: Bars,
    *,
    children: Callable[[Addresses], Sequence[ChildSpec]],
    migrate: Callable[[Addresses], None],
    people_of: Callable[[Path], Mapping[str, Person]],
) -> Document:
    """Open the orders, weigh the workers, kill them, and ask every order until all have answered."""
    try:
        with attach_or_start(
            folder, children=_more_workers(children, settings), migrate=migrate, report=bars.say
        ) as addresses:
            return asyncio.run(_Open(addresses, people_of(folder), settings, bars).run())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _more_workers(
    children: Callable[[Addresses], Sequence[ChildSpec]], settings: Settings
) -> Callable[[Addresses], Sequence[ChildSpec]]:
    """The product's processes, with so many workers of this set-up in place of the one."""

    def of(addresses: Addresses) -> Sequence[ChildSpec]:
        found: list[ChildSpec] = []
        setup = {
            "MES_MAX_CACHED_WORKFLOWS": str(settings.cached), "MES_WORKER_POLLERS": str(settings.pollers),
        }  # fmt: skip
        for spec in children(addresses):
            if spec.name != "worker":
                found.append(spec)
                continue
            names = ["worker", *(f"worker-{number}" for number in range(2, settings.workers + 1))]
            found += [replace(spec, name=name, env={**spec.env, **setup}) for name in names]
        return found

    return of


class _Open:
    def __init__(self, addresses: Addresses, people: Mapping[str, Person], settings: Settings, bars: Bars) -> None:
        self._addresses, self._people, self._settings, self._bars = addresses, people, settings, bars
        self._run = uuid.uuid4().hex[:8].upper()
        self._numbers = [f"OPEN-{self._run}-{at:06}" for at in range(settings.orders)]

    async def run(self) -> Document:
        """The figures; bytes are of resident memory."""
        began = time.perf_counter()
        used = self._cpu()
        await self._open()
        opening = time.perf_counter() - began
        spent = {name: round((now - used.get(name, 0)) / self._settings.orders, 4) for name, now in self._cpu().items()}
        client = await connect(self._addresses.temporal_address, self._addresses.temporal_namespace)
        with self._bars.bar("every order answers", self._settings.orders) as advance:
            before = await self._ask_all(client, advance)
        memory = self._memory()
        self._bars.say("kill -9 of all workers")
        used, killed = self._cpu(), self._kill()
        began = time.perf_counter()
        with self._bars.bar("every order answers again", self._settings.orders) as advance:
            after = await self._ask_all(client, advance)
        return {
            "orders": self._settings.orders, "openingSeconds": round(opening, 1), "cpuSecondsOfAnOpening": spent,
            "memoryBytes": memory, "memoryBytesOfAllWorkers": _of_workers(memory),
            "historyEventsOfAnOrder": await self._events(client),
            "answeredWarm": len(before), "warmAnswerMilliseconds": percentiles(before),
            "killed": killed, "answered": len(after),
            "secondsUntilAllAnswered": round(time.perf_counter() - began, 1), "answerMilliseconds": percentiles(after),
            "memoryBytesOfAllWorkersAfter": _of_workers(self._memory()),
        }  # fmt: skip

    async def _open(self) -> None:
        """Every order is planned, made and submitted: it waits for its approval, with a timer that runs."""
        async with Plant(
            lambda: httpx.AsyncClient(base_url=self._addresses.api_url or "", timeout=60), self._people
        ) as plant:
            await import_master_data(plant, build(COMPONENTS, OPERATIONS))
            with self._bars.bar("orders are opened", self._settings.orders) as advance:

                async def one(number: str) -> None:
                    line = {
                        "reference": f"{PLANT}/{number}", "product": product(COMPONENTS, OPERATIONS),
                        "quantity": str(QUANTITY), "unit": "pcs", "policy": POLICY.code, "plant": PLANT,
                        "orderNumber": number,
                    }  # fmt: skip
                    planned = await plant.post(p.PLANNER, "/mes/plan-lines", [line])
                    made = await plant.post(p.PLANNER, f"/mes/orders/from-plan/{planned[0]['id']}", {})
                    if "outcomeUrl" in made:  # no verdict in time: it stands in the record a little later
                        await plant.wait(p.PLANNER, number, lambda _: True)
                    await plant.command(p.PLANNER, f"/mes/orders/{made['id']}/submit", {}, key=(number, "submit"))
                    advance(1)

                await in_parallel(self._numbers, one, _AT_ONCE)

    async def _ask_all(self, client: Client, advance: Callable[[int], None]) -> list[float]:
        """Seconds until each order has said how it stands, asked again until it does."""
        found: list[float] = []

        async def ask(number: str) -> None:
            began = time.perf_counter()
            handle = client.get_workflow_handle(workflow_id(number))
            while True:
                try:
                    process = await handle.query(ProductionOrderWorkflow.process)
                except (RPCError, WorkflowQueryFailedError):  # of a worker that has just been killed
                    if time.perf_counter() - began > _PATIENCE_SECONDS:
                        raise
                    await asyncio.sleep(0.2)
                    continue
                if process.specification.number != number:
                    raise AssertionError(f"{number} answered as {process.specification.number}")
                break
            found.append(time.perf_counter() - began)
            advance(1)

        await in_parallel(self._numbers, ask, _ASKED_AT_ONCE)
        return found

    async def _events(self, client: Client) -> int:
        return (await client.get_workflow_handle(workflow_id(self._numbers[0])).describe()).history_length

    def _state(self) -> Document:
        return running(self._addresses.data_dir) or {}

    def _cpu(self) -> dict[str, float]:
        return machine.cpu_seconds(self._state())

    def _memory(self) -> dict[str, int]:
        return machine.resident_bytes(self._state())

    def _kill(self) -> list[str]:
        """The names of the killed; the system starts them again by itself, as after any crash."""
        children: dict[str, Document] = self._state().get("children") or {}
        workers = {name: own["pid"] for name, own in children.items() if _is_worker(name) and own.get("pid")}
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        return sorted(workers)


def _is_worker(name: str) -> bool:
    return re.sub(r"-\d+$", "", name) in _WORKERS


def _of_workers(memory: Mapping[str, int]) -> int:
    return sum(size for name, size in memory.items() if _is_worker(name))
