"""A machine that goes away in the middle of a job: seen at once, written down as a gap, and nothing is invented."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from temporalio.testing import ActivityEnvironment

from activities import equipment_gaps
from activities.equipment import EquipmentActivities
from activities.stubs import JobRequest, JobResult
from adapters.equipment.opcua import OpcUaEquipment
from adapters.equipment.port import AdapterUnknown, AdapterUnreachable, Quality, Reading
from db.queries.record_sources import connection_gaps, machine_gaps
from tests.contracts.equipment.support import HEADER, PressProcess, recording
from tests.plant import pauses

pytestmark = pytest.mark.accepts("EQ-11", "B8")
BATCH, ROWS, BAD_ROW = "77", 120, 100


class Hall:
    """Where the activities find the press."""

    def __init__(self, press: OpcUaEquipment) -> None:
        self.press = press

    async def at(self, workstation: str) -> OpcUaEquipment:
        """The press, whatever is asked for."""
        return self.press

    async def scale_at(self, workstation: str) -> Any:
        """There is none."""
        raise AssertionError(workstation)

    async def batch_name(self, workstation: str, lot: str) -> str:
        """As the recording calls it."""
        return BATCH


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[PressProcess]:
    """A press of its own, whose recording has one row that its sensor could not read."""
    rows = recording(BATCH, ROWS)
    rows[BAD_ROW] = rows[BAD_ROW].replace(";5.9;", ";I/O;", 1)
    (tmp_path / "series.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    made = PressProcess(tmp_path, speed=60.0)
    await made.start()
    yield made
    await made.kill()


def request(job: str) -> JobRequest:
    """A job of a work order."""
    return JobRequest(
        job=job, workstation="P1", order_number="PO-GAP", work_order="PO-GAP-01", operation="COMPRESS", batch=BATCH,
        product="TAB", quantity=Decimal(1000), unit="pcs",
    )  # fmt: skip


def rows(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(text(statement), values).all())


async def until(engine: Engine, statement: str, **values: Any) -> list[Any]:
    for pause in pauses(120):
        if found := await asyncio.to_thread(rows, engine, statement, **values):
            return found
        await asyncio.sleep(pause)
    raise AssertionError(statement)


@pytest.mark.accepts("IN-04")
async def test_a_machine_that_is_gone_is_seen_and_its_gap_stands_in_the_batch_record(
    process: PressProcess, engine: Engine
) -> None:
    press = OpcUaEquipment(process.endpoint(call_timeout=1.0))
    job = "PO-GAP-01/COMPRESS"
    activities, environment = EquipmentActivities(Hall(press), engine), ActivityEnvironment()
    rows(
        engine,
        "INSERT INTO equipment_run (job, workstation, work_order, operation, batch, state, started_at) "
        "VALUES (:j, 'P1', 'PO-GAP-01', 'COMPRESS', '77', 'running', now()) RETURNING 1",
        j=job,
    )
    running = asyncio.create_task(environment.run(activities.run_job, request(job)))
    await until(engine, "SELECT 1 FROM equipment_reading WHERE job = :j AND sequence > 3", j=job)
    process.send(signal.SIGKILL)
    killed_at = datetime.now(UTC)
    await process.kill()
    with pytest.raises((AdapterUnreachable, AdapterUnknown)):
        await running
    (gap,) = rows(engine, "SELECT * FROM equipment_gap WHERE job = :j", j=job)
    logging.getLogger(__name__).info("seen %.1f s after it was gone", (gap.since - killed_at).total_seconds())
    assert (gap.until, gap.missing) == (None, None)
    (alarm,) = rows(engine, "SELECT * FROM alarm WHERE code = 'CONNECTION_LOST' AND order_number = 'PO-GAP'")
    assert alarm.subject == "workstation/P1"
    with engine.connect() as connection:
        (shown,) = connection_gaps(connection, "PO-GAP-01")
    assert str(shown.type) == "communicationFailure"
    assert "an unknown number of readings are missing" in shown.detail
    # Nobody is there yet: it is the same gap.
    with pytest.raises((AdapterUnreachable, AdapterUnknown)):
        await environment.run(activities.run_job, request(job))
    assert len(rows(engine, "SELECT 1 FROM equipment_gap WHERE job = :j", j=job)) == 1
    await process.start()
    result = await _to_its_end(activities, job)
    (gap,) = rows(engine, "SELECT * FROM equipment_gap WHERE job = :j", j=job)
    assert gap.until > gap.since
    assert gap.missing == 0  # this machine keeps a journal
    stored = rows(engine, "SELECT * FROM equipment_reading WHERE job = :j ORDER BY sequence", j=job)
    assert [row.sequence for row in stored] == list(range(1, result.readings + 1))
    times = [row.source_time for row in stored]
    assert times == sorted(times)
    # What the sensor could not read is bad, and there is no value in its place.
    (bad,) = [row for row in stored if row.quality == "bad"]
    assert "main_comp" not in bad.values
    assert {row.quality for row in stored} == {"good", "bad"}
    # What the machine said of its own state is in the record, too, and came once.
    states = rows(engine, "SELECT * FROM machine_state_change WHERE workstation = 'P1' ORDER BY sequence")
    assert [row.state for row in states][:5] == ["stopped", "resetting", "idle", "starting", "execute"]
    assert [row.state for row in states][-3:] == ["complete", "resetting", "idle"]
    assert {row.finding for row in states} == {None}
    with engine.connect() as connection:
        (unusable,) = machine_gaps(connection, "PO-GAP-01")
    assert "1 readings not good" in unusable.detail
    await press.close()


async def _to_its_end(activities: EquipmentActivities, job: str) -> JobResult:
    """As the workflow does: asked again until the machine answers."""
    for pause in pauses(120):
        try:
            return await ActivityEnvironment().run(activities.run_job, request(job))
        except (AdapterUnreachable, AdapterUnknown):
            await asyncio.sleep(pause)
    raise AssertionError(job)


def test_what_a_machine_without_a_journal_lost_is_counted_and_stays_missing(engine: Engine) -> None:
    job, at = "PO-LOST-01/COMPRESS", datetime.now(UTC)
    insert = (
        'INSERT INTO equipment_reading (job, sequence, source_time, quality, "values") '
        "VALUES (:j, :n, now(), 'good', '{}') RETURNING 1"
    )
    for number in (1, 2, 3):
        rows(engine, insert, j=job, n=number)
    for _ in range(2):
        equipment_gaps.begin(engine, job, "P9", "PO-LOST", "no answer")
    later = [Reading(sequence=11, source_time=at, values={}, quality=Quality.GOOD)]
    for _ in range(2):
        equipment_gaps.end(engine, job, "P9", later)
    (gap,) = rows(engine, "SELECT * FROM equipment_gap WHERE job = :j", j=job)
    assert (gap.after_sequence, gap.missing) == (3, 7)
    assert [row.sequence for row in rows(engine, "SELECT sequence FROM equipment_reading WHERE job = :j", j=job)] == [
        1, 2, 3,
    ]  # fmt: skip
    acts = rows(engine, "SELECT action FROM audit_row WHERE entity = :e ORDER BY seq", e=f"equipment-run/{job}")
    assert [row.action for row in acts] == ["equipment-run.connectionLost", "equipment-run.connectionBack"]


def test_before_a_job_has_begun_nothing_of_it_can_be_missing(engine: Engine) -> None:
    equipment_gaps.begin(engine, "PO-NONE-01/COMPRESS", "P9", "PO-NONE", "no answer")
    assert rows(engine, "SELECT 1 FROM equipment_gap WHERE job = 'PO-NONE-01/COMPRESS'") == []
