"""A database of one's own for tests: made, migrated, filled with a small plant, dropped."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, insert

from db.session import engine_for
from db.tables import Lot, Material, Place, core
from domain.base import uuid_for

PLACES = {
    "SUPPLIER": "outside", "PROCESS": "outside", "SCRAP": "outside", "RECEIVING": "quarantine", "RAW": "released",
    "LINE": "line", "QUARANTINE": "quarantine", "FINISHED": "released", "REJECTED": "rejected",
}  # fmt: skip


@dataclass(frozen=True)
class Database:
    """Two logins to one database: the schema's owner, and the application's role."""

    owner_url: str
    app_url: str
    owner: Engine
    app: Engine


def _with(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def fresh_database(server_owner_url: str, server_app_url: str, template: str) -> Iterator[Database]:
    """A copy of a migrated database with the places of a plant, on the server that the two logins are for."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_owner_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    owner_url, app_url = _with(server_owner_url, name), _with(server_app_url, name)
    database = Database(owner_url, app_url, engine_for(owner_url), engine_for(app_url, pool_size=16))
    try:
        with database.owner.begin() as connection:
            rows = [{"code": code, "name": code.title(), "zone": zone} for code, zone in PLACES.items()]
            connection.execute(insert(core(Place)), rows)
        yield database
    finally:
        database.app.dispose()
        database.owner.dispose()
        with psycopg.connect(server_owner_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def make_material(connection: Connection, code: str, *, unit: str = "kg", kind: str = "raw") -> str:
    """A material; gives its code."""
    row = {"code": code, "uuid": uuid_for("material", code), "name": code, "kind": kind, "unit": unit}
    connection.execute(insert(core(Material)), [row])
    return code


def make_lots(connection: Connection, material: str, lots: dict[str, str], *, origin: str = "received") -> None:
    """Lots (number → status) without stock."""
    now = datetime.now(UTC)
    rows = [
        {"number": lot, "material": material, "unit": "kg", "status": status, "origin": origin, "created_at": now}
        for lot, status in lots.items()
    ]
    connection.execute(insert(core(Lot)), rows)
