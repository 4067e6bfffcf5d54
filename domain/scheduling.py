"""A finite schedule: which operation runs when at which workstation, nothing twice at once. Pure.

Orders are placed one after the other in the order of their due dates (Jackson's rule, earliest due date first; ties by
number), each operation into the earliest gap in which it fits at a workstation that can do it: so what is due later
never delays what is due earlier. It is a heuristic, not an optimum: anybody can follow
why a bar lies where it lies.

An operation occupies its workstation from its start to its end and works in the open hours in between: it rests when
the plant is closed or the workstation is down, and nothing else comes between. Times are instants, durations seconds.
"""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from domain.oee import shifts

Window = tuple[datetime, datetime]
Reason = Literal["noStation", "beyondHorizon", "waitsForAnother"]
NEVER: Final = timedelta(days=36500)


@dataclass(frozen=True)
class Step:
    """One operation that has still to be done. `key` is unique; `before` are keys of steps that have to be over (those
    that are not in the plan are). `running_at`: it runs there already, and is not moved."""

    key: str
    order: str
    operation: str
    seconds: int
    stations: tuple[str, ...]
    before: tuple[str, ...] = ()
    running_at: str | None = None


@dataclass(frozen=True)
class Job:
    """An order: when it is due (None: last), from when it may be worked on, its steps."""

    order: str
    due_at: datetime | None
    steps: tuple[Step, ...]
    not_before: datetime | None = None


@dataclass(frozen=True)
class Bar:
    """A step in the plan: it occupies `station` from `start` (included) to `end` (not included)."""

    step: Step
    station: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Unplaced:
    """A step that found no place, and why."""

    step: Step
    reason: Reason


@dataclass(frozen=True)
class Plan:
    """A schedule: bars by start, what found no place, and when each order is done (None: not all of it is placed)."""

    bars: tuple[Bar, ...]
    unplaced: tuple[Unplaced, ...]
    ends: Mapping[str, datetime | None]


@dataclass(frozen=True)
class Move:
    """A step that lies elsewhere in another plan; None where it is in one of them only."""

    step: Step
    before: Bar | None
    after: Bar | None


def open_hours(
    now: datetime, days: int, begin: time, end: time, weekdays: Iterable[int], zone: ZoneInfo
) -> list[Window]:
    """The hours in which a plant works from now on: from `begin` to `end` on these weekdays (Monday is 0), all day when
    both are the same; by the clock on the wall, over changes of it."""
    today, wanted = now.astimezone(zone).date(), set(weekdays)
    found: list[Window] = []
    for number in range(-1, days):
        day = today + timedelta(days=number)
        if day.weekday() not in wanted:
            continue
        for low, high in _of_day(day, begin, end, zone):
            if high > now:
                _join(found, max(low, now), high)
    return found


def _of_day(day: date, begin: time, end: time, zone: ZoneInfo) -> list[Window]:
    return shifts(day, day, begin, end, zone)


def _join(found: list[Window], low: datetime, high: datetime) -> None:
    if found and low <= found[-1][1]:
        found[-1] = found[-1][0], max(found[-1][1], high)
    else:
        found.append((low, high))


def without(windows: Sequence[Window], closed: Sequence[Window]) -> list[Window]:
    """Open hours less the hours in which a workstation is down."""
    found = list(windows)
    for down, up in closed:
        cut: list[Window] = []
        for low, high in found:
            if low < min(high, down):
                cut.append((low, min(high, down)))
            if max(low, up) < high:
                cut.append((max(low, up), high))
        found = cut
    return found


def schedule(
    jobs: Iterable[Job], now: datetime, windows: Sequence[Window], down: Mapping[str, Sequence[Window]] | None = None
) -> Plan:
    """Place every step. `down`: workstation → when it is down."""
    ordered = sorted(jobs, key=lambda job: (job.due_at is None, job.due_at or now, job.order))
    return _Board(now, windows, down or {}).fill(ordered)


