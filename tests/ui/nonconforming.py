"""Earlier material, rejected batches, results with their evidence and release records in the console's tests."""

from typing import Final

from tests.api.company import PASSWORD, Company
from tests.api.laboratory import WITH, laboratory
from tests.api.recovering import BY_THE_BOOK, recovery_plant, rejected, running
from tests.api.words import at_stage, do
from tests.ui.floor import new_lot

ASKED: Final = {"operation": "TURN", "reason": "assay too low, can be blended"}


async def recovery(company: Company, lot: str, quantity: str) -> tuple[str, str, str]:
    """A running work order that is asked to take so much of an earlier lot: order, path, number of the recovery."""
    order, path = await running(company, "PEARL")
    asked = await do(company, "olu", f"{path}/recoveries", lot=lot, quantity=quantity, **ASKED)
    return order, path, asked["result"]["recovery"]


async def powder(company: Company, *, entered: bool, decided: bool = False) -> str:
    """The inspection of a received lot whose release needs a record."""
    receipt = {"lot": new_lot("POWDER"), "material": "POWDER", "quantity": "5", "unit": "kg", "supplier": "Acme"}
    number: str = (await do(company, "wil", "/wms/receipts", **receipt))["inspection"]["number"]
    if entered:
        value = {"name": "water", "text": "0.4", "unit": "%", **WITH}
        await do(company, "ana", f"/quality/inspections/{number}/results", values=[value])
    if decided:
        record = {"accept": True, "supplierReport": True, "packaging": True, "conclusion": "fit for use in TAB"}
        await do(company, "ben", f"/quality/inspections/{number}/release-record", signed=PASSWORD, **record)
    return number


async def nonconforming(company: Company) -> dict[str, str]:
    """Recoveries and reworks of batches in each of their states, results that say what they were made with."""
    await recovery_plant(company)
    lot = await rejected(company, "PEARL")
    _, asked, _ = await recovery(company, lot, "10")
    _, approved, number = await recovery(company, lot, "20")
    await do(company, "max", f"{approved}/recoveries/{number}/approve", signed=PASSWORD, **BY_THE_BOOK)
    _, introduced, number = await recovery(company, lot, "30")
    await do(company, "max", f"{introduced}/recoveries/{number}/approve", signed=PASSWORD, **BY_THE_BOOK)
    await do(company, "olu", f"{introduced}/recoveries/{number}/introduce")
    _, free = await running(company, "PEARL")
    proposed, decided = await rejected(company, "PEARL"), await rejected(company, "PEARL")
    for one in (proposed, decided):
        why = "only scratched"
        made = await do(company, "ana", f"/quality/lots/{one}/propose-rework", operation="WRAP", reason=why)
    await do(
        company, "max", f"/quality/lots/{decided}/approve-rework", signed=PASSWORD, rework=made["rework"], **BY_THE_BOOK
    )
    await laboratory(company)
    _, evidence = await at_stage(company, "inspecting")
    _, measured = await at_stage(company, "inspecting")
    value = {"name": "dissolution", "text": "90.0", "unit": "%", **WITH}
    await do(company, "ana", f"/mes/work-orders/{measured}/inspection/results", values=[value])
    return {
        "work_asked": asked.rpartition("/")[2], "work_approved": approved.rpartition("/")[2],
        "work_introduced": introduced.rpartition("/")[2], "work_free": free.rpartition("/")[2],
        "lot_rejected": await rejected(company, "GRANULE"), "lot_proposed": proposed, "lot_reworked": decided,
        "work_evidence": evidence, "work_measured": measured,
        "powder_new": await powder(company, entered=False), "powder_entered": await powder(company, entered=True),
        "powder_released": await powder(company, entered=True, decided=True),
    }  # fmt: skip
