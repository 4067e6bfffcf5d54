"""Orders that are left at every stage of their life, so that people find something to do when they look at the console.

Each is made of a real row under a number of its own (`FIRST` and counted on) and led by the same steps as in a replay,
up to its stage.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from plants.tablets.source import Batch
from replay import people as p
from replay.client import Plant
from replay.floor import Floor
from replay.progress import Count
from replay.tablet_order import OPERATIONS, TabletOrder

FIRST: Final = 20_001
"""Numbers of the rows end far below it."""
COATING: Final = "coating"
STAGES: Final = (
    "reviewed", "put away", "tested", "COAT", "COMPRESS", "DISPENSE", "picked", "dispatched", "released", "submitted",
    "planned", COATING,
)  # fmt: skip
"""The last step that is done, the furthest first; at the end the one that is in progress, for it keeps its coater."""


def stage_at(place: int) -> str:
    """The stage of the order at this place, from 0: each in turn, but no second order is left on a coater."""
    return STAGES[place] if place < len(STAGES) else STAGES[(place - len(STAGES)) % (len(STAGES) - 1)]


def left_open(rows: Sequence[Batch], count: int) -> list[Batch]:
    """So many batches of real rows, in turn."""
    return [replace(rows[at % len(rows)], number=FIRST + at) for at in range(count)]


class OpenOrder(TabletOrder):
    """An order that stops after one of the STAGES; the step behind it is a person's."""

    def __init__(self, plant: Plant, floor: Floor, batch: Batch, count: Count, stage: str) -> None:
        super().__init__(plant, floor, batch, count)
        self._stage = stage

    async def run(self) -> None:
        """Make the order and lead it to its stage. Raises `NotTaken`."""
        for name, step in self._steps():
            await step()
            if name == self._stage:
                break
        self._count.over(self._number, self._stage)

    def _steps(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        if self._stage == "submitted":
            yield "planned", self._plan
            yield "submitted", self._submit
        yield "planned", self._plan
        yield "released", self._prepare
        if self._stage == "dispatched":
            yield "dispatched", self._dispatch
        yield "picked", self._pick
        for operation, operator, second in OPERATIONS:
            if operation == "COAT" and self._stage == COATING:
                yield COATING, self._begin_coating
            yield operation, partial(self._at_the_station, operation, operator, second)
        yield "tested", self._inspect
        yield "put away", partial(self._put_away, "QUARANTINE")
        yield "reviewed", self._review

    async def _submit(self) -> None:
        await self._command("submit", p.PLANNER)

    async def _begin_coating(self) -> None:
        """The coater is cleared and started: whoever logs in as the operator can report and enter values at once."""
        step = self._step("COAT", p.OPERATOR, p.OPERATOR_2)
        async with self._floor.station(self._stations["COAT"]):
            await self._floor.make_ready(step)
            await self._work("operations/COAT/start", p.OPERATOR)

    async def _dispatch(self) -> None:
        await self._work("dispatch", p.PLANNER)
        await self._wait(lambda own: (own["pickList"] or {}).get("state") == "allocated")
