"""Processes that write no facts: the three clocks of a system, and the process of a lot's hold."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from adapters.quality import lot_holds
from db.once import Request
from db.queries import lot_holds as tables
from domain import commands as c
from domain.start import StartLotHold
from tests.plant import Plant, pauses
from tests.workflows.test_alarm_clock import raised, until_escalated
from workflows import alarm_clock, policies
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.lot_hold import RELEASE, LotHoldWorkflow
from workflows.report_clock import ReportClockWorkflow
from workflows.runtime import start_alarm_clock, tell_clock

Process = WorkflowHandle[Any, Any]


async def answered(process: Process, times: int) -> Process:
    """Wait until so many activities of a process have answered."""
    done = 0
    for pause in pauses(60):
        history = await process.fetch_history()
        done = sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for event in history.events)
        if done >= times:
            return process
        await asyncio.sleep(pause)
    raise AssertionError(f"{process.id}: {done} answers, not {times}")


async def told_twice(plant: Plant, clock: type[EquipmentClockWorkflow] | type[ReportClockWorkflow]) -> Process:
    process = plant.client.get_workflow_handle(clock.workflow_id(plant.task_queue))
    for times in (1, 2):
        await tell_clock(plant.client, clock, plant.task_queue)
        await answered(process, times)
    return process


async def looked_at_the_register_twice(plant: Plant) -> Process:
    """The clock of the equipment register: begun, and told that something has changed."""
    return await told_twice(plant, EquipmentClockWorkflow)


async def looked_for_due_reports_twice(plant: Plant) -> Process:
    """The clock of reports: begun, and told that something has changed."""
    return await told_twice(plant, ReportClockWorkflow)


async def escalated_an_alarm(plant: Plant) -> Process:
    """The clock of alarms: an alarm that nobody acknowledges within a second."""
    alarm = await asyncio.to_thread(raised, plant, "RECORDED", 1)
    await start_alarm_clock(plant.client, plant.task_queue)
    await until_escalated(plant, alarm, 1)
    return await answered(plant.client.get_workflow_handle(alarm_clock.workflow_id(plant.task_queue)), 2)


async def stopped_two_orders_and_let_them_go(plant: Plant) -> Process:
    """A hold of a lot that two orders use: both are told, and told again at its release; one is over by then."""
    lot = "API-HELD"
    await plant.stock(lot, "API", "20")
    orders = [await (await plant.order()).allocated() for _ in range(2)]
    for order in orders:
        choice = (c.ChosenLots(line=1, lots=(lot,)),)
        await order.do(c.ChooseLots, "sam", choice=choice, reason="the customer wants this origin")
        await order.until("pick_list", "allocated")
    hold = await asyncio.to_thread(placed, plant, lot)
    process = await plant.client.start_workflow(
        LotHoldWorkflow.run, StartLotHold(hold=hold), id=policies.lot_hold_id(hold), task_queue=plant.task_queue
    )
    for order in orders:
        await order.until("order", "held")
    await until_hold(plant, hold, "held")
    await orders[1].do(c.CancelOrder, "sam", reason="customer withdrew")
    await orders[1].until("order", "cancelled")
    await asyncio.to_thread(released, plant, hold, lot)
    await process.signal(RELEASE)
    await process.result()
    await orders[0].until("order", "released")
    return process


def act_of(kind: str, lot: str) -> Request:
    return Request(kind, f"lot/{lot}", f"{kind}/{lot}", "rae", datetime.now(UTC), {})


def placed(plant: Plant, lot: str) -> str:
    """What the signed act of quality writes."""
    with plant.engine.begin() as connection:
        reach = tables.reach(connection, lot, downstream=False)
        number, _ = lot_holds.place(
            connection, act_of("holdLot", lot), reach, lot, "signature", downstream=False, reason="glass was found"
        )
    return number


def released(plant: Plant, hold: str, lot: str) -> None:
    """And at the release."""
    with plant.engine.begin() as connection:
        lot_holds.release(connection, act_of("releaseLotHold", lot), hold, lot, "it was not glass", "signature")


async def until_hold(plant: Plant, hold: str, state: str) -> None:
    for pause in pauses(60):
        (row,) = await asyncio.to_thread(plant.rows, "SELECT state FROM lot_hold WHERE number = :h", h=hold)
        if row.state == state:
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"{hold} is {row.state}, not {state}")


STANDING_PATHS: dict[str, Callable[[Plant], Awaitable[Process]]] = {
    path.__name__: path
    for path in (
        looked_at_the_register_twice, looked_for_due_reports_twice, escalated_an_alarm,
        stopped_two_orders_and_let_them_go,
    )
}  # fmt: skip
