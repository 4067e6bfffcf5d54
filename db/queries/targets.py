"""From the uuid in an address to the order that decides about the object."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Select, select

from db.tables import PickListRow, ProductionOrder, PutAwayRow, QualityCaseRow, WorkOrder, core

ORDERS = core(ProductionOrder)
WORK_ORDERS = core(WorkOrder)
PICK_LISTS = core(PickListRow)
PUT_AWAYS = core(PutAwayRow)
CASES = core(QualityCaseRow)
CASE_KINDS = ("deviation", "capa", "maintenance")


@dataclass(frozen=True)
class Target:
    """The object that a command is about. `entity` is what the audit trail calls it."""

    order_number: str
    """The number of the process that decides: of the order, or of the quality case."""
    work_order: str | None
    entity: str

    @property
    def is_case(self) -> bool:
        """Whether a quality case decides, and no order."""
        return is_case(self.entity)


def is_case(entity: str) -> bool:
    """Whether what the audit trail calls so is a quality case."""
    return entity.partition("/")[0] in CASE_KINDS


def _of_work_order() -> Select[tuple[str, str]]:
    return select(WORK_ORDERS.c.order_number, WORK_ORDERS.c.number)


def find(connection: Connection, what: str, identity: UUID) -> Target | None:
    """The object of that uuid. `what` is production-order, work-order, pick-list, put-away, deviation or capa."""
    if what in CASE_KINDS:
        case = select(CASES.c.number).where(CASES.c.uuid == identity)
        number = connection.execute(case).scalar_one_or_none()
        return None if number is None else Target(number, None, f"{what}/{number}")
    if what == "production-order":
        statement = select(ORDERS.c.number).where(ORDERS.c.uuid == identity)
        number = connection.execute(statement).scalar_one_or_none()
        return None if number is None else Target(number, None, f"production-order/{number}")
    if what == "work-order":
        query = _of_work_order().where(WORK_ORDERS.c.uuid == identity)
    elif what == "pick-list":
        joined = _of_work_order().join(PICK_LISTS, PICK_LISTS.c.work_order == WORK_ORDERS.c.number)
        query = joined.where(PICK_LISTS.c.uuid == identity)
    else:
        joined = _of_work_order().join(PUT_AWAYS, PUT_AWAYS.c.work_order == WORK_ORDERS.c.number)
        query = joined.where(PUT_AWAYS.c.uuid == identity)
    row = connection.execute(query).one_or_none()
    return None if row is None else Target(row.order_number, row.number, f"work-order/{row.number}")


def state(connection: Connection, target: Target) -> str | None:
    """The recorded state of the order or case that decides."""
    table = CASES if target.is_case else ORDERS
    statement = select(table.c.state).where(table.c.number == target.order_number)
    return connection.execute(statement).scalar_one_or_none()
