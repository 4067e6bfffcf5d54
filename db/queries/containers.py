"""Dispensed containers: what the scale said, where each of them is, what its label shows."""

from typing import Any

from sqlalchemy import Connection, Row, select

from db.queries.written import plain_if_any, stamp, stamp_if_any
from db.tables import DispensedContainer, InspectionResult, InspectionRow, Lot, Material, WorkOrder, core
from domain.container_label import ContainerLabel
from domain.quantities import plain
from domain.weighing import LotResults

CONTAINERS, LOTS, MATERIALS, WORK_ORDERS = core(DispensedContainer), core(Lot), core(Material), core(WorkOrder)
INSPECTIONS, RESULTS = core(InspectionRow), core(InspectionResult)
Document = dict[str, Any]


def of_work_order(connection: Connection, work_order: str) -> list[Document]:
    """The containers of a work order, in the order in which they were weighed."""
    statement = select(CONTAINERS).where(CONTAINERS.c.work_order == work_order)
    rows = connection.execute(statement.order_by(CONTAINERS.c.weighed_at, CONTAINERS.c.number))
    return [document(row) for row in rows]


def find(connection: Connection, number: str) -> Document | None:
    """One container."""
    row = connection.execute(select(CONTAINERS).where(CONTAINERS.c.number == number)).one_or_none()
    return None if row is None else document(row) | {"workOrder": row.work_order}


def document(row: Row[Any]) -> Document:
    """A container as people see it; measured values as they were entered, too."""
    return {
        "number": row.number, "operation": row.operation, "line": row.line, "material": row.material, "lot": row.lot,
        "state": row.state, "unit": row.unit, "scale": row.scale, "certificate": row.certificate,
        "calibrationDueAt": stamp_if_any(row.calibration_due_at), "source": row.source,
        "readAt": stamp_if_any(row.read_at), "tareText": row.tare_text, "grossText": row.gross_text,
        "net": plain(row.net), "target": plain(row.target), "low": plain_if_any(row.low),
        "high": plain_if_any(row.high), "potency": row.potency, "weighedBy": row.weighed_by,
        "weighedAt": stamp(row.weighed_at), "verifiedBy": row.verified_by, "place": row.place,
        "stagedBy": row.staged_by, "stagedAt": stamp_if_any(row.staged_at), "chargedBy": row.charged_by,
        "chargedAt": stamp_if_any(row.charged_at), "voidedBy": row.voided_by, "voidReason": row.void_reason,
    }  # fmt: skip


def label(connection: Connection, number: str) -> ContainerLabel | None:
    """What the label of a container shows. One statement."""
    statement = (
        select(
            CONTAINERS, MATERIALS.c.name, LOTS.c.expires_on, WORK_ORDERS.c.output_lot,
            WORK_ORDERS.c.material.label("product"),
        )
        .join(MATERIALS, MATERIALS.c.code == CONTAINERS.c.material)
        .join(LOTS, LOTS.c.number == CONTAINERS.c.lot)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == CONTAINERS.c.work_order)
        .where(CONTAINERS.c.number == number)
    )  # fmt: skip
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return ContainerLabel(
        container=row.number, material=row.material, name=row.name, lot=row.lot, net=row.net, unit=row.unit,
        batch=row.output_lot, product=row.product, work_order=row.work_order, dispensed_by=row.weighed_by,
        checked_by=row.verified_by, dispensed_at=row.weighed_at, expires_on=row.expires_on, state=row.state,
    )  # fmt: skip


def results_of(connection: Connection, lot: str) -> LotResults | None:
    """What the laboratory found in a lot: the results of its newest accepted inspection."""
    newest = (
        select(INSPECTIONS.c.number)
        .where(INSPECTIONS.c.lot == lot, INSPECTIONS.c.state == "accepted")
        .order_by(INSPECTIONS.c.decided_at.desc(), INSPECTIONS.c.number.desc())
        .limit(1)
    )
    inspection = connection.execute(newest).scalar_one_or_none()
    if inspection is None:
        return None
    rows = connection.execute(select(RESULTS.c.name, RESULTS.c.text).where(RESULTS.c.inspection == inspection))
    return LotResults(inspection=inspection, values={row.name: row.text for row in rows})
