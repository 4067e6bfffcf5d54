"""What is served beside the procedure of a work order: whatever is asked for, one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from temporalio import workflow

from domain.process import Process, WorkOrder
from workflows.journal import Journal
from workflows.neighbours import Neighbours, OrderIsEnding

Asked = TypeVar("Asked")
TAKEN_AWAY: Final = "2026-11-taken-away"


class OneByOne(ABC, Generic[Asked]):
    """Serves one work order for as long as its order lives. A subclass says what comes next and how it is served."""

    def __init__(self, number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]) -> None:
        self._number = number
        self._journal = journal
        self._neighbours = neighbours
        self._is_ending = is_ending

    async def run(self) -> None:
        """One after the other. It ends, without an error, when the order is ending."""
        try:
            while True:
                await workflow.wait_condition(lambda: self._is_ending() or self._next() is not None)
                if self._is_ending():
                    return
                asked = self._next()
                if asked is None:
                    # A command of the same moment, such as a hold, has taken it away.
                    if workflow.patched(TAKEN_AWAY):
                        continue
                    asked = self._next_formerly()
                    if asked is None:
                        return
                await self._serve(asked)
        except OrderIsEnding:
            return

    @property
    def _process(self) -> Process:
        return self._journal.process

    @property
    def _work_order(self) -> WorkOrder:
        return self._process.work_orders[self._number]

    @abstractmethod
    def _next(self) -> Asked | None:
        """What is asked for first, if anything is."""

    def _next_formerly(self) -> Asked | None:
        """What an order that began before `TAKEN_AWAY` serves all the same; None: the loop is over for this run."""
        return None

    @abstractmethod
    async def _serve(self, asked: Asked) -> None:
        """Serve it. When this returns, `_next` no longer names it. Raises `OrderIsEnding`."""
