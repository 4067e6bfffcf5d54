"""GS1 element strings and check digits, against published numbers; today is 2026-11-22 where the century matters."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.gs1 import (
    CSET_82,
    GS,
    IDENTIFIERS,
    Element,
    Gs1Refused,
    check_digit,
    element_string,
    gtin_14,
    human_readable,
    measure,
    parse,
    read_day,
    read_measure,
    sscc,
    written_day,
)

TODAY = date(2026, 11, 22)
GTIN = "06291041500213"


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("629104150021", "3"), ("37610425002123456", "9"), ("061414100777", "6"), ("0061414177777", "8"),
        ("1061414107346", "4"), ("0952123400000", "6"), ("950110153000", "3"),
    ],
)  # fmt: skip
def test_check_digits_of_gs1(digits: str, expected: str) -> None:
    assert check_digit(digits) == expected


@given(st.text("0123456789", min_size=2, max_size=17), st.data())
def test_a_check_digit_finds_every_wrong_digit(digits: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from("0123456789"))
    assume(other != digits[at])
    assert check_digit(digits) != check_digit(digits[:at] + other + digits[at + 1 :])


def test_gtins_and_ssccs() -> None:
    assert gtin_14("6291041500213") == GTIN
    assert sscc(3, "7610425", 2123456) == "376104250021234569"
    assert sscc(1, "0614141", 234567890) == "106141412345678908"
    with pytest.raises(Gs1Refused, match="expected 3, got 4"):
        gtin_14("6291041500214")
    for wrong in ("", "629104150021", "62910415002133333", "629104150021a", "６291041500213"):
        with pytest.raises(Gs1Refused):
            gtin_14(wrong)
    with pytest.raises(Gs1Refused):
        sscc(3, "7610425", 1_000_000_000)


@pytest.mark.accepts("TR-04")
def test_a_scan_is_read() -> None:
    read = parse(f"]d2{'01' + GTIN}10LOT2026A{GS}1728123111261122")
    assert read == (
        Element("01", GTIN), Element("10", "LOT2026A"), Element("17", "281231"), Element("11", "261122"),
    )  # fmt: skip
    assert human_readable(read[:2]) == "(01)06291041500213(10)LOT2026A"
    again = parse(f"]C1{GS}01{GTIN}172802003103012500")
    assert read_day(again[1].value, TODAY) == date(2028, 2, 29)
    assert (again[2].ai, read_measure(again[2])) == ("3103", Decimal("12.500"))
    assert parse("00376104250021234569") == (Element("00", "376104250021234569"),)
    assert parse(f"10A{GS}10A") == (Element("10", "A"),)


@pytest.mark.accepts("TR-04")
@pytest.mark.parametrize(
    ("scan", "reason"),
    [
        ("17261301", "no date"), ("17260230", "no date"), ("17260431", "no date"),
        ("00376104250021234568", "expected 9, got 8"),
        ("0106291041500214", "expected 3, got 4"),
        (f"010629104150021310L1{GS}1728123110L2", "stands twice: 'L1' and 'L2'"),
        ("10" + "A" * 21, "1 to 20 characters, not 21"),
        ("10批号", "'批' at 3, '号' at 4"),
        ("(01)06291041500213(10)LOT(1)", "text for people"),
        ("", "empty"), (GS, "empty"), ("]d2", "empty"),
        ("0162910415", "14 characters, not 8"),
        ("10", "1 to 20 characters, not 0"),
        (f"10{GS}17281231", "1 to 20 characters, not 0"),
        ("8888", "no known AI at character 1"),
        (f"]C101{GTIN}x", "no known AI at character 20"),
        ("17٢٨١٢٣١", "holds digits"),
        (f"3012345678{GS}9{GS}", "no known AI at character 12"),
        ("30123456789", "1 to 8 characters, not 9"),
    ],
)  # fmt: skip
def test_what_is_no_gs1_data_is_refused(scan: str, reason: str) -> None:
    with pytest.raises(Gs1Refused) as refused:
        parse(scan)
    assert reason in str(refused.value)


def test_the_century_is_the_nearest() -> None:
    assert read_day("270200", TODAY) == date(2027, 2, 28)
    assert read_day("760101", TODAY) == date(2076, 1, 1)
    assert read_day("770101", TODAY) == date(1977, 1, 1)
    assert read_day("010101", date(2060, 1, 1)) == date(2101, 1, 1)
    for wrong in ("", "2812", "28123a", "280001", "999999"):
        with pytest.raises(Gs1Refused):
            read_day(wrong, TODAY)


@given(st.dates(date(1980, 1, 1), date(2070, 12, 31)))
def test_days_are_read_as_they_were_written(day: date) -> None:
    assert read_day(written_day(day), TODAY) == day


def test_what_must_stand_together_is_asked_for() -> None:
    with pytest.raises(Gs1Refused) as refused:
        element_string([Element("10", "L"), Element("37", "5"), Element("02", GTIN), Element("01", GTIN)])
    assert len(refused.value.reasons) == 3
    for lone in (Element("10", "L"), Element("17", "281231"), Element("3103", "000001"), Element("240", "X")):
        with pytest.raises(Gs1Refused, match="needs the item"):
            element_string([lone])
    assert element_string([Element("00", "376104250021234569"), Element("02", GTIN), Element("37", "5")])
    assert element_string([Element("91", "API"), Element("92", "L(1)")]) == f"91API{GS}92L(1)"
    for wrong in ([], [Element("5", "x")], [Element("01", GTIN), Element("10", "空")]):
        with pytest.raises(Gs1Refused):
            element_string(wrong)


def test_measures_are_exact_or_not_there() -> None:
    assert measure("310", Decimal("12.500")) == Element("3101", "000125")
    assert measure("310", Decimal("0.00001")) == Element("3105", "000001")
    assert measure("310", Decimal("1234567")) is None
    assert measure("310", Decimal("0.123456")) is None
    assert measure("310", Decimal(0)) is None


@given(st.decimals("0.00001", "999999", places=5))
def test_measures_are_read_as_they_were_written(quantity: Decimal) -> None:
    element = measure("310", quantity)
    assume(element is not None)
    assert element is not None
    assert read_measure(element) == quantity


@st.composite
def values(draw: st.DrawFn, ai: str) -> str:
    """A value that the AI can hold."""
    known = IDENTIFIERS[ai]
    if ai in ("11", "13", "15", "16", "17"):
        return written_day(draw(st.dates(date(1980, 1, 1), date(2070, 1, 1))))
    less = 1 if known.has_check_digit else 0
    text = draw(st.text(sorted(known.characters), min_size=known.low - less, max_size=known.high - less))
    return text + check_digit(text) if known.has_check_digit else text


@pytest.mark.accepts("TR-04", "TR-05")
@given(st.data())
def test_what_was_written_is_read_back(data: st.DataObject) -> None:
    others = data.draw(st.lists(st.sampled_from(sorted(set(IDENTIFIERS) - {"01", "02", "37"})), unique=True))
    elements = tuple(Element(ai, data.draw(values(ai))) for ai in data.draw(st.permutations(["01", *others])))
    assert parse(element_string(elements)) == elements


@pytest.mark.accepts("TR-05")
@given(st.text(min_size=1, max_size=25))
def test_lots_that_cannot_stand_on_a_label_are_refused(lot: str) -> None:
    elements = (Element("01", GTIN), Element("10", lot))
    if set(lot) <= CSET_82 and len(lot) <= 20:
        assert parse(element_string(elements)) == elements
    else:
        with pytest.raises(Gs1Refused, match=r"20 characters, not|holds characters of GS1 set 82, not"):
            element_string(elements)


@given(st.text(alphabet=st.sampled_from("0123456789A" + GS), max_size=40))
def test_any_scan_is_read_or_refused(scan: str) -> None:
    try:
        elements = parse(scan)
    except Gs1Refused as error:
        elements = tuple(Element("", reason) for reason in error.reasons)
    assert elements
