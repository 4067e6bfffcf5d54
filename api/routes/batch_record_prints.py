"""The batch record on paper: as it is now, and as it was archived."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import Response

from adapters.printing.port import Language, PrintJob
from api.deps import Caller, Who, writing
from api.errors import not_found
from api.routes.batch_records import number_of
from api.routing import Router
from db.queries import pictures, record_archive, record_document
from db.queries.record_people import names
from domain.errors import Blocker, Refused

router = Router(prefix="/mes/work-orders/{work_order_id}/batch-record", tags=["batch record"])
PDF: Final = "application/pdf"
PDF_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}, "description": "PDF/A-2b."}
}


@router.get("/pdf", response_class=Response, responses=PDF_FILE)
def printed(work_order_id: UUID, who: Who, language: Language = "en") -> Response:
    """The record as it is now, as PDF/A-2b in English or Chinese; marked as a draft until quality has approved it.

    Who printed which content when is written into the audit trail (`record.printed`).
    """
    with who.services.engine.connect() as connection:
        record = record_document.read(connection, number_of(connection, work_order_id))
        document = record.document()
        people, shown = names(connection, document), pictures.of_record(connection, document)
    by = f"{who.session.full_name} ({who.id})"
    pdf = who.services.printer.print(PrintJob(document, language, datetime.now(UTC), people, by, pictures=shown))
    said = {"revision": record.revision, "contentHash": record.content_hash}
    return _handed_out(who, record.work_order, document["batch"], language, pdf, said)


@router.get("/archive/pdf", response_class=Response, responses=PDF_FILE)
def archived(work_order_id: UUID, who: Who, language: Language = "en") -> Response:
    """The file that was made once, when the record was archived, sealed if this system has a key.

    409 ARCHIVE_CHANGED when the stored file is not the one that was put away.
    """
    with who.services.engine.connect() as connection:
        number = number_of(connection, work_order_id)
        record = record_archive.find(connection, number)
        kept = record_archive.find_print(connection, number, language)
    if record is None or kept is None:
        raise not_found("archived print", work_order_id)
    if not record_archive.is_intact(kept):
        raise Refused((_changed(number, language, kept.sha256),))
    said = {"archived": True, "isSealed": kept.is_sealed}
    return _handed_out(who, number, record.lot, language, kept.pdf, said)


def _handed_out(who: Caller, number: str, batch: str, language: Language, pdf: bytes, said: dict[str, Any]) -> Response:
    digest = hashlib.sha256(pdf).hexdigest()
    new = {"batch": batch, "language": language, "sha256": digest, **said}
    with writing(who, who.entry("record.printed", f"work-order/{number}", new=new)):
        pass
    name = quote(f"batch-record-{batch}-{language}.pdf")
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{name}", "ETag": f'"{digest}"'}
    return Response(pdf, media_type=PDF, headers=headers)


def _changed(number: str, language: str, sha256: str) -> Blocker:
    return Blocker(
        code="ARCHIVE_CHANGED", entity="archived print", id=f"{number}/{language}", found="another file",
        required=f"the file that was put away, SHA-256 {sha256}", who_can_fix="administrator",
    )  # fmt: skip
