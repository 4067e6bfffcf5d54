"""The trace against an independent closure, on histories with splits, merges, returns and cycles."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, insert, text

from db.queries.trace import Direction, LotUnknown, input_lots, statement, trace
from db.queries.trace_batch import batch_summary, validate_batch
from db.tables import LotLink, ProductionOrder, StockMove, WorkOrder, core
from domain.base import uuid_for
from tests.db.database import Database, make_lots, make_material, unique

START = datetime(2026, 1, 1, tzinfo=UTC)


class Link(NamedTuple):
    source: int
    target: int
    order: int
    quantity: int
    day: int


@st.composite
def histories(draw: st.DrawFn) -> list[Link]:
    """Links among up to eight lots: any two may be linked, both ways, several times; some are returned in full."""
    lots = st.integers(0, 7)
    links = draw(
        st.lists(st.builds(Link, lots, lots, st.integers(0, 1), st.integers(1, 5), st.integers(0, 9)), max_size=16)
    )
    returned = [link._replace(quantity=-link.quantity) for link in links if draw(st.integers(0, 4)) == 0]
    return links + returned


def write(connection: Connection, links: Sequence[Link], prefix: str) -> None:
    rows = [
        {
            "key": f"{prefix}/{n}", "input_lot": f"{prefix}-{link.source}", "output_lot": f"{prefix}-{link.target}",
            "quantity": link.quantity, "unit": "kg", "work_order": f"W{link.order}", "operation": "10",
            "linked_at": START + timedelta(days=link.day),
        }
        for n, link in enumerate(links)
    ]  # fmt: skip
    if rows:
        connection.execute(insert(core(LotLink)), rows)


def expected(links: Sequence[Link], direction: Direction, since: int, until: int) -> set[tuple[int, int, int, int]]:
    """All edges on the way from lot 0, by networkx: net quantity by (input, output, work order)."""
    net: dict[tuple[int, int, int], int] = defaultdict(int)
    for link in links:
        if since <= link.day < until:
            net[link.source, link.target, link.order] += link.quantity
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.add_node(0)
    for (source, target, order), quantity in net.items():
        if quantity > 0:
            graph.add_edge(source, target, order=order, quantity=quantity)
    found: set[tuple[int, int, int, int]] = set()
    if direction != "backward":
        after = nx.descendants(graph, 0) | {0}
        found |= {(s, t, d["order"], d["quantity"]) for s, t, d in graph.edges(data=True) if s in after}
    if direction != "forward":
        before = nx.ancestors(graph, 0) | {0}
        found |= {(s, t, d["order"], d["quantity"]) for s, t, d in graph.edges(data=True) if t in before}
    return found


@pytest.mark.accepts("A17", "TR-02")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    histories(), st.sampled_from(("forward", "backward", "both")), st.integers(0, 9), st.integers(0, 10), st.booleans()
)
def test_a_trace_is_the_closure(
    database: Database, links: list[Link], direction: Direction, since: int, until: int, limited: bool
) -> None:
    prefix = unique("T")
    if not limited:
        since, until = 0, 10
    with database.app.connect() as connection, connection.begin() as transaction:
        make_lots(connection, make_material(connection, unique("M")), {f"{prefix}-{n}": "released" for n in range(8)})
        write(connection, links, prefix)
        limits = (START + timedelta(days=since), START + timedelta(days=until)) if limited else (None, None)
        found = trace(connection, f"{prefix}-0", direction, *limits)
        transaction.rollback()

    def number(lot: str) -> int:
        return int(lot.rsplit("-", 1)[1])

    edges = [(number(e.source), number(e.target), int(e.work_order[1:]), int(e.quantity)) for e in found.edges]
    assert len(edges) == len(set(edges))
    assert set(edges) == expected(links, direction, since, until)
    ends = {0} | {end for edge in edges for end in edge[:2]}
    assert {number(node.lot) for node in found.nodes} == ends


def test_an_unknown_lot_is_told(database: Database) -> None:
    with database.app.connect() as connection:
        with pytest.raises(LotUnknown, match="there is no lot nope"):
            trace(connection, "nope", "both")
        with pytest.raises(LotUnknown):
            batch_summary(connection, "nope")
        assert validate_batch(connection, "nope", "TAB") == (False, ("there is no lot nope",))


def make_order(connection: Connection, number: str, product: str, output: str) -> str:
    """An order with one work order; gives the work order's number."""
    order = {
        "number": number, "uuid": uuid_for("production-order", number), "plan_line": number, "plant": "P",
        "product": product, "quantity": 10, "unit": "kg", "policy": "gmp", "state": "inProgress", "created_by": "pia",
        "created_at": START, "revision": 1,
    }  # fmt: skip
    work_order = {
        "number": f"{number}-1", "uuid": uuid_for("work-order", f"{number}-1"), "order_number": number,
        "material": product, "quantity": 10, "unit": "kg", "state": "running", "output_lot": output,
    }  # fmt: skip
    connection.execute(insert(core(ProductionOrder)).values(order))
    connection.execute(insert(core(WorkOrder)).values(work_order))
    return f"{number}-1"


