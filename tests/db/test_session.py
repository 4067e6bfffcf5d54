"""Connections that are not there any more are not handed out, and reads leave nothing open."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

from db import session
from db.session import engine_for, reading
from tests.conftest import Database

OWN = text("SELECT pg_backend_pid()")
STATE = "SELECT state FROM pg_stat_activity WHERE pid = %s"


@pytest.fixture
def pool(database: Database) -> Iterator[Engine]:
    """A pool of its own, with room for all that a test holds at once, and two connections in it."""
    engine = engine_for(database.app_url, pool_size=3, application="session-test")
    with engine.connect() as one, engine.connect() as other:
        assert one.execute(OWN).scalar_one() != other.execute(OWN).scalar_one()
    yield engine
    engine.dispose()


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    """Whoever may end sessions."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


def end_sessions(owner: psycopg.Connection) -> None:
    """The server ends all sessions of the pool, as at a restart, and waits until they are gone."""
    ended = owner.execute(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'session-test'"
    ).fetchall()
    assert ended == [(True,)] * len(ended)
    assert ended


@pytest.mark.parametrize("fresh_seconds", [session.FRESH_SECONDS, 0.0], ids=["just used", "idle for long"])
def test_a_session_that_the_server_ended_is_not_handed_out(
    pool: Engine, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, fresh_seconds: float
) -> None:
    monkeypatch.setattr(session, "FRESH_SECONDS", fresh_seconds)
    for _ in range(3):
        end_sessions(owner)
        with pool.begin() as one, pool.begin() as other, reading(pool) as third:
            assert len({c.execute(OWN).scalar_one() for c in (one, other, third)}) == 3


def test_a_session_that_was_idle_for_long_is_asked_and_kept(
    pool: Engine, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(pool) as connection:
        own = connection.execute(OWN).scalar_one()
    assert last_of(owner, own) == "SELECT pg_backend_pid()"
    monkeypatch.setattr(session, "FRESH_SECONDS", 0.0)
    pool.connect().close()
    assert last_of(owner, own) == ""
    with pool.begin() as connection:
        assert connection.execute(OWN).scalar_one() == own
    assert last_of(owner, own) == "COMMIT"


def last_of(owner: psycopg.Connection, pid: int) -> str:
    """The last statement of a session."""
    (query,) = owner.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone() or ("gone",)
    return str(query)


def test_a_connection_in_use_is_not_asked(pool: Engine, owner: psycopg.Connection) -> None:
    with pool.connect() as connection:
        own = connection.execute(OWN).scalar_one()
    pool.connect().close()
    assert last_of(owner, own) == "ROLLBACK"


def test_a_read_opens_no_transaction_and_the_next_write_does(pool: Engine, owner: psycopg.Connection) -> None:
    with reading(pool) as connection:
        own = connection.execute(OWN).scalar_one()
        assert owner.execute(STATE, (own,)).fetchone() == ("idle",)
    with pool.connect() as connection:
        own = connection.execute(OWN).scalar_one()
        assert owner.execute(STATE, (own,)).fetchone() == ("idle in transaction",)
    with pool.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE taken_back (x int)"))
        connection.rollback()
        assert connection.execute(text("SELECT to_regclass('taken_back')")).scalar_one() is None
