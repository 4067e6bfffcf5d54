"""The words of a weighing booth: a scale of the register, an order whose active ingredient is weighed there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.equipment.pki import ensure_pair
from adapters.equipment.scale_server import ScaleServer
from domain import commands as c
from domain.policy import Policy
from domain.scanning import ScanKind, Scanned
from tests.contracts.equipment.support import PASSWORD, free_port
from tests.desk import GMP, tablet_order
from tests.line import Line, on_line
from tests.plant import Order, Plant

WEIGHING = GMP.model_copy(update={"code": "weighing", "weighing": True, "batch_record_review": True})
HUNDRED = {"quantity": Decimal("100"), "weighing_tolerance": Decimal("0.5"), "reserve_percent": Decimal(10)}


@asynccontextmanager
async def listening_scale(folder: Path) -> AsyncIterator[tuple[ScaleServer, dict[str, str]]]:
    """A scale that listens, and how a workstation reaches it (the password is the press's of the tests)."""
    server, us = await asyncio.to_thread(ensure_pair, folder)
    port = free_port()
    reached = {"url": f"opc.tcp://127.0.0.1:{port}/scale", "identity": str(us.folder), "password": "env:PRESS_PASSWORD"}
    async with ScaleServer().serving(port, server, "mes", PASSWORD) as serving:
        yield serving, reached


@dataclass
class Booth:
    """A weighing booth: its scale stands in the register as the equipment of a line."""

    plant: Plant
    line: Line
    order: Order

    @property
    def lots(self) -> dict[str, Decimal]:
        """What of API-1 lies at the line and in containers for everybody."""
        found = self.plant.balance("API-1")
        return {place: found.get(place, (Decimal(0),))[0] for place in ("RAW", "LINE", "DISPENSED")}

    async def weigh(self, gross: str | None, tare: str | None = "1.0", **more: Any) -> str:
        """Olu weighs, ole beside; gives the number of the container."""
        fields: dict[str, Any] = {
            "operation": "DISPENSE", "line": 1, "scale": self.line.press, "unit": "kg", "scans": (lot("API-1"),),
            "tare": tare, "gross": gross, "second_signer": "ole" if tare else None, **more,
        }  # fmt: skip
        return (await self.order.do(c.WeighMaterial, "olu", **fields)).result["container"]

    def scanned(self, number: str) -> Scanned:
        """The scan of a container."""
        return Scanned(
            text=number, kind=ScanKind.CONTAINER, id=number, lot="API-1", material="API", status="released",
            work_order=self.order.work_order, batch=self.order.lot,
        )  # fmt: skip


def lot(number: str) -> Scanned:
    """The scan of a released lot."""
    return Scanned(
        text=number, kind=ScanKind.LOT, id=number, lot=number, material=number.split("-")[0], status="released"
    )


async def booth(plant: Plant, policy: Policy = WEIGHING, ready: bool = True, **line: Any) -> Booth:
    """An order at the scale: 100 kg ± 0.5 kg of API, 110 kg at the line."""
    scale = await asyncio.to_thread(lambda: Line(plant.engine))
    if ready:
        await asyncio.to_thread(lambda: scale.qualified().calibrated())
    order = tablet_order(policy, plant.next_number())
    (own,) = order.work_orders
    api = own.materials[0].model_copy(update={**HUNDRED, **line})
    own = own.model_copy(update={"materials": (api, *own.materials[1:])})
    made = Order(plant, on_line(order.model_copy(update={"work_orders": (own,)}), scale, "DISPENSE"))
    await made.start()
    await made.picked()
    await made.do(c.StartOperation, "olu", operation="DISPENSE")
    return Booth(plant, scale, made)
