"""What products are made of and how: the effective versions, for a product and everything below it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from db.tables import (
    OPEN_OPERATION,
    BillOfMaterialLine,
    InspectionPlan,
    OperationParameter,
    OperationRow,
    Route,
    RouteOperation,
    Workstation,
    WorkstationCapability,
    core,
)
from domain.evidence import Evidence
from domain.specification import Characteristic, Equipment

LINES = core(BillOfMaterialLine)
ROUTES = core(Route)
ROUTE_OPERATIONS = core(RouteOperation)
PARAMETERS = core(OperationParameter)
PLANS = core(InspectionPlan)
STATIONS = core(Workstation)
CAPABILITIES = core(WorkstationCapability)
OPERATIONS = core(OperationRow)

# UNION (not ALL) makes this the set of materials below the products: it ends on a loop, too.
_BELOW = text(
    """
    WITH RECURSIVE below(material) AS (
        SELECT unnest(CAST(:products AS text[]))
        UNION
        SELECT line.material FROM below
        CROSS JOIN LATERAL (
            SELECT id FROM bill_of_material
            WHERE product = below.material AND state = 'effective' AND effective_from <= :moment
            ORDER BY effective_from DESC, version DESC LIMIT 1
        ) bom JOIN bill_of_material_line line ON line.bill_of_material = bom.id
    )
    SELECT below.material AS code, m.uuid, m.name, m.kind, m.unit, m.is_active, m.shelf_life_days, m.dosage_form,
           bom.id AS bom, bom.version, bom.base_quantity
    FROM below LEFT JOIN material m ON m.code = below.material
    LEFT JOIN LATERAL (
        SELECT id, version, base_quantity FROM bill_of_material
        WHERE product = below.material AND state = 'effective' AND effective_from <= :moment
        ORDER BY effective_from DESC, version DESC LIMIT 1
    ) bom ON true
    """
)


@dataclass(frozen=True)
class Part:
    """A material with its effective bill of material; `is_known` is false when there is no such material.

    `lines` have the columns of bill_of_material_line.
    """

    code: str
    uuid: UUID | None
    name: str
    kind: str
    unit: str
    is_active: bool
    is_known: bool
    shelf_life_days: int | None
    dosage_form: str
    version: str | None
    base_quantity: Decimal
    lines: tuple[Any, ...]


@dataclass(frozen=True)
class RouteVersion:
    """An effective route: its operations in sequence, each with its parameters."""

    version: str
    operations: tuple[Row[Any], ...]
    parameters: dict[str, tuple[Characteristic, ...]]


@dataclass
class Station:
    """A station that could do the work, and how many open operations it has."""

    code: str
    equipment: Equipment
    load: int


def parts(connection: Connection, products: Collection[str], moment: datetime) -> dict[str, Part]:
    """The products and everything below them. Two statements, however deep."""
    rows = connection.execute(_BELOW, {"products": list(products), "moment": moment}).all()
    boms = [row.bom for row in rows if row.bom is not None]
    lines: dict[UUID, list[Row[Any]]] = {}
    statement = select(LINES).where(LINES.c.bill_of_material.in_(boms)).order_by(LINES.c.line)
    for line in connection.execute(statement):
        lines.setdefault(line.bill_of_material, []).append(line)
    return {row.code: _part(row, tuple(lines.get(row.bom, ()))) for row in rows}


def _part(row: Row[Any], lines: tuple[Row[Any], ...]) -> Part:
    is_known = row.uuid is not None
    return Part(
        row.code, row.uuid, row.name or row.code, row.kind or "", row.unit or "", bool(row.is_active), is_known,
        row.shelf_life_days, row.dosage_form or "", row.version, row.base_quantity or Decimal(1), lines,
    )  # fmt: skip


def routes(connection: Connection, products: Collection[str], moment: datetime) -> dict[str, RouteVersion]:
    """The effective route of each product that has one. Three statements."""
    statement = (
        select(ROUTES.c.id, ROUTES.c.product, ROUTES.c.version)
        .ext(distinct_on(ROUTES.c.product))
        .where(ROUTES.c.product.in_(products), ROUTES.c.state == "effective", ROUTES.c.effective_from <= moment)
        .order_by(ROUTES.c.product, ROUTES.c.effective_from.desc(), ROUTES.c.version.desc())
    )
    found = connection.execute(statement).all()
    ids = [row.id for row in found]
    operations: dict[UUID, list[Row[Any]]] = {}
    ordered = select(ROUTE_OPERATIONS).where(ROUTE_OPERATIONS.c.route.in_(ids))
    for row in connection.execute(ordered.order_by(ROUTE_OPERATIONS.c.sequence, ROUTE_OPERATIONS.c.code)):
        operations.setdefault(row.route, []).append(row)
    parameters: dict[UUID, dict[str, tuple[Characteristic, ...]]] = {}
    values = select(PARAMETERS).where(PARAMETERS.c.route.in_(ids)).order_by(PARAMETERS.c.position)
    for row in connection.execute(values):
        of_route = parameters.setdefault(row.route, {})
        of_route[row.operation] = (*of_route.get(row.operation, ()), characteristic(row, critical=row.is_critical))
    return {
        row.product: RouteVersion(row.version, tuple(operations.get(row.id, ())), parameters.get(row.id, {}))
        for row in found
    }


def characteristic(row: Row[Any], critical: bool = False) -> Characteristic:
    """A measured characteristic of a row with limits."""
    return Characteristic(
        name=row.name, unit=row.unit, low=row.low, high=row.high, required=row.is_required, critical=critical
    )


def inspection_plans(connection: Connection, materials: Collection[str]) -> dict[str, tuple[Characteristic, ...]]:
    """What is measured on each material."""
    found: dict[str, tuple[Characteristic, ...]] = {}
    statement = select(PLANS).where(PLANS.c.material.in_(materials)).order_by(PLANS.c.material, PLANS.c.position)
    for row in connection.execute(statement):
        found[row.material] = (*found.get(row.material, ()), planned(row))
    return found


def planned(row: Row[Any]) -> Characteristic:
    """A characteristic of an inspection plan, with the version of the plan."""
    more = {"method": row.method, "sample_size": row.sample_size, "plan_version": row.version}
    more["evidence"] = tuple(Evidence(one) for one in row.evidence or ())
    return characteristic(row).model_copy(update=more)


def stations(connection: Connection, capabilities: Iterable[str]) -> dict[str, list[Station]]:
    """The active stations for each capability, with their load. One statement."""
    wanted = set(capabilities)
    capable = select(CAPABILITIES.c.workstation).where(CAPABILITIES.c.capability.in_(wanted))
    load = (
        select(OPERATIONS.c.workstation, func.count().label("open"))
        .where(text(f"operation.{OPEN_OPERATION}"), OPERATIONS.c.workstation.in_(capable))
        .group_by(OPERATIONS.c.workstation)
        .subquery()
    )
    statement = (
        select(CAPABILITIES.c.capability, STATIONS.c.code, STATIONS.c.equipment, func.coalesce(load.c.open, 0))
        .join_from(CAPABILITIES, STATIONS, STATIONS.c.code == CAPABILITIES.c.workstation)
        .outerjoin(load, load.c.workstation == STATIONS.c.code)
        .where(CAPABILITIES.c.capability.in_(wanted), STATIONS.c.is_active)
        .order_by(STATIONS.c.code)
    )
    known: dict[str, Station] = {}
    found: dict[str, list[Station]] = {}
    for capability, code, equipment, count in connection.execute(statement):
        station = known.setdefault(code, Station(code, Equipment(equipment), int(count)))
        found.setdefault(capability, []).append(station)
    return found


def loop(found: dict[str, Part], starts: Iterable[str] | None = None) -> tuple[str, ...] | None:
    """A loop in what products (all, or those of `starts`) are made of, `("A", "B", "A")`, if there is one."""
    done: set[str] = set()
    for start in found if starts is None else starts:
        if (cycle := _loop_from(start, found, done)) is not None:
            return cycle
    return None


def _loop_from(start: str, found: dict[str, Part], done: set[str]) -> tuple[str, ...] | None:
    if start in done:
        return None
    path = [start]
    todo = [_components(start, found)]
    while path:
        following = todo[-1].pop() if todo[-1] else None
        if following is None:
            done.add(path.pop())
            todo.pop()
        elif following in path:
            return (*path[path.index(following) :], following)
        elif following not in done:
            path.append(following)
            todo.append(_components(following, found))
    return None


def _components(code: str, found: dict[str, Part]) -> list[str]:
    return [line.material for line in found[code].lines][::-1] if code in found else []
