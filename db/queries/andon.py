"""Wall displays, and what they show: each station of an area with what goes on there. Three statements a picture."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import array, insert

from db.tables import (
    Deviation,
    EquipmentItem,
    EquipmentLogEntry,
    Material,
    OperationRow,
    ProductionOrder,
    StateTransition,
    WallDisplay,
    WorkOrder,
    Workstation,
    core,
)

DISPLAYS: Final = core(WallDisplay)
STATIONS, OPERATIONS, WORK_ORDERS = core(Workstation), core(OperationRow), core(WorkOrder)
ORDERS, MATERIALS, DEVIATIONS = core(ProductionOrder), core(Material), core(Deviation)
TRANSITIONS, ITEMS, LOG = core(StateTransition), core(EquipmentItem), core(EquipmentLogEntry)
Document = dict[str, Any]


# The displays themselves ------------------------------------------------------------------------------------------


def put(
    connection: Connection, identity: UUID, kind: str, area: str, name: str, digest: str, command_id: str, by: str,
    at: datetime,
) -> Row[Any] | None:  # fmt: skip
    """A display under the SHA-256 of its token: None. Or the one that the same command has made before."""
    values = {
        "id": identity, "kind": kind, "area": area, "name": name, "token_hash": digest, "command_id": command_id,
        "created_by": by, "created_at": at,
    }  # fmt: skip
    statement = insert(DISPLAYS).values(**values).on_conflict_do_nothing().returning(DISPLAYS.c.id)
    if connection.execute(statement).first() is not None:
        return None
    return connection.execute(select(DISPLAYS).where(DISPLAYS.c.command_id == command_id)).one()


def readdress(connection: Connection, identity: UUID, digest: str) -> None:
    """Another token for a display that is in use; the one before opens nothing any more."""
    own = (DISPLAYS.c.id == identity, DISPLAYS.c.revoked_at.is_(None))
    connection.execute(update(DISPLAYS).where(*own).values(token_hash=digest))


def by_token(connection: Connection, digest: str) -> Row[Any] | None:
    """The display of a token, unless it was revoked."""
    statement = select(DISPLAYS).where(DISPLAYS.c.token_hash == digest, DISPLAYS.c.revoked_at.is_(None))
    return connection.execute(statement).one_or_none()


def by_id(connection: Connection, identity: UUID) -> Row[Any] | None:
    """A display."""
    return connection.execute(select(DISPLAYS).where(DISPLAYS.c.id == identity)).one_or_none()


def displays(connection: Connection) -> list[Row[Any]]:
    """All displays, those in use first."""
    order = (DISPLAYS.c.revoked_at.is_not(None), DISPLAYS.c.area, DISPLAYS.c.created_at)
    return list(connection.execute(select(DISPLAYS).order_by(*order)))


def revoke(connection: Connection, identity: UUID, by: str, at: datetime) -> bool:
    """Its address opens nothing any more; False: it did not before."""
    own = (DISPLAYS.c.id == identity, DISPLAYS.c.revoked_at.is_(None))
    return connection.execute(update(DISPLAYS).where(*own).values(revoked_at=at, revoked_by=by)).rowcount > 0


def areas(connection: Connection) -> list[tuple[str, str]]:
    """What a display can be of: lines of stations and plants of orders."""
    lines = select(STATIONS.c.line).where(STATIONS.c.line != "", STATIONS.c.is_active).distinct()
    plants = select(ORDERS.c.plant).distinct()
    found = [("line", line) for line in sorted(connection.execute(lines).scalars())]
    return found + [("plant", plant) for plant in sorted(connection.execute(plants).scalars())]


# What they show ---------------------------------------------------------------------------------------------------


def stations(connection: Connection, kind: str, area: str) -> list[Document]:
    """The active stations of an area by code, each with the operation that is on, or next, and since when.

    Of several operations the one that stands still comes first: it is what somebody has to see."""
    rank = func.array_position(array(["held", "paused", "running", "ready"]), OPERATIONS.c.state)
    since = (
        select(func.max(TRANSITIONS.c.at))
        .where(
            TRANSITIONS.c.entity == "operation",
            TRANSITIONS.c.entity_id == OPERATIONS.c.work_order + "/" + OPERATIONS.c.code,
            TRANSITIONS.c.to_state == OPERATIONS.c.state,
        )
        .scalar_subquery()
    )
    current = (
        select(
            OPERATIONS.c.workstation, OPERATIONS.c.state, OPERATIONS.c.code, OPERATIONS.c.name.label("operation"),
            OPERATIONS.c.good, OPERATIONS.c.scrap, WORK_ORDERS.c.quantity, WORK_ORDERS.c.unit,
            ORDERS.c.number.label("order_number"), ORDERS.c.state.label("order_state"), ORDERS.c.due_at,
            func.coalesce(MATERIALS.c.name, WORK_ORDERS.c.material).label("product"), since.label("since"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(MATERIALS, MATERIALS.c.code == WORK_ORDERS.c.material)
        .where(
            OPERATIONS.c.workstation == STATIONS.c.code,
            OPERATIONS.c.state.in_(("ready", "running", "paused", "held")),
            WORK_ORDERS.c.state.in_(("ready", "running", "paused")),
            ORDERS.c.state.in_(("released", "inProgress", "held")), *_in_plant(kind, area),
        )
        .order_by(rank, ORDERS.c.due_at.asc().nulls_last(), WORK_ORDERS.c.number, OPERATIONS.c.sequence)
        .limit(1)
        .lateral("current")
    )  # fmt: skip
    statement = (
        select(STATIONS.c.code.label("station"), STATIONS.c.name.label("station_name"), current)
        .select_from(STATIONS.outerjoin(current, current.c.workstation == STATIONS.c.code))
        .where(STATIONS.c.is_active, _is_of(kind, area))
        .order_by(STATIONS.c.code)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def _in_plant(kind: str, area: str) -> list[ColumnElement[bool]]:
    return [ORDERS.c.plant == area] if kind == "plant" else []


def _is_of(kind: str, area: str) -> ColumnElement[bool]:
    """Whether a station is of the area. A station has a line; a plant has the stations that its orders use."""
    if kind == "line":
        return STATIONS.c.line == area
    used = (
        select(OPERATIONS.c.workstation)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(ORDERS.c.plant == area)
    )
    return STATIONS.c.code.in_(used)


def machines(connection: Connection, codes: Sequence[str]) -> list[Document]:
    """Equipment at these stations that is down or under maintenance, and since when by its log."""
    since = select(func.max(LOG.c.started_at)).where(LOG.c.equipment == ITEMS.c.code).scalar_subquery()
    rank = func.array_position(array(["down", "underMaintenance", "outOfService"]), ITEMS.c.availability)
    statement = (
        select(ITEMS.c.code, ITEMS.c.workstation, ITEMS.c.availability, since.label("since"))
        .where(ITEMS.c.workstation.in_(codes), rank.is_not(None))
        .order_by(rank, ITEMS.c.code)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def deviations(connection: Connection, orders: Sequence[str], codes: Sequence[str]) -> list[Document]:
    """Open deviations of these orders, or of the equipment at these stations, the oldest first."""
    at_station = and_(ITEMS.c.code == DEVIATIONS.c.equipment, ITEMS.c.workstation.in_(codes))
    statement = (
        select(
            DEVIATIONS.c.number, DEVIATIONS.c.code, DEVIATIONS.c.opened_at, DEVIATIONS.c.order_number,
            DEVIATIONS.c.operation, ITEMS.c.workstation.label("station"),
        )
        .outerjoin(ITEMS, at_station)
        .where(DEVIATIONS.c.state == "open", or_(DEVIATIONS.c.order_number.in_(orders), ITEMS.c.code.is_not(None)))
        .order_by(DEVIATIONS.c.opened_at, DEVIATIONS.c.number)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]
