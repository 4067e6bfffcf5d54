"""GS1: check digits, and element strings as they stand in a GS1-128 or GS1 DataMatrix symbol.

Source: GS1 General Specifications §3 (application identifiers), §7.8 (element strings), §7.9 (check digits), §7.12
(two-digit years); the list of identifiers follows the GS1 Barcode Syntax Dictionary. An element string is a row of
elements, each an application identifier (AI) and a value; an element whose AI has no predefined length ends with FNC1,
which scanners send as GS (U+001D), unless it is the last.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

GS: Final = "\x1d"
CSET_82: Final = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
DIGITS: Final = frozenset("0123456789")
SYMBOLOGY_IDENTIFIERS: Final = ("]C1", "]d2", "]Q3", "]e0")
"""GS1-128, GS1 DataMatrix, GS1 QR Code, GS1 DataBar (ISO/IEC 15424)."""
LONGEST_GS1_128: Final = 48
"""Data characters in one GS1-128 symbol, separators included."""
_DAYS: Final = frozenset({"11", "13", "15", "16", "17"})
_NEEDS_ITEM: Final = ("01", "02", "8006", "8026")


class Gs1Refused(ValueError):
    """It is no GS1 data; `reasons` says everything that is wrong."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class Element(NamedTuple):
    """One application identifier with its value, as text."""

    ai: str
    value: str


@dataclass(frozen=True)
class Identifier:
    """What an application identifier holds: `low` to `high` characters; a predefined length needs no separator."""

    title: str
    low: int
    high: int
    characters: frozenset[str] = DIGITS
    is_predefined: bool = False
    has_check_digit: bool = False


def _identifiers() -> Iterator[tuple[str, Identifier]]:
    yield "00", Identifier("SSCC", 18, 18, is_predefined=True, has_check_digit=True)
    yield "01", Identifier("GTIN", 14, 14, is_predefined=True, has_check_digit=True)
    yield "02", Identifier("CONTENT", 14, 14, is_predefined=True, has_check_digit=True)
    yield "10", Identifier("BATCH/LOT", 1, 20, CSET_82)
    days = ("PROD DATE", "PACK DATE", "BEST BEFORE", "SELL BY", "EXPIRY")
    yield from (
        (ai, Identifier(title, 6, 6, is_predefined=True)) for ai, title in zip(sorted(_DAYS), days, strict=True)
    )
    yield "20", Identifier("VARIANT", 2, 2, is_predefined=True)
    yield "21", Identifier("SERIAL", 1, 20, CSET_82)
    yield "30", Identifier("VAR. COUNT", 1, 8)
    measures = (("310", "NET WEIGHT (kg)"), ("311", "LENGTH (m)"), ("314", "AREA (m²)"), ("315", "NET VOLUME (l)"),
                ("316", "NET VOLUME (m³)"))  # fmt: skip
    for ai, title in measures:
        yield from ((f"{ai}{decimals}", Identifier(title, 6, 6, is_predefined=True)) for decimals in range(6))
    yield "37", Identifier("COUNT", 1, 8)
    yield "240", Identifier("ADDITIONAL ID", 1, 30, CSET_82)
    yield "241", Identifier("CUST. PART No.", 1, 30, CSET_82)
    yield "250", Identifier("SECONDARY SERIAL", 1, 30, CSET_82)
    yield "400", Identifier("ORDER NUMBER", 1, 30, CSET_82)
    gln = Identifier("GLN", 13, 13, is_predefined=True, has_check_digit=True)
    yield from ((str(ai), gln) for ai in range(410, 418))
    yield "90", Identifier("INTERNAL", 1, 30, CSET_82)
    yield from ((str(ai), Identifier("INTERNAL", 1, 90, CSET_82)) for ai in range(91, 100))


IDENTIFIERS: Final = dict(_identifiers())


# Check digits ----------------------------------------------------------------------------------------------------


