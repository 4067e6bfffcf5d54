"""Recorded values for the tests of charts and reports: a process that goes its own ways, then is shifted."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.api.company import Company, line, material, operation
from tests.api.words import at_stage, create, do, go_on_to, receive

PLANT = ZoneInfo("Asia/Shanghai")

IN_CONTROL = (
    0.3, -1.2, 0.8, 0.5, -0.4, 1.4, -0.7, -1.6, 0.2, 0.9, -0.3, 0.6, -1.1, 1.7, 0.1, -0.8, -0.2, 1.1, -1.3, 0.4, -0.5,
)  # fmt: skip
"""A process in control, in units of its sigma; no rule is hit."""
SHIFT = (1.6, 1.4, 1.6, 1.4, 1.6, 1.4, 1.6, 1.4, 1.6, 1.4)
"""What it does after a shift of one and a half sigma."""


TIMED: dict[str, Any] = {
    "materials": [material("PILL", "finished", "pcs")],
    "billsOfMaterial": [
        {"product": "PILL", "version": "1", "baseQuantity": "1000", "lines": [line(1, "API", "5", "kg", "ROLL")]}
    ],
    "routes": [{"product": "PILL", "version": "1", "operations": [
        operation("ROLL", 10, "CUT", [], countsPieces=True, isOutput=True, idealCycleSeconds="0.002")]}],
}  # fmt: skip
"""A product whose route knows how long a piece should take."""


def weights(z: Sequence[float], mean: float = 113, sigma: float = 0.5) -> list[str]:
    """Weights of tablets in mg, as they are typed."""
    return [f"{mean + sigma * value:.3f}" for value in z]


async def pressing(company: Company, **plan: str) -> tuple[str, str]:
    """The ids of an order and its work order, at whose PRESS values can be recorded."""
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    order, work_order = await at_stage(company, "running", **plan)
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return order, work_order


async def weigh(company: Company, work_order: str, texts: Sequence[str]) -> None:
    """Record weights at the press, one by one."""
    path = f"/mes/work-orders/{work_order}/operations/PRESS/parameters"
    for text in texts:
        await do(company, "olu", path, values=[{"name": "weight", "text": text, "unit": "mg"}])


async def rolling(company: Company) -> tuple[str, str]:
    """The ids of an order of pills and its work order, which runs at a saw and has reported."""
    imported = await (await company.desk("pat")).post("/master-data/import", TIMED)
    assert imported.status_code == 200, imported.text
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    made = await create(company, product="PILL", policy="swift")
    order, work_order = made["id"], made["workOrders"][0]["id"]
    for stage in ("submitted", "approved", "released", "dispatched", "ready", "running"):
        await go_on_to(company, stage, order, work_order)
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/ROLL/start")
    body = {"workOrderId": work_order, "operation": "ROLL", "good": "690", "scrap": "10", "scrapReason": "dimension"}
    await do(company, "olu", "/mes/production-reports/report", **body)
    return order, work_order


async def breaks_down(company: Company, station: str) -> str:
    """A machine at a station is registered, and breaks: its code."""
    code = f"{station}-M"
    await do(company, "pat", "/equipment-classes", code=f"CLASS-{code}", name="Saw")
    await do(company, "pat", "/equipment", code=code, name="Saw", equipmentClass=f"CLASS-{code}", line="A",
             workstation=station)  # fmt: skip
    await do(company, "max", f"/equipment/{code}/qualify")
    await do(company, "olu", f"/equipment/{code}/report-fault", reason="the blade is broken")
    return code


async def display(company: Company, kind: str = "line", area: str = "A", name: str = "Hall 1 · Line A") -> str:
    """The address of a new wall display."""
    answer = await (await company.desk("sam")).command("/andon-displays", kind=kind, area=area, name=name)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["address"])


async def figures(company: Company) -> dict[str, str]:
    """What charts and reports show: a shift of the weights, scrap for several reasons, an order that is over."""
    order, work_order = await pressing(company, dueAt="2026-11-20T08:00:00Z")
    await weigh(company, work_order, weights([*IN_CONTROL, *SHIFT]))
    path = "/mes/production-reports/report"
    for good, scrap, reason in (("300", "12", "dimension"), ("200", "7", "surface"), ("180", "3", "machine")):
        body = {"workOrderId": work_order, "operation": "PRESS", "good": good, "scrap": scrap}
        await do(company, "olu", path, **body, scrapReason=reason)
    await do(company, "olu", "/quality/deviations", orderId=order, code="PRESS_NOISE", detail="the press makes a noise")
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    over, _ = await at_stage(company, "closed", dueAt="2027-01-15T08:00:00Z")
    return {"order_figures": order, "work_figures": work_order, "order_closed": over}


async def a_bad_night(company: Company) -> tuple[str, str]:
    """Two stations in two shifts; SAW-2 makes far more scrap by night. The ids of the order and its work order."""
    order, work_order = await pressing(company, policy="swift")
    for station in ("SAW-1", "SAW-2"):
        for hour, bad in ((9, 3), (23, 20 if station == "SAW-2" else 4)):
            ended = datetime(2026, 11, 20, hour, 30, tzinfo=PLANT)
            body = {"good": str(200 - bad), "scrap": str(bad), "scrapReason": "surface", "workstation": station}
            times = {"startedAt": (ended - timedelta(hours=1)).isoformat(), "endedAt": ended.isoformat()}
            report = {"workOrderId": work_order, "operation": "PRESS", **body, **times}
            await do(company, "olu", "/mes/production-reports/report", **report)
    return order, work_order
