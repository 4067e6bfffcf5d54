"""Which rows belong to one batch record: for each table the ones that a complete copy of the record has."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, Table, or_, select, union
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel

from db import tables as t
from db.audit import canonical
from db.tables import core

Row = dict[str, Any]
Rows = dict[str, list[Row]]
LINKS, LOTS, RUNS = core(t.LotLink), core(t.Lot), core(t.EquipmentRun)
INSPECTIONS, MOVES, SIGNATURES, AUDIT = core(t.InspectionRow), core(t.StockMove), core(t.Signature), core(t.AuditRow)


@dataclass(frozen=True)
class Scope:
    """One batch: its order, its work order, the master batch record it was made by, and who is named in the record."""

    order: str
    work_order: str
    people: tuple[str, ...]
    record_version: tuple[str, str]


def _commands(scope: Scope) -> Any:
    """The ids of the commands that the order and its quality cases were given."""
    facts, cases = core(t.OrderFact), core(t.CaseFactRow)
    return union(
        select(facts.c.command_id).where(facts.c.order_number == scope.order, facts.c.command_id.is_not(None)),
        select(cases.c.command_id).where(cases.c.case_number.in_(_cases(scope)), cases.c.command_id.is_not(None)),
    )


def _cases(scope: Scope) -> Any:
    """The numbers of the deviations and corrective actions about the order."""
    cases, deviations = core(t.QualityCaseRow), core(t.Deviation)
    return union(
        select(cases.c.number).where(cases.c.order_number == scope.order),
        select(deviations.c.number).where(deviations.c.order_number == scope.order),
    )


def _holds(scope: Scope) -> Any:
    """The numbers of the holds of lots that stopped the order."""
    orders = core(t.LotHoldOrder)
    return select(orders.c.hold).where(orders.c.order_number == scope.order)


def _batches(scope: Scope) -> Any:
    """The number of the batch itself."""
    return select(core(t.WorkOrder).c.output_lot).where(core(t.WorkOrder).c.number == scope.work_order)


def _equipment(scope: Scope) -> Any:
    """The codes of the equipment and rooms that were used for the batch or cleared for it."""
    log, clearances = core(t.EquipmentLogEntry), core(t.LineClearance)
    return union(
        select(log.c.equipment).where(log.c.work_order == scope.work_order),
        select(clearances.c.room).where(clearances.c.batch.in_(_batches(scope))),
    )


def _lots(scope: Scope) -> Any:
    """The numbers of the batch and of every lot that went into it."""
    own = select(LOTS.c.number).where(LOTS.c.work_order == scope.work_order)
    containers = core(t.DispensedContainer)
    return own.union(
        select(LINKS.c.input_lot).where(LINKS.c.work_order == scope.work_order),
        select(containers.c.lot).where(containers.c.work_order == scope.work_order),
    )


def _materials(scope: Scope) -> Any:
    """The codes of the materials that are spoken of."""
    orders = core(t.WorkOrder)
    return union(
        select(LOTS.c.material).where(LOTS.c.number.in_(_lots(scope))),
        select(orders.c.material).where(orders.c.order_number == scope.order),
        select(sa.literal(scope.record_version[0])),
    )


def _places(scope: Scope) -> Any:
    """The codes of the places between which something was moved."""
    own = MOVES.c.work_order == scope.work_order
    return union(select(MOVES.c.from_place).where(own), select(MOVES.c.to_place).where(own))


def signatures(scope: Scope) -> ColumnElement[bool]:
    """The signatures under commands of this order or under the record itself."""
    own = (f"production-order/{scope.order}", f"work-order/{scope.work_order}")
    return or_(SIGNATURES.c.entity.in_(own), SIGNATURES.c.command_id.in_(_commands(scope)))


def audit_rows(scope: Scope) -> ColumnElement[bool]:
    """What the audit trail says about the batch: under the ids of its objects, or under a command of its order."""
    kinds = ("work-order", "batch-record")
    own = (f"production-order/{scope.order}", *(f"{kind}/{scope.work_order}" for kind in kinds))
    lot = select(sa.literal("lot/") + LOTS.c.number).where(LOTS.c.work_order == scope.work_order)
    below = AUDIT.c.entity.startswith(f"operation/{scope.work_order}/", autoescape=True)
    deviations = core(t.Deviation)
    deviation = select(sa.literal("deviation/") + deviations.c.number).where(deviations.c.order_number == scope.order)
    return or_(
        AUDIT.c.entity.in_(own), AUDIT.c.entity.in_(lot), AUDIT.c.entity.in_(deviation), below,
        AUDIT.c.command_id.in_(_commands(scope)),
    )  # fmt: skip


def _people(scope: Scope) -> Any:
    """The ids of everybody who is named, who signed, and who was asked to sign."""
    asked = core(t.SignatureRequest)
    return union(
        select(core(t.UserAccount).c.id).where(core(t.UserAccount).c.id.in_(scope.people)),
        select(SIGNATURES.c.signer).where(signatures(scope)),
        select(asked.c.requested_by).where(asked.c.command_id.in_(_commands(scope))),
    )


def _master_batch_record(scope: Scope) -> ColumnElement[bool]:
    table = core(t.MasterBatchRecord)
    return sa.tuple_(table.c.product, table.c.version) == sa.tuple_(*map(sa.literal, scope.record_version))


def _of_order(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    return lambda scope: core(model).c.order_number == scope.order


def _of_work_order(model: type[SQLModel]) -> Callable[[Scope], ColumnElement[bool]]:
    return lambda scope: core(model).c.work_order == scope.work_order


WHERE: Final[Mapping[type[SQLModel], Callable[[Scope], ColumnElement[bool]]]] = {
    t.Material: lambda scope: core(t.Material).c.code.in_(_materials(scope)),
    t.MasterBatchRecord: _master_batch_record,
    t.Place: lambda scope: core(t.Place).c.code.in_(_places(scope)),
    t.UserAccount: lambda scope: core(t.UserAccount).c.id.in_(_people(scope)),
    t.PlanLine: _of_order(t.PlanLine),
    t.ProductionOrder: lambda scope: core(t.ProductionOrder).c.number == scope.order,
    t.WorkOrder: _of_order(t.WorkOrder),
    t.OperationRow: _of_work_order(t.OperationRow),
    t.ProductionReport: _of_work_order(t.ProductionReport),
    t.ParameterValue: _of_work_order(t.ParameterValue),
    t.ParameterCheck: _of_work_order(t.ParameterCheck),
    t.OperationVerification: _of_work_order(t.OperationVerification),
    t.OperationComment: _of_work_order(t.OperationComment),
    t.BatchRecordRow: _of_work_order(t.BatchRecordRow),
    t.ExceptionExplanation: _of_work_order(t.ExceptionExplanation),
    t.ArchivedRecord: _of_work_order(t.ArchivedRecord),
    t.ArchivedPrint: _of_work_order(t.ArchivedPrint),
    t.PickListRow: _of_work_order(t.PickListRow),
    t.PutAwayRow: _of_work_order(t.PutAwayRow),
    t.Lot: lambda scope: LOTS.c.number.in_(_lots(scope)),
    t.StockMove: _of_work_order(t.StockMove),
    t.LotLink: _of_work_order(t.LotLink),
    t.SerialNumber: _of_work_order(t.SerialNumber),
    t.InspectionRow: _of_work_order(t.InspectionRow),
    t.InspectionResult: lambda scope: core(t.InspectionResult).c.inspection.in_(
        select(INSPECTIONS.c.number).where(INSPECTIONS.c.work_order == scope.work_order)
    ),
    t.InProcessInspectionRow: _of_work_order(t.InProcessInspectionRow),
    t.ReworkRow: _of_work_order(t.ReworkRow),
    t.BatchReworkRow: lambda scope: core(t.BatchReworkRow).c.lot.in_(_lots(scope)),
    t.RecoveryRow: _of_work_order(t.RecoveryRow),
    t.PrintCheckRow: _of_work_order(t.PrintCheckRow),
    t.Deviation: _of_order(t.Deviation),
    t.QualityCaseRow: lambda scope: core(t.QualityCaseRow).c.number.in_(_cases(scope)),
    t.CaseFactRow: lambda scope: core(t.CaseFactRow).c.case_number.in_(_cases(scope)),
    t.MaterialReturnRow: _of_work_order(t.MaterialReturnRow),
    t.LotHoldRow: lambda scope: core(t.LotHoldRow).c.number.in_(_holds(scope)),
    t.LotHoldOrder: _of_order(t.LotHoldOrder),
    t.Reservation: _of_work_order(t.Reservation),
    t.DispensedContainer: _of_work_order(t.DispensedContainer),
    t.EquipmentClassRow: lambda scope: core(t.EquipmentClassRow).c.code.in_(
        select(core(t.EquipmentItem).c.equipment_class).where(core(t.EquipmentItem).c.code.in_(_equipment(scope)))
    ),
    t.EquipmentItem: lambda scope: core(t.EquipmentItem).c.code.in_(_equipment(scope)),
    t.EquipmentLogEntry: _of_work_order(t.EquipmentLogEntry),
    t.LineClearance: lambda scope: core(t.LineClearance).c.batch.in_(_batches(scope)),
    t.SignatureRequest: lambda scope: core(t.SignatureRequest).c.command_id.in_(_commands(scope)),
    t.EquipmentRun: _of_work_order(t.EquipmentRun),
    t.EquipmentReading: lambda scope: core(t.EquipmentReading).c.job.in_(
        select(RUNS.c.job).where(RUNS.c.work_order == scope.work_order)
    ),
    t.EquipmentGap: lambda scope: core(t.EquipmentGap).c.job.in_(
        select(RUNS.c.job).where(RUNS.c.work_order == scope.work_order)
    ),
    t.Signature: signatures,
    t.OrderFact: _of_order(t.OrderFact),
    t.CommandOutcome: _of_order(t.CommandOutcome),
    t.StateTransition: _of_order(t.StateTransition),
}  # fmt: skip
NOT_COPIED: Final = {"alarm": "about this installation, not about the batch"}
"""Tables that name an order or a batch and are no part of its record, each with its reason."""
PERSON: Final = ("id", "full_name", "is_person")
"""What of an account belongs to the record: the person, not the way in."""
NO_WAY_IN: Final = {
    "password_hash": "", "roles": [], "is_active": False, "failed_attempts": 0, "pin_failed_attempts": 0,
}  # fmt: skip
"""What a person from a copy has as an account."""


def collect(connection: Connection, scope: Scope) -> Rows:
    """The rows of every table that belong to the record, as JSON values."""
    conditions = {core(model).name: where(scope) for model, where in WHERE.items()}
    return {
        table.name: select_rows(connection, table, conditions[table.name])
        for table in SQLModel.metadata.sorted_tables
        if table.name in conditions
    }


def select_rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> list[Row]:
    """Rows as JSON values in the order in which they were written; numbers that the database gave them are left out."""
    columns = own_columns(table)
    order = [column for column in table.columns if column.identity is not None] or list(table.primary_key.columns)
    return [
        {column.name: encoded(getattr(row, column.name)) for column in columns}
        for row in connection.execute(select(table).where(where).order_by(*order))
    ]


def own_columns(table: Table) -> list[sa.Column[Any]]:
    """The columns that a copy has; an identity only gives the order, and of an account there is the person alone."""
    if table.name == "user_account":
        return [table.c[name] for name in PERSON]
    return [column for column in table.columns if column.identity is None]


def encoded(value: Any) -> Any:
    """A value of a column as JSON; exact."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Decimal() | UUID():
            return str(value)
        case date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value


def decoded(column: sa.Column[Any], value: Any) -> Any:
    """What `encoded` was made from. Raises ValueError for text that is no such value."""
    if value is None:
        return None
    match column.type:
        case sa.DateTime():
            return datetime.fromisoformat(value)
        case sa.Numeric():
            return Decimal(value)
        case sa.Uuid():
            return UUID(value)
        case sa.Date():
            return date.fromisoformat(value)
        case sa.LargeBinary():
            return base64.b64decode(value, validate=True)
        case _:
            return value


def row_hash(row: Row) -> str:
    """SHA-256 over the canonical JSON of a row."""
    return hashlib.sha256(canonical(row).encode()).hexdigest()
