"""The life of a report that was made by itself, and when the next one is due. Pure."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from domain.oee import instant
from domain.states import StateMachine


class ScheduledReportState(StrEnum):
    """A scheduled report. Its recipients see it from `distributed` on."""

    MADE = "made"
    REVIEWED = "reviewed"
    DISTRIBUTED = "distributed"
    ARCHIVED = "archived"
    REJECTED = "rejected"


class ScheduledReportEvent(StrEnum):
    """What can happen to a scheduled report."""

    REVIEW = "review"
    REJECT = "reject"
    DISTRIBUTE = "distribute"
    ARCHIVE = "archive"


_R, _RE = ScheduledReportState, ScheduledReportEvent
SCHEDULED_REPORT: Final = StateMachine(
    "scheduled report",
    _R.MADE,
    {
        (_R.MADE, _RE.REVIEW): _R.REVIEWED,
        (_R.MADE, _RE.REJECT): _R.REJECTED,
        (_R.REVIEWED, _RE.DISTRIBUTE): _R.DISTRIBUTED,
        (_R.DISTRIBUTED, _RE.ARCHIVE): _R.ARCHIVED,
    },
    {},
)
MACHINES: Final = (SCHEDULED_REPORT,)


class Rhythm(StrEnum):
    """How often; weekly is on Mondays, monthly on the first."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def due_after(rhythm: Rhythm, at: time, moment: datetime, zone: ZoneInfo) -> datetime:
    """The first due time after a moment, by the clock on the wall, in UTC."""
    day = moment.astimezone(zone).date()
    while True:
        if _is_day(rhythm, day) and (found := instant(day, at, zone)) > moment:
            return found
        day += timedelta(days=1)


def _is_day(rhythm: Rhythm, day: date) -> bool:
    match rhythm:
        case Rhythm.DAILY:
            return True
        case Rhythm.WEEKLY:
            return day.weekday() == 0
        case Rhythm.MONTHLY:
            return day.day == 1


def period_of(rhythm: Rhythm, due_at: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The whole days, both included, that a report of this due time is about: yesterday, last week, last month."""
    last = due_at.astimezone(zone).date() - timedelta(days=1)
    match rhythm:
        case Rhythm.DAILY:
            return last, last
        case Rhythm.WEEKLY:
            return last - timedelta(days=6), last
        case Rhythm.MONTHLY:
            return last.replace(day=1), last
