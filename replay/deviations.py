"""What quality does about a deviation that a replay meets: classified, investigated by its owner, approved, closed.

The data say that their batches were released; so what is out of the ordinary was found harmless, and is said to be.
"""

import asyncio
from typing import Any, Final

from domain.base import uuid_for
from replay import people as p
from replay.client import PATIENCE_SECONDS, Document, NotTaken, Plant

OWNER: Final = p.SUPERVISOR
_OVER: Final = frozenset({"closed", "void"})


async def resolve(plant: Plant, number: str, cause: str) -> None:
    """Lead a deviation to its end. Doing it again changes nothing. Raises `NotTaken`."""
    path = await _begun(plant, number)

    async def do(who: str, step: str, *, signed: bool = False, **body: Any) -> None:
        await plant.command(who, f"{path}/{step}", body, key=(number, step), signed=signed)

    await do(p.REVIEWER, "classify", classification="minor", impact="this batch alone")
    await do(p.REVIEWER, "assign", owner=OWNER)
    await do(OWNER, "propose", rootCause=cause, disposition="accept", needsCapa=False)
    await do(p.REVIEWER, "approve", signed=True)
    await do(p.REVIEWER, "close", signed=True)


async def confirm_result(plant: Plant, number: str, cause: str) -> None:
    """An out-of-specification result for which the laboratory is not to blame: it stands, the batch is rejected."""
    path = await _begun(plant, number)

    async def do(who: str, step: str, *, signed: bool = False, **body: Any) -> None:
        await plant.command(who, f"{path}/{step}", body, key=(number, step), signed=signed)

    await do(p.ANALYST_2, "investigate-laboratory")
    await do(p.ANALYST_2, "begin-phase-two", finding="no error of the laboratory is known")
    await do(
        p.ANALYST_2, "conclude", confirmed=True, rootCause=cause, disposition="reject", needsCapa=False,
        report="the source gives the value and no more",
    )  # fmt: skip
    await do(p.REVIEWER, "close", signed=True)


async def open_cases(plant: Plant, order_id: str) -> list[Document]:
    """The deviations of an order that are not decided yet, oldest first."""
    found = (await plant.get(p.REVIEWER, "/quality/cases", orderId=order_id))["cases"]
    return [case for case in reversed(found) if case["state"] not in _OVER]


async def _begun(plant: Plant, number: str) -> str:
    """Where a deviation takes its commands, as soon as its process has begun."""
    path = f"/quality/deviations/{uuid_for('deviation', number)}"
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while await plant.find(p.REVIEWER, path) is None:
        if asyncio.get_running_loop().time() > deadline:
            raise NotTaken(0, "NOT_REACHED", f"the process of deviation {number} has not begun")
        await asyncio.sleep(0.2)
    return path
