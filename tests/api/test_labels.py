"""Labels of lots: a scanner reads from the picture what the record says."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from adapters.printing.label_sheet import STATUS, Symbology, draw, elements_of, symbol
from domain.gs1 import CSET_82, Element, Gs1Refused, element_string, human_readable, parse
from domain.lot_label import LotLabel
from domain.states import LotStatus
from tests.api.company import Company, material
from tests.api.words import do

GTIN = "06291041500213"
AT = datetime(2026, 11, 25, tzinfo=UTC)
IDENTIFIER = {"dataMatrix": "]d2", "gs1-128": "]C1"}
SYMBOLOGIES = get_args(Symbology)
CHINESE = "薄膜包衣片 25 mg（阿莫西林）"


def scanned(picture: bytes | Image.Image) -> zxingcpp.Barcode:
    """The only symbol in a picture."""
    image = picture if isinstance(picture, Image.Image) else Image.open(io.BytesIO(picture))
    (found,) = zxingcpp.read_barcodes(image.convert("L"))
    return found


def read(picture: bytes | Image.Image) -> tuple[str, tuple[Element, ...]]:
    """Symbology identifier and elements of the symbol in a picture."""
    found = scanned(picture)
    return found.symbology_identifier, parse(found.bytes.decode())


def label_of(**changes: Any) -> LotLabel:
    """A label."""
    base: dict[str, Any] = {
        "lot": "FCT-19", "material": "TAB-25", "name": CHINESE, "gtin": GTIN, "quantity": Decimal(23500),
        "unit": "pcs", "status": "released", "expires_on": date(2028, 12, 31), "plant": "tablets",
    }  # fmt: skip
    return LotLabel(**base | changes)


async def fetched(company: Company, lot: str, **query: str) -> Any:
    """The label of a lot."""
    answer = await (await company.desk("wil")).get(f"/wms/lots/{lot}/label", **query)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(scope="module", autouse=True)
async def _lots(company: Company) -> None:
    chinese = {**material("TAB-25", "finished", "kg"), "name": CHINESE, "gtin": "6291041500213"}
    odd = [material("料", "raw", "kg"), {**material("XML", "raw", "kg"), "name": "<b>&\"' \x07 ]]>"}]
    answer = await (await company.desk("pat")).post("/master-data/import", {"materials": [chinese, *odd]})
    assert answer.status_code == 200, answer.text
    for lot, code in (("FCT-19", "TAB-25"), ("API-5-2", "API"), ("料-1", "料"), ("X-1", "XML"), ("批次", "API")):
        more = {"lot": lot, "material": code, "quantity": "12.500", "unit": "kg", "expiresOn": "2028-12-31"}
        await do(company, "wil", "/wms/receipts", **more)


@pytest.mark.accepts("A15", "TR-05")
@pytest.mark.parametrize("symbology", SYMBOLOGIES)
async def test_a_scanner_reads_the_label(company: Company, symbology: Symbology) -> None:
    png = (await fetched(company, "FCT-19", symbology=symbology, format="png")).content
    assert read(png) == (
        IDENTIFIER[symbology],
        (Element("01", GTIN), Element("17", "281231"), Element("10", "FCT-19"), Element("3101", "000125")),
    )
    pdf = await fetched(company, "FCT-19", symbology=symbology, format="pdf")
    (page,) = PdfReader(io.BytesIO(pdf.content)).pages
    text = page.extract_text()
    for shown in (CHINESE, "TAB-25", "FCT-19", "12.500 kg", "2028-12-31", "待验 QUARANTINE", "(10)FCT-19"):
        assert shown in text
    again = await fetched(company, "FCT-19", symbology=symbology, format="pdf")
    assert (pdf.content == again.content, pdf.headers["content-type"]) == (True, "application/pdf")
    svg = (await fetched(company, "FCT-19", symbology=symbology)).text
    words = [line.text for line in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {CHINESE, "FCT-19", "12.500 kg", "2028-12-31"} <= set(words)


@pytest.mark.parametrize("symbology", SYMBOLOGIES)
async def test_a_material_without_gtin_has_internal_identifiers(company: Company, symbology: Symbology) -> None:
    png = (await fetched(company, "API-5-2", symbology=symbology, format="png")).content
    assert human_readable(read(png)[1]) == "(91)API(95)281231(92)API-5-2(93)12.500(94)kg"


@pytest.mark.accepts("TR-05")
async def test_what_cannot_stand_in_a_symbol_is_refused(company: Company) -> None:
    wil = await company.desk("wil")
    for lot, shown in (("料-1", "'料' at 1"), ("批次", "'批' at 1, '次' at 2")):
        answer = await wil.get(f"/wms/lots/{lot}/label")
        assert (answer.status_code, answer.json()["code"]) == (409, "LABEL_REFUSED")
        assert any(shown in blocker["found"] for blocker in answer.json()["blockers"])
    assert (await wil.get("/wms/lots/NONE/label")).status_code == 404
    for query in ({"symbology": "qr"}, {"format": "gif"}):
        assert (await wil.get("/wms/lots/FCT-19/label", **query)).status_code == 422


async def test_text_never_becomes_markup(company: Company) -> None:
    svg = (await fetched(company, "X-1")).text
    words = [line.text for line in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert "<b>&\"' \ufffd ]]>" in words
    assert (await fetched(company, "X-1", format="pdf")).content.startswith(b"%PDF")


async def test_a_wrong_gtin_is_no_master_data(company: Company) -> None:
    wrong = {**material("W", "raw", "kg"), "gtin": "6291041500214"}
    answer = await (await company.desk("pat")).post("/master-data/import", {"materials": [wrong]})
    assert (answer.status_code, "expected 3, got 4" in answer.text) == (422, True)
    found = (await (await company.desk("pat")).get("/master-data/materials", prefix="TAB-25")).json()["materials"]
    assert found[0]["gtin"] == GTIN


def test_every_status_has_its_words() -> None:
    assert STATUS.keys() == set(LotStatus)


@pytest.mark.accepts("QL-12")
@pytest.mark.parametrize("status", list(LotStatus))
def test_the_status_is_marked(status: LotStatus) -> None:
    svg = draw(label_of(status=status), "dataMatrix", "svg", AT).decode()
    english, chinese, colour = STATUS[status]
    assert f"{chinese} {english}" in svg
    assert (colour == "#3fa34d") == (status == LotStatus.RELEASED)


def test_a_gs1_128_leaves_out_what_it_has_no_room_for() -> None:
    long = label_of(lot="L" * 20)
    assert [ai for ai, _ in elements_of(long, "gs1-128")] == ["01", "17", "10"]
    assert [ai for ai, _ in elements_of(long, "dataMatrix")] == ["01", "17", "10", "30"]
    with pytest.raises(Gs1Refused, match="the symbol holds 48"):
        elements_of(label_of(gtin=None, material="M" * 40), "gs1-128")
    with pytest.raises(Gs1Refused, match="21 characters"):
        elements_of(label_of(gtin=None, lot="L" * 21), "dataMatrix")
    assert [ai for ai, _ in elements_of(label_of(quantity=Decimal("0.5")), "dataMatrix")] == ["01", "17", "10"]
    assert [ai for ai, _ in elements_of(label_of(quantity=Decimal(0)), "dataMatrix")] == ["01", "17", "10"]
    assert [ai for ai, _ in elements_of(label_of(gtin=None, unit="片"), "dataMatrix")] == ["91", "95", "92"]


def test_the_longest_texts_stay_on_the_sheet_and_the_symbol_readable() -> None:
    longest = label_of(name="阿" * 200, lot="W" * 20, material="M" * 80, gtin=None, plant="厂" * 80)
    png = draw(longest, "dataMatrix", "png", AT)
    assert parse(scanned(png).bytes.decode()) == elements_of(longest, "dataMatrix")
    svg = ElementTree.fromstring(draw(longest, "dataMatrix", "svg", AT))
    lines = [line.text or "" for line in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "阿" * 200 in "".join(lines)


@pytest.mark.accepts("TR-05")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    lot=st.text(sorted(CSET_82), min_size=1, max_size=20),
    # With the longest lot and an expiry, 14 is what a GS1-128 of 48 characters has room for.
    code=st.text(sorted(CSET_82), min_size=1, max_size=14),
    gtin=st.sampled_from([GTIN, None]),
    symbology=st.sampled_from(SYMBOLOGIES),
)
def test_every_lot_is_read_back_from_its_symbol(lot: str, code: str, gtin: str | None, symbology: Symbology) -> None:
    said = elements_of(label_of(lot=lot, material=code, gtin=gtin), symbology)
    modules = symbol(said, symbology)
    height = 40 if symbology == "gs1-128" else 1
    image = Image.new("L", ((len(modules[0]) + 20) * 3, (len(modules) * height + 20) * 3), 255)
    for row, cells in enumerate(modules):
        for column, is_dark in enumerate(cells):
            if is_dark:
                left, top = (column + 10) * 3, (row * height + 10) * 3
                image.paste(0, (left, top, left + 3, top + 3 * height))
    assert read(image) == (IDENTIFIER[symbology], said)
    assert scanned(image).bytes.decode() == element_string(said)
