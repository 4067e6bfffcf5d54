"""Whether a batch record may be passed on: to quality, to approval, to the certificate. Reads only."""

from typing import Final, Literal

from sqlalchemy import Connection, select

from db.queries.record_document import BatchRecord, read, show
from db.queries.trace import LotUnknown, Trace, trace
from db.tables import BatchRecordRow, RecoveryRow, core
from domain.errors import Blocker
from domain.rules.record_content import missing_items, open_exceptions

RECORDS: Final = core(BatchRecordRow)
RECOVERIES: Final = core(RecoveryRow)
Purpose = Literal["review", "approval", "certification"]
_UNFIT: Final = ("onHold", "rejected", "recalled", "returned", "destroyed")


def blockers(
    connection: Connection, work_order: str, purpose: Purpose, revision: int | None = None
) -> tuple[list[Blocker], str]:
    """What stands in the way of passing the record on as it stands at `revision`, and the hash of its content.

    A certificate is about the record that was approved, whatever the revision.

    The review of production asks for a whole record; quality also for explained exceptions; the certificate also for
    an unchanged record and for input lots that nobody has stopped. Raises `NoSuchRecord`.
    """
    record = read(connection, work_order, revision if purpose != "certification" else None)
    found = list(missing_items(record.content, record.needed_materials))
    if purpose == "review":
        return found, record.content_hash
    found += open_exceptions(record.content, [show(own) for own in record.exceptions])
    if purpose == "certification":
        found += changed(connection, record) + unfit_lots(connection, record)
    return found, record.content_hash


def changed(connection: Connection, record: BatchRecord) -> list[Blocker]:
    """A blocker if the record is not what quality approved (ES-04): somebody has written past the system."""
    statement = select(RECORDS.c.content_hash).where(RECORDS.c.work_order == record.work_order)
    approved = connection.execute(statement).scalar_one_or_none()
    if approved is None or approved == record.content_hash:
        return []
    return [
        Blocker(
            code="SIGNATURE_MISMATCH", entity="batch record", id=record.work_order,
            found=f"content {record.content_hash[:12]}", required=f"what was approved, {approved[:12]}",
            who_can_fix="administrator",
        )
    ]  # fmt: skip


def unfit_lots(connection: Connection, record: BatchRecord) -> list[Blocker]:
    """Input lots of any depth that are stopped now, and direct ones that were past their date when they were used."""
    batch = record.content["batch"]
    found = [
        Blocker(
            code="LOT_EXPIRED", entity="lot", id=row["lot"], found=f"used {row['consumedAt']}",
            required=f"used until {row['expiresOn']}", who_can_fix="qaReviewer",
        )
        for row in record.content["materials"]
        if row["expiresOn"] is not None and row["consumedAt"][:10] > row["expiresOn"]
    ]  # fmt: skip
    try:
        tree = trace(connection, batch, "backward")
    except LotUnknown:
        return found
    inputs, approved = tree.nodes, _by_approval(connection, tree)
    return found + [
        Blocker(
            code="LOT_NOT_USABLE", entity="lot", id=node.lot, found=node.status, required="a lot that nobody stopped",
            who_can_fix="qaReviewer",
        )
        for node in inputs
        if node.lot != batch and node.status in _UNFIT and not (node.status == "rejected" and node.lot in approved)
    ]  # fmt: skip


def _by_approval(connection: Connection, tree: Trace) -> set[str]:
    """Lots of a trace that went into every batch of it by approval of quality alone: rejected or not, they may."""
    own = RECOVERIES.c.lot.in_({node.lot for node in tree.nodes}) & (RECOVERIES.c.state == "introduced")
    rows = connection.execute(select(RECOVERIES.c.lot, RECOVERIES.c.work_order).where(own))
    allowed = {(row.lot, row.work_order) for row in rows}
    ways: dict[str, set[str]] = {}
    for edge in tree.edges:
        ways.setdefault(edge.source, set()).add(edge.work_order)
    return {lot for lot, orders in ways.items() if all((lot, order) in allowed for order in orders)}
