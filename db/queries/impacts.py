"""Changes of master data and the orders that run without them."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from db.queries.master_data import BOM_LINES, BOMS
from db.queries.policies import FACTS
from db.queries.waiting import ORDERS, WORK_ORDERS
from db.tables import OPEN_ORDER, MasterDataImpact, core

IMPACTS: Final = core(MasterDataImpact)
ENDED: Final = ("closed", "cancelled", "aborted")
_IS_OPEN: Final = text(f"production_order.{OPEN_ORDER}")
Values = dict[str, Any]


def orders_making(connection: Connection, products: Collection[str]) -> list[Row[Any]]:
    """(material, order, owner, version of the master batch record) of the open orders that make one of these."""
    if not products:
        return []
    statement = (
        select(
            WORK_ORDERS.c.material, ORDERS.c.number, ORDERS.c.created_by,
            func.min(WORK_ORDERS.c.record_version).label("record_version"),
        )
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(_IS_OPEN, WORK_ORDERS.c.material.in_(products))
        .group_by(WORK_ORDERS.c.material, ORDERS.c.number, ORDERS.c.created_by)
        .order_by(ORDERS.c.number)
    )  # fmt: skip
    return list(connection.execute(statement))


def orders_using(connection: Connection, material: str) -> list[Row[Any]]:
    """(material, order, owner) of the open orders that have this material among their components, as frozen."""
    makes_of = select(BOMS.c.product).join(BOM_LINES, BOM_LINES.c.bill_of_material == BOMS.c.id)
    frozen = {"events": [{"specification": {"workOrders": [{"materials": [{"material": material}]}]}}]}
    statement = (
        select(literal(material).label("material"), ORDERS.c.number, ORDERS.c.created_by)
        .where(
            _IS_OPEN,
            ORDERS.c.number.in_(
                select(WORK_ORDERS.c.order_number).where(
                    WORK_ORDERS.c.material.in_(makes_of.where(BOM_LINES.c.material == material))
                )
            ),
            select(FACTS.c.order_number)
            .where(
                FACTS.c.order_number == ORDERS.c.number, FACTS.c.revision == 1,
                FACTS.c.body.cast(JSONB).contains(frozen),
            )
            .exists(),
        )
        .order_by(ORDERS.c.number)
    )  # fmt: skip
    return list(connection.execute(statement))


def orders_under(connection: Connection, policies: Collection[str]) -> list[Row[Any]]:
    """(policy, order, owner) of the open orders that were made under one of these policies."""
    statement = select(ORDERS.c.policy.label("material"), ORDERS.c.number, ORDERS.c.created_by)
    statement = statement.where(_IS_OPEN, ORDERS.c.policy.in_(policies)).order_by(ORDERS.c.number)
    return list(connection.execute(statement)) if policies else []


def raise_(connection: Connection, rows: Sequence[Values]) -> set[str]:
    """Write tasks that are not there yet; answers their numbers."""
    if not rows:
        return set()
    statement = upsert(IMPACTS).on_conflict_do_nothing().returning(IMPACTS.c.number)
    return set(connection.execute(statement, list(rows)).scalars())


def find(connection: Connection, number: str, *, lock: bool = False) -> Row[Any] | None:
    """One task, with the state of its order."""
    statement = _all().where(IMPACTS.c.number == number)
    return connection.execute(statement.with_for_update(of=IMPACTS) if lock else statement).one_or_none()


def page(
    connection: Connection, *, state: str = "", owner: str = "", order: str = "", limit: int = 200,
    inside: Sequence[ColumnElement[bool]] = (),
) -> list[Row[Any]]:  # fmt: skip
    """Tasks, open ones first, then the newest. `state` open leaves out those whose order has ended by itself."""
    statement = _all().where(*inside)
    if state == "open":
        statement = statement.where(IMPACTS.c.state == "open", _IS_OPEN)
    elif state:
        statement = statement.where(IMPACTS.c.state == state)
    if owner:
        statement = statement.where(IMPACTS.c.owner == owner)
    if order:
        statement = statement.where(IMPACTS.c.order_number == order)
    order_by = (IMPACTS.c.state.desc(), IMPACTS.c.raised_at.desc(), IMPACTS.c.number)
    return list(connection.execute(statement.order_by(*order_by).limit(limit)))


def _all() -> Select[Any]:
    order = ORDERS.c
    columns = (order.uuid.label("order_id"), order.state.label("order_state"), order.product, order.due_at)
    return select(IMPACTS, *columns).join(ORDERS, ORDERS.c.number == IMPACTS.c.order_number)


def decide(connection: Connection, number: str, **values: Any) -> None:
    """Write the decision of a task."""
    connection.execute(update(IMPACTS).where(IMPACTS.c.number == number).values(state="decided", **values))
