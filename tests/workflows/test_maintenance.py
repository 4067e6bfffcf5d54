"""Equipment that fails under an order: held, repaired, verified by others, and only then used again."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.equipment_register.port import ItemAnswer
from db.queries import cases
from domain import commands as c
from domain import equipment_acts as acts
from domain import maintenance as m
from domain import maintenance_commands as mc
from domain.policy import Policy
from domain.start import StartMaintenanceOrder
from domain.states import OperationState
from tests.cases import Led, of_order, until_decided
from tests.desk import GMP, tablet_order
from tests.line import Line, key
from tests.plant import Order, Plant, Refusal
from workflows import policies
from workflows.maintenance import MaintenanceWorkflow

GATED = GMP.model_copy(update={"start_gate": True})


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


async def pressing(plant: Plant, policy: Policy = GATED) -> tuple[Order, Line]:
    """An order whose compression runs at a press of the register; the other operations have lines of their own."""
    lines = {
        code: await asyncio.to_thread(lambda: Line(plant.engine).ready()) for code in ("DISPENSE", "COMPRESS", "COAT")
    }
    specification = tablet_order(policy, plant.next_number())
    (own,) = specification.work_orders
    operations = tuple(
        operation.model_copy(update={"workstation": lines[operation.code].station}) for operation in own.operations
    )
    placed = own.model_copy(update={"operations": operations})
    order = Order(plant, specification.model_copy(update={"work_orders": (placed,)}))
    await order.start()
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    return order, lines["COMPRESS"]


async def failed(plant: Plant, line: Line) -> Led:
    """olu reports the press; its maintenance order begins."""
    answer: ItemAnswer = await asyncio.to_thread(line.do, acts.ReportFault(), "olu", "", "bearing is hot")
    with plant.engine.connect() as connection:
        (own,) = [one for one in cases.unstarted_maintenance(connection) if one.number == answer.maintenance_order]
    await plant.client.start_workflow(
        MaintenanceWorkflow.run, StartMaintenanceOrder(specification=own, command_id=f"open/{own.number}"),
        id=policies.maintenance_id(own.number), task_queue=plant.task_queue,
    )  # fmt: skip
    repair = Led(plant, own.number, "maintenance")
    await repair.verdict(f"open/{own.number}")
    return repair


async def operation_of(order: Order) -> Any:
    return (await order.process()).work_orders[order.work_order].operations["COMPRESS"]


async def until_held(order: Order, *faults: str, state: OperationState = OperationState.HELD) -> None:
    for _ in range(500):
        found = await operation_of(order)
        if (found.state, found.faults) == (state, faults):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{found.state}, {found.faults}")


async def refused(order: Order | Led, kind: type[c.Command], by: str, **fields: object) -> list[str]:
    with pytest.raises(Refusal) as refusal:
        await order.do(kind, by, **fields)
    return refusal.value.codes


async def begun(repair: Led) -> None:
    """Approved by sam, planned for and begun by mia."""
    await repair.do(mc.ApproveMaintenance, "sam")
    await repair.do(mc.ScheduleMaintenance, "sam", assignee="mia", planned_at=datetime.now(UTC))
    await repair.do(mc.BeginMaintenance, "mia")


@pytest.mark.accepts("EQ-06")
async def test_a_fault_holds_what_runs_until_it_is_repaired_verified_and_decided(plant: Plant) -> None:
    order, line = await pressing(plant)
    repair = await failed(plant, line)
    assert [own.batch for own in repair.recorded().specification.interrupted] == [order.lot]
    await until_held(order, repair.number)
    assert line.item().availability == "down"
    held = {"operation": "COMPRESS", "reason": "nothing is wrong with the tablets"}
    assert await refused(order, c.ReleaseOperationHold, "rae", **held) == ["EQUIPMENT_DOWN"]
    assert "INVALID_TRANSITION" in await refused(repair, mc.BeginMaintenance, "mia")

    await begun(repair)
    assert line.item().availability == "underMaintenance"
    parts = (m.Part(code="BRG-6204", description="bearing", quantity=Decimal(2)),)
    assert await refused(
        repair, mc.ReportMaintenanceWork, "mia", work=" ", parts=parts, hours=Decimal(3), major=True
    ) == ["WORK_MISSING"]
    await repair.do(mc.ReportMaintenanceWork, "mia", work="both bearings", parts=parts, hours=Decimal(3), major=True)
    assert line.item().qualification == "requalificationDue"
    assert repair.recorded().state == "requalifying"
    assert await refused(repair, mc.VerifyMaintenance, "mia") == ["SEPARATION_OF_DUTIES"]
    await repair.do(mc.VerifyMaintenance, "sam")
    assert await refused(repair, mc.VerifyMaintenanceAsQuality, "rae") == ["EQUIPMENT_NOT_QUALIFIED"]
    assert await refused(repair, mc.VerifyMaintenanceAsQuality, "sam") == ["SEPARATION_OF_DUTIES"]
    await asyncio.to_thread(line.qualified)
    await repair.do(mc.VerifyMaintenanceAsQuality, "rae")
    assert (line.item().availability, line.item().maintenance_order) == ("inUse", None)
    await until_held(order)
    await order.do(c.ReleaseOperationHold, "rae", **held)
    await until_held(order, state=OperationState.RUNNING)
    await repair.do(mc.CloseMaintenance, "sam")
    assert await repair.handle.result() == "closed"
    found = repair.recorded()
    assert (found.work.parts, found.worked_by, found.verifications) == (
        parts, "mia", {"production": "sam", "qualityAssurance": "rae"},
    )  # fmt: skip
    activities = [entry.activity for entry in line.log()]
    assert activities[-4:] == ["use", "fault", "maintain", "use"]


async def test_quality_may_decide_first_then_the_repair_lets_it_go_on(plant: Plant) -> None:
    order, line = await pressing(plant, GATED.model_copy(update={"deviation_process": True}))
    repair = await failed(plant, line)
    await until_held(order, repair.number)
    await (await of_order(order)).closed()
    await until_decided(order)
    await until_held(order, repair.number)
    await begun(repair)
    await repair.do(mc.ReportMaintenanceWork, "mia", work="belt tightened", hours=Decimal(1), major=False)
    await repair.do(mc.VerifyMaintenanceAsQuality, "rae")
    await repair.do(mc.VerifyMaintenance, "sam")
    await until_held(order, state=OperationState.RUNNING)


async def requested(plant: Plant, line: Line) -> Led:
    """A maintenance order that the operator has asked for."""
    answer = await asyncio.to_thread(
        lambda: line.register.act(line.press, acts.RequestMaintenance(), key=key(), actor="olu", reason="oil is due")
    )
    with plant.engine.connect() as connection:
        (own,) = [one for one in cases.unstarted_maintenance(connection) if one.number == answer.maintenance_order]
    await plant.client.start_workflow(
        MaintenanceWorkflow.run, StartMaintenanceOrder(specification=own, command_id=f"open/{own.number}"),
        id=policies.maintenance_id(own.number), task_queue=plant.task_queue,
    )  # fmt: skip
    order = Led(plant, own.number, "maintenance")
    await order.verdict(f"open/{own.number}")
    return order


async def test_a_planned_order_does_not_begin_while_a_batch_is_there_and_may_be_cancelled(plant: Plant) -> None:
    _, line = await pressing(plant)
    planned = await requested(plant, line)
    assert await refused(planned, mc.ApproveMaintenance, "olu") == ["SEPARATION_OF_DUTIES"]
    await planned.do(mc.ApproveMaintenance, "sam")
    await planned.do(mc.ScheduleMaintenance, "sam", assignee="mia", planned_at=datetime.now(UTC))
    assert await refused(planned, mc.BeginMaintenance, "mia") == ["INVALID_TRANSITION"]
    assert line.item().availability == "inUse"
    assert await refused(planned, mc.CancelMaintenance, "sam") == ["REASON_REQUIRED"]
    await planned.do(mc.CancelMaintenance, "sam", reason="done with the next one")
    assert await planned.handle.result() == "cancelled"
