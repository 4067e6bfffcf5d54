"""What the warehouse has before it: pick lists, put-aways, lots that came in. One statement each."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from db.tables import (
    InspectionRow,
    Lot,
    Material,
    OperationRow,
    PickListRow,
    Place,
    ProductionOrder,
    PutAwayRow,
    StockBalance,
    WorkOrder,
    core,
)

PICK_LISTS, PUT_AWAYS, LOTS, PLACES = core(PickListRow), core(PutAwayRow), core(Lot), core(Place)
ORDERS, WORK_ORDERS, OPERATIONS = core(ProductionOrder), core(WorkOrder), core(OperationRow)
MATERIALS, BALANCES, INSPECTIONS = core(Material), core(StockBalance), core(InspectionRow)
TO_DO: Final = ("short", "allocated", "approved")
"""Pick lists that wait for a person."""
UNDER_WAY: Final = ("created", "issuing")
"""Pick lists that the system is busy with."""


def pick_lists(
    connection: Connection, states: Collection[str], inside: Sequence[ColumnElement[bool]] = (), limit: int = 200
) -> list[dict[str, Any]]:
    """Pick lists of open orders in these states: those that wait for a person first, then by due time."""
    station = (
        select(OPERATIONS.c.workstation)
        .where(OPERATIONS.c.work_order == WORK_ORDERS.c.number)
        .order_by(OPERATIONS.c.sequence)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            PICK_LISTS.c.number, PICK_LISTS.c.state, PICK_LISTS.c.work_order, PICK_LISTS.c.created_at,
            PICK_LISTS.c.created_by, PICK_LISTS.c.approved_by, PICK_LISTS.c.lines, PICK_LISTS.c.short,
            WORK_ORDERS.c.uuid.label("work_order_id"), WORK_ORDERS.c.material, WORK_ORDERS.c.quantity,
            WORK_ORDERS.c.unit, MATERIALS.c.name.label("material_name"), ORDERS.c.number.label("order_number"),
            ORDERS.c.state.label("order_state"), ORDERS.c.due_at, station.label("workstation"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == PICK_LISTS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(MATERIALS, MATERIALS.c.code == WORK_ORDERS.c.material)
        .where(
            PICK_LISTS.c.state.in_(states),
            ORDERS.c.state.in_(("released", "inProgress", "held", "completed")),
            *inside,
        )
        .order_by(
            case((PICK_LISTS.c.state.in_(TO_DO), 0), else_=1), ORDERS.c.due_at.asc().nulls_last(),
            PICK_LISTS.c.created_at,
        )
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def put_aways(
    connection: Connection, inside: Sequence[ColumnElement[bool]] = (), limit: int = 200
) -> list[dict[str, Any]]:
    """Put-aways that are not over, by due time, with the lot's status and what of it lies at the line."""
    at_line = (
        select(func.sum(BALANCES.c.on_hand))
        .join(PLACES, PLACES.c.code == BALANCES.c.place)
        .where(BALANCES.c.lot == PUT_AWAYS.c.lot, PLACES.c.zone == "line")
        .scalar_subquery()
    )
    statement = (
        select(
            PUT_AWAYS.c.number, PUT_AWAYS.c.state, PUT_AWAYS.c.lot, PUT_AWAYS.c.work_order,
            WORK_ORDERS.c.uuid.label("work_order_id"), WORK_ORDERS.c.material, WORK_ORDERS.c.unit,
            MATERIALS.c.name.label("material_name"), LOTS.c.status, ORDERS.c.number.label("order_number"),
            ORDERS.c.state.label("order_state"), ORDERS.c.due_at, ORDERS.c.changed_at, at_line.label("at_line"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == PUT_AWAYS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(MATERIALS, MATERIALS.c.code == WORK_ORDERS.c.material)
        .outerjoin(LOTS, LOTS.c.number == PUT_AWAYS.c.lot)
        .where(
            PUT_AWAYS.c.state.in_(("created", "moving")), ORDERS.c.state.in_(("released", "inProgress", "held")),
            *inside,
        )
        .order_by(ORDERS.c.due_at.asc().nulls_last(), PUT_AWAYS.c.number)
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def received(connection: Connection, limit: int = 50) -> list[dict[str, Any]]:
    """The latest delivered lots that are in quarantine, with where they lie and their newest inspection."""
    on_hand = select(func.sum(BALANCES.c.on_hand)).where(BALANCES.c.lot == LOTS.c.number).scalar_subquery()
    places = (
        select(func.string_agg(BALANCES.c.place, ", "))
        .where(BALANCES.c.lot == LOTS.c.number, BALANCES.c.on_hand > 0)
        .scalar_subquery()
    )
    newest = (
        select(INSPECTIONS.c.lot, INSPECTIONS.c.number, INSPECTIONS.c.state)
        .ext(distinct_on(INSPECTIONS.c.lot))
        .order_by(INSPECTIONS.c.lot, INSPECTIONS.c.requested_at.desc(), INSPECTIONS.c.number.desc())
        .subquery()
    )
    statement = (
        select(
            LOTS, MATERIALS.c.name.label("material_name"), on_hand.label("on_hand"), places.label("places"),
            newest.c.number.label("inspection"), newest.c.state.label("inspection_state"),
        )
        .outerjoin(MATERIALS, MATERIALS.c.code == LOTS.c.material)
        .outerjoin(newest, newest.c.lot == LOTS.c.number)
        .where(LOTS.c.origin == "received", LOTS.c.status == "quarantine")
        .order_by(LOTS.c.created_at.desc(), LOTS.c.number)
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement)]


def lots(connection: Connection, numbers: Collection[str]) -> dict[str, dict[str, Any]]:
    """Status and expiry of lots, by number."""
    statement = select(LOTS.c.number, LOTS.c.material, LOTS.c.status, LOTS.c.expires_on).where(
        LOTS.c.number.in_(list(numbers))
    )
    return {row.number: dict(row._mapping) for row in connection.execute(statement)}


def names(connection: Connection, materials: Collection[str]) -> dict[str, str]:
    """The names of materials, by code."""
    statement = select(MATERIALS.c.code, MATERIALS.c.name).where(MATERIALS.c.code.in_(list(materials)))
    return {row.code: row.name for row in connection.execute(statement)}


def materials(connection: Connection, kinds: Collection[str] = (), limit: int = 500) -> list[dict[str, Any]]:
    """Materials in use, of some kinds or of all, by code."""
    statement = select(MATERIALS.c.code, MATERIALS.c.name, MATERIALS.c.unit, MATERIALS.c.kind)
    statement = statement.where(MATERIALS.c.is_active).order_by(MATERIALS.c.code).limit(limit)
    if kinds:
        statement = statement.where(MATERIALS.c.kind.in_(list(kinds)))
    return [dict(row._mapping) for row in connection.execute(statement)]


def unit_of(connection: Connection, material: str) -> str | None:
    """The unit that a material is kept in; none for a material that is not known."""
    statement = select(MATERIALS.c.unit).where(MATERIALS.c.code == material)
    return connection.execute(statement).scalar_one_or_none()


def places(connection: Connection, zones: Collection[str]) -> list[tuple[str, str]]:
    """Places of these zones: code and name."""
    statement = select(PLACES.c.code, PLACES.c.name).where(PLACES.c.zone.in_(list(zones))).order_by(PLACES.c.code)
    return [(row.code, row.name) for row in connection.execute(statement)]
