"""What lies before the warehouse, quality and planning in the console's tests."""

import uuid
from typing import Any, Final

from playwright.async_api import expect

from tests.api.company import MASTER_DATA, Company, line, material, operation
from tests.api.words import at_stage, create, do, receive, until
from tests.ui.screen import Terminal
from wording.texts import texts

PLUGS: dict[str, Any] = {
    "materials": [
        material("PLUG", "finished", "pcs"), material("GOLD", "raw", "kg"), material("RING", "finished", "pcs"),
    ],
    "billsOfMaterial": [
        {"product": "PLUG", "version": "1", "baseQuantity": "100", "lines": [line(1, "API", "1", "kg", "TURN")]},
        {"product": "RING", "version": "1", "baseQuantity": "10", "lines": [line(1, "GOLD", "1", "kg", "CAST")]},
    ],
    "routes": [
        {"product": "PLUG", "version": "1", "operations": [
            operation("TURN", 10, "FIT", [], countsPieces=True, isOutput=True, inspectionRule="every")]},
        {"product": "RING", "version": "1", "operations": [
            operation("CAST", 10, "FIT", [], countsPieces=True, isOutput=True)]},
    ],
    "inspectionPlans": [{"material": "GOLD", "characteristics": [
        {"name": "purity", "unit": "%", "low": "99.9", "high": "100", "required": True},
        {"name": "mass", "unit": "g", "low": "990", "high": "1010", "required": True},
        {"name": "colour", "required": False}]}],
    "policies": [
        # as in the other tests, but what was made waits in quarantine for its release
        {**policy, "code": "guarded", "productionRelease": True, "certification": True}
        for policy in MASTER_DATA["policies"] if policy["code"] == "swift"
    ],
}  # fmt: skip
"""Plugs are inspected after each report; rings need gold, of which there is none."""


async def import_plugs(company: Company) -> None:
    """The master data of plugs and rings."""
    answer = await (await company.desk("pat")).post("/master-data/import", PLUGS)
    assert answer.status_code == 200, answer.text


def new_lot(what: str = "LOT") -> str:
    """A lot number of nobody else's."""
    return f"{what}-{uuid.uuid4().hex[:6].upper()}"


async def delivered(company: Company, lot: str, what: str = "GOLD", quantity: str = "2", **more: Any) -> str:
    """A lot in quarantine; answers its inspection's number."""
    made = await do(company, "wil", "/wms/receipts", lot=lot, material=what, quantity=quantity, unit="kg", **more)
    return str(made["inspection"]["number"])


async def enter(company: Company, inspection: str, purity: str, mass: str = "1000") -> None:
    """Ana's results of a lot of gold."""
    values = [{"name": "purity", "text": purity, "unit": "%"}, {"name": "mass", "text": mass, "unit": "g"}]
    await do(company, "ana", f"/quality/inspections/{inspection}/results", values=values)


async def dispatched(company: Company, **plan: Any) -> dict[str, Any]:
    """A released order whose only work order was dispatched, when the warehouse has answered."""
    made = await create(company, **{"policy": "swift", **plan})
    order, work_order = made["id"], made["workOrders"][0]["id"]
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/approve")
    await do(company, "sam", f"/mes/orders/{order}/release")
    await do(company, "sam", f"/mes/work-orders/{work_order}/dispatch")
    return await until(company, order, lambda o: _answered(o["workOrders"][0]["pickList"]))


def _answered(pick_list: dict[str, Any] | None) -> bool:
    return pick_list is not None and pick_list["state"] in ("short", "allocated")


async def approved(company: Company, **plan: Any) -> dict[str, Any]:
    """The same, with a pick list that wes has approved."""
    order = await dispatched(company, **plan)
    await do(company, "wes", f"/wms/outbound-orders/{order['workOrders'][0]['pickList']['id']}/approve")
    return await until(company, order["id"], lambda o: o["workOrders"][0]["pickList"]["state"] == "approved")


