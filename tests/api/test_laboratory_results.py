"""What a result was made with, and the release record of received material (QL-03)."""

import uuid
from typing import Any

import pytest

from tests.api.company import PASSWORD, Company, material
from tests.api.records import codes, ok
from tests.api.test_inbound import reasons, send
from tests.api.test_master_data import post
from tests.api.words import at_stage, do, receive, until

pytestmark = pytest.mark.usefixtures("working")
ASKED = ["instrument", "method", "reagents"]
WATER = {"name": "water", "unit": "%", "low": "0", "high": "1", "required": True}
WITH: dict[str, Any] = {
    "instrument": "HPLC-1", "method": "Ph. Eur. 2.2.29", "methodVersion": "11", "reagents": ["STD-1", "ACN-1"],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
async def _laboratory(company: Company, working: None) -> None:
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


async def entered(company: Company, path: str, name: str, text: str, **how: Any) -> Any:
    """The answer to a result."""
    value = {"name": name, "text": text, "unit": "%", **how}
    return await (await company.desk("ana")).command(f"{path}/results", values=[value])


@pytest.mark.accepts("QL-03", "QL-05")
async def test_a_result_of_a_batch_says_what_it_was_made_with(company: Company) -> None:
    order, work_order = await at_stage(company, "inspecting")
    path = f"/mes/work-orders/{work_order}/inspection"
    bare = await entered(company, path, "dissolution", "90.0")
    assert set(codes(bare)) == {"INSTRUMENT_MISSING", "METHOD_MISSING", "REAGENTS_MISSING"}
    late = await entered(company, path, "dissolution", "90.0", **(WITH | {"instrument": "HPLC-2"}))
    assert [(one["code"], one["id"]) for one in late.json()["blockers"]] == [("CALIBRATION_EXPIRED", "HPLC-2")]
    wrong = WITH | {"instrument": "HPLC-9", "reagents": ["ACN-0", "NO-LOT"]}
    found = (await entered(company, path, "dissolution", "90.0", **wrong)).json()["blockers"]
    assert [(one["code"], one["id"]) for one in found] == [
        ("EQUIPMENT_NOT_REGISTERED", "HPLC-9"), ("REAGENT_NOT_USABLE", "ACN-0"), ("UNKNOWN_LOT", "NO-LOT"),
    ]  # fmt: skip
    lied = WITH | {"instrument": "HPLC-2", "measuredWith": {"instrument": None}}
    answer = await entered(company, path, "dissolution", "90.0", **lied)
    assert codes(answer) == ["CALIBRATION_EXPIRED"], "what a sender says of it does not count"
    ok(await entered(company, path, "dissolution", "90.0", **WITH))
    own = await (await company.desk("ana")).command(f"{path}/decision", accept=True)
    assert codes(own) == ["SEPARATION_OF_DUTIES"]
    await do(company, "ben", f"{path}/decision", accept=True)
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    record = ok(await (await company.desk("sam")).get(f"/mes/work-orders/{work_order}/batch-record"))
    (result,) = record["inspection"]["results"]
    used = result["measuredWith"]
    assert (result["enteredBy"], used["instrument"]["code"], used["instrument"]["certificate"]) == (
        "ana", "HPLC-1", "CERT-7",
    )  # fmt: skip
    assert (used["method"], used["methodVersion"]) == ("Ph. Eur. 2.2.29", "11")
    assert [(one["lot"], one["expiresOn"]) for one in used["reagents"]] == [
        ("STD-1", "2027-12-31"), ("ACN-1", "2027-12-31"),
    ]  # fmt: skip


@pytest.mark.accepts("QL-03", "QL-01")
async def test_received_material_is_released_by_a_signed_record(company: Company) -> None:
    receipt = {"lot": "POWDER-1", "material": "POWDER", "quantity": "5", "unit": "kg", "supplier": "Acme"}
    number = (await do(company, "wil", "/wms/receipts", **receipt))["inspection"]["number"]
    path = f"/quality/inspections/{number}"
    assert codes(await entered(company, path, "water", "0.4", **(WITH | {"instrument": "HPLC-2"}))) == [
        "CALIBRATION_EXPIRED"
    ]
    ok(await entered(company, path, "water", "0.4", **WITH))
    ben, ana = await company.desk("ben"), await company.desk("ana")
    assert codes(await ben.command(f"{path}/decision", accept=True)) == ["RELEASE_RECORD_REQUIRED"]
    whole: dict[str, Any] = {
        "accept": True,
        "supplierReport": True,
        "packaging": True,
        "conclusion": "fit for use in TAB",
    }
    unsigned = await ben.command(f"{path}/release-record", **whole)
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    assert (await (await company.desk("olu")).command(f"{path}/release-record", **whole)).status_code == 403
    half: dict[str, Any] = {"accept": True, "conclusion": "fit for use in TAB"}
    bare = await ben.command(f"{path}/release-record", signed=PASSWORD, **half)
    assert set(codes(bare)) == {"SUPPLIER_REPORT_UNCHECKED", "PACKAGING_UNCHECKED"}
    own = await ana.command(f"{path}/release-record", signed=PASSWORD, **whole)
    assert codes(own) == ["SEPARATION_OF_DUTIES"]
    body = {**whole, "commandId": uuid.uuid4().hex}
    answer = ok(await ben.command(f"{path}/release-record", signed=PASSWORD, **body))
    assert ok(await ben.command(f"{path}/release-record", signed=PASSWORD, **body)) == answer
    assert answer["lotStatus"] == "released"
    (found,) = ok(await ana.get("/quality/inspections", lot="POWDER-1"))["inspections"]
    kept = found["releaseRecord"]
    assert (kept["supplierReport"], kept["packaging"], kept["conclusion"]) == (True, True, "fit for use in TAB")
    checked = ok(await (await company.desk("rae")).get(f"/signatures/{kept['signature']}/verification"))
    assert checked["status"] == "valid", checked


@pytest.mark.accepts("QL-03")
async def test_where_nothing_is_asked_a_value_is_enough(company: Company) -> None:
    receipt = {"lot": "ACN-2", "material": "SOLVENT", "quantity": "5", "unit": "kg"}
    number = (await do(company, "wil", "/wms/receipts", **receipt))["inspection"]["number"]
    ok(await entered(company, f"/quality/inspections/{number}", "water", "0.4"))
    await do(company, "ben", f"/quality/inspections/{number}/decision", accept=True)


@pytest.mark.accepts("QL-03", "AT-12", "IN-03")
async def test_an_outside_laboratory_says_what_it_measured_with_and_is_judged_like_the_form(company: Company) -> None:
    """Of a received lot and of a batch: what the plan asks for, looked up in the record, never taken on trust."""
    ada = await company.desk("ada")
    lims: dict[str, Any] = {
        "id": "lims-q",
        "fullName": "LIMS",
        "roles": ["integration"],
        "password": "canary-Ochre-Lantern-71",
    }
    assert (await ada.command("/users", reason="a new machine", **lims)).status_code == 201
    ok(await ada.command("/integration/systems", account="lims-q", name="LIMS", kinds=["laboratory-result"]))

    receipt = {"lot": "POWDER-2", "material": "POWDER", "quantity": "5", "unit": "kg", "supplier": "Acme"}
    received = (await do(company, "wil", "/wms/receipts", **receipt))["inspection"]["number"]
    _, work_order = await at_stage(company, "inspecting")
    made = ok(await (await company.desk("ana")).get(f"/mes/work-orders/{work_order}"))
    samples = (
        (received, "POWDER-2", "water", "0.4"),
        (made["inspection"]["number"], made["outputLot"], "dissolution", "90.0"),
    )
    for inspection, lot, name, value in samples:

        async def told(**how: Any) -> Any:
            sent = {"name": name, "value": value, "unit": "%", **how}  # noqa: B023
            content = {"inspection": inspection, "lot": lot, "results": [sent]}  # noqa: B023
            return await send(company, "lims-q", "laboratory-result", content)

        assert set(reasons(await told())) == {"INSTRUMENT_MISSING", "METHOD_MISSING", "REAGENTS_MISSING"}
        assert reasons(await told(**(WITH | {"instrument": "HPLC-2"}))) == ["CALIBRATION_EXPIRED"]
        wrong = WITH | {"instrument": "HPLC-9", "reagents": ["ACN-0", "NO-LOT"]}
        assert reasons(await told(**wrong)) == ["EQUIPMENT_NOT_REGISTERED", "REAGENT_NOT_USABLE", "UNKNOWN_LOT"]
        assert set(reasons(await told(**(WITH | {"reagents": "STD-1"})))) == {"SCHEMA"}
        lied = WITH | {"instrument": "HPLC-2", "measuredWith": {"instrument": None}}
        assert reasons(await told(**lied)) == ["CALIBRATION_EXPIRED"], "what a sender says of it does not count"
        ok(await told(**WITH))
    (kept,) = ok(await (await company.desk("ana")).get("/quality/inspections", lot="POWDER-2"))["inspections"]
    shown = ok(await (await company.desk("sam")).get(f"/mes/work-orders/{work_order}/batch-record"))["inspection"]
    for result in (kept["results"][0], shown["results"][0]):
        used = result["measuredWith"]
        assert (result["enteredBy"], used["instrument"]["certificate"], used["methodVersion"]) == (
            "lims-q", "CERT-7", "11",
        )  # fmt: skip
        assert [one["lot"] for one in used["reagents"]] == ["STD-1", "ACN-1"]
