"""A trace over several plants: our own links, and those that other systems have told by EPCIS.

Our links and theirs are walked in turn until nothing new is reached. They meet at lots that both know: a lot that was
received here is the lot of that GTIN and supplier's lot number there (without a GTIN: of that material and number); a
lot that was made here is known there by its own identifier. What others tell is never written into our record.

A lot that is only known from outside stands in a trace under its identifier (`epc`), with status `external`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, String, and_, any_, bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.queries import trace as own
from db.queries.epcis_facts import LotIdentity, identities
from db.queries.trace import LOTS, Direction, Edge, LotUnknown, Node, as_documents
from db.tables import EpcisEvent, EpcisItem, Material, core
from domain.epcis import Identified, identified

ITEMS, EVENTS, MATERIALS = core(EpcisItem), core(EpcisEvent), core(Material)
EXTERNAL: Final = "external"


class Abroad(NamedTuple):
    """Where a lot or a link is known from; `name` is how people call the lot."""

    plant: str
    name: str
    epc: str


@dataclass
class Across:
    """A trace over several plants: nodes and edges, and which of them other plants told about."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    lots: dict[str, Abroad] = field(default_factory=dict)
    links: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(source, target, work order) → the plant that told of it."""

    def as_documents(self) -> dict[str, Any]:
        """Nodes and edges as JSON; what others told has `sourcePlant`, and their lots `name` and `epc`."""
        found = as_documents(self.nodes, self.edges)
        for node in found["nodes"]:
            if (there := self.lots.get(node["lot"])) is not None:
                node |= {"sourcePlant": there.plant, "name": there.name, "epc": there.epc}
        for edge in found["edges"]:
            if (plant := self.links.get((edge["from"], edge["to"], edge["workOrder"]))) is not None:
                edge["sourcePlant"] = plant
        return found


_WALK: Final = """
WITH RECURSIVE reached(epc) AS (
    SELECT unnest(CAST(:epcs AS varchar[]))
    UNION
    SELECT there.epc FROM reached
    JOIN epcis_item AS here ON here.epc = reached.epc AND here.role = '{here}' {during}
    JOIN epcis_item AS there ON there.transformation = here.transformation AND there.role = '{there}'
), passed(transformation) AS (
    SELECT DISTINCT item.transformation FROM reached
    JOIN epcis_item AS item ON item.epc = reached.epc AND item.role = '{here}' {limited}
)
SELECT item.transformation, item.role, item.epc, item.quantity, item.unit, event.plant
FROM passed JOIN epcis_item AS item USING (transformation) JOIN epcis_event AS event USING (event_id)
ORDER BY item.id
"""
_SIDES: Final = {"forward": ("input", "output"), "backward": ("output", "input")}


def is_told(connection: Connection) -> bool:
    """Whether any other system has told anything."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM epcis_event)")).scalar_one())


