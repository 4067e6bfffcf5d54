"""Orders that wait on in a new run (ADR 36): the run that ends with a rest, and the one that goes on after it."""

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import WorkflowHandle

from tests.plant import Order, Plant
from tests.workflows.test_rest import RESTS_AFTER_SECONDS, at_rest


class Rested(Order):
    """An order as its first run saw it."""

    run: str | None = None

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.plant.client.get_workflow_handle(super().handle.id, run_id=self.run)


async def _at_rest(plant: Plant) -> Order:
    usual, plant.rests_after_seconds = plant.rests_after_seconds, RESTS_AFTER_SECONDS
    try:
        return await at_rest(await (await plant.order()).released())
    finally:
        plant.rests_after_seconds = usual


async def went_to_rest(plant: Plant) -> Order:
    """Released, and left alone until its first run was over."""
    order = await _at_rest(plant)
    first = Rested(plant, order.specification)
    first.run = (await order.handle.describe()).raw_description.workflow_execution_info.first_run_id
    return first


async def went_on_after_a_rest(plant: Plant) -> Order:
    """The same, then dispatched: its second run, in which its lots were reserved, issued and used."""
    order = await (await (await _at_rest(plant)).reserved()).issued()
    return await order.operation("DISPENSE")


RESTING_PATHS: dict[str, Callable[[Plant], Awaitable[Order]]] = {
    path.__name__: path for path in (went_to_rest, went_on_after_a_rest)
}
