"""What quality does about a deviation that a replay meets: classified, investigated by its owner, approved, closed.

The data say that their batches were released; so what is out of the ordinary was found harmless, and is said to be.
"""

import asyncio
from typing import Any, Final

from domain.base import uuid_for
from domain.rules.order_deviations import OUT_OF_SPECIFICATION
from replay import people as p
from replay.client import NotTaken, Plant

OWNER: Final = p.SUPERVISOR


async def resolve(plant: Plant, number: str, cause: str, *, report: str = "") -> None:
    """Lead a deviation to its end: a minor one, or with a `report` a major one; the quality manager approves that, too.

    Doing it again changes nothing. Raises `NotTaken`.
    """
    path = await _begun(plant, number)

    async def do(who: str, step: str, *, signed: bool = False, **body: Any) -> None:
        await plant.command(who, f"{path}/{step}", body, key=(number, step), signed=signed)

    await do(p.REVIEWER, "classify", classification="major" if report else "minor", impact="this batch alone")
    await do(p.REVIEWER, "assign", owner=OWNER)
    await do(OWNER, "propose", rootCause=cause, disposition="accept", needsCapa=False, report=report)
    await do(p.REVIEWER, "approve", signed=True)
    if report:
        await do(p.QUALITY, "approve-as-quality-manager", signed=True)
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


async def retest(plant: Plant, number: str, error: str) -> None:
    """An out-of-specification result that the laboratory is to blame for: proven, and the test is done once more."""
    path = await _begun(plant, number)
    for who, step, body in (
        (p.ANALYST_2, "investigate-laboratory", {}),
        (p.REVIEWER, "prove-laboratory-error", {"finding": error}),
        (p.REVIEWER, "authorise-retest", {}),
    ):
        await plant.command(who, f"{path}/{step}", body, key=(number, step))


async def set_aside(plant: Plant, number: str, cause: str, report: str) -> None:
    """The result of before the retest is not confirmed. Who concludes does not close."""
    path = await _begun(plant, number)
    body = {"confirmed": False, "rootCause": cause, "disposition": "accept", "needsCapa": False, "report": report}
    await plant.command(p.ANALYST_2, f"{path}/conclude", body, key=(number, "conclude"))
    await plant.command(p.REVIEWER, f"{path}/close", {}, key=(number, "close"), signed=True)


async def open_deviations(plant: Plant, order_id: str, *, results: bool) -> list[str]:
    """The numbers of an order's deviations that are not decided, oldest first: failed results, or all others."""
    found = (await plant.get(p.REVIEWER, "/quality/deviations", orderId=order_id))["deviations"]
    return [
        own["number"]
        for own in reversed(found)
        if own["state"] == "open" and (own["code"] == OUT_OF_SPECIFICATION) == results
    ]


async def _begun(plant: Plant, number: str) -> str:
    """Where a deviation takes its commands, as soon as its process has begun."""
    path = f"/quality/deviations/{uuid_for('deviation', number)}"
    deadline = asyncio.get_running_loop().time() + plant.patience
    while await plant.find(p.REVIEWER, path) is None:
        if asyncio.get_running_loop().time() > deadline:
            raise NotTaken(0, "NOT_REACHED", f"the process of deviation {number} has not begun")
        await asyncio.sleep(0.2)
    return path
