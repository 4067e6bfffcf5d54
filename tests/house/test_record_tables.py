"""A complete copy of a batch record is complete: no table that tells of a batch is forgotten."""

import pytest
from sqlmodel import SQLModel

from db import tables as t
from db.record_tables import NOT_COPIED, WHERE
from db.tables import core

OF_A_BATCH = {"work_order", "order_number", "batch", "case_number", "job", "inspection"}
"""A column of one of these names ties a row to a batch."""


@pytest.mark.accepts("AT-13")
def test_every_table_that_tells_of_a_batch_is_in_the_copy_or_says_why_not() -> None:
    copied = {core(model).name for model in WHERE}
    telling = {table.name for table in SQLModel.metadata.sorted_tables if OF_A_BATCH & set(table.columns.keys())}
    assert telling - copied == set(NOT_COPIED)
    assert all(NOT_COPIED.values())


@pytest.mark.accepts("AT-13")
def test_what_a_copied_row_points_to_is_copied_too() -> None:
    copied = {core(model).name for model in WHERE}
    pointed = {key.column.table.name for model in WHERE for key in core(model).foreign_keys}
    assert pointed <= copied


def test_the_audit_trail_has_a_place_of_its_own_in_a_copy() -> None:
    assert t.AuditRow not in WHERE
    assert {column.name for column in core(t.AuditRow).columns} < {c.name for c in core(t.CopiedAuditRow).columns}
