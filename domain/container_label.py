"""What the label of a dispensed container says (MT-08): for people, and in its GS1 DataMatrix.

A container is nothing that is sold: its symbol has AIs that GS1 keeps for use inside a company. (91) material,
(92) lot, (93) net, (94) unit, (96) container, (97) batch.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.gs1 import Element
from domain.quantities import plain


@dataclass(frozen=True)
class ContainerLabel:
    """A dispensed container, as its label shows it."""

    container: str
    material: str
    name: str
    lot: str
    net: Decimal
    unit: str
    batch: str
    product: str
    work_order: str
    dispensed_by: str
    checked_by: str | None
    dispensed_at: datetime
    expires_on: date | None
    state: str


def elements(label: ContainerLabel) -> tuple[Element, ...]:
    """What the symbol holds."""
    return (
        Element("91", label.material),
        Element("92", label.lot),
        Element("93", plain(label.net)),
        Element("94", label.unit),
        Element("96", label.container),
        Element("97", label.batch),
    )
