"""The server's clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """The server's time, UTC."""
    return datetime.now(UTC)
