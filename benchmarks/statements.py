"""Counts SQL statements and transactions by who sent them, from the server's own log.

The embedded PostgreSQL has no pg_stat_statements, and that view could not tell worker and API apart: they share a
login. The log can, by `application_name`, and needs nothing of the product's code. While it is on, every statement
costs more: count and time in separate runs.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

ROLES: Final = {
    "millwright-worker": "worker", "millwright-api": "api", "millwright-outcomes": "api", "millwright-changes": "api",
}  # fmt: skip
_SETTINGS: Final = {
    "log_statement": "all",
    "log_line_prefix": "@%a|%p|%x@ ",
    # Values stay out of the log, and one statement is one text whatever its values are.
    "log_parameter_max_length": "0",
}
_LINE: Final = re.compile(r"@([^|@]*)\|(\d+)\|(\d+)@ LOG: +(?:statement|execute [^:]*): (.*)")
_SETTLE_SECONDS: Final = 1.0


@dataclass
class Role:
    """What one kind of process sent.

    A transaction that ended well `wrote` or only `read`; one that was `rolled_back` changed nothing, most often because
    it only read, too. A statement sent `alone` had no BEGIN: it is a transaction of its own. A ping asks nothing.
    """

    statements: int = 0
    alone: int = 0
    pings: int = 0
    wrote: int = 0
    read: int = 0
    rolled_back: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    _open: set[int] = field(default_factory=set)
    """Sessions inside a transaction."""

    def add(self, session: int, transaction: int, statement: str) -> None:
        """One line of the log. `transaction` is 0 as long as nothing was written."""
        match statement.partition(" ")[0].rstrip(";").upper():
            case "BEGIN":
                self._open.add(session)
            case "COMMIT":
                self._open.discard(session)
                self.wrote += transaction > 0
                self.read += transaction == 0
            case "ROLLBACK":
                self._open.discard(session)
                self.rolled_back += 1
            case "":
                self.pings += 1
            case _:
                self.statements += 1
                self.alone += session not in self._open
                self.texts[statement] += 1


@contextmanager
def counted(owner_url: str, log: Path) -> Iterator[dict[str, Role]]:
    """Role (`worker`, `api`, `other`) → what it sent inside the `with`; filled at its end.

    `owner_url` is a superuser's. The server's settings are put back, whatever happens inside.
    """
    found: dict[str, Role] = {}
    with psycopg.connect(owner_url, autocommit=True, application_name="millwright-bench") as connection:
        before = log.stat().st_size
        try:
            for name, value in _SETTINGS.items():
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            _reload(connection)
            yield found
            time.sleep(_SETTLE_SECONDS)  # what nobody waits for: connections that are given back
        finally:
            for name in _SETTINGS:
                connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
            _reload(connection)
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(before)
        found.update(by_role(lines))


def _reload(connection: psycopg.Connection) -> None:
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(_SETTLE_SECONDS)  # every session takes it between two statements


def by_role(lines: Iterable[str]) -> dict[str, Role]:
    """The statements of a log that was written with our prefix, by role; the counting connection is left out."""
    found: dict[str, Role] = {}
    for line in lines:
        if (match := _LINE.match(line)) is None or match[1] == "millwright-bench":
            continue
        found.setdefault(ROLES.get(match[1], "other"), Role()).add(int(match[2]), int(match[3]), match[4].strip())
    return found
