"""A laboratory whose plans ask what a result was made with (QL-03)."""

from typing import Any

from tests.api.company import Company, material
from tests.api.test_master_data import post
from tests.api.words import do, receive

ASKED = ["instrument", "method", "reagents"]
WATER = {"name": "water", "unit": "%", "low": "0", "high": "1", "required": True}
WITH: dict[str, Any] = {
    "instrument": "HPLC-1", "method": "Ph. Eur. 2.2.29", "methodVersion": "11", "reagents": ["STD-1", "ACN-1"],
}  # fmt: skip


async def laboratory(company: Company) -> None:
    """Two chromatographs, one never calibrated; a standard and a solvent, and one that nobody has released."""
    await do(company, "pat", "/equipment-classes", code="HPLC", name="HPLC")
    for code in ("HPLC-1", "HPLC-2"):
        await do(company, "pat", "/equipment", code=code, name=code, equipmentClass="HPLC", calibrated=True)
        await do(company, "max", f"/equipment/{code}/qualify")
    calibration = {"certificate": "CERT-7", "dueAt": "2027-12-31T00:00:00Z", "foundWithinTolerance": True}
    await do(company, "meg", "/equipment/HPLC-1/calibrate", **calibration)
    await do(company, "rae", "/equipment/HPLC-1/review-calibration", accept=True)
    await receive(company, "API-LAB", "900")
    await post(company, {"materials": [material("SOLVENT", "raw", "kg"), material("POWDER", "raw", "kg")]})
    await post(company, {"inspectionPlans": [{"material": "SOLVENT", "characteristics": [WATER]}]})
    for lot in ("STD-1", "ACN-1"):
        await receive(company, lot, "5", "SOLVENT", expiresOn="2027-12-31")
    await do(company, "wil", "/wms/receipts", lot="ACN-0", material="SOLVENT", quantity="5", unit="kg")
    dissolution = {"name": "dissolution", "unit": "%", "low": "74", "high": "102", "required": True}
    await post(company, {"inspectionPlans": [
        {"material": "TAB", "characteristics": [dissolution | {"evidence": ASKED}]},
        {"material": "POWDER", "characteristics": [WATER | {"evidence": [*ASKED, "releaseRecord"]}]},
    ]})  # fmt: skip
