"""Weighing over HTTP: potency from the laboratory, labels that a scanner reads, the complete set, the record."""

import io
from typing import Any

import httpx
import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company, policy
from tests.api.records import TAB, codes, effective, ok
from tests.api.words import at_stage, do
from tests.line import Line

pytestmark = pytest.mark.usefixtures("working")
DISPENSING = policy(
    "dispensing", certification=False, productionRelease=False, masterBatchRecord=True, batchRecordReview=True,
    scanRequired=True, weighing=True,
)  # fmt: skip
API_LINE = {
    "line": 1, "material": "API", "weighingTolerancePercent": "0.5", "assay": "assay", "water": "water",
    "reservePercent": "10",
}  # fmt: skip
BESIDE = {"userId": "ole", "password": PASSWORD}


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    results = [{"name": name, "unit": "%", "low": "0", "high": "101"} for name in ("assay", "water")]
    plan = {"material": "API", "characteristics": results}
    ok(await (await company.desk("pat")).post(
        "/master-data/import", {"policies": [DISPENSING], "inspectionPlans": [plan]}
    ))  # fmt: skip
    await effective(company, "weigh-1", TAB | {"materials": [API_LINE]})
    await in_stock(company, "API-W", "98.7", "0.5")


@pytest.fixture(scope="module")
def scale(engine: Engine) -> str:
    """The code of a calibrated scale."""
    return Line(engine).qualified().calibrated().press


async def in_stock(company: Company, lot: str, assay: str, water: str) -> None:
    """A released lot with what the laboratory has found in it."""
    received = await do(company, "wil", "/wms/receipts", lot=lot, material="API", quantity="1000", unit="kg")
    path = f"/quality/inspections/{received['inspection']['number']}"
    values = [{"name": name, "text": text, "unit": "%"} for name, text in (("assay", assay), ("water", water))]
    await do(company, "ana", f"{path}/results", values=values)
    await do(company, "ben", f"{path}/decision", accept=True)


async def at_the_scale(company: Company) -> tuple[str, str]:
    """Number and path of a work order of 10,000 tablets: 50 kg of API, 55 kg at the line, the mixing started."""
    _, work_order = await at_stage(company, "dispatched", policy="dispensing", quantity="10000")
    path = f"/mes/work-orders/{work_order}"
    found = (await (await company.desk("wes")).get(path)).json()
    pick_list = f"/wms/outbound-orders/{found['pickList']['id']}"
    await do(company, "wes", f"{pick_list}/approve")
    await do(company, "wes", f"{pick_list}/execute", scans=["lot/API-W"])
    await do(company, "olu", f"{path}/operations/MIX/start", scans=[f"operation/{found['number']}/MIX"])
    return found["number"], path


async def weigh(company: Company, path: str, scale: str, gross: str, **more: Any) -> httpx.Response:
    """Olu weighs API-W into a container of 0.500 kg."""
    body: dict[str, Any] = {
        "line": 1, "scale": scale, "unit": "kg", "tare": "0.500", "gross": gross, "scans": ["lot/API-W"],
        "second": BESIDE, **more,
    }  # fmt: skip
    return await (await company.desk("olu")).command(f"{path}/operations/MIX/weighings", **body)


async def label(company: Company, container: str, form: str) -> bytes:
    """The label of a container as a file."""
    answer = await (await company.desk("olu")).get(f"/wms/containers/{container}/label", format=form)
    assert answer.status_code == 200, answer.text
    return answer.content


async def scanned(company: Company, container: str) -> str:
    """What a scanner reads from the printed label."""
    picture = Image.open(io.BytesIO(await label(company, container, "png"))).convert("L")
    (found,) = zxingcpp.read_barcodes(picture)
    return found.symbology_identifier + found.bytes.decode()


async def on_hand(company: Company) -> dict[str, str]:
    """Where API-W lies."""
    found = (await (await company.desk("wil")).get("/wms/stock", lot="API-W")).json()["stock"]
    return {own["place"]: own["onHand"] for own in found}


