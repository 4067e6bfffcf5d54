"""Traces of the product beside the bare recursive SQL, on the same rows, at the same time, warm and cold.

It has a PostgreSQL of its own, in a folder that is removed afterwards: a million lots belong into nobody's record, and
for a cold trace the server is started again with nothing of its files in memory.
"""

import gc
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
from sqlalchemy import Connection, Engine

from benchmarks import genealogy, machine
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from db.migrate import upgrade
from db.queries.trace import Direction, trace
from db.session import engine_for, reading
from system import Addresses, EmbeddedSystem

Document = dict[str, Any]
DIRECTIONS: Final[tuple[Direction, ...]] = ("forward", "backward", "both")
_WAYS: Final = {"forward": ("input_lot", "output_lot"), "backward": ("output_lot", "input_lot")}
_LEVELS: Final[dict[Direction, tuple[int, ...]]] = {"forward": (0, 1, 2), "backward": (5, 6, 7), "both": (3, 4)}
"""Where the traced lots are taken from: a trace forward of a finished lot is empty and proves nothing."""


@dataclass(frozen=True)
class Settings:
    """Lots of each genealogy; traces of each direction, and how many of them are repeated from a cold start."""

    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    samples: int = 40
    cold: int = 3
    seed: int = 1
    hot_descendants: int = 10_000


class Answer(NamedTuple):
    """The rows of one trace, sorted: what the product says, or what the bare SQL says."""

    links: tuple[tuple[Any, ...], ...]
    lots: tuple[tuple[Any, ...], ...]


def bare_statements(direction: Direction) -> tuple[str, str]:
    """The links and the lots of a trace as anybody would write them: nothing is netted, limited or marked."""
    ways = _WAYS if direction == "both" else {direction: _WAYS[direction]}
    walks = ", ".join(
        f"{name}(lot) AS (SELECT %(lot)s::varchar UNION"
        f" SELECT link.{there} FROM {name} JOIN lot_link AS link ON link.{here} = {name}.lot)"
        for name, (here, there) in ways.items()
    )
    links = " UNION ALL ".join(
        "SELECT link.input_lot, link.output_lot, link.quantity, link.unit, link.work_order"
        f" FROM {name} JOIN lot_link AS link ON link.{here} = {name}.lot"
        for name, (here, _) in ways.items()
    )
    walked = " UNION ".join(f"SELECT lot FROM {name}" for name in ways)
    lots = (
        "SELECT lot.number, lot.material, sum(move.quantity), lot.unit, lot.status"
        f" FROM ({walked}) AS walked JOIN lot ON lot.number = walked.lot"
        " JOIN stock_move AS move ON move.lot = lot.number AND move.from_place IN ('SUPPLIER', 'PROCESS')"
        " GROUP BY lot.number"
    )
    return f"WITH RECURSIVE {walks} {links}", f"WITH RECURSIVE {walks} {lots}"


def bare(connection: psycopg.Connection, lot: str, direction: Direction, *, only_links: bool = False) -> Answer:
    """The trace by the bare statements."""
    links, lots = bare_statements(direction)
    found = connection.execute(links.encode(), {"lot": lot}).fetchall()
    return Answer(tuple(found), () if only_links else tuple(connection.execute(lots.encode(), {"lot": lot}).fetchall()))


def product(connection: Connection, lot: str, direction: Direction) -> Answer:
    """The trace as the API's routes ask for it."""
    found = trace(connection, lot, direction)
    return Answer(found.edges, found.nodes)


def measure(folder: Path, settings: Settings, bars: Bars, *, keep: bool = False) -> Document:
    """Every size in a server of its own below `folder`, which is removed, or kept and used again with `keep`."""
    sizes: Document = {}
    try:
        for lots in settings.sizes:
            size = genealogy.Size(lots, settings.hot_descendants, settings.seed)
            sizes[str(lots)] = _size(folder / str(lots), size, settings, bars, keep=keep)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return {"perSize": sizes, "cold": "the server is started again, and its files are dropped from the system's cache"}


def _size(folder: Path, size: genealogy.Size, settings: Settings, bars: Bars, *, keep: bool) -> Document:
    found: Document = {"lots": size.lots}
    try:
        with _server(folder) as addresses:
            found |= _seeded(addresses, size, bars)
            with _Pair(addresses) as pair:
                for direction, chosen in _chosen(addresses, settings).items():
                    bars.say(f"{size.lots} lots, {direction}")
                    found[direction] = _warm(pair, direction, chosen, bars)
                found["hotLot"] = _warm(pair, "forward", [genealogy.HOT] * 5, bars)
                cold = {direction: lots[: settings.cold] for direction, lots in _chosen(addresses, settings).items()}
        for direction, lots in cold.items():
            if lots:
                found[direction] |= _cold(folder, direction, lots, bars)
        if settings.cold:
            found["hotLot"] |= _cold(folder, "forward", [genealogy.HOT], bars)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return found


@contextmanager
def _server(folder: Path) -> Iterator[Addresses]:
    with EmbeddedSystem(
        folder, migrate=lambda addresses: upgrade(addresses.database_owner_url), environment={}, with_temporal=False
    ) as system:
        yield system.addresses


def _seeded(addresses: Addresses, size: genealogy.Size, bars: Bars) -> Document:
    """Write the genealogy, unless the folder has it already."""
    with psycopg.connect(addresses.database_owner_url) as connection:
        there = connection.execute("SELECT count(*) FROM lot").fetchone()
    if there and there[0]:
        return {}
    began = time.perf_counter()
    with bars.bar(f"seeding {size.lots} lots", 3 * size.lots) as advance:
        rows = genealogy.write(addresses.database_owner_url, size, advance)
    return {"rows": rows, "seedingSeconds": round(time.perf_counter() - began, 1)}


