"""What stands in a record, in a few numbers: to be compared with what stands in a copy of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, sql


@contextmanager
def described(owner_url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of a snapshot that others can read in while this is open, and the `contents` in it."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        yield snapshot, contents(connection)


def contents(connection: Connection[Any]) -> dict[str, Any]:
    """`revision` of the schema, `rows` by table, `audit_rows` and `audit_head` (the end of the chain).

    All tables are counted: one statement each, in the transaction of the connection.
    """
    names = [name for (name,) in connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )]  # fmt: skip
    if "alembic_version" not in names:
        return {"revision": None, "rows": {}, "audit_rows": 0, "audit_head": None}
    rows = {name: _value(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))) for name in names}
    return {
        "revision": _value(connection, sql.SQL("SELECT version_num FROM alembic_version")),
        "rows": rows,
        "audit_rows": _value(connection, sql.SQL("SELECT seq FROM audit_head")),
        "audit_head": _value(connection, sql.SQL("SELECT hash FROM audit_head")),
    }


def _value(connection: Connection[Any], statement: sql.SQL | sql.Composed) -> Any:
    row = connection.execute(statement).fetchone()
    return None if row is None else row[0]
