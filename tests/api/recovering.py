"""Earlier material and rejected batches, for the tests of recovery and of rework (QL-11)."""

from typing import Any

from tests.api.company import Company
from tests.api.records import effective, said
from tests.api.turning import ready, stock, turned_products
from tests.api.words import do, receive, until

IMPURITY = {"name": "impurity B", "unit": "%", "high": "0.2", "method": "Ph. Eur. 2.2.29"}
BY_THE_BOOK: dict[str, Any] = {"procedure": "SOP-RC-02", "tests": [IMPURITY], "reason": "risk assessed, RA-31"}
PRODUCTS = {"GRANULE": "", "PEARL": "tablet", "STONE": "tablet"}
"""Product → its dosage form; the record of STONE permits neither rework nor recovery."""


async def recovery_plant(company: Company) -> None:
    """Granules, pearls and stones, made by effective records."""
    await receive(company, "API-RECOVERIES", "1000")
    assay = {"name": "assay", "unit": "%", "low": "95", "high": "105", "required": True}
    plans = {"inspectionPlans": [{"material": code, "characteristics": [assay]} for code in PRODUCTS]}
    await turned_products(company, PRODUCTS, {"code": "recovered", "deviationProcess": False}, plans)
    for code in PRODUCTS:
        yes = code != "STONE"
        content = {
            "billOfMaterialVersion": "1", "routeVersion": "1", "materials": [], "balanceLimitPercent": "100",
            "operations": [
                said("TURN", reworkAllowed=yes, recoveryAllowed=yes, yieldHighPercent="200"),
                said("WRAP", reworkAllowed=yes),
            ],
        }  # fmt: skip
        await effective(company, "1", content, code)


async def running(company: Company, product: str) -> tuple[str, str]:
    """An order of 100 whose first operation runs: its id, the path of its work order."""
    order, path = await ready(company, product, "recovered")
    await do(company, "olu", f"{path}/operations/TURN/start")
    return order, path


async def released(company: Company, order: str) -> None:
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/approve")
    await do(company, "sam", f"/mes/orders/{order}/release")


async def made(company: Company, order: str, path: str, quantity: str = "100", begun: bool = True) -> dict[str, Any]:
    """The rest of the operations; the inspection is open then."""
    identity = path.rpartition("/")[2]
    for code in ("TURN", "WRAP"):
        if code != "TURN" or not begun:
            await do(company, "olu", f"{path}/operations/{code}/start")
        body = {"workOrderId": identity, "operation": code, "good": quantity, "scrap": "0", "labourSeconds": 60}
        await do(company, "olu", "/mes/production-reports/report", **body)
        await do(company, "olu", f"{path}/operations/{code}/complete")
    return await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")


async def rejected(company: Company, product: str) -> str:
    """A finished lot of 100 that failed, and lies in the rejected zone."""
    order, path = await running(company, product)
    found = await made(company, order, path)
    await do(company, "ana", f"{path}/inspection/results", values=[{"name": "assay", "text": "90.1", "unit": "%"}])
    await do(company, "ben", f"{path}/inspection/decision", accept=False, reason="out of specification")
    lot: str = found["workOrders"][0]["outputLot"]
    await until(company, order, lambda o: o["workOrders"][0]["lotStatus"] == "rejected")
    if (await stock(company, lot)).get("LINE"):
        await do(company, "wil", f"{path}/put-away", place="REJECTED")
    assert await stock(company, lot) == {"REJECTED": "100"}
    return lot