def _chosen(addresses: Addresses, settings: Settings) -> dict[Direction, list[str]]:
    """The lots that are traced, by direction; the same seed chooses the same ones."""
    chosen = random.Random(settings.seed)
    found: dict[Direction, list[str]] = {}
    with psycopg.connect(addresses.database_owner_url) as connection:
        for direction, levels in _LEVELS.items():
            materials = [f"LEVEL-{level}" for level in levels]
            rows = connection.execute(
                "SELECT number FROM lot WHERE material = ANY(%s) AND number <> %s ORDER BY number",
                (materials, genealogy.HOT),
            ).fetchall()
            found[direction] = [number for (number,) in chosen.sample(rows, min(settings.samples, len(rows)))]
    return found


class _Pair:
    """A connection of the product and one of bare psycopg to the same database, as the same role."""

    def __init__(self, addresses: Addresses) -> None:
        self._engine: Engine = engine_for(addresses.database_url, pool_size=1)
        self._url = addresses.database_url

    def __enter__(self) -> "_Pair":
        gc.freeze()  # as the API does when it has started
        self._reading = reading(self._engine)
        self.product = self._reading.__enter__()
        self.bare = psycopg.connect(self._url, autocommit=True)
        self.product_pid = self.product.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        return self

    def __exit__(self, *_: object) -> None:
        self.bare.close()
        self._reading.__exit__(None, None, None)
        self._engine.dispose()


class _Spent:
    """Seconds and CPU seconds (client and its server process) of some traces."""

    def __init__(self, backend: int) -> None:
        self._backend = backend
        self.seconds: list[float] = []
        self.cpu = 0.0
        self.rows = 0

    def time(self, ask: Callable[[], Answer]) -> Answer:
        """Ask and take the time."""
        used, server = time.process_time(), machine.own_cpu(self._backend)
        began = time.perf_counter()
        found = ask()
        self.seconds.append(time.perf_counter() - began)
        self.cpu += time.process_time() - used + machine.own_cpu(self._backend) - server
        self.rows += len(found.links) + len(found.lots)
        return found

    def document(self) -> Document:
        """The figures; times in milliseconds."""
        total = sum(self.seconds)
        return {
            **percentiles(self.seconds), "rowsPerSecond": round(self.rows / total) if total else 0,
            "cpuMilliseconds": round(self.cpu * 1000 / max(1, len(self.seconds)), 2),
        }  # fmt: skip


def _warm(pair: _Pair, direction: Direction, lots: Sequence[str], bars: Bars) -> Document:
    """Each lot by both and by the bare links alone, in turns, after one round that nobody times."""
    backend = pair.bare.info.backend_pid
    ours, same, links = _Spent(pair.product_pid), _Spent(backend), _Spent(backend)
    differences = 0
    for lot in lots:
        product(pair.product, lot, direction)
        bare(pair.bare, lot, direction)
    with bars.bar(f"{direction}, warm", len(lots)) as advance:
        for at, lot in enumerate(lots):
            turns: list[Callable[[], Answer]] = [
                lambda lot=lot: ours.time(lambda: product(pair.product, lot, direction)),  # type: ignore[misc]
                lambda lot=lot: same.time(lambda: bare(pair.bare, lot, direction)),  # type: ignore[misc]
            ]
            one, other = (turn() for turn in (turns if at % 2 else reversed(turns)))
            differences += not _agree(one, other)
            links.time(lambda lot=lot: bare(pair.bare, lot, direction, only_links=True))  # type: ignore[misc]
            advance(1)
    return {
        "traces": len(lots), "linksOfATrace": round(links.rows / max(1, len(lots))),
        "product": ours.document(), "bareSql": same.document(), "bareLinksAlone": links.document(),
        "ratio": _ratio(ours.seconds, same.seconds), "cpuRatio": round(ours.cpu / same.cpu, 2) if same.cpu else None,
        "ratioToLinksAlone": _ratio(ours.seconds, links.seconds), "differences": differences,
    }  # fmt: skip


def _ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """The median over the lots of the product's time to the other's."""
    return round(statistics.median(a / b for a, b in zip(ours, others, strict=True)), 2)


def _agree(one: Answer, other: Answer) -> bool:
    return all(sorted(map(tuple, a)) == sorted(map(tuple, b)) for a, b in zip(one, other, strict=True))


def _cold(folder: Path, direction: Direction, lots: Sequence[str], bars: Bars) -> Document:
    """The first trace after a start with an empty cache: the product's, then the bare one's after another start."""
    ours: list[float] = []
    theirs: list[float] = []
    with bars.bar(f"{direction}, cold", len(lots)) as advance:
        for lot in lots:
            for seconds in (ours, theirs):
                forget(folder / "postgres")
                with _server(folder) as addresses, _Pair(addresses) as pair:
                    began = time.perf_counter()
                    if seconds is ours:
                        product(pair.product, lot, direction)
                    else:
                        bare(pair.bare, lot, direction)
                    seconds.append(time.perf_counter() - began)
            advance(1)
    return {"coldProduct": percentiles(ours), "coldBareSql": percentiles(theirs)}


def forget(folder: Path) -> None:
    """Drop the files of a stopped server from the system's cache; what is not written yet is written first."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
