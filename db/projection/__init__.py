"""Facts become rows: one transaction for a batch of facts of one order."""

from db.projection import (
    balance,
    batch_record,
    equipment,
    holds,
    line_side,
    order_changes,
    recovery,
    replanning,
    rework,
    weighing,
)
from db.projection.cases import write_case_facts
from db.projection.writer import RecordContradictionFound, write_facts, write_new_facts

__all__ = [
    "RecordContradictionFound",
    "balance",
    "batch_record",
    "equipment",
    "holds",
    "line_side",
    "order_changes",
    "recovery",
    "replanning",
    "rework",
    "weighing",
    "write_case_facts",
    "write_facts",
    "write_new_facts",
]
