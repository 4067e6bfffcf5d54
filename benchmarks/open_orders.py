"""Thousands of open orders: the memory of the workers, and how long after a `kill -9` of all until each order answers.

It has a system of its own, in a folder that is removed afterwards: nobody's workers are killed.

One order is planned and made over the public API. The others are started and commanded at Temporal, as the API does it,
with what was frozen into the first: so opening ten thousand costs the servers and the workers, and no API. They are
submitted, approved and released in rounds, each round when the one before stands in the record: so their histories
are those of orders that people lead.
"""

import asyncio
import math
import os
import re
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from benchmarks import machine
from benchmarks.product import PLANT, POLICY, QUANTITY, build, product
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from domain.base import uuid_for
from domain.commands import ApproveOrder, OrderCommand, ReleaseOrder, SubmitOrder
from domain.specification import OrderSpecification
from domain.start import StartOrder
from domain.states import OrderState
from replay import people as p
from replay.client import Plant
from replay.people import Person
from replay.progress import in_parallel
from replay.setup import import_master_data
from system import Addresses, ChildSpec, attach_or_start, running
from system.temporal_server import new_runs
from workflows.policies import REST_SPREAD, TASK_QUEUE, workflow_id
from workflows.production_order import ProductionOrderWorkflow, search_attributes
from workflows.runtime import connect

Document = dict[str, Any]
COMPONENTS: Final = 10
OPERATIONS: Final = 5
_AT_ONCE: Final = 64
_ASKED_AT_ONCE: Final = 400
"""Fewer than the 1200 long requests that a server takes at a time. A query that went to the cache of a dead worker
waits there, so that with few at once the waiting is measured and not the work."""
_ROUNDS: Final[tuple[tuple[type[OrderCommand], str, OrderState], ...]] = (
    (SubmitOrder, p.PLANNER, OrderState.SUBMITTED),
    (ApproveOrder, p.SUPERVISOR, OrderState.APPROVED),
    (ReleaseOrder, p.RELEASER, OrderState.RELEASED),
)
"""What is done to every order, by whom, and how it stands in the record then."""
_LOOK_SECONDS: Final = 0.5
_TO_REST_SECONDS: Final = 20
"""How long those that begin their new run last may take to do so."""
_SAMPLE: Final = 50
"""Orders that are read, and others that are given a command, while all orders are asked after the kill."""
_PATIENCE_SECONDS: Final = 1800.0
_WORKERS: Final = ("worker", "gateway")


