"""Occupying a workstation for one operation: everything is looked at under the locks of its items.

Every function runs inside the transaction that `db.once.answer_once` opened.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from adapters.equipment_register import papers
from adapters.equipment_register.port import OccupyAnswer
from db import register
from db.once import Done, Request
from db.tables import Lot, core
from domain.equipment import ItemKind
from domain.equipment_gate import Situation, StartNeed, blockers
from domain.equipment_gate import occupy as occupied
from domain.errors import AdapterRefused

LOTS: Final = core(Lot)


def situation(connection: Connection, need: StartNeed, *, lock: bool) -> Situation:
    """What the register knows about one start. With `lock` nobody else changes the items until the commit."""
    items = register.read(connection, register.station(connection, need.workstation), lock=lock)
    return Situation(
        items=tuple(item for item in items if item.kind == ItemKind.EQUIPMENT),
        rooms=tuple(item for item in items if item.kind == ItemKind.ROOM),
        classes=register.classes(connection),
        clearances=papers.clearances(connection, need.batch, need.operation) if need.clearance else (),
        training=papers.training(connection, need.person, need.training) if need.training else None,
        lots=_lots(connection, need.lots),
    )


def _lots(connection: Connection, lots: tuple[str, ...]) -> dict[str, str]:
    if not lots:
        return {}
    rows = connection.execute(select(LOTS.c.number, LOTS.c.status).where(LOTS.c.number.in_(lots)))
    return {row.number: row.status for row in rows}


def occupy(
    connection: Connection, request: Request, need: StartNeed, now: Callable[[], datetime]
) -> Done[OccupyAnswer]:
    """Occupy, or refuse with everything that stands in the way. The instant that counts is after the locks."""
    found = situation(connection, need, lock=True)
    at = now()
    if in_the_way := blockers(need, found, at):
        names = ", ".join(dict.fromkeys(blocker.code for blocker in in_the_way))
        raise AdapterRefused("START_REFUSED", f"{need.work_order}/{need.operation}: {names}", tuple(in_the_way))
    by = register.By("occupy", request.actor, at)
    taken = (*found.items, *found.rooms)
    new = {"batch": need.batch, "product": need.product, "operation": need.operation, "workOrder": need.work_order}
    entries = []
    for item in taken:
        after = occupied(item, need, at)
        register.change(connection, item, after, by)
        old, changed = register.difference(item, after)
        if changed:
            entity = f"{item.kind}/{item.code}"
            entries.append(request.audit(f"{item.kind}.occupied", new | changed, entity=entity, old=old))
    return Done(OccupyAnswer(equipment=tuple(item.code for item in taken)), entries)
