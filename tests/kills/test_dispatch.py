"""Work orders, their operations and their pick lists are all there or none is, wherever the worker dies (PO-04)."""

import asyncio
import signal
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from temporalio.api.enums.v1 import EventType

from domain import commands as c
from domain.specification import OrderSpecification
from tests.desk import GMP, tablet_order
from tests.kills.test_between_commit_and_answer import (
    assert_nothing_doubled,
    doomed_worker,
    dying_workers,
    haunted,
)
from tests.plant import Order, Plant, pauses

__all__ = ["haunted"]

pytestmark = pytest.mark.timeout(600)

WORKFLOW_TASK: Final = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
)  # fmt: skip
WRITE, ALLOCATE = "record.write/local", "inventory.allocate"


@dataclass(frozen=True)
class Counted:
    """What the record has of an order: rows, and who stands where."""

    work_orders: tuple[str, ...]
    operations: int
    pick_lists: tuple[str, ...]
    reserved: int


NOTHING = Counted((), 0, (), 0)
MADE = Counted(("pending", "pending"), 6, (), 0)
DISPATCHED = Counted(("dispatched", "pending"), 6, ("created",), 0)
RESERVED = Counted(("dispatched", "pending"), 6, ("created",), 2)
EXPECTED = Counted(("dispatched", "dispatched"), 6, ("allocated", "allocated"), 4)


def two_levels(number: str) -> OrderSpecification:
    """An order of two work orders of three operations and two materials each."""
    order = tablet_order(GMP, number)
    (first,) = order.work_orders
    second = first.model_copy(update={"number": f"{number}-02", "output_lot": f"{first.output_lot}-02"})
    return order.model_copy(update={"work_orders": (first, second)})


def counted(order: Order) -> Counted:
    """The rows of an order."""
    plant, its = order.plant, "SELECT number FROM work_order WHERE order_number = :n"
    states = plant.rows("SELECT state FROM work_order WHERE order_number = :n ORDER BY number", n=order.number)
    operations = plant.rows(f"SELECT 1 FROM operation WHERE work_order IN ({its})", n=order.number)
    lists = plant.rows(f"SELECT state FROM pick_list WHERE work_order IN ({its}) ORDER BY number", n=order.number)
    reserved = plant.rows(f"SELECT 1 FROM reservation WHERE work_order IN ({its})", n=order.number)
    return Counted(
        tuple(row.state for row in states), len(operations), tuple(row.state for row in lists), len(reserved)
    )


async def settled(order: Order) -> None:
    """Nothing of the order is half done: its last workflow task is complete, so no write will be tried again."""
    for pause in pauses(60, first=0.1):
        tasks = [
            event.event_type
            for event in (await order.handle.fetch_history()).events
            if event.event_type in WORKFLOW_TASK
        ]
        if tasks[-1] == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"{order.number} does not come to rest")


async def _told(order: Order, command: c.Command) -> None:
    assert (await order.verdict(command.command_id)).accepted


@pytest.mark.accepts("PO-04", "PO-10")
async def test_a_crash_at_any_boundary_leaves_all_work_orders_and_pick_lists_or_none(
    haunted: Plant, tmp_path: Path
) -> None:
    order = Order(haunted, two_levels(haunted.next_number()))

    async def dies(phase: str, at: str) -> Counted:
        """What is in the record when a worker has died there, and nobody works."""
        marks = tmp_path / f"{phase}-{at.replace('/', '.').replace(':', '-')}"
        await asyncio.to_thread(marks.mkdir)
        worker = await doomed_worker(haunted, marks, at)
        assert await asyncio.wait_for(worker.wait(), 120) == -signal.SIGKILL
        return await asyncio.to_thread(counted, order)

    async def goes_on(phase: str, act: Awaitable[Any]) -> Counted:
        """What is in the record when a worker that lives has finished."""
        async with dying_workers(haunted, None, tmp_path / f"{phase}-healthy"):
            await act
            await settled(order)
        return await asyncio.to_thread(counted, order)

    making = asyncio.create_task(order.start())
    assert await dies("create", f"before:{WRITE}") == NOTHING
    assert await dies("create", WRITE) == MADE
    assert await goes_on("create", submitted_and_approved(order, making)) == MADE

    release = order.command(c.ReleaseOrder, "sam")
    await order.send(release)
    assert (await dies("release", f"before:{WRITE}"), order.state()) == (MADE, "approved")
    assert (await dies("release", WRITE), order.state()) == (MADE, "released")
    assert await goes_on("release", _told(order, release)) == MADE

    first = order.command(c.DispatchWorkOrder, "sam")
    await order.send(first)
    assert await dies("dispatch", f"before:{WRITE}") == MADE
    assert await dies("dispatch", WRITE) == DISPATCHED
    assert await dies("dispatch", ALLOCATE) == RESERVED
    second = order.command(c.DispatchWorkOrder, "sam", work_order=order.specification.work_orders[1].number)
    await order.send(second)
    assert await goes_on("dispatch", both_allocated(order)) == EXPECTED
    assert (await order.verdict(first.command_id)).accepted
    numbers = haunted.rows("SELECT number, uuid FROM pick_list WHERE work_order LIKE :n", n=f"{order.number}-%")
    assert len({row.number for row in numbers}) == len({row.uuid for row in numbers}) == 2
    assert_nothing_doubled(haunted)


async def submitted_and_approved(order: Order, making: Awaitable[Any]) -> None:
    """The order is made; Pia submits, Sam approves."""
    await making
    await order.do(c.SubmitOrder, "pia")
    await order.do(c.ApproveOrder, "sam")


async def both_allocated(order: Order) -> None:
    """Wait until both pick lists have their lots."""
    for pause in pauses(60, first=0.1):
        if (await asyncio.to_thread(counted, order)).pick_lists == EXPECTED.pick_lists:
            return
        await asyncio.sleep(pause)
    raise AssertionError("the second pick list has no lots")
