"""Heads of the audit trail outside the database: a trail that was cut off, or written anew, is found by them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from db import audit
from db.audit_heads import Heads, HeadsUnreadable
from tests.conftest import Database

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
pytestmark = pytest.mark.accepts("AT-04")


@pytest.fixture
def heads(tmp_path: Path) -> Heads:
    return Heads(tmp_path / "elsewhere" / "heads.jsonl")


def write(engine: Engine, many: int, actor: str = "olu") -> None:
    with engine.begin() as connection:
        audit.append(connection, [audit.Entry(NOW, actor, "lot.received", f"lot/L{n}") for n in range(many)])


def publish(engine: Engine, heads: Heads, minute: int = 0) -> audit.Published | None:
    with engine.connect() as connection:
        return heads.publish(connection, NOW + timedelta(minutes=minute))


def verified(engine: Engine, heads: Heads) -> audit.Verdict:
    with engine.connect() as connection:
        return audit.verify(connection, heads.read())


def as_superuser(database: Database, *statements: str) -> None:
    """What somebody does who may do everything in the database."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("ALTER TABLE audit_row DISABLE TRIGGER USER")
        for statement in statements:
            connection.execute(statement)
        connection.execute("ALTER TABLE audit_row ENABLE TRIGGER USER")


def test_the_head_is_published_when_it_has_moved_and_the_trail_is_compared_with_it(
    engine: Engine, database: Database, heads: Heads
) -> None:
    assert publish(engine, heads) is None or heads.read()
    write(engine, 5)
    made = publish(engine, heads)
    assert made is not None
    assert publish(engine, heads, 1) is None
    write(engine, 5)
    assert publish(engine, heads, 2) is not None
    lines = heads.path.read_text().splitlines()
    assert json.loads(lines[-1])["at"] == "2026-11-25T08:02:00.000Z"
    assert all(len(line) < 256 for line in lines)
    last = heads.read()[-1].seq
    assert verified(engine, heads).detail == f"{last} rows, unbroken, as published up to row {last}"
    write(engine, 3)
    assert verified(engine, heads).broken_at is None

    # The end is cut off, and the head moved back: the chain itself is unbroken, and has been so earlier.
    shorter = last - 2
    as_superuser(
        database,
        f"DELETE FROM audit_row WHERE seq > {shorter}",
        f"UPDATE audit_head SET seq = {shorter}, hash = (SELECT hash FROM audit_row WHERE seq = {shorter})",
    )
    with engine.connect() as connection:
        assert audit.verify(connection).broken_at is None
    found = verified(engine, heads)
    assert found.broken_at == shorter + 1
    assert f"rows {shorter + 1} to {last} are missing" in found.detail

    # Other rows are written in their place, with a chain that fits: the published hash is not theirs.
    write(engine, 4, "somebody")
    with engine.connect() as connection:
        assert audit.verify(connection).broken_at is None
    assert "the chain was written anew" in verified(engine, heads).detail
    assert verified(engine, heads).broken_at == last


def test_a_line_torn_by_a_crash_is_no_head_and_a_changed_file_is_named(engine: Engine, heads: Heads) -> None:
    write(engine, 2)
    publish(engine, heads)
    with heads.path.open("a") as file:
        file.write('{"seq": 99, "ha')
    known = len(heads.read())
    write(engine, 1)
    assert publish(engine, heads) is not None
    assert len(heads.read()) == known + 1
    heads.path.write_text("something else\n" + heads.path.read_text())
    with pytest.raises(HeadsUnreadable, match="line 1"):
        heads.read()
    assert Heads(heads.path.with_name("none.jsonl")).read() == ()


def test_the_application_has_no_way_to_shorten_the_trail(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
        connection.execute(text("DELETE FROM audit_row"))
