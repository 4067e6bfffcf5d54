"""What reports count: each figure is a sum over rows that can be listed, so a number always leads to its records.

Everything is counted when it was recorded: a counter-report takes back on its own day what it takes back. Good pieces
are what was booked into a lot, less what was taken out of it again as scrap; scrap is what was reported as such in
the product's unit, and what was taken out of a lot. Each function makes one statement.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from db.tables import (
    OUTSIDE_PLACES,
    Deviation,
    Lot,
    Material,
    ProductionOrder,
    ProductionReport,
    StateTransition,
    StockBalance,
    StockMove,
    WorkOrder,
    core,
)

MOVES, LOTS, BALANCES, MATERIALS = core(StockMove), core(Lot), core(StockBalance), core(Material)
REPORTS, WORK_ORDERS, ORDERS = core(ProductionReport), core(WorkOrder), core(ProductionOrder)
TRANSITIONS, DEVIATIONS = core(StateTransition), core(Deviation)

Inside = Sequence[ColumnElement[bool]]
Document = dict[str, Any]
MOST: Final = 100_000
"""Rows of one list, as a file."""
_OF_ORDER: Final = (
    WORK_ORDERS.c.material.label("product"), ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"),
    WORK_ORDERS.c.number.label("work_order"),
)  # fmt: skip


def day_of(column: Any, zone: str) -> Any:
    """The plant's day of a time."""
    return cast(func.timezone(zone, column), Date)


# Output, yield, scrap ---------------------------------------------------------------------------------------------


def pieces(since: datetime, until: datetime, inside: Inside = (), product: str | None = None) -> Subquery:
    """The rows of output and scrap: `kind` good or scrap, `quantity` (negative when taken back), `reference`."""
    of_lot = MOVES.join(WORK_ORDERS, WORK_ORDERS.c.number == MOVES.c.work_order).join(
        ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number
    )
    own = (MOVES.c.lot == WORK_ORDERS.c.output_lot, MOVES.c.moved_at >= since, MOVES.c.moved_at < until)
    sign = case((MOVES.c.kind == "produce", MOVES.c.quantity), else_=-MOVES.c.quantity)
    good = (
        select(
            MOVES.c.moved_at.label("at"), literal("good").label("kind"), sign.label("quantity"), MOVES.c.unit,
            MOVES.c.kind.label("reason"), MOVES.c.lot.label("reference"), literal("").label("operation"),
            literal("").label("workstation"), MOVES.c.actor.label("person"), *_OF_ORDER,
        )
        .select_from(of_lot)
        .where(MOVES.c.kind.in_(("produce", "reverse", "scrap")), *own)
    )  # fmt: skip
    thrown = (
        select(
            MOVES.c.moved_at.label("at"), literal("scrap").label("kind"), MOVES.c.quantity, MOVES.c.unit,
            literal(LOT_SCRAPPED).label("reason"), MOVES.c.lot.label("reference"), literal("").label("operation"),
            literal("").label("workstation"), MOVES.c.actor.label("person"), *_OF_ORDER,
        )
        .select_from(of_lot)
        .where(MOVES.c.kind == "scrap", *own)
    )  # fmt: skip
    every = union_all(*(_limited(one, inside, product) for one in (good, thrown, _reported(since, until))))
    return every.subquery("pieces")


LOT_SCRAPPED: Final = "lotScrapped"
"""The reason of pieces that were taken out of a lot."""


def _reported(since: datetime, until: datetime) -> Select[Any]:
    taken_back = REPORTS.alias("taken_back")
    return (
        select(
            REPORTS.c.reported_at.label("at"), literal("scrap").label("kind"), REPORTS.c.scrap.label("quantity"),
            REPORTS.c.unit, func.coalesce(taken_back.c.scrap_reason, REPORTS.c.scrap_reason, "").label("reason"),
            REPORTS.c.number.label("reference"), REPORTS.c.operation,
            func.coalesce(taken_back.c.workstation, REPORTS.c.workstation).label("workstation"),
            REPORTS.c.operator.label("person"), *_OF_ORDER,
        )
        .select_from(
            REPORTS.join(WORK_ORDERS, WORK_ORDERS.c.number == REPORTS.c.work_order)
            .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
            .outerjoin(taken_back, taken_back.c.number == REPORTS.c.reverses)
        )
        .where(
            REPORTS.c.reported_at >= since, REPORTS.c.reported_at < until, REPORTS.c.scrap != 0,
            REPORTS.c.unit == WORK_ORDERS.c.unit,
        )
    )  # fmt: skip


