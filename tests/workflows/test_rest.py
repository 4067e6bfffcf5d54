"""An order that nobody touches waits on in a new run of few events; nobody can tell it by anything else (ADR 36)."""

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain import commands as c
from domain.states import OrderState
from tests.plant import Order, Plant, pauses
from tests.workflows.test_one_order import folded
from workflows import policies

RESTS_AFTER_SECONDS = 1


@pytest.fixture(autouse=True)
async def _soon(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plant, "rests_after_seconds", RESTS_AFTER_SECONDS)


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


async def run_of(order: Order) -> str | None:
    """The run that an order is in."""
    return (await order.handle.describe()).run_id


async def events(order: Order) -> int:
    """Events of the run that an order is in."""
    return (await order.handle.describe()).history_length


async def at_rest(order: Order) -> Order:
    """The order waits in a run that is not worth another rest."""
    for pause in pauses(60):
        # From the record: a run that has just begun may not answer yet. Its first task makes four events.
        (row,) = order.plant.rows("SELECT state FROM production_order WHERE number = :n", n=order.number)
        is_released = row.state == OrderState.RELEASED
        if 4 <= await events(order) < (policies.WORTH_A_REST_RELEASED if is_released else policies.WORTH_A_REST):
            return order
        await asyncio.sleep(pause)
    raise AssertionError(f"{order.number} does not rest")


async def test_a_released_order_waits_for_its_dispatch_in_a_run_of_four_events(plant: Plant) -> None:
    order = await (await plant.order()).released()
    before, first = await order.process(), await run_of(order)
    assert await events(await at_rest(order)) == 4
    assert await order.process() == before
    assert await folded(order) == before
    over = await plant.client.get_workflow_handle(order.handle.id, run_id=first).describe()
    assert over.status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    # Days later: what came before the rest is known, and the order goes on to its end.
    facts = plant.rows("SELECT body FROM order_fact WHERE order_number = :n ORDER BY revision", n=order.number)
    approved = next(row.body for row in facts if row.body["commandKind"] == "approveOrder")
    await order.send(order.command(c.ApproveOrder, "sue", command_id=approved["commandId"]))
    for step in (order.reserved, order.issued, order.made, order.tested, order.put_into_quarantine, order.finished):
        await step()
    assert [row.body["commandId"] for row in plant.rows(
        "SELECT body FROM order_fact WHERE order_number = :n", n=order.number
    )].count(approved["commandId"]) == 1  # fmt: skip


async def test_an_order_rests_wherever_it_waits_and_only_once(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    await at_rest(order)
    resting = await run_of(order)
    await asyncio.sleep(2 * RESTS_AFTER_SECONDS)
    assert await run_of(order) == resting
    await order.do(c.ReportProduction, "olu", operation="DISPENSE", good=5)
    assert (await order.process()).work_orders[order.work_order].operations["DISPENSE"].good == 5


async def test_an_order_that_is_touched_again_and_again_does_not_rest(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await at_rest(order)
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    run = await run_of(order)
    for _ in range(8):
        await order.do(c.ReportProduction, "olu", operation="DISPENSE", good=1)
        await asyncio.sleep(RESTS_AFTER_SECONDS / 2)
    assert await run_of(order) == run
    assert await events(order) > policies.WORTH_A_REST


async def test_commands_that_come_while_it_goes_to_rest_are_judged_once(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    sent: list[c.Command] = []
    seen = {await run_of(order)}
    while len(seen) < 3:
        report = order.command(c.ReportProduction, "olu", operation="DISPENSE", good=1)
        sent.append(report)
        await asyncio.gather(order.send(report), order.send(report))
        # Some come before the order would go to rest, some while it does, some after.
        await asyncio.sleep(RESTS_AFTER_SECONDS * (1 + len(sent) % 8 / 8))
        seen.add(await run_of(order))
    verdicts = [await order.verdict(report.command_id) for report in sent]
    assert all(verdict.accepted for verdict in verdicts)
    assert (await order.process()).work_orders[order.work_order].operations["DISPENSE"].good == len(sent)
    assert await folded(order) == await order.process()
