"""The seeded genealogy is what it says, and a trace through it finds what the bare recursive SQL finds."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import psycopg
import pytest
from rich.console import Console

from benchmarks import genealogy
from benchmarks.genealogy import HOT, LEVELS, LINKS_OF_A_LOT, Size, lots
from benchmarks.progress import Bars
from benchmarks.trace import DIRECTIONS, Settings, bare, measure, product
from db.queries.trace import Direction
from db.session import engine_for, reading
from system import Addresses
from tests.conftest import Database, copied_database

SMALL = Size(3_000, hot_descendants=200, seed=7)


def graph_of(size: Size) -> "nx.DiGraph[str]":
    found: nx.DiGraph[str] = nx.DiGraph()
    for made in lots(size):
        found.add_node(made.number)
        found.add_edges_from((lot, made.number) for lot in made.inputs)
    return found


def test_every_lot_has_three_links_and_a_trace_passes_all_levels() -> None:
    made = list(lots(SMALL))
    assert len({own.number for own in made}) == len(made) == SMALL.lots
    assert sum(len(own.inputs) for own in made) == LINKS_OF_A_LOT * SMALL.lots
    level = {own.number: own.level for own in made}
    assert all(level[lot] < own.level for own in made for lot in own.inputs)
    assert all(len(set(own.inputs)) == len(own.inputs) for own in made)
    assert nx.dag_longest_path_length(graph_of(SMALL)) == LEVELS - 1


@pytest.mark.parametrize(("size", "descendants"), [(SMALL, 200), (Size(1_000), 100)])
def test_the_hot_lot_has_so_many_descendants_and_no_more(size: Size, descendants: int) -> None:
    assert len(nx.descendants(graph_of(size), HOT)) == size.family == descendants


def test_the_seed_decides_alone() -> None:
    again = Size(500, seed=3)
    assert list(lots(again)) == list(lots(again))
    assert list(lots(again)) != list(lots(Size(500, seed=4)))


@pytest.fixture(scope="module")
def seeded(servers: Addresses, template: str) -> Iterator[Database]:
    """A database with a small genealogy."""
    with copied_database(servers, template) as database:
        done: list[int] = []
        rows = genealogy.write(database.owner_url, SMALL, done.append)
        links = LINKS_OF_A_LOT * SMALL.lots
        assert rows == {"lot": SMALL.lots, "stock_move": links + SMALL.lots, "lot_link": links}
        assert sum(done) == 3 * SMALL.lots
        yield database


@pytest.mark.accepts("C2")
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_trace_is_what_the_bare_recursive_sql_finds(seeded: Database, direction: Direction) -> None:
    """Every row, exact: links with their quantities, lots with what was made of them and their status."""
    graph = graph_of(SMALL)
    chosen = [HOT, *sorted(graph)[:: SMALL.lots // 12]]
    engine = engine_for(seeded.app_url, pool_size=1)
    sizes = Counter[bool]()
    with reading(engine) as ours, psycopg.connect(seeded.app_url, autocommit=True) as theirs:
        for lot in chosen:
            found, expected = product(ours, lot, direction), bare(theirs, lot, direction)
            assert sorted(map(tuple, found.links)) == sorted(expected.links)
            assert sorted(map(tuple, found.lots)) == sorted(expected.lots)
            near = set() if direction == "backward" else nx.descendants(graph, lot)
            near |= set() if direction == "forward" else nx.ancestors(graph, lot)
            assert {own[0] for own in found.lots} == near | {lot}
            sizes[len(found.links) > 10] += 1
    engine.dispose()
    assert sizes[True] >= 4


def test_indexes_and_guards_are_there_again_after_seeding(seeded: Database) -> None:
    """Seeding drops indexes and passes by triggers: afterwards the tables are as the product wants them."""
    with psycopg.connect(seeded.owner_url) as connection:
        found = connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'lot_link'").fetchall()
        assert {"ix_lot_link_input", "ix_lot_link_output", "ix_lot_link_work_order"} <= {name for (name,) in found}
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            connection.execute("DELETE FROM lot_link")


@pytest.mark.timeout(240)
def test_what_is_measured_is_the_same_work_on_both_sides(tmp_path: Path) -> None:
    settings = Settings(sizes=(1_000,), samples=3, cold=1, hot_descendants=80)
    found = measure(tmp_path / "trace", settings, Bars(Console(stderr=True)))["perSize"]["1000"]
    assert found["lots"] == 1_000
    assert found["rows"]["lot_link"] == 3_000
    for name in (*DIRECTIONS, "hotLot"):
        one = found[name]
        assert one["differences"] == 0
        assert one["product"]["count"] == one["bareSql"]["count"] == one["traces"]
        assert one["linksOfATrace"] > 0
        assert one["ratio"] > 0
        assert one["coldProduct"]["count"] == one["coldBareSql"]["count"] == 1
    assert found["hotLot"]["traces"] == 5
    assert not (tmp_path / "trace" / "1000").exists()
