"""The rows of the equipment register: read, locked, changed with their log, freed when an operation ends.

Whoever changes items locks all that it will change in one statement, in the order of their codes: so nobody waits in a
circle. A change writes the row, a transition for every axis that moved, and the log entry that follows from the state.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from db.audit import Entry
from db.tables import (
    EquipmentClassRow,
    EquipmentItem,
    EquipmentLogEntry,
    OperationRow,
    StateTransition,
    core,
)
from domain.base import uuid_for
from domain.equipment import EquipmentClass, Item, ItemKind, activity
from domain.equipment_gate import free

CLASSES: Final = core(EquipmentClassRow)
ITEMS: Final = core(EquipmentItem)
LOG: Final = core(EquipmentLogEntry)
OPERATIONS: Final = core(OperationRow)
TRANSITIONS: Final = core(StateTransition)
AXES: Final = ("qualification", "calibration", "cleaning", "availability", "maintenance")
_OPEN: Final = ("pending", "ready", "running", "paused", "held")
_LOGGED: Final = ("batch", "work_order", "operation_code")


@dataclass(frozen=True)
class By:
    """Who changes an item, when and why; `event` names what happened."""

    event: str
    person: str
    at: datetime
    reason: str | None = None
    order_number: str | None = None
    revision: int | None = None


def classes(connection: Connection) -> dict[str, EquipmentClass]:
    """All classes by code."""
    return {row.code: EquipmentClass(**row._mapping) for row in connection.execute(select(CLASSES))}


def read(connection: Connection, codes: Iterable[str], *, lock: bool = False) -> list[Item]:
    """Items by code, in the order of their codes; locked until the end of the transaction when asked for."""
    statement = select(ITEMS).where(ITEMS.c.code.in_(sorted(set(codes)))).order_by(ITEMS.c.code)
    rows = connection.execute(statement.with_for_update() if lock else statement)
    return [item_of(row) for row in rows]


def item_of(row: Row[Any]) -> Item:
    """An item as its row says."""
    return Item(**{name: value for name, value in row._mapping.items() if name != "uuid"})


def station(connection: Connection, workstation: str) -> list[str]:
    """Codes of the equipment in service at a workstation, and of the rooms that it stands in."""
    rows = connection.execute(
        select(ITEMS.c.code, ITEMS.c.room).where(
            ITEMS.c.workstation == workstation, ITEMS.c.kind == ItemKind.EQUIPMENT, ITEMS.c.qualification != "retired"
        )
    ).all()
    return [row.code for row in rows] + sorted({row.room for row in rows if row.room})


def in_room(connection: Connection, room: str) -> list[str]:
    """Codes of the equipment in service that stands in a room."""
    statement = select(ITEMS.c.code).where(ITEMS.c.room == room, ITEMS.c.qualification != "retired")
    return list(connection.execute(statement).scalars())


def add(connection: Connection, item: Item, by: By) -> None:
    """A new item, with the first entry of its log."""
    connection.execute(insert(ITEMS).values(**_columns(item), uuid=uuid_for("equipment", item.code)))
    for axis in AXES:
        _transition(connection, item, by, axis, None)
    _log(connection, item, by)


def difference(before: Item, after: Item) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of an item is not as it was: the fields before and after, as the audit trail writes them."""
    old, new = (own.model_dump(mode="json", by_alias=True) for own in (before, after))
    changed = [name for name, value in new.items() if old[name] != value]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def change(connection: Connection, before: Item, after: Item, by: By) -> None:
    """Write what changed of a locked item, its transitions, and its log when it does something else now."""
    old, new = _columns(before), _columns(after)
    changed = {name: value for name, value in new.items() if old[name] != value}
    if not changed:
        return
    connection.execute(update(ITEMS).where(ITEMS.c.code == after.code).values(changed))
    for axis in AXES:
        if axis in changed:
            _transition(connection, after, by, axis, str(old[axis]))
    if activity(before) != activity(after) or any(name in changed for name in _LOGGED):
        _log(connection, after, by)


