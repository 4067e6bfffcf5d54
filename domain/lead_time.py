"""How long orders take at each stage of their way. Pure; times are seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

STEPS: Final = (
    ("approve", "created", "released"),
    ("dispatch", "released", "dispatched"),
    ("pick", "dispatched", "ready"),
    ("execute", "ready", "inspecting"),
    ("inspect", "inspecting", "puttingAway"),
    ("putAway", "puttingAway", "completed"),
    ("close", "completed", "closed"),
)
"""Stage, the milestone it begins with, the milestone it ends with."""
STAGES: Final = tuple(stage for stage, _, _ in STEPS)


def durations(milestones: Mapping[str, datetime | None]) -> dict[str, Decimal]:
    """Stage → seconds. A milestone that was never reached is passed over: the stage before it lasts until the next one
    that was; a stage that never began or has not ended is left out. So stages never overlap and leave no gap."""
    found: dict[str, Decimal] = {}
    stage, begun = STAGES[0], milestones.get("created")
    for number, (_, _, end) in enumerate(STEPS):
        at = milestones.get(end)
        if at is None:
            continue
        if begun is not None:
            found[stage] = Decimal(str((at - begun).total_seconds()))
        begun = at
        stage = STAGES[min(number + 1, len(STAGES) - 1)]
    return found


@dataclass(frozen=True)
class Spread:
    """How many, the middle one, the mean, and what nine of ten did not pass; None of nothing."""

    count: int
    median: Decimal | None
    mean: Decimal | None
    ninth: Decimal | None


def spread(values: Sequence[Decimal]) -> Spread:
    """The spread of values; between two of them by a straight line, as PostgreSQL's percentile_cont."""
    if not values:
        return Spread(0, None, None, None)
    ordered = sorted(values)
    return Spread(
        len(ordered), _percentile(ordered, Decimal("0.5")), sum(ordered, Decimal(0)) / len(ordered),
        _percentile(ordered, Decimal("0.9")),
    )  # fmt: skip


def _percentile(ordered: Sequence[Decimal], share: Decimal) -> Decimal:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
