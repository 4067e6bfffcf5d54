"""Approvals that nobody gives: reminder, then escalation, each once. Time is skipped, not waited for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from domain import commands as c
from settings import Settings
from tests.conftest import Database
from tests.plant import Plant
from tests.workflows.clock import skipping

__all__ = ["skipping"]


@pytest.fixture(scope="module")
async def patient_plant(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> AsyncIterator[Plant]:
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    plant = Plant(skipping.client, engine, settings, task_queue="patient")
    await asyncio.to_thread(plant.set_up)
    async with plant.working():
        yield plant


@pytest.mark.accepts("B2")
async def test_an_untouched_approval_is_reminded_of_and_escalated_once_each(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    with skipping.with_time_skipping_disabled():
        order = await patient_plant.order()
        await order.do(c.SubmitOrder, "pia")
    await skipping.fast_forward(order.handle, timedelta(hours=25))
    assert (await order.process()).approval_reminded
    assert not (await order.process()).approval_escalated
    await skipping.fast_forward(order.handle, timedelta(hours=8))
    await skipping.fast_forward(order.handle, timedelta(hours=48))
    assert (await order.process()).approval_escalated
    await order.do(c.ApproveOrder, "sam")
    rows = patient_plant.rows(
        "SELECT action FROM audit_row WHERE entity = :e AND action LIKE '%.approval-%' ORDER BY seq",
        e=f"production-order/{order.number}",
    )
    assert [row.action for row in rows] == [
        "production-order.approval-reminder",
        "production-order.approval-escalation",
    ]
