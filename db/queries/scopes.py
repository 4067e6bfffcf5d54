"""In which plant and at which lines something is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, String, any_, bindparam, exists, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import (
    Deviation,
    DispensedContainer,
    EquipmentItem,
    InspectionRow,
    Lot,
    LotHoldRow,
    MaintenanceProposal,
    OperationRow,
    PickListRow,
    PlanLine,
    ProductionOrder,
    ProductionReport,
    PutAwayRow,
    QualityCaseRow,
    SerialNumber,
    Shipment,
    WorkOrder,
    Workstation,
    core,
)

ORDERS, WORK_ORDERS, OPERATIONS, STATIONS = (
    core(ProductionOrder),
    core(WorkOrder),
    core(OperationRow),
    core(Workstation),
)
HOLDS, SHIPMENTS = core(LotHoldRow), core(Shipment)
PICK_LISTS, PUT_AWAYS, LOTS, LINES = core(PickListRow), core(PutAwayRow), core(Lot), core(PlanLine)
CONTAINERS, ITEMS, PROPOSALS = core(DispensedContainer), core(EquipmentItem), core(MaintenanceProposal)
REPORTS, SERIALS, INSPECTIONS, DEVIATIONS, CASES = (
    core(ProductionReport), core(SerialNumber), core(InspectionRow), core(Deviation), core(QualityCaseRow),
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A plant and lines; what has neither belongs to everybody."""

    plant: str | None
    lines: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Limits:
    """What an account is limited to; None: nothing."""

    plants: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None

    @property
    def is_everywhere(self) -> bool:
        """Whether there is no limit at all."""
        return self.plants is None and self.lines is None

    def orders(self, order_number: Any = ORDERS.c.number) -> list[ColumnElement[bool]]:
        """Conditions for a list whose column holds order numbers."""
        return orders_inside(self.plants, self.lines, order_number)

    def plan_lines(self) -> list[ColumnElement[bool]]:
        """Conditions for a list of plan lines."""
        plants = [] if self.plants is None else [LINES.c.plant.in_(self.plants)]
        return [*plants, *orders_inside(None, self.lines, LINES.c.order_number)]

    def work_orders(self, work_order: Any) -> list[ColumnElement[bool]]:
        """Conditions for a list whose column holds work order numbers."""
        return work_orders_inside(self.plants, self.lines, work_order)

    def has(self, place: Place) -> bool:
        """Whether something in a plant, at lines, is inside."""
        in_plant = self.plants is None or place.plant is None or place.plant in self.plants
        at_line = self.lines is None or not place.lines or not place.lines.isdisjoint(self.lines)
        return in_plant and at_line


def of_order(
    connection: Connection, number: str, work_order: str | None = None, operation: str | None = None
) -> Place | None:
    """Where an order is, or one of its work orders or operations; None when there is no such order."""
    plant = connection.execute(select(ORDERS.c.plant).where(ORDERS.c.number == number)).scalar_one_or_none()
    if plant is None:
        return None
    statement = _lines().where(WORK_ORDERS.c.order_number == number)
    if work_order is not None:
        statement = statement.where(OPERATIONS.c.work_order == work_order)
    if operation is not None:
        statement = statement.where(OPERATIONS.c.code == operation)
    return Place(plant, frozenset(line for line in connection.execute(statement).scalars() if line))


def _lines() -> Select[Any]:
    return (
        select(STATIONS.c.line)
        .distinct()
        .join_from(OPERATIONS, STATIONS, STATIONS.c.code == OPERATIONS.c.workstation)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
    )


def of_work_order(connection: Connection, number: str | None) -> Place | None:
    """Where a work order is."""
    owner = select(WORK_ORDERS.c.order_number).where(WORK_ORDERS.c.number == number)
    order = connection.execute(owner).scalar_one_or_none()
    return None if order is None else of_order(connection, order, number)


def of_case(connection: Connection, number: str) -> Place | None:
    """Where the order of a quality case is; None for a case of no order, which belongs to everybody."""
    order = _one(connection, select(CASES.c.order_number), CASES.c.number, number)
    return None if order is None else of_order(connection, order)


def of_equipment(connection: Connection, code: str | None) -> Place | None:
    """Where equipment is; None for what is everybody's, or not known."""
    plant = _one(connection, select(ITEMS.c.plant), ITEMS.c.code, code)
    return Place(plant) if plant else None


def _of_upkeep(connection: Connection, name: str, value: str) -> Place | None:
    """Where the equipment is that is named itself, or by its maintenance order or proposal."""
    code: str | None = value
    if name == "maintenance_id":
        code = _one(connection, select(CASES.c.equipment), CASES.c.uuid, _uuid(value))
    elif name == "proposal":
        code = _one(connection, select(PROPOSALS.c.equipment), PROPOSALS.c.number, value)
    return of_equipment(connection, code)


