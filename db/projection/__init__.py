"""Facts become rows: one transaction for a batch of facts of one order."""

from db.projection import equipment, rework
from db.projection.writer import RecordContradictionFound, write_facts

__all__ = ["RecordContradictionFound", "equipment", "rework", "write_facts"]
