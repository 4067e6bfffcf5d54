"""What a product is made of and how, as it counts now: what a change of its definition begins from."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from db.queries import structure
from db.queries.master_data import BOMS, CAPABILITIES, ROUTES, STATIONS
from domain.quantities import plain

Body = dict[str, Any]


def count(connection: Connection, product: str) -> int:
    """How many versions of its bill of material and its route were made effective: it grows with each."""
    found = 0
    for table in (BOMS, ROUTES):
        statement = select(func.count()).where(table.c.product == product, table.c.state == "effective")
        found += int(connection.execute(statement).scalar_one())
    return found


def current(connection: Connection, product: str) -> Body:
    """Product, bill of material and route that count now, as JSON; none where there is none."""
    moment = connection.execute(select(func.now())).scalar_one()
    part = structure.parts(connection, [product], moment)[product]
    route = structure.routes(connection, [product], moment).get(product)
    return {
        "product": product,
        "billOfMaterial": None if part.version is None else _bill_of_material(part),
        "route": None if route is None else _route(route),
    }


def can_be_done(connection: Connection) -> frozenset[str]:
    """What active stations are able to do."""
    statement = (
        select(CAPABILITIES.c.capability)
        .join(STATIONS, STATIONS.c.code == CAPABILITIES.c.workstation)
        .where(STATIONS.c.is_active)
        .distinct()
    )
    return frozenset(connection.execute(statement).scalars())


def _bill_of_material(part: structure.Part) -> Body:
    lines = [
        {
            "line": row.line, "material": row.material, "quantity": _said(row.quantity), "unit": row.unit,
            "lossPercent": _said(row.loss_percent), "operation": row.operation,
        }
        for row in part.lines
    ]  # fmt: skip
    return {"version": part.version, "baseQuantity": _said(part.base_quantity), "lines": lines}


def _route(route: structure.RouteVersion) -> Body:
    operations = [
        {
            "code": row.code, "sequence": row.sequence, "name": row.name, "capability": row.capability,
            "predecessors": list(row.predecessors), "countsPieces": row.counts_pieces, "isOutput": row.is_output,
            "inspectionRule": row.inspection_rule, "idealCycleSeconds": _said(row.ideal_cycle_seconds),
            "recipe": row.recipe,
            "parameters": [
                {
                    "name": own.name, "unit": own.unit, "low": _said(own.low), "high": _said(own.high),
                    "required": own.required, "critical": own.critical,
                }
                for own in route.parameters.get(row.code, ())
            ],
        }
        for row in route.operations
    ]  # fmt: skip
    return {"version": route.version, "operations": operations}


def _said(value: Decimal | None) -> str | None:
    return None if value is None else plain(value.normalize())
