"""The schema of a database as text, and a row in every table of it."""

import hashlib
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection
from sqlmodel import SQLModel

from db import audit
from db.audit import Entry
from system.postgres import binary

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
# What a constraint of the table asks for.
VALUES: dict[str, dict[str, Any]] = {
    "picture": {"sha256": hashlib.sha256(b"picture").hexdigest(), "content": b"picture", "size": 7},
    "stock_move": {"from_place": "place", "to_place": "other"},
    "equipment_item": {"cleaning": "inUse"},
    "stock_balance": {"on_hand": Decimal(2), "reserved": Decimal(1)},
    "plan_line_link": {"parent": "other"},
    "dispensed_container": {"gross": Decimal(3), "tare": Decimal(1), "net": Decimal(2)},
}
SECOND: dict[str, dict[str, Any]] = {
    "plan_line": {
        "id": uuid.uuid5(uuid.NAMESPACE_OID, "other"), "reference": "other", "order_number": "other",
        "batch_number": "other",
    },
}  # fmt: skip
"""What a second row has of its own, in a table two of whose rows are linked."""


@contextmanager
def empty_database(server_owner_url: str) -> Iterator[str]:
    """The owner's URL of a new database without any table."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_owner_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_owner_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_owner_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def schema(url: str) -> list[str]:
    """Tables, columns, constraints, indexes, triggers, functions and grants, as pg_dump writes them."""
    parts = urlsplit(url)
    environment = {**os.environ, "PGPASSWORD": parts.password or ""}
    command = [str(binary("pg_dump")), "--schema-only", "--exclude-table=alembic_version"]
    bare = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
    done = subprocess.run([*command, bare], env=environment, capture_output=True, check=True, text=True)
    # Each dump has a random word of its own in these two lines.
    return [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def fill(connection: Connection) -> None:
    """A row in every table (and a second place, for a move to go to)."""
    metadata = SQLModel.metadata
    connection.execute(sa.insert(metadata.tables["place"]), [{"code": "other", "name": "x", "zone": "released"}])
    for table in metadata.sorted_tables:
        if table.name in ("audit_row", "audit_head"):
            continue
        row = {column.name: _value(column) for column in table.columns if column.identity is None}
        rows = [row | VALUES.get(table.name, {})]
        rows += [rows[0] | SECOND[table.name]] if table.name in SECOND else []
        connection.execute(sa.insert(table), rows)
    audit.append(connection, [Entry(NOW, "ada", f"filled.{number}", "x/1", new={"n": number}) for number in range(3)])


def _value(column: sa.Column[Any]) -> Any:
    for key in column.foreign_keys:
        return _value(key.column)
    match column.type:
        case sa.Boolean():
            return True
        case sa.Numeric() | sa.Integer():
            return 1
        case sa.Uuid():
            return uuid.uuid5(uuid.NAMESPACE_OID, column.table.name)
        case sa.Date():
            return date(2027, 1, 1)
        case sa.DateTime():
            return NOW
        case sa.LargeBinary():
            return column.table.name.encode()
        case sa.JSON():
            return {"of": column.table.name}
        case _:
            return column.table.name[: getattr(column.type, "length", None) or 80]
