"""Search in the audit trail: by record, person, type, time and command, page by page in the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_

from db.audit import timestamp
from db.tables import AuditRow, UserAccount, core

ROWS: Final = core(AuditRow)
ACCOUNTS: Final = core(UserAccount)
PAGE: Final = 1000


@dataclass(frozen=True)
class Search:
    """What is looked for. `entity` and `action` may end in `*`: everything that begins so. `until` is not included."""

    entity: str | None = None
    actor: str | None = None
    action: str | None = None
    command_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def as_document(self) -> dict[str, Any]:
        """What was asked for, without what was not."""
        said = {
            "entity": self.entity, "actor": self.actor, "action": self.action, "commandId": self.command_id,
            "since": self.since and timestamp(self.since), "until": self.until and timestamp(self.until),
        }  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The same for the database. Each can be answered by an index of its own."""
        for column, wanted in ((ROWS.c.entity, self.entity), (ROWS.c.action, self.action)):
            if wanted is not None:
                yield _beginning(column, wanted[:-1]) if wanted.endswith("*") else column == wanted
        for column, wanted in ((ROWS.c.actor, self.actor), (ROWS.c.command_id, self.command_id)):
            if wanted is not None:
                yield column == wanted
        if self.since is not None:
            yield ROWS.c.at >= self.since
        if self.until is not None:
            yield ROWS.c.at < self.until


def _beginning(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    for sign in "\\%_":
        start = start.replace(sign, f"\\{sign}")
    return column.like(f"{start}%", escape="\\")


class Key(NamedTuple):
    """Where a page ends. Clocks of several machines may disagree, so the number alone is not the order of time."""

    at: datetime
    seq: int


def key_of(connection: Connection, seq: int) -> Key | None:
    """The place of a row in the order of time; None when there is no such row."""
    at = connection.execute(select(ROWS.c.at).where(ROWS.c.seq == seq)).scalar_one_or_none()
    return None if at is None else Key(at, seq)


def statement(search: Search, limit: int, before: Key | None, *, oldest_first: bool = False) -> Select[Any]:
    """A page of rows beyond a key: newest first, as they are shown, or oldest first, as they are handed out."""
    order = (ROWS.c.at, ROWS.c.seq) if oldest_first else (ROWS.c.at.desc(), ROWS.c.seq.desc())
    found = select(ROWS).where(*search.conditions()).order_by(*order).limit(limit)
    if before is None:
        return found
    place = tuple_(ROWS.c.at, ROWS.c.seq)
    return found.where(place > tuple_(*before) if oldest_first else place < tuple_(*before))


def page(connection: Connection, search: Search, limit: int, before: Key | None) -> list[dict[str, Any]]:
    """Rows before a key, newest first."""
    return _documents(connection, statement(search, limit, before))


def count(connection: Connection, search: Search) -> int:
    """How many rows are found."""
    found = select(func.count()).select_from(ROWS).where(*search.conditions())
    return int(connection.execute(found).scalar_one())


def everything(connection: Connection, search: Search) -> Iterator[list[dict[str, Any]]]:
    """All rows that are found, oldest first, in pages; what is written meanwhile may or may not be among them."""
    last: Key | None = None
    while rows := _documents(connection, statement(search, PAGE, last, oldest_first=True)):
        yield rows
        if len(rows) < PAGE:
            return
        last = key_of(connection, rows[-1]["seq"])


def _documents(connection: Connection, found: Select[Any]) -> list[dict[str, Any]]:
    rows = connection.execute(found).all()
    accounts = select(ACCOUNTS.c.id, ACCOUNTS.c.full_name).where(ACCOUNTS.c.id.in_({row.actor for row in rows}))
    names = {row.id: row.full_name for row in connection.execute(accounts)}
    return [
        {
            "seq": row.seq, "at": timestamp(row.at), "actor": row.actor, "actorName": names.get(row.actor),
            "action": row.action, "entity": row.entity, "old": row.old, "new": row.new, "reason": row.reason,
            "commandId": row.command_id, "source": row.source, "hash": row.hash,
        }
        for row in rows
    ]  # fmt: skip
