"""An alarm escalates once, though the worker dies between the commit and the answer."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.queries import alarms
from db.queries.alarms import raise_alarm_once
from tests.kills.test_between_commit_and_answer import OF_ALARMS, assert_all_died, dying_workers, haunted
from tests.plant import Plant, pauses
from workflows.alarm_clock import workflow_id
from workflows.runtime import start_alarm_clock

__all__ = ["haunted"]

pytestmark = pytest.mark.timeout(300)


@pytest.mark.accepts("C6")
async def test_an_alarm_escalates_once_though_its_worker_dies(haunted: Plant, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    with haunted.engine.begin() as connection:
        values = {"code": "LOUD", "name": "Loud", "topic": None, "severity": "critical", "escalate_seconds": 3600,
                  "is_active": True, "set_by": "pat", "set_at": at}  # fmt: skip
        alarms.set_rule(connection, values)
        raise_alarm_once(connection, "LOUD", "the press is on fire", at, "loud")
    haunted.rows("UPDATE alarm SET escalate_at = now() - interval '1 minute' RETURNING 1")
    await start_alarm_clock(haunted.client, haunted.task_queue)
    marks = tmp_path / "marks"
    async with dying_workers(haunted, None, marks, *OF_ALARMS):
        handle = haunted.client.get_workflow_handle(workflow_id(haunted.task_queue))
        for pause in pauses(120):
            history = await handle.fetch_history()
            if any(event.HasField("timer_started_event_attributes") for event in history.events):
                break  # it has had its answer, and sleeps
            await asyncio.sleep(pause)
    assert_all_died(marks, *OF_ALARMS)
    assert [row.escalations for row in haunted.rows("SELECT escalations FROM alarm")] == [1]
    rows = haunted.rows("SELECT new FROM audit_row WHERE action = 'alarm.escalated'")
    assert [row.new["escalations"] for row in rows] == [1]
