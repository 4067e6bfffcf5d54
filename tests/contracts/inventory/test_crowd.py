"""Everybody at once: pickers, receivers, quality and cancellations on the same few lots, without a deadlock."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from adapters.quality.postgres import PostgresQuality
from domain.commands import Measurement
from domain.errors import AdapterRefused
from tests.contracts.inventory.conftest import Warehouse, need
from tests.contracts.inventory.test_return import back
from tests.db.database import unique


@pytest.mark.accepts("A10")
def test_a_crowd_never_sees_a_deadlock(warehouse: Warehouse) -> None:
    inventory, quality = warehouse.inventory, PostgresQuality(warehouse.engine)
    materials = [warehouse.material() for _ in range(2)]
    lots = {warehouse.stock(materials[n % 2], "50"): materials[n % 2] for n in range(6)}

    def pick(dice: random.Random) -> str:
        order = unique("WO")
        pair = dice.sample(materials, 2)
        needs = [need(material, str(dice.randint(1, 9)), line) for line, material in enumerate(pair)]
        taken = inventory.allocate(order, needs, key=unique("k"), actor="ann").allocations
        if dice.random() < 0.7:
            inventory.issue(order, key=unique("k"), actor="ann")
            if dice.random() < 0.3:
                lines = [back(own.lot, str(own.quantity), line=own.line) for own in dice.sample(taken, len(taken))]
                inventory.return_materials(order, lines, key=unique("k"), actor="ann")
        inventory.give_back(order, key=unique("k"), actor="ann")
        return "picked"

    def deliver(dice: random.Random) -> str:
        lot, material = dice.choice(list(lots.items()))
        inventory.receive(lot, material, need(material, "1").quantity, "kg", key=unique("k"), actor="keeper")
        number = quality.request_inspection(lot, material, None, [], key=unique("k"), actor="keeper").number
        quality.enter_results(number, list[Measurement](), key=unique("k"), actor="ana")
        quality.decide(number, True, key=unique("k"), actor="ben")
        return "delivered"

    def one(number: int) -> str:
        dice = random.Random(number)
        try:
            return deliver(dice) if number % 3 == 0 else pick(dice)
        except AdapterRefused as refused:
            return refused.code

    with ThreadPoolExecutor(16) as pool:
        seen = Counter(pool.map(one, range(90)))
    assert set(seen) <= {"picked", "delivered", "NOTHING_RESERVED"}, seen
    balances = warehouse.balances(*lots)
    assert {place for _, place in balances} == {"RAW"}
    assert sum(on_hand for on_hand, _ in balances.values()) == 300 + seen["delivered"]
    # An order that was short was not issued, so nobody gave it back: it has nothing.
    assert all(reserved == 0 for _, reserved in balances.values())
    with warehouse.engine.connect() as connection:
        deadlocks = connection.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        ).scalar_one()
    assert deadlocks == 0
