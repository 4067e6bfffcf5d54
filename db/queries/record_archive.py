"""The archive of batch records: each approved one is kept whole, once, until its date."""

import hashlib
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert as upsert

from db.audit import canonical
from db.queries.record_document import read
from db.tables import ArchivedRecord, Lot, core
from domain.rules.retention import retain_until

ARCHIVE, LOTS = core(ArchivedRecord), core(Lot)
Document = dict[str, Any]
_PLAIN: Final = ("document", "document_hash", "content_hash", "archived_at", "retain_until")


def put_away(connection: Connection, work_order: str, at: datetime) -> str:
    """Keep the record as it is now; answers the hash of what is kept. The first call decides, later ones read."""
    if (kept := find(connection, work_order)) is not None:
        return str(kept.document_hash)
    record = read(connection, work_order)
    document = record.document()
    digest = hashlib.sha256(canonical(document).encode()).hexdigest()
    lot = record.content["batch"]
    expires_on = connection.execute(select(LOTS.c.expires_on).where(LOTS.c.number == lot)).scalar_one_or_none()
    statement = upsert(ARCHIVE).values(
        work_order=work_order, lot=lot, document=document, document_hash=digest, content_hash=record.content_hash,
        archived_at=at, retain_until=retain_until(_certified(document) or at.date(), expires_on),
    )  # fmt: skip
    connection.execute(statement.on_conflict_do_nothing())
    kept = find(connection, work_order)
    assert kept is not None
    return str(kept.document_hash)


def _certified(document: Document) -> date | None:
    at = document["release"]["certifiedAt"]
    return None if at is None else datetime.fromisoformat(at).date()


def find(connection: Connection, work_order: str) -> Row[Any] | None:
    """The kept record of a work order: document, hashes, date until which it has to be kept."""
    return connection.execute(select(ARCHIVE).where(ARCHIVE.c.work_order == work_order)).one_or_none()


def verify(kept: Row[Any]) -> bool:
    """Whether a kept document is what was put away."""
    return bool(hashlib.sha256(canonical(kept.document).encode()).hexdigest() == kept.document_hash)