@pytest.mark.accepts("MT-07", "B11")
async def test_the_weight_makes_up_for_what_the_laboratory_found(company: Company, scale: str) -> None:
    _, path = await at_the_scale(company)
    refused = await weigh(company, path, scale, "50.500")
    assert codes(refused) == ["WEIGHING_OUT_OF_TOLERANCE"]
    assert refused.json()["blockers"][0]["required"] == "50.658434 … 51.167566 kg"
    spoofed = await weigh(company, path, scale, "50.500", results={"inspection": "X", "values": {"assay": "100"}})
    assert codes(spoofed) == ["WEIGHING_OUT_OF_TOLERANCE"]
    alone = await weigh(company, path, scale, "51.413", second=None)
    assert codes(alone, 403) == ["SECOND_PERSON_REQUIRED"]
    before = await on_hand(company)
    made = ok(await weigh(company, path, scale, "51.413"))["result"]
    after = await on_hand(company)
    assert float(before["LINE"]) - float(after["LINE"]) == pytest.approx(50.913)
    found = ok(await (await company.desk("aud")).get(f"/wms/containers/{made['container']}"))
    assert (found["target"], found["net"], found["tareText"], found["grossText"]) == (
        "50.913", "50.913", "0.500", "51.413",
    )  # fmt: skip
    assert found["potency"] == {
        "formula": "theoretical × 100 / assay × 100 / (100 − water)", "theoretical": "50", "assay": "98.7",
        "water": "0.5", "inspection": "API-W-I1", "result": "50.913",
    }  # fmt: skip
    shown = ok(await (await company.desk("olu")).get(f"{path}/weighing"))
    (line,) = shown["lines"]
    assert (line["theoretical"], line["weighed"], line["isComplete"]) == ("50", "49.999875", True)
    assert [own["number"] for own in shown["containers"]] == [made["container"]]


@pytest.mark.accepts("MT-08", "MT-05", "B6")
async def test_labels_are_read_and_charging_wants_the_complete_set(company: Company, scale: str) -> None:
    _, other_path = await at_the_scale(company)
    other = ok(await weigh(company, other_path, scale, "51.413"))["result"]["container"]
    number, path = await at_the_scale(company)
    first = ok(await weigh(company, path, scale, "30.500", moreFollows=True))["result"]["container"]
    second = ok(await weigh(company, path, scale, "21.413"))["result"]["container"]
    words = PdfReader(io.BytesIO(await label(company, first, "pdf"))).pages[0].extract_text()
    batch = ok(await (await company.desk("olu")).get(f"{path}/weighing"))["batch"]
    at = ok(await (await company.desk("olu")).get(f"/wms/containers/{first}"))["weighedAt"][:19].replace("T", " ")
    for text in (first, "API", "API-W", "30.000 kg", batch, "TAB", "olu / ole", at):
        assert text in words, (text, words)
    codes_of = {own: await scanned(company, own) for own in (first, second, other)}
    assert codes_of[first].startswith("]d2")
    told = ok(await (await company.desk("olu")).get("/scan", code=codes_of[first]))
    assert (told["kind"], told["id"], told["lot"], told["batch"]) == ("container", first, "API-W", batch)
    assert told["links"]["label"] == f"/wms/containers/{first}/label"
    desk = await company.desk("olu")

    async def stage(*scans: str) -> httpx.Response:
        return await desk.command(f"{path}/containers/stage", place="BOOTH-1", scans=list(scans))

    async def charge(*scans: str, **more: Any) -> httpx.Response:
        return await desk.command(f"{path}/operations/MIX/charge", scans=list(scans), **more)

    missing = await stage(codes_of[first])
    assert [(own["code"], own["id"]) for own in missing.json()["blockers"]] == [("CONTAINER_MISSING", second)]
    ok(await stage(codes_of[first], codes_of[second]))
    missing = await charge(codes_of[second])
    assert [(own["code"], own["id"]) for own in missing.json()["blockers"]] == [("CONTAINER_MISSING", first)]
    wrong = await charge(*codes_of.values())
    (blocker,) = wrong.json()["blockers"]
    assert blocker["code"] == "WRONG_CONTAINER"
    assert other in blocker["found"]
    assert first in blocker["required"]
    damaged = await charge(codes_of[first], codes_of[second][:-12] + "\x1d17")
    assert set(codes(damaged)) == {"SCAN_UNREADABLE", "CONTAINER_MISSING"}
    lot = await charge("lot/API-W", codes_of[first], codes_of[second])
    assert codes(lot) == ["WRONG_CONTAINER"]
    alone = await charge(first, second, typed=True, reason="the scanner fell down")
    assert codes(alone, 403) == ["SECOND_PERSON_REQUIRED"]
    ok(await charge(first, second, typed=True, reason="the scanner fell down", second=BESIDE))
    ok(await desk.command(f"{path}/operations/MIX/complete"))
    record = ok(await (await company.desk("rae")).get(f"{path}/batch-record"))
    assert [own["number"] for own in record["containers"]] == [first, second]
    typed = [own["detail"] for own in record["exceptions"] if own["type"] == "manualInsteadOfAutomatic"]
    assert typed == [f"chargeMaterials: {first}, {second} typed, not scanned (the scanner fell down); beside: ole"]
    assert "WRONG_CONTAINER" in " ".join(own["detail"] for own in record["exceptions"])
    for language, heading in (("en", "Weighed and dispensed"), ("zh", "称量与分装")):
        paper = await (await company.desk("rae")).get(f"{path}/batch-record/pdf", language=language)
        assert paper.status_code == 200, paper.text
        printed = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
        assert heading in printed
        for text in (first, second, "CERT-1", "30.500", "BOOTH-1"):
            assert text in "".join(printed.replace("\u200b", "").split()), text
    assert number in first


