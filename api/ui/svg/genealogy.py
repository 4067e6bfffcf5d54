"""The genealogy of a lot as a picture: what it was made from stands left of it, what it went into on the right.

`layout` places the lots in layers and is pure: the same lots give the same picture. A lot stands right of everything
that went into it; links that close a cycle (a batch that was put back into its own input) are drawn, and do not count
for that. Inside a layer lots stand near what they are linked with (the median heuristic of layered drawing: Gansner,
Koutsofios, North, Vo, "A technique for drawing directed graphs", 1993). A link over several layers gets a place of its
own in each, so that it runs between the lots and not through them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median_low
from typing import Final

WIDTH: Final = 172
HEIGHT: Final = 52
GAP_X: Final = 60
GAP_Y: Final = 16
LANE: Final = 10
"""The height of the place that a link takes in a layer which it only passes."""
MOST: Final = 200
"""Lots that are drawn one by one; of more, those of a layer that are alike become one."""
_SWEEPS: Final = 6


@dataclass(frozen=True)
class Node:
    """A lot, or `count` lots of one layer that are alike."""

    key: str
    material: str
    quantity: str
    unit: str
    status: str
    count: int = 1
    name: str = ""
    """How people call it, where the key is an identifier of another plant."""
    plant: str = ""
    """The plant that told of it, if it was another one."""

    @property
    def label(self) -> str:
        """What stands on it."""
        return self.name or self.key


@dataclass(frozen=True)
class Placed:
    """A node with its place: layer from the left, row from the top, and the upper left corner."""

    node: Node
    layer: int
    row: int
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A link as points from the right side of its source to the left side of its target."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    is_back: bool = False


@dataclass(frozen=True)
class Picture:
    """Everything with its place, in a drawing of `width` × `height`."""

    nodes: tuple[Placed, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


Edge = tuple[str, str]


# Which lots ----------------------------------------------------------------------------------------------------------


def within(edges: Iterable[Edge], lot: str, depth: int) -> dict[str, int]:
    """The lots that are at most `depth` links away, each with how far: negative for what it was made from.

    Only ancestors and descendants: what else was made from the same inputs is no relative of a lot. A depth of 0 is no
    limit.
    """
    into: dict[str, set[str]] = defaultdict(set)
    out: dict[str, set[str]] = defaultdict(set)
    for source, target in edges:
        out[source].add(target)
        into[target].add(source)
    found = {lot: 0}
    for links, sign in ((into, -1), (out, 1)):
        reached, seen, away = {lot}, {lot}, 0
        while reached and (depth == 0 or away < depth):
            away += 1
            reached = {other for one in reached for other in links[one]} - seen
            seen |= reached
            for other in reached:
                found.setdefault(other, sign * away)
    return found


def grouped(nodes: Sequence[Node], edges: Sequence[Edge], keep: str) -> tuple[list[Node], list[Edge]]:
    """The same with at most about `MOST` nodes: in each layer, lots of one material and status become one node.

    The lot that the picture is about stays by itself. When even that is too much, all lots of a layer become one.
    """
    if len(nodes) <= MOST:
        return list(nodes), list(edges)
    layers = _layers([node.key for node in nodes], edges)
    by_kind = {node.key: f"{layers[node.key]}/{node.material}/{node.status}" for node in nodes}
    if len(set(by_kind.values())) > MOST:
        by_kind = {node.key: f"{layers[node.key]}//" for node in nodes}
    members: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        members[node.key if node.key == keep else by_kind[node.key]].append(node)
    name = {node.key: f"group:{key}" for key, own in members.items() for node in own if len(own) > 1}
    made = [own[0] if len(own) == 1 else _group(key, own) for key, own in members.items()]
    links = {(name.get(source, source), name.get(target, target)) for source, target in edges}
    return made, sorted((source, target) for source, target in links if source != target)


def _group(key: str, members: Sequence[Node]) -> Node:
    one = members[0]
    is_alike = all(own.material == one.material for own in members)
    statuses = {own.status for own in members}
    return Node(
        f"group:{key}", one.material if is_alike else "", "", "", one.status if len(statuses) == 1 else "",
        len(members),
    )  # fmt: skip


# Where they stand ----------------------------------------------------------------------------------------------------


@dataclass
class _Layer:
    """What stands in a layer from top to bottom: keys of nodes, and `(source, target)` of links that pass."""

    order: list[str | Edge] = field(default_factory=list)


def layout(nodes: Sequence[Node], edges: Iterable[Edge]) -> Picture:
    """Everything with its place. Links to lots that are not there are left out; two links of two lots are one."""
    by_key = {node.key: node for node in sorted(nodes, key=lambda own: own.key)}
    links = sorted({edge for edge in edges if edge[0] in by_key and edge[1] in by_key and edge[0] != edge[1]})
    depth = _layers(list(by_key), links)
    forward = [edge for edge in links if depth[edge[0]] < depth[edge[1]]]
    layers = [_Layer() for _ in range(max(depth.values(), default=-1) + 1)]
    for key in by_key:
        layers[depth[key]].order.append(key)
    for source, target in forward:
        for between in range(depth[source] + 1, depth[target]):
            layers[between].order.append((source, target))
    _order(layers, forward, depth)
    return _drawn(by_key, layers, links, depth)


def _layers(keys: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Key → layer: one right of the rightmost that went into it. Links that close a cycle do not count."""
    out: dict[str, list[str]] = defaultdict(list)
    for source, target in sorted(edges):
        out[source].append(target)
    after: list[str] = []
    back: set[Edge] = set()
    _walk(sorted(keys), out, after, back)
    depth = dict.fromkeys(keys, 0)
    for key in reversed(after):
        for target in out[key]:
            if (key, target) not in back and target in depth:
                depth[target] = max(depth[target], depth[key] + 1)
    return depth


