"""A database of a benchmark's own on the running system's PostgreSQL: its rows belong into nobody's record."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from db.migrate import upgrade
from system import Addresses


@dataclass(frozen=True)
class Scratch:
    """Two logins to it: the owner's and the application's."""

    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)


@contextmanager
def scratch(addresses: Addresses, *, migrated: bool = True) -> Iterator[Scratch]:
    """A database with the product's schema, or empty; dropped at the end."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    own = Scratch(_at(addresses.database_owner_url, name), _at(addresses.database_url, name))
    with psycopg.connect(addresses.database_owner_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        if migrated:
            upgrade(own.owner_url)
        yield own
    finally:
        with psycopg.connect(addresses.database_owner_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
