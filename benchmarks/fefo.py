"""First expired, first out: many orders at once reserve from the same few lots."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
from sqlalchemy import Engine

from adapters.inventory.port import AllocationAnswer, MaterialNeed
from adapters.inventory.postgres import PostgresInventory
from benchmarks import machine
from benchmarks.databases import scratch
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from db.session import engine_for
from domain.base import uuid_for
from system import Addresses, running

Document = dict[str, Any]
MATERIAL: Final = "FEFO-MATERIAL"
PLACE: Final = "RAW"
QUANTITY: Final = 7
"""What one order needs; the lots together hold what all orders need, and no more."""
TODAY: Final = date(2026, 1, 1)


@dataclass(frozen=True)
class Settings:
    """`orders` reserve from `lots`, `clients` of them at a time."""

    orders: int = 100
    lots: int = 10
    clients: int = 16


def measure(addresses: Addresses, settings: Settings, bars: Bars) -> Document:
    """Reserve for the first half of the orders, look which lots are used, reserve for the rest, and for one more."""
    with scratch(addresses) as database:
        _fill(database.owner_url, settings)
        engine = engine_for(database.app_url, pool_size=settings.clients)
        state = running(addresses.data_dir) or {}
        try:
            used = machine.cpu_seconds(state)
            began = time.perf_counter()
            half = settings.orders // 2
            with bars.bar("allocations", settings.orders) as advance:
                first = _allocate(engine, range(half), settings, advance)
                after_half = _reserved(database.owner_url)
                rest = _allocate(engine, range(half, settings.orders), settings, advance)
            took = time.perf_counter() - began
            spent = machine.cpu_seconds(state)
            over = _Warehouse(engine).allocate(settings.orders)
        finally:
            engine.dispose()
        reserved = _reserved(database.owner_url)
    cpu = {name: round((spent.get(name, 0) - used.get(name, 0)) * 1000 / settings.orders, 2)
           for name in ("client", "postgres")}  # fmt: skip
    return {
        "orders": settings.orders, "lots": settings.lots, "allocationMilliseconds": percentiles([*first, *rest]),
        "allocationsPerSecond": round(settings.orders / took, 1), "cpuMillisecondsOfAnAllocation": cpu,
        "reserved": sum(reserved.values()), "needed": QUANTITY * settings.orders,
        "lotsOutOfOrder": _out_of_order(after_half, QUANTITY * half, settings), "oneMoreIsShort": bool(over.short),
    }  # fmt: skip


def _lot(number: int) -> str:
    """The higher the number, the earlier it expires: the order of numbers is not the order of use."""
    return f"FEFO-{number:03}"


def _of_a_lot(number: int, settings: Settings) -> int:
    """What a lot holds: all lots together hold what all orders need."""
    total = QUANTITY * settings.orders
    return total // settings.lots + (number < total % settings.lots)


def _fill(owner_url: str, settings: Settings) -> None:
    with psycopg.connect(owner_url) as connection:
        for code, zone in ((PLACE, "released"), ("LINE", "line")):
            connection.execute("INSERT INTO place (code, name, zone) VALUES (%s, %s, %s)", (code, code.title(), zone))
        connection.execute(
            "INSERT INTO material (code, uuid, name, kind, unit, is_active) VALUES (%s, %s, %s, 'raw', 'kg', true)",
            (MATERIAL, uuid_for("material", MATERIAL), MATERIAL.title()),
        )
        for number in range(settings.lots):
            expires = TODAY + timedelta(days=100 + settings.lots - number)
            connection.execute(
                "INSERT INTO lot (number, material, unit, status, origin, expires_on, created_at)"
                " VALUES (%s, %s, 'kg', 'released', 'received', %s, now())",
                (_lot(number), MATERIAL, expires),
            )
            connection.execute(
                "INSERT INTO stock_balance (lot, place, on_hand, reserved) VALUES (%s, %s, %s, 0)",
                (_lot(number), PLACE, _of_a_lot(number, settings)),
            )


class _Warehouse:
    """The product's own warehouse, on a day at which no lot has expired."""

    def __init__(self, engine: Engine) -> None:
        self._inventory = PostgresInventory(engine, now=lambda: datetime(2026, 1, 1, 12, tzinfo=UTC))

    def allocate(self, number: int) -> AllocationAnswer:
        """Reserve what one order needs."""
        needs = [MaterialNeed(line=1, material=MATERIAL, quantity=QUANTITY, unit="kg")]
        order = f"FEFO-ORDER-{number:05}"
        return self._inventory.allocate(order, needs, key=f"{order}/allocate", actor="bench")


def _allocate(engine: Engine, numbers: range, settings: Settings, advance: Any) -> list[float]:
    """Seconds of each allocation; all clients begin at once."""
    warehouse, lock = _Warehouse(engine), threading.Lock()

    def one(number: int) -> float:
        began = time.perf_counter()
        answer = warehouse.allocate(number)
        took = time.perf_counter() - began
        if answer.short:
            raise AssertionError(f"order {number} is short: {answer.short}")
        with lock:
            advance(1)
        return took

    with ThreadPoolExecutor(settings.clients) as pool:
        return list(pool.map(one, numbers))


def _reserved(owner_url: str) -> Counter[str]:
    with psycopg.connect(owner_url) as connection:
        found = connection.execute("SELECT lot, reserved FROM stock_balance").fetchall()
    return Counter({lot: int(quantity) for lot, quantity in found})


def _out_of_order(reserved: Counter[str], taken: int, settings: Settings) -> int:
    """How many lots hold another reservation than first expired, first out gives for so much that was taken."""
    wrong = 0
    for number in reversed(range(settings.lots)):
        expected = min(taken, _of_a_lot(number, settings))
        taken -= expected
        wrong += reserved[_lot(number)] != expected
    return wrong
