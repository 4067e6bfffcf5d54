"""The archive of batch records: each approved one is kept whole, once, until its date, as data and on paper."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert as upsert

from db.audit import canonical
from db.queries import pictures
from db.queries.record_document import read
from db.queries.record_people import names
from db.tables import ArchivedPrint, ArchivedRecord, Lot, core
from domain.differences import differences
from domain.rules.retention import retain_until

ARCHIVE, PRINTS, LOTS = core(ArchivedRecord), core(ArchivedPrint), core(Lot)
Document = dict[str, Any]


@dataclass(frozen=True)
class Putting:
    """A record on its way into the archive. `languages` are those in which it lies there on paper already."""

    work_order: str
    document: Document
    people: Mapping[str, str]
    languages: frozenset[str]
    is_kept: bool
    pictures: Mapping[str, bytes]

    @property
    def document_hash(self) -> str:
        """SHA-256 over the canonical JSON of the document."""
        return digest(self.document)


@dataclass(frozen=True)
class Print:
    """A file for people."""

    language: str
    pdf: bytes
    is_sealed: bool


def digest(document: Document) -> str:
    """SHA-256 over the canonical JSON of a document."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def prepare(connection: Connection, work_order: str) -> Putting:
    """What is to be put away: what lies in the archive already, else the record as it is now. Reads only."""
    kept = find(connection, work_order)
    document = read(connection, work_order).document() if kept is None else kept.document
    there = select(PRINTS.c.language).where(PRINTS.c.work_order == work_order)
    return Putting(
        work_order=work_order, document=document, people=names(connection, document),
        languages=frozenset(connection.execute(there).scalars()), is_kept=kept is not None,
        pictures=pictures.of_record(connection, document),
    )  # fmt: skip


def put_away(connection: Connection, putting: Putting, prints: Sequence[Print], at: datetime) -> str:
    """Keep the record and its prints; answers the hash of what is kept. The first call decides, later ones read."""
    document, lot = putting.document, putting.document["batch"]
    expires_on = connection.execute(select(LOTS.c.expires_on).where(LOTS.c.number == lot)).scalar_one_or_none()
    statement = upsert(ARCHIVE).values(
        work_order=putting.work_order, lot=lot, document=document, document_hash=putting.document_hash,
        content_hash=document["contentHash"], archived_at=at,
        retain_until=retain_until(_certified(document) or at.date(), expires_on),
    )  # fmt: skip
    connection.execute(statement.on_conflict_do_nothing())
    kept = find(connection, putting.work_order)
    assert kept is not None
    # Somebody else was faster, with another document: its prints came with it.
    if prints and kept.document_hash == putting.document_hash:
        rows = [
            {
                "work_order": putting.work_order, "language": own.language, "pdf": own.pdf,
                "sha256": hashlib.sha256(own.pdf).hexdigest(), "is_sealed": own.is_sealed, "made_at": at,
            }
            for own in prints
        ]  # fmt: skip
        connection.execute(upsert(PRINTS).on_conflict_do_nothing(), rows)
    return str(kept.document_hash)


def _certified(document: Document) -> date | None:
    at = document["release"]["certifiedAt"]
    return None if at is None else datetime.fromisoformat(at).date()


def find(connection: Connection, work_order: str) -> Row[Any] | None:
    """The kept record of a work order: document, hashes, date until which it has to be kept."""
    return connection.execute(select(ARCHIVE).where(ARCHIVE.c.work_order == work_order)).one_or_none()


def verify(kept: Row[Any]) -> bool:
    """Whether a kept document is what was put away."""
    return bool(digest(kept.document) == kept.document_hash)


def prints(connection: Connection, work_order: str) -> list[Row[Any]]:
    """The prints of a kept record, by language."""
    statement = select(PRINTS).where(PRINTS.c.work_order == work_order).order_by(PRINTS.c.language)
    return list(connection.execute(statement))


def find_print(connection: Connection, work_order: str, language: str) -> Row[Any] | None:
    """One print of a kept record."""
    statement = select(PRINTS).where(PRINTS.c.work_order == work_order, PRINTS.c.language == language)
    return connection.execute(statement).one_or_none()


def is_intact(kept: Row[Any]) -> bool:
    """Whether a kept print is the file that was put away."""
    return bool(hashlib.sha256(kept.pdf).hexdigest() == kept.sha256)


def everything(connection: Connection) -> list[str]:
    """The work orders whose records lie in the archive."""
    return list(connection.execute(select(ARCHIVE.c.work_order).order_by(ARCHIVE.c.work_order)).scalars())


def faults(connection: Connection, work_order: str) -> Iterator[str]:
    """What is not as it was put away, record and place (B14): the document, its prints, the rows of the record.

    The hash of the document also stands in the order's facts: to change it beside the document is not enough.
    """
    kept = find(connection, work_order)
    if kept is None:
        yield f"{work_order}: not in the archive"
        return
    record = read(connection, work_order)
    said = [own["contentHash"] for own in record.review["steps"] if own["event"] == "archive"]
    if not verify(kept) or (said and said[-1] != kept.document_hash):
        yield f"{work_order}: the archived document is not what was put away"
    if record.content_hash != kept.content_hash:
        yield f"{work_order}: the rows of the record are not what was approved"
    for key, now in json.loads(canonical(record.content)).items():
        if key != "exceptions":  # those in the document have their explanations
            for found in differences(kept.document.get(key), now, key):
                yield f"{work_order}: {found.path}: archive {found.before!r}, record {found.after!r}"
    for own in prints(connection, work_order):
        if not is_intact(own):
            yield f"{work_order}: the print in {own.language} is not the file that was put away"
