"""The readings of machines, written many at a time: the one place through which machine values come into the record."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from db.rows import as_json, insert_of
from db.tables import EquipmentReading, core

READINGS: Final = core(EquipmentReading)
_COLUMNS: Final = ("job", "quality", "sequence", "source_time", "values")


class ReadingRow(NamedTuple):
    """All values of one moment of a job, as text; `sequence` counts within the job."""

    sequence: int
    source_time: datetime
    quality: str
    values: dict[str, str]


def store(connection: Connection, job: str, rows: Iterable[ReadingRow]) -> None:
    """Add readings of a job; those that are there already stay as they are.

    One statement with one parameter: a statement for each reading costs twice as much, and COPY could not leave out
    what an attempt before this one has written.
    """
    new = as_json([{"job": job, **row._asdict()} for row in rows])
    if new:
        connection.execute(insert_of(READINGS, _COLUMNS).on_conflict_do_nothing(), {"rows": new})


def last_sequence(connection: Connection, job: str) -> int:
    """The number of the job's last reading in the record; 0 without one."""
    return int(connection.execute(select(func.max(READINGS.c.sequence)).where(READINGS.c.job == job)).scalar() or 0)
