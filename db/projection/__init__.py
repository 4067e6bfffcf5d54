"""Facts become rows: one transaction for a batch of facts of one order."""

from db.projection import line_side, rework
from db.projection.writer import RecordContradictionFound, write_facts

__all__ = ["RecordContradictionFound", "line_side", "rework", "write_facts"]