class _Board:
    """The workstations with what lies at them."""

    def __init__(self, now: datetime, windows: Sequence[Window], down: Mapping[str, Sequence[Window]]) -> None:
        self._now, self._windows, self._down = now, windows, down
        self._open: dict[str, list[Window]] = {}
        self._busy: dict[str, list[Window]] = {}
        self._bars: dict[str, Bar] = {}
        self._unplaced: dict[str, Unplaced] = {}

    def fill(self, jobs: Sequence[Job]) -> Plan:
        # What runs already keeps its place, whatever is due earlier.
        for step in (step for job in jobs for step in job.steps if step.running_at is not None):
            self._place(step, self._now, (step.running_at or "",))
        for job in jobs:
            self._fill(job, {step.key for other in jobs for step in other.steps})
        bars = sorted(self._bars.values(), key=lambda bar: (bar.start, bar.station, bar.step.key))
        return Plan(tuple(bars), tuple(self._unplaced.values()), {job.order: self._end(job) for job in jobs})

    def _end(self, job: Job) -> datetime | None:
        ends = [self._bars[step.key].end if step.key in self._bars else None for step in job.steps]
        return None if None in ends else max((end for end in ends if end is not None), default=self._now)

    def _fill(self, job: Job, known: set[str]) -> None:
        waiting = [step for step in job.steps if step.key not in self._bars]
        while waiting:
            ready = [step for step in waiting if all(key in self._bars or key not in known for key in step.before)]
            if not ready:
                for step in waiting:
                    self._unplaced[step.key] = Unplaced(step, "waitsForAnother")
                return
            for step in ready:
                waiting.remove(step)
                begin = max([self._now, job.not_before or self._now,
                             *(self._bars[key].end for key in step.before if key in self._bars)])  # fmt: skip
                self._place(step, begin, step.stations)

    def _place(self, step: Step, begin: datetime, stations: Sequence[str]) -> None:
        found = [(*gap, station) for station in stations if (gap := self._gap(station, begin, step.seconds))]
        if not found:
            self._unplaced[step.key] = Unplaced(step, "beyondHorizon" if stations else "noStation")
            return
        # The station that is done first; of two the one that was named first.
        start, end, station = min(found, key=lambda own: (own[1], stations.index(own[2])))
        self._bars[step.key] = Bar(step, station, start, end)
        insort(self._busy.setdefault(station, []), (start, end))

    def _gap(self, station: str, begin: datetime, seconds: int) -> Window | None:
        at = begin
        for low, high in [*self._busy.get(station, ()), (begin + NEVER, begin + NEVER)]:
            if high <= at:
                continue
            found = self._span(station, at, seconds)
            if found is None or found[1] <= low:
                return found
            at = max(at, high)
        return None

    def _span(self, station: str, at: datetime, seconds: int) -> Window | None:
        """From the first open moment until so many open seconds have passed; None beyond the horizon."""
        left, start = timedelta(seconds=max(seconds, 1)), None
        for low, high in self._hours(station):
            low = max(low, at)
            if low >= high:
                continue
            start = start or low
            if low + left <= high:
                return start, low + left
            left -= high - low
        return None

    def _hours(self, station: str) -> list[Window]:
        if station not in self._open:
            self._open[station] = without(self._windows, self._down.get(station, ()))
        return self._open[station]


def moves(before: Plan, after: Plan) -> tuple[Move, ...]:
    """What lies elsewhere in another plan, by when it lay there."""
    old, new = ({bar.step.key: bar for bar in plan.bars} for plan in (before, after))
    found = [
        Move((old.get(key) or new[key]).step, old.get(key), new.get(key))
        for key in dict.fromkeys((*old, *new))
        if _place_of(old.get(key)) != _place_of(new.get(key))
    ]
    return tuple(sorted(found, key=_first))


def _place_of(bar: Bar | None) -> tuple[str, datetime, datetime] | None:
    return None if bar is None else (bar.station, bar.start, bar.end)


def _first(move: Move) -> tuple[datetime, str]:
    starts = [bar.start for bar in (move.before, move.after) if bar is not None]
    return min(starts), move.step.key


def late(jobs: Iterable[Job], plan: Plan) -> dict[str, timedelta]:
    """Orders that are done after their due date, or not placed at all (`NEVER`), and by how much."""
    found = {}
    for job in jobs:
        end = plan.ends.get(job.order)
        if job.due_at is not None and (end is None or end > job.due_at):
            found[job.order] = NEVER if end is None else end - job.due_at
    return found
