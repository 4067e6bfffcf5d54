"""Counts what one order costs, then times many: two runs on one system, because counting slows down what is timed."""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from benchmarks import machine
from benchmarks.order import BenchOrder, Pace, Timings, stock
from benchmarks.product import build
from benchmarks.statements import Role, counted
from db.contents import contents
from replay.client import Plant
from replay.people import Person
from replay.progress import in_parallel
from replay.setup import import_master_data
from system import Addresses, running
from workflows.policies import workflow_id
from workflows.runtime import connect

Document = dict[str, Any]
COMMANDS: Final = 11
"""The commands of an order beside those of its operations."""
COMMANDS_OF_AN_OPERATION: Final = 3
WARM_UP: Final = 2
"""Orders before the counting: connections, prepared statements and the first load of every module."""
SHOWN_STATEMENTS: Final = 25


@dataclass(frozen=True)
class Settings:
    """What is measured: `counted` orders one by one, then `orders` with `clients` of them at a time, then one for each
    client with `rate` commands a second over all clients."""

    components: int = 10
    operations: int = 5
    counted: int = 4
    orders: int = 20
    clients: int = 4
    rate: float = 10.0


@dataclass(frozen=True)
class Life:
    """The whole life of orders: `counted` ones one by one; then for each number of `clients` at least `orders`; then
    for each of `rates` (confirmations a second over all clients) as many orders as last `seconds`."""

    components: int = 10
    operations: int = 5
    counted: int = 4
    orders: int = 20
    clients: tuple[int, ...] = (1, 2, 4, 16, 64)
    rates: tuple[float, ...] = (1.0, 10.0, 50.0)
    seconds: float = 30.0

    def orders_with(self, clients: int) -> int:
        """How many orders are timed: every client has at least one."""
        return max(self.orders, clients)

    def orders_at(self, rate: float) -> int:
        """How many orders give so many confirmations a second for long enough."""
        commands = COMMANDS + COMMANDS_OF_AN_OPERATION * self.operations
        return max(1, round(rate * self.seconds / commands))