async def turned(company: Company, good: int = 98) -> tuple[str, str, str]:
    """An order of plugs whose report is to be inspected: order, work order, the number of the inspection."""
    order = await approved(company, product="PLUG", quantity="100")
    work_order = order["workOrders"][0]
    await do(company, "wes", f"/wms/outbound-orders/{work_order['pickList']['id']}/execute")
    await until(company, order["id"], lambda o: o["workOrders"][0]["state"] == "ready")
    await do(company, "olu", f"/mes/work-orders/{work_order['id']}/operations/TURN/start")
    body = {"workOrderId": work_order["id"], "operation": "TURN", "good": str(good), "labourSeconds": 60}
    reported = await do(company, "olu", "/mes/production-reports/report", **body)
    return order["id"], work_order["id"], reported["result"]["inspection"]


async def failed(company: Company) -> tuple[str, str]:
    """An order of plugs of which five wait for a rework: the work order, the number of the rework."""
    _, work_order, inspection = await turned(company)
    path = f"/mes/work-orders/{work_order}/in-process-inspections/{inspection}/decision"
    decided = await do(company, "ana", path, failed="5", defect="crack")
    return work_order, decided["result"]["rework"]


async def warehouse_and_quality(company: Company) -> dict[str, str]:
    """Something in every state that the screens of warehouse, quality and planning show."""
    await import_plugs(company)
    await receive(company, new_lot("API"), "500", expiresOn="2026-12-24")
    short = await dispatched(company, product="RING", quantity="10", dueAt="2026-11-01T08:00:00Z")
    picked = await approved(company, quantity="2000", dueAt="2027-02-01T08:00:00Z")
    entered = await delivered(company, new_lot("GOLD"), supplier="Aurum AG")
    await enter(company, entered, "99.95")
    outside = await delivered(company, new_lot("GOLD"), supplier="Aurum AG")
    await enter(company, outside, "97.2", "1012")
    await delivered(company, new_lot("GOLD"), supplier="Orex 有限公司", expiresOn="2029-01-31")
    _, turning, _ = await turned(company)
    rework, _ = await failed(company)
    _, gated = await at_stage(company, "puttingAway", policy="guarded")
    await do(company, "wil", f"/mes/work-orders/{gated}/put-away", place="QUARANTINE")
    _, quarantined = await at_stage(company, "puttingAway", policy="guarded")
    planned = await company.plan(new_lot("PL"), dueAt="2027-01-15T08:00:00Z")
    await company.plan(new_lot("PL"), product="PLUG", quantity="12500")
    return {
        "work_short": short["workOrders"][0]["id"], "work_picked": picked["workOrders"][0]["id"],
        "inspection_entered": entered, "inspection_outside": outside, "work_turning": turning, "work_rework": rework,
        "plan_line": planned["id"], "work_quarantined": quarantined,
    }  # fmt: skip


# At a terminal --------------------------------------------------------------------------------------------------------

_KEYS: Final = """(code) => {
  for (const key of [...code, "Enter"]) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    (document.activeElement ?? document.body).dispatchEvent(event);
  }
}"""


def word(key: str, language: str = "en") -> str:
    """A word that belongs to no screen alone, such as that of a refusal's code."""
    return texts(language)[key]


async def scan(terminal: Terminal, code: str) -> None:
    """What a scanner does: keys so fast that nobody could type them."""
    await terminal.page.evaluate(_KEYS, code)


async def stopped(terminal: Terminal, text: str) -> None:
    """The red stop says so; then it is closed."""
    stop = terminal.page.locator("#stop")
    await expect(stop).to_contain_text(text, timeout=15000)
    width = await stop.evaluate("element => [element.getBoundingClientRect().width, window.innerWidth]")
    assert width[0] == width[1], "a stop goes across the whole screen"
    await stop.locator("button").click()
    await expect(stop).to_have_count(0)


async def twice(terminal: Terminal, name: str, *, within: str = "main") -> None:
    """Tap a button twice, as people do who wait."""
    await terminal.page.locator(within).get_by_role("button", name=name).first.dblclick(no_wait_after=True)


async def lying(company: Company, lot: str) -> dict[str, str]:
    """Place → quantity on hand of a lot."""
    found = (await (await company.desk("wil")).get("/wms/stock", lot=lot)).json()["stock"]
    return {row["place"]: row["onHand"] for row in found}
