"""The audit chain: reference hashes, tampering that is found by row, and nobody who can write over it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from db import audit
from db.audit import GENESIS, Entry, row_hash
from db.tables import APPEND_ONLY
from tests.db.database import Database, unique

BATCH = "batch/B2026A/step/10"


def entry(minute: int, action: str, actor: str, old: Any, new: Any, reason: str | None = None) -> Entry:
    return Entry(datetime(2026, 11, 22, 8, minute, tzinfo=UTC), actor, action, BATCH, old, new, reason)


# Published vectors: the entry, its canonical form, its hash.
VECTORS = [
    (
        entry(0, "step.confirm", "op01", None, {"uom": "kg", "value": "12.500"}),
        '{"action":"step.confirm","actor":"op01","at":"2026-11-22T08:00:00.000Z","entity":"batch/B2026A/step/10",'
        '"new":{"uom":"kg","value":"12.500"},"old":null,"reason":null,"seq":1}',
        "e32aebe66dfde60bd39445706bba17d8d637e7d10077f5e2a48e4affcc61c248",
    ),
    (
        entry(1, "step.verify", "op02", None, {"verified": True}),
        '{"action":"step.verify","actor":"op02","at":"2026-11-22T08:01:00.000Z","entity":"batch/B2026A/step/10",'
        '"new":{"verified":true},"old":null,"reason":null,"seq":2}',
        "68910cc5552ba29d59ac16b56c70d3f6a7cc2f52fc5089c356a7298d4f0dc2d1",
    ),
    (
        entry(5, "value.correct", "op01", {"value": "12.500"}, {"value": "12.505"}, "transcription error 抄写错误"),
        '{"action":"value.correct","actor":"op01","at":"2026-11-22T08:05:00.000Z","entity":"batch/B2026A/step/10",'
        '"new":{"value":"12.505"},"old":{"value":"12.500"},"reason":"transcription error 抄写错误","seq":3}',
        "b97feb8fb3ea4ca52921a90dfde5b99e2d037a14ca53855d5c1e298644d67c60",
    ),
]


@pytest.mark.accepts("AT-04")
def test_the_hashes_are_those_of_the_reference() -> None:
    import hashlib

    previous = GENESIS
    for seq, (one, canonical, expected) in enumerate(VECTORS, start=1):
        assert hashlib.sha256((previous + canonical).encode()).hexdigest() == expected
        previous = row_hash(previous, seq, one)
        assert previous == expected


@pytest.fixture
def trail(database: Database) -> Iterator[tuple[Connection, int]]:
    """The owner inside a transaction that is rolled back, ten new rows, and the number of the first of them."""
    with database.owner.connect() as connection:
        transaction = connection.begin()
        first = audit.head(connection)[0] + 1
        entries = [one for one, _, _ in VECTORS] + [entry(n, f"step.{n}", "op03", None, {"n": n}) for n in range(7)]
        audit.append(connection, entries)
        connection.execute(text("ALTER TABLE audit_row DISABLE TRIGGER USER"))
        yield connection, first
        transaction.rollback()


def tamper(connection: Connection, statement: str, **values: object) -> None:
    connection.execute(text(statement), values)


def test_an_untouched_trail_is_unbroken(trail: tuple[Connection, int]) -> None:
    connection, first = trail
    verdict = audit.verify(connection)
    assert (verdict.broken_at, verdict.rows, verdict.head) == (None, first + 9, audit.head(connection)[1])


@pytest.mark.accepts("AT-04", "B14")
@pytest.mark.parametrize(
    ("statement", "offset"),
    [
        pytest.param('UPDATE audit_row SET new = \'{"value": "12.501"}\' WHERE seq = :n', 0, id="edit the value"),
        pytest.param("UPDATE audit_row SET at = at + interval '1 millisecond' WHERE seq = :n", 0, id="edit the time"),
        pytest.param("UPDATE audit_row SET actor = 'op09' WHERE seq = :n", 0, id="edit the person"),
        pytest.param("UPDATE audit_row SET reason = 'none' WHERE seq = :n", 0, id="edit the reason"),
        pytest.param("UPDATE audit_row SET command_id = 'c' WHERE seq = :n", 0, id="edit the command"),
        pytest.param("UPDATE audit_row SET hash = repeat('a', 64) WHERE seq = :n", 0, id="edit the hash"),
        pytest.param("DELETE FROM audit_row WHERE seq = :n", 0, id="delete"),
        pytest.param("DELETE FROM audit_row WHERE seq >= :n", 0, id="cut off the end"),
    ],
)
def test_tampering_names_the_row(trail: tuple[Connection, int], statement: str, offset: int) -> None:
    connection, first = trail
    tamper(connection, statement, n=first + 4)
    assert audit.verify(connection).broken_at == first + 4 + offset


@pytest.mark.accepts("AT-04")
def test_a_deleted_row_whose_followers_move_up_is_named(trail: tuple[Connection, int]) -> None:
    connection, first = trail
    tamper(connection, "DELETE FROM audit_row WHERE seq = :n", n=first + 4)
    for seq in range(first + 5, first + 10):
        tamper(connection, "UPDATE audit_row SET seq = :n - 1 WHERE seq = :n", n=seq)
    assert audit.verify(connection).broken_at == first + 4


@pytest.mark.accepts("AT-04")
def test_two_rows_that_change_places_are_named(trail: tuple[Connection, int]) -> None:
    connection, first = trail
    for origin, target in ((first + 3, -1), (first + 6, first + 3), (-1, first + 6)):
        tamper(connection, "UPDATE audit_row SET seq = :target WHERE seq = :origin", origin=origin, target=target)
    assert audit.verify(connection).broken_at == first + 3


@pytest.mark.accepts("AT-04")
def test_an_inserted_row_is_named(trail: tuple[Connection, int]) -> None:
    connection, first = trail
    for seq in range(first + 9, first + 4, -1):
        tamper(connection, "UPDATE audit_row SET seq = :n + 1 WHERE seq = :n", n=seq)
    # Even with a hash that follows on the row before: the next row does not follow on it.
    previous = connection.execute(text("SELECT hash FROM audit_row WHERE seq = :n"), {"n": first + 4}).scalar_one()
    forged = entry(9, "step.forged", "op09", None, {"value": "1"})
    tamper(
        connection,
        "INSERT INTO audit_row (seq, at, actor, action, entity, new, hash) VALUES (:n, :at, 'op09', 'step.forged', "
        ':entity, \'{"value": "1"}\', :hash)',
        n=first + 5,
        at=forged.at,
        entity=BATCH,
        hash=row_hash(previous, first + 5, forged),
    )
    assert audit.verify(connection).broken_at == first + 6
    tamper(connection, "UPDATE audit_row SET hash = repeat('a', 64) WHERE seq = :n", n=first + 5)
    assert audit.verify(connection).broken_at == first + 5


@pytest.mark.accepts("AT-04")
def test_what_others_write_while_the_chain_is_walked_breaks_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = audit._rows

    def walked(connection: Connection) -> Iterator[tuple[int, str, Entry]]:
        yield from walk(connection)
        with database.owner.begin() as other:
            audit.append(other, [entry(9, "step.late", "op03", None, {"n": 9})])

    with database.owner.begin() as connection:
        audit.append(connection, [entry(8, "step.before", "op03", None, {"n": 8})])
    monkeypatch.setattr(audit, "_rows", walked)
    with database.owner.connect() as connection:
        verdict = audit.verify(connection)
        assert (verdict.broken_at, audit.head(connection)[0]) == (None, verdict.rows + 1)


def test_a_row_after_the_head_is_named(trail: tuple[Connection, int]) -> None:
    connection, first = trail
    last = audit.head(connection)[1]
    forged = entry(9, "step.forged", "op09", None, None)
    tamper(
        connection,
        "INSERT INTO audit_row (seq, at, actor, action, entity, hash) VALUES (:n, :at, 'op09', 'step.forged', :entity, "
        ":hash)",
        n=first + 10,
        at=forged.at,
        entity=BATCH,
        hash=row_hash(last, first + 10, forged),
    )
    assert audit.verify(connection).broken_at is not None


@pytest.mark.accepts("AT-03", "B14")
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("login", ["app", "owner"])
def test_what_was_written_cannot_be_changed(database: Database, table: str, login: str) -> None:
    engine = database.app if login == "app" else database.owner
    with database.owner.connect() as connection:
        column = connection.execute(
            text("SELECT column_name FROM information_schema.columns WHERE table_name = :t AND is_identity = 'NO'"),
            {"t": table},
        ).scalars().first()  # fmt: skip
    refused = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"]
    if login == "app":
        refused += [f"ALTER TABLE {table} DISABLE TRIGGER USER", f"DROP TABLE {table}"]
    for statement in refused:
        with engine.connect() as connection, pytest.raises(ProgrammingError, match=r"append-only|denied|owner"):
            connection.execute(text(statement))


@pytest.mark.accepts("AT-02")
def test_without_its_audit_row_nothing_happens(database: Database) -> None:
    from decimal import Decimal

    from adapters.inventory.postgres import PostgresInventory
    from domain.errors import AdapterUnreachable
    from tests.db.database import make_material

    with database.owner.begin() as owner:
        material = make_material(owner, unique("M"))
        owner.execute(text("REVOKE INSERT ON audit_row FROM mes_app"))
    lot = unique("L")
    try:
        with pytest.raises(AdapterUnreachable):
            PostgresInventory(database.app).receive(lot, material, Decimal(1), "kg", key=unique("k"), actor="ann")
        with database.owner.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM lot WHERE number = :l"), {"l": lot}).scalar_one() == 0
    finally:
        with database.owner.begin() as owner:
            owner.execute(text("GRANT INSERT ON audit_row TO mes_app"))
