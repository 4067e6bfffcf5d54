"""Plan lines as a planner looks at them: what has no order first, then by due time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, or_, select

from db.queries.plan_lines import IS_SPLIT, LINES, ORDERS
from db.tables import Material, PlantPolicy, core

MATERIALS, POLICIES = core(Material), core(PlantPolicy)


def page(
    connection: Connection, show: str, find: str, inside: Sequence[ColumnElement[bool]], limit: int, offset: int
) -> list[dict[str, Any]]:
    """Lines that are `inside`. `show`: open (no order, not split), made, or all."""
    is_open = ORDERS.c.number.is_(None) & ~IS_SPLIT
    statement = (
        select(
            LINES.c.id, LINES.c.reference, LINES.c.order_number, LINES.c.product, LINES.c.quantity, LINES.c.unit,
            LINES.c.policy, LINES.c.plant, LINES.c.due_at, LINES.c.batch_number, LINES.c.created_by,
            ORDERS.c.uuid.label("order_id"), ORDERS.c.state.label("order_state"), IS_SPLIT.label("is_split"),
            MATERIALS.c.name.label("product_name"),
        )
        .outerjoin(ORDERS, ORDERS.c.number == LINES.c.order_number)
        .outerjoin(MATERIALS, MATERIALS.c.code == LINES.c.product)
        .where(*inside, *_wanted(show, is_open), *_beginning(find))
        .order_by(case((is_open, 0), else_=1), LINES.c.due_at.asc().nulls_last(), LINES.c.reference)
        .limit(limit)
        .offset(offset)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def _wanted(show: str, is_open: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    match show:
        case "open":
            return [is_open]
        case "made":
            return [ORDERS.c.number.is_not(None)]
        case _:
            return []


def _beginning(find: str) -> list[ColumnElement[bool]]:
    if not find:
        return []
    columns = (LINES.c.reference, LINES.c.order_number, LINES.c.product)
    return [or_(*(column.istartswith(find, autoescape=True) for column in columns))]


def products(connection: Connection, limit: int = 500) -> list[dict[str, Any]]:
    """What can be planned: materials that are made here."""
    statement = (
        select(MATERIALS.c.code, MATERIALS.c.name, MATERIALS.c.unit)
        .where(MATERIALS.c.is_active, MATERIALS.c.kind != "raw")
        .order_by(MATERIALS.c.code)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def parts(connection: Connection, limit: int = 500) -> list[dict[str, Any]]:
    """What lots can be chosen of: everything that is used."""
    statement = select(MATERIALS.c.code, MATERIALS.c.name).where(MATERIALS.c.is_active).order_by(MATERIALS.c.code)
    return [dict(row._mapping) for row in connection.execute(statement.limit(limit))]


def policies(connection: Connection) -> list[str]:
    """The codes of the policies."""
    return list(connection.execute(select(POLICIES.c.code).distinct().order_by(POLICIES.c.code)).scalars())


def plants(connection: Connection) -> list[str]:
    """Plants that lines were planned for."""
    return list(connection.execute(select(LINES.c.plant).distinct().order_by(LINES.c.plant).limit(100)).scalars())
