"""Scanned codes: what each of them is, where it leads, and that only the right one starts, picks and charges."""

import copy
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from adapters.printing.label_sheet import elements_of
from db.queries import record_document
from domain.gs1 import element_string
from domain.lot_label import LotLabel
from domain.quantities import exact
from tests.api.company import PASSWORD, Company, material, policy
from tests.api.records import TAB, codes, effective, ok
from tests.api.words import at_stage, create, do, go_on_to, receive, until
from tests.line import Line

pytestmark = pytest.mark.usefixtures("working")
SCANNING = policy(
    "scanning", certification=False, productionRelease=False, masterBatchRecord=True, batchRecordReview=True,
    scanRequired=True,
)  # fmt: skip
GTIN = "06291041500213"
GS = "\x1d"


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    document = {"policies": [SCANNING], "materials": [{**material("SALT", "raw", "kg"), "gtin": GTIN}]}
    water = {"name": "water", "unit": "%", "low": "0", "high": "1", "required": True}
    document |= {"inspectionPlans": [{"material": "SALT", "characteristics": [water]}]}
    ok(await (await company.desk("pat")).post("/master-data/import", document))
    await effective(company, "scan-1")
    await receive(company, "API-SCAN", "100", expiresOn="2029-01-01")


async def told(company: Company, code: str, **query: str) -> dict[str, Any]:
    """What a scan is answered with."""
    return ok(await (await company.desk("olu")).get("/scan", code=code, **query))


def label(lot: str, what: str = "API") -> str:
    """What a scanner sends when it reads the label of a lot."""
    shown = LotLabel(lot, what, what, None, exact("10"), "kg", "released", date(2028, 12, 31), None)
    return "]d2" + element_string(elements_of(shown, "dataMatrix"))


async def at(company: Company, stage: str, **plan: Any) -> tuple[dict[str, Any], str]:
    """An order at a stage before its material is picked: its document, and the path of its work order."""
    order, work_order = await at_stage(company, stage, policy="scanning", **plan)
    found = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    return found, f"/mes/work-orders/{work_order}"


async def issue(company: Company, path: str, *scans: str, **more: Any) -> httpx.Response:
    """Wes hands out what he has scanned."""
    desk = await company.desk("wes")
    pick_list = (await desk.get(path)).json()["pickList"]
    if pick_list["state"] == "allocated":
        await do(company, "wes", f"/wms/outbound-orders/{pick_list['id']}/approve")
    return await desk.command(f"/wms/outbound-orders/{pick_list['id']}/execute", scans=list(scans), **more)


async def picked(company: Company, path: str) -> None:
    """The lot of the pick list is at the line."""
    ok(await issue(company, path, label("API-SCAN")))


async def start(company: Company, path: str, *scans: str, **more: Any) -> httpx.Response:
    """Olu starts the mixing."""
    return await (await company.desk("olu")).command(f"{path}/operations/MIX/start", scans=list(scans), **more)


def beside(who: str) -> dict[str, Any]:
    """The signature of a second person."""
    return {"userId": who, "password": PASSWORD}


@pytest.mark.accepts("B6")
async def test_an_operation_leads_to_the_instructions_that_its_order_was_made_with(company: Company) -> None:
    found, path = await at(company, "released")
    number = found["workOrders"][0]["number"]
    code = f"operation/{number}/MIX"
    before = await told(company, code)
    assert (before["kind"], before["workOrder"], before["operation"]) == ("operation", number, "MIX")
    assert before["links"]["instructions"] == f"{path}/operations/MIX/instructions"
    assert before["instructions"]["record"]["version"] == "scan-1"
    changed = copy.deepcopy(TAB)
    changed["operations"][0]["instructions"][0]["text"] = {"en": "Do it otherwise.", "zh": "换一种做法。"}
    await effective(company, "scan-2", changed)
    assert await told(company, code) == before
    newer, _ = await at(company, "released")
    after = await told(company, f"operation/{newer['workOrders'][0]['number']}/MIX")
    assert after["instructions"]["record"]["version"] == "scan-2"
    assert after["instructions"]["instructions"][0]["text"] == "Do it otherwise."
    assert (await told(company, code, language="zh"))["instructions"]["instructions"][0]["text"] == "核对天平。"


