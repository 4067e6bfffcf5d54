"""Instruments of the laboratory, by the equipment register (CN 223; QL-03)."""

from datetime import datetime

from domain.equipment import Item, not_qualified
from domain.equipment_gate import calibration_blockers
from domain.equipment_states import Availability
from domain.errors import Blocker

_NOT_THERE = (Availability.DOWN, Availability.UNDER_MAINTENANCE, Availability.OUT_OF_SERVICE)


def instrument_blockers(item: Item, at: datetime) -> list[Blocker]:
    """Everything that stands in the way of a result that was measured with it at this moment."""
    found = not_qualified(item, at) + calibration_blockers(item, at)
    if item.availability in _NOT_THERE:
        found.append(
            Blocker(code="DOWN", entity=item.kind, id=item.code, found=item.availability, required="available",
                    who_can_fix="maintenance")
        )  # fmt: skip
    return found
