"""The sums of a recall: where every unit of the affected lots is (TR-03). Pure.

Of a lot: made = in stock + with customers + used in other lots + scrapped + unexplained; what customers sent back is
in stock. Of a shipment: shipped = returned + accounted + missing (SM-13).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from domain.base import Message
from domain.quantities import Exact

_HUNDREDTH = Decimal("0.01")
_WHOLE = Decimal(100)


class LotBalance(Message):
    """Where the quantity of one lot is; `unexplained` is what the ledger does not say."""

    lot: str
    unit: str
    made: Exact
    in_stock: Exact
    with_customers: Exact
    used: Exact
    scrapped: Exact

    @property
    def unexplained(self) -> Decimal:
        """What is missing in the ledger itself; 0 in a record that is whole."""
        return self.made - self.in_stock - self.with_customers - self.used - self.scrapped


@dataclass(frozen=True)
class Sent:
    """A shipment of an affected lot: what left, what came back, what the customer has accounted for."""

    shipment: str
    unit: str
    shipped: Decimal
    returned: Decimal
    accounted: Decimal

    @property
    def missing(self) -> Decimal:
        """What nobody has explained."""
        return self.shipped - self.returned - self.accounted


def percentages(parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Shares with two decimals that sum to exactly 100 (largest remainder); all 0 when there is nothing."""
    total = sum(parts.values(), Decimal(0))
    if total == 0:
        return dict.fromkeys(parts, Decimal("0.00"))
    exact = {name: part * _WHOLE / total for name, part in parts.items()}
    shares = {name: share.quantize(_HUNDREDTH, ROUND_FLOOR) for name, share in exact.items()}
    left = int((_WHOLE - sum(shares.values(), Decimal(0))) / _HUNDREDTH)
    for name in sorted(parts, key=lambda name: (shares[name] - exact[name], name))[:left]:
        shares[name] += _HUNDREDTH
    return shares


def by_unit(balances: Sequence[LotBalance]) -> dict[str, dict[str, Decimal]]:
    """Unit → where everything of the affected lots is, in that unit."""
    found: dict[str, dict[str, Decimal]] = {}
    for own in balances:
        parts = found.setdefault(own.unit, dict.fromkeys(_PARTS, Decimal(0)))
        for name in _PARTS:
            parts[name] += getattr(own, name)
    return found


_PARTS = ("in_stock", "with_customers", "used", "scrapped", "unexplained")


def of_shipments(sent: Sequence[Sent]) -> dict[str, dict[str, Decimal]]:
    """Unit → shipped quantity as returned, accounted and missing."""
    found: dict[str, dict[str, Decimal]] = {}
    for own in sent:
        parts = found.setdefault(own.unit, dict.fromkeys(("returned", "accounted", "missing"), Decimal(0)))
        parts["returned"] += own.returned
        parts["accounted"] += own.accounted
        parts["missing"] += own.missing
    return found
