"""Which lots are taken: first expired first out, never what may not be used, never more than there is."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.in_the_record import utc_now
from adapters.inventory import planning
from adapters.inventory.planning import Stock
from adapters.inventory.port import AllocationAnswer, MaterialNeed
from adapters.inventory.postgres import PostgresInventory
from domain.errors import AdapterRefused
from tests.contracts.inventory.conftest import Warehouse, need
from tests.db.database import Database, unique

TODAY = date(2026, 6, 1)
STATUSES = ("released", "released", "released", "quarantine", "onHold", "rejected", "expired")


@st.composite
def stocks(draw: st.DrawFn) -> list[Stock]:
    """Up to six lots of one material at one or two places."""
    lines = []
    for number in range(draw(st.integers(0, 6))):
        on_hand = draw(st.integers(1, 6))
        lines.append(
            Stock(
                lot=f"L{number}",
                place=draw(st.sampled_from(("RAW", "FINISHED"))),
                zone=draw(st.sampled_from(("released", "released", "quarantine"))),
                material="M",
                unit="kg",
                status=draw(st.sampled_from(STATUSES)),
                expires_on=draw(st.none() | st.integers(-2, 3).map(lambda days: TODAY + timedelta(days=days))),
                created_at=datetime(2026, 1, draw(st.integers(1, 3)), tzinfo=UTC),
                on_hand=Decimal(on_hand),
                reserved=Decimal(draw(st.integers(0, on_hand))),
            )
        )
    return lines


def oracle(quantity: int, stock: Sequence[Stock]) -> list[tuple[str, int]] | None:
    """Piece by piece: take one from the lot that expires first, until there is enough."""
    left = {line.lot: int(line.on_hand - line.reserved) for line in stock}
    taken: list[tuple[str, int]] = []
    for _ in range(quantity):
        usable = [
            ((line.expires_on is None, line.expires_on or TODAY, line.created_at, line.lot), line.lot)
            for line in stock
            if line.status == "released"
            and line.zone == "released"
            and not (line.expires_on is not None and line.expires_on < TODAY)
            and left[line.lot] > 0
        ]
        if not usable:
            return None
        lot = min(usable)[1]
        left[lot] -= 1
        if taken and taken[-1][0] == lot:
            taken[-1] = (lot, taken[-1][1] + 1)
        else:
            taken.append((lot, 1))
    return taken


@pytest.mark.accepts("MT-02")
@settings(max_examples=300, deadline=None)
@given(stocks(), st.integers(1, 12))
def test_fefo_is_what_a_person_would_do_by_hand(stock: list[Stock], quantity: int) -> None:
    plan = planning.plan([need("M", str(quantity))], stock, TODAY)
    expected = oracle(quantity, stock)
    if expected is None:
        assert [short.line for short, _ in plan.short] == [10]
        assert plan.allocations == ()
    else:
        assert [(taken.lot, int(taken.quantity)) for taken in plan.allocations] == expected


@settings(max_examples=200, deadline=None)
@given(stocks(), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_lines_of_one_material_never_share_a_piece(stock: list[Stock], quantities: list[int]) -> None:
    needs = [need("M", str(quantity), line) for line, quantity in enumerate(quantities)]
    plan = planning.plan(needs, stock, TODAY)
    free = {(line.lot, line.place): line.free for line in stock if line.is_usable(TODAY)}
    for taken in plan.allocations:
        free[taken.lot, taken.place] -= taken.quantity
    assert all(quantity >= 0 for quantity in free.values())
    short = {entry.line for entry, _ in plan.short}
    for asked in needs:
        got = sum(taken.quantity for taken in plan.allocations if taken.line == asked.line)
        assert got == (0 if asked.line in short else asked.quantity)


def test_named_lots_are_taken_in_their_order_and_kept_for_who_names_them(warehouse: Warehouse) -> None:
    material = warehouse.material()
    first, second = warehouse.stock(material, "5", expires_in=10), warehouse.stock(material, "5", expires_in=20)
    needs = [need(material, "4", 10), need(material, "7", 20, second, first)]
    answer = warehouse.inventory.allocate(unique("WO"), needs, key=unique("k"), actor="ann")
    # Line 10 alone would take `first`; line 20 needs both, so together they are short of one.
    assert [(short.line, int(short.required), int(short.available)) for short in answer.short] == [(10, 4, 3)]
    needs = [need(material, "3", 10), needs[1]]
    answer = warehouse.inventory.allocate(unique("WO"), needs, key=unique("k"), actor="ann")
    assert [(a.line, a.lot, int(a.quantity)) for a in answer.allocations] == [
        (10, first, 3), (20, second, 5), (20, first, 2),
    ]  # fmt: skip


@pytest.mark.accepts("A9")
def test_a_shortage_says_why(warehouse: Warehouse) -> None:
    material = warehouse.material()
    other = unique("WO")
    warehouse.stock(material, "10")
    warehouse.inventory.allocate(other, [need(material, "4")], key=unique("k"), actor="ann")
    warehouse.stock(material, "2", status="onHold")
    warehouse.stock(material, "3", status="quarantine")
    warehouse.expire(warehouse.stock(material, "5"), utc_now().date() - timedelta(days=1))
    warehouse.stock(material, "7", status="rejected")
    order, needs = unique("WO"), [need(material, "100")]
    answer = warehouse.inventory.allocate(order, needs, key=unique("k"), actor="ann")
    (short,) = answer.short
    assert [int(n) for n in (short.required, short.available, short.held, short.expired)] == [100, 6, 5, 5]
    assert short.reserved_elsewhere == 4
    assert warehouse.inventory.coverage(order, needs) == answer.short
    (own,) = warehouse.inventory.coverage(other, needs)
    assert (int(own.available), int(own.reserved_elsewhere)) == (10, 0)


def test_a_new_allocation_frees_the_old_one_first(warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    order = unique("WO")
    for quantity in ("8", "9", "2"):
        warehouse.inventory.allocate(order, [need(material, quantity)], key=unique("k"), actor="ann")
        assert warehouse.balances(lot) == {(lot, "RAW"): (10, Decimal(quantity))}
    # Stopped after the allocation: the new one finds nothing, and nothing stays reserved.
    warehouse.set_status(lot, "onHold")
    answer = warehouse.inventory.allocate(order, [need(material, "2")], key=unique("k"), actor="ann")
    assert (int(answer.short[0].available), int(answer.short[0].held)) == (0, 10)
    assert warehouse.balances(lot) == {(lot, "RAW"): (10, 0)}
    assert warehouse.audited(f"work-order/{order}")[-1] == "materials.freed"


@pytest.mark.parametrize(
    ("status", "days", "usable"),
    [
        ("released", None, True), ("released", 0, True), ("released", -1, False), ("quarantine", 9, False),
        ("onHold", 9, False), ("rejected", 9, False), ("retestDue", 9, False), ("expired", 9, False),
        ("recalled", 9, False), ("returned", 9, False), ("destroyed", 9, False),
    ],
)  # fmt: skip
def test_only_a_released_unexpired_lot_is_picked_or_issued(
    warehouse: Warehouse, status: str, days: int | None, usable: bool
) -> None:
    material = warehouse.material()
    lots = [warehouse.stock(material, "10"), warehouse.stock(material, "10")]
    order = unique("WO")
    warehouse.inventory.allocate(order, [need(material, "15")], key=unique("k"), actor="ann")
    for lot in lots:
        warehouse.set_status(lot, status)
        if days is not None:
            warehouse.expire(lot, utc_now().date() + timedelta(days=days))
    picked = warehouse.inventory.allocate(unique("WO"), [need(material, "5")], key=unique("k"), actor="ann")
    assert bool(picked.allocations) == usable
    before = warehouse.balances(*lots)
    if usable:
        assert warehouse.inventory.issue(order, key=unique("k"), actor="ann").moves == 2
        return
    with pytest.raises(AdapterRefused) as caught:
        warehouse.inventory.issue(order, key=unique("k"), actor="ann")
    assert caught.value.code == "LOT_NOT_USABLE"
    assert {blocker.id for blocker in caught.value.blockers} == set(lots)
    assert all(status in blocker.found for blocker in caught.value.blockers)
    assert warehouse.balances(*lots) == before


def test_the_day_of_expiry_is_the_plants_day(database: Database, warehouse: Warehouse) -> None:
    material = warehouse.material()
    lot = warehouse.stock(material, "10")
    warehouse.expire(lot, date(2030, 5, 1))
    # 20:00 UTC on 1 May is 04:00 on 2 May in Shanghai: the lot was good until yesterday there.
    evening = datetime(2030, 5, 1, 20, tzinfo=UTC)
    shanghai = PostgresInventory(database.app, time_zone=ZoneInfo("Asia/Shanghai"), now=lambda: evening)
    assert shanghai.allocate(unique("WO"), [need(material, "1")], key=unique("k"), actor="ann").short[0].expired == 10
    utc = PostgresInventory(database.app, now=lambda: evening)
    assert utc.allocate(unique("WO"), [need(material, "1")], key=unique("k"), actor="ann").allocations


@pytest.mark.accepts("A10", "MT-04")
def test_a_hundred_orders_at_once_on_ten_lots(warehouse: Warehouse) -> None:
    materials = [warehouse.material() for _ in range(2)]
    lots = [warehouse.stock(materials[n % 2], "20", expires_in=30 + n) for n in range(10)]
    orders = [unique("WO") for _ in range(100)]

    def ask(number: int) -> AllocationAnswer:
        # Every second order names the materials the other way round: the order of locks does not come from it.
        pair = materials if number % 2 else materials[::-1]
        needs: list[MaterialNeed] = [need(material, "3", line) for line, material in enumerate(pair)]
        return warehouse.inventory.allocate(orders[number], needs, key=unique("k"), actor="ann")

    started = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(100)))
    assert time.perf_counter() - started < 20
    # 100 kg of each material, 3 kg of each for an order: 33 orders are served, whoever they are.
    assert sum(bool(answer.allocations) for answer in answers) == 33
    for answer in answers:
        if answer.short:
            assert [(int(s.required), int(s.available)) for s in answer.short] == [(3, 1), (3, 1)]
            assert all(s.reserved_elsewhere == 99 for s in answer.short)
    balances = warehouse.balances(*lots)
    assert all(reserved <= on_hand for on_hand, reserved in balances.values())
    # First expired first out: everything but the last kg of the last lots is reserved.
    assert sorted(int(reserved) for _, reserved in balances.values()) == [19, 19, *[20] * 8]
    assert balances[lots[8], "RAW"][1] == balances[lots[9], "RAW"][1] == 19
