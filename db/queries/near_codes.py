"""What comes near a code that nothing has; what a work order waits for when it was scanned."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, literal, or_, select, union_all

from db.queries import scopes
from db.tables import EquipmentItem, InspectionRow, Lot, Place, ProductionOrder, WorkOrder, Workstation, core

ORDERS, WORK_ORDERS = core(ProductionOrder), core(WorkOrder)
PLACES: Final = {
    "order": ORDERS.c.number, "work order": WORK_ORDERS.c.number, "inspection": core(InspectionRow).c.number,
    "lot": core(Lot).c.number, "equipment": core(EquipmentItem).c.code, "workstation": core(Workstation).c.code,
    "place": core(Place).c.code,
}  # fmt: skip
"""Where the codes stand that are offered."""
NEAREST: Final = 5
_ALIKE: Final = 0.6
"""How much of two codes has to be the same, as difflib counts it."""
_OF_EACH: Final = 30


@dataclass(frozen=True)
class Near:
    """One thing with another code."""

    kind: str
    number: str


def nearest(
    connection: Connection, code: str, inside: Sequence[ColumnElement[bool]] = (), limit: int = NEAREST
) -> list[Near]:
    """Orders, work orders, lots, machines and inspections whose codes come near, the nearest first. One statement.

    `inside` are conditions on `scopes.ORDERS`: orders outside are not named.
    """
    parts = []
    for kind, column in PLACES.items():
        near = or_(column.istartswith(code[:4], autoescape=True), column.iendswith(code[-4:], autoescape=True))
        statement = select(literal(kind).label("kind"), column.label("number")).where(near)
        if inside and kind in ("order", "work order"):
            owner = ORDERS.c.number if kind == "order" else WORK_ORDERS.c.order_number
            statement = statement.where(owner.in_(select(scopes.ORDERS.c.number).where(*inside)))
        parts.append(select(statement.limit(_OF_EACH).subquery()))
    found = [(_likeness(code, row.number), row) for row in connection.execute(union_all(*parts))]
    near_enough = sorted((one for one in found if one[0] >= _ALIKE), key=lambda one: (-one[0], one[1].number))
    return [Near(row.kind, row.number) for _, row in near_enough[:limit]]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def tasks_of(connection: Connection, work_order: str) -> tuple[str, list[dict[str, Any]]]:
    """The number of the work order's order, and what it waits for, as the order told it, most important first."""
    joined = ORDERS.join(WORK_ORDERS, WORK_ORDERS.c.order_number == ORDERS.c.number)
    statement = select(ORDERS.c.number, ORDERS.c.tasks).select_from(joined).where(WORK_ORDERS.c.number == work_order)
    row = connection.execute(statement).one()
    return row.number, [task for task in row.tasks or [] if str(task["what"]).partition("/")[0] == work_order]
