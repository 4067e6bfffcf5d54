"""What a scanned code is: a number or code of anything that the record knows, and what comes near it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, cast, literal, null, or_, select, union_all

from db.queries import scopes
from db.tables import (
    EquipmentItem,
    InProcessInspectionRow,
    InspectionRow,
    Lot,
    Material,
    OperationRow,
    PickListRow,
    Place,
    PlanLine,
    ProductionOrder,
    ProductionReport,
    PutAwayRow,
    QualityCaseRow,
    ReworkRow,
    SerialNumber,
    WorkOrder,
    Workstation,
    core,
)

ORDERS, WORK_ORDERS, OPERATIONS = core(ProductionOrder), core(WorkOrder), core(OperationRow)
_INSPECTIONS, _SERIALS, _LOTS = core(InspectionRow), core(SerialNumber), core(Lot)
_CASES, _LINES = core(QualityCaseRow), core(PlanLine)
_OF_WORK_ORDER: Final = {
    "pick list": core(PickListRow).c.number, "put-away": core(PutAwayRow).c.number,
    "in-process inspection": core(InProcessInspectionRow).c.number, "rework": core(ReworkRow).c.number,
    "production report": core(ProductionReport).c.number,
}  # fmt: skip
"""What belongs to a work order: where its number stands."""
_PLAIN: Final = {
    "lot": _LOTS.c.number, "equipment": core(EquipmentItem).c.code, "workstation": core(Workstation).c.code,
    "place": core(Place).c.code, "material": core(Material).c.code,
}  # fmt: skip
"""What belongs to nothing: where its number stands."""
NEAREST: Final = 5
_ALIKE: Final = 0.6
"""How much of two codes has to be the same, as difflib counts it."""
_OF_EACH: Final = 30


@dataclass(frozen=True)
class Found:
    """One thing that has a code. `id` is its uuid, or its work order's; `order` the number of its order."""

    kind: str
    number: str
    id: str = ""
    order: str = ""
    work_order: str = ""
    operation: str = ""


def resolve(connection: Connection, code: str) -> Found | None:
    """What has exactly this number or code; `<work order>/<operation>` is an operation, a serial number its lot.

    Where several things share a code, the most particular one is answered. Two statements at most.
    """
    rows = connection.execute(union_all(*_exact(code))).all()
    if not rows:
        return None
    row = min(rows, key=lambda one: _ORDER.index(one.kind))
    return Found(*(value or "" for value in row))


_ORDER: Final = (
    "operation", "pick list", "put-away", "inspection", "in-process inspection", "rework", "case", "lot", "order",
    "work order", "production report", "equipment", "workstation", "plan line", "place", "material",
)  # fmt: skip


def _row(kind: str, number: Any, *more: Any) -> list[Any]:
    """The columns of `Found`; what is left out is empty."""
    empty = [cast(null(), Text)] * (4 - len(more))
    return [literal(kind).label("kind"), number.label("number"), *(cast(one, Text) for one in more), *empty]


def _exact(code: str) -> Iterator[Any]:
    work, number = WORK_ORDERS.c.uuid, WORK_ORDERS.c.number
    yield select(*_row("order", ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.number)).where(ORDERS.c.number == code)
    yield select(*_row("work order", number, work, WORK_ORDERS.c.order_number, number)).where(number == code)
    for kind, column in _OF_WORK_ORDER.items():
        joined = column.table.join(WORK_ORDERS, number == column.table.c.work_order)
        row = _row(kind, column, work, WORK_ORDERS.c.order_number, number)
        yield select(*row).select_from(joined).where(column == code)
    for kind, column in _PLAIN.items():
        yield select(*_row(kind, column)).where(column == code)
    yield select(*_row("lot", _SERIALS.c.lot)).where(_SERIALS.c.serial == code)
    inspected = _INSPECTIONS.outerjoin(WORK_ORDERS, number == _INSPECTIONS.c.work_order)
    row = _row("inspection", _INSPECTIONS.c.number, work, WORK_ORDERS.c.order_number, number)
    yield select(*row).select_from(inspected).where(_INSPECTIONS.c.number == code)
    yield select(*_row("case", _CASES.c.number, _CASES.c.uuid)).where(_CASES.c.number == code)
    yield select(*_row("plan line", _LINES.c.reference, _LINES.c.id)).where(_LINES.c.reference == code)
    before, _, operation = code.rpartition("/")
    yield (
        select(*_row("operation", literal(code), work, WORK_ORDERS.c.order_number, number, OPERATIONS.c.code))
        .select_from(OPERATIONS.join(WORK_ORDERS, number == OPERATIONS.c.work_order))
        .where(OPERATIONS.c.work_order == before, OPERATIONS.c.code == operation)
    )


def nearest(
    connection: Connection, code: str, inside: Sequence[ColumnElement[bool]] = (), limit: int = NEAREST
) -> list[Found]:
    """Orders, work orders, lots, machines and inspections whose codes come near, the nearest first. One statement.

    `inside` are conditions on `scopes.ORDERS`: orders outside are not named.
    """
    places = {"order": ORDERS.c.number, "work order": WORK_ORDERS.c.number, "inspection": _INSPECTIONS.c.number}
    places |= {kind: column for kind, column in _PLAIN.items() if kind != "material"}
    parts = []
    for kind, column in places.items():
        near = or_(column.istartswith(code[:4], autoescape=True), column.iendswith(code[-4:], autoescape=True))
        statement = select(literal(kind).label("kind"), column.label("number")).where(near)
        if inside and kind in ("order", "work order"):
            owner = ORDERS.c.number if kind == "order" else WORK_ORDERS.c.order_number
            statement = statement.where(owner.in_(select(scopes.ORDERS.c.number).where(*inside)))
        parts.append(select(statement.limit(_OF_EACH).subquery()))
    found = [(_likeness(code, row.number), row) for row in connection.execute(union_all(*parts))]
    near_enough = sorted((one for one in found if one[0] >= _ALIKE), key=lambda one: (-one[0], one[1].number))
    return [Found(row.kind, row.number) for _, row in near_enough[:limit]]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def tasks_of(connection: Connection, order: str, work_order: str) -> list[dict[str, Any]]:
    """What the work order waits for, as its order told it, most important first."""
    row = connection.execute(select(ORDERS.c.tasks).where(ORDERS.c.number == order)).scalar_one_or_none()
    return [task for task in row or [] if str(task["what"]).partition("/")[0] == work_order]
