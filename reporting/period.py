"""A period of whole days of the plant."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.oee import instant


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included, in the plant's time zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """The first moment of the first day, in UTC."""
        return instant(self.first, time(), self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after the last day, in UTC."""
        return instant(self.last + timedelta(days=1), time(), self.zone)

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """As many days, just before: what this one is compared with."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1), self.zone)
