"""The batch record on paper: what a reader finds in it, and what nobody can put into it."""

import io
import itertools
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pypdf
import pytest

from adapters.printing.glyphs import BREAK, printable
from adapters.printing.operation_sheet import MARK
from adapters.printing.port import LANGUAGES, Language, PrintJob
from adapters.printing.record_sheet import sheet
from adapters.printing.sheet import between, duration, local, precisely
from adapters.printing.texts import TEXTS, Words
from adapters.printing.typst_printer import TypstPrinter
from domain.case_commands import DEVIATION_COMMANDS
from domain.exceptions import ExceptionType
from domain.record_states import BatchRecordEvent, BatchRecordState
from domain.rework_states import InProcessInspectionState, ReworkState
from domain.states import InspectionState, LotStatus, OperationState
from tests.printing.paper import AT, PEOPLE, job, record, signature, value, version

PRINTER = TypstPrinter()


def words_of(printed: PrintJob) -> str:
    """All text of a print, with single blanks; places where a word may break are no characters of it."""
    reader = pypdf.PdfReader(io.BytesIO(PRINTER.print(printed)))
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages)).replace(BREAK, "")


def rows_of(printed: PrintJob) -> Iterator[dict[str, Any]]:
    """Every row of every table, as it is handed to the template."""
    for part in sheet(printed)["parts"]:
        if part["kind"] == "table":
            yield from part["rows"]


def texts_in(found: Any, style: str) -> list[str]:
    """The lines of a style in a row."""
    return [line["text"] for cell in found["cells"] for line in cell if line["style"] == style]


@pytest.mark.accepts("ES-01", "ES-07")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_signature_is_on_the_paper_with_name_time_and_meaning(language: Language) -> None:
    meanings = ("performed", "verified", "reviewed", "approved", "released", "certified", "rejected", "witnessed",
                "withdrawn", "authored")  # fmt: skip
    signers = itertools.cycle(PEOPLE)
    signed = [signature(next(signers), meaning, minute) for minute, meaning in enumerate(meanings)]
    found = words_of(job(record(signatures=signed), language))
    for own in signed:
        meaning = Words(language).of("meaning", own["meaning"])
        minute = own["signedAt"][14:16]
        line = f"{own['fullName']} {own['signer']} {meaning} 2026-11-02 09:{minute}:30.125 UTC"
        assert line in found, line


@pytest.mark.accepts("ES-01")
def test_a_signature_that_knows_its_place_shows_its_local_time_too() -> None:
    assert precisely("2026-11-02T23:30:00.007Z") == "2026-11-02 23:30:00.007 UTC"
    assert local("2026-11-02T23:30:00.007Z", "+08:00") == "2026-11-03 07:30:00 +08:00"
    own = signature("sam", "approved", 5) | {"localOffset": "+08:00"}
    assert "2026-11-02 17:05:30 +08:00" in words_of(job(record(signatures=[own])))


@pytest.mark.accepts("AT-06", "B12")
def test_exactly_the_corrected_values_are_marked_with_all_their_history() -> None:
    document = record()
    pressing = document["operations"][1]
    pressing["values"] = [
        value("V1", version(1, "113.0")),
        value("V2", version(1, "121.7", "olu", 10), version(2, "112.7", "ole", 12, reason="misread the balance"),
              version(3, "112.8", "olu", 14, reason="second look"), version(4, "112.9", "ole", 16, reason="third")),
        value("V3", version(1, "114.0")),
        value("V4", version(1, "115.5"), version(2, "115.6", reason="digit")),
    ]  # fmt: skip
    marked = [own for own in rows_of(job(document)) if own["marked"]]
    assert [[line["text"] for line in own["cells"][0]] for own in marked] == [[MARK, "V2"], [MARK, "V4"]]
    assert texts_in(marked[0], "struck") == ["121.7 mg", "112.7 mg", "112.8 mg"]
    assert texts_in(marked[0], "strong") == ["112.9 mg"]
    unmarked = [own for own in rows_of(job(document)) if not own["marked"]]
    assert not any(MARK in line["text"] for own in unmarked for cell in own["cells"] for line in cell)
    found = words_of(job(document))
    assert found.count(MARK) == 2 + 1, "one mark for each corrected value, and one in the legend"
    assert "First entry of V2: 121.7, by Olu Operator (olu), 2026-11-02 06:10:13" in found
    history = (
        "Correction 1 of V2: 121.7 → 112.7, by Ole Operator (ole), 2026-11-02 06:12:13. Reason: misread the balance"
    )
    assert history in found
    assert "Correction 3 of V2: 112.8 → 112.9" in found


@pytest.mark.accepts("AT-06")
def test_the_check_of_a_value_that_was_corrected_afterwards_is_not_lost() -> None:
    document = record()
    checked = version(1, "121.7", checkedBy="ben", checkedAt="2026-11-02T06:11:00Z")
    document["operations"][1]["values"] = [value("V1", checked, version(2, "112.7", reason="digit"))]
    assert "06:00:13; checked by Ben Analyst (ben), 2026-11-02 06:11:00" in words_of(job(document))


