"""Faults, repairs and planned maintenance over the API: a running batch is held until others have verified (SM-9)."""

import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.api.company import Company
from tests.api.signing import audited
from tests.api.test_equipment import NEXT_YEAR, refused
from tests.api.words import at_stage, do, receive, until

pytestmark = pytest.mark.usefixtures("working")


async def registered(company: Company, code: str, **more: Any) -> str:
    """Equipment that pat has registered and max has qualified; the path of its acts."""
    await do(company, "pat", "/equipment-classes", code="KETTLE", name="Kettle")
    await do(company, "pat", "/equipment", code=code, name=code, equipmentClass="KETTLE", calibrated=False, **more)
    await do(company, "max", f"/equipment/{code}/qualify", validUntil=NEXT_YEAR)
    return f"/equipment/{code}"


def mixing(order: dict[str, Any]) -> dict[str, Any]:
    (found,) = (one for one in order["workOrders"][0]["operations"] if one["code"] == "MIX")
    return dict(found)


async def told(engine: Engine) -> None:
    """The order has heard of the repair."""
    for _ in range(500):
        if await asyncio.to_thread(audited, engine, "operation.equipmentRepaired"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the order was not told")


@pytest.mark.accepts("B16", "EQ-06")
async def test_a_fault_holds_the_running_batch_until_a_repair_with_parts_is_verified(
    company: Company, engine: Engine
) -> None:
    path = await registered(company, "KETTLE-1", workstation="BENCH")
    await receive(company, "API-KETTLE", "100")
    order, work_order = await at_stage(company, "running")
    operation = f"/mes/work-orders/{work_order}/operations/MIX"
    await do(company, "olu", f"{operation}/start")
    answer = await do(company, "olu", f"{path}/report-fault", reason="the stirrer stands still")
    assert (answer["maintenanceOrder"], answer["availability"]) == ("KETTLE-1-M1", "down")
    repair = f"/maintenance-orders/{answer['maintenanceOrderId']}"
    held = await until(company, order, lambda o: mixing(o)["state"] == "held")
    assert len(held["openDeviations"]) == 1
    shown = (await (await company.desk("aud")).get(repair)).json()
    assert (shown["state"], shown["equipment"]) == ("requested", "KETTLE-1")
    no = await refused(company, "rae", f"{operation}/release-hold", reason="nothing is wrong with the batch")
    assert [blocker["code"] for blocker in no["blockers"]] == ["EQUIPMENT_DOWN"]
    no = await refused(company, "mia", f"{path}/start-maintenance")
    assert [blocker["code"] for blocker in no["blockers"]] == ["MAINTENANCE_ORDER_OPEN"]
    no = await refused(company, "sam", f"{repair}/cancel", reason="no time for it")
    assert [blocker["code"] for blocker in no["blockers"]] == ["FAULT_NOT_REPAIRED"]

    await do(company, "sam", f"{repair}/approve")
    await do(company, "sam", f"{repair}/schedule", assignee="mia", plannedAt=NEXT_YEAR)
    await do(company, "mia", f"{repair}/begin")
    parts = [{"code": "BRG-6204", "description": "bearing", "quantity": "2"}]
    await do(company, "mia", f"{repair}/report-work", work="both bearings", parts=parts, hours="3", major=True)
    await do(company, "sue", f"{repair}/verify")
    no = await refused(company, "rae", f"{repair}/verify-as-quality")
    assert [blocker["code"] for blocker in no["blockers"]] == ["EQUIPMENT_NOT_QUALIFIED"]
    await do(company, "max", f"{path}/qualify", validUntil=NEXT_YEAR)
    await do(company, "rae", f"{repair}/verify-as-quality")
    await do(company, "sam", f"{repair}/close")
    await told(engine)
    await do(company, "rae", f"{operation}/release-hold", reason="the granules are as they were")
    await until(company, order, lambda o: mixing(o)["state"] == "running")

    log = (await (await company.desk("aud")).get(f"{path}/log")).json()
    entries = log["entries"] if isinstance(log, dict) else log
    assert [entry["activity"] for entry in entries][-3:] == ["fault", "maintain", "idle"]
    assert all(entry["to"] == following["from"] for entry, following in itertools.pairwise(entries))
    listed = (await (await company.desk("aud")).get("/maintenance-orders", equipment="KETTLE-1")).json()
    assert [(one["number"], one["state"]) for one in listed["maintenanceOrders"]] == [("KETTLE-1-M1", "closed")]


async def test_maintenance_is_asked_for_planned_and_cancelled(company: Company) -> None:
    path = await registered(company, "KETTLE-2")
    answer = await do(company, "olu", f"{path}/request-maintenance", reason="it is louder than before")
    assert answer["availability"] == "available"
    await do(company, "sam", f"/maintenance-orders/{answer['maintenanceOrderId']}/cancel", reason="done last week")
    answer = await do(company, "pat", f"{path}/plan-maintenance", intervalSeconds=86400 * 30, aheadSeconds=86400)
    assert answer["maintenance"] == "planned"
    answer = await do(company, "mia", f"{path}/plan-maintenance")
    assert answer["maintenance"] == "notPlanned"
