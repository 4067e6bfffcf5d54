"""Master data: read what there is, write what is new, in sets."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from db.tables import (
    BillOfMaterial,
    BillOfMaterialLine,
    DisplayName,
    InspectionPlan,
    Material,
    NumberPattern,
    OperationParameter,
    Place,
    PlantPolicy,
    Route,
    RouteOperation,
    Workstation,
    WorkstationCapability,
    core,
)

MATERIALS, PLACES, STATIONS = core(Material), core(Place), core(Workstation)
CAPABILITIES, BOMS, BOM_LINES = core(WorkstationCapability), core(BillOfMaterial), core(BillOfMaterialLine)
ROUTES, ROUTE_OPERATIONS, PARAMETERS = core(Route), core(RouteOperation), core(OperationParameter)
PLANS, POLICIES, PATTERNS = core(InspectionPlan), core(PlantPolicy), core(NumberPattern)
DISPLAY_NAMES = core(DisplayName)

Values = dict[str, Any]
_CHUNK = 1000


def by_key(connection: Connection, table: Table, keys: Collection[Any], *columns: str) -> list[Row[Any]]:
    """The rows whose `columns` are one of `keys` (tuples when there are several columns)."""
    if not keys:
        return []
    fields = [table.c[column] for column in columns]
    condition = fields[0].in_(keys) if len(fields) == 1 else tuple_(*fields).in_(list(keys))
    return list(connection.execute(select(table).where(condition)))


def write(connection: Connection, table: Table, rows: Sequence[Values], *key: str) -> None:
    """Insert rows, or overwrite those with the same key."""
    for start in range(0, len(rows), _CHUNK):
        statement = upsert(table).values(list(rows[start : start + _CHUNK]))
        changed = {name: statement.excluded[name] for name in rows[0] if name not in key and name != "uuid"}
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def add(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows."""
    if rows:
        connection.execute(insert(table), list(rows))


def change(connection: Connection, table: Table, identity: UUID, values: Values) -> None:
    """Other values of one row."""
    connection.execute(update(table).where(table.c.id == identity).values(values))


def remove(connection: Connection, table: Table, column: str, keys: Collection[str]) -> None:
    """Delete the rows of these keys, to be written anew."""
    if keys:
        connection.execute(delete(table).where(table.c[column].in_(keys)))


# Reads -----------------------------------------------------------------------------------------------------------


def display_names(connection: Connection) -> dict[tuple[str, str], tuple[str, str]]:
    """(kind, code) → what people read in English and in Chinese."""
    rows = connection.execute(select(DISPLAY_NAMES))
    return {(row.kind, row.code): (row.english, row.chinese) for row in rows}


def materials(connection: Connection, prefix: str, limit: int, after: str | None) -> list[Row[Any]]:
    """Materials by code, those that begin with `prefix`."""
    statement = select(MATERIALS).order_by(MATERIALS.c.code).limit(limit)
    if prefix:
        statement = statement.where(MATERIALS.c.code.startswith(prefix, autoescape=True))
    if after is not None:
        statement = statement.where(MATERIALS.c.code > after)
    return list(connection.execute(statement))


def grouped(connection: Connection) -> list[Row[Any]]:
    """How many materials there are of each kind, and how many of them are active."""
    active = func.count().filter(MATERIALS.c.is_active).label("active")
    statement = select(MATERIALS.c.kind, func.count().label("materials"), active).group_by(MATERIALS.c.kind)
    return list(connection.execute(statement.order_by(MATERIALS.c.kind)))


def code_of(connection: Connection, identity: UUID) -> str | None:
    """The code of the material of that uuid."""
    return connection.execute(select(MATERIALS.c.code).where(MATERIALS.c.uuid == identity)).scalar_one_or_none()


def routed_products(connection: Connection, moment: datetime) -> list[str]:
    """Products that have an effective route."""
    statement = (
        select(ROUTES.c.product)
        .distinct()
        .where(ROUTES.c.state == "effective", ROUTES.c.effective_from <= moment)
        .order_by(ROUTES.c.product)
    )
    return list(connection.execute(statement).scalars())


def coming_versions(connection: Connection, moment: datetime) -> list[datetime]:
    """The times after `moment` at which a version of a bill of material becomes effective."""
    coming = (BOMS.c.state == "effective", BOMS.c.effective_from > moment)
    statement = select(BOMS.c.effective_from).distinct().where(*coming).order_by(BOMS.c.effective_from)
    return list(connection.execute(statement).scalars())


def capability_of(connection: Connection, identity: UUID) -> str | None:
    """What a station must be able to do for the operation of a route of that uuid."""
    statement = select(ROUTE_OPERATIONS.c.capability).where(ROUTE_OPERATIONS.c.uuid == identity)
    return connection.execute(statement).scalar_one_or_none()


def stations_for(connection: Connection, capability: str) -> list[Row[Any]]:
    """The active stations that can do a kind of operation."""
    statement = (
        select(STATIONS)
        .join(CAPABILITIES, CAPABILITIES.c.workstation == STATIONS.c.code)
        .where(CAPABILITIES.c.capability == capability, STATIONS.c.is_active)
        .order_by(STATIONS.c.code)
    )
    return list(connection.execute(statement))
