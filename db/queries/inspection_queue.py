"""What quality has before it: inspections of lots, inspections of single reports, reworks. The oldest first."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select

from db.tables import InProcessInspectionRow, InspectionRow, Lot, Material, ReworkRow, WorkOrder, core

INSPECTIONS, IN_PROCESS, REWORKS = core(InspectionRow), core(InProcessInspectionRow), core(ReworkRow)
WORK_ORDERS, MATERIALS, LOTS = core(WorkOrder), core(Material), core(Lot)
OPEN: Final = ("created", "resultsEntered", "outOfSpecification")


def inspections(
    connection: Connection, inside: Sequence[ColumnElement[bool]] = (), limit: int = 200
) -> list[dict[str, Any]]:
    """Inspections of lots that are not decided; `work_order_id` is none for a received lot. One statement.

    `inside` are conditions on `INSPECTIONS.c.work_order`; received lots belong to everybody.
    """
    statement = (
        select(
            INSPECTIONS.c.number, INSPECTIONS.c.lot, INSPECTIONS.c.material, INSPECTIONS.c.state,
            INSPECTIONS.c.work_order, INSPECTIONS.c.requested_at, INSPECTIONS.c.entered_by, LOTS.c.supplier,
            WORK_ORDERS.c.uuid.label("work_order_id"), MATERIALS.c.name.label("material_name"),
        )
        .outerjoin(LOTS, LOTS.c.number == INSPECTIONS.c.lot)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == INSPECTIONS.c.work_order)
        .outerjoin(MATERIALS, MATERIALS.c.code == INSPECTIONS.c.material)
        .where(INSPECTIONS.c.state.in_(OPEN))
        .order_by(INSPECTIONS.c.requested_at, INSPECTIONS.c.number)
        .limit(limit)
    )  # fmt: skip
    if inside:
        statement = statement.where(or_(INSPECTIONS.c.work_order.is_(None), *inside))
    return [dict(row._mapping) for row in connection.execute(statement)]


def in_process(
    connection: Connection, inside: Sequence[ColumnElement[bool]] = (), limit: int = 200
) -> list[dict[str, Any]]:
    """Inspections of reports that are open, the oldest first. One statement."""
    statement = (
        select(
            IN_PROCESS.c.number, IN_PROCESS.c.work_order, IN_PROCESS.c.operation, IN_PROCESS.c.quantity,
            IN_PROCESS.c.unit, IN_PROCESS.c.opened_at, IN_PROCESS.c.rework, WORK_ORDERS.c.uuid.label("work_order_id"),
            WORK_ORDERS.c.material,
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == IN_PROCESS.c.work_order)
        .where(IN_PROCESS.c.state == "open", *inside)
        .order_by(IN_PROCESS.c.opened_at, IN_PROCESS.c.number)
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def reworks(
    connection: Connection, inside: Sequence[ColumnElement[bool]] = (), limit: int = 200
) -> list[dict[str, Any]]:
    """Reworks that wait for somebody, the oldest first. One statement."""
    statement = (
        select(REWORKS, WORK_ORDERS.c.uuid.label("work_order_id"), WORK_ORDERS.c.material)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == REWORKS.c.work_order)
        .where(REWORKS.c.state.in_(("proposed", "approved", "running")), *inside)
        .order_by(REWORKS.c.proposed_at, REWORKS.c.number)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def lot_of(connection: Connection, number: str) -> str | None:
    """The lot of an inspection; none if there is no such inspection."""
    return connection.execute(select(INSPECTIONS.c.lot).where(INSPECTIONS.c.number == number)).scalar_one_or_none()
