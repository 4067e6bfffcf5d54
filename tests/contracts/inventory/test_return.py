"""Unused material comes back from the line: to its place, to quarantine when it was stopped, or to scrap."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from adapters.in_the_record import utc_now
from domain.commands import ReturnDisposition
from domain.errors import AdapterRefused
from domain.material_events import ReturnLine
from tests.contracts.inventory.conftest import Warehouse, need
from tests.contracts.inventory.test_ledger import counted
from tests.db.database import unique


def back(lot: str, quantity: str, unit: str = "kg", disposition: str = "toStock", line: int = 10) -> ReturnLine:
    """A line of a return."""
    return ReturnLine(
        line=line, material="M", lot=lot, quantity=Decimal(quantity), unit=unit,
        disposition=ReturnDisposition(disposition), reason="too much issued",
    )  # fmt: skip


def issued(warehouse: Warehouse, quantity: str = "8", **stock: object) -> tuple[str, str]:
    """A work order at whose line all of one lot of that quantity lies: (work order, lot)."""
    material, order = warehouse.material(), unique("WO")
    lot = warehouse.stock(material, quantity, **stock)  # type: ignore[arg-type]
    warehouse.inventory.allocate(order, [need(material, quantity)], key=unique("k"), actor="ann")
    warehouse.inventory.issue(order, key=unique("k"), actor="ann")
    return order, lot


def returns(warehouse: Warehouse, order: str, *lines: ReturnLine, key: str = "") -> list[tuple[str, str]]:
    """(place, quantity) of what came back."""
    answer = warehouse.inventory.return_materials(order, lines, key=key or unique("k"), actor="ann")
    return [(line.place, str(line.quantity)) for line in answer.lines]


@pytest.mark.accepts("A11")
def test_it_goes_back_once_to_where_it_came_from(warehouse: Warehouse) -> None:
    order, lot = issued(warehouse)
    key = unique("k")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: returns(warehouse, order, back(lot, "2.5"), key=key), range(8)))
    assert answers == [[("RAW", "2.5")]] * 8
    assert warehouse.balances(lot) == {(lot, "RAW"): (Decimal("2.5"), 0), (lot, "LINE"): (Decimal("5.5"), 0)}
    with pytest.raises(AdapterRefused, match="KEY_REUSED"):
        returns(warehouse, order, back(lot, "2"), key=key)
    assert warehouse.inventory.find(key) == {
        "lines": [{"line": 10, "material": "M", "lot": lot, "quantity": "2.5", "unit": "kg", "disposition": "toStock",
                   "place": "RAW"}]
    }  # fmt: skip
    assert warehouse.audited(f"work-order/{order}") == ["materials.allocated", "materials.issued", "materials.returned"]
    # What came back is free for the next one; the rest is given back by a cancellation, and no more than that.
    warehouse.consume(order, lot, Decimal(3))
    assert warehouse.inventory.give_back(order, key=unique("k"), actor="ann").returned == 1
    assert warehouse.balances(lot) == {(lot, "RAW"): (5, 0)}


@pytest.mark.parametrize(
    ("status", "place"),
    [
        ("onHold", "QUARANTINE"), ("recalled", "QUARANTINE"), ("retestDue", "QUARANTINE"), ("rejected", "REJECTED"),
        ("released", "RAW"),
    ],
)  # fmt: skip
def test_a_lot_that_was_stopped_meanwhile_does_not_get_back_among_released_stock(
    warehouse: Warehouse, status: str, place: str
) -> None:
    order, lot = issued(warehouse)
    warehouse.set_status(lot, status)
    assert returns(warehouse, order, back(lot, "3")) == [(place, "3")]
    # Neither does what a cancellation gives back.
    warehouse.inventory.give_back(order, key=unique("k"), actor="ann")
    assert warehouse.balances(lot) == {(lot, place): (8, 0)}


def test_a_lot_that_expired_at_the_line_goes_to_quarantine(warehouse: Warehouse) -> None:
    order, lot = issued(warehouse, expires_in=5)
    warehouse.expire(lot, utc_now().date() - timedelta(days=1))
    assert returns(warehouse, order, back(lot, "3")) == [("QUARANTINE", "3")]
    with warehouse.engine.begin() as connection:  # where some of it lies, the rest is put
        connection.execute(text("INSERT INTO place VALUES ('ZZ-HOLD', 'Hold', 'quarantine') ON CONFLICT DO NOTHING"))
        connection.execute(text("UPDATE stock_balance SET place = 'ZZ-HOLD' WHERE lot = :l AND place = 'QUARANTINE'"),
                           {"l": lot})  # fmt: skip
        warehouse._move(connection, lot, "QUARANTINE", "ZZ-HOLD", Decimal(3), None)
    assert returns(warehouse, order, back(lot, "1")) == [("ZZ-HOLD", "1")]


def test_what_is_spoiled_leaves_the_stock(warehouse: Warehouse) -> None:
    order, lot = issued(warehouse)
    lines = (back(lot, "1", disposition="scrap"), back(lot, "2"))
    assert returns(warehouse, order, *lines) == [("SCRAP", "1"), ("RAW", "2")]
    assert warehouse.balances(lot) == {(lot, "RAW"): (2, 0), (lot, "LINE"): (5, 0)}


def test_a_lot_from_two_places_goes_back_to_both(warehouse: Warehouse) -> None:
    material, order = warehouse.material(), unique("WO")
    lot = warehouse.stock(material, "5")
    with warehouse.engine.begin() as connection:
        connection.execute(text("UPDATE stock_balance SET on_hand = 3 WHERE lot = :l"), {"l": lot})
        connection.execute(text("INSERT INTO stock_balance VALUES (:l, 'FINISHED', 2, 0)"), {"l": lot})
        warehouse._move(connection, lot, "RAW", "FINISHED", Decimal(2), None)
    warehouse.inventory.allocate(order, [need(material, "5")], key=unique("k"), actor="ann")
    warehouse.inventory.issue(order, key=unique("k"), actor="ann")
    assert returns(warehouse, order, back(lot, "4")) == [("FINISHED", "2"), ("RAW", "2")]
    assert warehouse.balances(lot) == {(lot, "FINISHED"): (2, 0), (lot, "RAW"): (2, 0), (lot, "LINE"): (1, 0)}


def test_a_no_names_every_lot_and_changes_nothing(warehouse: Warehouse) -> None:
    order, lot = issued(warehouse)
    _, of_another = issued(warehouse)
    before, key = warehouse.counts(), unique("k")
    lines = (
        back(lot, "7"), back(lot, "1.5", disposition="scrap"), back(of_another, "1"), back("nope", "1"),
        back(lot, "1", unit="g"),
    )  # fmt: skip
    with pytest.raises(AdapterRefused) as refused:
        returns(warehouse, order, *lines, key=key)
    assert [(blocker.code, blocker.id) for blocker in refused.value.blockers] == [
        ("UNIT_MISMATCH", lot), ("NOT_ON_LINE", lot), ("NOT_ON_LINE", of_another), ("UNKNOWN_LOT", "nope"),
    ]  # fmt: skip
    assert refused.value.blockers[1].found == f"8 kg at the line for {order}"
    assert (warehouse.counts(), warehouse.inventory.find(key)) == (before, None)
    # The same key may succeed as soon as the request is right.
    assert returns(warehouse, order, back(lot, "8"), key=key) == [("RAW", "8")]


def test_a_return_sends_few_statements_however_many_lines_it_has(warehouse: Warehouse) -> None:
    found: list[int] = []
    for size in (1, 10):
        order = unique("WO")
        materials = [warehouse.material() for _ in range(size)]
        lots = [warehouse.stock(material, "5") for material in materials]
        needs = [need(material, "5", line) for line, material in enumerate(materials)]
        warehouse.inventory.allocate(order, needs, key=unique("k"), actor="ann")
        warehouse.inventory.issue(order, key=unique("k"), actor="ann")
        with counted(warehouse.engine) as sent:
            returns(warehouse, order, *[back(lot, "2") for lot in lots])
        found.append(len(sent))
    assert found[0] == found[1] <= 14, found


def test_without_a_place_that_fits_a_return_is_refused_and_a_cancellation_is_not(warehouse: Warehouse) -> None:
    order, lot = issued(warehouse)
    warehouse.set_status(lot, "rejected")
    rename = text("UPDATE place SET zone = :z WHERE code = 'REJECTED'")
    with warehouse.engine.begin() as connection:
        connection.execute(rename, {"z": "line"})
    try:
        with pytest.raises(AdapterRefused) as refused:
            returns(warehouse, order, back(lot, "1"))
        (blocker,) = refused.value.blockers
        assert (blocker.code, blocker.id, blocker.required) == ("NO_PLACE", lot, "a place in zone rejected")
        assert returns(warehouse, order, back(lot, "1", disposition="scrap")) == [("SCRAP", "1")]
        warehouse.inventory.give_back(order, key=unique("k"), actor="ann")
    finally:
        with warehouse.engine.begin() as connection:
            connection.execute(rename, {"z": "rejected"})
    # An order that ends leaves nothing at the line.
    assert warehouse.balances(lot) == {(lot, "RAW"): (7, 0)}
