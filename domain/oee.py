"""Overall equipment effectiveness as ISO 22400-2 defines it, and the time model that it stands on. Pure.

Availability = APT / PBT, effectiveness = planned run time of what was produced / APT, quality = GQ / PQ; OEE is the
planned run time of the good pieces / PBT, which is the product of the three. (Only of pieces with one ideal cycle
time: of several, quality counts pieces, and OEE weighs them by their time.) Times are seconds, quantities pieces.
Figures of several stations or days come from sums of `Counts`, never from averages of percentages. What cannot be
divided is None with a reason, never 0 or 1; an effectiveness above 1 is shown as it is, and means that the ideal cycle
time is wrong.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class Doing(StrEnum):
    """What a station does at a moment. Of several at once the first in this list counts: whatever else is true, a
    station that produces is producing; a stopped operation at a broken machine is a breakdown."""

    PRODUCING = "producing"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    CLEANING = "cleaning"
    STOPPED = "stopped"
    IDLE = "idle"
    NOT_PLANNED = "notPlanned"


NOT_BUSY: Final = frozenset({Doing.MAINTENANCE, Doing.NOT_PLANNED})
"""Time that is not planned for production: it does not count against availability."""
_RANK: Final = {doing: rank for rank, doing in enumerate(Doing)}


@dataclass(frozen=True)
class Span:
    """From `start` (included) to `end` (not included), in UTC."""

    start: datetime
    end: datetime
    doing: Doing

    @property
    def seconds(self) -> Decimal:
        """How long."""
        return _seconds(self.end - self.start)


Window = tuple[datetime, datetime]


def time_line(
    spans: Iterable[Span], start: datetime, end: datetime, planned: Sequence[Window] | None = None
) -> tuple[Span, ...]:
    """What a station did from `start` to `end`: no gap, no overlap. Where nothing is known it was idle, outside the
    `planned` windows (None: always planned) it was not planned to be anything."""
    own = [span for span in spans if span.start < end and span.end > start and span.start < span.end]
    windows = [(start, end)] if planned is None else list(planned)
    edges = {start, end}
    for low, high in [*((span.start, span.end) for span in own), *windows]:
        edges |= {edge for edge in (low, high) if start < edge < end}
    moments = sorted(edges)
    begin = sorted((max(span.start, start), span.end, _RANK[span.doing]) for span in own)
    plan = sorted((max(low, start), high) for low, high in windows)
    found: list[Span] = []
    running: list[tuple[datetime, int]] = []
    open_until = start
    for low, high in itertools.pairwise(moments):
        while begin and begin[0][0] <= low:
            _, until, rank = begin.pop(0)
            running.append((until, rank))
        running = [(until, rank) for until, rank in running if until > low]
        while plan and plan[0][0] <= low:
            open_until = max(open_until, plan.pop(0)[1])
        doing = Doing.IDLE if open_until > low else Doing.NOT_PLANNED
        if running:
            doing = list(Doing)[min(rank for _, rank in running)]
        if found and found[-1].doing is doing:
            found[-1] = Span(found[-1].start, high, doing)
        else:
            found.append(Span(low, high, doing))
    return tuple(found)


def state_seconds(line: Iterable[Span]) -> dict[Doing, Decimal]:
    """How long a station did what; together this is the calendar time."""
    found = dict.fromkeys(Doing, Decimal(0))
    for span in line:
        found[span.doing] += span.seconds
    return found


def days(first: date, last: date, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
    """The days of a plant from `first` to `last` (both included) with their bounds in UTC. A day on which the clocks
    are changed has 23 or 25 hours; one ends where the next begins."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield day, instant(day, time(), zone), instant(day + timedelta(days=1), time(), zone)


def shifts(first: date, last: date, begin: time, end: time, zone: ZoneInfo) -> list[Window]:
    """The planned hours of each day: from `begin` to `end` by the clock on the wall, into the next day when `end` is
    not later. A shift that a change of the clocks leaves no time for is left out."""
    windows = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        closes = day if end > begin else day + timedelta(days=1)
        window = instant(day, begin, zone), instant(closes, end, zone)
        if window[0] < window[1]:
            windows.append(window)
    return windows


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A time on the wall as an instant. Of an hour that comes twice the first, of one that never comes what the clock
    would have shown."""
    return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(frozen=True)
class Counts:
    """What a figure is made of; counts add up. `planned_run` is the ideal cycle time times what was produced,
    `planned_good` the same of the good ones; `untimed` pieces have no ideal cycle time."""

    busy: Decimal = Decimal(0)
    producing: Decimal = Decimal(0)
    produced: Decimal = Decimal(0)
    good: Decimal = Decimal(0)
    planned_run: Decimal = Decimal(0)
    planned_good: Decimal = Decimal(0)
    untimed: Decimal = Decimal(0)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.busy + other.busy, self.producing + other.producing, self.produced + other.produced,
            self.good + other.good, self.planned_run + other.planned_run, self.planned_good + other.planned_good,
            self.untimed + other.untimed,
        )  # fmt: skip


def from_times(seconds: dict[Doing, Decimal]) -> Counts:
    """The times of a station as counts."""
    busy = sum((own for doing, own in seconds.items() if doing not in NOT_BUSY), Decimal(0))
    return Counts(busy=busy, producing=seconds[Doing.PRODUCING])


@dataclass(frozen=True)
class Ratio:
    """A figure, or why there is none; a figure with a reason is to be doubted."""

    value: Decimal | None
    reason: str = ""


@dataclass(frozen=True)
class Figures:
    """OEE and its three factors."""

    availability: Ratio
    effectiveness: Ratio
    quality: Ratio
    oee: Ratio


def figures(counts: Counts) -> Figures:
    """The figures of a sum of counts."""
    availability = _divided(counts.producing, counts.busy, "noPlannedTime")
    if counts.untimed:
        effectiveness = Ratio(None, "noIdealCycleTime")
    else:
        effectiveness = _divided(counts.planned_run, counts.producing, "noProductionTime")
    if effectiveness.value is not None and effectiveness.value > 1:
        effectiveness = Ratio(effectiveness.value, "checkIdealCycleTime")
    quality = _divided(counts.good, counts.produced, "nothingProduced")
    parts = (availability, effectiveness, quality)
    missing = next((part for part in parts if part.value is None), None)
    oee = missing or Ratio(counts.planned_good / counts.busy, effectiveness.reason)
    return Figures(availability, effectiveness, quality, oee)


def total(every: Iterable[Counts]) -> Counts:
    """The sum of stations or days."""
    return sum(every, Counts())


def _divided(part: Decimal, whole: Decimal, reason: str) -> Ratio:
    return Ratio(part / whole) if whole > 0 else Ratio(None, reason)


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length.days * 86400 + length.seconds) + Decimal(length.microseconds) / 1_000_000
