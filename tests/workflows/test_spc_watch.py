"""A signal on the chart of a critical parameter is an alarm, once, also when the watch is started anew (KP-06)."""

import asyncio
from typing import Any

import pytest

from adapters.alarms.spc_watch import SpcWatch
from domain import commands as c
from domain.specification import OrderSpecification
from tests.desk import GMP, tablet_order
from tests.plant import Order, Plant, pauses

pytestmark = pytest.mark.accepts("KP-06")
STEADY = ("113.1", "112.8", "113.3", "112.9", "113.0", "113.2", "112.7", "113.1", "112.9", "113.0")


def specification(plant: Plant, *, critical: bool) -> OrderSpecification:
    """An order of tablets whose weight is critical, or is not."""
    order = tablet_order(GMP, plant.next_number())
    (work_order,) = order.work_orders
    operations = tuple(
        own.model_copy(
            update={"parameters": tuple(one.model_copy(update={"critical": critical}) for one in own.parameters)}
        )
        for own in work_order.operations
    )
    return order.model_copy(update={"work_orders": (work_order.model_copy(update={"operations": operations}),)})


async def compressing(plant: Plant, *, critical: bool) -> Order:
    """An order whose tablets are being compressed."""
    order = Order(plant, specification(plant, critical=critical))
    await order.start()
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    return order


async def weigh(order: Order, *texts: str) -> None:
    """Tablets are weighed, one after the other."""
    for weight in texts:
        values = (c.Measurement(name="weight", text=weight, unit="mg"),)
        await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)


def alarms(plant: Plant, order: Order) -> list[Any]:
    return plant.rows("SELECT * FROM alarm WHERE code = 'SPC_SIGNAL' AND order_number = :n ORDER BY id", n=order.number)


async def until_alarms(plant: Plant, order: Order, count: int) -> list[Any]:
    for pause in pauses(60):
        if len(found := alarms(plant, order)) >= count:
            return found
        await asyncio.sleep(pause)
    raise AssertionError(f"{len(alarms(plant, order))} alarms, not {count}")


async def test_a_signal_of_a_critical_parameter_is_an_alarm_once_also_across_restarts(plant: Plant) -> None:
    await plant.stock("API-S", "API", "100")
    await plant.stock("LAC-S", "LAC", "100")
    watch = SpcWatch(plant.engine)
    await asyncio.to_thread(watch.look)
    order = await compressing(plant, critical=True)
    await weigh(order, *STEADY)
    assert await asyncio.to_thread(watch.look) == 0
    running = asyncio.create_task(watch.run())
    await weigh(order, "117.5")
    first = await until_alarms(plant, order, 1)
    running.cancel()
    assert all("at 117.5 mg" in row.detail for row in first)
    assert {row.subject for row in first} == {f"operation/{order.work_order}/COMPRESS"}
    assert any("rule R1 at 117.5 mg" in row.detail for row in first)
    # It is started anew, and meanwhile nobody has looked.
    await weigh(order, "113.0")
    again = SpcWatch(plant.engine)
    for _ in range(3):
        await asyncio.to_thread(again.look)
    known = [row.id for row in alarms(plant, order) if "at 117.5 mg" in row.detail]
    assert known == [row.id for row in first]
    await weigh(order, "108.1")
    assert await asyncio.to_thread(SpcWatch(plant.engine).look) >= 1
    assert any("at 108.1 mg" in row.detail for row in alarms(plant, order))


async def test_a_parameter_that_is_not_critical_calls_nobody(plant: Plant) -> None:
    await plant.stock("API-T", "API", "100")
    await plant.stock("LAC-T", "LAC", "100")
    order = await compressing(plant, critical=False)
    await weigh(order, *STEADY, "117.9")
    assert await asyncio.to_thread(SpcWatch(plant.engine).look) == 0
    assert alarms(plant, order) == []
