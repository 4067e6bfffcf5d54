"""Looking at batch records, and putting approved ones away."""

from datetime import UTC, datetime

from sqlalchemy import Engine
from temporalio import activity

from activities.stubs import ArchiveRequest, RecordCheckAnswer, RecordCheckRequest
from db.queries import record_archive, record_check


class BatchRecordActivities:
    """Reads the record of a batch from PostgreSQL; the archive is written once per work order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="record.check")
    def check_record(self, request: RecordCheckRequest) -> RecordCheckAnswer:
        """Look at a batch record: what is missing, which exceptions are open, is every input lot still usable."""
        with self._engine.connect() as connection:
            found, digest = record_check.blockers(connection, request.work_order, request.purpose, request.revision)
        return RecordCheckAnswer(blockers=tuple(found), content_hash=digest)

    @activity.defn(name="record.archive")
    def archive_record(self, request: ArchiveRequest) -> str:
        """Put the approved batch record away; a second call answers what stands there."""
        with self._engine.begin() as connection:
            return record_archive.put_away(connection, request.work_order, datetime.now(UTC))
