"""A batch record of hundreds of values on paper: made over the public API, printed over the public API."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from benchmarks import machine
from benchmarks.product import CHARACTERISTIC, PLANT, POLICY, QUANTITY
from benchmarks.progress import Bars
from benchmarks.run import percentiles
from plants import places
from replay import people as p
from replay.client import Plant
from replay.people import Person
from replay.setup import import_master_data
from system import Addresses, running

Document = dict[str, Any]
OF_AN_OPERATION: Final = 150
"""How many values one operation has; a route allows 200."""
OF_A_COMMAND: Final = 50


@dataclass(frozen=True)
class Settings:
    """A record of `rows` values, printed `prints` times in each language."""

    rows: int = 300
    prints: int = 5


def measure(addresses: Addresses, people: Mapping[str, Person], settings: Settings, bars: Bars) -> Document:
    """Make one order with so many values and print its record."""
    return asyncio.run(_measure(addresses, people, settings, bars))


async def _measure(addresses: Addresses, people: Mapping[str, Person], settings: Settings, bars: Bars) -> Document:
    state = running(addresses.data_dir) or {}
    async with Plant(lambda: httpx.AsyncClient(base_url=addresses.api_url or "", timeout=120), people) as plant:
        bars.say(f"an order with {settings.rows} values")
        work_order = await _recorded(plant, settings)
        record = await plant.get(p.REVIEWER, f"/mes/work-orders/{work_order}/batch-record")
        found: Document = {"rows": _values(record)}
        for language in ("en", "zh"):
            seconds: list[float] = []
            used = machine.cpu_seconds(state).get("api", 0.0)
            with bars.bar(f"prints, {language}", settings.prints) as advance:
                for _ in range(settings.prints):
                    began = time.perf_counter()
                    pdf = await plant.file(
                        p.REVIEWER, f"/mes/work-orders/{work_order}/batch-record/pdf", language=language
                    )
                    seconds.append(time.perf_counter() - began)
                    advance(1)
            spent = machine.cpu_seconds(state).get("api", 0.0) - used
            found[language] = {
                **percentiles(seconds), "bytes": len(pdf), "isPdf": pdf.startswith(b"%PDF-"),
                "apiCpuSecondsOfAPrint": round(spent / settings.prints, 3),
            }  # fmt: skip
    return found


def _values(record: Document) -> int:
    return sum(len(operation["parameters"]) for operation in record["operations"])


def _build(rows: int) -> Document:
    """The master data: as many operations as it takes, one after the other, every value of each within its limits."""
    code = f"BENCH-RECORD-{rows}"
    counts = [min(OF_AN_OPERATION, rows - first) for first in range(0, rows, OF_AN_OPERATION)]
    steps = [f"RECORD-{at:02}" for at in range(1, len(counts) + 1)]
    return {
        "materials": [{"code": code, "name": code.title(), "kind": "finished", "unit": "pcs"}],
        "places": places.documents(),
        "workstations": [
            {"code": f"{step}-1", "name": step, "line": "1", "equipment": "manual", "capabilities": [step]}
            for step in steps
        ],
        "billsOfMaterial": [{"product": code, "version": "1", "baseQuantity": "1", "lines": []}],
        "routes": [{"product": code, "version": "1", "operations": [
            {"code": step, "sequence": 10 * at, "name": step, "capability": step, "countsPieces": True,
             "predecessors": steps[at - 2 : at - 1], "isOutput": at == len(steps),
             "parameters": [_parameter(number) for number in range(count)]}
            for at, (step, count) in enumerate(zip(steps, counts, strict=True), 1)]}],
        "inspectionPlans": [{"material": code, "characteristics": [CHARACTERISTIC]}],
        "policies": [POLICY.model_dump(mode="json", by_alias=True)],
    }  # fmt: skip


def _parameter(number: int) -> Document:
    return {"name": f"value {number:03}", "unit": "mg", "low": "90", "high": "110"}


async def _recorded(plant: Plant, settings: Settings) -> str:
    """An order in work, with every value recorded; gives the uuid of its work order."""
    build = _build(settings.rows)
    await import_master_data(plant, build)
    number = f"RECORD-{uuid.uuid4().hex[:8].upper()}"
    line = {
        "reference": f"{PLANT}/{number}", "product": build["materials"][0]["code"], "quantity": str(QUANTITY),
        "unit": "pcs", "policy": POLICY.code, "plant": PLANT, "orderNumber": number,
    }  # fmt: skip
    planned = await plant.post(p.PLANNER, "/mes/plan-lines", [line])
    made = await plant.post(p.PLANNER, f"/mes/orders/from-plan/{planned[0]['id']}", {})
    if "outcomeUrl" in made:  # no verdict in time: it stands in the record a little later
        await plant.wait(p.PLANNER, number, lambda _: True)
    work_order: str = made["workOrders"][0]["id"]
    for step, who in (("submit", p.PLANNER), ("approve", p.SUPERVISOR), ("release", p.RELEASER)):
        await plant.command(who, f"/mes/orders/{made['id']}/{step}", {}, key=(number, step))

    async def work(path: str, who: str, body: Document, *part: object) -> None:
        await plant.command(who, f"/mes/work-orders/{work_order}/{path}", body, key=(number, path, *part))

    await work("dispatch", p.PLANNER, {})
    await plant.wait(p.SUPERVISOR, number, lambda order: order["workOrders"][0]["state"] == "ready")
    for operation in build["routes"][0]["operations"]:
        code = operation["code"]
        await work(f"operations/{code}/start", p.OPERATOR, {})
        for first in range(0, len(operation["parameters"]), OF_A_COMMAND):
            values = [
                {"name": own["name"], "text": f"{95 + at % 10}.{at % 7}", "unit": own["unit"]}
                for at, own in enumerate(operation["parameters"][first : first + OF_A_COMMAND], first)
            ]
            await work(f"operations/{code}/parameters", p.OPERATOR, {"values": values}, first)
        report = {"workOrderId": work_order, "operation": code, "good": str(QUANTITY), "labourSeconds": 60}
        await plant.command(p.OPERATOR, "/mes/production-reports/report", report, key=(number, code, "report"))
        await work(f"operations/{code}/complete", p.OPERATOR, {})
    return work_order
