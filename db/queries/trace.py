"""Where a lot came from and where it went: the genealogy, read from the record alone.

A trace is one recursive statement over `lot_link` and one for the lots' own data, for one lot or for many. Links of
one (input, output, work order) are one edge with their sum, so quantities are net of what was put back (a link of a
negative quantity); what was put back in full is no edge, and the trace does not go through it. The statement walks all
that was ever put in, and what was put back is taken out here: to sum in the walk costs PostgreSQL twice as much.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import TIMESTAMP, ColumnElement, Connection, Select, String, TextClause, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.queries.marking import MARK, NONCONFORMING
from db.tables import Lot, LotLink, Place, StockMove, WorkOrder, core
from domain.quantities import plain

Direction: TypeAlias = Literal["forward", "backward", "both"]
LOTS, LINKS, MOVES, PLACES = core(Lot), core(LotLink), core(StockMove), core(Place)
WORK_ORDERS: Final = core(WorkOrder)
RETURN: Final = "return"
"""The kind of a move that brings back what had been there before."""
REWORK: Final = "rework"
"""The kind of the moves by which pieces of a lot become a lot of their own."""


class LotUnknown(KeyError):
    """There is no lot of this number."""

    def __init__(self, lot: str) -> None:
        super().__init__(lot)
        self.lot = lot

    def __str__(self) -> str:
        return f"there is no lot {self.lot}"


class Node(NamedTuple):
    """A lot of a trace; `quantity` is all that was ever received or made of it, returns not counted again."""

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
        return self.head() | as_documents(self.nodes, self.edges)

    def head(self) -> dict[str, Any]:
        """Which lot was traced, and whether it is nonconforming."""
        (own,) = (node for node in self.nodes if node.lot == self.lot)
        return {"lot": self.lot, MARK: own.status in NONCONFORMING, "direction": self.direction}


def as_documents(nodes: Sequence[Node], edges: Sequence[Edge]) -> dict[str, Any]:
    """Nodes and edges as JSON; quantities are text."""
    return {
        "nodes": [
            node._asdict() | {"quantity": plain(node.quantity), MARK: node.status in NONCONFORMING} for node in nodes
        ],
        "edges": [
            {
                "from": edge.source, "to": edge.target, "quantity": plain(edge.quantity), "unit": edge.unit,
                "workOrder": edge.work_order,
            }
            for edge in edges
        ],
    }  # fmt: skip


# The lots are walked first, each once (UNION), so a cycle ends and a lot that is reached in many ways is expanded
# once; the links are joined after that. OFFSET 0 keeps both joins lateral: they go by index for every lot of the walk,
# whatever the planner believes about how many there are.
_WALK: Final = """
    {name}(lot) AS (
        SELECT unnest(CAST(:lots AS varchar[]))
        UNION
        SELECT next.lot FROM {name} JOIN LATERAL (
            SELECT link.{there} AS lot FROM lot_link AS link
            WHERE link.{here} = {name}.lot AND link.quantity > 0 {during} OFFSET 0
        ) AS next ON true
    )"""
_LINKS: Final = """
    SELECT '{name}', own.* FROM {name} JOIN LATERAL (
        SELECT link.input_lot, link.output_lot, link.quantity, link.unit, link.work_order
        FROM lot_link AS link WHERE link.{here} = {name}.lot {during} OFFSET 0
    ) AS own ON true"""
# The numbers travel as one text: an array is written, and read, element by element.
_NODES: Final = text(
    """
    SELECT lot.number, lot.material, made.quantity, lot.unit, lot.status FROM lot JOIN LATERAL (
        SELECT coalesce(sum(move.quantity), 0) AS quantity FROM stock_move AS move
        WHERE move.lot = lot.number AND move.kind <> :return
        AND move.from_place = ANY (ARRAY(SELECT code FROM place WHERE zone = 'outside'))
    ) AS made ON true
    WHERE lot.number = ANY (ARRAY(SELECT jsonb_array_elements_text(:lots)))
    """
).bindparams(bindparam("lots", type_=JSONB), bindparam("return", RETURN))
_WAYS: Final = {"forward": ("input_lot", "output_lot"), "backward": ("output_lot", "input_lot")}
_DURING: Final = {
    "since": "AND link.linked_at >= :since",
    "until": "AND link.linked_at < :until",
}
_Key: TypeAlias = tuple[str, str, str, str]
"""Source, target, unit, work order: the links of one edge."""
_Link: TypeAlias = tuple[str, str, Decimal, str, str]
"""An edge that has no names yet."""
_ENDS: Final[dict[str, tuple[Literal[0, 1], Literal[0, 1]]]] = {"forward": (0, 1), "backward": (1, 0)}
"""Which end of a link a trace comes from, and which it goes to."""


def statement(direction: Direction, *limits: str) -> str:
    """The one statement of a trace; `limits` are of since and until. Its rows: forward or backward, then the link."""
    ways = _WAYS if direction == "both" else {direction: _WAYS[direction]}
    during = " ".join(_DURING[limit] for limit in limits)
    walks = [_WALK.format(name=name, here=here, there=there, during=during) for name, (here, there) in ways.items()]
    links = [_LINKS.format(name=name, here=here, during=during) for name, (here, _) in ways.items()]
    return f"WITH RECURSIVE {', '.join(walks)} {' UNION ALL '.join(links)}"


@cache
def _prepared(direction: Direction, *limits: str) -> TextClause:
    return text(statement(direction, *limits)).bindparams(
        bindparam("lots", type_=ARRAY(String)), *(bindparam(name, type_=TIMESTAMP(timezone=True)) for name in limits)
    )


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
    nodes, edges = closure(connection, (lot,), direction, since, until)
    if all(node.lot != lot for node in nodes):
        raise LotUnknown(lot)
    return Trace(lot, direction, nodes, edges)


def closure(
    connection: Connection,
    lots: Sequence[str],
    direction: Direction,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """The lots with all that they went into, were made from, or both: sorted nodes and edges, by two statements."""
    limits = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
    net: dict[str, dict[_Key, Decimal]] = {name: {} for name in _WAYS}
    for way, source, target, quantity, unit, work_order in _rows(
        connection, _prepared(direction, *limits), {"lots": list(lots), **limits}
    ):
        sums, key = net[way], (source, target, unit, work_order)
        sums[key] = sums[key] + quantity if key in sums else quantity
    links = [link for way, sums in net.items() for link in _left(sums, lots, _ENDS[way])]
    # A link of a cycle is found both ways. Plain tuples are sorted much faster than named ones.
    edges = tuple(map(Edge._make, sorted(set(links) if direction == "both" else links)))
    ends = set(lots).union([edge.source for edge in edges], [edge.target for edge in edges])
    return _nodes(connection, ends), edges


def _left(sums: Mapping[_Key, Decimal], lots: Sequence[str], ends: tuple[Literal[0, 1], Literal[0, 1]]) -> list[_Link]:
    """What is left of the links; when something was put back in full, only what is still reached from the lots."""
    found = [
        (source, target, quantity, unit, work_order)
        for (source, target, unit, work_order), quantity in sums.items()
        if quantity > 0
    ]
    if len(found) == len(sums):
        return found
    here, there = ends
    leaving: dict[str, set[str]] = defaultdict(set)
    for link in found:
        leaving[link[here]].add(link[there])
    reached, waiting = set(lots), list(lots)
    while waiting:
        new = leaving[waiting.pop()] - reached
        reached |= new
        waiting += new
    return [link for link in found if link[here] in reached]


def _nodes(connection: Connection, lots: set[str]) -> tuple[Node, ...]:
    """The lots' own data. What comes in from outside, by receipt or out of the process, is a lot's quantity."""
    return tuple(map(Node._make, sorted(_rows(connection, _NODES, {"lots": sorted(lots)}))))


def _rows(connection: Connection, query: TextClause, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
    """The rows as the driver makes them: a trace may have tens of thousands, and has no use for rows with names."""
    with connection.execute(query, values) as result:
        found: Sequence[tuple[Any, ...]] = result.cursor.fetchall()
    return found


def during(at: ColumnElement[Any], since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """The conditions of a time range: `since` is included, `until` is not."""
    found = [] if since is None else [at >= since]
    return found if until is None else [*found, at < until]


def made_quantity(since: datetime | None = None, until: datetime | None = None) -> Select[Any]:
    """What came in from outside of the lot of the statement around it. A return had come in before."""
    return (
        select(func.coalesce(func.sum(MOVES.c.quantity), 0).label("quantity"))
        .join(PLACES, PLACES.c.code == MOVES.c.from_place)
        .where(MOVES.c.lot == LOTS.c.number, PLACES.c.zone == "outside", MOVES.c.kind != RETURN)
        .where(*during(MOVES.c.moved_at, since, until))
    )


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
    return inputs_where(connection, LINKS.c.output_lot.in_(outputs), LINKS.c.work_order.in_(of_order))


def inputs_where(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[InputLot, ...]:
    """What was consumed by the links of these conditions."""
    quantity = func.sum(LINKS.c.quantity)
    statement = (
        select(LINKS.c.work_order, LINKS.c.input_lot, LOTS.c.material, quantity, LINKS.c.unit)
        .join(LOTS, LOTS.c.number == LINKS.c.input_lot)
        .where(*conditions)
        .group_by(LINKS.c.work_order, LINKS.c.input_lot, LOTS.c.material, LINKS.c.unit)
        .having(quantity > 0)
    )
    return tuple(sorted(InputLot(*row) for row in connection.execute(statement)))
