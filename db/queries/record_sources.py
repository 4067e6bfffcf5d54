"""What the batch record takes from other tables than the order's facts: one statement each."""

from typing import Any, Final

from sqlalchemy import Connection, func, or_, select, union_all

from db.queries.record_cases import own_cases
from db.queries.written import plain_if_any, stamp
from db.tables import (
    AuditRow,
    CaseFactRow,
    CopiedAuditRow,
    EquipmentGap,
    EquipmentReading,
    EquipmentRun,
    InspectionResult,
    Lot,
    LotLink,
    OrderFact,
    Signature,
    core,
)
from domain.exceptions import ExceptionType, RecordException
from domain.quantities import plain
from domain.specification import MaterialLine

LINKS, LOTS, RESULTS = core(LotLink), core(Lot), core(InspectionResult)
SIGNATURES, FACTS, AUDIT = core(Signature), core(OrderFact), core(AuditRow)
CASES = core(CaseFactRow)
COPIED, RUNS, READINGS = core(CopiedAuditRow), core(EquipmentRun), core(EquipmentReading)
GAPS = core(EquipmentGap)
Document = dict[str, Any]
_FAILED: Final = ("signature.refused", "signature.failed", "signature.expired")


def consumed_lots(connection: Connection, work_order: str, lines: dict[int, MaterialLine]) -> list[Document]:
    """Every lot that became part of the batch: how much, where, who supplied it, until when it was good."""
    statement = (
        select(
            LINKS.c.input_lot, LINKS.c.operation, LINKS.c.unit, func.sum(LINKS.c.quantity).label("quantity"),
            func.min(LINKS.c.linked_at).label("first_at"), LOTS.c.material, LOTS.c.supplier, LOTS.c.expires_on,
        )
        .join(LOTS, LOTS.c.number == LINKS.c.input_lot)
        .where(LINKS.c.work_order == work_order)
        .group_by(LINKS.c.input_lot, LINKS.c.operation, LINKS.c.unit, LOTS.c.material, LOTS.c.supplier,
                  LOTS.c.expires_on)
        .order_by(LINKS.c.operation, LOTS.c.material, LINKS.c.input_lot)
    )  # fmt: skip
    needed = {line.material: line for line in lines.values()}
    return [
        {
            "material": row.material, "lot": row.input_lot, "operation": row.operation, "quantity": plain(row.quantity),
            "unit": row.unit, "required": plain(needed[row.material].quantity) if row.material in needed else None,
            "supplier": row.supplier, "expiresOn": row.expires_on and row.expires_on.isoformat(),
            "consumedAt": stamp(row.first_at),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def inspection_results(connection: Connection, inspection: str) -> list[Document]:
    """The results of an inspection as they were entered."""
    statement = select(RESULTS).where(RESULTS.c.inspection == inspection).order_by(RESULTS.c.id)
    return [
        {
            "name": row.name, "text": row.text, "unit": row.unit,
            "low": plain_if_any(row.low), "high": plain_if_any(row.high), "withinLimits": row.within_limits,
            "enteredBy": row.entered_by, "enteredAt": stamp(row.entered_at),
            **({} if row.measured_with is None else {"measuredWith": row.measured_with}),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def record_signatures(connection: Connection, order_number: str, work_order: str) -> list[Document]:
    """The signatures under commands of the order as a whole, of this work order, and of their deviations."""
    theirs = select(FACTS.c.command_id).where(FACTS.c.order_number == order_number, FACTS.c.command_id.is_not(None))
    own = [f"production-order/{order_number}", f"work-order/{work_order}"]
    numbers = own_cases(order_number, work_order)
    decided = select(CASES.c.command_id).where(CASES.c.case_number.in_(numbers), CASES.c.command_id.is_not(None))
    statement = (
        select(SIGNATURES)
        .where(
            or_(
                SIGNATURES.c.command_id.in_(theirs) & SIGNATURES.c.entity.in_(own),
                SIGNATURES.c.command_id.in_(decided) & SIGNATURES.c.entity.startswith("deviation/"),
            )
        )
        .order_by(SIGNATURES.c.signed_at, SIGNATURES.c.id)
    )
    return [
        {
            "id": str(row.id), "signer": row.signer, "fullName": row.full_name, "meaning": row.meaning,
            "entity": row.entity, "signedAt": stamp(row.signed_at), "localOffset": row.local_offset,
            "contentHash": row.content_hash, "commandId": row.command_id,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def refused_signatures(connection: Connection, order_number: str, work_order: str) -> list[RecordException]:
    """Signatures under this batch that failed or were refused."""
    own = [f"production-order/{order_number}", f"work-order/{work_order}"]
    # An imported record brings its rows of the audit trail along; they stand beside this system's own.
    rows = union_all(
        *(
            select(table.c.seq, table.c.at, table.c.actor, table.c.action, table.c.new).where(
                table.c.entity.in_(own), table.c.action.in_(_FAILED)
            )
            for table in (AUDIT, COPIED)
        )
    ).subquery()
    statement = select(rows).order_by(rows.c.seq)
    return [
        RecordException(
            id=f"audit-{row.seq}", type=ExceptionType.REFUSED_SIGNATURE, at=row.at, actor=row.actor,
            detail=f"{row.action}: {(row.new or {}).get('found', '')}".strip(": "),
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def connection_gaps(connection: Connection, work_order: str) -> list[RecordException]:
    """Times in which the machine of a run could not be reached, with how many readings never came."""
    statement = (
        select(GAPS, RUNS.c.operation, RUNS.c.workstation)
        .join(RUNS, RUNS.c.job == GAPS.c.job)
        .where(RUNS.c.work_order == work_order)
        .order_by(GAPS.c.job, GAPS.c.since)
    )
    return [
        RecordException(
            id=f"connection-{row.job.replace('/', '.')}-{stamp(row.since)}",
            type=ExceptionType.COMMUNICATION_FAILURE, at=row.since,
            actor=row.workstation, operation=row.operation,
            detail=f"not reached from {stamp(row.since)} to {stamp(row.until) if row.until else 'now'}; "
            f"{'an unknown number of' if row.missing is None else row.missing} readings are missing",
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def machine_gaps(connection: Connection, work_order: str) -> list[RecordException]:
    """Stretches of a machine's run in which its readings were not good: one exception per job."""
    statement = (
        select(
            RUNS.c.job, RUNS.c.operation, RUNS.c.workstation, func.count().label("readings"),
            func.min(READINGS.c.source_time).label("first_at"), func.max(READINGS.c.source_time).label("last_at"),
        )
        .join(READINGS, READINGS.c.job == RUNS.c.job)
        .where(RUNS.c.work_order == work_order, or_(READINGS.c.quality != "good"))
        .group_by(RUNS.c.job, RUNS.c.operation, RUNS.c.workstation)
        .order_by(RUNS.c.job)
    )  # fmt: skip
    return [
        RecordException(
            id=f"gap-{row.job}", type=ExceptionType.DATA_GAP, at=row.first_at, actor=row.workstation,
            operation=row.operation,
            detail=f"{row.readings} readings not good between {stamp(row.first_at)} and {stamp(row.last_at)}",
        )
        for row in connection.execute(statement)
    ]  # fmt: skip
