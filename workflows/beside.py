"""What goes on beside the procedure of a work order: start gate, weighing, recovered material, batch record review."""

import asyncio
from collections.abc import Callable, Iterable

from workflows.dispensing import begin_dispensing
from workflows.journal import Journal
from workflows.neighbours import Neighbours
from workflows.record_review import begin_review
from workflows.recovering import begin_recovering
from workflows.start_gate import begin_gate


def begin(
    number: str,
    journal: Journal,
    neighbours: Neighbours,
    is_ending: Callable[[], bool],
) -> list[asyncio.Task[None]]:
    """The tasks that the order's policy asks for; each ends, without an error, with the order."""
    return [
        *begin_review(number, journal, neighbours, is_ending),
        *begin_gate(number, journal, neighbours, is_ending),
        *begin_dispensing(number, journal, neighbours, is_ending),
        *begin_recovering(number, journal, neighbours, is_ending),
    ]


async def all_of(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Wait for each. Never in a `finally`: a run that is thrown out of memory may not wait for anything."""
    for task in tasks:
        await task
