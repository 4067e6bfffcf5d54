"""The words of shipping: certified batches, and what leaves of them."""

from typing import Any

import httpx

from tests.api.company import PASSWORD, Company
from tests.api.words import approved, create, do, go_on_to, until

CLINIC = {"consignee": "Clinic 1", "address": "1 Harbour Road, Shanghai", "contact": "Dr Li, +86 21 555 0101"}


async def stored(company: Company, **plan: Any) -> tuple[str, str, str]:
    """A batch that is made, accepted and in quarantine, under a policy with certification: order, work order, lot."""

    made = await create(company, **{"policy": "gmp", **plan})
    order, work_order = made["id"], made["workOrders"][0]["id"]
    await approved(company, order)
    for stage in ("dispatched", "ready", "running", "inspecting", "puttingAway"):
        await go_on_to(company, stage, order, work_order)
    await do(company, "wil", f"/mes/work-orders/{work_order}/put-away", place="QUARANTINE")
    found = await until(company, order, lambda o: o["state"] == "completed")
    return order, work_order, found["workOrders"][0]["outputLot"]


async def saleable(company: Company, **plan: Any) -> tuple[str, str, str]:
    """The same, certified by the qualified person and released by the supervisor to saleable stock."""
    order, work_order, lot = await stored(company, **plan)
    await do(company, "quinn", f"/mes/work-orders/{work_order}/certify", signed=PASSWORD)
    await do(company, "sue", f"/mes/work-orders/{work_order}/release-batch", place="FINISHED")
    return order, work_order, lot


async def prepare(company: Company, lot: str, quantity: str, **more: Any) -> httpx.Response:
    """Wil prepares a shipment."""
    body = {"lot": lot, "quantity": quantity, "unit": "pcs", "place": "FINISHED", "transport": "truck, 15–25 °C"}
    return await (await company.desk("wil")).command("/wms/shipments", **body | CLINIC | more)


async def shipped(company: Company, lot: str, quantity: str, **more: Any) -> str:
    """A shipment that has left; its number."""
    made = await prepare(company, lot, quantity, **more)
    assert made.status_code == 200, made.text
    number: str = made.json()["shipment"]
    await do(company, "wil", f"/wms/shipments/{number}/dispatch")
    return number
