"""What every implementation of `Inventory` has to do, whatever is behind it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Connection, event

import adapters
from adapters.inventory.port import Inventory
from adapters.inventory.postgres import PostgresInventory
from db.session import engine_for
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable
from tests.contracts.inventory.conftest import Warehouse, need
from tests.db.database import Database, unique


def test_it_is_an_inventory(database: Database) -> None:
    port: Inventory = PostgresInventory(database.app)
    names = [name for name in vars(Inventory) if not name.startswith("_")]
    assert all(callable(getattr(port, name)) for name in names)


def test_the_same_key_twice_gives_the_same_answer_and_one_effect(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    key, order = unique("k"), unique("WO")
    first = warehouse.inventory.allocate(order, [need(material, "4")], key=key, actor="ann")
    again = warehouse.inventory.allocate(order, [need(material, "4.000")], key=key, actor="ben")
    assert first == again
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 4)}
    issue = unique("k")
    assert [warehouse.inventory.issue(order, key=issue, actor="ann").moves for _ in range(3)] == [1, 1, 1]
    assert warehouse.balances(lot) == {(lot, "RAW"): (6, 0), (lot, "LINE"): (4, 0)}
    assert warehouse.audited(f"work-order/{order}") == ["materials.allocated", "materials.issued"]


@pytest.mark.accepts("A11")
def test_eight_at_once_under_one_key_have_one_effect(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    order, keys = unique("WO"), [unique("k") for _ in range(4)]
    calls: list[Callable[[], object]] = [
        lambda: warehouse.inventory.allocate(order, [need(material, "4")], key=keys[0], actor="ann"),
        lambda: warehouse.inventory.issue(order, key=keys[1], actor="ann"),
        lambda: warehouse.inventory.give_back(order, key=keys[2], actor="ann"),
        lambda: warehouse.inventory.receive(lot, material, Decimal(5), "kg", key=keys[3], actor="ann"),
    ]
    for call in calls:
        with ThreadPoolExecutor(8) as pool:
            answers = [future.result() for future in [pool.submit(call) for _ in range(8)]]
        assert all(answer == answers[0] for answer in answers)
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 0), (lot, "RECEIVING"): (5, 0)}


def test_other_content_under_a_used_key_is_refused(warehouse: Warehouse) -> None:
    material = warehouse.material()
    warehouse.stock(material, "10")
    key, order = unique("k"), unique("WO")
    warehouse.inventory.allocate(order, [need(material, "4")], key=key, actor="ann")
    with pytest.raises(AdapterRefused, match="KEY_REUSED"):
        warehouse.inventory.allocate(order, [need(material, "5")], key=key, actor="ann")
    with pytest.raises(AdapterRefused, match="KEY_REUSED"):
        warehouse.inventory.allocate(unique("WO"), [need(material, "4")], key=key, actor="ann")
    with pytest.raises(AdapterRefused, match="KEY_REUSED"):
        warehouse.inventory.issue(order, key=key, actor="ann")
    assert warehouse.reserved(order) == 4


def test_two_orders_at_once_under_one_key_have_one_effect(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "100")
    key, orders = unique("k"), [unique("WO") for _ in range(8)]

    def ask(order: str) -> str:
        try:
            warehouse.inventory.allocate(order, [need(material, "4")], key=key, actor="ann")
        except AdapterRefused as refused:
            return refused.code
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, orders)) == ["KEY_REUSED"] * 7 + ["taken"]
    assert warehouse.balances(lot) == {(lot, "RAW"): (100, 4)}


def test_a_no_leaves_no_trace(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    order = unique("WO")
    before = warehouse.counts()
    inventory, key = warehouse.inventory, unique("k")
    assert inventory.allocate(order, [need(material, "11")], key=key, actor="ann").short[0].available == 10
    refusals: dict[str, Callable[[], object]] = {
        "DUPLICATE_LINE": lambda: inventory.allocate(order, [need(material, "1")] * 2, key=key, actor="ann"),
        "NOTHING_NEEDED": lambda: inventory.allocate(order, [need(material, "0")], key=key, actor="ann"),
        "NOTHING_RESERVED": lambda: inventory.issue(order, key=key, actor="ann"),
        "UNKNOWN_LOT": lambda: inventory.scrap(order, "nope", key=key, actor="ann"),
        "UNKNOWN_PLACE": lambda: inventory.put_away(order, lot, Decimal(1), "kg", "X", key=key, actor="ann"),
        "NOT_ON_LINE": lambda: inventory.put_away(order, lot, Decimal(1), "kg", "FINISHED", key=key, actor="ann"),
        "UNIT_MISMATCH": lambda: inventory.receive(lot, material, Decimal(1), "g", key=key, actor="ann"),
        "UNKNOWN_MATERIAL": lambda: inventory.receive(lot, "nope", Decimal(1), "g", key=key, actor="ann"),
        "ZONE_MISMATCH": lambda: inventory.receive(lot, material, Decimal(1), "kg", "RAW", key=key, actor="ann"),
    }
    for code, call in refusals.items():
        with pytest.raises(AdapterRefused) as caught:
            call()
        assert caught.value.code == code
    assert warehouse.counts() == before
    assert inventory.find(key) is None
    warehouse.stock(material, "1")
    # The short answer was not kept: the same key succeeds as soon as there is enough.
    assert len(inventory.allocate(order, [need(material, "11")], key=key, actor="ann").allocations) == 2


def test_an_attempt_that_takes_too_long_is_over(database: Database, warehouse: Warehouse) -> None:
    """Who was given up does not come back later and reserve stock for an order that is gone."""
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    slow = engine_for(database.app_url, longest_transaction_seconds=1)

    @event.listens_for(slow, "commit", once=True)
    def stall(connection: Connection) -> None:
        time.sleep(1.5)

    with pytest.raises(AdapterUnknown):
        PostgresInventory(slow).allocate(unique("WO"), [need(material, "10")], key=unique("k"), actor="ann")
    slow.dispose()
    assert warehouse.balances(lot) == {(lot, "RAW"): (Decimal(10), Decimal(0))}


def test_an_outage_is_told_apart_from_an_open_answer(database: Database, warehouse: Warehouse) -> None:
    nowhere = engine_for("postgresql://mes_app@127.0.0.1:1/none")
    with pytest.raises(AdapterUnreachable):
        PostgresInventory(nowhere).give_back("WO", key=unique("k"), actor="ann")
    nowhere.dispose()
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    order, key = unique("WO"), unique("k")
    cut = engine_for(database.app_url)

    @event.listens_for(cut, "commit", once=True)
    def kill(connection: Connection) -> None:
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with database.owner.begin() as owner:
            owner.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")

    with pytest.raises(AdapterUnknown):
        PostgresInventory(cut).allocate(order, [need(material, "3")], key=key, actor="ann")
    assert warehouse.inventory.find(key) is None
    cut.dispose()
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 0)}


def test_giving_back_is_harmless(warehouse: Warehouse) -> None:
    before = warehouse.counts()
    unknown = warehouse.inventory.give_back(unique("WO"), key=unique("k"), actor="ann")
    assert (unknown.freed, unknown.returned) == (0, 0)
    after = warehouse.counts()
    assert after.pop("inventory_request") == before.pop("inventory_request") + 1
    assert after == before
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    order = unique("WO")
    warehouse.inventory.allocate(order, [need(material, "4")], key=unique("k"), actor="ann")
    answers = [warehouse.inventory.give_back(order, key=unique("k"), actor="ann") for _ in range(2)]
    assert [(answer.freed, answer.returned) for answer in answers] == [(1, 0), (0, 0)]
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 0)}


def test_find_gives_the_answer_as_it_was(warehouse: Warehouse) -> None:
    material = warehouse.material()
    warehouse.stock(material, "10")
    order, key = unique("WO"), unique("k")
    assert warehouse.inventory.find(key) is None
    answer = warehouse.inventory.allocate(order, [need(material, "4")], key=key, actor="ann")
    assert warehouse.inventory.find(key) == answer.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("folder", ["inventory", "quality"])
def test_readiness_is_told_and_every_exemption_has_a_reason(folder: str) -> None:
    path = Path(str(adapters.__file__)).parent / folder / "readiness.yaml"
    implementations = yaml.safe_load(path.read_text())["implementations"]
    assert implementations
    for name, checks in implementations.items():
        assert (path.parent / f"{name}.py").is_file()
        for check, verdict in checks.items():
            status = verdict["status"]
            assert status in ("done", "exempt"), f"{name}: {check} is {status}"
            assert status == "done" or len(verdict.get("reason", "").strip()) >= 20, f"{name}: {check} needs a reason"
