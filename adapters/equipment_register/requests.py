"""Requesting a maintenance order: written with what asks for it, so its process can begin whatever dies meanwhile."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from db import audit
from db.queries import policies
from db.register import ITEMS, OPERATIONS
from db.tables import MaintenanceRequest, WorkOrder, core
from domain.case_rules import CaseRules
from domain.equipment import Item, ItemKind
from domain.maintenance import Interrupted, MaintenanceCause, MaintenanceSpecification

REQUESTS: Final = core(MaintenanceRequest)
WORK_ORDERS: Final = core(WorkOrder)
_AT_WORK: Final = ("running", "paused", "held")


def write(
    connection: Connection,
    item: Item,
    cause: MaintenanceCause,
    detail: str,
    actor: str,
    at: datetime,
    due_at: datetime | None = None,
) -> tuple[str, audit.Entry]:
    """A maintenance order of an item, numbered by the item, whose row the caller has locked; it leads the item then.

    A fault leads before whatever else is planned. The answer is its number and what the audit trail has to say.
    """
    made = select(func.count()).where(REQUESTS.c.equipment == item.code)
    specification = MaintenanceSpecification(
        number=f"{item.code}-M{connection.execute(made).scalar_one() + 1}",
        equipment=item.code,
        cause=cause,
        detail=detail,
        opened_by=actor,
        opened_at=at,
        due_at=due_at,
        interrupted=interrupted(connection, item) if cause == MaintenanceCause.FAULT else (),
        rules=policies.deviation_rules(connection) or CaseRules(),
    )
    body = specification.model_dump(mode="json", by_alias=True)
    connection.execute(
        insert(REQUESTS).values(
            number=specification.number, equipment=item.code, cause=cause, specification=body, requested_at=at
        )
    )
    leads = update(ITEMS).where(ITEMS.c.code == item.code).values(maintenance_order=specification.number)
    if cause != MaintenanceCause.FAULT:
        leads = leads.where(ITEMS.c.maintenance_order.is_(None))
    connection.execute(leads)
    new = {"equipment": item.code, "cause": cause, "detail": detail, "dueAt": due_at and due_at.isoformat(),
           "batches": [own.batch for own in specification.interrupted]}  # fmt: skip
    return specification.number, audit.Entry(
        at, actor, "maintenance.requested", f"maintenance/{specification.number}", None, new
    )


def interrupted(connection: Connection, item: Item) -> tuple[Interrupted, ...]:
    """The operations at work at the item's station, or at any station in the room (EQ-07)."""
    stations = select(ITEMS.c.workstation).where(ITEMS.c.workstation != "")
    stations = stations.where(ITEMS.c.room == item.code if item.kind == ItemKind.ROOM else ITEMS.c.code == item.code)
    statement = (
        select(OPERATIONS.c.work_order, OPERATIONS.c.code, WORK_ORDERS.c.order_number, WORK_ORDERS.c.output_lot)
        .join(WORK_ORDERS, WORK_ORDERS.c.number == OPERATIONS.c.work_order)
        .where(OPERATIONS.c.workstation.in_(stations), OPERATIONS.c.state.in_(_AT_WORK))
        .order_by(OPERATIONS.c.work_order, OPERATIONS.c.code)
    )
    return tuple(
        Interrupted(order_number=row.order_number, work_order=row.work_order, operation=row.code, batch=row.output_lot)
        for row in connection.execute(statement)
    )