def check_digit(digits: str) -> str:
    """The check digit that follows `digits`: weights 3, 1, 3, … from the right; 10 minus the sum, modulo 10."""
    if not digits or not set(digits) <= DIGITS:
        raise Gs1Refused([f"{digits!r} is not all digits"])
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin_14(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits, written with 14. Raises `Gs1Refused`."""
    if len(text) not in (8, 12, 13, 14) or not set(text) <= DIGITS:
        raise Gs1Refused([f"a GTIN has 8, 12, 13 or 14 digits; {text!r} has not"])
    if faults := tuple(_check_digit_faults("GTIN", text)):
        raise Gs1Refused(faults)
    return text.zfill(14)


def sscc(extension: int, company_prefix: str, serial: int) -> str:
    """The SSCC of a logistic unit: extension digit, GS1 company prefix, serial reference, check digit; 18 digits."""
    reference = str(serial).zfill(16 - len(company_prefix))
    digits = f"{extension}{company_prefix}{reference}"
    if not 0 <= extension <= 9 or not set(digits) <= DIGITS or len(digits) != 17:
        raise Gs1Refused([f"{extension}, {company_prefix} and {serial} make no 17 digits of an SSCC"])
    return digits + check_digit(digits)


def _check_digit_faults(title: str, value: str) -> Iterator[str]:
    expected = check_digit(value[:-1])
    if value[-1] != expected:
        yield f"check digit of {title} {value}: expected {expected}, got {value[-1]}"


# Element strings -------------------------------------------------------------------------------------------------


def element_string(elements: Sequence[Element]) -> str:
    """The elements as a symbol holds them, without the leading FNC1. Raises `Gs1Refused` with all that is wrong.

    What an AI needs beside it is judged too: a lot (10) without the item that it is of is no GS1 data.
    """
    faults = [fault for element in elements for fault in _faults(element)]
    if not elements:
        faults.append("there is no element")
    faults += [*_repeated(elements), *_associations({element.ai for element in elements})]
    if faults:
        raise Gs1Refused(faults)
    last = len(elements) - 1
    return "".join(
        f"{ai}{value}" + ("" if place == last or IDENTIFIERS[ai].is_predefined else GS)
        for place, (ai, value) in enumerate(elements)
    )


def parse(scan: str) -> tuple[Element, ...]:
    """The elements of what a scanner sent, with or without symbology identifier. Raises `Gs1Refused`.

    An AI that is given twice with the same value counts once. What is missing beside an AI is not judged here: others
    print labels, too.
    """
    data = scan[3:] if scan.startswith(SYMBOLOGY_IDENTIFIERS) else scan
    if data.startswith("("):
        raise Gs1Refused(["text for people, with AIs in brackets, is not what a symbol holds"])
    elements, faults = _read(data.removeprefix(GS), len(scan) - len(data.removeprefix(GS)))
    faults += [*_repeated(elements)]
    if not elements and not faults:
        faults.append("the scan is empty")
    if faults:
        raise Gs1Refused(faults)
    return tuple(dict.fromkeys(elements))


def human_readable(elements: Sequence[Element]) -> str:
    """The elements for people: `(01)06291041500213(10)LOT2026A`."""
    return "".join(f"({ai}){value}" for ai, value in elements)


def _read(data: str, offset: int) -> tuple[list[Element], list[str]]:
    elements: list[Element] = []
    faults: list[str] = []
    at = 0
    while at < len(data):
        ai = next((data[at : at + width] for width in (2, 3, 4) if data[at : at + width] in IDENTIFIERS), None)
        if ai is None:
            faults.append(f"no known AI at character {offset + at + 1}: {data[at : at + 4]!r}")
            break
        known = IDENTIFIERS[ai]
        start = at + len(ai)
        end = data.find(GS, start)
        end = len(data) if end < 0 else end
        stop = min(end, start + known.high) if known.is_predefined else end
        element = Element(ai, data[start:stop])
        faults += _faults(element, offset + start)
        elements.append(element)
        # A separator after an element of predefined length is superfluous, and allowed.
        at = stop + 1 if stop == end else stop
    return elements, faults


def _faults(element: Element, offset: int | None = None) -> Iterator[str]:
    """What is wrong with one element; a character is counted from 1, in the scan or in the value."""
    known = IDENTIFIERS.get(element.ai)
    if known is None:
        yield f"AI {element.ai!r} is not known"
        return
    name, value = f"AI ({element.ai}) {known.title}", element.value
    if not known.low <= len(value) <= known.high:
        width = str(known.low) if known.low == known.high else f"{known.low} to {known.high}"
        yield f"{name} has {width} characters, not {len(value)}: {value!r}"
        return
    wrong = [(place, character) for place, character in enumerate(value, 1) if character not in known.characters]
    if wrong:
        allowed = "digits" if known.characters == DIGITS else "characters of GS1 set 82"
        shown = ", ".join(f"{character!r} at {place + (offset or 0)}" for place, character in wrong)
        yield f"{name} holds {allowed}, not {shown}"
    elif known.has_check_digit:
        yield from _check_digit_faults(known.title, value)
    elif element.ai in _DAYS and not _is_day(value):
        yield f"{name}: {value} is no date YYMMDD"


def _repeated(elements: Sequence[Element]) -> Iterator[str]:
    first: dict[str, str] = {}
    for ai, value in elements:
        if first.setdefault(ai, value) != value:
            yield f"AI ({ai}) stands twice: {first[ai]!r} and {value!r}"


def _associations(ais: set[str]) -> Iterator[str]:
    """What may not, and what must, stand together (GS1 General Specifications §4.14)."""
    for ai in sorted(ais):
        if ai == "01":
            yield from (f"AI (01) cannot stand with ({other})" for other in sorted({"02", "37"} & ais))
        elif ai == "02" and "37" not in ais:
            yield "AI (02) needs (37)"
        elif ai == "37" and not {"00", "02"} <= ais:
            yield "AI (37) needs (00) and (02)"
        elif (ai in {"10", "20", "21", "30", "240", "241", "250"} | _DAYS or ai[:2] == "31") and not ais & set(
            _NEEDS_ITEM
        ):
            yield f"AI ({ai}) needs the item that it is about: (01) or (02)"


# Values ----------------------------------------------------------------------------------------------------------


def _is_day(value: str) -> bool:
    month, day = int(value[2:4]), int(value[4:])
    if not 1 <= month <= 12:
        return False
    # Two-digit years stand for 50 years around today; every fourth of them is a leap year, 2000 among them.
    return day <= calendar.monthrange(2000 + int(value[:2]) % 4, month)[1]


def written_day(day: date) -> str:
    """A day as AIs (11) to (17) write it."""
    return day.strftime("%y%m%d")


def read_day(value: str, today: date) -> date:
    """The day of an AI (11) to (17). Day 00 is the last of the month; the century is the one that lies nearest.

    Year: 51 to 99 more than this year's two digits is the century before, 50 to 99 less is the next one (§7.12).
    """
    if len(value) != 6 or not set(value) <= DIGITS or not _is_day(value):
        raise Gs1Refused([f"{value!r} is no date YYMMDD"])
    ahead = int(value[:2]) - today.year % 100
    century = today.year // 100 - (ahead >= 51) + (ahead <= -50)
    year, month, day = century * 100 + int(value[:2]), int(value[2:4]), int(value[4:])
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except ValueError:
        raise Gs1Refused([f"{value!r} is no date YYMMDD"]) from None


def measure(ai: str, quantity: Decimal) -> Element | None:
    """A quantity under a measure AI without its last digit (`310` is kg): none if 6 digits cannot hold it exactly."""
    for decimals in range(6):
        scaled = quantity.scaleb(decimals)
        if scaled == scaled.to_integral_value() and 0 < scaled < 1_000_000:
            return Element(f"{ai}{decimals}", f"{int(scaled):06}")
    return None


def read_measure(element: Element) -> Decimal:
    """The quantity of a measure element: the last digit of its AI says how many decimals it has."""
    return Decimal(int(element.value)).scaleb(-int(element.ai[-1]))
