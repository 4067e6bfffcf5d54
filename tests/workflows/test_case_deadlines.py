"""Deadlines of quality cases, on a clock that is moved: reminders, the overdue flag, a check months later."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from domain import case_commands as cc
from settings import Settings
from tests.cases import Led, asked_for, opened
from tests.conftest import Database
from tests.plant import Plant, Refusal
from tests.workflows.clock import skipping

__all__ = ["skipping"]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def patient_plant(skipping: WorkflowEnvironment, database: Database, engine: Engine) -> AsyncIterator[Plant]:
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address="")
    plant = Plant(skipping.client, engine, settings, task_queue="patient-cases")
    await asyncio.to_thread(plant.set_up)
    async with plant.working():
        yield plant


def noted(plant: Plant, case: Led) -> list[str]:
    rows = plant.rows(
        "SELECT new ->> 'step' AS step FROM audit_row WHERE entity = :e AND action LIKE '%.deadlineMissed' "
        "ORDER BY seq",
        e=f"{case.kind}/{case.number}",
    )
    return [row.step for row in rows]


@pytest.mark.timeout(150)
@pytest.mark.accepts("B17", "QL-08")
async def test_from_a_deviation_to_the_proof_ninety_days_later(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    with skipping.with_time_skipping_disabled():
        deviation = await opened(patient_plant)
        await deviation.proposed("major", capa=True)
        await deviation.do(cc.ApproveDeviation, "rae")
        with pytest.raises(Refusal) as refusal:  # the quality manager has not approved
            await deviation.do(cc.CloseDeviation, "rae")
        assert refusal.value.codes == ["INVALID_TRANSITION"]
        assert refusal.value.outcome.possible == (
            "sendBackConclusion",
            "approveDeviationAsQualityManager",
            "voidDeviation",
        )
        await deviation.do(cc.ApproveDeviationAsQualityManager, "max")
        action = Led(patient_plant, f"{deviation.number}-C1", "capa")
        await action.verdict(f"open/{action.number}")
        await deviation.do(cc.CloseDeviation, "rae")
        assert action.recorded().specification.source == f"deviation/{deviation.number}"

        await action.implemented(due_in=10 * DAY, check_in=90 * DAY)
        with pytest.raises(Refusal) as early:
            await action.do(cc.DecideCapaEffectiveness, "rae", effective=True, evidence="no case since")
        assert early.value.codes == ["CHECK_NOT_DUE"]
        assert action.recorded().check_at.date().isoformat() in early.value.blocker.found
    await skipping.fast_forward(action.handle, 89 * DAY)
    assert action.recorded().state == "implemented"
    await skipping.fast_forward(action.handle, 2 * DAY)
    await action.until("effectivenessCheck")
    with skipping.with_time_skipping_disabled():
        with pytest.raises(Refusal) as own:
            await action.do(cc.DecideCapaEffectiveness, "ida", effective=True, evidence=" ")
        assert own.value.codes == ["SEPARATION_OF_DUTIES", "EVIDENCE_MISSING"]
        await action.do(cc.DecideCapaEffectiveness, "rae", effective=True, evidence="no case in 90 days")
        assert await action.handle.result() == "closedEffective"
    assert noted(patient_plant, action) == []


@pytest.mark.timeout(150)
@pytest.mark.accepts("QL-08")
async def test_what_does_not_work_goes_into_its_next_cycle(skipping: WorkflowEnvironment, patient_plant: Plant) -> None:
    with skipping.with_time_skipping_disabled():
        action = await (await asked_for(patient_plant)).implemented(due_in=DAY, check_in=2 * DAY)
    await skipping.fast_forward(action.handle, 3 * DAY)
    with skipping.with_time_skipping_disabled():
        await action.until("effectivenessCheck")
        await action.do(cc.DecideCapaEffectiveness, "rae", effective=False, evidence="it happened again")
        assert await action.handle.result() == "ineffective"
        following = Led(patient_plant, f"{action.number}.2", "capa")
        await following.verdict(f"open/{following.number}")
        specification = following.recorded().specification
        assert (specification.previous, specification.cycle, following.recorded().state) == (action.number, 2, "draft")


@pytest.mark.timeout(150)
@pytest.mark.accepts("QL-08")
async def test_an_action_that_is_late_is_flagged_once_and_quality_may_extend_it(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    with skipping.with_time_skipping_disabled():
        action = await (await asked_for(patient_plant)).planned(due_in=5 * DAY, check_in=30 * DAY)
    await skipping.fast_forward(action.handle, 6 * DAY)
    await skipping.fast_forward(action.handle, 6 * DAY)
    with skipping.with_time_skipping_disabled():
        assert action.recorded().overdue
        assert noted(patient_plant, action) == ["closing"]
        planned = action.recorded()
        with pytest.raises(Refusal) as refusal:
            await action.do(cc.ExtendCapa, "rae", due_at=planned.due_at)
        assert refusal.value.codes[:2] == ["REASON_REQUIRED", "NOT_LATER"]
        await action.do(cc.ExtendCapa, "rae", due_at=planned.due_at + 20 * DAY, reason="the part is late")
        extended = action.recorded()
        assert (extended.overdue, extended.check_at - planned.check_at) == (False, 20 * DAY)


@pytest.mark.timeout(150)
@pytest.mark.accepts("QL-06")
async def test_a_deviation_that_nobody_classifies_is_reminded_of_escalated_and_flagged(
    skipping: WorkflowEnvironment, patient_plant: Plant
) -> None:
    with skipping.with_time_skipping_disabled():
        deviation = await opened(patient_plant)
    await skipping.fast_forward(deviation.handle, timedelta(hours=9))
    assert noted(patient_plant, deviation) == ["reminder"]
    await skipping.fast_forward(deviation.handle, timedelta(hours=9))
    assert noted(patient_plant, deviation) == ["reminder", "escalation"]
    await skipping.fast_forward(deviation.handle, 31 * DAY)
    assert noted(patient_plant, deviation) == ["reminder", "escalation", "closing"]
    assert deviation.recorded().overdue
    with skipping.with_time_skipping_disabled():
        await deviation.closed()
    assert deviation.recorded().state == "closed"
