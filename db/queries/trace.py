"""Where a lot came from and where it went: the genealogy, read from the record alone.

A trace is one recursive statement over `lot_link` and one for the lots' own data. Links of one (input, output, work
order) are one edge with their sum; what was put back in full is no edge, and the trace does not go through it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import TIMESTAMP, Connection, String, bindparam, func, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import Deviation, Lot, LotLink, Place, ProductionOrder, StockBalance, StockMove, WorkOrder, core
from domain.quantities import plain

Direction: TypeAlias = Literal["forward", "backward", "both"]
LOTS, LINKS, MOVES, PLACES = core(Lot), core(LotLink), core(StockMove), core(Place)
WORK_ORDERS, ORDERS, DEVIATIONS = core(WorkOrder), core(ProductionOrder), core(Deviation)
BALANCES: Final = core(StockBalance)


class LotUnknown(KeyError):
    """There is no lot of this number."""

    def __init__(self, lot: str) -> None:
        super().__init__(lot)
        self.lot = lot

    def __str__(self) -> str:
        return f"there is no lot {self.lot}"


class Node(NamedTuple):
    """A lot of a trace; `quantity` is all that was ever received or made of it."""

    lot: str
    material: str
    quantity: Decimal
    unit: str
    status: str


class Edge(NamedTuple):
    """`quantity` of the `source` lot went into the `target` lot, in a work order."""

    source: str
    target: str
    quantity: Decimal
    unit: str
    work_order: str


@dataclass(frozen=True)
class Trace:
    """A lot with everything that it went into (forward), was made from (backward), or both."""

    lot: str
    direction: Direction
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def as_document(self) -> dict[str, Any]:
        """The trace as JSON; quantities are text."""
        return {
            "lot": self.lot,
            "direction": self.direction,
            "nodes": [node._asdict() | {"quantity": plain(node.quantity)} for node in self.nodes],
            "edges": [
                {
                    "from": edge.source, "to": edge.target, "quantity": plain(edge.quantity), "unit": edge.unit,
                    "workOrder": edge.work_order,
                }
                for edge in self.edges
            ],
        }  # fmt: skip


# The lots are walked first, each once (UNION), so a cycle ends and a lot that is reached in many ways is expanded
# once; the edges are joined after that. An aggregate may not stand in a recursive term itself, but in a lateral one;
# being lateral, both go by index for every lot of the walk, whatever the planner believes about how many there are.
_WALK: Final = """
    {name}(lot) AS (
        SELECT CAST(:lot AS varchar)
        UNION
        SELECT next.lot FROM {name} JOIN LATERAL (
            SELECT link.{there} AS lot FROM lot_link AS link
            WHERE link.{here} = {name}.lot {during}
            GROUP BY link.{there}, link.work_order, link.unit HAVING sum(link.quantity) > 0
        ) AS next ON true
    )"""
_EDGES: Final = """
    SELECT edge.* FROM {name} JOIN LATERAL (
        SELECT link.input_lot, link.output_lot, sum(link.quantity) AS quantity, link.unit, link.work_order
        FROM lot_link AS link WHERE link.{here} = {name}.lot {during}
        GROUP BY link.input_lot, link.output_lot, link.work_order, link.unit HAVING sum(link.quantity) > 0
    ) AS edge ON true"""
_WAYS: Final = {"forward": ("input_lot", "output_lot"), "backward": ("output_lot", "input_lot")}
_DURING: Final = {
    "since": "AND link.linked_at >= :since",
    "until": "AND link.linked_at < :until",
}


def statement(direction: Direction, *limits: str) -> str:
    """The one statement of a trace; `limits` are of since and until."""
    ways = _WAYS if direction == "both" else {direction: _WAYS[direction]}
    during = " ".join(_DURING[limit] for limit in limits)
    walks = [_WALK.format(name=name, here=here, there=there, during=during) for name, (here, there) in ways.items()]
    edges = [_EDGES.format(name=name, here=here, during=during) for name, (here, _) in ways.items()]
    return f"WITH RECURSIVE {', '.join(walks)} {' UNION '.join(edges)}"


def trace(
    connection: Connection,
    lot: str,
    direction: Direction = "both",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Trace:
    """The trace of a lot through all levels, by links written from `since` (included) to `until` (not included).

    Nodes and edges are sorted. Raises `LotUnknown`.
    """
    limits = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
    query = text(statement(direction, *limits)).bindparams(
        bindparam("lot", lot), *(bindparam(name, value, TIMESTAMP(timezone=True)) for name, value in limits.items())
    )
    edges = sorted(Edge(*row) for row in connection.execute(query))
    lots = {lot}.union(edge.source for edge in edges).union(edge.target for edge in edges)
    nodes = _nodes(connection, lots)
    if all(node.lot != lot for node in nodes):
        raise LotUnknown(lot)
    return Trace(lot, direction, tuple(nodes), tuple(edges))


def _nodes(connection: Connection, lots: set[str]) -> list[Node]:
    """The lots' own data. What comes in from outside, by receipt or out of the process, is a lot's quantity."""
    made = (
        select(func.coalesce(func.sum(MOVES.c.quantity), 0).label("quantity"))
        .join(PLACES, PLACES.c.code == MOVES.c.from_place)
        .where(MOVES.c.lot == LOTS.c.number, PLACES.c.zone == "outside")
        .lateral("made")
    )
    rows = connection.execute(
        select(LOTS.c.number, LOTS.c.material, made.c.quantity, LOTS.c.unit, LOTS.c.status)
        .join(made, true())
        .where(LOTS.c.number == func.any(bindparam("lots", sorted(lots), ARRAY(String))))
    )
    return sorted(Node(*row) for row in rows)


class InputLot(NamedTuple):
    """What a work order consumed of a lot, net."""

    work_order: str
    lot: str
    material: str
    quantity: Decimal
    unit: str


def input_lots(connection: Connection, order_number: str) -> tuple[InputLot, ...]:
    """What all work orders of a production order consumed, lots that the order made itself among it."""
    of_order = select(WORK_ORDERS.c.number).where(WORK_ORDERS.c.order_number == order_number)
    outputs = select(WORK_ORDERS.c.output_lot).where(WORK_ORDERS.c.order_number == order_number)
    return _inputs(connection, LINKS.c.output_lot.in_(outputs) & LINKS.c.work_order.in_(of_order))


def _inputs(connection: Connection, condition: Any) -> tuple[InputLot, ...]:
    quantity = func.sum(LINKS.c.quantity)
    statement = (
        select(LINKS.c.work_order, LINKS.c.input_lot, LOTS.c.material, quantity, LINKS.c.unit)
        .join(LOTS, LOTS.c.number == LINKS.c.input_lot)
        .where(condition)
        .group_by(LINKS.c.work_order, LINKS.c.input_lot, LOTS.c.material, LINKS.c.unit)
        .having(quantity > 0)
    )
    return tuple(sorted(InputLot(*row) for row in connection.execute(statement)))


@dataclass(frozen=True)
class BatchSummary:
    """A batch on one page. Of a received lot `work_order` and `order_number` are none."""

    lot: str
    material: str
    unit: str
    status: str
    origin: str
    quantity: Decimal
    on_hand: Decimal
    work_order: str | None
    order_number: str | None
    order_state: str | None
    inputs: tuple[InputLot, ...]
    used_in: int
    deviations: int


def batch_summary(connection: Connection, batch_no: str) -> BatchSummary:
    """What a batch is, how much was made and is left, from what, and where it goes. Raises `LotUnknown`."""

    def count(table: Any, *conditions: Any) -> Any:
        return select(func.count()).select_from(table).where(*conditions).scalar_subquery()

    made = (
        select(func.coalesce(func.sum(MOVES.c.quantity), 0))
        .join(PLACES, PLACES.c.code == MOVES.c.from_place)
        .where(MOVES.c.lot == LOTS.c.number, PLACES.c.zone == "outside")
        .scalar_subquery()
    )
    on_hand = (
        select(func.coalesce(func.sum(BALANCES.c.on_hand), 0)).where(BALANCES.c.lot == LOTS.c.number).scalar_subquery()
    )
    used_in = (
        select(func.count(LINKS.c.output_lot.distinct())).where(LINKS.c.input_lot == LOTS.c.number).scalar_subquery()
    )
    row = connection.execute(
        select(
            LOTS.c.number, LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.origin, made, on_hand,
            WORK_ORDERS.c.number, ORDERS.c.number, ORDERS.c.state, used_in,
            count(DEVIATIONS, (DEVIATIONS.c.lot == LOTS.c.number) | (DEVIATIONS.c.work_order == WORK_ORDERS.c.number)),
        )
        .select_from(
            LOTS.outerjoin(WORK_ORDERS, WORK_ORDERS.c.output_lot == LOTS.c.number)
            .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        )
        .where(LOTS.c.number == batch_no)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise LotUnknown(batch_no)
    inputs = _inputs(connection, LINKS.c.output_lot == batch_no)
    return BatchSummary(*row[:10], inputs=inputs, used_in=row[10], deviations=row[11])


class Validation(NamedTuple):
    """Whether a batch is what it is said to be; `reasons` are empty when it is."""

    valid: bool
    reasons: tuple[str, ...]


def validate_batch(connection: Connection, batch_no: str, product: str) -> Validation:
    """Whether the batch exists, is of this product, and its genealogy agrees with the stock moves."""
    try:
        summary = batch_summary(connection, batch_no)
    except LotUnknown as unknown:
        return Validation(False, (str(unknown),))
    reasons: list[str] = []
    if summary.material != product:
        reasons.append(f"batch {batch_no} is {summary.material}, not {product}")
    if summary.status in ("rejected", "recalled", "returned", "destroyed"):
        reasons.append(f"batch {batch_no} is {summary.status}")
    if summary.origin == "produced":
        reasons += _contradictions(connection, summary)
    return Validation(not reasons, tuple(reasons))


def _contradictions(connection: Connection, summary: BatchSummary) -> Sequence[str]:
    """Where links and moves of the work order differ: every quantity that left the line stands in the genealogy."""
    if summary.work_order is None:
        return [f"no work order made batch {summary.lot}"]
    statement = (
        select(MOVES.c.lot, func.sum(MOVES.c.quantity))
        .where(MOVES.c.work_order == summary.work_order, MOVES.c.to_place == "PROCESS", MOVES.c.lot != summary.lot)
        .group_by(MOVES.c.lot)
    )
    moved: dict[str, Decimal] = {row[0]: row[1] for row in connection.execute(statement)}
    linked: dict[str, Decimal] = {}
    for entry in summary.inputs:
        if entry.work_order == summary.work_order:
            linked[entry.lot] = linked.get(entry.lot, Decimal(0)) + entry.quantity
    nothing = Decimal(0)
    return [
        f"{lot}: {plain(moved.get(lot, nothing))} consumed, {plain(linked.get(lot, nothing))} in the genealogy"
        for lot in sorted(moved.keys() | linked.keys())
        if moved.get(lot, nothing) != linked.get(lot, nothing)
    ]
