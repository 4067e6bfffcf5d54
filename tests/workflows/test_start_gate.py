"""The gate before an operation starts, on the real servers: everything in the way at once, or the line is taken."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from adapters.equipment_register.port import OccupyAnswer
from adapters.equipment_register.postgres import PostgresEquipmentRegister
from db.audit import verify
from domain import commands as c
from domain.equipment_gate import StartNeed
from domain.errors import AdapterUnreachable
from domain.events import Fact
from domain.folding import fold
from domain.process import created
from tests.desk import GMP, tablet_order
from tests.line import CHECKS, GRANULATION, Line, on_line
from tests.plant import Order, Plant, Refusal

GATED = GMP.model_copy(update={"code": "gated", "start_gate": True})


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


async def new_line(plant: Plant, *, ready: bool = True, **of: int) -> Line:
    line = await asyncio.to_thread(lambda: Line(plant.engine, None, **of))
    if ready:
        await asyncio.to_thread(line.ready)
    return line


async def order_on(plant: Plant, line: Line, *operations: str, quantity: int = 1000, **more: Any) -> Order:
    """A gated order; what is not named is done at a second line that is always ready."""
    specification = tablet_order(GATED, plant.next_number(), quantity)
    bench = await new_line(plant)
    specification = on_line(specification, bench, "DISPENSE", "COMPRESS", "COAT")
    order = Order(plant, on_line(specification, line, *operations, **more))
    await order.start()
    return order


async def refused_start(order: Order, operation: str = "DISPENSE", by: str = "olu") -> dict[str, list[str]]:
    """Code → ids of everything that stands in the way."""
    with pytest.raises(Refusal) as caught:
        await order.do(c.StartOperation, by, operation=operation)
    found: dict[str, list[str]] = {}
    for blocker in caught.value.outcome.blockers:
        found.setdefault(blocker.code, []).append(blocker.id)
    return found


def seen_by_the_record(order: Order) -> tuple[Any, ...]:
    """What a refused start must not touch."""
    return (
        order.plant.balance("API-1"),
        order.plant.rows("SELECT count(*) FROM stock_move")[0][0],
        order.plant.rows("SELECT state FROM operation WHERE work_order = :w ORDER BY code", w=order.work_order),
        order.plant.rows("SELECT count(*) FROM equipment_log_entry")[0][0],
    )


@pytest.mark.accepts("B4", "EQ-01", "EB-06", "AC-09")
async def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_consumed(plant: Plant) -> None:
    line = await new_line(plant, ready=False)
    await asyncio.to_thread(lambda: line.qualified().qualified(line.room).cleaned())
    await asyncio.to_thread(line.trained, "olu", line.clock() + timedelta(seconds=0.001))
    order = await order_on(plant, line, "DISPENSE", clearance=CHECKS, training=GRANULATION)
    await order.allocated()
    with plant.engine.begin() as connection:
        connection.execute(text("UPDATE lot SET status = 'onHold' WHERE number = 'LAC-1'"))
    before = seen_by_the_record(order)
    try:
        found = await refused_start(order)
    finally:
        with plant.engine.begin() as connection:
            connection.execute(text("UPDATE lot SET status = 'released' WHERE number = 'LAC-1'"))
    assert found == {
        "WORK_ORDER_NOT_RUNNING": [order.work_order],
        "SEQUENCE": [f"{order.work_order}/DISPENSE"],
        "MATERIAL_NOT_ISSUED": ["API", "LAC"],
        "CALIBRATION_EXPIRED": [line.press],
        "NOT_CLEAN": [line.room],
        "CLEARANCE_MISSING": [line.room],
        "TRAINING_MISSING": ["olu"],
        "LOT_NOT_RELEASED": ["LAC-1"],
    }
    assert seen_by_the_record(order) == before
    rows = plant.rows("SELECT state FROM command_outcome o JOIN work_order w ON w.number = :w", w=order.work_order)
    assert {row.state for row in rows} == {"dispatched"}

    # Each is mended, and the same person starts.
    await asyncio.to_thread(lambda: line.calibrated().cleaned(line.room).trained())
    await asyncio.to_thread(line.cleared, order.lot, "DISPENSE")
    await order.do(c.ApprovePickList, "wil")
    await order.do(c.IssuePickList, "wil")
    await order.until("work_order", "ready")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    assert line.item().batch == line.item(line.room).batch == order.lot


@pytest.mark.accepts("EQ-05")
async def test_a_batch_takes_the_line_and_leaves_it_dirty(plant: Plant) -> None:
    line = await new_line(plant, dirty_hold_seconds=3600)
    order = await order_on(plant, line, "DISPENSE", "COMPRESS")
    await order.picked()
    await order.operation("DISPENSE")
    # The press is free and dirty; the room stays with the batch, which goes on in it.
    assert (line.item().batch, str(line.item().cleaning), line.item().last_batch) == (None, "toBeCleaned", order.lot)
    assert line.item(line.room).batch == order.lot
    # The batch goes on in its own residue: no cleaning in between.
    await order.operation("COMPRESS", good=990, scrap=10, weight="113")
    room = line.item(line.room)
    assert (room.batch, room.last_batch, str(room.cleaning)) == (None, order.lot, "toBeCleaned")
    assert room.dirty_until is not None
    used = [(entry.activity, entry.operation, entry.batch, entry.person) for entry in line.log()[-4:]]
    assert used == [
        ("use", "DISPENSE", order.lot, "olu"),
        ("idle", None, None, "olu"),
        ("use", "COMPRESS", order.lot, "olu"),
        ("idle", None, None, "olu"),
    ]
    ended = plant.rows("SELECT ended_at FROM operation WHERE work_order = :w AND code = 'DISPENSE'", w=order.work_order)
    assert line.log()[-3].started_at == ended[0].ended_at
    with plant.engine.begin() as connection:
        assert verify(connection).broken_at is None


async def test_the_facts_of_a_gated_order_fold_to_what_its_workflow_holds(plant: Plant) -> None:
    line = await new_line(plant)
    order = await order_on(plant, line, "DISPENSE")
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    bodies = plant.rows("SELECT body FROM order_fact WHERE order_number = :n ORDER BY revision", n=order.number)
    process = created(order.specification)
    for (body,) in bodies:
        fold(process, Fact.model_validate(body))
    assert process == await order.process()
    operations = process.work_orders[order.work_order].operations
    assert (operations["DISPENSE"].occupation, operations["COMPRESS"].occupation) == (None, "occupied")
    assert operations["COMPRESS"].started_by == "olu"


@pytest.mark.accepts("PO-08")
async def test_of_two_orders_on_one_line_one_starts(plant: Plant) -> None:
    line = await new_line(plant)
    orders = [await order_on(plant, line, "DISPENSE") for _ in range(2)]
    await asyncio.gather(*(order.picked() for order in orders))
    answers = await asyncio.gather(
        *(order.do(c.StartOperation, "olu", operation="DISPENSE") for order in orders), return_exceptions=True
    )
    lost = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(lost) == 1
    assert sorted(lost[0].codes) == ["EQUIPMENT_IN_USE", "ROOM_OCCUPIED"]
    winner = next(order for order, answer in zip(orders, answers, strict=True) if not isinstance(answer, Refusal))
    loser = next(order for order in orders if order is not winner)
    assert winner.lot in lost[0].outcome.blockers[0].found
    # When the winner is done and the line clean again, the other one has it.
    await winner.do(c.CompleteOperation, "olu", operation="DISPENSE")
    assert await refused_start(loser) == {"NOT_CLEAN": [line.press, line.room]}
    await asyncio.to_thread(lambda: line.cleaned().cleaned(line.room))
    await loser.do(c.StartOperation, "olu", operation="DISPENSE")
    assert line.item().batch == loser.lot


async def test_a_cancelled_order_frees_the_line(plant: Plant) -> None:
    line = await new_line(plant)
    before = plant.balance("API-1")
    order = await order_on(plant, line, "DISPENSE", "COMPRESS")
    await order.picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    assert line.item().batch == order.lot
    await order.do(c.CancelOrder, "sam", reason="customer withdrew")
    await order.until("order", "cancelled")
    for item in (line.item(), line.item(line.room)):
        assert (item.batch, str(item.cleaning), str(item.availability)) == (None, "toBeCleaned", "available")
    assert plant.balance("API-1") == before


class SlowRegister(PostgresEquipmentRegister):
    """Occupies, and its answer is lost for as long as the test wants."""

    def __init__(self, engine: Any) -> None:
        super().__init__(engine)
        self.answers = False
        self.occupied = 0

    def occupy(self, need: StartNeed, *, key: str, actor: str) -> OccupyAnswer:
        """See `EquipmentRegister.occupy`."""
        answer = super().occupy(need, key=key, actor=actor)
        self.occupied += 1
        if not self.answers:
            raise AdapterUnreachable("equipment register", "the line is cut")
        return answer


async def test_what_was_occupied_without_an_answer_is_freed_when_the_order_is_cancelled(plant: Plant) -> None:
    register = SlowRegister(plant.engine)
    slow = Plant(plant.client, plant.engine, plant.settings, task_queue=f"{plant.task_queue}-slow")
    line = await new_line(plant)
    async with slow.working(equipment_register=register):
        order = await order_on(slow, line, "DISPENSE")
        await order.picked()
        start = order.command(c.StartOperation, "olu", operation="DISPENSE")
        await order.send(start)
        for _ in range(500):
            if register.occupied:
                break
            await asyncio.sleep(0.02)
        assert line.item().batch == order.lot
        await order.do(c.CancelOrder, "sam", reason="customer withdrew")
        await order.until("order", "cancelled")
        verdict = await order.verdict(start.command_id)
    assert [blocker.code for blocker in verdict.blockers] == ["ORDER_CANCELLED"]
    assert line.item().batch is line.item(line.room).batch is None


async def test_an_order_that_is_held_while_it_asks_gives_the_line_back(plant: Plant) -> None:
    register = SlowRegister(plant.engine)
    slow = Plant(plant.client, plant.engine, plant.settings, task_queue=f"{plant.task_queue}-held")
    line = await new_line(plant)
    async with slow.working(equipment_register=register):
        order = await order_on(slow, line, "DISPENSE")
        await order.picked()
        start = order.command(c.StartOperation, "olu", operation="DISPENSE")
        await order.send(start)
        for _ in range(500):
            if register.occupied:
                break
            await asyncio.sleep(0.02)
        again = order.command(c.StartOperation, "ole", operation="DISPENSE")
        await order.send(again)
        assert [b.code for b in (await order.verdict(again.command_id)).blockers] == ["IN_PROGRESS"]
        await order.do(c.HoldOrder, "qa", reason="question about a lot")
        register.answers = True
        verdict = await order.verdict(start.command_id)
    assert "ORDER_ON_HOLD" in [blocker.code for blocker in verdict.blockers]
    assert line.item().batch is line.item(line.room).batch is None
    assert str(line.item().cleaning) == "toBeCleaned"


async def test_without_the_gate_nobody_asks(plant: Plant) -> None:
    line = await new_line(plant, ready=False)
    order = Order(plant, on_line(tablet_order(GMP, plant.next_number()), line, "DISPENSE"))
    await order.start()
    await order.picked()
    await order.operation("DISPENSE")
    history = await order.handle.fetch_history()
    scheduled = {event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events}
    assert "equipment-register.occupy" not in scheduled
    assert [entry.activity for entry in line.log()] == ["idle"]