async def test_every_code_of_the_plant_is_known(company: Company, engine: Engine) -> None:
    line = Line(engine)
    order = await create(company, policy="swift")
    work_order = order["workOrders"][0]["number"]
    inspected, _ = await at_stage(company, "inspecting")
    other = (await (await company.desk("sam")).get(f"/mes/orders/{inspected}")).json()["workOrders"][0]
    reference = (await company.plan("PL-SCAN"))["reference"]
    made = await do(company, "ana", "/quality/deviations", lot="API-SCAN", code="COLOUR", detail="looks yellow")
    expected = {
        "BENCH": ("workstation", "BENCH"), other["pickList"]["number"]: ("pickList", other["pickList"]["number"]),
        other["inspection"]["number"]: ("inspection", other["inspection"]["number"]),
        reference: ("planLine", reference), made["number"]: ("case", made["number"]),
        "API-SCAN": ("lot", "API-SCAN"), "lot/API-SCAN": ("lot", "API-SCAN"), label("API-SCAN"): ("lot", "API-SCAN"),
        order["number"]: ("productionOrder", order["number"]), work_order: ("workOrder", work_order),
        f"{work_order}/PRESS": ("operation", f"{work_order}/PRESS"), line.press: ("equipment", line.press),
        f"room/{line.room}": ("equipment", line.room), "QUARANTINE": ("location", "QUARANTINE"),
        "person/olu": ("person", "olu"), "SALT": ("material", "SALT"), f"]C101{GTIN}": ("material", "SALT"),
        f"01{GTIN}10L-9{GS}": ("lot", "L-9"), f"]d2{GS}01{GTIN}10L-9": ("lot", "L-9"),
    }  # fmt: skip
    for code, (kind, identity) in expected.items():
        found = await told(company, code)
        assert (found["kind"], found["id"]) == (kind, identity), code
    assert (await told(company, "API-SCAN"))["status"] == "released"
    assert (await told(company, "nothing has this"))["kind"] == "unknown"
    assert (await told(company, "lot/no-such"))["kind"] == "unknown"
    damaged = await told(company, f"]d2010629104150021410L-9{GS}17")
    assert damaged["kind"] == "unreadable"
    assert "check digit of GTIN 06291041500214: expected 3, got 4" in damaged["detail"]
    contradiction = await told(company, label("API-SCAN", "SALT"))
    assert (contradiction["kind"], contradiction["detail"]) == (
        "unreadable", "it says material SALT, and lot API-SCAN is of API",
    )  # fmt: skip


@pytest.mark.accepts("B6")
async def test_picking_wants_the_lots_of_the_pick_list(company: Company) -> None:
    await receive(company, "API-OTHER", "100", expiresOn="2030-01-01")
    await receive(company, "SALT-1", "100", "SALT")
    _, path = await at(company, "dispatched")
    for scan, code, found in (
        (label("API-OTHER"), "WRONG_LOT", "lot API-OTHER of API"),
        ("SALT-1", "WRONG_MATERIAL", "lot SALT-1 of SALT"),
        (f"]d2{GS}91API{GS}92", "SCAN_UNREADABLE", "a code that cannot be read"),
        ("gibberish", "WRONG_MATERIAL", "'gibberish', which nothing has"),
    ):
        refused = await issue(company, path, scan)
        assert code in codes(refused), refused.text
        (blocker,) = [own for own in refused.json()["blockers"] if own["code"] == code]
        assert found in blocker["found"], blocker
        if code.startswith("WRONG"):
            assert "API" in blocker["required"]
    refused = await issue(company, path)
    assert set(codes(refused)) == {"SCAN_MISSING"}
    lots = {own["id"] for own in refused.json()["blockers"]}
    assert (await told(company, next(iter(lots))))["status"] == "released"
    ok(await issue(company, path, *(label(lot) for lot in lots)))


@pytest.mark.accepts("B6")
async def test_starting_wants_the_operation_s_own_code(company: Company, engine: Engine) -> None:
    found, path = await at(company, "dispatched")
    number = found["workOrders"][0]["number"]
    await all_scanned(company, path)
    missing = await start(company, path)
    assert codes(missing) == ["SCAN_MISSING"]
    wrong = await start(company, path, f"operation/{number}/PRESS")
    assert codes(wrong) == ["WRONG_OPERATION"]
    (blocker,) = wrong.json()["blockers"]
    assert (blocker["found"], blocker["required"]) == (f"operation {number}/PRESS", f"operation {number}/MIX")
    machine = Line(engine)
    elsewhere = await start(company, path, f"{number}/MIX", machine.press)
    assert codes(elsewhere) == ["WRONG_EQUIPMENT"]
    ok(await start(company, path, f"{number}/MIX"))


async def all_scanned(company: Company, path: str) -> None:
    """Whatever lots the pick list has are scanned and handed out."""
    pick_list = (await (await company.desk("wes")).get(path)).json()["pickList"]
    ok(await issue(company, path, *(own["lot"] for own in pick_list["lines"])))


