"""Unused material goes back before it is consumed, on the real servers: moves, rows, audit, genealogy, balance."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal

import pytest

from db.audit import verify
from db.queries.trace import trace
from db.queries.trace_batch import validate_batch
from domain import commands as c
from tests.plant import Order, Plant, Refusal
from tests.workflows.test_one_order import folded

DISPENSED = (
    c.LineQuantity(line=1, lot="API-1", quantity=Decimal("4.0"), unit="kg"),
    c.LineQuantity(line=2, lot="LAC-1", quantity=Decimal("90.5"), unit="kg"),
)


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


def back(lot: str, quantity: str, **more: object) -> c.ReturnedQuantity:
    """A quantity of API-… (line 1) or LAC-… (line 2) that goes back."""
    line = 1 if lot.startswith("API") else 2
    fields = {"line": line, "lot": lot, "quantity": quantity, "unit": "kg", **more}
    return c.ReturnedQuantity.model_validate(fields)


async def returns(order: Order, *lines: c.ReturnedQuantity, by: str = "wil") -> None:
    await order.do(c.ReturnMaterials, by, lines=lines, reason="too much issued")


async def rest_of_the_batch(order: Order) -> None:
    """From COMPRESS to the quarantine store."""
    await order.operation("COMPRESS", good=990, scrap=10, weight="113")
    await order.operation("COAT", good=980, scrap=10)
    await order.until("inspection", "created")
    await order.tested()
    await order.put_into_quarantine()


def moves(order: Order, kind: str) -> list[tuple[object, ...]]:
    """(lot, from, to, quantity) of the work order's moves of a kind."""
    statement = """SELECT lot, from_place, to_place, quantity::text FROM stock_move
                   WHERE work_order = :w AND kind = :k ORDER BY id"""
    return [tuple(row) for row in order.plant.rows(statement, w=order.work_order, k=kind)]


def papers(order: Order) -> list[tuple[object, ...]]:
    """(number, lot, quantity, disposition, reason, state, who) of the work order's returns."""
    statement = """SELECT number, lot, quantity::text, disposition, reason, state, asked_by FROM material_return
                   WHERE work_order = :w ORDER BY number, position"""
    return [tuple(row) for row in order.plant.rows(statement, w=order.work_order)]


@pytest.mark.accepts("A11", "A17", "MT-09")
async def test_what_comes_back_is_in_no_batch(plant: Plant) -> None:
    before = {lot: plant.balance(lot)["RAW"][0] for lot in ("API-1", "LAC-1")}
    order = await (await plant.order()).picked()
    await returns(order, back("API-1", "0.5"), back("LAC-1", "2", reason="a bag was not opened"))
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=DISPENSED)
    await rest_of_the_batch(order)
    with pytest.raises(Refusal) as refusal:
        await order.do(c.CertifyBatch, "quinn")
    assert refusal.value.codes == ["MATERIAL_ON_LINE", "MATERIAL_ON_LINE"]
    assert [blocker.id for blocker in refusal.value.outcome.blockers] == ["API-1", "LAC-1"]
    assert "returnMaterials" in refusal.value.outcome.possible
    await returns(order, back("API-1", "0.5"), back("LAC-1", "2.5", disposition="scrap"), by="olu")
    await order.finished()

    number = order.work_order
    assert papers(order) == [
        (f"{number}-R1", "API-1", "0.5", "toStock", "too much issued", "returned", "wil"),
        (f"{number}-R1", "LAC-1", "2", "toStock", "a bag was not opened", "returned", "wil"),
        (f"{number}-R2", "API-1", "0.5", "toStock", "too much issued", "returned", "olu"),
        (f"{number}-R2", "LAC-1", "2.5", "scrap", "too much issued", "returned", "olu"),
    ]
    assert moves(order, "return") == [
        ("API-1", "LINE", "RAW", "0.5"), ("LAC-1", "LINE", "RAW", "2"), ("API-1", "LINE", "RAW", "0.5"),
    ]  # fmt: skip
    assert moves(order, "scrap") == [("LAC-1", "LINE", "SCRAP", "2.5")]
    # Net of what came back: in the balances, in both traces, in the proof of the batch.
    after = {lot: quantity - gone for (lot, quantity), gone in zip(before.items(), (4, 93), strict=True)}
    assert {lot: plant.balance(lot) for lot in after} == {
        lot: {"RAW": (rest, Decimal(0))} for lot, rest in after.items()
    }
    with plant.engine.begin() as connection:
        backward = {edge.source: edge.quantity for edge in trace(connection, order.lot, "backward").edges}
        forward = {e.source: e.quantity for e in trace(connection, "API-1", "forward").edges if e.target == order.lot}
        made = {node.lot: node.quantity for node in trace(connection, order.lot, "backward").nodes}
        assert validate_batch(connection, order.lot, "TAB") == (True, ())
        assert verify(connection).broken_at is None
    assert backward == {"API-1": Decimal("4.0"), "LAC-1": Decimal("90.5")}
    assert forward == {"API-1": Decimal("4.0")}
    assert made["API-1"] == 1000
    issued = {lot: quantity for lot, _, _, quantity in moves(order, "issue")}
    assert issued == {"API-1": "5.0", "LAC-1": "95.0"}
    assert await folded(order) == await order.process()


