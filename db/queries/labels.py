"""What the label of a lot shows, in one statement."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from db.tables import AuditRow, GivenNumber, Lot, Material, ProductionOrder, StockBalance, UserAccount, WorkOrder, core
from domain.lot_label import LotLabel

LOTS, MATERIALS, BALANCES = core(Lot), core(Material), core(StockBalance)
AUDIT, PEOPLE = core(AuditRow), core(UserAccount)
WORK_ORDERS, ORDERS, GIVEN = core(WorkOrder), core(ProductionOrder), core(GivenNumber)


def of_lot(connection: Connection, number: str) -> tuple[LotLabel, datetime] | None:
    """The label of a lot, and when the lot was made. The plant is that of its order, or of whoever gave its number."""
    on_hand = select(func.coalesce(func.sum(BALANCES.c.on_hand), 0)).where(BALANCES.c.lot == LOTS.c.number)
    certifier = (
        select(func.concat(PEOPLE.c.full_name, " (", PEOPLE.c.id, ")"))
        .join_from(AUDIT, PEOPLE, PEOPLE.c.id == AUDIT.c.actor)
        .where(AUDIT.c.entity == "lot/" + LOTS.c.number, AUDIT.c.action == "lot.certify")
        .order_by(AUDIT.c.seq.desc())
        .limit(1)
    )
    statement = (
        select(
            LOTS, MATERIALS.c.name, MATERIALS.c.gtin, on_hand.scalar_subquery().label("on_hand"),
            func.coalesce(ORDERS.c.plant, GIVEN.c.plant).label("plant"),
            certifier.scalar_subquery().label("certified_by"),
        )
        .join(MATERIALS, MATERIALS.c.code == LOTS.c.material)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == LOTS.c.work_order)
        .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(GIVEN, GIVEN.c.number == LOTS.c.number)
        .where(LOTS.c.number == number)
    )  # fmt: skip
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    label = LotLabel(
        lot=row.number, material=row.material, name=row.name, gtin=row.gtin, quantity=row.on_hand, unit=row.unit,
        status=row.status, expires_on=row.expires_on, plant=row.plant, certified_by=row.certified_by,
    )  # fmt: skip
    return label, row.created_at
