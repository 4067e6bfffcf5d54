"""What a reference clock is: somebody who knows how far this server's clock is off."""

from typing import Protocol


class ReferenceClock(Protocol):
    """A clock that the server's own is compared with."""

    @property
    def name(self) -> str:
        """What people call it, for alarms."""
        ...

    def ahead(self) -> float:
        """By how many seconds this server's clock is ahead of the reference. Raises `ReferenceUnreachable`."""
        ...


class ReferenceUnreachable(Exception):
    """The reference gave no answer that could be used."""
