"""The picture of a genealogy: no lot covers another, what went in stands left, the same lots give the same picture."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.ui.svg.genealogy import GAP_X, GAP_Y, HEIGHT, MOST, WIDTH, Node, Picture, curve, grouped, layout, within

LOTS = [f"LOT-{number:02d}" for number in range(24)]
graphs = st.lists(st.tuples(st.sampled_from(LOTS), st.sampled_from(LOTS)), max_size=60)


def nodes(edges: list[tuple[str, str]]) -> list[Node]:
    """The lots of some links."""
    return [Node(lot, "M", "1", "kg", "released") for lot in sorted({lot for edge in edges for lot in edge})]


def place(picture: Picture) -> dict[str, Any]:
    """Lot → where it stands."""
    return {own.node.key: own for own in picture.nodes}


def behind(edges: list[tuple[str, str]], start: str) -> set[str]:
    """Everything that can be reached from a lot."""
    found: set[str] = set()
    while more := {target for source, target in edges if source in found | {start}} - found:
        found |= more
    return found


@given(graphs)
@settings(max_examples=200, deadline=None)
def test_no_lot_covers_another_and_all_lie_inside(edges: list[tuple[str, str]]) -> None:
    picture = layout(nodes(edges), edges)
    assert {own.node.key for own in picture.nodes} == {lot for edge in edges for lot in edge}
    for one, other in itertools.combinations(picture.nodes, 2):
        beside = one.x + WIDTH + GAP_X <= other.x or other.x + WIDTH + GAP_X <= one.x
        below = one.y + HEIGHT + GAP_Y <= other.y or other.y + HEIGHT + GAP_Y <= one.y
        assert beside or below, (one, other)
    for own in picture.nodes:
        assert own.x >= 0
        assert own.y >= 0
        assert own.x + WIDTH <= picture.width
        assert own.y + HEIGHT <= picture.height


@given(graphs)
@settings(max_examples=200, deadline=None)
def test_links_go_from_left_to_right_unless_they_close_a_cycle(edges: list[tuple[str, str]]) -> None:
    picture = layout(nodes(edges), edges)
    where = place(picture)
    drawn = {(line.source, line.target): line for line in picture.lines}
    assert set(drawn) == {edge for edge in edges if edge[0] != edge[1]}
    for edge, line in drawn.items():
        source, target = where[edge[0]], where[edge[1]]
        assert line.points[0] == (source.x + WIDTH, source.y + HEIGHT / 2)
        assert line.points[-1] == (target.x, target.y + HEIGHT / 2)
        if not line.is_back:
            assert source.layer < target.layer
            xs = [x for x, _ in line.points]
            assert xs == sorted(xs)
        else:
            assert edge[0] in behind(edges, edge[1]), "only a link that closes a cycle goes back"


@given(graphs, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_same_lots_in_any_order_give_the_same_picture(edges: list[tuple[str, str]], chance: Any) -> None:
    mixed, lots = list(edges), nodes(edges)
    chance.shuffle(mixed)
    shuffled = list(lots)
    chance.shuffle(shuffled)
    assert layout(shuffled, mixed) == layout(lots, edges)


def test_a_link_over_several_layers_runs_between_the_lots() -> None:
    chain = [("A", "B"), ("B", "C"), ("C", "D")]
    picture = layout(nodes(chain), [*chain, ("A", "D")])
    (long,) = (line for line in picture.lines if (line.source, line.target) == ("A", "D"))
    for own in picture.nodes:
        if own.node.key in ("B", "C"):
            passing = [y for x, y in long.points if own.x <= x <= own.x + WIDTH]
            assert passing
            assert all(y < own.y or y > own.y + HEIGHT for y in passing)
    assert curve(long.points).startswith("M")


def test_raw_lots_stand_left_and_the_finished_one_right() -> None:
    edges = [("API", "GRAN"), ("LACTOSE", "GRAN"), ("GRAN", "TABLET"), ("FOIL", "PACK"), ("TABLET", "PACK")]
    where = place(layout(nodes(edges), edges))
    assert [where[lot].layer for lot in ("API", "LACTOSE", "GRAN", "TABLET", "PACK")] == [0, 0, 1, 2, 3]


def test_only_ancestors_and_descendants_are_related() -> None:
    edges = [("API", "A"), ("API", "B"), ("A", "PACK"), ("B", "PACK-2")]
    assert within(edges, "A", 0) == {"A": 0, "API": -1, "PACK": 1}
    assert within([("X", "API"), *edges], "A", 1) == {"A": 0, "API": -1, "PACK": 1}
    assert within([("A", "A2"), ("A2", "A")], "A", 0) == {"A": 0, "A2": -1}, "a cycle ends"


def test_too_many_lots_are_grouped_by_layer_and_the_own_lot_stays() -> None:
    edges = [("OWN", f"KID-{number}") for number in range(MOST + 50)]
    own = [Node("OWN", "GRAN", "1", "kg", "released")]
    kids = [Node(target, "TAB", "1", "kg", "released" if n % 2 else "onHold") for n, (_, target) in enumerate(edges)]
    made, links = grouped(own + kids, edges, "OWN")
    assert sorted((one.count, one.status) for one in made) == [(1, "released"), (125, "onHold"), (125, "released")]
    assert len(links) == 2
    assert layout(made, links).width == 2 * WIDTH + GAP_X
    few = own + kids[:5]
    assert grouped(few, edges[:5], "OWN") == (few, edges[:5])
    alike = [Node(target, f"TAB-{n}", "1", "kg", "released") for n, (_, target) in enumerate(edges)]
    made, _ = grouped(own + alike, edges, "OWN")
    assert [(one.key == "OWN", one.count) for one in made] == [(True, 1), (False, 250)]


def test_a_deep_genealogy_needs_no_recursion() -> None:
    chain = [(f"L{number:05d}", f"L{number + 1:05d}") for number in range(3000)]
    where = place(layout(nodes(chain), chain))
    assert where["L03000"].layer == 3000
