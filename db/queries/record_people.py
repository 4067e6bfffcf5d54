"""Who is who in a batch record."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from db.tables import UserAccount, core

ACCOUNTS = core(UserAccount)
_NAMING: Final = frozenset({"by", "actor", "worker", "operator", "signer"})


def names(connection: Connection, document: dict[str, Any]) -> dict[str, str]:
    """The full names of everybody whom a batch record names by user id. One statement."""
    named = set(_named(document))
    statement = select(ACCOUNTS.c.id, ACCOUNTS.c.full_name).where(ACCOUNTS.c.id.in_(named))
    return {row.id: row.full_name for row in connection.execute(statement)}


def _named(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, own in value.items():
                if key in _NAMING or key.endswith("By"):
                    yield from [own] if isinstance(own, str) else own or ()
                else:
                    yield from _named(own)
        case list():
            for own in value:
                yield from _named(own)


def everybody(connection: Connection) -> list[tuple[str, str]]:
    """Every account, with its full name, by name."""
    statement = select(ACCOUNTS.c.id, ACCOUNTS.c.full_name).order_by(ACCOUNTS.c.full_name, ACCOUNTS.c.id)
    return [(row.id, row.full_name) for row in connection.execute(statement)]
