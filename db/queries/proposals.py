"""Where a finished lot could be put: two statements, however many places there are."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, Text, case, cast, exists, func, literal, select

from db.tables import Lot, Place, PlantPolicy, ProductionOrder, PutAwayRow, StockBalance, WorkOrder, core
from domain.states import LotStatus

PUT_AWAYS, WORK_ORDERS, ORDERS, POLICIES = core(PutAwayRow), core(WorkOrder), core(ProductionOrder), core(PlantPolicy)
LOTS, PLACES, BALANCES = core(Lot), core(Place), core(StockBalance)
REASONS: Final = ("SAME_LOT", "SAME_MATERIAL", "PLANT_POLICY", "EMPTY", "ZONE_FITS")
"""Why a place is proposed, the best reason first."""


def put_away(connection: Connection, identity: UUID) -> Row[Any] | None:
    """The put-away order of that uuid, with its lot, the lot's status, and the place that the plant's policy names."""
    policy_place = (
        select(POLICIES.c.body["putAwayPlace"].astext)
        .where(POLICIES.c.code == ORDERS.c.policy)
        .order_by(POLICIES.c.version.desc())
        .limit(1)
    )
    statement = (
        select(
            PUT_AWAYS, WORK_ORDERS.c.material, WORK_ORDERS.c.unit,
            func.coalesce(LOTS.c.status, LotStatus.QUARANTINE.value).label("status"),
            policy_place.scalar_subquery().label("policy_place"),
        )
        .join(WORK_ORDERS, WORK_ORDERS.c.number == PUT_AWAYS.c.work_order)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .outerjoin(LOTS, LOTS.c.number == PUT_AWAYS.c.lot)
        .where(PUT_AWAYS.c.uuid == identity)
    )  # fmt: skip
    return connection.execute(statement).one_or_none()


def places(
    connection: Connection, order: Row[Any], zones: Sequence[str], without: Sequence[str], limit: int
) -> Sequence[Row[Any]]:
    """The best places in these zones, `zones` in order of preference: `reason` is the place of one in REASONS."""
    of_lot = func.sum(BALANCES.c.on_hand).filter(BALANCES.c.lot == order.lot)
    held = (
        select(
            BALANCES.c.place,
            func.coalesce(of_lot, 0).label("of_lot"),
            func.sum(BALANCES.c.on_hand).label("of_material"),
        )
        .join(LOTS, LOTS.c.number == BALANCES.c.lot)
        .where(LOTS.c.material == order.material, BALANCES.c.on_hand > 0)
        .group_by(BALANCES.c.place)
        .subquery()
    )
    is_used = exists().where(BALANCES.c.place == PLACES.c.code, BALANCES.c.on_hand > 0)
    policy_place = cast(literal(order.policy_place), Text())
    reason = case(
        (held.c.of_lot > 0, 0), (held.c.of_material > 0, 1), (PLACES.c.code == policy_place, 2), (~is_used, 3), else_=4
    )
    preference = case({zone: rank for rank, zone in enumerate(zones)}, value=PLACES.c.zone)
    statement = (
        select(PLACES, held.c.of_lot, held.c.of_material, reason.label("reason"))
        .outerjoin(held, held.c.place == PLACES.c.code)
        .where(PLACES.c.zone.in_(zones), PLACES.c.code.not_in(without))
        .order_by(reason, preference, PLACES.c.code)
        .limit(limit)
    )
    return connection.execute(statement).all()
