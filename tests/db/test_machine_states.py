"""Changes of machine states in the record: each once, and what is impossible is kept and flagged (EQ-09)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.machine_states import Change, changes_of, last, state_before, store
from domain.machine_states import MachineState as S
from domain.machine_states import StateProfile, number_of
from tests.db.database import Database, unique

pytestmark = pytest.mark.accepts("EQ-09")
START = datetime(2026, 1, 1, 6, tzinfo=UTC)
NEW, OLD = StateProfile.OPC_30050, StateProfile.OPC_30060


def changes(
    states: Sequence[S | int], profile: StateProfile = NEW, journal: str = "J1", first: int = 1
) -> list[Change]:
    return [
        Change(journal, first + index, START + timedelta(seconds=first + index),
               state if isinstance(state, int) else number_of(profile, state), profile)
        for index, state in enumerate(states)
    ]  # fmt: skip


def stored(database: Database, station: str, *runs: list[Change]) -> list[tuple[str | None, str | None]]:
    for run in runs:
        with database.app.begin() as connection:
            store(connection, station, "JOB", run)
    with database.app.begin() as connection:
        found = changes_of(connection, station, START, START + timedelta(days=1), 100)
    return [(row.state, row.finding) for row in reversed(found)]


@pytest.mark.parametrize("profile", [NEW, OLD])
def test_a_legal_run_has_nothing_flagged_in_either_numbering(database: Database, profile: StateProfile) -> None:
    run = [S.STOPPED, S.RESETTING, S.IDLE, S.STARTING, S.EXECUTE, S.HOLDING, S.HELD, S.UNHOLDING, S.EXECUTE,
           S.COMPLETING, S.COMPLETE, S.RESETTING, S.IDLE]  # fmt: skip
    assert stored(database, unique("ST"), changes(run, profile)) == [(state, None) for state in run]


def test_the_same_numbers_read_by_the_wrong_profile_are_flagged_not_hidden(database: Database) -> None:
    numbers = [change.number for change in changes([S.IDLE, S.STARTING, S.EXECUTE], OLD)]
    found = stored(database, unique("ST"), changes(numbers, NEW))
    assert [finding for _, finding in found] == [None, "impossibleJump", "impossibleJump"]


def test_an_impossible_jump_and_an_unknown_number_are_stored(database: Database) -> None:
    run: list[S | int] = [S.IDLE, S.EXECUTE, 42, S.COMPLETE, S.ABORTING, S.IDLE]
    station = unique("ST")
    assert stored(database, station, changes(run)) == [
        (S.IDLE, None), (S.EXECUTE, "impossibleJump"), (None, "unknownState"), (S.COMPLETE, None), (S.ABORTING, None),
        (S.IDLE, "impossibleJump"),
    ]  # fmt: skip
    with database.app.begin() as connection:
        flagged = changes_of(connection, station, START, START + timedelta(days=1), 100, flagged=True)
        assert [(row.number, row.previous) for row in flagged] == [(4, "aborting"), (42, "execute"), (6, "idle")]
        before = state_before(connection, station, START + timedelta(seconds=3))
        assert before is not None
        assert before.state == "execute"


def test_what_is_sent_again_is_there_once_and_the_next_is_judged_by_what_is_stored(database: Database) -> None:
    station = unique("ST")
    first = changes([S.IDLE, S.STARTING])
    again = changes([S.IDLE, S.STARTING, S.EXECUTE])
    assert stored(database, station, first, again, again) == [(S.IDLE, None), (S.STARTING, None), (S.EXECUTE, None)]
    with database.app.begin() as connection:
        assert last(connection, station) == ("J1", 3)
        assert last(connection, unique("ST")) == ("", 0)


def test_lost_changes_are_said_and_a_new_journal_begins_anew(database: Database) -> None:
    station = unique("ST")
    found = stored(
        database, station, changes([S.IDLE]), changes([S.EXECUTE], first=5), changes([S.STOPPED], journal="J2", first=6)
    )
    assert found == [(S.IDLE, None), (S.EXECUTE, "changesMissing"), (S.STOPPED, "changesMissing")]
    assert stored(database, station, changes([S.ABORTED], journal="J3", first=7))[-1] == (S.ABORTED, "changesMissing")
    assert stored(database, unique("ST"), changes([S.ABORTED], journal="J3"))[-1] == (S.ABORTED, None)


def test_nobody_changes_what_a_machine_said(database: Database) -> None:
    stored(database, station := unique("ST"), changes([S.IDLE, S.EXECUTE]))
    with pytest.raises(DBAPIError) as refused, database.owner.begin() as connection:
        connection.execute(
            text("UPDATE machine_state_change SET finding = NULL WHERE workstation = :w"), {"w": station}
        )
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