def test_what_was_taken_back_is_struck_through() -> None:
    found = [own for own in rows_of(job()) if own["cells"][0][0]["text"].startswith("PO-1-01-R")]
    assert [texts_in(own, "struck") for own in found] == [["970 pcs", "10", "0"], [], []]


@pytest.mark.accepts("B12", "EB-07", "ES-07")
def test_nothing_of_the_record_is_left_out() -> None:
    found = words_of(job())
    for said in (
        "LOT-PO-1", "TAB 7", "version 3 / version 4", "API-1", "5.0 kg", "2028-01-31", "PRESS-1", "press / R-12",
        "Set the press to 45 rpm.", "119.5 mg out of limits", "116.5 mg warning", "108 – 118", "target 113",
        "98.00 % limits 95 – 101", "99.00 %", "late entry", "PO-1-01-R3", "taken back by PO-1-01-R2",
        "Confirmed by Ole Operator (ole), 2026-11-02 08:01:00, as another person than Olu Operator (olu).",
        "die 7 was polished", "capping", "PO-1-01-W1", "dissolution", "80 – 110 %", "PO-1-D1",
        "tablets sorted, press adjusted", "Corrected value", "print-out attached", "weight after adjusting is missing",
        "to be corrected: COMPRESS/V3", "Certified by Quinn 王芳 (quinn) 2026-11-02 09:30:00",
        "Released by Sam Supervisor (sam) 2026-11-02 09:40:00", "cd" * 32, "The content is what quality approved.",
        "Rae Reviewer", "hardness not recorded",
        "Root cause and proposal", "punch 3 was worn", "report 17",
        "Printed 2026-11-26 12:00:00 UTC by Aud Auditor (aud)",
    ):  # fmt: skip
        assert said in found, said


@pytest.mark.accepts("B12")
def test_each_page_says_which_batch_it_belongs_to_and_which_page_it_is() -> None:
    for language, wording in (("en", "Page {} of {}"), ("zh", "第 {} 页，共 {} 页")):
        reader = pypdf.PdfReader(io.BytesIO(PRINTER.print(job(language=language))))  # type: ignore[arg-type]
        count = len(reader.pages)
        assert count > 1
        for number, page in enumerate(reader.pages, start=1):
            text = re.sub(r"\s+", " ", page.extract_text())
            assert "LOT-PO-1" in text
            assert wording.format(number, count) in text


def test_a_chinese_print_is_chinese() -> None:
    found = words_of(job(language="zh"))
    for said in (
        "批生产记录",
        "将压片机转速设为 45 转/分。",
        "电子签名",
        "放行审核人",
        "第 7 号冲模已抛光",
        "内容与质量批准时一致。",
    ):
        assert said in found, said
    for said in ("Set the press", "Electronic signatures", "Correction 1"):
        assert said not in found, said


def test_an_instruction_that_nobody_translated_is_printed_and_said_so() -> None:
    document = record()
    document["operations"][1]["instructions"] = [{"number": 10, "text": {"zh": "核对天平。"}}]
    assert "核对天平。 (not written in English)" in words_of(job(document))


@pytest.mark.parametrize("state", ["open", "inReview", "qaReview", "correction", None])
def test_what_quality_has_not_approved_is_a_draft(state: str | None) -> None:
    found = words_of(job(record(review={"state": state, "steps": []})))
    assert "DRAFT" in found
    assert "Quality has not approved this content." in found


@pytest.mark.parametrize("state", ["approved", "archived"])
def test_what_quality_has_approved_is_no_draft(state: str) -> None:
    document = record()
    document["review"]["state"] = state
    assert "DRAFT" not in words_of(job(document))


@pytest.mark.accepts("ES-04")
def test_a_content_that_is_not_the_approved_one_says_so_on_paper() -> None:
    assert "THE CONTENT IS NOT WHAT QUALITY APPROVED." in words_of(job(record(contentHash="ee" * 32)))


@pytest.mark.parametrize(
    "text",
    [
        '#panic("no")', '#eval("1+1")', '#read("/etc/passwd")', '#import "@preview/x:1.0.0"', "$ sum_1^2 $", "*bold*",
        "= Heading", "<label>", "@ref", "`raw`", "\\u{41}", "// gone", "{{ }} {0} {number}", '"); #panic(',
    ],
)  # fmt: skip
def test_text_of_people_is_never_read_as_markup(text: str) -> None:
    document = record(batch=text, productName=text)
    pressing = document["operations"][1]
    pressing["name"] = text
    pressing["comments"][0]["text"] = text
    pressing["instructions"][0]["text"]["en"] = text
    pressing["values"][1]["versions"][1]["reason"] = text
    document["deviations"][0]["decision"] = text
    document["signatures"][0]["fullName"] = text
    found = words_of(job(document))
    wanted = re.sub(r"\s+", " ", text)
    assert found.count(wanted) >= 8, found