def _limited(statement: Select[Any], inside: Inside, product: str | None) -> Select[Any]:
    found = statement.where(*inside)
    return found.where(WORK_ORDERS.c.material == product) if product else found


def output(connection: Connection, rows: Subquery, zone: str) -> list[Document]:
    """Good and scrap by product and day, newest day first."""
    day = day_of(rows.c.at, zone).label("day")
    good, scrap = (func.coalesce(func.sum(rows.c.quantity).filter(rows.c.kind == kind), 0) for kind in KINDS)
    statement = (
        select(
            day, rows.c.product, MATERIALS.c.name, rows.c.unit, good.label("good"), scrap.label("scrap"),
            func.count(rows.c.order_number.distinct()).label("orders"),
        )
        .outerjoin_from(rows, MATERIALS, MATERIALS.c.code == rows.c.product)
        .group_by(day, rows.c.product, MATERIALS.c.name, rows.c.unit)
        .order_by(day.desc(), rows.c.product)
    )  # fmt: skip
    return _documents(connection, statement)


KINDS: Final = ("good", "scrap")


def pareto(connection: Connection, rows: Subquery) -> list[Document]:
    """Scrap by reason and unit, the most first; what sums to nothing is left out."""
    total = func.sum(rows.c.quantity).label("quantity")
    statement = (
        select(rows.c.reason, rows.c.unit, total, func.count().label("count"))
        .where(rows.c.kind == "scrap")
        .group_by(rows.c.reason, rows.c.unit)
        .having(func.sum(rows.c.quantity) > 0)
        .order_by(total.desc(), rows.c.reason)
    )
    return _documents(connection, statement)


def piece_rows(connection: Connection, rows: Subquery, zone: str, limit: int, **wanted: Any) -> list[Document]:
    """The rows behind a figure; `wanted`: day, product, kind, reason."""
    statement = select(rows).order_by(rows.c.at.desc(), rows.c.reference).limit(limit)
    for name, value in wanted.items():
        if value not in (None, "") or (name == "reason" and value is not None):
            column = day_of(rows.c.at, zone) if name == "day" else rows.c[name]
            statement = statement.where(column == value)
    return _documents(connection, statement)


# Lead time --------------------------------------------------------------------------------------------------------


def milestones(connection: Connection, since: datetime, until: datetime, inside: Inside = ()) -> list[Document]:
    """When each work order that was done in the period came to each stage first; None: it never did."""

    def first(entity: str, identity: Any, state: str) -> Any:
        is_own = and_(TRANSITIONS.c.entity == entity, TRANSITIONS.c.entity_id == identity)
        return func.min(TRANSITIONS.c.at).filter(is_own, TRANSITIONS.c.to_state == state)

    of_work_order = {name: first("work-order", WORK_ORDERS.c.number, name) for name in WORK_ORDER_STEPS}
    of_order = {name: first("production-order", ORDERS.c.number, name) for name in ("released", "closed")}
    statement = (
        select(
            WORK_ORDERS.c.number.label("work_order"), WORK_ORDERS.c.material.label("product"),
            ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"),
            ORDERS.c.created_at.label("created"),
            *(value.label(name) for name, value in (of_work_order | of_order).items()),
        )
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .join(TRANSITIONS, TRANSITIONS.c.order_number == ORDERS.c.number)
        .where(
            WORK_ORDERS.c.actual_end >= since, WORK_ORDERS.c.actual_end < until,
            WORK_ORDERS.c.state.in_(("completed", "closed")), *inside,
        )
        .group_by(WORK_ORDERS.c.number, WORK_ORDERS.c.material, ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.created_at)
        .order_by(ORDERS.c.number, WORK_ORDERS.c.number)
        .limit(MOST)
    )  # fmt: skip
    return _documents(connection, statement)


