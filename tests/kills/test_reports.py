"""The service is down when a report is due, and dies again while it makes it: it is made once (B18)."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.bootstrap import ensure_people
from api.people import NewPerson
from db.queries import saved_reports as tables
from domain.base import uuid_for
from domain.report_states import Rhythm, due_after
from tests.kills.test_between_commit_and_answer import (
    OF_REPORTS,
    assert_all_died,
    assert_nothing_doubled,
    dying_workers,
    haunted,
)
from tests.plant import Plant
from workflows.report_clock import ReportClockWorkflow
from workflows.runtime import tell_clock

__all__ = ["haunted"]

pytestmark = pytest.mark.timeout(600)


def planned(plant: Plant, name: str, due_at: datetime) -> None:
    row = {
        "id": uuid_for("report-schedule", name), "name": name, "report": "output", "product": "", "rhythm": "daily",
        "at": "06:00", "language": "zh", "recipients": [], "plants": None, "lines": None, "created_by": "max",
        "created_at": due_at, "next_due_at": due_at,
    }  # fmt: skip
    ensure_people(plant.engine, [NewPerson("max", "Max", "canary-Ochre-Lantern-71", ["qualityManager"])])
    with plant.engine.begin() as connection:
        tables.add_schedule(connection, row)


@pytest.mark.accepts("B18")
async def test_what_fell_due_without_a_worker_is_made_once_though_the_worker_dies_over_it(
    haunted: Plant, tmp_path: Path
) -> None:
    zone = ZoneInfo(haunted.settings.time_zone)
    due_at = due_after(Rhythm.DAILY, time(6), datetime.now(UTC) - timedelta(days=2), zone)
    await asyncio.to_thread(planned, haunted, "output by day", due_at)
    # There is no worker at all; Temporal keeps the clock's look for the first that comes.
    await tell_clock(haunted.client, ReportClockWorkflow, haunted.task_queue)
    async with dying_workers(haunted, None, tmp_path / "marks", *OF_REPORTS):
        async with asyncio.timeout(240):
            while await asyncio.to_thread(waits, haunted) or not (tmp_path / "marks").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    assert_all_died(tmp_path / "marks", *OF_REPORTS)
    found = haunted.rows("SELECT due_at, state FROM scheduled_report ORDER BY due_at")
    assert [tuple(row) for row in found] == [(due_at, "made"), (due_at + timedelta(days=1), "made")]
    assert haunted.rows("SELECT count(*) FROM audit_row WHERE action = 'scheduledReport.made'")[0][0] == 2
    assert haunted.rows("SELECT count(*) FROM report_file")[0][0] == 2
    assert_nothing_doubled(haunted)


def waits(plant: Plant) -> bool:
    (row,) = plant.rows("SELECT count(*) FROM report_schedule WHERE next_due_at <= now()")
    return bool(row[0])
