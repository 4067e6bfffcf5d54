"""What people do in the tests of the quality screens: batches with records, deviations, lots with a genealogy."""

import asyncio
import uuid
from typing import Any

from sqlalchemy import Engine

from db.queries import plan_lines
from tests.api.company import MASTER_DATA, PASSWORD, Company, policy
from tests.api.words import at_stage, do, own_station, until
from tests.genealogy import History

REVIEWED = {
    **MASTER_DATA["policies"][0], "code": "by-exception", "batchRecordReview": True, "recordJudgedByOthers": True,
    "signatures": {
        "reviewBatchRecord": "reviewed", "approveBatchRecord": "approved", "certifyBatch": "certified",
        "releaseBatch": "released",
    },
}  # fmt: skip
"""Batches have records, and every step of a record is signed."""
LED = policy("led-cases", deviationProcess=True, signatures={"approveDeviation": "approved"})
"""Deviations have a process of their own, and quality's approval is signed."""


async def with_policies(company: Company, engine: Engine, first: int) -> None:
    """The two policies; `first` keeps the numbers of corrective actions apart from those of other modules."""
    with engine.begin() as connection:
        plan_lines.counted(connection, "capa", first)
    answer = await (await company.desk("pat")).post("/master-data/import", {"policies": [REVIEWED, LED]})
    assert answer.status_code == 200, answer.text


async def with_jo(company: Company) -> None:
    """Jo works at the press and reviews records, too: both roles, one person."""
    roles = ["operator", "qaReviewer"]
    new = {"id": "jo", "fullName": "Jo", "password": PASSWORD, "roles": roles, "reason": "a small plant"}
    assert (await (await company.desk("ada")).post("/users", new)).status_code == 201


async def made(company: Company, *, corrected: bool, worker: str = "olu") -> tuple[str, str]:
    """A batch that is made, tested and put away: its record waits for review. (order, work order)

    `corrected`: a value was corrected and a remark was written, so that there is something to explain.
    """
    order, work_order = await at_stage(company, "running", policy="by-exception")
    path = f"/mes/work-orders/{work_order}"
    press = f"{path}/operations/PRESS"
    await do(company, worker, f"{path}/operations/MIX/start")
    await do(company, worker, f"{path}/operations/MIX/complete")
    await do(company, worker, f"{press}/start")
    await do(company, worker, f"{press}/parameters", values=[{"name": "weight", "text": "112", "unit": "mg"}])
    if corrected:
        await do(company, worker, f"{press}/parameters/V1/correct", text="112.5", reason="misread the balance")
        await do(company, worker, f"{press}/comment", text="die 7 was polished")
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "990", "scrap": "10", "scrapReason": "dust"}
    await do(company, worker, "/mes/production-reports/report", **report, labourSeconds=60)
    await do(company, worker, f"{press}/complete")
    await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
    results = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=results)
    await do(company, "ben", f"{path}/inspection/decision", accept=True)
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    await do(company, "wil", f"{path}/put-away", place="QUARANTINE")
    await until(company, order, lambda o: o["state"] == "completed")
    return order, work_order


async def held(company: Company) -> tuple[str, str]:
    """A batch with a value out of its limits: the pressing is held by a deviation. (order, work order)"""
    order, work_order = await at_stage(company, "running", policy="by-exception")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    await do(company, "olu", f"{path}/PRESS/parameters", values=[{"name": "weight", "text": "119", "unit": "mg"}])
    return order, work_order


async def deviation(company: Company, what: str = "it screams") -> dict[str, Any]:
    """Olu reports a deviation of a saw, which begins its own process."""
    body = {"commandId": f"d/{uuid.uuid4()}", "equipment": await own_station(company), "code": "NOISE", "detail": what}
    answer = await (await company.desk("olu")).post("/quality/deviations", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    desk = await company.desk("rae")
    async with asyncio.timeout(60):
        while True:
            if (await desk.get(f"/quality/deviations/{found['id']}")).status_code == 200:
                return found
            await asyncio.sleep(0.05)


async def corrective_action(company: Company) -> dict[str, Any]:
    """Rae opens a corrective action."""
    body = {"commandId": f"a/{uuid.uuid4()}", "source": "audit 7", "action": "label the drawers"}
    answer = await (await company.desk("rae")).post("/quality/capas", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def family(engine: Engine, prefix: str, children: int = 0) -> str:
    """The genealogy of a granulate: made from three lots, pressed twice, packed. Answers the granulate's number.

    `children` more lots are made from it, to be too many for one picture.
    """
    with engine.begin() as connection:
        plant = History(connection, prefix)
        for code in ("RAW", "GRAN", "TABLET", "PACK"):
            plant.material(code)
        plant.open_order("PACK")
        for number, lot in enumerate(("API-1", "LAC-1", "SMCC-1")):
            plant.receive(lot, "RAW", 100, number)
        plant.make("GRAN-1", "GRAN", 250 + children, 3, ("API-1", 50), ("LAC-1", 150), ("SMCC-1", 50))
        plant.make("TAB-1", "TABLET", 100, 4, ("GRAN-1", 100))
        plant.make("TAB-2", "TABLET", 100, 4, ("GRAN-1", 100))
        plant.make("PACK-1", "PACK", 80, 5, ("TAB-1", 50), ("TAB-2", 30))
        for number in range(children):
            plant.make(f"KID-{number:03d}", "TABLET", 1, 6, ("GRAN-1", 1))
        plant.flush()
    return f"{prefix}GRAN-1"
