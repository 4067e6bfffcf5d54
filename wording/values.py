"""How values are written for people: times of the plant, quantities."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from wording.texts import Words


def moment(value: Any) -> datetime | None:
    """A time from the record or from a document."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))


class Clock:
    """Times in the plant's own zone."""

    def __init__(self, zone: str, words: Words | None = None) -> None:
        self.zone, self.name = ZoneInfo(zone), zone
        self._words = words or Words("en")

    def offset(self) -> str:
        """`UTC+08:00`: what the plant's time is ahead of UTC now."""
        text = self.now().astimezone(self.zone).strftime("%z")
        return f"UTC{text[:3]}:{text[3:5]}"

    def now(self) -> datetime:
        """The server's time."""
        return datetime.now(UTC)

    def today(self) -> str:
        """`2026-11-27`: the plant's day."""
        return self.now().astimezone(self.zone).date().isoformat()

    def short(self, value: Any) -> str:
        """`11-27 14:05`: the day and minute, as a board shows it; with the year when it is another."""
        at = moment(value)
        if at is None:
            return ""
        local = at.astimezone(self.zone)
        same_year = local.year == self.now().astimezone(self.zone).year
        return local.strftime("%m-%d %H:%M" if same_year else "%Y-%m-%d")

    def exact(self, value: Any) -> str:
        """`2026-11-27 14:05:09 +0800`."""
        at = moment(value)
        return "" if at is None else at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %z")

    def stamp(self, value: Any) -> str:
        """`11-27 14:05 +0800`: the minute and its zone, for what may be read much later."""
        at = moment(value)
        return "" if at is None else at.astimezone(self.zone).strftime("%m-%d %H:%M %z")

    def field(self, value: Any) -> str:
        """`2026-11-27T14:05`, as a field of a form takes it."""
        at = moment(value)
        return "" if at is None else at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")

    def is_past(self, value: Any) -> bool:
        """Whether a time has passed; no time has not."""
        at = moment(value)
        return at is not None and at < self.now()

    def age(self, value: Any) -> str:
        """`4 min`, `3 h`, `2 d`: how long ago."""
        at = moment(value)
        if at is None:
            return ""
        seconds = max(0, int((self.now() - at).total_seconds()))
        if seconds < 3600:
            return self._words("age.minutes", count=seconds // 60)
        if seconds < 48 * 3600:
            return self._words("age.hours", count=seconds // 3600)
        return self._words("age.days", count=seconds // 86400)


def quantity(value: Any) -> str:
    """A quantity with groups of thousands and no needless zeros; what is no number stays as it is."""
    if value is None:
        return ""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    text = f"{number.normalize():,f}"
    return text
