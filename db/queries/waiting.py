"""What open orders wait for: the tasks that their processes have told, and where they stand on a board."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select, text, true
from sqlalchemy.dialects.postgresql import array

from db.tables import OPEN_ORDER, Material, OperationRow, ProductionOrder, WorkOrder, core

ORDERS: Final = core(ProductionOrder)
WORK_ORDERS: Final = core(WorkOrder)
OPERATIONS: Final = core(OperationRow)
MATERIALS: Final = core(Material)
_IS_OPEN: Final = text(f"production_order.{OPEN_ORDER}")


def tasks(
    connection: Connection, roles: Sequence[str], inside: Sequence[ColumnElement[bool]] = (), limit: int = 500
) -> list[dict[str, Any]]:
    """What open orders wait for that somebody with these roles may do; the order that has waited longest first."""
    each = func.jsonb_array_elements(ORDERS.c.tasks).table_valued("value").render_derived("task")
    task = each.c.value
    statement = (
        select(
            ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.product, ORDERS.c.changed_at, ORDERS.c.due_at,
            task.op("->>")("what").label("what"), task.op("->>")("command").label("command"),
        )
        .select_from(ORDERS.join(each, true()))
        .where(_IS_OPEN, task.op("->")("roles").op("?|")(array([str(role) for role in roles])), *inside)
        .order_by(ORDERS.c.changed_at, ORDERS.c.number)
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def counts(connection: Connection, roles: Sequence[str], inside: Sequence[ColumnElement[bool]] = ()) -> dict[str, int]:
    """How often each command is waited for, of those that these roles may do."""
    each = func.jsonb_array_elements(ORDERS.c.tasks).table_valued("value").render_derived("task")
    command = each.c.value.op("->>")("command").label("command")
    statement = (
        select(command, func.count())
        .select_from(ORDERS.join(each, true()))
        .where(_IS_OPEN, each.c.value.op("->")("roles").op("?|")(array([str(role) for role in roles])), *inside)
        .group_by(command)
    )
    return {str(name): int(count) for name, count in connection.execute(statement)}


def cards(connection: Connection, inside: Sequence[ColumnElement[bool]] = ()) -> list[dict[str, Any]]:
    """Every open order as a board shows it, the most urgent first. One statement."""
    works = (
        select(
            WORK_ORDERS.c.order_number,
            func.array_agg(WORK_ORDERS.c.state).label("states"),
            func.array_agg(WORK_ORDERS.c.number).label("numbers"),
        )
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(_IS_OPEN)
        .group_by(WORK_ORDERS.c.order_number)
        .subquery()
    )
    done = func.count().filter(OPERATIONS.c.state.in_(("completed", "closed")))
    at = func.min(OPERATIONS.c.workstation).filter(OPERATIONS.c.state.in_(("running", "paused", "held")))
    operations = (
        select(
            WORK_ORDERS.c.order_number, func.count().label("operations"), done.label("operations_done"),
            at.label("workstation"),
        )
        .join(OPERATIONS, OPERATIONS.c.work_order == WORK_ORDERS.c.number)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(_IS_OPEN)
        .group_by(WORK_ORDERS.c.order_number)
        .subquery()
    )  # fmt: skip
    statement = (
        select(
            ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.plant, ORDERS.c.product, MATERIALS.c.name, ORDERS.c.quantity,
            ORDERS.c.unit, ORDERS.c.state, ORDERS.c.due_at, ORDERS.c.changed_at, ORDERS.c.tasks, ORDERS.c.waiting,
            works.c.states, works.c.numbers, operations.c.operations, operations.c.operations_done,
            operations.c.workstation,
        )
        .outerjoin(MATERIALS, MATERIALS.c.code == ORDERS.c.product)
        .outerjoin(works, works.c.order_number == ORDERS.c.number)
        .outerjoin(operations, operations.c.order_number == ORDERS.c.number)
        .where(_IS_OPEN, *inside)
        .order_by(ORDERS.c.due_at.asc().nulls_last(), ORDERS.c.number)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


AT_WORK: Final = ("running", "ready", "paused", "held")
"""States of an operation that somebody can work on, or that stands still; the first is shown first."""


def operations(
    connection: Connection,
    inside: Sequence[ColumnElement[bool]] = (),
    states: Sequence[str] = AT_WORK,
    limit: int = 300,
) -> list[dict[str, Any]]:
    """Operations in these states of work orders under way: running first, then by due time. One statement."""
    rank = func.array_position(array([*AT_WORK, "pending"]), OPERATIONS.c.state)
    statement = (
        select(
            OPERATIONS.c.work_order, OPERATIONS.c.code, OPERATIONS.c.sequence, OPERATIONS.c.name,
            OPERATIONS.c.workstation, OPERATIONS.c.state, OPERATIONS.c.good, OPERATIONS.c.scrap,
            OPERATIONS.c.review_board, OPERATIONS.c.started_by, WORK_ORDERS.c.uuid.label("work_order_id"),
            WORK_ORDERS.c.quantity, WORK_ORDERS.c.unit, WORK_ORDERS.c.output_lot,
            WORK_ORDERS.c.state.label("work_order_state"), WORK_ORDERS.c.material,
            MATERIALS.c.name.label("material_name"),
            ORDERS.c.number.label("order_number"), ORDERS.c.state.label("order_state"), ORDERS.c.due_at,
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(MATERIALS, MATERIALS.c.code == WORK_ORDERS.c.material)
        .where(
            OPERATIONS.c.state.in_(states),
            WORK_ORDERS.c.state.in_(("dispatched", "ready", "running", "paused")),
            _IS_OPEN_ORDER,
            *inside,
        )
        .order_by(rank, ORDERS.c.due_at.asc().nulls_last(), OPERATIONS.c.work_order, OPERATIONS.c.sequence)
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


_IS_OPEN_ORDER: Final = ORDERS.c.state.in_(("released", "inProgress", "held"))
