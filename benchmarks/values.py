"""Machine values from a machine's answer to committed rows: decoded, written, committed, page by page."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Engine, text

from adapters.equipment import opcua_names
from adapters.equipment.port import Reading
from benchmarks import machine
from benchmarks.databases import scratch
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from db import readings
from db.session import engine_for
from domain.quantities import plain
from system import Addresses

Document = dict[str, Any]
WANTED_PER_SECOND: Final = 10_000
BEGUN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Settings:
    """So many `values`, `tags` of them at each moment; `pages` are the readings of one transaction, tried in turn."""

    values: int = 450_000
    tags: int = 9
    pages: tuple[int, ...] = (10, 100, 500)


def measure(addresses: Addresses, settings: Settings, bars: Bars) -> Document:
    """Every size of a page into an empty database of its own."""
    count = -(-settings.values // settings.tags)
    with scratch(addresses) as database:
        engine = engine_for(database.app_url, pool_size=1)
        try:
            pages = {str(page): _written(engine, page, count, settings, bars) for page in settings.pages}
        finally:
            engine.dispose()
    return {"readingsOfATransaction": pages, "path": "answer of the machine's journal → readings → committed rows"}


def _written(engine: Engine, page: int, count: int, settings: Settings, bars: Bars) -> Document:
    job = f"JOB-{page}"
    answers = [_answer(first, min(page, count - first), settings.tags) for first in range(0, count, page)]
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    seconds: list[float] = []
    used, own, began = machine.own_cpu(backend), time.process_time(), time.perf_counter()
    with bars.bar(f"machine values, {page} readings a transaction", len(answers)) as advance:
        for answer in answers:
            seconds.append(_timed(lambda answer=answer: _store(engine, job, answer)))  # type: ignore[misc]
            advance(1)
    took = time.perf_counter() - began
    cpu = machine.own_cpu(backend) - used + time.process_time() - own
    with engine.connect() as connection:
        found = connection.execute(
            text('SELECT count(*), sum((SELECT count(*) FROM jsonb_object_keys("values"))) FROM equipment_reading'
                 " WHERE job = :job"), {"job": job},
        ).one()  # fmt: skip
    values = int(found[1])
    return {
        "readings": found[0], "values": values, "valuesPerSecond": round(values / took),
        "cpuMicrosecondsOfAValue": round(cpu / values * 1e6, 2),
        "shareOfACoreAtTenThousand": round(cpu / values * WANTED_PER_SECOND, 4),
        "transactionMilliseconds": percentiles(seconds),
    }  # fmt: skip


def _answer(first: int, count: int, tags: int) -> list[Any]:
    """What the machine's journal answers: columns, as they come over the wire."""
    names = [f"tag{tag:02}" for tag in range(tags)]
    rows = [
        Reading(
            sequence=first + at + 1, source_time=BEGUN + timedelta(seconds=first + at),
            values={name: Decimal(first + at) / 8 for name in names},
        )
        for at in range(count)
    ]  # fmt: skip
    return [variant.Value for variant in opcua_names.reading_outputs(rows, names, "", "")]


def _store(engine: Engine, job: str, answer: Sequence[Any]) -> None:
    rows = [
        readings.ReadingRow(own.sequence, own.source_time, own.quality, {k: plain(v) for k, v in own.values.items()})
        for own in opcua_names.readings_from(answer)
    ]
    with engine.begin() as connection:
        readings.store(connection, job, rows)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