WORK_ORDER_STEPS: Final = ("dispatched", "ready", "inspecting", "puttingAway", "completed")


_OUTSIDE: Final = tuple(sorted(OUTSIDE_PLACES))
_INTO, _OUT = MOVES.c.from_place.in_(_OUTSIDE), MOVES.c.to_place.in_(_OUTSIDE)
_CHANGE: Final = case((and_(_INTO, ~_OUT), MOVES.c.quantity), (and_(_OUT, ~_INTO), -MOVES.c.quantity), else_=0)


# Material ---------------------------------------------------------------------------------------------------------


def balance(connection: Connection, since: datetime, until: datetime) -> list[Document]:
    """Of each material that lies or was moved: what there was at first, what came and went, what is left.

    `closing` is today's stock without what was moved since; `opening` follows from it. Moves between places of the
    plant change neither.
    """
    during = and_(MOVES.c.moved_at >= since, MOVES.c.moved_at < until)

    def went(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(MOVES.c.quantity).filter(during, condition), 0)

    moved = (
        select(
            LOTS.c.material, LOTS.c.unit,
            *(went(_DIRECTIONS[name]).label(name) for name in DIRECTIONS),
            func.coalesce(func.sum(_CHANGE).filter(during), 0).label("change"),
            func.coalesce(func.sum(_CHANGE).filter(MOVES.c.moved_at >= until), 0).label("since_then"),
        )
        .join(LOTS, LOTS.c.number == MOVES.c.lot)
        .where(MOVES.c.moved_at >= since)
        .group_by(LOTS.c.material, LOTS.c.unit)
        .subquery()
    )  # fmt: skip
    lies = (
        select(LOTS.c.material, LOTS.c.unit, func.sum(BALANCES.c.on_hand).label("on_hand"))
        .join(LOTS, LOTS.c.number == BALANCES.c.lot)
        .group_by(LOTS.c.material, LOTS.c.unit)
        .subquery()
    )
    same = and_(lies.c.material == moved.c.material, lies.c.unit == moved.c.unit)
    both = lies.outerjoin(moved, same)
    closing = lies.c.on_hand - func.coalesce(moved.c.since_then, 0)
    statement = (
        select(
            lies.c.material, MATERIALS.c.name, lies.c.unit,
            (closing - func.coalesce(moved.c.change, 0)).label("opening"),
            *(func.coalesce(moved.c[name], 0).label(name) for name in DIRECTIONS), closing.label("closing"),
        )
        .select_from(both.outerjoin(MATERIALS, MATERIALS.c.code == lies.c.material))
        .order_by(lies.c.material, lies.c.unit)
    )  # fmt: skip
    return _documents(connection, statement)


DIRECTIONS: Final = (
    "received", "produced", "consumed", "scrapped", "sampled", "lost", "found", "shipped", "takenBack",
)  # fmt: skip
_DIRECTIONS: Final = {
    "received": MOVES.c.from_place == "SUPPLIER",
    "produced": MOVES.c.from_place.in_(("PROCESS", "SCRAP")),
    "consumed": MOVES.c.to_place == "PROCESS",
    "scrapped": MOVES.c.to_place == "SCRAP",
    "sampled": MOVES.c.to_place == "SAMPLE",
    "lost": MOVES.c.to_place == "DIFFERENCE",
    "found": MOVES.c.from_place == "DIFFERENCE",
    "shipped": MOVES.c.to_place == "CUSTOMER",
    "takenBack": MOVES.c.from_place == "CUSTOMER",
}
"""What a move into the plant or out of it is, by the place outside that it goes to or comes from."""


