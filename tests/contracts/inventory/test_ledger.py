"""The ledger: moves add up to balances, whatever was done in whatever order; and what every call costs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, event, text

from domain.commands import ReturnDisposition
from domain.errors import AdapterRefused
from domain.material_events import ReturnLine
from tests.contracts.inventory.conftest import Warehouse, need
from tests.db.database import unique

PICKERS = 2
AMOUNTS = st.integers(1, 6)


class Ledger(RuleBasedStateMachine):
    """Two work orders and a few lots of one material. Consumption and output are done as the projector does them."""

    warehouse: Warehouse

    @initialize()
    def begin(self) -> None:
        self.material, self.product = self.warehouse.material(), self.warehouse.material()
        self.orders = [unique("WO") for _ in range(PICKERS)]
        self.lots: list[str] = []
        self.made: dict[str, str] = {}

    def _tried(self, call: Callable[[], object]) -> None:
        try:
            call()
        except AdapterRefused as refused:
            # A no of the rules is fine here; one of the record would mean that the rules overlooked something.
            if refused.code in ("RECORD_REFUSED", "NO_BALANCE"):
                raise

    @rule(quantity=AMOUNTS)
    def receive(self, quantity: int) -> None:
        if len(self.lots) < 4:
            self.lots.append(self.warehouse.stock(self.material, str(quantity)))

    @rule(data=st.data(), quantity=AMOUNTS)
    def receive_more(self, data: st.DataObject, quantity: int) -> None:
        if self.lots:
            lot = data.draw(st.sampled_from(self.lots))
            self.warehouse.inventory.receive(lot, self.material, Decimal(quantity), "kg", key=unique("k"), actor="x")

    @rule(order=st.integers(0, PICKERS - 1), quantity=AMOUNTS)
    def allocate(self, order: int, quantity: int) -> None:
        needs = [need(self.material, str(quantity), 10), need(self.material, "1", 20)]
        self.warehouse.inventory.allocate(self.orders[order], needs, key=unique("k"), actor="x")

    @rule(order=st.integers(0, PICKERS - 1))
    def issue(self, order: int) -> None:
        self._tried(lambda: self.warehouse.inventory.issue(self.orders[order], key=unique("k"), actor="x"))

    @rule(order=st.integers(0, PICKERS - 1), data=st.data())
    def consume(self, order: int, data: st.DataObject) -> None:
        at_line = [(lot, q) for lot, q in self._issued(self.orders[order]).items() if q > 0]
        if at_line:
            lot, quantity = data.draw(st.sampled_from(at_line))
            self.warehouse.consume(self.orders[order], lot, Decimal(data.draw(st.integers(1, int(quantity)))))

    @rule(order=st.integers(0, PICKERS - 1), data=st.data(), quantity=AMOUNTS, to=st.sampled_from(ReturnDisposition))
    def return_unused(self, order: int, data: st.DataObject, quantity: int, to: ReturnDisposition) -> None:
        """As much as is asked for, or nothing when less is at the line."""
        if not self.lots:
            return
        lot = data.draw(st.sampled_from(self.lots))
        line = ReturnLine(
            line=10, material=self.material, lot=lot, quantity=Decimal(quantity), unit="kg", disposition=to,
            reason="too much",
        )  # fmt: skip
        before = self._issued(self.orders[order]).get(lot, Decimal(0))
        self._tried(
            lambda: self.warehouse.inventory.return_materials(self.orders[order], [line], key=unique("k"), actor="x")
        )
        left = self._issued(self.orders[order]).get(lot, Decimal(0))
        assert left == (before - quantity if quantity <= before else before)

    @rule(order=st.integers(0, PICKERS - 1), quantity=AMOUNTS)
    def produce(self, order: int, quantity: int) -> None:
        if self.orders[order] not in self.made:
            self.made[self.orders[order]] = lot = unique("OUT")
            self.warehouse.produce(self.orders[order], lot, self.product, Decimal(quantity))

    @rule(order=st.integers(0, PICKERS - 1), quantity=AMOUNTS, place=st.sampled_from(("QUARANTINE", "FINISHED", "RAW")))
    def put_away(self, order: int, quantity: int, place: str) -> None:
        if lot := self.made.get(self.orders[order]):
            self._tried(
                lambda: self.warehouse.inventory.put_away(
                    self.orders[order], lot, Decimal(quantity), "kg", place, key=unique("k"), actor="x"
                )
            )

    @rule(order=st.integers(0, PICKERS - 1), scrap=st.booleans())
    def release_or_scrap(self, order: int, scrap: bool) -> None:
        if lot := self.made.get(self.orders[order]):
            if scrap:
                self.warehouse.inventory.scrap(self.orders[order], lot, key=unique("k"), actor="x")
            else:
                self.warehouse.inventory.release_to_stock(
                    self.orders[order], lot, "FINISHED", key=unique("k"), actor="x"
                )

    @rule(order=st.integers(0, PICKERS - 1))
    def give_back(self, order: int) -> None:
        self.warehouse.inventory.give_back(self.orders[order], key=unique("k"), actor="x")
        assert self.warehouse.reserved(self.orders[order]) == 0
        assert all(quantity == 0 for quantity in self._issued(self.orders[order]).values())
        again = self.warehouse.inventory.give_back(self.orders[order], key=unique("k"), actor="x")
        assert (again.freed, again.returned) == (0, 0)

    def _issued(self, order: str) -> dict[str, Decimal]:
        """What lies at the line for a work order, by its own moves."""
        query = """SELECT lot, sum(CASE WHEN to_place = 'LINE' THEN quantity ELSE -quantity END) AS quantity
                   FROM stock_move WHERE work_order = :order AND 'LINE' IN (from_place, to_place)
                   AND lot = ANY(:lots) GROUP BY lot"""
        with self.warehouse.engine.connect() as connection:
            return {
                row.lot: row.quantity for row in connection.execute(text(query), {"order": order, "lots": self.lots})
            }

    @invariant()
    def moves_add_up_to_balances(self) -> None:
        lots = [*getattr(self, "lots", []), *getattr(self, "made", {}).values()]
        query = """
            SELECT lot, place, sum(quantity) AS quantity FROM (
                SELECT lot, to_place AS place, quantity FROM stock_move WHERE lot = ANY(:lots)
                UNION ALL SELECT lot, from_place, -quantity FROM stock_move WHERE lot = ANY(:lots)
                UNION ALL SELECT lot, place, -on_hand FROM stock_balance WHERE lot = ANY(:lots)
            ) AS entries JOIN place ON place.code = place AND zone <> 'outside'
            GROUP BY lot, place HAVING sum(quantity) <> 0
            UNION ALL
            SELECT lot, place, sum(quantity) FROM (
                SELECT lot, place, quantity FROM reservation WHERE state = 'reserved' AND lot = ANY(:lots)
                UNION ALL SELECT lot, place, -reserved FROM stock_balance WHERE lot = ANY(:lots)
            ) AS reservations GROUP BY lot, place HAVING sum(quantity) <> 0"""
        with self.warehouse.engine.connect() as connection:
            assert connection.execute(text(query), {"lots": lots}).all() == []


@pytest.mark.accepts("A19", "MT-04")
def test_moves_always_add_up_to_balances(warehouse: Warehouse) -> None:
    class Bound(Ledger):
        pass

    Bound.warehouse = warehouse
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    how = settings(max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Bound, settings=how)


@pytest.mark.accepts("A19")
def test_what_was_not_consumed_goes_back_to_where_it_came_from(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lots = [warehouse.stock(material, "5"), warehouse.stock(material, "5")]
    before = warehouse.balances(*lots)
    order = unique("WO")
    warehouse.inventory.allocate(order, [need(material, "8")], key=unique("k"), actor="ann")
    warehouse.inventory.issue(order, key=unique("k"), actor="ann")
    warehouse.inventory.give_back(order, key=unique("k"), actor="ann")
    assert warehouse.balances(*lots) == before
    other = unique("WO")
    warehouse.inventory.allocate(other, [need(material, "8")], key=unique("k"), actor="ann")
    warehouse.inventory.issue(other, key=unique("k"), actor="ann")
    warehouse.consume(other, lots[0], Decimal("4.5"))
    answer = warehouse.inventory.give_back(other, key=unique("k"), actor="ann")
    assert answer.returned == 2
    assert warehouse.balances(*lots) == {(lots[0], "RAW"): (Decimal("0.5"), 0), (lots[1], "RAW"): (5, 0)}


@pytest.mark.accepts("A15")
def test_a_place_fits_the_lots_status(warehouse: Warehouse) -> None:
    material, order, lot = warehouse.material(), unique("WO"), unique("OUT")
    warehouse.produce(order, lot, material, Decimal(10))
    inventory = warehouse.inventory

    def put(place: str) -> str:
        try:
            inventory.put_away(order, lot, Decimal(1), "kg", place, key=unique("k"), actor="ann")
        except AdapterRefused as refused:
            return f"{refused.code}: {refused.blockers[0].required}"
        return "done"

    assert "production release first" in put("FINISHED")
    assert put("NOWHERE").startswith("UNKNOWN_PLACE: one of FINISHED, LINE, QUARANTINE, RAW")
    assert put("QUARANTINE") == "done"
    warehouse.set_status(lot, "onHold")
    with pytest.raises(AdapterRefused, match="LOT_NOT_USABLE"):
        inventory.release_to_stock(order, lot, "FINISHED", key=unique("k"), actor="ann")
    warehouse.set_status(lot, "rejected")
    assert put("QUARANTINE").startswith("ZONE_MISMATCH")
    assert put("REJECTED") == "done"
    warehouse.set_status(lot, "quarantine")
    with pytest.raises(AdapterRefused, match="ZONE_MISMATCH"):
        inventory.release_to_stock(order, lot, "QUARANTINE", key=unique("k"), actor="ann")
    answer = inventory.release_to_stock(order, lot, "FINISHED", key=unique("k"), actor="ann")
    assert (answer.moves, int(answer.quantity)) == (1, 1)
    assert put("FINISHED") == "done"
    assert inventory.scrap(order, lot, key=unique("k"), actor="ann").quantity == 7
    assert warehouse.balances(lot) == {(lot, "FINISHED"): (2, 0), (lot, "REJECTED"): (1, 0)}


def test_a_second_delivery_is_the_same_material_or_none(warehouse: Warehouse) -> None:
    material, other = warehouse.material(), warehouse.material()
    lot = warehouse.stock(material, "10")
    answer = warehouse.inventory.receive(lot, material, Decimal(5), "kg", key=unique("k"), actor="ann")
    assert answer.lot_status == "released"
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 0), (lot, "RECEIVING"): (5, 0)}
    with pytest.raises(AdapterRefused, match="LOT_MISMATCH"):
        warehouse.inventory.receive(lot, other, Decimal(5), "kg", key=unique("k"), actor="ann")
    warehouse.set_status(lot, "rejected")
    with pytest.raises(AdapterRefused, match="LOT_NOT_USABLE"):
        warehouse.inventory.receive(lot, material, Decimal(5), "kg", key=unique("k"), actor="ann")


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent while the block runs, BEGIN and COMMIT not counted."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        sent.extend([statement] * (len(parameters) if executemany else 1))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def calls_of_one_order(warehouse: Warehouse, lines: int) -> dict[str, Callable[[], object]]:
    """The whole way of one work order with so many lines, each met from two lots."""
    inventory, order, out = warehouse.inventory, unique("WO"), unique("OUT")
    materials = [warehouse.material() for _ in range(lines)]
    needs = [need(material, "3", line) for line, material in enumerate(materials)]
    too_much = [need(material, "9", line) for line, material in enumerate(materials)]
    for material in materials:
        warehouse.stock(material, "2")
        warehouse.stock(material, "2")
    warehouse.produce(order, out, warehouse.material(), Decimal(5))
    return {
        "short": lambda: inventory.allocate(unique("WO"), too_much, key=unique("k"), actor="x"),
        "allocate": lambda: inventory.allocate(order, needs, key=unique("k"), actor="x"),
        "reallocate": lambda: inventory.allocate(order, needs, key=unique("k"), actor="x"),
        "issue": lambda: inventory.issue(order, key=unique("k"), actor="x"),
        "giveBack": lambda: inventory.give_back(order, key=unique("k"), actor="x"),
        "putAway": lambda: inventory.put_away(order, out, Decimal(5), "kg", "QUARANTINE", key=unique("k"), actor="x"),
        "release": lambda: inventory.release_to_stock(order, out, "FINISHED", key=unique("k"), actor="x"),
    }


def test_a_call_sends_few_statements_however_many_lines_it_has(
    warehouse: Warehouse, record_property: Callable[[str, object], None]
) -> None:
    found: dict[str, list[int]] = {}
    for lines in (1, 10):
        for name, call in calls_of_one_order(warehouse, lines).items():
            with counted(warehouse.engine) as sent:
                call()
            found.setdefault(name, []).append(len(sent))
    record_property("statements", found)
    assert all(few == many for few, many in found.values()), found
    # Giving back looks into the containers of the work order, too: one more than the others need.
    assert all(many <= 14 + (name == "giveBack") for name, (_, many) in found.items()), found
