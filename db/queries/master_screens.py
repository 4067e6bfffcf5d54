"""What people look up about master data: versions, plans, policies, and where something is used."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from db.queries.master_data import BOM_LINES, BOMS, MATERIALS, PLANS, POLICIES, ROUTES
from db.queries.policies import FACTS
from db.queries.waiting import ORDERS, WORK_ORDERS
from domain.base import uuid_for


def materials(connection: Connection, find: str, kind: str, limit: int) -> list[Row[Any]]:
    """Materials by code whose code or name holds `find`, of a kind if one is given; with `is_made`: it has a route."""
    made = select(ROUTES.c.product).where(ROUTES.c.product == MATERIALS.c.code, ROUTES.c.state == "effective").exists()
    statement = select(MATERIALS, made.label("is_made")).order_by(MATERIALS.c.code).limit(limit)
    if find:
        statement = statement.where(
            or_(MATERIALS.c.code.icontains(find, autoescape=True), MATERIALS.c.name.icontains(find, autoescape=True))
        )
    if kind:
        statement = statement.where(MATERIALS.c.kind == kind)
    return list(connection.execute(statement))


def material(connection: Connection, code: str) -> Row[Any] | None:
    """The material of that code."""
    return connection.execute(select(MATERIALS).where(MATERIALS.c.code == code)).one_or_none()


def products(connection: Connection) -> list[tuple[str, str]]:
    """Code and name of everything that is made."""
    statement = (
        select(MATERIALS.c.code, MATERIALS.c.name)
        .where(MATERIALS.c.code.in_(select(ROUTES.c.product)))
        .order_by(MATERIALS.c.code)
    )
    return [(row.code, f"{row.code} · {row.name}") for row in connection.execute(statement)]


def versions(connection: Connection, product: str) -> dict[str, list[Row[Any]]]:
    """All versions of a product's `billsOfMaterial` and `routes`, the newest first."""
    found = {}
    for name, table in (("billsOfMaterial", BOMS), ("routes", ROUTES)):
        statement = select(table).where(table.c.product == product).order_by(table.c.effective_from.desc())
        found[name] = list(connection.execute(statement))
    return found


def effective_versions(connection: Connection, product: str, at: datetime) -> tuple[str | None, str | None]:
    """The versions of bill of material and route that are effective at that moment."""
    found = versions(connection, product)

    def newest(rows: list[Row[Any]]) -> str | None:
        return next((str(row.version) for row in rows if row.state == "effective" and row.effective_from <= at), None)

    return newest(found["billsOfMaterial"]), newest(found["routes"])


def inspection_plan(connection: Connection, code: str) -> list[Row[Any]]:
    """What is measured on a material, in order."""
    return list(connection.execute(select(PLANS).where(PLANS.c.material == code).order_by(PLANS.c.position)))


def plans(connection: Connection) -> list[Row[Any]]:
    """Which materials have an inspection plan, and how many characteristics are in it."""
    statement = (
        select(PLANS.c.material, MATERIALS.c.name, func.count().label("characteristics"))
        .join(MATERIALS, MATERIALS.c.code == PLANS.c.material)
        .group_by(PLANS.c.material, MATERIALS.c.name)
        .order_by(PLANS.c.material)
    )
    return list(connection.execute(statement))


def used_in(connection: Connection, code: str) -> list[Row[Any]]:
    """The effective bills of material that a material stands in."""
    statement = (
        select(BOMS.c.product, BOMS.c.version, MATERIALS.c.name, BOM_LINES.c.quantity, BOM_LINES.c.unit,
               BOMS.c.base_quantity)
        .join(BOM_LINES, BOM_LINES.c.bill_of_material == BOMS.c.id)
        .join(MATERIALS, MATERIALS.c.code == BOMS.c.product)
        .where(BOM_LINES.c.material == code, BOMS.c.state == "effective")
        .order_by(BOMS.c.product)
    )  # fmt: skip
    return list(connection.execute(statement))


def policies(connection: Connection) -> list[Row[Any]]:
    """Policies by code, with their newest version and how many there are."""
    newest, count = func.max(POLICIES.c.version).label("newest"), func.count().label("versions")
    return list(
        connection.execute(
            select(POLICIES.c.code, newest, count).group_by(POLICIES.c.code).order_by(POLICIES.c.code)
        )
    )  # fmt: skip


def orders_by_record(connection: Connection, product: str, version: str, limit: int) -> list[dict[str, Any]]:
    """Orders with a batch that is made by that version of a master batch record, newest first."""
    frozen = {"events": [{"specification": {"workOrders": [{"record": {"product": product, "version": version}}]}}]}
    statement = (
        select(ORDERS.c.number, ORDERS.c.state, ORDERS.c.created_at, WORK_ORDERS.c.output_lot)
        .join(WORK_ORDERS, WORK_ORDERS.c.order_number == ORDERS.c.number)
        .join(FACTS, FACTS.c.order_number == ORDERS.c.number)
        .where(
            WORK_ORDERS.c.material == product, FACTS.c.revision == 1,
            FACTS.c.body.cast(JSONB).contains(frozen),
        )
        .order_by(ORDERS.c.created_at.desc())
        .limit(limit)
    )  # fmt: skip
    rows = connection.execute(statement)
    return [dict(row._mapping) | {"id": str(uuid_for("production-order", row.number))} for row in rows]