def write_move(connection: Connection, lot: str, ends: tuple[str, str], quantity: int, work_order: str | None) -> None:
    row = {
        "key": unique("m"), "lot": lot, "from_place": ends[0], "to_place": ends[1], "quantity": quantity, "unit": "kg",
        "kind": "test", "work_order": work_order, "actor": "ann", "moved_at": START,
    }  # fmt: skip
    connection.execute(insert(core(StockMove)).values(row))


@pytest.mark.accepts("A17")
def test_a_batch_is_valid_when_its_genealogy_agrees_with_its_moves(database: Database) -> None:
    raw, made, number = unique("RAW"), unique("OUT"), unique("PO")  # OUT sorts before RAW
    with database.app.begin() as connection:
        material, product = make_material(connection, unique("M")), make_material(connection, unique("P"))
        make_lots(connection, material, {raw: "released"})
        make_lots(connection, product, {made: "quarantine"}, origin="produced")
        assert validate_batch(connection, made, product).reasons == (f"no work order made batch {made}",)
        work_order = make_order(connection, number, product, made)
        write_move(connection, raw, ("SUPPLIER", "RECEIVING"), 10, None)
        write_move(connection, made, ("PROCESS", "LINE"), 9, work_order)
        write_move(connection, raw, ("LINE", "PROCESS"), 4, work_order)
        link = {
            "key": unique("l"), "input_lot": raw, "output_lot": made, "quantity": 4, "unit": "kg",
            "work_order": work_order, "operation": "10", "linked_at": START,
        }  # fmt: skip
        connection.execute(insert(core(LotLink)).values(link))
        assert validate_batch(connection, made, product) == (True, ())
        assert validate_batch(connection, made, material).reasons == (f"batch {made} is {product}, not {material}",)
        summary = batch_summary(connection, made)
        assert (int(summary.quantity), summary.order_number, summary.order_state) == (9, number, "inProgress")
        assert [(lot.lot, lot.quantity) for lot in input_lots(connection, number)] == [(raw, Decimal(4))]
        assert summary.inputs == input_lots(connection, number)
        document = trace(connection, made, "backward").as_document()
        assert [(node["lot"], node["quantity"]) for node in document["nodes"]] == [(made, "9"), (raw, "10")]
        assert document["edges"] == [{"from": raw, "to": made, "quantity": "4", "unit": "kg", "workOrder": work_order}]
        write_move(connection, raw, ("LINE", "PROCESS"), 1, work_order)
        assert validate_batch(connection, made, product).reasons == (f"{raw}: 5 consumed, 4 in the genealogy",)


@pytest.mark.accepts("C2")
def test_a_trace_goes_by_index_and_asks_twice(database: Database) -> None:
    prefix = unique("B")
    with database.owner.connect() as connection, connection.begin() as transaction:
        material = make_material(connection, unique("M"))
        connection.execute(
            text(
                "INSERT INTO lot (number, material, unit, status, origin, created_at) "
                "SELECT :p || i, :m, 'kg', 'released', 'received', now() FROM generate_series(0, 33400) AS i"
            ),
            {"p": prefix, "m": material},
        )
        # Without statistics each of the foreign keys' checks would read the whole table.
        connection.execute(text("ANALYZE lot"))
        # Every lot is made of three earlier ones.
        connection.execute(
            text(
                "INSERT INTO lot_link (key, input_lot, output_lot, quantity, unit, work_order, operation, linked_at) "
                "SELECT :p || i, :p || (i / 12), :p || (i / 3 + 1 + i % 7), 1, 'kg', 'W' || i / 3, '10', now() "
                "FROM generate_series(0, 99999) AS i"
            ),
            {"p": prefix},
        )
        connection.execute(text("ANALYZE lot_link"))
        for direction in ("forward", "backward", "both"):
            plan = (
                connection.execute(text(f"EXPLAIN {statement(direction)}"), {"lots": [f"{prefix}2500"]}).scalars().all()
            )
            assert not any("Seq Scan" in line for line in plan), plan
            assert any("ix_lot_link" in line for line in plan)
        sent: list[str] = []

        @event.listens_for(connection, "before_cursor_execute")
        def note(_: object, cursor: object, statement: str, *rest: object) -> None:
            sent.append(statement)

        assert len(trace(connection, f"{prefix}50", "forward").edges) > 1000
        assert len(sent) == 2
        transaction.rollback()