def test_a_character_without_a_shape_is_written_out() -> None:
    assert printable("done 🙂") == "done ‹U+1F642›"
    assert printable("abc\u202edef") == "abc‹U+202E›def", "a hidden control must not turn the text around"
    assert printable("a\tb\x00") == "a‹U+0009›b‹U+0000›"
    assert printable("压片 µg ≥ 5 °C") == "压片 µg ≥ 5 °C"
    document = record()
    document["operations"][1]["comments"][0]["text"] = "done 🙂"
    assert "done ‹U+1F642›" in words_of(job(document))


def test_a_long_word_may_break_and_loses_nothing() -> None:
    long = "LOT-" + "X" * 60
    assert printable(long).replace(BREAK, "") == long
    assert max(map(len, printable(long).split(BREAK))) <= 18


def test_the_file_is_pdf_a_2b_with_its_fonts_and_no_link_outside() -> None:
    content = PRINTER.print(job())
    reader = pypdf.PdfReader(io.BytesIO(content))
    metadata = reader.xmp_metadata
    assert metadata is not None
    xmp = metadata.stream.get_data().decode()
    assert re.search(r"<pdfaid:part>2<", xmp)
    assert re.search(r"<pdfaid:conformance>B<", xmp)
    assert b"/FontFile3" in content
    assert b"/URI" not in content
    assert not reader.is_encrypted


def test_the_same_record_gives_the_same_bytes() -> None:
    assert PRINTER.print(job()) == PRINTER.print(job())


def test_three_hundred_values_and_a_reason_on_each_page_are_one_file() -> None:
    document = record()
    document["operations"][1]["values"] = [value(f"V{n}", version(1, f"113.{n:03d}")) for n in range(1, 301)]
    found = words_of(job(document))
    assert all(f"113.{n:03d} mg" in found for n in range(1, 301))


@pytest.mark.parametrize(
    ("kind", "states"),
    [("exception", ExceptionType), ("record", BatchRecordState), ("step", BatchRecordEvent),
     ("operation", OperationState), ("lot", LotStatus), ("inspection", InspectionState),
     ("inProcess", InProcessInspectionState), ("rework", ReworkState)],
)  # fmt: skip
def test_every_state_and_type_has_a_word_in_both_languages(kind: str, states: type[StrEnum]) -> None:
    for state in states:
        english, chinese = TEXTS[f"{kind}.{state}"]
        assert english
        assert re.search(r"[\u4e00-\u9fff]", chinese)


def test_every_step_of_a_deviation_has_a_word_in_both_languages() -> None:
    for kind in DEVIATION_COMMANDS:
        english, chinese = TEXTS[f"case.{kind.kind_name()}"]
        assert english
        assert re.search(r"[\u4e00-\u9fff]", chinese)


def test_an_older_record_without_its_cases_prints_as_before() -> None:
    old = record()
    del old["cases"]
    assert "How deviations were resolved" not in words_of(job(old))


def test_both_languages_ask_for_the_same_values() -> None:
    for key, (english, chinese) in TEXTS.items():
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), key


def test_what_people_read_of_limits_and_times() -> None:
    assert [between("1", "2"), between("1", None), between(None, "2"), between(None, None)] == [
        "1 – 2",
        "≥ 1",
        "≤ 2",
        "–",
    ]
    assert [duration(None), duration(0), duration(3909)] == ["–", "0:00:00", "1:05:09"]


def test_an_archive_copy_says_whether_it_is_sealed() -> None:
    sealed = words_of(job(for_archive="sealed"))
    assert "Archive copy made 2026-11-26 12:00:00 UTC, sealed with the organisation's key" in sealed
    assert "NOT SEALED" in words_of(job(for_archive="unsealed"))
    assert "未加盖电子印章" in words_of(job(language="zh", for_archive="unsealed"))


def test_the_template_gets_plain_data() -> None:
    assert json.loads(json.dumps(sheet(job()))) == sheet(job())
    assert AT.isoformat()[:19].replace("T", " ") in sheet(job())["foot"]["text"]


@pytest.mark.accepts("QL-11")
def test_a_reworked_lot_is_printed_with_its_parent_procedure_and_results() -> None:
    document = record()
    test = {"name": "friability", "unit": "%", "low": None, "high": "0.8"}
    result = {"name": "friability", "text": "0.31", "unit": "%", "withinLimits": True}
    document["reworks"][0] |= {
        "ownLot": "FCT-1-W1", "parentLot": "FCT-1", "method": "rework", "procedure": "SOP-RW-07", "tests": [test],
    }  # fmt: skip
    document["inProcessInspections"][0] |= {"rework": document["reworks"][0]["number"], "testResults": [result]}
    found = words_of(job(document))
    assert all(words in found for words in ("FCT-1-W1", "from lot", "SOP-RW-07", "friability", "0.31 %"))
