"""Machines, papers, master batch records and accounts for the console's screens."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.company import Company, policy
from tests.api.records import TAB, WEIGHT, draft, move, ok, said, signed
from tests.api.words import do

NEXT_YEAR = (datetime.now(UTC) + timedelta(days=365)).isoformat()
BROKEN: dict[str, Any] = TAB | {
    "operations": [
        {**said("MIX", room="ROOM-1"), "instructions": [{"number": 10, "text": {"en": "Mix."}}]},
        {**said("PRESS"), "expectedValues": [{**WEIGHT, "target": "117.5"}]},
    ]
}
"""A draft with an instruction in one language, and limits in the wrong order."""


async def machines(company: Company) -> str:
    """A room with a machine that is ready and one that is not; a clearance that waits for its checker; a training.
    The id of the maintenance order that the broken one has."""
    await do(company, "pat", "/equipment-classes", code="MIXER", name="Mixer", cleanHoldSeconds=7200)
    await do(company, "pat", "/equipment", code="ROOM-1", name="Granulation", kind="room", equipmentClass="MIXER",
             calibrated=False)  # fmt: skip
    for code, name in (("MIXER-1", "High-shear mixer 1"), ("MIXER-2", "High-shear mixer 2")):
        await do(company, "pat", "/equipment", code=code, name=name, equipmentClass="MIXER", line="A",
                 workstation="BENCH", room="ROOM-1")  # fmt: skip
    await do(company, "max", "/equipment/MIXER-1/qualify", validUntil=NEXT_YEAR)
    await do(company, "meg", "/equipment/MIXER-1/calibrate", certificate="CAL-2026-118", dueAt=NEXT_YEAR,
             foundWithinTolerance=True)  # fmt: skip
    await do(company, "rae", "/equipment/MIXER-1/review-calibration", accept=True)
    await do(company, "olu", "/equipment/MIXER-1/clean", level="full")
    await do(company, "sam", "/equipment/MIXER-1/verify-cleaning", accept=True)
    fault = await do(company, "olu", "/equipment/MIXER-2/report-fault", reason="the stirrer makes a noise")
    items = [{"item": "no material left", "passed": True}, {"item": "room clean", "passed": True, "remark": "twice"}]
    await do(company, "olu", "/line-clearances", room="ROOM-1", product="TAB", batch="B-0042", operation="MIX",
             items=items)  # fmt: skip
    await do(company, "rae", "/training-records", person="olu", qualification="granulation", validUntil=NEXT_YEAR)
    return str(fault["maintenanceOrderId"])


async def versions(company: Company) -> dict[str, str]:
    """Master batch records of tablets: one in force, one in review with one signature, a draft with faults: ids."""
    first = ok(await draft(company, "1"))
    ok(await move(company, "pat", first, "submit"))
    ok(await signed(company, "sam", first))
    ok(await signed(company, "max", first))
    ok(await move(company, "max", first, "make-effective"))
    second = ok(await draft(company, "2", TAB | {"balanceLimitPercent": "2"}))
    ok(await move(company, "pat", second, "submit"))
    ok(await signed(company, "sam", second))
    third = ok(await draft(company, "3", BROKEN))
    return {"effective": first["id"], "in_review": second["id"], "draft": third["id"]}


async def engineering(company: Company) -> dict[str, str]:
    """Everything of this module; answers what is needed for the addresses of screens."""
    upkeep = await machines(company)
    await do(company, "sam", f"/maintenance-orders/{upkeep}/approve")
    pat, ada = await company.desk("pat"), await company.desk("ada")
    newer = policy("gmp", approvals=2, startGate=True, signatures={"approveOrder": "approved"}) | {"version": 2}
    changed = await pat.post("/master-data/import", {"policies": [newer]})
    assert changed.status_code == 200, changed.text
    keyed = await ada.post("/users/erp/api-keys", {"name": "plan import", "routes": ["POST /mes/plan-lines"],
                           "reason": "the plan comes by night"})  # fmt: skip
    assert keyed.status_code == 201, keyed.text
    found = {f"record_{name}": identity for name, identity in (await versions(company)).items()}
    return found | {"upkeep": upkeep}
