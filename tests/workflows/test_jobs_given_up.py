"""A press that gives up a job between load and start: an alarm, the operation held, what to do next (EQ-07, B16)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.equipment.opcua import OpcUaEndpoint, OpcUaEquipment
from adapters.equipment.port import Equipment, JobSpec, JobView
from adapters.equipment.stations import Stations
from domain import commands as c
from domain import maintenance_commands as mc
from domain.states import OperationState
from tests.cases import Led
from tests.contracts.equipment.support import LONG, PASSWORD, SHORT, PressProcess
from tests.line import Line
from tests.plant import Order, Plant
from worker import build_gateway

pytestmark = [pytest.mark.accepts("EQ-07", "B16"), pytest.mark.timeout(600)]


class GivesUp(OpcUaEquipment):
    """The driver, and a technician who ends each job at the machine after it was loaded and before it is started."""

    def __init__(self, endpoint: OpcUaEndpoint) -> None:
        super().__init__(endpoint)
        self._technician = OpcUaEquipment(endpoint)

    async def load_job(self, job: JobSpec) -> JobView:
        """Loaded, and what the driver is told is still that it is loaded."""
        view = await super().load_job(job)
        await self._technician.abort_job(job.job_id)
        return view

    async def close(self) -> None:
        """Both go."""
        await self._technician.close()
        await super().close()


class Hall(Stations):
    """Every machine of the plant is the one press."""

    def __init__(self, plant: Plant, press: PressProcess) -> None:
        super().__init__(plant.engine, {"PRESS_PASSWORD": PASSWORD})
        self._press = GivesUp(press.endpoint())

    async def at(self, workstation: str) -> Equipment:
        """The press."""
        return self._press

    async def close(self) -> None:
        """The press, too."""
        await self._press.close()
        await super().close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def press(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PressProcess]:
    process = PressProcess(tmp_path_factory.mktemp("press"))
    await process.start()
    yield process
    await process.kill()


@pytest.fixture
async def given_to_the_press(plant: Plant, press: PressProcess) -> AsyncIterator[None]:
    hall = Hall(plant, press)
    async with build_gateway(plant.client, plant.engine, hall):
        yield
    await hall.close()


async def pressing(plant: Plant, station: str, lot: str) -> Order:
    plant.workstation(station, {"url": "the hall knows"})
    order = await plant.order(press=station, lot=lot)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    return order


async def until_held(order: Order) -> tuple[str, ...]:
    """The maintenance orders for which the held operation waits."""
    for _ in range(1500):
        operation = (await order.process()).work_orders[order.work_order].operations["COMPRESS"]
        if operation.state == OperationState.HELD and operation.job_state == "refused":
            return tuple(operation.faults)
        await asyncio.sleep(0.05)
    raise AssertionError((operation.state, operation.job_state))


async def told(plant: Plant, order: Order) -> tuple[str, list[str]]:
    """The one alarm, and the codes of the deviations of an order, once the record has them."""
    for _ in range(600):
        if plant.rows("SELECT code FROM deviation WHERE order_number = :o", o=order.number):
            break
        await asyncio.sleep(0.05)
    (alarm,) = plant.rows("SELECT code, detail FROM alarm WHERE order_number = :o", o=order.number)
    assert alarm.code == "JOB_ABORTED"
    deviations = plant.rows("SELECT code FROM deviation WHERE order_number = :o", o=order.number)
    return alarm.detail, [row.code for row in deviations]


@pytest.mark.usefixtures("given_to_the_press")
async def test_a_registered_press_that_gives_up_before_the_start_is_repaired(plant: Plant, tmp_path: Path) -> None:
    await plant.stock("API-G1", "API", "1000")
    await plant.stock("LAC-G1", "LAC", "10000")
    line = await asyncio.to_thread(lambda: Line(plant.engine).ready())
    order = await pressing(plant, line.station, LONG)
    repair = Led(plant, f"{line.press}-M1", "maintenance")
    await repair.verdict(f"open/{repair.number}", seconds=90)
    for _ in range(600):
        if await until_held(order) == (repair.number,):
            break
        await asyncio.sleep(0.05)
    detail, deviations = await told(plant, order)
    assert f"repair it by {repair.number}" in detail
    assert "report by hand" in detail
    assert deviations == ["EQUIPMENT_FAULT"]
    assert line.item().availability == "down"
    assert await repair.do(mc.ApproveMaintenance, "sam")


@pytest.mark.usefixtures("given_to_the_press")
async def test_a_press_that_nobody_registered_holds_its_operation_all_the_same(plant: Plant) -> None:
    await plant.stock("API-G2", "API", "1000")
    await plant.stock("LAC-G2", "LAC", "10000")
    order = await pressing(plant, "NOT-IN-THE-REGISTER", SHORT)
    assert await until_held(order) == ()
    detail, deviations = await told(plant, order)
    assert "no equipment is registered" in detail
    assert deviations == ["EQUIPMENT_FAULT"]
    runs = plant.rows("SELECT state FROM equipment_run WHERE job = :j", j=f"{order.work_order}/COMPRESS")
    assert [row.state for row in runs] == ["refused"]
    # Quality decides, and people do by hand what the machine did not.
    (opened,) = plant.rows("SELECT number FROM deviation WHERE order_number = :o", o=order.number)
    assert opened.number
    await order.do(c.ReleaseOperationHold, "rae", operation="COMPRESS", reason="nothing was pressed yet")
    assert (await order.process()).work_orders[order.work_order].operations["COMPRESS"].state == OperationState.RUNNING