async def test_the_same_return_sent_five_times_moves_once(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    command = order.command(c.ReturnMaterials, "wil", lines=(back("API-1", "2"),), reason="too much issued")
    for _ in range(5):
        await order.send(command)
    assert (await order.verdict(command.command_id)).accepted
    assert moves(order, "return") == [("API-1", "LINE", "RAW", "2")]
    keys = plant.rows("SELECT key FROM stock_move WHERE work_order = :w AND kind = 'return'", w=order.work_order)
    assert keys[0].key.startswith(f"{order.work_order}/return/{command.command_id}/")
    assert len(papers(order)) == 1


async def test_two_returns_at_once_give_back_no_more_than_there_is(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    both = [
        order.command(c.ReturnMaterials, by, lines=(back("API-1", "3"),), reason="too much issued")
        for by in ("wil", "olu")
    ]
    await asyncio.gather(*(order.send(command) for command in both))
    verdicts = [await order.verdict(command.command_id) for command in both]
    assert sorted(verdict.accepted for verdict in verdicts) == [False, True]
    (refused,) = [verdict for verdict in verdicts if not verdict.accepted]
    assert refused.blockers[0].code == "MORE_THAN_ON_LINE"
    assert moves(order, "return") == [("API-1", "LINE", "RAW", "3")]


async def test_the_warehouse_may_refuse_and_the_material_stays_where_it_is(plant: Plant) -> None:
    await plant.stock("API-0", "API", "5", expires_on=(await today(plant)) + timedelta(days=1))
    order = await (await plant.order()).picked()
    assert plant.balance("API-0") == {"LINE": (Decimal(5), Decimal(0))}
    await state_of(plant, "API-0", "rejected")
    await zone_of(plant, "REJECTED", "line")
    try:
        with pytest.raises(Refusal) as refusal:
            await returns(order, back("API-0", "5"))
    finally:
        await zone_of(plant, "REJECTED", "rejected")
    blocker = refusal.value.blocker
    assert (blocker.code, blocker.id, blocker.who_can_fix) == ("NO_PLACE", "API-0", "processEngineer")
    assert plant.balance("API-0") == {"LINE": (Decimal(5), Decimal(0))}
    assert [paper[5] for paper in papers(order)] == ["refused"]
    await returns(order, back("API-0", "5"))
    assert plant.balance("API-0") == {"REJECTED": (Decimal(5), Decimal(0))}
    await order.do(c.CancelOrder, "sam", reason="the API was rejected")
    assert await order.handle.result() == "cancelled"
    assert plant.balance("API-0") == {"REJECTED": (Decimal(5), Decimal(0))}


async def test_a_lot_on_hold_goes_to_quarantine(plant: Plant) -> None:
    await plant.stock("API-00", "API", "5", expires_on=(await today(plant)) + timedelta(days=2))
    order = await (await plant.order()).picked()
    await state_of(plant, "API-00", "onHold")
    await returns(order, back("API-00", "1.5"))
    await order.do(c.CancelOrder, "sam", reason="question about the API")
    await order.handle.result()
    assert plant.balance("API-00") == {"QUARANTINE": (Decimal(5), Decimal(0))}


async def test_on_hold_nothing_comes_back_and_the_order_says_why(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await order.do(c.HoldOrder, "qa", reason="question about a lot")
    with pytest.raises(Refusal) as refusal:
        await returns(order, back("API-1", "9"))
    assert refusal.value.codes == ["ORDER_ON_HOLD", "MORE_THAN_ON_LINE"]
    assert papers(order) == []


async def today(plant: Plant) -> date:
    """The database's day."""
    rows = await asyncio.to_thread(plant.rows, "SELECT current_date AS day")
    return rows[0].day  # type: ignore[no-any-return]


async def state_of(plant: Plant, lot: str, status: str) -> None:
    """Quality stops a lot."""
    await asyncio.to_thread(
        plant.rows, "UPDATE lot SET status = :s WHERE number = :l RETURNING number", s=status, l=lot
    )


async def zone_of(plant: Plant, place: str, zone: str) -> None:
    """A place becomes one of another zone."""
    await asyncio.to_thread(plant.rows, "UPDATE place SET zone = :z WHERE code = :p RETURNING code", z=zone, p=place)