def named(connection: Connection, name: str, value: str) -> Place | None:
    """Where the object is that a parameter of an address names (`order_id`, `lot` …); None: nowhere, or not known."""
    match name:
        case "order_id" | "orderId":
            order = _one(connection, select(ORDERS.c.number), ORDERS.c.uuid, _uuid(value))
            return None if order is None else of_order(connection, order)
        case "work_order_id" | "workOrderId":
            number = _one(connection, select(WORK_ORDERS.c.number), WORK_ORDERS.c.uuid, _uuid(value))
        case "pick_list_id":
            number = _one(connection, select(PICK_LISTS.c.work_order), PICK_LISTS.c.uuid, _uuid(value))
        case "put_away_id":
            number = _one(connection, select(PUT_AWAYS.c.work_order), PUT_AWAYS.c.uuid, _uuid(value))
        case "deviation_id" | "capa_id":
            case = _one(connection, select(CASES.c.number), CASES.c.uuid, _uuid(value))
            return None if case is None else of_case(connection, case)
        case "plan_id" | "planId":
            plant = _one(connection, select(LINES.c.plant), LINES.c.id, _uuid(value))
            return None if plant is None else Place(plant)
        case "equipment" | "room" | "maintenance_id" | "proposal":
            return _of_upkeep(connection, name, value)
        case "lot" | "batch" | "batch_no" | "serial_no" | "product_id":
            # A trace takes the number of a lot where it takes a product.
            number = _of_lot(connection, value)
        case "shipment":
            lot = _one(connection, select(SHIPMENTS.c.lot), SHIPMENTS.c.number, value)
            number = None if lot is None else _of_lot(connection, lot)
        case "hold":
            lot = _one(connection, select(HOLDS.c.lot), HOLDS.c.number, value)
            number = None if lot is None else _of_lot(connection, lot)
        case "container":
            number = _one(connection, select(CONTAINERS.c.work_order), CONTAINERS.c.number, value)
        case "number":
            lot = _one(connection, select(INSPECTIONS.c.lot), INSPECTIONS.c.number, value)
            number = None if lot is None else _of_lot(connection, lot)
        case "report_number" | "reportNumber":
            number = _one(connection, select(REPORTS.c.work_order), REPORTS.c.number, value)
        case _:
            return None
    return of_work_order(connection, number)


def _of_lot(connection: Connection, value: str) -> str | None:
    lot = _one(connection, select(SERIALS.c.lot), SERIALS.c.serial, value) or value
    return _one(connection, select(LOTS.c.work_order), LOTS.c.number, lot)


def _one(connection: Connection, statement: Select[Any], column: Any, value: object) -> str | None:
    if value is None:
        return None
    found = connection.execute(statement.where(column == value)).first()
    return None if found is None or found[0] is None else str(found[0])


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def orders_inside(
    plants: tuple[str, ...] | None, lines: tuple[str, ...] | None, order_number: Any = ORDERS.c.number
) -> list[ColumnElement[bool]]:
    """Conditions for a list: only what belongs to an order inside. `order_number` is the list's own column."""
    found: list[ColumnElement[bool]] = []
    if plants is not None:
        inside = select(ORDERS.c.number).where(ORDERS.c.plant.in_(plants))
        found.append(or_(order_number.is_(None), order_number.in_(inside)))
    if lines is not None:
        # A name of its own: the list that asks may be one of work orders.
        own = WORK_ORDERS.alias()
        joined = OPERATIONS.join(own, own.c.number == OPERATIONS.c.work_order).join(
            STATIONS, STATIONS.c.code == OPERATIONS.c.workstation
        )
        stations = select(OPERATIONS.c.code).select_from(joined).where(own.c.order_number == order_number)
        at_line = exists(stations.where(STATIONS.c.line.in_(lines)))
        has_line = exists(stations.where(STATIONS.c.line != ""))
        found.append(or_(order_number.is_(None), at_line, ~has_line))
    return found


def work_orders_inside(
    plants: tuple[str, ...] | None, lines: tuple[str, ...] | None, work_order: Any
) -> list[ColumnElement[bool]]:
    """Conditions for a list whose column names a work order."""
    inside = orders_inside(plants, lines, WORK_ORDERS.c.order_number)
    return [work_order.in_(select(WORK_ORDERS.c.number).where(*inside))] if inside else []


def lots_inside(
    connection: Connection, plants: tuple[str, ...] | None, lines: tuple[str, ...] | None, lots: Sequence[str]
) -> set[str]:
    """Those of the lots that are inside. What was bought belongs to everybody."""
    own = or_(LOTS.c.work_order.is_(None), *work_orders_inside(plants, lines, LOTS.c.work_order))
    statement = select(LOTS.c.number).where(LOTS.c.number == any_(bindparam("lots", list(lots), ARRAY(String))), own)
    return set(connection.execute(statement).scalars())