def _columns(item: Item) -> dict[str, Any]:
    return item.model_dump(mode="python")


def _transition(connection: Connection, item: Item, by: By, axis: str, origin: str | None) -> None:
    connection.execute(
        insert(TRANSITIONS).values(
            entity=f"{item.kind} {axis}", entity_id=item.code, event=by.event, from_state=origin,
            to_state=str(getattr(item, axis)), actor=by.person, reason=by.reason, at=by.at,
            order_number=by.order_number, revision=by.revision,
        )
    )  # fmt: skip


def _log(connection: Connection, item: Item, by: By) -> None:
    """The next entry. Clocks of two machines may disagree: an entry never begins before the one that it follows."""
    last = connection.execute(
        select(func.max(LOG.c.sequence).label("sequence"), func.max(LOG.c.started_at).label("started_at")).where(
            LOG.c.equipment == item.code
        )
    ).one()
    connection.execute(
        insert(LOG).values(
            equipment=item.code, sequence=(last.sequence or 0) + 1, started_at=max(by.at, last.started_at or by.at),
            activity=str(activity(item)), product=item.product, batch=item.batch, work_order=item.work_order,
            operation=item.operation_code, person=by.person, detail=by.reason,
        )
    )  # fmt: skip


# When operations end -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Left:
    """An operation of a work order has ended."""

    work_order: str
    operation: str
    by: By


def free_all(connection: Connection, ended: Sequence[Left]) -> list[Entry]:
    """Free what ended operations occupied, and rooms in which their batch has nothing more to do.

    Call it when the operations' rows say that they have ended. What is free already stays as it is, so it may be
    called again. The answer is what the audit trail has to say.
    """
    if not ended:
        return []
    numbers = {own.work_order for own in ended}
    # Without a lock first: codes are locked in one statement, and only these transactions end an occupation.
    codes = connection.execute(select(ITEMS.c.code).where(ITEMS.c.work_order.in_(numbers))).scalars().all()
    if not codes:
        return []
    items = [item for item in read(connection, codes, lock=True) if item.work_order in numbers]
    by_operation = {(own.work_order, own.operation): own.by for own in ended}
    by_work_order: Mapping[str, By] = {own.work_order: own.by for own in ended}
    still = _rooms_in_use(connection, ended)
    known, entries = classes(connection), []
    for item in items:
        assert item.work_order is not None
        by = by_operation.get((item.work_order, item.operation_code or ""))
        if item.kind == ItemKind.ROOM and (item.work_order, item.code) not in still:
            by = by_work_order[item.work_order]
        if by is None:
            continue
        after = free(item, known[item.equipment_class], by.at)
        change(connection, item, after, by)
        old, new = difference(item, after)
        entries.append(Entry(by.at, by.person, f"{item.kind}.freed", f"{item.kind}/{item.code}", old, new))
    return entries


def _rooms_in_use(connection: Connection, ended: Sequence[Left]) -> set[tuple[str, str]]:
    """(work order, room) where the work order has begun an operation and has another one still to do."""
    statement = (
        select(OPERATIONS.c.work_order, OPERATIONS.c.code, OPERATIONS.c.state, OPERATIONS.c.started_at, ITEMS.c.room)
        .join(ITEMS, ITEMS.c.workstation == OPERATIONS.c.workstation)
        .where(OPERATIONS.c.work_order.in_({own.work_order for own in ended}), ITEMS.c.room != "")
    )
    over = {(own.work_order, own.operation) for own in ended}
    begun: set[tuple[str, str]] = set()
    open_still: set[tuple[str, str]] = set()
    for row in connection.execute(statement):
        if row.started_at is not None:
            begun.add((row.work_order, row.room))
        if row.state in _OPEN and (row.work_order, row.code) not in over:
            open_still.add((row.work_order, row.room))
    return begun & open_still
