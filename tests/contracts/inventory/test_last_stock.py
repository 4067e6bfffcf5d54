"""The last stock is reserved once, nothing is negative, and what is put away fits its place and its quantity."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain.errors import AdapterRefused
from domain.states import LotStatus
from tests.contracts.inventory.conftest import Warehouse, need
from tests.db.database import unique

ZONES = {"released": "FINISHED", "quarantine": "QUARANTINE", "rejected": "REJECTED"}
MAY_LIE: dict[str, set[str]] = {
    "released": {"released", "quarantine"}, "quarantine": {"quarantine"}, "onHold": {"quarantine"},
    "retestDue": {"quarantine"}, "recalled": {"quarantine"}, "rejected": {"rejected"},
    "expired": {"rejected", "quarantine"}, "returned": {"rejected", "quarantine"}, "destroyed": {"rejected"},
}  # fmt: skip


def at_once(number: int, act: Callable[[int], str]) -> list[str]:
    """The answers of so many that ask at the same time."""
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(act, range(number)))


@pytest.mark.accepts("MT-04")
def test_fifty_at_once_on_the_last_stock(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "7")

    def reserve(_: int) -> str:
        order = unique("WO")
        answer = warehouse.inventory.allocate(order, [need(material, "3")], key=unique("k"), actor="ann")
        return order if answer.allocations else ""

    winners = [order for order in at_once(50, reserve) if order]
    assert len(winners) == 2
    assert warehouse.balances(lot) == {(lot, "RAW"): (7, 6)}
    assert [warehouse.reserved(order) for order in winners] == [3, 3]
    for order in winners:
        warehouse.inventory.issue(order, key=unique("k"), actor="ann")
    assert warehouse.balances(lot) == {(lot, "RAW"): (1, 0), (lot, "LINE"): (6, 0)}


@pytest.mark.accepts("MT-04")
@pytest.mark.parametrize("wrong", ["on_hand = -1", "reserved = on_hand + 1", "reserved = -1"])
def test_the_database_itself_refuses_what_cannot_be(warehouse: Warehouse, wrong: str) -> None:
    lot = warehouse.stock(warehouse.material(), "7")
    change = text(f"UPDATE stock_balance SET {wrong} WHERE lot = :lot AND place = 'RAW'")
    with pytest.raises(IntegrityError), warehouse.engine.begin() as connection:
        connection.execute(change, {"lot": lot})
    assert warehouse.balances(lot) == {(lot, "RAW"): (7, 0)}


def made(warehouse: Warehouse, quantity: str = "10") -> tuple[str, str]:
    """A finished quantity at the line: its work order and its lot."""
    order, lot = unique("WO"), unique("LOT")
    warehouse.produce(order, lot, warehouse.material(), Decimal(quantity))
    return order, lot


@pytest.mark.accepts("MT-11")
@pytest.mark.parametrize("status", list(LotStatus))
def test_every_status_lies_in_its_zones_alone(warehouse: Warehouse, status: LotStatus) -> None:
    for zone, place in ZONES.items():
        order, lot = made(warehouse)
        warehouse.set_status(lot, status)
        if zone in MAY_LIE[status]:
            moved = warehouse.inventory.put_away(order, lot, Decimal(10), "kg", place, key=unique("k"), actor="ann")
            assert (moved.moves, warehouse.balances(lot)) == (1, {(lot, place): (10, 0)})
            continue
        with pytest.raises(AdapterRefused) as refused:
            warehouse.inventory.put_away(order, lot, Decimal(10), "kg", place, key=unique("k"), actor="ann")
        assert refused.value.code == "ZONE_MISMATCH"
        assert refused.value.blockers[0].id == lot
        assert warehouse.balances(lot) == {(lot, "LINE"): (10, 0)}


@pytest.mark.accepts("MT-11")
def test_ten_at_once_put_away_no_more_than_there_is(warehouse: Warehouse) -> None:
    order, lot = made(warehouse)

    def put(_: int) -> str:
        try:
            warehouse.inventory.put_away(order, lot, Decimal(4), "kg", "QUARANTINE", key=unique("k"), actor="ann")
        except AdapterRefused as refused:
            return f"{refused.code} {refused.detail}"
        return "done"

    answers = at_once(10, put)
    assert answers.count("done") == 2
    assert {answer.split()[0] for answer in answers if answer != "done"} == {"NOT_ON_LINE"}
    assert warehouse.balances(lot) == {(lot, "LINE"): (2, 0), (lot, "QUARANTINE"): (8, 0)}


@pytest.mark.accepts("MT-06", "MT-04")
def test_ten_at_once_weigh_no_more_than_there_is(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    order = unique("WO")
    warehouse.inventory.allocate(order, [need(material, "10")], key=unique("k"), actor="ann")
    warehouse.inventory.issue(order, key=unique("k"), actor="ann")

    def weigh(_: int) -> str:
        try:
            warehouse.inventory.dispense(order, lot, Decimal(4), "kg", key=unique("k"), actor="ann")
        except AdapterRefused as refused:
            return refused.code
        return "done"

    answers = at_once(10, weigh)
    assert (answers.count("done"), answers.count("NOT_ON_LINE")) == (2, 8)
    assert warehouse.balances(lot) == {(lot, "LINE"): (2, 0), (lot, "DISPENSED"): (8, 0)}
    with pytest.raises(AdapterRefused, match="NOT_DISPENSED"):
        warehouse.inventory.undispense(order, lot, Decimal(9), "kg", key=unique("k"), actor="ann")
    warehouse.inventory.undispense(order, lot, Decimal(4), "kg", key=unique("k"), actor="ann")
    assert warehouse.inventory.give_back(order, key=unique("k"), actor="ann").returned == 1
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 0)}
