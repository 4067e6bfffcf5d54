"""A period that somebody asks for: days of the plant, both included, in the address of a page."""

from datetime import date, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Request

from api.clock import now
from reporting.period import Period

MOST_DAYS: Final = 366
DEFAULT_DAYS: Final = 30
SHORTCUTS: Final = (1, 7, 30, 90)


def period(
    request: Request, since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="so many days until today")] = DEFAULT_DAYS,
) -> Period:  # fmt: skip
    """What the address asks for; without it the last 30 days, or as many as it says.

    Days that are none are left out, a period that is turned
    round is turned back, one that is too long begins later."""
    zone = ZoneInfo(request.app.state.services.settings.time_zone)
    today = now().astimezone(zone).date()
    last = _day(until) or today
    first = _day(since) or last - timedelta(days=days - 1)
    first, last = min(first, last), max(first, last)
    return Period(max(first, last - timedelta(days=MOST_DAYS - 1)), last, zone)


def shortcuts(zone: ZoneInfo) -> list[tuple[int, date, date]]:
    """Periods that end today: (days, first, last)."""
    today = now().astimezone(zone).date()
    return [(days, today - timedelta(days=days - 1), today) for days in SHORTCUTS]


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1980 <= found.year <= 2199 else None
