"""One order from approval to close, each step by the person whose duty it is, each step timed."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from benchmarks.product import CHARACTERISTIC, PLANT, POLICY, QUANTITY, component, operation, product
from replay import people as p
from replay.client import Document, Plant

VALUES: Final = [{"name": CHARACTERISTIC["name"], "text": "100.0", "unit": CHARACTERISTIC["unit"]}]
ORDERS_OF_A_LOT: Final = 10


class Timings:
    """Seconds from a command's request to its verdict in the record, by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.orders: list[float] = []
        """Of whole orders, from the plan line to the close."""

    def all(self) -> list[float]:
        """Those of all steps."""
        return [second for seconds in self.seconds.values() for second in seconds]


class Pace:
    """Commands at a fixed rate over all clients; none is held up without a rate."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 0.0 if per_second is None else 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next slot."""
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        slot = max(self._next, now)
        self._next = slot + self._gap
        await asyncio.sleep(slot - now)


class BenchOrder:
    """The life of one order. `number` is new in every run, so that nothing was done before."""

    def __init__(self, plant: Plant, number: str, components: int, operations: int, timings: Timings, pace: Pace):
        self._plant, self._number, self._timings, self._pace = plant, number, timings, pace
        self._product = product(components, operations)
        self._operations = [operation(at) for at in range(1, operations + 1)]
        self._order, self._work_order = "", ""

    async def run(self) -> None:
        """Make, do and close the order. Raises `NotTaken`."""
        began = time.perf_counter()
        await self._plan()
        await self._command("submit", p.PLANNER)
        await self._command("approve", p.SUPERVISOR)
        await self._command("release", p.RELEASER)
        await self._pick()
        for code in self._operations:
            await self._operate(code)
        await self._finish()
        self._timings.orders.append(time.perf_counter() - began)

    async def _plan(self) -> None:
        line = {
            "reference": f"{PLANT}/{self._number}", "product": self._product, "quantity": str(QUANTITY), "unit": "pcs",
            "policy": POLICY.code, "plant": PLANT, "orderNumber": self._number,
        }  # fmt: skip
        planned = await self._plant.post(p.PLANNER, "/mes/plan-lines", [line])
        made = await self._timed(
            "from-plan", lambda: self._plant.post(p.PLANNER, f"/mes/orders/from-plan/{planned[0]['id']}", {})
        )
        self._order, self._work_order = made["id"], made["workOrders"][0]["id"]
        if "outcomeUrl" in made:
            await self._plant.wait(p.PLANNER, self._number, lambda _: True)

    async def _pick(self) -> None:
        await self._work("dispatch", p.PLANNER)
        order = await self._wait(lambda own: (own["pickList"] or {}).get("state") == "allocated")
        path = f"/wms/outbound-orders/{order['pickList']['id']}"
        await self._send("approve-pick-list", p.KEEPER_2, f"{path}/approve", {})
        await self._send("issue", p.KEEPER, f"{path}/execute", {})
        await self._wait(lambda own: own["state"] == "ready")

    async def _operate(self, code: str) -> None:
        await self._work(f"operations/{code}/start", p.OPERATOR, step="start")
        report = {"workOrderId": self._work_order, "operation": code, "good": str(QUANTITY), "labourSeconds": 60}
        await self._send("report", p.OPERATOR, "/mes/production-reports/report", report, code)
        await self._work(f"operations/{code}/complete", p.OPERATOR, step="complete")

    async def _finish(self) -> None:
        await self._wait(lambda own: (own["inspection"] or {}).get("state") == "created")
        await self._work("inspection/results", p.ANALYST, {"values": VALUES}, step="results")
        await self._work("inspection/decision", p.ANALYST_2, {"accept": True}, step="decision")
        await self._wait(lambda own: own["state"] == "puttingAway")
        await self._work("put-away", p.KEEPER, {"place": "FINISHED"})
        await self._plant.wait(p.SUPERVISOR, self._number, lambda order: order["state"] == "completed")
        await self._command("close", p.SUPERVISOR)

    async def _command(self, step: str, who: str) -> None:
        await self._send(step, who, f"/mes/orders/{self._order}/{step}", {})

    async def _work(self, path: str, who: str, body: Document | None = None, step: str = "") -> None:
        await self._send(step or path, who, f"/mes/work-orders/{self._work_order}/{path}", body or {}, path)

    async def _send(self, step: str, who: str, path: str, body: Document, part: str = "") -> None:
        key = (self._number, step, part)
        await self._pace.turn()
        await self._timed(step, lambda: self._plant.command(who, path, body, key=key))

    async def _timed(self, step: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        began = time.perf_counter()
        answer = await ask()
        self._timings.seconds[step].append(time.perf_counter() - began)
        return answer

    async def _wait(self, reached: Callable[[Document], bool]) -> Document:
        order = await self._plant.wait(p.SUPERVISOR, self._number, lambda found: reached(found["workOrders"][0]))
        own: Document = order["workOrders"][0]
        return own


async def stock(plant: Plant, run: str, components: int, orders: int) -> None:
    """Released lots of every component, one for every ten orders: as in a plant, neighbours share their lots."""
    lots = -(-orders // ORDERS_OF_A_LOT)
    for at in range(1, components + 1):
        for part in range(lots):
            await _receive(plant, f"{run}-{at:03}-{part:03}", component(at))


async def _receive(plant: Plant, lot: str, material: str) -> None:
    body = {"lot": lot, "material": material, "quantity": str(QUANTITY * ORDERS_OF_A_LOT), "unit": "kg"}
    received = await plant.command(p.KEEPER, "/wms/receipts", body, key=(lot, "receipt"))
    path = f"/quality/inspections/{received['inspection']['number']}"
    await plant.command(p.ANALYST, f"{path}/results", {"values": VALUES}, key=(lot, "results"))
    await plant.command(p.ANALYST_2, f"{path}/decision", {"accept": True}, key=(lot, "decision"))
