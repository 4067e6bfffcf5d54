"""The complete copy of one batch record as a file (AT-13): made, verified without any system, read into an empty one.

A copy has the document, every row that it is made from, the signatures and the audit rows about it. Each row has its
hash, the whole has one. A row of the audit trail is hashed with what stood before it, so that each one can be proved
alone; the chain as a whole stays in the system that wrote it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import SQLModel

from db import audit
from db.audit import Entry, canonical
from db.queries.record_document import NoSuchRecord, read
from db.queries.record_people import names
from db.record_tables import AUDIT, NO_WAY_IN, Row, Scope, audit_rows, collect, decoded, encoded, own_columns, row_hash
from db.tables import AuditRow, CopiedAuditRow, Lot, OrderFact, WorkOrder, core
from domain.errors import Blocker, Refused

FORMAT: Final = "millwright batch record"
VERSION: Final = 1
WORK_ORDERS, FACTS, LOTS, COPIED = core(WorkOrder), core(OrderFact), core(Lot), core(CopiedAuditRow)
Copy = dict[str, Any]


def work_order_of(connection: Connection, lot: str) -> str:
    """The work order that makes a lot. Raises `NoSuchRecord`."""
    found = connection.execute(select(WORK_ORDERS.c.number).where(WORK_ORDERS.c.output_lot == lot)).scalar_one_or_none()
    if found is None:
        raise NoSuchRecord(f"no work order makes the lot {lot}")
    return str(found)


def make(connection: Connection, work_order: str, at: datetime) -> Copy:
    """The copy of a work order's batch record as it is now. Use a repeatable read transaction."""
    record = read(connection, work_order)
    document = record.document()
    version = record.content["masterBatchRecord"] or {"product": "", "version": ""}
    scope = Scope(
        order=record.content["orderNumber"], work_order=work_order, people=tuple(names(connection, document)),
        record_version=(version["product"], version["version"]),
    )  # fmt: skip
    rows = collect(connection, scope)
    content: Copy = {
        "format": FORMAT, "formatVersion": VERSION, "exportedAt": at.astimezone(UTC).isoformat(),
        "batch": record.content["batch"], "workOrder": work_order, "orderNumber": scope.order,
        "contentHash": record.content_hash, "content": record.content,
        "documentHash": _hash(document), "document": document,
        "tables": rows, "rowHashes": {name: [row_hash(row) for row in found] for name, found in rows.items()},
        "audit": list(_audit(connection, scope)),
    }  # fmt: skip
    return {**content, "hash": _hash(content)}


def _audit(connection: Connection, scope: Scope) -> Iterator[Row]:
    before = core(AuditRow).alias("before")
    previous = func.coalesce(before.c.hash, audit.GENESIS).label("previous_hash")
    statement = (
        select(AUDIT, previous)
        .outerjoin(before, before.c.seq == AUDIT.c.seq - 1)
        .where(audit_rows(scope))
        .order_by(AUDIT.c.seq)
    )
    for row in connection.execute(statement):
        yield {name: encoded(value) for name, value in row._mapping.items()}


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


# Verification, without any system ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CopyVerdict:
    """What is wrong with a copy; nothing, if it is as it was made."""

    batch: str
    rows: int
    audit_rows: int
    faults: tuple[str, ...]


def load(text: str) -> Copy:
    """The copy in a file. Raises ValueError for anything else."""
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError("this is no copy of a batch record")
    if found.get("formatVersion") != VERSION:
        raise ValueError(f"version {found.get('formatVersion')} of the format; this release reads version {VERSION}")
    return found


def verify(copy: Copy) -> CopyVerdict:
    """Compute every hash again and name what differs: the row of which table, the row of the audit trail."""
    try:
        faults = tuple(_faults(copy))
        rows = sum(len(found) for found in copy["tables"].values())
        return CopyVerdict(str(copy["batch"]), rows, len(copy["audit"]), faults)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return CopyVerdict(str(copy.get("batch")), 0, 0, (f"the copy is not whole: {error!r}",))


