"""How long a batch record is kept: the longest of five years after certification and a year after expiry.

Sources: EU GMP chapter 4, China GMP article 162; vectors in GMP reference values §12 (29 February → 28 February).
"""

from datetime import date

YEARS_AFTER_CERTIFICATION = 5
YEARS_AFTER_EXPIRY = 1


def years_later(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 28 February where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def retain_until(certified_on: date, expires_on: date | None, configured: date | None = None) -> date:
    """The day until which nothing of the record may be deleted (RC-01)."""
    days = [years_later(certified_on, YEARS_AFTER_CERTIFICATION)]
    if expires_on is not None:
        days.append(years_later(expires_on, YEARS_AFTER_EXPIRY))
    if configured is not None:
        days.append(configured)
    return max(days)
