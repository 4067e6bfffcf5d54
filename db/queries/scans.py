"""What a scanned code is, by the record: one resolver for every code that is printed in the plant.

A code with a symbology identifier or a separator is GS1 data, whole or damaged. A code `kind/number` names its kind.
Anything else is looked up as a number of each kind in turn, and read as GS1 data when nothing has it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from db.queries import users
from db.tables import (
    Deviation,
    Device,
    DispensedContainer,
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
from domain import gs1
from domain.scanning import ScanKind, Scanned, printable

LOTS, CONTAINERS, MATERIALS, PLACES = core(Lot), core(DispensedContainer), core(Material), core(Place)
ORDERS, WORK_ORDERS, OPERATIONS = core(ProductionOrder), core(WorkOrder), core(OperationRow)
ITEMS, DEVICES = core(EquipmentItem), core(Device)
STATIONS, SERIALS, INSPECTIONS = core(Workstation), core(SerialNumber), core(InspectionRow)
CONTAINER_AI: Final = "96"
"""Where the label of a dispensed container has its number."""
K = ScanKind


def resolve(connection: Connection, text: str, first: Iterable[ScanKind] = ()) -> Scanned:
    """What a code is. Of several things with one number the first of `first` counts, then the order of `_FIND`."""
    return all_of(connection, text, first)[0]


def all_of(connection: Connection, text: str, first: Iterable[ScanKind] = ()) -> list[Scanned]:
    """Everything that has this code, what counts first; at least one thing, be it `unknown` or `unreadable`."""
    if text.startswith("]") or gs1.GS in text:
        return [_of_gs1(connection, text)]
    kind, _, number = text.partition("/")
    if number and (name := _PREFIXES.get(kind)) is not None:
        found = _FIND[name](connection, text, number)
        return [found or Scanned(text=text, kind=K.UNKNOWN)]
    order = (*first, *(kind for kind in _FIND if kind not in set(first)))
    known = [one for kind in order if kind in _FIND and (one := _FIND[kind](connection, text, text)) is not None]
    return known or [_if_gs1(connection, text)]


# GS1 -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Said:
    """What the elements of a code say that we look at."""

    gtin: str
    material: str
    lot: str
    container: str


def _if_gs1(connection: Connection, text: str) -> Scanned:
    found = _of_gs1(connection, text)
    return Scanned(text=text, kind=K.UNKNOWN) if found.kind == K.UNREADABLE else found


def _of_gs1(connection: Connection, text: str) -> Scanned:
    try:
        elements = dict(gs1.parse(text))
    except gs1.Gs1Refused as refused:
        return _damaged(text, "; ".join(refused.reasons))
    # Inside the company (91) and (92) stand for a material without GTIN, and its lot.
    lot = elements.get("10") or elements.get("92") or _lot_of_serial(connection, elements.get("21")) or ""
    said = _Said(elements.get("01") or elements.get("02") or "", elements.get("91") or "", lot,
                 elements.get(CONTAINER_AI) or "")  # fmt: skip
    return _said(connection, text, said)


def _said(connection: Connection, text: str, said: _Said) -> Scanned:
    material = said.material
    if said.gtin:
        statement = select(MATERIALS.c.code).where(MATERIALS.c.gtin == said.gtin)
        material = connection.execute(statement).scalar_one_or_none() or ""
        if not material:
            return Scanned(text=text, kind=K.UNKNOWN)
    if said.container:
        found = _container(connection, text, said.container)
        if found is not None and said.lot and found.lot != said.lot:
            return _damaged(text, f"it says lot {said.lot}, and container {found.id} holds lot {found.lot}")
    elif said.lot:
        found = _lot(connection, text, said.lot)
        if found is None:
            return Scanned(text=text, kind=K.LOT, id=said.lot, lot=said.lot, material=material)
    else:
        found = _material(connection, text, material) if material else None
    if found is None:
        return Scanned(text=text, kind=K.UNKNOWN)
    if material and found.material != material:
        return _damaged(text, f"it says material {material}, and {found.kind} {found.id} is of {found.material}")
    return found


def _damaged(text: str, detail: str) -> Scanned:
    return Scanned(text=printable(text), kind=K.UNREADABLE, detail=detail)


# One of each kind ----------------------------------------------------------------------------------------------------


def _row(connection: Connection, statement: Any) -> Row[Any] | None:
    found: Row[Any] | None = connection.execute(statement).one_or_none()
    return found


def _lot(connection: Connection, text: str, number: str) -> Scanned | None:
    row = _row(connection, select(LOTS).where(LOTS.c.number == number))
    if row is None:
        pieces = _lot_of_serial(connection, number)
        return None if pieces is None else _lot(connection, text, pieces)
    return Scanned(
        text=text, kind=K.LOT, id=row.number, lot=row.number, material=row.material, status=row.status,
        expires_on=row.expires_on, work_order=row.work_order or "",
    )  # fmt: skip


def _lot_of_serial(connection: Connection, serial: str | None) -> str | None:
    """The lot of a piece."""
    statement = select(SERIALS.c.lot).where(SERIALS.c.serial == serial)
    return None if serial is None else connection.execute(statement).scalar_one_or_none()


def _container(connection: Connection, text: str, number: str) -> Scanned | None:
    statement = (
        select(CONTAINERS, LOTS.c.status, LOTS.c.expires_on, WORK_ORDERS.c.output_lot)
        .join(LOTS, LOTS.c.number == CONTAINERS.c.lot)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == CONTAINERS.c.work_order)
        .where(CONTAINERS.c.number == number)
    )
    row = _row(connection, statement)
    if row is None:
        return None
    return Scanned(
        text=text, kind=K.CONTAINER, id=row.number, lot=row.lot, material=row.material, status=row.status,
        expires_on=row.expires_on, work_order=row.work_order, batch=row.output_lot,
    )  # fmt: skip


def _material(connection: Connection, text: str, code: str) -> Scanned | None:
    row = _row(connection, select(MATERIALS.c.code).where(MATERIALS.c.code == code))
    return None if row is None else Scanned(text=text, kind=K.MATERIAL, id=row.code, material=row.code)


def _operation(connection: Connection, text: str, number: str) -> Scanned | None:
    work_order, _, code = number.rpartition("/")
    where = (OPERATIONS.c.work_order == work_order, OPERATIONS.c.code == code)
    row = _row(connection, select(OPERATIONS.c.code, OPERATIONS.c.workstation).where(*where))
    if row is None:
        return None
    return Scanned(
        text=text, kind=K.OPERATION, id=number, work_order=work_order, operation=code, work_centre=row.workstation
    )


def _equipment(connection: Connection, text: str, code: str) -> Scanned | None:
    row = _row(connection, select(ITEMS.c.code, ITEMS.c.workstation).where(ITEMS.c.code == code))
    return None if row is None else Scanned(text=text, kind=K.EQUIPMENT, id=code, work_centre=row.workstation)


def _numbered(kind: ScanKind, column: Any) -> Callable[[Connection, str, str], Scanned | None]:
    def find(connection: Connection, text: str, number: str) -> Scanned | None:
        found = connection.execute(select(column).where(column == number)).scalar_one_or_none()
        if found is None:
            return None
        return Scanned(text=text, kind=kind, id=number, work_order=number if kind == K.WORK_ORDER else "")

    return find


def _of_work_order(kind: ScanKind, column: Any) -> Callable[[Connection, str, str], Scanned | None]:
    """What belongs to a work order: where its number stands."""

    def find(connection: Connection, text: str, number: str) -> Scanned | None:
        found = _row(connection, select(column.table.c.work_order).where(column == number))
        return None if found is None else Scanned(text=text, kind=kind, id=number, work_order=found.work_order or "")

    return find


def _case(connection: Connection, text: str, number: str) -> Scanned | None:
    """A quality case, with or without a process of its own."""
    for column in (core(QualityCaseRow).c.number, core(Deviation).c.number):
        if (found := _numbered(K.CASE, column)(connection, text, number)) is not None:
            return found
    return None


def _person(connection: Connection, text: str, code: str) -> Scanned | None:
    """By the number of the badge, or by the id."""
    found = users.with_badge(connection, code)
    return None if found is None else Scanned(text=text, kind=K.PERSON, id=found.id)


_FIND: Final[dict[ScanKind, Callable[[Connection, str, str], Scanned | None]]] = {
    K.CONTAINER: _container,
    K.LOT: _lot,
    K.OPERATION: _operation,
    K.WORK_ORDER: _numbered(K.WORK_ORDER, WORK_ORDERS.c.number),
    K.ORDER: _numbered(K.ORDER, ORDERS.c.number),
    K.EQUIPMENT: _equipment,
    K.DEVICE: _numbered(K.DEVICE, DEVICES.c.code),
    K.LOCATION: _numbered(K.LOCATION, PLACES.c.code),
    K.PERSON: _person,
    K.WORKSTATION: _numbered(K.WORKSTATION, STATIONS.c.code),
    K.PICK_LIST: _of_work_order(K.PICK_LIST, core(PickListRow).c.number),
    K.PUT_AWAY: _of_work_order(K.PUT_AWAY, core(PutAwayRow).c.number),
    K.INSPECTION: _of_work_order(K.INSPECTION, INSPECTIONS.c.number),
    K.IN_PROCESS_INSPECTION: _of_work_order(K.IN_PROCESS_INSPECTION, core(InProcessInspectionRow).c.number),
    K.REWORK: _of_work_order(K.REWORK, core(ReworkRow).c.number),
    K.REPORT: _of_work_order(K.REPORT, core(ProductionReport).c.number),
    K.CASE: _case,
    K.PLAN_LINE: _numbered(K.PLAN_LINE, core(PlanLine).c.reference),
    K.MATERIAL: _material,
}
_PREFIXES: Final = {
    "container": K.CONTAINER, "lot": K.LOT, "operation": K.OPERATION, "work-order": K.WORK_ORDER,
    "production-order": K.ORDER, "equipment": K.EQUIPMENT, "room": K.EQUIPMENT, "device": K.DEVICE,
    "place": K.LOCATION, "person": K.PERSON, "material": K.MATERIAL,
}  # fmt: skip