def _faults(copy: Copy) -> Iterator[str]:
    if _hash(copy["content"]) != copy["contentHash"]:
        yield f"the content is not what its hash {copy['contentHash'][:12]} says"
    if _hash(copy["document"]) != copy["documentHash"]:
        yield f"the document is not what its hash {copy['documentHash'][:12]} says"
    if copy["document"]["contentHash"] != copy["contentHash"]:
        yield "the document has another content hash than the copy"
    for name, rows in copy["tables"].items():
        hashes = copy["rowHashes"][name]
        if len(rows) != len(hashes):
            yield f"{name}: {len(rows)} rows, {len(hashes)} hashes"
        for number, (row, digest) in enumerate(zip(rows, hashes, strict=False), start=1):
            if row_hash(row) != digest:
                yield f"{name}: row {number} was changed"
    for row in copy["audit"]:
        if audit.row_hash(row["previous_hash"], row["seq"], _entry(row)) != row["hash"]:
            yield f"audit trail: row {row['seq']} ({row['action']} {row['entity']}) was changed"
    if _hash({key: value for key, value in copy.items() if key != "hash"}) != copy["hash"]:
        yield "the file as a whole is not what its hash says"


def _entry(row: Row) -> Entry:
    return Entry(
        at=datetime.fromisoformat(row["at"]), actor=row["actor"], action=row["action"], entity=row["entity"],
        old=row["old"], new=row["new"], reason=row["reason"], command_id=row["command_id"], source=row["source"],
    )  # fmt: skip


# Into an empty system ------------------------------------------------------------------------------------------------


def read_in(connection: Connection, copy: Copy, at: datetime, source: str) -> None:
    """Read a copy into a system that has no orders; afterwards it says the same, with the same hashes, or nothing is.

    The rows of the audit trail stand beside this system's own chain, not in it. Call it in a transaction. Raises
    `Refused`: COPY_NOT_INTACT, SYSTEM_NOT_EMPTY, COPY_NOT_THE_SAME.
    """
    if faults := verify(copy).faults:
        raise Refused(tuple(_blocker("COPY_NOT_INTACT", copy, fault, "a copy as it was made") for fault in faults))
    if used := [table.name for table in (FACTS, WORK_ORDERS, LOTS, COPIED) if _has_rows(connection, table)]:
        found = f"rows in {', '.join(used)}"
        raise Refused((_blocker("SYSTEM_NOT_EMPTY", copy, found, "a new data folder: --data-dir"),))
    try:
        for table in SQLModel.metadata.sorted_tables:
            _insert(connection, table, copy["tables"].get(table.name, []), at)
    except (ValueError, sa.exc.DBAPIError) as error:
        raise Refused((_blocker("COPY_NOT_THE_SAME", copy, str(error), "a copy of this release's schema"),)) from error
    _insert(connection, COPIED, copy["audit"], at)
    _compare(connection, copy)
    new = {"batch": copy["batch"], "hash": copy["hash"], "exportedAt": copy["exportedAt"]}
    entry = Entry(at, "system", "record.imported", f"work-order/{copy['workOrder']}", new=new, source=source)
    audit.append(connection, [entry])


def _has_rows(connection: Connection, table: sa.Table) -> bool:
    return connection.execute(select(sa.literal(1)).select_from(table).limit(1)).first() is not None


def _insert(connection: Connection, table: sa.Table, rows: list[Row], at: datetime) -> None:
    """People may be there already, and are compared afterwards with everything else; a new one cannot log in."""
    if not rows:
        return
    columns = {column.name: column for column in own_columns(table)}
    if unknown := set(rows[0]) - set(columns):
        raise ValueError(f"{table.name} has no {', '.join(sorted(unknown))}: the copy is of a newer release")
    values = [{name: decoded(columns[name], value) for name, value in row.items()} for row in rows]
    if table.name == "user_account":
        values = [{**NO_WAY_IN, "created_at": at, **person} for person in values]
    statement = upsert(table).on_conflict_do_nothing() if table.name == "user_account" else insert(table)
    connection.execute(statement, values)


def _compare(connection: Connection, copy: Copy) -> None:
    """Make the copy once more, from here, and compare: document, content, every row."""
    again = make(connection, copy["workOrder"], datetime.now(UTC))
    differing = [name for name in ("contentHash", "documentHash") if again[name] != copy[name]]
    differing += [
        f"{name} row {number}"
        for name, rows in copy["tables"].items()
        for number, (was, now) in enumerate(_pairs(rows, again["tables"].get(name, [])), start=1)
        if was is None or now is None or any(now.get(key) != value for key, value in was.items())
    ]
    if differing:
        raise Refused(
            tuple(_blocker("COPY_NOT_THE_SAME", copy, found, "the same as in the copy") for found in differing)
        )


def _pairs(before: list[Row], after: list[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    for index in range(max(len(before), len(after))):
        yield (before[index] if index < len(before) else None), (after[index] if index < len(after) else None)


def _blocker(code: str, copy: Copy, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity="copy of a batch record", id=str(copy.get("batch")), found=found, required=required,
        who_can_fix="administrator",
    )  # fmt: skip
