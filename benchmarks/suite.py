"""All sections of `mes bench`: which there are, how large they are, and the one document that they make."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from temporalio.exceptions import TemporalError

from benchmarks import console, fefo, floor, machine, open_orders, paper, run, trace, values
from benchmarks.fefo import Settings as FefoSettings
from benchmarks.floor import Settings as FloorSettings
from benchmarks.open_orders import Settings as OpenSettings
from benchmarks.paper import Settings as PaperSettings
from benchmarks.progress import Bars
from benchmarks.run import Life
from benchmarks.trace import Settings as TraceSettings
from benchmarks.values import Settings as ValueSettings
from replay import people as p
from replay.client import NotTaken
from replay.people import Person
from system import Addresses, ChildSpec, SystemRefusal, attach_or_start

Document = dict[str, Any]


@dataclass(frozen=True)
class Board:
    """How many boards are open at once."""

    clients: int = 50


@dataclass(frozen=True)
class Sizes:
    """The size of every section; the default is the full run."""

    life: Life = field(default_factory=Life)
    trace: TraceSettings = field(default_factory=TraceSettings)
    fefo: FefoSettings = field(default_factory=FefoSettings)
    paper: PaperSettings = field(default_factory=PaperSettings)
    board: Board = field(default_factory=Board)
    values: ValueSettings = field(default_factory=ValueSettings)
    floor: FloorSettings = field(default_factory=FloorSettings)
    open: OpenSettings = field(default_factory=OpenSettings)


FULL: Final = Sizes()
QUICK: Final = Sizes(
    life=Life(counted=2, orders=6, clients=(1, 4), rates=(10.0,), seconds=8),
    trace=TraceSettings(sizes=(10_000,), samples=20, cold=1),
    fefo=FefoSettings(),
    paper=PaperSettings(prints=1),
    board=Board(),
    values=ValueSettings(values=90_000, pages=(100,)),
    floor=FloorSettings(count=10),
    open=OpenSettings(orders=60, rests_after_seconds=5),
)
"""At most two minutes on a quiet machine with two cores."""
_NO_FIGURES: Final = (
    NotTaken, SystemRefusal, OSError, RuntimeError, ExceptionGroup, TemporalError, httpx.HTTPError, psycopg.Error,
)  # fmt: skip
"""What may keep a section from its figures; anything else is an error of the benchmark."""
SECTIONS: Final = tuple(own.name for own in fields(Sizes))
WITH_OWN_SYSTEM: Final = frozenset({"trace", "open"})
"""These start servers of their own; the system of the data folder does not run meanwhile, unless it ran before."""


@dataclass(frozen=True)
class Surroundings:
    """What the product's processes are, and who its people are: known to the wiring, not to the benchmarks."""

    children: Callable[[Addresses], Sequence[ChildSpec]]
    migrate: Callable[[Addresses], None]
    people: Callable[[Path], Mapping[str, Person]]


class Suite:
    """One run of some sections."""

    def __init__(self, data_dir: Path, sizes: Sizes, around: Surroundings, bars: Bars) -> None:
        self._data_dir, self._sizes, self._around, self._bars = data_dir, sizes, around, bars
        self._versions: dict[str, str] = {}

    def run(self, names: Collection[str]) -> Document:
        """The document. A section that fails says why in its place, and the others are run all the same."""
        chosen = [name for name in SECTIONS if name in names]
        before, began, at = machine.described(), time.perf_counter(), datetime.now(UTC)
        found: Document = {}
        for name in chosen:
            if name in WITH_OWN_SYSTEM:
                found[name] = self.section(name, lambda name=name: self.alone(name))  # type: ignore[misc]
        together = [name for name in chosen if name not in WITH_OWN_SYSTEM]
        try:
            with self._system(whole=bool(together)) as addresses:
                self._versions = machine.versions(addresses.database_owner_url)
                for name in together:
                    found[name] = self.section(name, lambda name=name: self._on(addresses, name))  # type: ignore[misc]
        except SystemRefusal as refused:
            # What was measured before is worth having.
            found = {name: {"failed": _said(refused)} for name in together} | found
        settings = {name: asdict(getattr(self._sizes, name)) for name in chosen}
        return {
            "benchmark": "all" if len(chosen) == len(SECTIONS) else ", ".join(chosen), "startedAt": at.isoformat(),
            "seconds": round(time.perf_counter() - began, 1),
            "machine": before | {"loadAfter": machine.load()}, "versions": self._versions, "settings": settings,
            "sections": {name: found[name] for name in chosen},
        }  # fmt: skip

    def _system(self, *, whole: bool) -> Any:
        """The system of the data folder; only its record where no section needs more than its version."""
        return attach_or_start(
            self._data_dir, children=self._around.children if whole else None, migrate=self._around.migrate,
            report=self._bars.say, with_temporal=whole,
        )  # fmt: skip

    def section(self, name: str, work: Callable[[], Document]) -> Document:
        """The figures of `work`, or why there are none, with the time and the load."""
        self._bars.say(f"section {name}")
        load, began = machine.load(), time.perf_counter()
        try:
            found = work()
        except (
            NotTaken,
            SystemRefusal,
            OSError,
            RuntimeError,
            ExceptionGroup,
            TemporalError,
            httpx.HTTPError,
        ) as error:
            found = {"failed": _said(error)}
        return found | {"seconds": round(time.perf_counter() - began, 1), "load": [load, machine.load()]}

    def alone(self, name: str) -> Document:
        """A section that has a system of its own, beside the data folder."""
        folder = self._data_dir.with_name(f"{self._data_dir.name}-{name}")
        if name == "trace":
            return trace.measure(folder, self._sizes.trace, self._bars)
        return open_orders.measure(
            folder, self._sizes.open, self._bars,
            children=self._around.children, migrate=self._around.migrate, people_of=self._around.people,
        )  # fmt: skip

    def _on(self, addresses: Addresses, name: str) -> Document:
        people, sizes, bars = self._around.people(addresses.data_dir), self._sizes, self._bars
        match name:
            case "life":
                return run.live(addresses, people, sizes.life, bars.say)
            case "fefo":
                return fefo.measure(addresses, sizes.fefo, bars)
            case "paper":
                return paper.measure(addresses, people, sizes.paper, bars)
            case "board":
                return console.measure_boards(addresses, people[p.SUPERVISOR], sizes.board.clients)
            case "values":
                return values.measure(addresses, sizes.values, bars)
            case _:
                return floor.measure(addresses, sizes.floor, bars)


def _said(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_said(one) for one in error.exceptions)
    return f"{type(error).__name__}: {error}"


def failed(document: Document) -> list[str]:
    """The sections that have no figures."""
    return [name for name, found in document["sections"].items() if "failed" in found]
