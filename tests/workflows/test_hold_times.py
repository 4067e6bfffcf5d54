"""Material that waits between two operations. Time is skipped, not waited for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from domain import commands as c
from settings import Settings
from tests.conftest import Database
from tests.desk import GMP, tablet_order
from tests.plant import Order, Plant, Refusal
from tests.workflows.clock import skipping

__all__ = ["skipping"]


@pytest.fixture(scope="module")
async def plant_of_hours(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> AsyncIterator[Plant]:
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    plant = Plant(skipping.client, engine, settings, task_queue="hold-times")
    await asyncio.to_thread(plant.set_up)
    for lot in ("API-1", "LAC-1"):
        await plant.stock(lot, lot[:3], "10000")
    async with plant.working():
        yield plant


async def dispensed(plant: Plant) -> Order:
    """An order whose blend waits for its compression, for an hour at most."""
    specification = tablet_order(GMP, plant.next_number())
    (own,) = specification.work_orders
    operations = tuple(
        operation.model_copy(update={"longest_wait_seconds": 3600}) if operation.code == "COMPRESS" else operation
        for operation in own.operations
    )
    limited = own.model_copy(update={"operations": operations})
    order = Order(plant, specification.model_copy(update={"work_orders": (limited,)}))
    await order.start()
    await order.picked()
    return await order.operation("DISPENSE")


@pytest.mark.accepts("MT-12", "QL-07")
async def test_material_that_waits_too_long_is_a_deviation_that_quality_decides(
    skipping: WorkflowEnvironment, plant_of_hours: Plant
) -> None:
    with skipping.with_time_skipping_disabled():
        order = await dispensed(plant_of_hours)
    await skipping.fast_forward(order.handle, timedelta(minutes=59))
    assert (await order.process()).open_deviations() == []
    await skipping.fast_forward(order.handle, timedelta(minutes=2))
    (number,) = (await order.process()).open_deviations()
    (row,) = plant_of_hours.rows("SELECT code, operation, detail FROM deviation WHERE number = :n", n=number)
    assert (row.code, row.operation) == ("HOLD_TIME_EXCEEDED", "COMPRESS")
    assert "3600 s" in row.detail
    with pytest.raises(Refusal) as refusal:
        await order.do(c.StartOperation, "olu", operation="COMPRESS")
    assert refusal.value.codes == ["DEVIATION_OPEN"]
    await order.do(c.DecideDeviation, "rae", deviation=number, decision="stable for 4 h, study S-12")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await skipping.fast_forward(order.handle, timedelta(hours=3))
    assert list((await order.process()).deviations) == [number], "it is opened once"


@pytest.mark.accepts("MT-12")
async def test_material_that_is_used_in_time_is_no_deviation(
    skipping: WorkflowEnvironment, plant_of_hours: Plant
) -> None:
    with skipping.with_time_skipping_disabled():
        order = await dispensed(plant_of_hours)
        await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await skipping.fast_forward(order.handle, timedelta(hours=3))
    assert (await order.process()).deviations == {}
