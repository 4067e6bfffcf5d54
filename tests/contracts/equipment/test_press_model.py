"""The press without a socket: what counts, what ends, what a restart remembers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.equipment.port import AdapterRefused, JobState, Quality, StateChange
from adapters.equipment.press_model import Press, PressState
from adapters.equipment.press_series import PressRun, SeriesUnreadable, accumulated, read_series
from adapters.equipment.press_store import StateUnreadable, load_state, save_state
from domain.machine_states import may_follow, state_of
from tests.contracts.equipment.support import HEADER, SHORT, SHORT_GOOD, SHORT_ROWS, SHORT_WASTE, recording, row, spec

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SPEED = 100.0
STEP = timedelta(seconds=0.1)  # one row


def runs(folder: Path, *rows: str) -> dict[str, PressRun]:
    path = folder / "series.csv"
    path.write_text("\n".join([HEADER, *(rows or recording(SHORT, SHORT_ROWS))]), encoding="utf-8")
    return read_series(path)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PressRun]:
    return runs(tmp_path_factory.mktemp("model"))


@pytest.fixture
def press(recorded: dict[str, PressRun]) -> Press:
    return Press(recorded, SPEED)


def test_the_run_ends_when_the_press_rests_and_the_set_back_does_not_count(recorded: dict[str, PressRun]) -> None:
    run = recorded[SHORT]
    assert (len(run.rows), run.rows[-1].good, run.rows[-1].waste) == (SHORT_ROWS, SHORT_GOOD, SHORT_WASTE)
    assert run.duration == timedelta(seconds=10 * (SHORT_ROWS - 1))


def test_a_stop_in_the_middle_is_not_the_end(tmp_path: Path) -> None:
    stop = [row(10, "1", "120", 1, 0), row(20, "1", "0", 1, 0), row(30, "1", "0", 1, 0), row(40, "1", "120", 2, 0)]
    assert len(runs(tmp_path, row(0, "1", "0", 0, 0), *stop, row(50, "1", "0", 2, 0))["1"].rows) == 6


def test_waste_that_rises_at_rest_belongs_to_the_run(tmp_path: Path) -> None:
    rows = [row(0, "1", "120", 1, 5), row(10, "1", "0", 1, 9), row(20, "1", "0", 1, 9), row(30, "1", "0", 1, 9)]
    run = runs(tmp_path, *rows)["1"]
    assert (len(run.rows), run.rows[-1].waste) == (3, 9)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_a_counter_that_is_set_back_never_takes_anything_away(values: list[int]) -> None:
    totals = accumulated(Decimal(value) for value in values)
    assert totals == sorted(totals)
    assert totals[0] == values[0]


def test_a_cell_without_a_number_is_left_out_and_told(tmp_path: Path) -> None:
    rows = [row(0, "1", "120", 1, 0), row(10, "1", "120", 2, 0, force=""), row(20, "1", "120", 3, 0, force="n/a")]
    press = Press(runs(tmp_path, *rows))
    press.load(spec("1", "j"), T0)
    press.start("j", T0)
    readings = press.readings("j", 0, 10, T0 + timedelta(hours=1))
    assert [reading.quality for reading in readings] == [Quality.GOOD, Quality.UNCERTAIN, Quality.BAD]
    assert ["main_comp" in reading.values for reading in readings] == [True, False, False]


def test_a_clock_set_back_in_the_recording_does_not_stop_the_press(tmp_path: Path) -> None:
    rows = [row(100, "1", "120", 1, 0), row(40, "1", "120", 2, 0), row(50, "1", "120", 3, 0)]
    assert [r.offset.total_seconds() for r in runs(tmp_path, *rows)["1"].rows] == [0, 10, 20]


@pytest.mark.parametrize(
    "broken",
    [row(0, "1", "0", 0, 0).replace("2018-11-18", "soon"), row(0, "1", "0", 0, 0).replace(";5.1;0;0;", ";5.1;0;x;")],
)
def test_a_file_that_is_no_series_is_told_so(tmp_path: Path, broken: str) -> None:
    with pytest.raises(SeriesUnreadable, match="batch 1"):
        runs(tmp_path, broken)


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "series.csv").write_text("timestamp;batch;waste\n", encoding="utf-8")
    with pytest.raises(SeriesUnreadable, match="ejection"):
        read_series(tmp_path / "series.csv")


def test_a_pause_takes_time_but_no_tablets(press: Press) -> None:
    press.load(spec(job_id="j"), T0)
    press.start("j", T0)
    held = press.pause("j", T0 + 5 * STEP)
    later = T0 + timedelta(hours=1)
    assert press.view("j", later) == held
    press.resume("j", later)
    readings = press.readings("j", 0, 99, later + 3 * STEP)
    assert [reading.source_time for reading in readings] == [
        *(T0 + n * STEP for n in range(6)),
        *(later + n * STEP for n in range(1, 4)),
    ]


def test_a_job_that_ran_while_the_press_was_off_has_ended_meanwhile(press: Press, tmp_path: Path) -> None:
    press.load(spec(job_id="j"), T0)
    press.start("j", T0)
    save_state(tmp_path / "state.json", press.remember())
    again = Press(press.runs, speed=1.0)
    again.restore(load_state(tmp_path / "state.json"))
    late = T0 + timedelta(hours=1)
    assert again.view("j", late) == press.view("j", late)
    assert (again.view("j", late).state, again.starts) == (JobState.ENDED, 1)
    assert again.view("j", late).ended_at == T0 + (SHORT_ROWS - 1) * STEP


def test_a_state_file_that_is_none_stops_the_start(tmp_path: Path, press: Press) -> None:
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(StateUnreadable):
        load_state(tmp_path / "state.json")
    press.load(spec(job_id="j"), T0)
    with pytest.raises(ValueError, match=SHORT):
        Press({}).restore(press.remember())
    assert load_state(tmp_path / "none.json") == PressState()


VERBS = st.sampled_from(["load", "start", "pause", "resume", "abort"])


@given(st.lists(st.tuples(VERBS, st.integers(0, 12)), max_size=25))
def test_whatever_is_asked_in_whatever_order_the_journal_is_whole(
    recorded: dict[str, PressRun], steps: list[tuple[str, int]]
) -> None:
    press, now, last = Press(recorded, SPEED), T0, 0
    told: list[StateChange] = []
    for verb, rows in steps:
        now += rows * STEP
        try:
            view = press.load(spec(job_id="j"), now) if verb == "load" else getattr(press, verb)("j", now)
        except AdapterRefused:
            continue
        before, told = told, press.machine_states(now)
        assert told[: len(before)] == before, "what was told is not told otherwise later"
        names = [state_of(own.profile, own.number) for own in told]
        assert all(a and b and may_follow(a, b) for a, b in pairwise(names))
        assert view.last_sequence >= last
        last = view.last_sequence
        state = PressState.model_validate_json(press.remember().model_dump_json(by_alias=True))
        copy = Press(recorded, SPEED)
        copy.restore(state)
        assert copy.view("j", now + STEP) == press.view("j", now + STEP)
    assert press.starts <= 1
    if "j" in press.jobs:
        readings = press.readings("j", 0, 999, now)
        assert [reading.sequence for reading in readings] == list(range(1, press.view("j", now).last_sequence + 1))
        times = [reading.source_time for reading in readings]
        assert times == sorted(set(times))
        assert all(time <= now for time in times)
