"""Who writes a report: the worker asks when one is due, whoever knows the reports answers with a file."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Connection


@dataclass(frozen=True)
class ReportJob:
    """A report of the days `first` to `last`, both included, as an account sees it that is limited to these plants and
    lines (None: not limited)."""

    report: str
    product: str
    language: str
    first: date
    last: date
    plants: tuple[str, ...] | None
    lines: tuple[str, ...] | None
    at: datetime


@dataclass(frozen=True)
class MadeFile:
    """A finished file."""

    name: str
    content: bytes


class ReportMaker(Protocol):
    """Writes reports."""

    def make(self, connection: Connection, job: ReportJob) -> MadeFile:
        """The file. Raises LookupError for a report that there is not."""
        ...
