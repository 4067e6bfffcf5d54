"""What a finite schedule is made of: operations that have still to be done, who can do them, how long they take."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from db.tables import (
    EquipmentItem,
    OperationRow,
    ProductionOrder,
    Route,
    RouteOperation,
    WorkOrder,
    Workstation,
    WorkstationCapability,
    core,
)

OPERATIONS, WORK_ORDERS, ORDERS = core(OperationRow), core(WorkOrder), core(ProductionOrder)
ROUTES, ROUTE_OPERATIONS = core(Route), core(RouteOperation)
STATIONS, CAPABILITIES, ITEMS = core(Workstation), core(WorkstationCapability), core(EquipmentItem)

Document = dict[str, Any]
OPEN: Final = ("pending", "ready", "running", "paused", "held")
OVER: Final = ("completed", "closed", "cancelled", "aborted", "rejected")
MOST: Final = 5000
"""Operations of one schedule; of more the ones that are due first."""
_BROKEN: Final = ("down", "underMaintenance", "outOfService")


def _newest() -> Any:
    """The id of the route version that counts for a product now."""
    return (
        select(ROUTES.c.id)
        .where(
            ROUTES.c.product == WORK_ORDERS.c.material, ROUTES.c.state != "draft",
            ROUTES.c.effective_from <= func.now(),
        )
        .order_by(ROUTES.c.effective_from.desc(), ROUTES.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip


def _steps() -> Select[Any]:
    own = and_(ROUTE_OPERATIONS.c.route == _newest(), ROUTE_OPERATIONS.c.code == OPERATIONS.c.code)
    return (
        select(
            ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"), ORDERS.c.due_at,
            ORDERS.c.state.label("order_state"), WORK_ORDERS.c.number.label("work_order"), WORK_ORDERS.c.feeds,
            WORK_ORDERS.c.material.label("product"), WORK_ORDERS.c.quantity, OPERATIONS.c.code, OPERATIONS.c.sequence,
            OPERATIONS.c.name, OPERATIONS.c.workstation, OPERATIONS.c.state, OPERATIONS.c.started_at,
            ROUTE_OPERATIONS.c.predecessors, ROUTE_OPERATIONS.c.capability, ROUTE_OPERATIONS.c.ideal_cycle_seconds,
        )
        .select_from(OPERATIONS.join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
                     .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
                     .outerjoin(ROUTE_OPERATIONS, own))
    )  # fmt: skip


def steps(connection: Connection, inside: Sequence[ColumnElement[bool]]) -> list[Document]:
    """Operations of orders that are not over and that have still to be done. One statement."""
    statement = (
        _steps()
        .where(OPERATIONS.c.state.in_(OPEN), ORDERS.c.state.not_in(OVER), WORK_ORDERS.c.state.not_in(OVER), *inside)
        .order_by(ORDERS.c.due_at.asc().nulls_last(), ORDERS.c.number, WORK_ORDERS.c.number, OPERATIONS.c.sequence)
        .limit(MOST)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def durations(connection: Connection, since: datetime) -> dict[tuple[str, str], float]:
    """(product, operation) → seconds: the median of what was done since then. One statement."""
    took = func.extract("epoch", OPERATIONS.c.ended_at - OPERATIONS.c.started_at)
    statement = (
        select(WORK_ORDERS.c.material, OPERATIONS.c.code, func.percentile_cont(0.5).within_group(took))
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .where(OPERATIONS.c.started_at >= since, OPERATIONS.c.ended_at > OPERATIONS.c.started_at)
        .group_by(WORK_ORDERS.c.material, OPERATIONS.c.code)
    )
    return {(row[0], row[1]): float(row[2]) for row in connection.execute(statement)}


def stations(connection: Connection, lines: Sequence[str] | None) -> list[Document]:
    """Active workstations with what they can do, and whether equipment of theirs is broken now. One statement."""
    broken = func.coalesce(func.bool_or(case((ITEMS.c.availability.in_(_BROKEN), True), else_=False)), False)
    statement = (
        select(
            STATIONS.c.code, STATIONS.c.name, STATIONS.c.line,
            func.coalesce(func.array_agg(CAPABILITIES.c.capability.distinct()), []).label("capabilities"),
            broken.label("is_down"),
        )
        .select_from(
            STATIONS.outerjoin(CAPABILITIES, CAPABILITIES.c.workstation == STATIONS.c.code)
            .outerjoin(ITEMS, ITEMS.c.workstation == STATIONS.c.code)
        )
        .where(STATIONS.c.is_active)
        .group_by(STATIONS.c.code, STATIONS.c.name, STATIONS.c.line)
        .order_by(STATIONS.c.line, STATIONS.c.code)
    )  # fmt: skip
    if lines is not None:
        statement = statement.where(STATIONS.c.line.in_(lines))
    return [dict(row._mapping) for row in connection.execute(statement)]
