"""A press gives its job up while workers die: one fault, one maintenance order, one hold, one way back."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.equipment.opcua import OpcUaEquipment
from adapters.equipment.port import JobState
from domain import commands as c
from domain import maintenance_commands as mc
from domain.states import OperationState
from tests.cases import Led
from tests.contracts.equipment.support import LONG, PressProcess
from tests.kills.test_between_commit_and_answer import (
    OF_MAINTENANCE,
    assert_all_died,
    assert_nothing_doubled,
    connection_to,
    dying_workers,
    haunted,
    press,
)
from tests.line import Line
from tests.plant import Order, Plant

__all__ = ["haunted", "press"]

pytestmark = pytest.mark.timeout(600)


async def gives_up(press: PressProcess, job: str) -> None:
    """The machine ends the job that it runs by itself, as after a jam."""
    driver = OpcUaEquipment(press.endpoint())
    try:
        for _ in range(1500):
            found = await driver.get_job(job)
            if found is not None and found.state == JobState.RUNNING:
                break
            await asyncio.sleep(0.02)
        await driver.abort_job(job)
    finally:
        await driver.close()


async def until_compress(order: Order, state: OperationState, *faults: str) -> None:
    for _ in range(1500):
        operation = (await order.process()).work_orders[order.work_order].operations["COMPRESS"]
        if (operation.state, operation.faults) == (state, faults):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{operation.state}, {operation.faults}")


@pytest.mark.accepts("EQ-07", "B16", "AT-08")
async def test_a_press_that_gives_up_holds_its_batch_until_it_is_repaired_and_verified(
    haunted: Plant, press: PressProcess, tmp_path: Path
) -> None:
    line = await asyncio.to_thread(lambda: Line(haunted.engine).ready())
    async with dying_workers(haunted, press, tmp_path / "marks", *OF_MAINTENANCE):
        haunted.workstation(line.station, connection_to(press))
        order = await haunted.order(press=line.station, lot=LONG)
        await order.picked()
        await order.operation("DISPENSE")
        await order.do(c.StartOperation, "olu", operation="COMPRESS")
        await order.until_job("COMPRESS", "started", seconds=60)
        await gives_up(press, f"{order.work_order}/COMPRESS")
        repair = Led(haunted, f"{line.press}-M1", "maintenance")
        await repair.verdict(f"open/{repair.number}", seconds=90)
        own = repair.recorded().specification
        assert (own.cause, own.opened_by) == ("fault", line.station)
        assert [what.batch for what in own.interrupted] == [order.lot]
        await until_compress(order, OperationState.HELD, repair.number)
        assert line.item().availability == "down"
        await repair.do(mc.ApproveMaintenance, "sam")
        await repair.do(mc.ScheduleMaintenance, "sam", assignee="mia", planned_at=datetime.now(UTC))
        await repair.do(mc.BeginMaintenance, "mia")
        await repair.do(mc.ReportMaintenanceWork, "mia", work="a new punch", hours=Decimal(1), major=False)
        await repair.do(mc.VerifyMaintenance, "sam")
        await repair.do(mc.VerifyMaintenanceAsQuality, "rae")
        await until_compress(order, OperationState.HELD)
        await order.do(c.ReleaseOperationHold, "rae", operation="COMPRESS", reason="the tablets are whole")
        await until_compress(order, OperationState.RUNNING)
    assert_all_died(tmp_path / "marks", *OF_MAINTENANCE)
    assert [entry.activity for entry in line.log()][-3:] == ["fault", "maintain", "idle"]
    requested = haunted.rows("SELECT cause FROM maintenance_request WHERE equipment = :e", e=line.press)
    assert [row[0] for row in requested] == ["fault"]
    deviations = haunted.rows("SELECT code FROM deviation WHERE order_number = :o", o=order.number)
    assert [row[0] for row in deviations] == ["EQUIPMENT_FAULT"]
    assert_nothing_doubled(haunted, alarms=["JOB_ABORTED"])