WAY: Final = ">"
"""Between two places: `RAW>LINE` is a direction, too."""
STOCKS: Final = ("opening", "closing")
"""Stock at the beginning and end of a period; its rows are all moves until then."""


def move_rows(
    connection: Connection, since: datetime, until: datetime, limit: int, material: str, direction: str = ""
) -> list[Document]:
    """The moves of a material in the period, newest first: all of them, those of one direction, or everything that
    made the stock at its beginning or end. `change` is what a move does to the stock of the plant."""
    statement = (
        select(
            MOVES.c.moved_at.label("at"), LOTS.c.material.label("product"), MOVES.c.kind, MOVES.c.quantity,
            MOVES.c.unit, _CHANGE.label("change"), MOVES.c.lot.label("reference"), MOVES.c.from_place,
            MOVES.c.to_place, MOVES.c.actor.label("person"), WORK_ORDERS.c.number.label("work_order"),
            ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"),
        )
        .join(LOTS, LOTS.c.number == MOVES.c.lot)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == MOVES.c.work_order)
        .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(LOTS.c.material == material, MOVES.c.moved_at < (since if direction == "opening" else until))
        .order_by(MOVES.c.moved_at.desc(), MOVES.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    if direction in STOCKS:
        return _documents(connection, statement.where(_CHANGE != 0))
    if direction in _DIRECTIONS:
        statement = statement.where(_DIRECTIONS[direction])
    elif WAY in direction:
        from_place, _, to_place = direction.partition(WAY)
        statement = statement.where(MOVES.c.from_place == from_place, MOVES.c.to_place == to_place)
    return _documents(connection, statement.where(MOVES.c.moved_at >= since))


# Delivery, deviations ---------------------------------------------------------------------------------------------


def due(connection: Connection, since: datetime, until: datetime, inside: Inside = ()) -> list[Document]:
    """Orders that were due in the period, by due time, with when they were done. Cancelled ones do not count."""
    statement = (
        select(
            ORDERS.c.due_at.label("at"), ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"),
            ORDERS.c.product, ORDERS.c.quantity, ORDERS.c.unit, ORDERS.c.state, ORDERS.c.actual_end.label("done_at"),
        )
        .where(
            ORDERS.c.due_at >= since, ORDERS.c.due_at < until, ORDERS.c.state.not_in(("cancelled", "aborted")), *inside
        )
        .order_by(ORDERS.c.due_at, ORDERS.c.number)
        .limit(MOST)
    )  # fmt: skip
    return _documents(connection, statement)


def deviations(connection: Connection, since: datetime, until: datetime, inside: Inside = ()) -> list[Document]:
    """Deviations that were opened in the period, newest first."""
    statement = (
        select(
            DEVIATIONS.c.opened_at.label("at"), DEVIATIONS.c.number.label("reference"), DEVIATIONS.c.code,
            DEVIATIONS.c.detail, DEVIATIONS.c.state, DEVIATIONS.c.lot, DEVIATIONS.c.equipment, DEVIATIONS.c.operation,
            DEVIATIONS.c.opened_by.label("person"), DEVIATIONS.c.decided_at, DEVIATIONS.c.has_process,
            ORDERS.c.number.label("order_number"), ORDERS.c.uuid.label("order_id"), ORDERS.c.product,
        )
        .outerjoin(ORDERS, ORDERS.c.number == DEVIATIONS.c.order_number)
        .where(DEVIATIONS.c.opened_at >= since, DEVIATIONS.c.opened_at < until, *inside)
        .order_by(DEVIATIONS.c.opened_at.desc(), DEVIATIONS.c.number.desc())
        .limit(MOST)
    )  # fmt: skip
    return _documents(connection, statement)


def products(connection: Connection, inside: Inside = ()) -> list[str]:
    """Products that there are orders of."""
    return list(
        connection.execute(select(ORDERS.c.product).distinct().where(*inside).order_by(ORDERS.c.product)).scalars()
    )


def _documents(connection: Connection, statement: Select[Any]) -> list[Document]:
    return [dict(row._mapping) for row in connection.execute(statement)]