@pytest.mark.accepts("B6")
async def test_typing_needs_a_reason_and_a_second_person_and_is_an_exception(company: Company, engine: Engine) -> None:
    found, path = await at(company, "dispatched")
    number = found["workOrders"][0]["number"]
    await all_scanned(company, path)
    code, why = f"operation/{number}/MIX", "the scanner is broken"
    alone = await start(company, path, code, typed=True, reason=why)
    assert codes(alone, 403) == ["SECOND_PERSON_REQUIRED"]
    same = await start(company, path, code, typed=True, reason=why, second=beside("olu"))
    assert codes(same, 403) == ["SEPARATION_OF_DUTIES"]
    no_reason = await start(company, path, code, typed=True, second=beside("ole"))
    assert codes(no_reason) == ["REASON_REQUIRED"]
    still_wrong = await start(company, path, f"{number}/PRESS", typed=True, reason=why, second=beside("ole"))
    assert codes(still_wrong) == ["WRONG_OPERATION"]
    ok(await start(company, path, code, typed=True, reason=why, second=beside("ole")))
    with engine.connect() as connection:
        record = record_document.read(connection, number)
    typed = [own for own in record.exceptions if own.type == "manualInsteadOfAutomatic"]
    assert [own.detail for own in typed] == [f"startOperation: {code} typed, not scanned ({why}); beside: ole"]
    wrong = [own.detail for own in record.exceptions if own.type == "materialNotSpecified"]
    assert [detail.partition(" ")[2][:24] for detail in wrong] == ["refused: WRONG_OPERATION"]


async def test_a_plant_that_does_not_scan_is_asked_for_nothing(company: Company) -> None:
    _, work_order = await at_stage(company, "ready")
    path = f"/mes/work-orders/{work_order}"
    number = (await (await company.desk("olu")).get(path)).json()["number"]
    # What is scanned all the same is compared.
    assert codes(await start(company, path, f"{number}/PRESS")) == ["WRONG_OPERATION"]
    ok(await start(company, path))


@pytest.mark.accepts("MT-11", "MT-05")
async def test_putting_away_wants_lot_and_location(company: Company) -> None:
    found, path = await at(company, "dispatched")
    number, operations = found["workOrders"][0]["number"], f"{path}/operations"
    await all_scanned(company, path)
    lots = [own["lot"] for own in (await (await company.desk("wes")).get(path)).json()["pickList"]["lines"]]
    ok(await start(company, path, f"{number}/MIX"))
    desk = await company.desk("olu")
    uncharged = await desk.command(f"{operations}/MIX/complete")
    assert codes(uncharged) == ["NOT_CHARGED"] * len(lots)
    wrong = await desk.command(f"{operations}/MIX/charge", scans=["lot/SALT-1"])
    assert "WRONG_MATERIAL" in codes(wrong)
    await do(company, "olu", f"{operations}/MIX/charge", scans=[label(lot) for lot in lots])
    await do(company, "olu", f"{operations}/MIX/complete")
    await do(company, "olu", f"{operations}/PRESS/start", scans=[f"{number}/PRESS"])
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{operations}/PRESS/parameters", values=values)
    await do(company, "ole", f"{operations}/PRESS/parameters/check", numbers=["V1"])
    report = {"workOrderId": path.rpartition("/")[2], "operation": "PRESS", "good": "990", "scrap": "10"}
    await do(company, "olu", "/mes/production-reports/report", **report, scrapReason="dust", labourSeconds=60)
    await do(company, "olu", f"{operations}/PRESS/complete")
    await until(company, found["id"], lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
    await go_on_to(company, "puttingAway", found["id"], path.rpartition("/")[2])
    lot = found["workOrders"][0]["outputLot"]
    wil = await company.desk("wil")

    async def put(*scans: str, **more: Any) -> httpx.Response:
        return await wil.command(f"{path}/put-away", place="FINISHED", scans=list(scans), **more)

    assert codes(await put()) == ["SCAN_MISSING", "SCAN_MISSING"]
    refused = await put(f"lot/{lots[0]}", "place/QUARANTINE", quantity="990.1")
    assert codes(refused) == ["WRONG_MATERIAL", "WRONG_LOCATION", "MORE_THAN_GOOD"]
    said = {own["code"]: (own["found"], own["required"]) for own in refused.json()["blockers"]}
    assert said["WRONG_MATERIAL"] == (f"lot {lots[0]} of API", f"lot {lot} of TAB")
    assert said["WRONG_LOCATION"] == ("location QUARANTINE", "location FINISHED")
    assert said["MORE_THAN_GOOD"] == ("990.1", "at most 990 reported good")
    ok(await put(f"lot/{lot}", "place/FINISHED"))