def trace(
    connection: Connection,
    site: str,
    lot: str,
    direction: Direction = "both",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Across:
    """The trace of one lot of ours over all plants. Raises `LotUnknown`."""
    found = closure(connection, site, (lot,), direction, since, until)
    if all(node.lot != lot for node in found.nodes):
        raise LotUnknown(lot)
    return found


def closure(
    connection: Connection, site: str, lots: Sequence[str], direction: Direction, since: datetime | None = None,
    until: datetime | None = None,
) -> Across:  # fmt: skip
    """The lots with all that they went into, were made from, or both, here and elsewhere; `site` is this system."""
    if not is_told(connection):
        return Across(*own.closure(connection, lots, direction, since, until))
    ways: tuple[Direction, ...] = ("forward", "backward") if direction == "both" else (direction,)
    walks = [_Walk(connection, site, way, since, until) for way in ways]
    for walk in walks:
        walk.go(lots)
    return _together(connection, walks, lots)


class _Told(NamedTuple):
    """One transformation of another plant: what went in and came out, net, and who told of it."""

    identity: str
    plant: str
    inputs: dict[str, tuple[Decimal, str]]
    outputs: dict[str, tuple[Decimal, str]]


class _Walk:
    """One direction."""

    def __init__(
        self, connection: Connection, site: str, way: Direction, since: datetime | None, until: datetime | None
    ) -> None:
        self.connection, self.site, self.way, self.limits = connection, site, way, (since, until)
        self.nodes: dict[str, Node] = {}
        self.edges: set[Edge] = set()
        self.told: dict[str, _Told] = {}
        self.epcs: set[str] = set()
        """The identifiers that were reached."""
        self.ours: dict[str, set[str]] = defaultdict(set)
        """Identifier → lots of ours that it is."""

    def go(self, lots: Iterable[str]) -> None:
        """Walk until nothing new is reached."""
        waiting = set(lots)
        while waiting:
            nodes, edges = own.closure(self.connection, sorted(waiting), self.way, *self.limits)
            new = {node.lot for node in nodes} - self.nodes.keys()
            self.nodes |= {node.lot: node for node in nodes}
            self.edges |= set(edges)
            found = self._abroad(_known_there(self.connection, self.site, new) if new else {})
            waiting = found - self.nodes.keys()

    def _abroad(self, there: dict[str, set[str]]) -> set[str]:
        """Walk on outside from these lots of ours; the lots of ours that are reached again."""
        for epc, lots in there.items():
            self.ours[epc] |= lots
        fresh = there.keys() - self.epcs
        if not fresh:
            return set()
        self.epcs |= fresh
        here, _ = _SIDES[self.way]
        since, until = self.limits
        limited = "".join(
            f"AND {{name}}.happened_at {sign} :{limit} "
            for limit, sign, value in (("since", ">=", since), ("until", "<", until))
            if value is not None
        )
        values = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
        statement = text(
            _WALK.format(
                here=here, there=_SIDES[self.way][1], during=limited.format(name="here"),
                limited=limited.format(name="item"),
            )
        ).bindparams(bindparam("epcs", type_=ARRAY(String)))  # fmt: skip
        reached, passed = _reached(
            _told(self.connection.execute(statement, {"epcs": sorted(fresh), **values})), fresh, self.way
        )
        self.told |= passed
        back = _known_here(self.connection, self.site, reached - self.epcs)
        self.epcs |= reached
        for epc, lots in back.items():
            self.ours[epc] |= lots
        return {lot for lots in back.values() for lot in lots}


def _told(rows: Iterable[Any]) -> dict[str, _Told]:
    """The transformations of the rows; what came back out of one was never in it."""
    found: dict[str, _Told] = {}
    for row in rows:
        one = found.setdefault(row.transformation, _Told(row.transformation, row.plant, {}, {}))
        side = one.outputs if row.role == "output" else one.inputs
        before, _ = side.get(row.epc, (Decimal(0), row.unit))
        quantity = row.quantity or Decimal(0)
        side[row.epc] = (before - quantity if row.role == "returned" else before + quantity, row.unit)
    return found


def _reached(told: Mapping[str, _Told], start: Collection[str], way: Direction) -> tuple[set[str], dict[str, _Told]]:
    """What is reached from some identifiers, and by which transformations: what came back in full is no way."""
    leaving: dict[str, list[_Told]] = defaultdict(list)
    for one in told.values():
        near = one.inputs if way == "forward" else one.outputs
        for epc, (quantity, _) in near.items():
            if quantity > 0 or way == "backward":
                leaving[epc].append(one)
    reached, waiting, passed = set(start), list(start), {}
    while waiting:
        for one in leaving[waiting.pop()]:
            passed[one.identity] = one
            far = one.outputs if way == "forward" else one.inputs
            new = {epc for epc, (quantity, _) in far.items() if quantity > 0 or way == "forward"} - reached
            reached |= new
            waiting += new
    return reached, passed


# Where ours and theirs meet ------------------------------------------------------------------------------------------


def _known_there(connection: Connection, site: str, lots: Collection[str]) -> dict[str, set[str]]:
    """Identifier of which others have told → the lots of ours that it is."""
    known = identities(connection, site, lots)
    by_epc: dict[str, set[str]] = defaultdict(set)
    for one in known.values():
        by_epc[one.epc].add(one.number)
    by_code: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in _without_gtin(known.values()):
        by_code[one.code, one.material].add(one.number)
    statement = (
        select(ITEMS.c.epc, ITEMS.c.lot, ITEMS.c.material)
        .distinct()
        .where(
            or_(
                ITEMS.c.epc == any_(bindparam("epcs", sorted(by_epc), ARRAY(String))),
                and_(
                    ITEMS.c.lot == any_(bindparam("codes", sorted({code for code, _ in by_code}), ARRAY(String))),
                    ITEMS.c.gtin.is_(None),
                ),
            )
        )
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(statement):
        if lots_of := by_epc.get(row.epc, set()) | by_code.get((row.lot, row.material), set()):
            found[row.epc] = lots_of
    return found


def _without_gtin(known: Iterable[LotIdentity]) -> list[LotIdentity]:
    """Received lots that only material and number tell: whoever made them wrote their site into the identifier."""
    return [one for one in known if one.origin == "received" and identified(one.epc).gtin is None]


def _known_here(connection: Connection, site: str, epcs: Collection[str]) -> dict[str, set[str]]:
    """Identifier → the lots of ours that it is."""
    asked = {epc: identified(epc) for epc in epcs}
    codes = sorted({one.lot for one in asked.values() if one.lot is not None})
    if not codes:
        return {}
    wanted = any_(bindparam("codes", codes, ARRAY(String)))
    numbers = connection.execute(
        select(LOTS.c.number).where(or_(LOTS.c.number == wanted, LOTS.c.supplier_lot == wanted))
    ).scalars()
    ours = identities(connection, site, list(numbers))
    loose = _without_gtin(ours.values())
    found: dict[str, set[str]] = {}
    for epc, one in asked.items():
        same = {own.number for own in ours.values() if own.epc == epc}
        if one.gtin is None:
            same |= {own.number for own in loose if (own.code, own.material) == (one.lot, one.material)}
        if same:
            found[epc] = same
    return found


# Nodes and edges -----------------------------------------------------------------------------------------------------


def _together(connection: Connection, walks: Sequence[_Walk], lots: Sequence[str]) -> Across:
    nodes = {name: node for walk in walks for name, node in walk.nodes.items()}
    edges = {edge for walk in walks for edge in walk.edges}
    links: dict[tuple[str, str, str], str] = {}
    foreign: set[str] = set()
    names: dict[str, set[str]] = defaultdict(set)
    for walk in walks:
        for epc, own_lots in walk.ours.items():
            names[epc] |= own_lots
    for walk in walks:
        for told in walk.told.values():
            for edge, ends in _edges(told, walk, names):
                edges.add(edge)
                links[edge.source, edge.target, edge.work_order] = told.plant
                foreign |= ends
    outside = {epc for epc in foreign if epc not in names}
    sources = _sources(connection, {*foreign, *names})
    nodes |= _nodes(connection, outside, walks)
    abroad = {epc: Abroad(sources.get(epc, ""), _name(identified(epc)), epc) for epc in outside}
    for epc, own_lots in names.items():
        if epc in sources:
            abroad |= {lot: Abroad(sources[epc], lot, epc) for lot in own_lots if lot in nodes}
    return Across(tuple(sorted(nodes.values())), tuple(sorted(edges)), abroad, links)


def _edges(told: _Told, walk: _Walk, names: dict[str, set[str]]) -> Iterable[tuple[Edge, set[str]]]:
    """Each input into each output, as far as the walk has reached: a transformation does not say what of what."""
    work_order = _work_order(told.identity)
    for source, (quantity, unit) in told.inputs.items():
        for target in told.outputs:
            if quantity > 0 and source in walk.epcs and target in walk.epcs and source != target:
                for one in names.get(source) or {source}:
                    for other in names.get(target) or {target}:
                        yield Edge(one, other, quantity, unit, work_order), {source, target}


def _work_order(identity: str) -> str:
    """The work order that a transformation of Millwright names, else its own id."""
    parts = identity.split(":")
    return parts[4] if identity.startswith("urn:millwright:transformation:") and len(parts) > 4 else identity


def _name(what: Identified) -> str:
    return what.lot or what.serial or what.epc


def _sources(connection: Connection, epcs: Collection[str]) -> dict[str, str]:
    """Identifier → the plant that made the lot; if nobody says who, the one that shipped it, else that speaks of it."""
    statement = (
        select(ITEMS.c.epc, EVENTS.c.plant)
        .join(EVENTS, EVENTS.c.event_id == ITEMS.c.event_id)
        .where(ITEMS.c.epc == any_(bindparam("epcs", sorted(epcs), ARRAY(String))))
        .order_by((ITEMS.c.role == "output").desc(), (EVENTS.c.step == "shipping").desc(), ITEMS.c.id)
    )
    found: dict[str, str] = {}
    for row in connection.execute(statement):
        found.setdefault(row.epc, row.plant)
    return found


def _nodes(connection: Connection, epcs: Collection[str], walks: Sequence[_Walk]) -> dict[str, Node]:
    """Lots that are only known from outside: our code of the material, if its GTIN is known here.

    The quantity is what was made of it, else what was received of it, else what is known to have been used.
    """
    asked = {epc: identified(epc) for epc in epcs}
    gtins = sorted({one.gtin for one in asked.values() if one.gtin is not None})
    codes = dict(
        row._tuple()
        for row in connection.execute(select(MATERIALS.c.gtin, MATERIALS.c.code).where(MATERIALS.c.gtin.in_(gtins)))
    )
    made: dict[str, tuple[Decimal, str]] = {}
    used: dict[str, tuple[Decimal, str]] = {}
    for walk in walks:
        for told in walk.told.values():
            made |= told.outputs
            for epc, (quantity, unit) in told.inputs.items():
                used[epc] = (used.get(epc, (Decimal(0), unit))[0] + quantity, unit)
    received = (
        select(ITEMS.c.epc, func.sum(ITEMS.c.quantity), func.max(ITEMS.c.unit))
        .join(EVENTS, EVENTS.c.event_id == ITEMS.c.event_id)
        .where(ITEMS.c.epc.in_(sorted(set(epcs) - made.keys())), EVENTS.c.step == "receiving")
        .group_by(ITEMS.c.epc)
    )
    for epc, quantity, unit in connection.execute(received):
        made[epc] = (quantity or Decimal(0), unit)
    found = {}
    for epc, one in asked.items():
        quantity, unit = made.get(epc, used.get(epc, (Decimal(0), "")))
        material = codes.get(one.gtin, one.gtin) if one.gtin else one.material
        found[epc] = Node(epc, material or "", quantity, unit, EXTERNAL)
    return found
