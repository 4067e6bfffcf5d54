"""The shop floor as a replay's people keep it: one batch at a station, rooms cleaned after each, lines cleared before.

What has to be done is what the system says is in the way (`readiness`), as a terminal shows it; so no start is refused.
Who checks is never who did it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from replay.client import Document, Plant

_OCCUPIED: Final = frozenset({"EQUIPMENT_IN_USE", "ROOM_OCCUPIED", "EQUIPMENT_RESERVED"})
_TO_CLEAN: Final = frozenset({"toBeCleaned", "cleaning", "cleanExpired", "dirtyHoldExceeded"})
_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Step:
    """An operation that somebody is about to do: `second` checks what `doer` does, `clearance` is looked at before."""

    order: str
    work_order_id: str
    product: str
    batch: str
    operation: str
    room: str
    clearance: Sequence[str]
    doer: str
    second: str

    @property
    def path(self) -> str:
        """Where the operation stands in the API."""
        return f"/mes/work-orders/{self.work_order_id}/operations/{self.operation}"


class Floor:
    """The stations of one plant. Safe for many orders at once: whoever holds a station has it alone."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._stations: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def station(self, workstation: str) -> AbstractAsyncContextManager[None]:
        """Use with `async with`: the next order waits until this one has left the station and it is clean again."""
        return self._stations[workstation]

    async def make_ready(self, step: Step) -> list[Document]:
        """Clean and clear what the start waits for, and wait while another batch is there.

        The answer is what still stands in the way, and is not a matter of the floor.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._plant.patience
        while True:
            found: list[Document] = (await self._plant.get(step.doer, f"{step.path}/readiness"))["blockers"]
            codes = {blocker["code"] for blocker in found}
            if not codes & _OCCUPIED or loop.time() > deadline:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        if "NOT_CLEAN" in codes:
            await self.clean(step)
        if "CLEARANCE_MISSING" in codes:
            await self._clear(step)
        return [blocker for blocker in found if blocker["code"] not in ("NOT_CLEAN", "CLEARANCE_MISSING")]

    async def clean(self, step: Step) -> None:
        """Clean the room with what stands in it, where it is not clean; another person looks."""
        room = await self._plant.get(step.doer, f"/equipment/{step.room}")
        if room["cleaning"] not in _TO_CLEAN:
            return
        path, key = f"/equipment/{step.room}", _since(room)
        if room["cleaning"] != "cleaning":
            body: Mapping[str, object] = {"level": "full", "withEquipment": True}
            await self._plant.command(step.doer, f"{path}/clean", body, key=(*key, "clean"))
        looks = step.second if room["cleanedBy"] != step.second else step.doer
        done = {"accept": True, "withEquipment": True}
        await self._plant.command(looks, f"{path}/verify-cleaning", done, key=(*key, "verify"))

    async def _clear(self, step: Step) -> None:
        """The line clearance of a room that is clean: everything was looked at, and another person confirms it."""
        room = await self._plant.get(step.doer, f"/equipment/{step.room}")
        key = (step.order, step.operation, *_since(room))
        form = {
            "room": step.room, "product": step.product, "batch": step.batch, "operation": step.operation,
            "items": [{"item": item, "passed": True} for item in step.clearance],
        }  # fmt: skip
        made = await self._plant.command(step.doer, "/line-clearances", form, key=(*key, "clearance"))
        path = f"/line-clearances/{made['number']}/check"
        await self._plant.command(step.second, path, {"accept": True}, key=(*key, "check"))


def _since(room: Document) -> tuple[str, str, str]:
    """What makes a cleaning or clearance of a room another one than the last: its last batch and its last cleaning."""
    return room["code"], room["freedAt"] or "new", room["fullyCleanedAt"] or "never"
