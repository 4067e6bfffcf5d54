"""Whatever happens to a line, its log tells it in order, without a gap, without an overlap, and as it was."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.queries import equipment
from domain import equipment_acts as acts
from domain.equipment import CleaningLevel, activity
from domain.errors import AdapterRefused
from tests.db.database import Database
from tests.line import Clock, Line

STEPS = (
    "occupy B-1", "occupy B-2", "free B-1", "free B-2", "clean", "verify", "fault", "maintain", "return", "calibrate",
    "review", "hours",
)  # fmt: skip


def step(line: Line, name: str) -> None:
    """One thing happens, if the register lets it."""
    word, _, batch = name.partition(" ")
    try:
        match word:
            case "occupy":
                line.occupied(batch)
            case "free":
                line.freed(batch, at=line.clock() - timedelta(minutes=1))
            case "clean":
                line.do(acts.StartCleaning(level=CleaningLevel.MINOR), "olu")
            case "verify":
                line.do(acts.VerifyCleaning(accept=True), "ole")
            case "fault":
                line.do(acts.ReportFault(), "olu", reason="it stands still")
            case "maintain":
                line.do(acts.StartMaintenance(order=line.item().maintenance_order or ""), "mia")
            case "return":
                back = acts.ReturnToService(major=False, order=line.item().maintenance_order or "")
                line.do(back, "rae", reason="cleaned a sensor")
            case "calibrate":
                due = line.clock() + timedelta(days=9)
                line.do(acts.PerformCalibration(certificate="X", due_at=due, found_within_tolerance=True), "meg")
            case "review":
                line.do(acts.ReviewCalibration(accept=True), "mel")
            case "hours":
                line.clock.pass_by(hours=3)
                line.register.expire(line.clock())
    except AdapterRefused:
        pass


@pytest.mark.accepts("EQ-05")
@settings(max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(STEPS), min_size=5, max_size=20))
def test_intervals_never_overlap_and_equal_what_happened(database: Database, steps: list[str]) -> None:
    line = Line(database.app, Clock(), clean_hold_seconds=7200, dirty_hold_seconds=7200)
    line.clock.stand_at(datetime(2026, 12, 1, tzinfo=UTC))
    line.ready()
    told = [(entry.activity, entry.batch) for entry in line.log()]
    for name in steps:
        line.clock.pass_by(minutes=5)
        step(line, name)
        item = line.item()
        now = (str(activity(item)), item.batch)
        if now != told[-1]:
            told.append(now)
    with line.engine.connect() as connection:
        log = equipment.log(connection, line.press, 0, 1000)
    assert [entry["sequence"] for entry in log] == list(range(1, len(log) + 1))
    assert [(entry["activity"], entry["batch"]) for entry in log] == told
    for entry, following in itertools.pairwise(log):
        assert entry["from"] <= entry["to"] == following["from"]
    assert log[-1]["to"] is None
