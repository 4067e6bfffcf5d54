"""Preventive maintenance and calibration make their orders ahead of their day. Time is skipped, not waited for."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from db.queries import cases
from domain import equipment_acts as acts
from domain import maintenance_commands as mc
from domain.maintenance import MaintenanceSpecification
from domain.start import StartMaintenanceOrder
from settings import Settings
from tests.cases import Led
from tests.conftest import Database
from tests.line import Line
from tests.plant import Plant
from tests.workflows.clock import skipping
from tests.workflows.test_equipment_clock import clock_of, until
from workflows import policies
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.maintenance import MaintenanceWorkflow
from workflows.runtime import tell_clock

__all__ = ["skipping"]
DAY = 24 * 3600


@pytest.fixture(scope="module")
async def patient_plant(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> Plant:
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    plant = Plant(skipping.client, engine, settings, task_queue="plans")
    await asyncio.to_thread(plant.set_up)
    return plant


def written(plant: Plant, line: Line) -> list[MaintenanceSpecification]:
    """The maintenance orders of the press that wait for their process."""
    with plant.engine.connect() as connection:
        return [own for own in cases.unstarted_maintenance(connection) if own.equipment == line.press]


@pytest.mark.accepts("EQ-12")
async def test_a_plan_and_a_calibration_make_orders_before_they_are_due_once(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    plant = patient_plant
    line = await asyncio.to_thread(lambda: Line(plant.engine, calibration_warning_seconds=2 * DAY))
    begins = line.clock()
    plan = acts.PlanMaintenance(
        interval_seconds=30 * DAY, ahead_seconds=3 * DAY, first_due_at=begins + timedelta(days=20)
    )
    with skipping.with_time_skipping_disabled():
        async with plant.working():
            await asyncio.to_thread(lambda: line.qualified().calibrated(begins + timedelta(days=10)))
            await asyncio.to_thread(line.do, plan, "pat")
            await tell_clock(plant.client, EquipmentClockWorkflow, plant.task_queue)
    async with plant.working():
        await skipping.fast_forward(clock_of(plant), timedelta(days=7))
        assert (line.item().calibration, line.item().maintenance) == ("calibrated", "planned")
        assert written(plant, line) == []
        await skipping.fast_forward(clock_of(plant), timedelta(days=1, hours=1))
        await until(line, "calibration", "dueSoon")
        await skipping.fast_forward(clock_of(plant), timedelta(days=9))
        await until(line, "maintenance", "dueSoon")
        await skipping.fast_forward(clock_of(plant), timedelta(days=1))
    calibration, preventive = written(plant, line)
    assert (calibration.cause, calibration.due_at) == ("calibration", begins + timedelta(days=10))
    assert (preventive.cause, preventive.due_at) == ("preventive", begins + timedelta(days=20))
    assert {own.opened_by for own in (calibration, preventive)} == {"system"}

    # The preventive order is done before its day; its equipment is planned for the next time.
    with skipping.with_time_skipping_disabled():
        async with plant.working():
            await plant.client.start_workflow(
                MaintenanceWorkflow.run, StartMaintenanceOrder(specification=preventive, command_id="open/plan"),
                id=policies.maintenance_id(preventive.number), task_queue=plant.task_queue,
            )  # fmt: skip
            order = Led(plant, preventive.number, "maintenance")
            await order.verdict("open/plan")
            await order.do(mc.ApproveMaintenance, "sam")
            await order.do(mc.ScheduleMaintenance, "sam", assignee="mia", planned_at=datetime.now(UTC))
            await order.do(mc.BeginMaintenance, "mia")
            await order.do(mc.ReportMaintenanceWork, "mia", work="greased", hours=Decimal(2), major=False)
            await order.do(mc.VerifyMaintenance, "sam")
            await order.do(mc.VerifyMaintenanceAsQuality, "rae")
            assert order.recorded().state == "verified"
    item = line.item()
    assert (item.maintenance, item.availability) == ("planned", "available")
    assert item.maintenance_due_at is not None
    assert item.maintenance_due_at > begins + timedelta(days=29)
