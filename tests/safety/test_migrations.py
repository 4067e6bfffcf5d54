"""Migrations go up, down and up again: the same schema, nothing lost that was not asked to be lost."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, text

from db import audit, loss
from db.loss import Column, Content, Table
from db.migrate import downgrade, revisions, upgrade
from db.session import engine_for
from domain.errors import Refused
from system.addresses import Addresses
from tests.conftest import Database
from tests.plant import Plant
from tests.safety.schema import empty_database, fill, schema

pytestmark = pytest.mark.accepts("A23")


@pytest.fixture
def url(servers: Addresses) -> Iterator[str]:
    with empty_database(servers.database_owner_url) as made:
        yield made


@pytest.fixture
def owner(url: str) -> Iterator[Engine]:
    """The owner of a database with the current schema and a row in every table."""
    upgrade(url)
    engine = engine_for(url, pool_size=1)
    with engine.begin() as connection:
        fill(connection)
    yield engine
    engine.dispose()


def everything(engine: Engine) -> Content:
    with engine.connect() as connection:
        return loss.content(connection, {})


def down_and_up(url: str) -> None:
    """The newest step taken back and made again; a step that would lose data says so, and nothing happened."""
    with suppress(Refused):
        downgrade(url, "-1")
    upgrade(url)


def test_every_step_down_is_the_step_up_taken_back(url: str) -> None:
    steps = [schema(url)]
    for revision in revisions():
        upgrade(url, revision)
        steps.append(schema(url))
    assert len({tuple(step) for step in steps}) == len(steps)
    assert any("CREATE TRIGGER" in line for line in steps[-1])
    assert any(line.startswith("GRANT") for line in steps[-1])
    for expected in reversed(steps[:-1]):
        downgrade(url, "-1")
        assert schema(url) == expected
    upgrade(url)
    assert schema(url) == steps[-1]


def test_on_a_filled_database_nothing_is_lost_by_one_step_down_and_up(url: str, owner: Engine) -> None:
    before, with_all = everything(owner), schema(url)
    assert all(table.rows for table in before.values())
    down_and_up(url)
    assert everything(owner) == before
    assert schema(url) == with_all


def test_append_only_can_be_taken_back_without_loss(url: str) -> None:
    upgrade(url, "0002")
    engine = engine_for(url, pool_size=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET seq = 7, hash = repeat('7', 64)"))
    downgrade(url, "0001")
    upgrade(url, "0002")
    with engine.connect() as connection:
        assert audit.head(connection) == (7, "7" * 64)
    engine.dispose()


def test_going_down_to_nothing_names_all_that_would_be_lost_and_changes_nothing(url: str, owner: Engine) -> None:
    before, with_all = everything(owner), schema(url)
    with pytest.raises(Refused) as refused:
        downgrade(url)
    assert {blocker.id for blocker in refused.value.blockers} == before.keys()
    assert {(blocker.code, blocker.entity) for blocker in refused.value.blockers} == {("DATA_WOULD_BE_LOST", "table")}
    assert "place: 2 rows" in str(refused.value)
    assert (everything(owner), schema(url)) == (before, with_all)


def test_going_down_to_nothing_is_done_when_it_is_asked_for(url: str, owner: Engine) -> None:
    with_all = schema(url)
    downgrade(url, lose_data=True)
    assert everything(owner) == {}
    upgrade(url)
    assert schema(url) == with_all


@pytest.mark.usefixtures("owner")
def test_nothing_is_counted_while_others_write(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.loss._PATIENCE", "100ms")
    with psycopg.connect(url) as other:
        other.execute("INSERT INTO place VALUES ('late', 'late', 'line')")
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            downgrade(url)


async def test_a_closed_order_survives_a_step_down_and_up(plant: Plant, database: Database) -> None:
    await plant.stock("API-D", "API", "100")
    await plant.stock("LAC-D", "LAC", "100")
    order = await (await plant.order()).closed()

    def observed() -> tuple[Content, Content, audit.Verdict]:
        engine = engine_for(database.owner_url, pool_size=1)
        before = everything(engine)
        down_and_up(database.owner_url)
        with engine.connect() as connection:
            verdict = audit.verify(connection)
        after = everything(engine)
        engine.dispose()
        return before, after, verdict

    before, after, verdict = await asyncio.to_thread(observed)
    assert after == before
    assert before["order_fact"].rows > 20
    assert verdict.broken_at is None
    assert order.state() == "closed"


# What counts as a loss ---------------------------------------------------------------------------------------------


def changed(connection: Connection, *statements: str) -> list[str]:
    """What is lost by statements on a table with a column of each kind."""
    before = loss.content(connection, {"probe": "id = 9"})
    for statement in statements:
        connection.exec_driver_sql(statement)
    found = loss.losses(before, loss.content(connection, {"probe": "id = 9"}))
    return [f"{blocker.entity} {blocker.id}" for blocker in found]


@pytest.fixture
def probe(url: str) -> Iterator[Connection]:
    engine = engine_for(url, pool_size=1)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE probe (id int, word text, usual text DEFAULT 'a' NOT NULL, odd text DEFAULT 'a', "
            "at timestamptz DEFAULT now(), nothing text)"
        )
        connection.exec_driver_sql(
            "INSERT INTO probe (id, word, odd) VALUES (1, 'x', 'a'), (2, 'y', 'b'), (9, 'z', 'c')"
        )
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("SELECT 1", []),
        ("ALTER TABLE probe DROP COLUMN nothing", []),
        ("ALTER TABLE probe DROP COLUMN usual", []),
        ("ALTER TABLE probe DROP COLUMN odd", ["column probe.odd"]),
        ("ALTER TABLE probe DROP COLUMN at", ["column probe.at"]),
        ("ALTER TABLE probe DROP COLUMN word, DROP COLUMN odd", ["column probe.word", "column probe.odd"]),
        ("UPDATE probe SET word = 'w' WHERE id = 1", ["column probe.word"]),
        ("UPDATE probe SET word = NULL WHERE id = 1", ["column probe.word"]),
        ("UPDATE probe SET nothing = 'n'", ["column probe.nothing"]),
        ("ALTER TABLE probe ALTER COLUMN id TYPE bigint", []),
        ("ALTER TABLE probe ADD COLUMN more text", []),
        ("DELETE FROM probe WHERE id = 1", ["table probe"]),
        ("DELETE FROM probe WHERE id = 9", []),
        ("DROP TABLE probe", ["table probe"]),
        ("INSERT INTO probe (id) VALUES (3)", []),
    ],
)
def test_what_counts_as_a_loss(probe: Connection, statement: str, lost: list[str]) -> None:
    assert changed(probe, statement) == lost


def test_an_empty_table_may_go() -> None:
    assert loss.losses({"t": Table(0, {"c": Column(0, 0, "0")})}, {}) == ()