def _walk(keys: Sequence[str], out: Mapping[str, list[str]], after: list[str], back: set[Edge]) -> None:
    """A depth-first walk without recursion: `after` gets keys when all behind them are done, `back` what goes round."""
    state: dict[str, int] = {}
    for start in keys:
        if start in state:
            continue
        state[start] = 1
        path = [(start, iter(out.get(start, ())))]
        while path:
            key, targets = path[-1]
            target = next(targets, None)
            if target is None:
                state[key] = 2
                after.append(key)
                path.pop()
            elif state.get(target) == 1:
                back.add((key, target))
            elif target not in state:
                state[target] = 1
                path.append((target, iter(out.get(target, ()))))


def _order(layers: Sequence[_Layer], edges: Iterable[Edge], depth: Mapping[str, int]) -> None:
    """Sweep from left to right and back: each thing moves to the median of what it is linked with beside it."""
    left: dict[str | Edge, list[str | Edge]] = defaultdict(list)
    right: dict[str | Edge, list[str | Edge]] = defaultdict(list)
    for source, target in edges:
        way: list[str | Edge] = [source, *[(source, target)] * (depth[target] - depth[source] - 1), target]
        for first, second in pairwise(way):
            right[first].append(second)
            left[second].append(first)
    for sweep in range(_SWEEPS if layers else 0):
        is_forward = sweep % 2 == 0
        beside, sequence = (left, layers[1:]) if is_forward else (right, layers[-2::-1])
        previous = layers[0 if is_forward else -1]
        for layer in sequence:
            place = {one: number for number, one in enumerate(previous.order)}
            now = {one: number for number, one in enumerate(layer.order)}
            layer.order.sort(key=lambda one: (_middle(beside[one], place, now[one]), now[one]))
            previous = layer


def _middle(linked: Iterable[str | Edge], place: Mapping[str | Edge, int], own: int) -> int:
    places = sorted(place[one] for one in linked if one in place)
    return median_low(places) if places else own


def _height(one: str | Edge) -> float:
    return HEIGHT + GAP_Y if isinstance(one, str) else LANE


def _drawn(
    by_key: Mapping[str, Node], layers: Sequence[_Layer], links: Sequence[Edge], depth: Mapping[str, int]
) -> Picture:
    heights = [sum(map(_height, layer.order)) for layer in layers]
    height = max(heights, default=0.0)
    placed: dict[str, Placed] = {}
    lanes: dict[tuple[int, Edge], float] = {}
    for number, layer in enumerate(layers):
        y, row = (height - heights[number]) / 2 + GAP_Y / 2, 0
        for one in layer.order:
            if isinstance(one, str):
                placed[one] = Placed(by_key[one], number, row, number * (WIDTH + GAP_X), y)
                row += 1
            else:
                lanes[number, one] = y + LANE / 2 - GAP_Y / 2
            y += _height(one)
    lines = tuple(_line(edge, placed, lanes, depth) for edge in links)
    width = max(len(layers) * (WIDTH + GAP_X) - GAP_X, 0)
    nodes = tuple(sorted(placed.values(), key=lambda own: (own.layer, own.row)))
    return Picture(nodes, lines, width, max(height, 0.0))


def _line(
    edge: Edge, placed: Mapping[str, Placed], lanes: Mapping[tuple[int, Edge], float], depth: Mapping[str, int]
) -> Line:
    source, target = placed[edge[0]], placed[edge[1]]
    points = [(source.x + WIDTH, source.y + HEIGHT / 2)]
    for layer in range(source.layer + 1, target.layer):
        x = layer * (WIDTH + GAP_X)
        points += [(x, lanes[layer, edge]), (x + WIDTH, lanes[layer, edge])]
    points.append((target.x, target.y + HEIGHT / 2))
    return Line(*edge, tuple(points), is_back=depth[edge[0]] >= depth[edge[1]])


def curve(points: Sequence[tuple[float, float]]) -> str:
    """The path of a link: smooth between layers, straight where it passes one."""
    (x, y), *others = points
    parts = [f"M{x:g} {y:g}"]
    for nx, ny in others:
        bend = (nx - x) / 2 if nx > x else GAP_X
        parts.append(f"C{x + bend:g} {y:g} {nx - bend:g} {ny:g} {nx:g} {ny:g}" if ny != y or nx < x else f"H{nx:g}")
        x, y = nx, ny
    return "".join(parts)
