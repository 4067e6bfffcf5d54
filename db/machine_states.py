"""The changes of machines' own states: written with what is wrong with them, read for the timeline (EQ-09)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from db.tables import MachineStateChange, core
from domain.machine_states import MachineState, StateProfile, finding_of, state_of

CHANGES: Final = core(MachineStateChange)


class Change(NamedTuple):
    """A change as the machine says it."""

    journal: str
    sequence: int
    at: datetime
    number: int
    profile: StateProfile


def last(connection: Connection, workstation: str) -> tuple[str, int]:
    """Journal and number of the last change of a workstation's machine; an empty name and 0 before the first."""
    row = _last(connection, workstation)
    return ("", 0) if row is None else (row.journal, row.sequence)


def store(connection: Connection, workstation: str, job: str, changes: Iterable[Change]) -> None:
    """Add changes in order, each judged by the one before it; those that are there already stay as they are."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"machine-states/{workstation}", 0))))
    before = _last(connection, workstation)
    journal, sequence = ("", 0) if before is None else (before.journal, before.sequence)
    previous = None if before is None or before.state is None else MachineState(before.state)
    rows = []
    for change in changes:
        if change.journal == journal and change.sequence <= sequence:
            continue
        is_first = change.journal != journal
        state = state_of(change.profile, change.number)
        missing = change.sequence > (1 if is_first else sequence + 1)
        finding = finding_of(previous, state, is_first=is_first, changes_missing=missing)
        rows.append(
            change._asdict()
            | {
                "workstation": workstation, "job": job, "state": state, "finding": finding,
                "previous": None if is_first else previous, "stored_at": datetime.now(UTC),
            }
        )  # fmt: skip
        journal, sequence, previous = change.journal, change.sequence, state
    if rows:
        connection.execute(upsert(CHANGES).on_conflict_do_nothing(), rows)


def _last(connection: Connection, workstation: str) -> Row[Any] | None:
    newest = (CHANGES.c.stored_at.desc(), CHANGES.c.sequence.desc())
    statement = select(CHANGES).where(CHANGES.c.workstation == workstation).order_by(*newest).limit(1)
    return connection.execute(statement).one_or_none()


def changes_of(
    connection: Connection, workstation: str, since: datetime, until: datetime, limit: int, flagged: bool = False
) -> list[Row[Any]]:
    """Changes of a workstation's machine between two times, newest first; `flagged`: only those with a finding."""
    own = (CHANGES.c.workstation == workstation, CHANGES.c.at >= since, CHANGES.c.at <= until)
    statement = select(CHANGES).where(*own)
    if flagged:
        statement = statement.where(CHANGES.c.finding.is_not(None))
    order = (CHANGES.c.at.desc(), CHANGES.c.stored_at.desc(), CHANGES.c.sequence.desc())
    return list(connection.execute(statement.order_by(*order).limit(limit)))


def state_before(connection: Connection, workstation: str, at: datetime) -> Row[Any] | None:
    """The last change before a time."""
    order = (CHANGES.c.at.desc(), CHANGES.c.stored_at.desc(), CHANGES.c.sequence.desc())
    statement = select(CHANGES).where(CHANGES.c.workstation == workstation, CHANGES.c.at < at)
    return connection.execute(statement.order_by(*order).limit(1)).one_or_none()


def document(row: Row[Any]) -> dict[str, Any]:
    """A change as the API shows it."""
    return {
        "workstation": row.workstation, "journal": row.journal, "sequence": row.sequence, "at": row.at.isoformat(),
        "profile": row.profile, "number": row.number, "state": row.state, "previous": row.previous,
        "finding": row.finding, "job": row.job,
    }  # fmt: skip
