"""How times and decimals are written in documents that are read from the record."""

from datetime import UTC, datetime
from decimal import Decimal

from domain.quantities import plain


def stamp(at: datetime) -> str:
    """A time in UTC, whatever the zone of the database's session."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def stamp_if_any(at: datetime | None) -> str | None:
    """The same of a time that may be missing."""
    return None if at is None else stamp(at)


def plain_if_any(value: Decimal | None) -> str | None:
    """A decimal without exponent, if there is one."""
    return None if value is None else plain(value)
