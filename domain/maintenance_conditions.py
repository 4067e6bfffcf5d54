"""Maintenance by condition: when what a machine did, or how a value of it moves, is a reason to propose maintenance.

A condition proposes and never begins anything: a person accepts, and then the usual maintenance order begins.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from statistics import median
from typing import Final

from domain.base import Message
from domain.quantities import Exact

FEWEST_JOBS: Final = 5
"""A trend over fewer jobs is none."""


class ConditionKind(StrEnum):
    """What is looked at, always since the last maintenance of the equipment."""

    RUN_HOURS = "runHours"
    """Hours in which jobs ran."""
    STROKES = "strokes"
    """Pieces that the machine made, good or not."""
    TREND = "trend"
    """The mean of one value in each job."""


class Direction(StrEnum):
    """On which side of its limit a value is bad."""

    ABOVE = "above"
    BELOW = "below"


class MaintenanceCondition(Message):
    """When to propose maintenance of one machine. `limit` in hours, pieces, or the unit of the value `tag`.

    A trend looks at the last `window` jobs and proposes when its line, `ahead` jobs later, is beyond the limit.
    """

    code: str
    equipment: str
    kind: ConditionKind
    limit: Exact
    tag: str = ""
    direction: Direction = Direction.ABOVE
    window: int = 10
    ahead: int = 5
    is_active: bool = True


class Finding(Message):
    """What was found: `value` is what is compared with the limit; none where there is not enough to say.

    `slope` is per job, by the median of all pairs (Theil and Sen): one job that went astray does not make a trend.
    """

    value: Exact | None
    slope: Exact | None = None
    jobs: int
    is_due: bool


class JobSum(Message):
    """One job since the last maintenance: its hours, pieces, and the mean of the value, where there was one."""

    job: str
    hours: Exact
    pieces: Exact
    mean: Exact | None = None


def judged(condition: MaintenanceCondition, jobs: Sequence[JobSum]) -> Finding:
    """Whether maintenance is to be proposed; `jobs` in the order in which they began."""
    match condition.kind:
        case ConditionKind.RUN_HOURS:
            return _counted(condition, [own.hours for own in jobs])
        case ConditionKind.STROKES:
            return _counted(condition, [own.pieces for own in jobs])
        case ConditionKind.TREND:
            return _trend(condition, [own.mean for own in jobs if own.mean is not None])


def _counted(condition: MaintenanceCondition, parts: Sequence[Decimal]) -> Finding:
    total = sum(parts, Decimal(0))
    return Finding(value=total, jobs=len(parts), is_due=total >= condition.limit)


def _trend(condition: MaintenanceCondition, means: Sequence[Decimal]) -> Finding:
    points = list(means)[-condition.window :]
    if len(points) < FEWEST_JOBS:
        return Finding(value=None, jobs=len(points), is_due=False)
    slope = median(
        (points[later] - points[earlier]) / (later - earlier)
        for earlier in range(len(points))
        for later in range(earlier + 1, len(points))
    )
    middle = median(value - slope * number for number, value in enumerate(points))
    value = middle + slope * (len(points) - 1 + condition.ahead)
    beyond = value >= condition.limit if condition.direction is Direction.ABOVE else value <= condition.limit
    towards = slope > 0 if condition.direction is Direction.ABOVE else slope < 0
    # Beyond it already and going back is no reason: the limit of the value itself is what alarms are for.
    return Finding(value=value, slope=slope, jobs=len(points), is_due=beyond and towards)
