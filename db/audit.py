"""The audit trail: append-only, hash-chained, written in the transaction of the change that it tells of.

row hash = SHA-256(previous hash as hex text + canonical JSON of the row). Canonical: keys sorted, no blanks, UTF-8,
times as `YYYY-MM-DDTHH:MM:SS.mmmZ`; the first row follows on 64 zeros. `commandId` and `source` are part of the
hashed row when they are set.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, bindparam, select, update

from db.rows import as_json, insert_of
from db.tables import AuditHead, AuditRow, core

GENESIS: Final = "0" * 64
ROWS: Final = core(AuditRow)
HEAD: Final = core(AuditHead)
_LOCKED_HEAD: Final = select(HEAD.c.seq, HEAD.c.hash).where(HEAD.c.id == 1).with_for_update()
_MOVED: Final = (
    update(HEAD)
    .where(HEAD.c.id == 1)
    .values(seq=bindparam("head_seq", type_=HEAD.c.seq.type), hash=bindparam("head_hash", type_=HEAD.c.hash.type))
)
_COLUMNS: Final = tuple(sorted(ROWS.c.keys()))
_APPEND: Final = insert_of(ROWS, _COLUMNS, "audit_rows").add_cte(_MOVED.cte("moved"))
"""The rows, and the head behind them, by one statement."""


SOURCE: Final[ContextVar[str | None]] = ContextVar("audit_source", default=None)
"""Which device or process is at work here: what an entry says that names no source of its own."""


@dataclass(frozen=True)
class Entry:
    """One thing to be written into the audit trail."""

    at: datetime
    actor: str
    action: str
    entity: str
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    reason: str | None = None
    command_id: str | None = None
    source: str | None = None


def timestamp(at: datetime) -> str:
    """A time as the chain writes it: UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def row_hash(previous: str, seq: int, entry: Entry) -> str:
    """The hash of one row of the chain."""
    content: dict[str, Any] = {
        "action": entry.action,
        "actor": entry.actor,
        "at": timestamp(entry.at),
        "entity": entry.entity,
        "new": entry.new,
        "old": entry.old,
        "reason": entry.reason,
        "seq": seq,
    }
    if entry.command_id is not None:
        content["commandId"] = entry.command_id
    if entry.source is not None:
        content["source"] = entry.source
    return hashlib.sha256((previous + canonical(content)).encode()).hexdigest()


class Last(NamedTuple):
    """What else a transaction does at its end: its statement takes the audit rows with it on the way."""

    statement: Select[Any]
    values: dict[str, Any]


@lru_cache(maxsize=16)
def _with_rows(statement: Select[Any]) -> Select[Any]:
    return statement.add_cte(insert_of(ROWS, _COLUMNS, "audit_rows").cte("appended"), _MOVED.cte("moved"))


def append(connection: Connection, entries: Sequence[Entry], last: Last | None = None) -> None:
    """Append to the chain. Call it last in a transaction: the head stays locked until the commit."""
    if not entries:
        if last is not None:
            connection.execute(last.statement, last.values)
        return
    head = connection.execute(_LOCKED_HEAD).one()
    rows = _chained(entries, head.seq, head.hash)
    values = {"audit_rows": as_json(rows), "head_seq": rows[-1]["seq"], "head_hash": rows[-1]["hash"]}
    if last is None:
        connection.execute(_APPEND, values)
    else:
        connection.execute(_with_rows(last.statement), values | last.values)


def _chained(entries: Sequence[Entry], seq: int, previous: str) -> list[dict[str, Any]]:
    """The rows behind the one of that number and hash."""
    rows: list[dict[str, Any]] = []
    for said in entries:
        seq += 1
        entry = said if said.source else replace(said, source=SOURCE.get())
        previous = row_hash(previous, seq, entry)
        # The chain hashes milliseconds, so the row stores milliseconds.
        at = entry.at.replace(microsecond=entry.at.microsecond // 1000 * 1000)
        rows.append(
            {
                "seq": seq, "at": at, "actor": entry.actor, "action": entry.action, "entity": entry.entity,
                "old": entry.old, "new": entry.new, "reason": entry.reason, "command_id": entry.command_id,
                "source": entry.source, "hash": previous,
            }
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Verdict:
    """What the verifier found. `broken_at` is the sequence number of the first row that is not as it was written."""

    rows: int
    head: str
    broken_at: int | None
    detail: str


@dataclass(frozen=True)
class Published:
    """An end of the chain that was written down outside the database, see `db.audit_heads`."""

    seq: int
    hash: str
    at: str


def verify(connection: Connection, published: Sequence[Published] = ()) -> Verdict:
    """Walk the whole chain and name the first row that was edited, deleted, inserted or moved.

    With heads that were `published`, also a chain that was cut off, or written anew from some row on, is found.
    """
    known: dict[int, Published] = {head.seq: head for head in published}
    previous, expected = GENESIS, 0
    before = head(connection)  # others write while the chain is walked: its end lies between this one and the last
    for seq, stored, entry in _rows(connection):
        expected += 1
        if seq != expected:
            return Verdict(expected - 1, previous, expected, f"row {expected} is missing; row {seq} follows")
        previous = row_hash(previous, seq, entry)
        if previous != stored:
            return Verdict(expected, previous, seq, f"row {seq} ({entry.action} {entry.entity}) was changed")
        if seq in known and known[seq].hash != stored:
            detail = f"row {seq} is not the one whose hash was published {known[seq].at}: the chain was written anew"
            return Verdict(expected, previous, seq, detail)
        if seq == before[0] and before[1] != stored:
            break
    end, end_hash = head(connection)
    is_cut, is_forged = expected < before[0], expected > end or (expected == end and previous != end_hash)
    if is_cut or is_forged or (expected == before[0] and previous != before[1]):
        return Verdict(expected, previous, expected + 1, f"the head is at row {end}, the rows end at {expected}")
    last = max(published, key=lambda own: own.seq, default=None)
    if last is not None and last.seq > expected:
        missing = f"rows {expected + 1} to {last.seq} are missing: the head of row {last.seq} was published {last.at}"
        return Verdict(expected, previous, expected + 1, missing)
    said = f", as published up to row {last.seq}" if last is not None else ""
    return Verdict(expected, previous, None, f"{expected} rows, unbroken{said}")


def _rows(connection: Connection) -> Iterator[tuple[int, str, Entry]]:
    statement = select(ROWS).order_by(ROWS.c.seq).execution_options(yield_per=5000)
    with connection.execute(statement) as rows:
        for row in rows:
            entry = Entry(
                row.at, row.actor, row.action, row.entity, row.old, row.new, row.reason, row.command_id, row.source
            )
            yield row.seq, row.hash, entry


def head(connection: Connection) -> tuple[int, str]:
    """Sequence number and hash of the end of the chain, to be published outside the database."""
    row = connection.execute(select(HEAD.c.seq, HEAD.c.hash).where(HEAD.c.id == 1)).one()
    return int(row.seq), str(row.hash)
