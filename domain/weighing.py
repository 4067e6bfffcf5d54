"""Weighing and dispensing: the arithmetic, and what is kept of a weighing. Exact decimals throughout.

Sources: MT-06, MT-07 and MT-08 of the GMP requirements; reference values §11.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from domain.base import Message
from domain.quantities import Exact, exact, plain, rounded, shortest

FORMULA: Final = "theoretical × 100 / assay × 100 / (100 − water)"
PLACES: Final = 3
"""Decimals of a compensated quantity: a gram of a kilogram."""
_FINE: Final = 6
_HUNDRED: Final = Decimal(100)


class LotResults(Message):
    """What the laboratory found in a lot: results by name, as they were entered, of its newest accepted inspection."""

    inspection: str
    values: dict[str, str]


class Potency(Message):
    """A compensated quantity with everything that it was computed from. `assay` and `water` in percent."""

    formula: str = FORMULA
    theoretical: Exact
    assay: str
    water: str
    inspection: str
    result: Exact


class ScaleReading(Message):
    """What a connected scale showed. `is_stable` and `is_good` say whether it may be used."""

    tare: str
    gross: str
    unit: str
    read_at: datetime
    is_stable: bool = True
    is_good: bool = True


class WeighingRequest(Message):
    """What is to be weighed. Without `tare` and `gross` the connected scale of the station is read."""

    line: int
    material: str
    lot: str
    unit: str
    operation: str
    scale: str
    tare: str | None = None
    gross: str | None = None
    more_follows: bool = False
    results: LotResults | None = None
    second_person: str | None = None


class Weighing(Message):
    """A good weighing: the container, what the scale said, what was needed.

    `low` … `high` is what the net weight had to be, inclusive; `equivalent` is how much of the line's theoretical
    quantity it stands for. All quantities in `unit`.
    """

    number: str
    line: int
    material: str
    lot: str
    unit: str
    operation: str
    scale: str
    certificate: str | None = None
    calibration_due_at: datetime | None = None
    weighed_from: Literal["person", "scale"]
    read_at: datetime | None = None
    tare_text: str
    gross_text: str
    tare: Exact
    gross: Exact
    net: Exact
    target: Exact
    low: Exact
    high: Exact
    equivalent: Exact
    potency: Potency | None = None
    more_follows: bool = False
    second_person: str | None = None


class Strength(NamedTuple):
    """Assay and water of a lot in percent."""

    assay: Decimal
    water: Decimal


def strength(assay: str, water: str) -> Strength | None:
    """The strength that the laboratory's texts say; none when they are no numbers, or no such percentages."""
    try:
        found = Strength(exact(assay), exact(water))
    except ValueError:
        return None
    return found if found.assay > 0 and 0 <= found.water < _HUNDRED else None


def compensated(theoretical: Decimal, of: Strength) -> Decimal:
    """How much of a lot holds the theoretical quantity (MT-07): 50.000 at 98.7 % and 0.5 % water is 50.913."""
    return rounded(theoretical * _HUNDRED / of.assay * _HUNDRED / (_HUNDRED - of.water), PLACES)


def equivalent(net: Decimal, of: Strength | None) -> Decimal:
    """How much of the theoretical quantity a net weight holds."""
    if of is None:
        return net
    return rounded(net * of.assay / _HUNDRED * (_HUNDRED - of.water) / _HUNDRED, _FINE)


class Range(NamedTuple):
    """What a net weight has to be; both ends belong to it."""

    target: Decimal
    low: Decimal
    high: Decimal

    def words(self, unit: str) -> str:
        """`12.4375 … 12.5625 kg`."""
        return f"{shortest(self.low)} … {shortest(self.high)} {unit}"


def needed(theoretical: Decimal, tolerance: Decimal, of: Strength | None) -> Range:
    """What is needed for an open theoretical quantity. The tolerance grows with the compensation."""
    if of is None:
        return Range(theoretical, theoretical - tolerance, theoretical + tolerance)
    target = compensated(theoretical, of)
    wider = rounded(tolerance * _HUNDRED / of.assay * _HUNDRED / (_HUNDRED - of.water), _FINE)
    return Range(target, target - wider, target + wider)


def brought(quantity: Decimal, reserve_percent: Decimal | None) -> Decimal:
    """How much is brought to the scale: with the reserve, where there is one."""
    if reserve_percent is None:
        return quantity
    return Decimal(plain(rounded(quantity * (_HUNDRED + reserve_percent) / _HUNDRED, _FINE).normalize()))
