"""How far a replay is, for whoever draws it, and the parts that both replays share."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from plants.texts import Unreadable
from replay.client import NotTaken
from replay.report import Refusal, ReplayedOrder, ReplayReport

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """`done` of `total` orders are over; `order` has just reached `stage` (`closed`, or a step's name)."""

    done: int
    total: int
    order: str
    stage: str


Watcher = Callable[[Progress], None]


class Count:
    """Tells a watcher about every step."""

    def __init__(self, total: int, watcher: Watcher | None) -> None:
        self.total, self.done, self._watcher = total, 0, watcher

    def at(self, order: str, stage: str) -> None:
        """An order has reached a stage."""
        if self._watcher is not None:
            self._watcher(Progress(self.done, self.total, order, stage))

    def over(self, order: str, stage: str) -> None:
        """An order is over, well or not."""
        self.done += 1
        self.at(order, stage)


class Stopwatch:
    """Takes the time of a replay and writes its report."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def report(
        self,
        orders: Sequence[ReplayedOrder | None],
        refusals: Sequence[Refusal],
        unreadable: Sequence[Unreadable],
    ) -> ReplayReport:
        """The report, refusals in the order of the source's rows."""
        seconds = time.perf_counter() - self._began
        made = tuple(order for order in orders if order is not None)
        refused = [*refusals, *(Refusal(row=one.row, code=one.code, detail=one.detail) for one in unreadable)]
        return ReplayReport(
            orders=made,
            refusals=tuple(sorted(refused, key=lambda refusal: refusal.row)),
            seconds=round(seconds, 3),
            orders_per_second=round(len(made) / seconds, 3) if seconds > 0 else 0.0,
        )


def refusal_of(row: int, subject: str, refused: NotTaken) -> Refusal:
    """The report's entry for a refusal: of several blockers all are named."""
    return Refusal(row=row, code=refused.code, detail=f"{subject}: {refused.detail}")


async def in_parallel(items: Sequence[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do the work for all items, at most `at_once` at a time, begun in their order. The first error ends it all."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, min(at_once, len(items)))):
            group.create_task(worker())
