"""A plant that weighs and scans, for the console's tests: its policy, its record, its lot, an order at the scale."""

from tests.api.company import Company, policy
from tests.api.records import TAB, effective, ok
from tests.api.words import at_stage, do

DISPENSING = policy(
    "dispensing", certification=False, productionRelease=False, masterBatchRecord=True, batchRecordReview=True,
    scanRequired=True, weighing=True,
)  # fmt: skip
API_LINE = {
    "line": 1, "material": "API", "weighingTolerancePercent": "0.5", "assay": "assay", "water": "water",
    "reservePercent": "10",
}  # fmt: skip


async def dispensing(company: Company, quantity: str = "1000") -> None:
    """Policy, record and a released lot API-W of 98.7 % with 0.5 % water."""
    results = [{"name": name, "unit": "%", "low": "0", "high": "101"} for name in ("assay", "water")]
    plan = {"material": "API", "characteristics": results}
    body = {"policies": [DISPENSING], "inspectionPlans": [plan]}
    ok(await (await company.desk("pat")).post("/master-data/import", body))
    await effective(company, "weigh-1", TAB | {"materials": [API_LINE]})
    received = await do(company, "wil", "/wms/receipts", lot="API-W", material="API", quantity=quantity, unit="kg")
    path = f"/quality/inspections/{received['inspection']['number']}"
    values = [{"name": name, "text": text, "unit": "%"} for name, text in (("assay", "98.7"), ("water", "0.5"))]
    await do(company, "ana", f"{path}/results", values=values)
    await do(company, "ben", f"{path}/decision", accept=True)


async def picked(company: Company) -> tuple[str, str, str]:
    """Number and id of a work order of 10,000 tablets whose pick list is approved, and the list's address."""
    fixed = {"API": ["API-W"]}
    _, work_order = await at_stage(company, "dispatched", policy="dispensing", quantity="10000", fixedLots=fixed)
    found = (await (await company.desk("wes")).get(f"/mes/work-orders/{work_order}")).json()
    pick_list = f"/wms/outbound-orders/{found['pickList']['id']}"
    await do(company, "wes", f"{pick_list}/approve")
    return found["number"], work_order, pick_list


async def issued(company: Company) -> tuple[str, str]:
    """The same with 55 kg of API-W at the line, nothing started."""
    number, work_order, pick_list = await picked(company)
    await do(company, "wes", f"{pick_list}/execute", scans=["lot/API-W"])
    return number, work_order


async def weighing(company: Company) -> tuple[str, str]:
    """The same with the mixing started."""
    number, work_order = await issued(company)
    scans = [f"operation/{number}/MIX"]
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/MIX/start", scans=scans)
    return number, work_order
