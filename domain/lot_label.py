"""What the symbol on the label of a lot says.

With a GTIN: (01) GTIN, (17) expiry, (10) lot, and the quantity under (30) in pieces or under a measure AI. GS1 allows
none of these without the trade item that they are about, so a material without GTIN gets AIs that GS1 keeps for use
inside a company: (91) material code, (92) lot, (93) quantity, (94) its unit, (95) expiry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from domain.gs1 import CSET_82, LONGEST_GS1_128, Element, Gs1Refused, element_string, measure, written_day
from domain.quantities import plain

LONGEST_LOT: Final = 20
PIECES: Final = frozenset({"pcs", "pc", "ea", "EA"})
MEASURES: Final = {"kg": "310", "m": "311", "m2": "314", "m²": "314", "l": "315", "L": "315", "m3": "316", "m³": "316"}


@dataclass(frozen=True)
class LotLabel:
    """A lot, as its label shows it. `quantity` is what is on hand; `gtin` has 14 digits."""

    lot: str
    material: str
    name: str
    gtin: str | None
    quantity: Decimal
    unit: str
    status: str
    expires_on: date | None
    plant: str | None
    certified_by: str | None = None
    """Full name and id of the qualified person who certified the batch."""


def elements(label: LotLabel, longest: int | None = None) -> tuple[Element, ...]:
    """What the symbol holds; `longest` counts the characters that it has room for.

    Quantity and unit are left out when there is no room, or when their AIs cannot hold them exactly: the text of the
    label has them. Raises `Gs1Refused` when material, lot and expiry cannot be written.
    """
    always = _of_item(label, label.gtin) if label.gtin else _internal(label)
    faults = [f"lot {label.lot} has {len(label.lot)} characters; 20 are possible"] if _is_too_long(label) else []
    try:
        needed = len(element_string(always))
    except Gs1Refused as refused:
        raise Gs1Refused([*faults, *refused.reasons]) from None
    if longest is not None and needed > longest:
        faults.append(f"material, lot and expiry take {needed} characters; the symbol holds {longest}")
    if faults:
        raise Gs1Refused(faults)
    more = (*always, *_quantity(label))
    return more if longest is None or len(element_string(more)) <= longest else always


def of_gs1_128(label: LotLabel) -> tuple[Element, ...]:
    """The elements of a GS1-128, which holds 48 characters."""
    return elements(label, LONGEST_GS1_128)


def _is_too_long(label: LotLabel) -> bool:
    return label.gtin is None and len(label.lot) > LONGEST_LOT  # AI (10) says so itself


def _of_item(label: LotLabel, gtin: str) -> tuple[Element, ...]:
    expiry = () if label.expires_on is None else (Element("17", written_day(label.expires_on)),)
    return Element("01", gtin), *expiry, Element("10", label.lot)


def _internal(label: LotLabel) -> tuple[Element, ...]:
    expiry = () if label.expires_on is None else (Element("95", written_day(label.expires_on)),)
    return Element("91", label.material), *expiry, Element("92", label.lot)


def _quantity(label: LotLabel) -> Sequence[Element]:
    if label.quantity <= 0:
        return ()
    if not label.gtin:
        fits = 0 < len(label.unit) <= 90 and set(label.unit) <= CSET_82
        return (Element("93", plain(label.quantity)), Element("94", label.unit)) if fits else ()
    if label.unit in PIECES:
        is_count = label.quantity == label.quantity.to_integral_value() and label.quantity < 100_000_000
        return (Element("30", str(int(label.quantity))),) if is_count else ()
    found = measure(MEASURES[label.unit], label.quantity) if label.unit in MEASURES else None
    return () if found is None else (found,)
