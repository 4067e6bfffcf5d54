"""What people do in the API's tests."""

import asyncio
import uuid
from typing import Any

from tests.api.company import PASSWORD, Company


async def receive(company: Company, lot: str, quantity: str, what: str = "API", **more: Any) -> None:
    """A released lot, of API if nothing else is said."""
    answer = await (await company.desk("wil")).command(
        "/wms/receipts", lot=lot, material=what, quantity=quantity, unit="kg", **more
    )
    assert answer.status_code == 200, answer.text
    path = f"/quality/inspections/{answer.json()['inspection']['number']}"
    values = [{"name": "water", "text": "0.50", "unit": "%"}]
    entered = await (await company.desk("ana")).command(f"{path}/results", values=values)
    assert entered.status_code == 200, entered.text
    decided = await (await company.desk("ben")).command(f"{path}/decision", accept=True)
    assert decided.status_code == 200, decided.text


async def do(company: Company, who: str, path: str, **body: Any) -> dict[str, Any]:
    """A command that is accepted."""
    answer = await (await company.desk(who)).command(path, **body)
    assert answer.status_code == 200, (path, answer.text)
    found: dict[str, Any] = answer.json()
    assert found.get("accepted", True)
    return found


async def until(company: Company, order: str, ready: Any) -> dict[str, Any]:
    """The order, when `ready(order)` is true; by long poll."""
    desk = await company.desk("sam")
    revision = 0
    async with asyncio.timeout(90):
        while True:
            answer = await desk.get(f"/mes/orders/{order}", afterRevision=revision, waitSeconds=5)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            if ready(found):
                return found
            revision = found["revision"]


async def create(company: Company, **plan: Any) -> dict[str, Any]:
    """A new order."""
    line = await company.plan(f"PL-{uuid.uuid4().hex[:8]}", **plan)
    answer = await (await company.desk("pia")).post(f"/mes/orders/from-plan/{line['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def approved(company: Company, order: str) -> None:
    """Submit, approve with a signature, release."""
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
    await do(company, "sam", f"/mes/orders/{order}/release")


STAGES = (
    "draft", "submitted", "approved", "released", "dispatched", "ready", "running", "inspecting", "puttingAway",
    "completed", "closed",
)  # fmt: skip
"""What an order and its only work order go through; every stage is a state of one of them."""


async def at_stage(company: Company, stage: str, **plan: Any) -> tuple[str, str]:
    """A new order of tablets at one of the STAGES: the ids of the order and of its work order."""
    made = await create(company, **{"policy": "swift", **plan})
    order, work_order = made["id"], made["workOrders"][0]["id"]
    for name in STAGES[1 : STAGES.index(stage) + 1]:
        await go_on_to(company, name, order, work_order)
    return order, work_order


async def go_on_to(company: Company, stage: str, order: str, work_order: str) -> None:
    """The step that brings an order from the stage before to this one."""
    path = f"/mes/work-orders/{work_order}"
    match stage:
        case "submitted":
            await do(company, "pia", f"/mes/orders/{order}/submit")
        case "approved":
            await do(company, "sam", f"/mes/orders/{order}/approve")
        case "released":
            await do(company, "sam", f"/mes/orders/{order}/release")
        case "dispatched":
            await do(company, "sam", f"{path}/dispatch")
            await until(company, order, lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "allocated")
        case "ready":
            found = (await (await company.desk("wil")).get(path)).json()
            await do(company, "wes", f"/wms/outbound-orders/{found['pickList']['id']}/approve")
            await do(company, "wes", f"/wms/outbound-orders/{found['pickList']['id']}/execute")
            await until(company, order, lambda o: o["workOrders"][0]["state"] == "ready")
        case "running":
            await do(company, "olu", f"{path}/start-execution")
        case "inspecting":
            await _press(company, work_order)
            await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
        case "puttingAway":
            values = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
            await do(company, "ana", f"{path}/inspection/results", values=values)
            await do(company, "ben", f"{path}/inspection/decision", accept=True)
            await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
        case "completed":
            await do(company, "wil", f"{path}/put-away", place="FINISHED")
            await until(company, order, lambda o: o["state"] == "completed")
        case "closed":
            await do(company, "sam", f"/mes/orders/{order}/close")


async def _press(company: Company, work_order: str) -> None:
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{path}/PRESS/parameters", values=values)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "990", "scrap": "10", "scrapReason": "dust"}
    await do(company, "olu", "/mes/production-reports/report", **report, labourSeconds=60)
    await do(company, "olu", f"{path}/PRESS/complete")


async def own_station(company: Company) -> str:
    """A workstation that no other module has: deviations are numbered by it, and all modules share one engine."""
    code = f"STATION-{uuid.uuid4().hex[:6]}"
    station = {"code": code, "name": code, "line": "A", "equipment": "manual", "capabilities": ["NOTHING"]}
    made = await (await company.desk("pat")).post("/master-data/import", {"workstations": [station]})
    assert made.status_code == 200, made.text
    return code
