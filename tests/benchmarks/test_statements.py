"""The counter of SQL statements counts what was sent: no more, no less, and to whom it belongs."""

import psycopg
import pytest
from sqlalchemy import text

from benchmarks.statements import Role, by_role, counted
from db.session import engine_for, reading
from system.addresses import Addresses

LOG = """\
@millwright-api|7|0@ LOG:  statement: BEGIN
@millwright-api|7|0@ LOG:  execute <unnamed>: SELECT lot.number
\tFROM lot
\tWHERE lot.number = $1
@millwright-worker|8|0@ LOG:  statement: BEGIN
@millwright-worker|8|0@ LOG:  execute _pg3_0: INSERT INTO lot (number) VALUES ($1)
@millwright-worker|8|0@ ERROR:  duplicate key value violates unique constraint "lot_pkey"
@millwright-api|7|0@ LOG:  statement: ROLLBACK
@millwright-worker|8|742@ LOG:  execute _pg3_0: INSERT INTO lot (number) VALUES ($1)
@millwright-outcomes|9|0@ LOG:  statement: LISTEN mes_outcome
@millwright-api|7|0@ LOG:  statement: ;
@millwright-worker|8|742@ LOG:  statement: COMMIT
@millwright-api|7|0@ LOG:  statement: BEGIN ISOLATION LEVEL READ COMMITTED
@millwright-api|7|0@ LOG:  statement: COMMIT
@millwright-bench|1|0@ LOG:  statement: SELECT pg_reload_conf()
@psql|5|0@ LOG:  statement: SELECT 1
2026-11-25 04:08:17 UTC [4711] LOG:  checkpoint starting: time
"""


def counts(role: Role) -> tuple[int, ...]:
    """All its numbers, in the order of the class."""
    return (role.statements, role.alone, role.pings, role.wrote, role.read, role.rolled_back)


def test_a_log_is_counted_by_role() -> None:
    found = by_role(LOG.splitlines(keepends=True))
    assert {name: counts(role) for name, role in found.items()} == {
        "api": (2, 1, 1, 0, 1, 1),
        "worker": (2, 0, 0, 1, 0, 0),
        "other": (1, 1, 0, 0, 0, 0),
    }
    assert found["worker"].texts == {"INSERT INTO lot (number) VALUES ($1)": 2}


def test_what_runs_is_counted_and_the_server_is_left_as_it_was(servers: Addresses) -> None:
    log = servers.data_dir / "logs" / "postgres.log"
    api, worker = (
        engine_for(servers.database_url, pool_size=1, application=f"millwright-{name}") for name in ("api", "worker")
    )
    with api.connect() as connection:
        connection.execute(text("SELECT 1"))
    with counted(servers.database_owner_url, log) as found:
        for value in range(7):
            with reading(api) as connection:
                connection.execute(text("SELECT :v"), {"v": value})
        with worker.begin() as connection:
            connection.execute(text("SELECT pg_current_xact_id()"))
            connection.execute(text("SELECT 'a secret'"))
        with worker.connect() as connection:
            connection.execute(text("SELECT :v"), {"v": "a secret"})
    assert found["api"].pings == 0
    assert counts(found["api"]) == (7, 7, 0, 0, 0, 0)
    # Whatever SQLAlchemy asks at a first connection belongs to it.
    first = found["worker"].rolled_back - 1
    assert (found["worker"].wrote, first >= 0) == (1, True)
    with api.connect() as connection:
        connection.execute(text("SELECT 'not counted any more'"))
    with psycopg.connect(servers.database_owner_url) as connection_:
        settings = ("log_statement", "log_line_prefix", "log_parameter_max_length")
        shown = [connection_.execute(f"SHOW {name}".encode()).fetchone() for name in settings]
    assert shown == [("none",), ("%m [%p] ",), ("-1",)]
    written = log.read_text()
    assert "not counted any more" not in written
    assert "$1 = 'a secret'" not in written
    for engine in (api, worker):
        engine.dispose()


def test_the_server_is_left_as_it_was_when_the_work_fails(servers: Addresses) -> None:
    log = servers.data_dir / "logs" / "postgres.log"
    with pytest.raises(ZeroDivisionError), counted(servers.database_owner_url, log):
        raise ZeroDivisionError
    with psycopg.connect(servers.database_owner_url) as connection:
        assert connection.execute("SHOW log_statement").fetchone() == ("none",)