class Bench:
    """One measurement on one running system."""

    def __init__(
        self, addresses: Addresses, people: Mapping[str, Person], settings: Settings | Life, say: Callable[[str], None]
    ):
        self._addresses, self._people, self._settings, self._say = addresses, people, settings, say
        self._run = uuid.uuid4().hex[:8].upper()
        self._made: list[str] = []

    async def run(self, settings: Settings) -> Document:
        """Count, time one load, time one pace. Raises `NotTaken` when the system refuses a step."""
        s, before = settings, machine.described()
        async with self._plant() as plant:
            await self._prepare(plant, s.orders + s.clients)
            counts = await self._counted(plant)
            timed = await self._timed(plant, s.orders, s.clients, None)
            paced = await self._timed(plant, s.clients, s.clients, s.rate)
        return {
            "benchmark": "order", "machine": before, "versions": machine.versions(self._addresses.database_owner_url),
            "settings": asdict(s), "perOrder": counts, "fullLoad": timed, "paced": paced,
        }  # fmt: skip

    async def live(self, settings: Life) -> Document:
        """Count, then time every load and every pace. Raises `NotTaken` when the system refuses a step."""
        loads = {clients: settings.orders_with(clients) for clients in settings.clients}
        paces = {rate: settings.orders_at(rate) for rate in settings.rates}
        async with self._plant() as plant:
            await self._prepare(plant, sum(loads.values()) + sum(paces.values()))
            return {
                "perOrder": await self._counted(plant),
                "clients": {str(clients): await self._timed(plant, orders, clients, None)
                            for clients, orders in loads.items()},
                "confirmationsPerSecond": {f"{rate:g}": await self._timed(plant, orders, orders, rate)
                                           for rate, orders in paces.items()},
            }  # fmt: skip

    def _plant(self) -> Plant:
        limits = httpx.Limits(max_connections=None)
        return Plant(
            lambda: httpx.AsyncClient(base_url=self._addresses.api_url or "", timeout=60, limits=limits), self._people
        )

    async def _prepare(self, plant: Plant, orders: int) -> None:
        s = self._settings
        self._say("master data and lots")
        await import_master_data(plant, build(s.components, s.operations))
        await stock(plant, self._run, s.components, WARM_UP + s.counted + orders)
        self._say("warm-up")
        await self._orders(plant, WARM_UP, 1)

    async def _orders(self, plant: Plant, count: int, clients: int, rate: float | None = None) -> Timings:
        """Make orders. At a `rate` all clients begin at once and share its slots."""
        timings, pace = Timings(), Pace(rate)
        numbers = [f"BENCH-{self._run}-{len(self._made) + at:05}" for at in range(count)]
        self._made += numbers

        async def make(number: str) -> None:
            await BenchOrder(plant, number, self._settings.components, self._settings.operations, timings, pace).run()

        await in_parallel(numbers, make, clients)
        return timings

    async def _counted(self, plant: Plant) -> Document:
        """Statements, transactions, rows and history events of an order: means over orders made one by one."""
        s, owner = self._settings, self._addresses.database_owner_url
        log = self._addresses.data_dir / "logs" / "postgres.log"
        self._say(f"counting {s.counted} orders")
        rows = _rows(owner)
        if _is_embedded(self._addresses.data_dir):
            with counted(owner, log) as roles:
                timings = await self._orders(plant, s.counted, 1)
        else:
            roles, timings = {}, await self._orders(plant, s.counted, 1)
        added = {name: count - rows.get(name, 0) for name, count in _rows(owner).items()}
        events = [await self._events(number) for number in self._made[-s.counted :]]
        return {
            "orders": s.counted,
            "commands": round(len(timings.all()) / s.counted, 2),
            "sql": {name: _role(role, s.counted) for name, role in sorted(roles.items())},
            "rowsAdded": {name: round(count / s.counted, 2) for name, count in sorted(added.items()) if count},
            "historyEvents": sum(events) / len(events),
        }

    async def _events(self, number: str) -> int:
        client = await connect(self._addresses.temporal_address, self._addresses.temporal_namespace)
        return (await client.get_workflow_handle(workflow_id(number)).describe()).history_length

    async def _timed(self, plant: Plant, orders: int, clients: int, rate: float | None) -> Document:
        self._say(f"timing {orders} orders, {clients} at a time" + (f", {rate:g} commands a second" if rate else ""))
        used = machine.cpu_seconds(running(self._addresses.data_dir) or {})
        began = time.perf_counter()
        timings = await self._orders(plant, orders, clients, rate)
        seconds = time.perf_counter() - began
        cpu = {
            name: round((now - used.get(name, 0.0)) / orders, 3)
            for name, now in machine.cpu_seconds(running(self._addresses.data_dir) or {}).items()
        }
        system = sum(spent for name, spent in cpu.items() if name != "client")
        return {
            "orders": orders, "seconds": round(seconds, 2), "ordersPerSecond": round(orders / seconds, 3),
            "commandsPerSecond": round(len(timings.all()) / seconds, 1),
            "cpuSecondsPerOrder": cpu | {"system": round(system, 3)},
            "orderMilliseconds": percentiles(timings.orders),
            "verdictMilliseconds": percentiles(timings.all()),
            "stepMilliseconds": {step: percentiles(found) for step, found in timings.seconds.items()},
        }  # fmt: skip


def percentiles(seconds: Sequence[float]) -> Document:
    """Number, median, 95th and 99th percentile (nearest rank) and maximum, in milliseconds."""
    found = sorted(seconds)
    if not found:
        return {"count": 0}

    def at(share: float) -> float:
        return round(found[min(len(found) - 1, int(share * len(found)))] * 1000, 1)

    return {"count": len(found), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": round(found[-1] * 1000, 1)}


def _role(role: Role, orders: int) -> Document:
    transactions = role.wrote + role.read + role.rolled_back
    return {
        "statements": role.statements / orders,
        "pings": role.pings / orders,
        "roundTrips": (role.statements + role.pings + 2 * transactions) / orders,
        "transactions": {
            "wrote": role.wrote / orders, "onlyRead": role.read / orders, "rolledBack": role.rolled_back / orders,
            "ofOneStatement": role.alone / orders,
        },
        "mostFrequent": [
            {"statement": text[:200], "count": count / orders}
            for text, count in role.texts.most_common(SHOWN_STATEMENTS)
        ],
    }  # fmt: skip


def _rows(owner_url: str) -> dict[str, int]:
    with psycopg.connect(owner_url) as connection:
        found: dict[str, int] = contents(connection)["rows"]
    return found


def _is_embedded(data_dir: Path) -> bool:
    """Whether PostgreSQL is the folder's own: another one's log is not ours to read."""
    return bool(((running(data_dir) or {}).get("postgres") or {}).get("pid"))


def measure(
    addresses: Addresses, people: Mapping[str, Person], settings: Settings, say: Callable[[str], None]
) -> Document:
    """Measure the running system and describe it in one JSON document."""
    return asyncio.run(Bench(addresses, people, settings, say).run(settings))


def live(addresses: Addresses, people: Mapping[str, Person], settings: Life, say: Callable[[str], None]) -> Document:
    """The whole life of orders on the running system, at every load and pace."""
    return asyncio.run(Bench(addresses, people, settings, say).live(settings))
