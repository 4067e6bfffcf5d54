"""Looking at batch records, and putting approved ones away, for programs and for people."""

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Engine
from temporalio import activity

from activities.beating import heartbeat
from activities.stubs import ArchiveRequest, RecordCheckAnswer, RecordCheckRequest
from adapters.printing.port import LANGUAGES, Printer, PrintJob, Sealer
from db.queries import record_archive, record_check
from db.queries.record_archive import Print, Putting


class BatchRecordActivities:
    """Reads the record of a batch from PostgreSQL; the archive is written once per work order.

    Without a `sealer` the archived prints are not sealed, and say so.
    """

    def __init__(self, engine: Engine, printer: Printer, sealer: Sealer | None) -> None:
        self._engine, self._printer, self._sealer = engine, printer, sealer

    @activity.defn(name="record.check")
    def check_record(self, request: RecordCheckRequest) -> RecordCheckAnswer:
        """Look at a batch record: what is missing, which exceptions are open, is every input lot still usable."""
        with self._engine.connect() as connection:
            found, digest = record_check.blockers(connection, request.work_order, request.purpose, request.revision)
        return RecordCheckAnswer(blockers=tuple(found), content_hash=digest)

    @activity.defn(name="record.archive")
    def archive_record(self, request: ArchiveRequest) -> str:
        """Put the approved batch record away; a second call answers what stands there."""
        with heartbeat():
            with self._engine.connect() as connection:
                putting = record_archive.prepare(connection, request.work_order)
            at = datetime.now(UTC)
            # Printing and sealing take seconds: they are over before the transaction begins.
            prints = self._prints(putting, at)
            with self._engine.begin() as connection:
                return record_archive.put_away(connection, putting, prints, at)

    def _prints(self, putting: Putting, at: datetime) -> list[Print]:
        sealer = self._sealer
        said: Literal["sealed", "unsealed"] = "unsealed" if sealer is None else "sealed"
        made: list[Print] = []
        for language in LANGUAGES:
            if language in putting.languages:
                continue
            job = PrintJob(putting.document, language, at, putting.people, for_archive=said, pictures=putting.pictures)
            pdf = self._printer.print(job)
            made.append(Print(language, pdf if sealer is None else sealer.seal(pdf), sealer is not None))
        return made
