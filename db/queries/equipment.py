"""Reads of the equipment register."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from db.register import ITEMS, LOG, item_of
from db.tables import EquipmentClassRow, LineClearance, Material, TrainingRecord, core
from domain.equipment import Item

MATERIALS: Final = core(Material)
CLEARANCES: Final = core(LineClearance)
TRAININGS: Final = core(TrainingRecord)
CLASSES: Final = core(EquipmentClassRow)


def items(
    connection: Connection, after: str | None, limit: int, plants: Sequence[str] | None = None, **wanted: str | None
) -> list[Item]:
    """Items by code, those of a kind, room, workstation or class; `plants`: only theirs, and what is everybody's."""
    statement = select(ITEMS).where(*inside(plants)).order_by(ITEMS.c.code).limit(limit)
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(ITEMS.c[column] == value)
    if after is not None:
        statement = statement.where(ITEMS.c.code > after)
    return [item_of(row) for row in connection.execute(statement)]


def inside(plants: Sequence[str] | None, code: Any = None) -> list[ColumnElement[bool]]:
    """Conditions for a list of equipment, or for one whose column `code` names equipment; no plants: no limit."""
    if plants is None:
        return []
    own = ITEMS.c.plant.in_(["", *plants])
    return [own] if code is None else [or_(code.is_(None), code.in_(select(ITEMS.c.code).where(own)))]


def item(connection: Connection, code: str) -> Item | None:
    """One item."""
    row = connection.execute(select(ITEMS).where(ITEMS.c.code == code)).one_or_none()
    return None if row is None else item_of(row)


def log(connection: Connection, code: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Entries of an item's log in order; `to` is when the next one began, none for what it is doing now.

    `productName` is the product's name, which carries its strength.
    """
    following = func.lead(LOG.c.started_at).over(order_by=LOG.c.sequence).label("ended_at")
    entries = select(LOG, following).where(LOG.c.equipment == code).subquery()
    statement = (
        select(entries, MATERIALS.c.name.label("product_name"))
        .outerjoin(MATERIALS, MATERIALS.c.code == entries.c.product)
        .where(entries.c.sequence > after)
        .order_by(entries.c.sequence)
        .limit(limit)
    )
    return [_entry(row) for row in connection.execute(statement)]


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "sequence": row.sequence, "from": _time(row.started_at), "to": _time(row.ended_at), "activity": row.activity,
        "product": row.product, "productName": row.product_name, "batch": row.batch, "workOrder": row.work_order,
        "operation": row.operation, "person": row.person, "detail": row.detail,
    }  # fmt: skip


def activities(connection: Connection, codes: Collection[str], since: datetime) -> dict[str, list[Row[Any]]]:
    """Code → what each item did from `since` on, in order, with `ended_at`; none for what it is doing now."""
    following = func.lead(LOG.c.started_at).over(partition_by=LOG.c.equipment, order_by=LOG.c.sequence)
    entries = select(LOG, following.label("ended_at")).where(LOG.c.equipment.in_(codes)).subquery()
    statement = (
        select(entries)
        .where(or_(entries.c.ended_at.is_(None), entries.c.ended_at > since))
        .order_by(entries.c.equipment, entries.c.sequence)
    )
    found: dict[str, list[Row[Any]]] = {code: [] for code in codes}
    for row in connection.execute(statement):
        found[row.equipment].append(row)
    return found


def classes(connection: Connection) -> list[Row[Any]]:
    """Classes of equipment by code."""
    return list(connection.execute(select(CLASSES).order_by(CLASSES.c.code)))


def clearances(connection: Connection, batch: str | None, room: str | None, limit: int) -> list[dict[str, Any]]:
    """Line clearances, newest first, of a batch or a room."""
    statement = select(CLEARANCES).order_by(CLEARANCES.c.performed_at.desc(), CLEARANCES.c.number).limit(limit)
    if batch is not None:
        statement = statement.where(CLEARANCES.c.batch == batch)
    if room is not None:
        statement = statement.where(CLEARANCES.c.room == room)
    return [
        {
            "number": row.number, "room": row.room, "product": row.product, "batch": row.batch,
            "operation": row.operation, "previousBatch": row.previous_batch, "items": row.items,
            "performedBy": row.performed_by, "performedAt": _time(row.performed_at), "checkedBy": row.checked_by,
            "checkedAt": _time(row.checked_at), "accepted": row.accepted, "validUntil": _time(row.valid_until),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def unchecked(connection: Connection, person: str, plants: Sequence[str] | None, limit: int) -> list[Row[Any]]:
    """Line clearances that nobody has checked, oldest first: those that `person` has not done, in these plants."""
    statement = select(CLEARANCES).where(
        CLEARANCES.c.checked_by.is_(None), CLEARANCES.c.performed_by != person, *inside(plants, CLEARANCES.c.room)
    )
    return list(connection.execute(statement.order_by(CLEARANCES.c.performed_at, CLEARANCES.c.number).limit(limit)))


def trainings(connection: Connection, person: str | None, limit: int) -> list[dict[str, Any]]:
    """Training records, newest first, of a person or of everybody."""
    statement = select(TRAININGS).order_by(TRAININGS.c.id.desc()).limit(limit)
    if person is not None:
        statement = statement.where(TRAININGS.c.person == person)
    return [
        {
            "person": row.person, "qualification": row.qualification, "validUntil": _time(row.valid_until),
            "registeredBy": row.registered_by, "registeredAt": _time(row.registered_at),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
