"""Readings of machines: many in one statement, each once, whoever sends them again."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from db.readings import READINGS, ReadingRow, last_sequence, store
from tests.db.database import Database, unique

START = datetime(2026, 1, 1, 6, 0, 0, 125000, tzinfo=UTC)


def reading(sequence: int, force: str = "12.50") -> ReadingRow:
    at = START + timedelta(seconds=sequence)
    return ReadingRow(sequence, at, "good" if force else "bad", {"force": force} if force else {})


def test_an_attempt_after_a_crash_adds_what_is_missing_and_changes_nothing(database: Database) -> None:
    """The gateway died after it had stored three readings: the next attempt has them again, and two more."""
    job = unique("JOB")
    with database.app.begin() as connection:
        assert last_sequence(connection, job) == 0
        store(connection, job, [])
        store(connection, job, [reading(1), reading(2), reading(3)])
    with database.app.begin() as connection:
        store(connection, job, [reading(2, "99.99"), reading(3), reading(4, ""), reading(5)])
        assert last_sequence(connection, job) == 5
        assert last_sequence(connection, unique("JOB")) == 0
        found = connection.execute(select(READINGS).where(READINGS.c.job == job).order_by(READINGS.c.sequence)).all()
    assert [(row.sequence, row.values, row.quality) for row in found] == [
        (1, {"force": "12.50"}, "good"), (2, {"force": "12.50"}, "good"), (3, {"force": "12.50"}, "good"),
        (4, {}, "bad"), (5, {"force": "12.50"}, "good"),
    ]  # fmt: skip
    assert found[0].source_time == START + timedelta(seconds=1)