@dataclass(frozen=True)
class Settings:
    """How many orders are open, and how the workers that hold them are set up."""

    orders: int = 10_000
    workers: int = 2
    cached: int = 1000
    pollers: int = 5
    opening_seconds: float = 1200.0
    """On a slow machine fewer orders are opened than are wanted, so that opening them takes about so long."""
    rests_after_seconds: int = 120
    """How long an order is left alone until it waits on in a new run (a plant's: `MES_REST_AFTER_SECONDS`, 900)."""


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
        client = await connect(self._addresses.temporal_address, self._addresses.temporal_namespace)
        empty = self._memory()
        began, used = time.perf_counter(), self._cpu()
        rounds = await self._open(client)
        opening, opened = time.perf_counter() - began, self._memory()
        spent = self._spent(used)
        rest = await self._rested()
        events = await self._events(client)
        with self._bars.bar("every order answers", len(self._numbers)) as advance:
            before = await self._ask_all(client, advance)
        memory = self._memory()
        self._bars.say("kill -9 of all workers")
        used, killed = self._cpu(), self._kill()
        with self._bars.bar("every order answers again", len(self._numbers)) as advance:
            (after, answered), people = await asyncio.gather(self._all_answers(client, advance), self._as_people_do())
        spent_after = self._spent(used, killed)
        return {
            "orders": len(self._numbers), "ordersWanted": self._settings.orders,
            "openingSeconds": round(opening, 1), "openingSecondsByRound": rounds,
            "cpuSecondsOfAnOpening": spent, "rest": rest, "memoryBytesOfAllWorkersEmpty": _of_workers(empty),
            "memoryBytesOfAllWorkersOpened": _of_workers(opened),
            "memoryBytes": memory, "memoryBytesOfAllWorkers": _of_workers(memory),
            "historyEventsOfAnOrder": events,
            "answeredWarm": len(before), "warmAnswerMilliseconds": percentiles(before),
            "killed": killed, "answered": len(after),
            "secondsUntilAllAnswered": round(answered, 1), "answerMilliseconds": percentiles(after),
            "cpuSecondsOfAnAnswerAfter": spent_after, "meanwhile": people,
            "memoryBytesOfAllWorkersAfter": _of_workers(self._memory()),
        }  # fmt: skip

    async def _open(self, client: Client) -> Document:
        """Every order is made, submitted, approved and released: it waits for its dispatch. Seconds by round."""
        specification, seconds = await self._first(client), {}
        rest, made = self._numbers[1:], self._numbers[:1]
        began = time.perf_counter()
        with self._bars.bar("orders are made", len(rest)) as advance:

            async def start(number: str) -> None:
                # Making them is a fifth of it: three rounds of commands follow, and each waits for the record.
                if time.perf_counter() - began < self._settings.opening_seconds / 5:
                    await self._start(client, _renamed(specification, number))
                    made.append(number)
                    advance(1)

            await in_parallel(rest, start, _AT_ONCE)
        self._numbers = made
        await self._recorded(OrderState.DRAFT, len(made), "made")
        seconds["made"] = round(time.perf_counter() - began, 1)
        for kind, who, state in _ROUNDS:
            began = time.perf_counter()
            await self._command_all(client, kind, who)
            await self._recorded(state, len(self._numbers), state)
            seconds[str(state)] = round(time.perf_counter() - began, 1)
        return seconds

    async def _first(self, client: Client) -> OrderSpecification:
        """One order from a plan line, over the public API: what is frozen into it."""
        number = self._numbers[0]
        async with self._plant() as plant:
            await import_master_data(plant, build(COMPONENTS, OPERATIONS))
            line = {
                "reference": f"{PLANT}/{number}", "product": product(COMPONENTS, OPERATIONS),
                "quantity": str(QUANTITY), "unit": "pcs", "policy": POLICY.code, "plant": PLANT,
                "orderNumber": number,
            }  # fmt: skip
            planned = await plant.post(p.PLANNER, "/mes/plan-lines", [line])
            await plant.post(p.PLANNER, f"/mes/orders/from-plan/{planned[0]['id']}", {})
            await plant.wait(p.PLANNER, number, lambda _: True)
        process = await client.get_workflow_handle(workflow_id(number)).query(ProductionOrderWorkflow.process)
        return process.specification

    async def _start(self, client: Client, specification: OrderSpecification) -> None:
        number = specification.number
        await client.start_workflow(
            ProductionOrderWorkflow.run,
            StartOrder(
                specification=specification, command_id=f"create/{number}", received_at=datetime.now(UTC),
                rests_after_seconds=self._settings.rests_after_seconds,
            ),
            id=workflow_id(number), task_queue=TASK_QUEUE, search_attributes=search_attributes(specification),
            static_summary=f"{number} {specification.product_name}",
        )  # fmt: skip

    async def _command_all(self, client: Client, kind: type[OrderCommand], who: str) -> None:
        with self._bars.bar(kind.kind_name(), len(self._numbers)) as advance:

            async def send(number: str) -> None:
                command = kind(
                    command_id=f"{number}/{kind.kind_name()}", actor=self._people[who].user_id,
                    received_at=datetime.now(UTC),
                )  # fmt: skip
                await client.get_workflow_handle(workflow_id(number)).signal("command", command)
                advance(1)

            await in_parallel(self._numbers, send, _AT_ONCE)

    async def _recorded(self, state: OrderState, wanted: int, name: str) -> None:
        """Wait until so many of the orders stand in the record in this state. Raises TimeoutError."""
        found, deadline = 0, time.monotonic() + _PATIENCE_SECONDS
        with self._bars.bar(f"{name}, in the record", wanted) as advance:
            async with await psycopg.AsyncConnection.connect(
                self._addresses.database_owner_url, autocommit=True
            ) as record:
                while found < wanted:
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"{found} of {wanted} orders are {state}")
                    await asyncio.sleep(_LOOK_SECONDS)
                    counted = await record.execute(
                        "SELECT count(*) FROM production_order WHERE number LIKE %s AND state = %s",
                        (f"OPEN-{self._run}-%", str(state)),
                    )
                    (now,) = await counted.fetchone() or (0,)
                    advance(now - found)
                    found = now

    async def _rested(self) -> Document:
        """Give all orders the time after which they wait on in a new run: how many runs began, and what they cost.

        The first order was made by the API and rests after a plant's time.
        """
        used, began = self._cpu(), time.perf_counter()
        longest = math.ceil(REST_SPREAD * self._settings.rests_after_seconds) + _TO_REST_SECONDS
        with self._bars.bar("orders go to rest", longest) as advance:
            for _ in range(longest):
                await asyncio.sleep(1)
                advance(1)
        at, namespace = self._addresses.temporal_address, self._addresses.temporal_namespace
        return {
            "newRuns": await new_runs(at, namespace, "ProductionOrder"),
            "seconds": round(time.perf_counter() - began, 1),
            "cpuSecondsOfAnOrder": self._spent(used),
        }  # fmt: skip

    async def _all_answers(self, client: Client, advance: Callable[[int], None]) -> tuple[list[float], float]:
        """As `_ask_all`, and the seconds until the last answer."""
        began = time.perf_counter()
        return await self._ask_all(client, advance), time.perf_counter() - began

    async def _ask_all(self, client: Client, advance: Callable[[int], None]) -> list[float]:
        """Seconds until each order has said how it stands, asked again until it does."""
        found: list[float] = []

        async def ask(number: str) -> None:
            began = time.perf_counter()
            handle = client.get_workflow_handle(workflow_id(number))
            while True:
                try:
                    # As JSON: the benchmark's own process is not to be what is measured.
                    process = await handle.query("process", result_type=dict[str, Any])
                except (RPCError, WorkflowQueryFailedError):  # of a worker that has just been killed
                    if time.perf_counter() - began > _PATIENCE_SECONDS:
                        raise
                    await asyncio.sleep(0.2)
                    continue
                if process["specification"]["number"] != number:
                    raise AssertionError(f"{number} answered as {process['specification']['number']}")
                break
            found.append(time.perf_counter() - began)
            advance(1)

        await in_parallel(self._numbers, ask, _ASKED_AT_ONCE)
        return found

    async def _as_people_do(self) -> Document:
        """Orders are read, and commands are given, over the API while no worker is there and all orders are asked."""
        read: list[float] = []
        judged: list[float] = []
        async with self._plant() as plant:
            sample = min(_SAMPLE, len(self._numbers) // 2)
            for number in self._numbers[:sample]:
                began = time.perf_counter()
                await plant.get(p.SUPERVISOR, f"/mes/orders/{uuid_for('production-order', number)}")
                read.append(time.perf_counter() - began)

            async def hold(number: str) -> None:
                began = time.perf_counter()
                path = f"/mes/orders/{uuid_for('production-order', number)}/hold"
                await plant.command(p.SUPERVISOR, path, {"reason": "bench"}, key=(number, "hold"))
                judged.append(time.perf_counter() - began)

            await in_parallel(self._numbers[sample : 2 * sample], hold, 8)
        return {"readMilliseconds": percentiles(read), "verdictMilliseconds": percentiles(judged)}

    def _plant(self) -> Plant:
        def connected() -> httpx.AsyncClient:
            return httpx.AsyncClient(base_url=self._addresses.api_url or "", timeout=60)

        # A command is judged when its order's turn comes, and here ten thousand are asked before it.
        return Plant(connected, self._people, patience=_PATIENCE_SECONDS)

    async def _events(self, client: Client) -> int:
        return (await client.get_workflow_handle(workflow_id(self._numbers[-1])).describe()).history_length

    def _state(self) -> Document:
        return running(self._addresses.data_dir) or {}

    def _cpu(self) -> dict[str, float]:
        return machine.cpu_seconds(self._state())

    def _spent(self, before: Mapping[str, float], new: Collection[str] = ()) -> dict[str, float]:
        """CPU seconds of an order since then, by process; `new` ones have begun since."""
        since = {name: 0.0 if name in new else before.get(name, 0.0) for name in self._cpu()}
        return {name: round((now - since[name]) / len(self._numbers), 4) for name, now in self._cpu().items()}

    def _memory(self) -> dict[str, int]:
        return machine.resident_bytes(self._state())

    def _kill(self) -> list[str]:
        """The names of the killed; the system starts them again by itself, as after any crash."""
        children: dict[str, Document] = self._state().get("children") or {}
        workers = {name: own["pid"] for name, own in children.items() if _is_worker(name) and own.get("pid")}
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        return sorted(workers)


def _renamed(specification: OrderSpecification, number: str) -> OrderSpecification:
    """What was frozen into one order, for another one: its own numbers and lots, the rest is the same."""
    own = [
        work_order.model_copy(update={"number": f"{number}-{at}", "output_lot": f"{number}-L{at}"})
        for at, work_order in enumerate(specification.work_orders, 1)
    ]
    return specification.model_copy(
        update={"number": number, "plan_line": f"{PLANT}/{number}", "work_orders": tuple(own)}
    )


def _is_worker(name: str) -> bool:
    return re.sub(r"-\d+$", "", name) in _WORKERS


def _of_workers(memory: Mapping[str, int]) -> int:
    return sum(size for name, size in memory.items() if _is_worker(name))