async def test_a_container_is_emptied_with_a_reason_and_its_content_lies_at_the_line(
    company: Company, scale: str
) -> None:
    _, path = await at_the_scale(company)
    before = await on_hand(company)
    made = ok(await weigh(company, path, scale, "51.413"))["result"]["container"]
    sam = await company.desk("sam")
    assert codes(await sam.command(f"{path}/containers/none/void", reason="it was spilled")) == ["UNKNOWN_CONTAINER"]
    ok(await sam.command(f"{path}/containers/{made}/void", reason="it was spilled"))
    assert (await on_hand(company))["LINE"] == before["LINE"]
    assert ok(await sam.get(f"/wms/containers/{made}"))["state"] == "voided"


async def test_the_supervisor_chooses_lots_that_the_warehouse_has(company: Company) -> None:
    _, work_order = await at_stage(company, "dispatched", policy="dispensing", quantity="10000")
    found = ok(await (await company.desk("wes")).get(f"/mes/work-orders/{work_order}"))
    path = f"/wms/outbound-orders/{found['pickList']['id']}/choose-lots"
    choice = [{"line": 1, "lots": ["API-W"]}]
    sam = await company.desk("sam")
    assert codes(await sam.command(path, choice=[{"line": 9, "lots": ["API-W"]}], reason="as agreed with quality")) == [
        "UNKNOWN_LINE"
    ]
    ok(await sam.command(path, choice=choice, reason="as agreed with quality"))
    chosen = ok(await sam.get(f"/mes/work-orders/{work_order}"))["pickList"]
    assert [own["lot"] for own in chosen["lines"] if own["line"] == 1] == ["API-W"]


@pytest.mark.accepts("MT-05")
@pytest.mark.parametrize(
    ("scan", "code"),
    [("lot/NO-SUCH", "WRONG_MATERIAL"), ("]d201", "SCAN_UNREADABLE"), ("place/RAW", "WRONG_MATERIAL")],
)
async def test_what_is_weighed_is_the_lot_that_was_scanned(company: Company, scale: str, scan: str, code: str) -> None:
    _, path = await at_the_scale(company)
    assert code in codes(await weigh(company, path, scale, "51.413", scans=[scan]))
