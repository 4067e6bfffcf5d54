"""Facts become rows: one transaction for a batch of facts of one order."""

from db.projection import batch_record, rework
from db.projection.writer import RecordContradictionFound, write_facts

__all__ = ["RecordContradictionFound", "batch_record", "rework", "write_facts"]
