"""A finite schedule: nothing overlaps, what is due earlier goes first, a station that is down moves what lay there."""

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.scheduling import NEVER, Job, Plan, Step, Window, late, moves, open_hours, schedule, without

NOW = datetime(2026, 11, 27, 0, 0, tzinfo=UTC)  # a Friday, eight in the morning in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")
HOUR = 3600
HOURS = open_hours(NOW, 120, time(6), time(22), range(5), ZONE)
ROUTE = (("DISPENSE", ("D-1",)), ("COMPRESS", ("P-1", "P-2", "P-3")), ("COAT", ("C-1", "C-2")))


def job(number: int, due_in_days: float, hours: tuple[float, ...] = (1, 6, 3)) -> Job:
    steps: list[Step] = []
    for (operation, stations), length in zip(ROUTE, hours, strict=True):
        before = (steps[-1].key,) if steps else ()
        seconds = int(length * HOUR)
        steps.append(Step(f"{number}/{operation}", f"PO-{number:03}", operation, seconds, stations, before))
    return Job(f"PO-{number:03}", NOW + timedelta(days=due_in_days), tuple(steps))


def open_seconds(windows: list[Window], start: datetime, end: datetime) -> float:
    return sum(max(0.0, (min(end, high) - max(start, low)).total_seconds()) for low, high in windows)


def check(jobs: list[Job], plan: Plan, down: dict[str, list[Window]]) -> None:
    """What holds of every schedule."""
    by_key = {bar.step.key: bar for bar in plan.bars}
    for station in {bar.station for bar in plan.bars}:
        own = sorted((bar.start, bar.end) for bar in plan.bars if bar.station == station)
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(own)), station
    for bar in plan.bars:
        assert bar.station in bar.step.stations
        assert bar.start >= NOW
        hours = without(HOURS, down.get(bar.station, ()))
        assert open_seconds(hours, bar.start, bar.end) == pytest.approx(bar.step.seconds)
        assert all(by_key[key].end <= bar.start for key in bar.step.before)
    assert len(plan.bars) + len(plan.unplaced) == sum(len(own.steps) for own in jobs)


@pytest.mark.accepts("A20")
def test_fifty_orders_lie_without_overlap_in_due_date_order_and_a_broken_press_moves_its_work() -> None:
    jobs = [job(number, 1 + (number * 7) % 50 / 2) for number in range(50)]
    plan = schedule(jobs, NOW, HOURS)
    check(jobs, plan, {})
    assert plan.unplaced == ()
    dispensed = [bar.step.order for bar in plan.bars if bar.step.operation == "DISPENSE"]
    assert dispensed == [own.order for own in sorted(jobs, key=lambda own: (own.due_at, own.order))]

    broken = {"P-2": [(NOW, NOW + timedelta(days=5))]}
    again = schedule(jobs, NOW, HOURS, broken)
    check(jobs, again, broken)
    moved = moves(plan, again)
    lay_there = {bar.step.key for bar in plan.bars if bar.station == "P-2" and bar.start < NOW + timedelta(days=4)}
    assert lay_there
    assert lay_there <= {move.step.key for move in moved}
    assert set(late(jobs, plan)) < set(late(jobs, again))
    assert all(move.before is not None and move.after is not None for move in moved)
    assert moves(plan, plan) == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 30), st.tuples(*[st.floats(0.1, 40)] * 3)), min_size=1, max_size=12),
    st.integers(0, 12), st.floats(0, 10),
)  # fmt: skip
def test_what_is_due_later_never_delays_what_is_due_earlier(
    orders: list[tuple[float, tuple[float, ...]]], kept: int, days: float
) -> None:
    jobs = [job(number, due, hours) for number, (due, hours) in enumerate(orders)]
    down = {"P-1": [(NOW + timedelta(days=days), NOW + timedelta(days=days + 2))]}
    whole = schedule(jobs, NOW, HOURS, down)
    check(jobs, whole, down)
    first = sorted(jobs, key=lambda own: (own.due_at, own.order))[:kept]
    alone = schedule(first, NOW, HOURS, down)
    assert [bar for bar in whole.bars if bar.step.order in {own.order for own in first}] == list(alone.bars)


def test_a_long_operation_rests_over_the_weekend_and_nothing_comes_between() -> None:
    long = Job("PO-1", NOW, (Step("1", "PO-1", "DRY", 20 * HOUR, ("OVEN",)),))
    short = Job("PO-2", None, (Step("2", "PO-2", "DRY", HOUR, ("OVEN",)),))
    first, second = schedule([short, long], NOW, HOURS).bars
    # Fourteen hours until Friday 22:00, the other six on Monday from 06:00.
    assert (first.start, first.end) == (NOW, datetime(2026, 11, 30, 4, tzinfo=UTC))
    assert (second.start, second.end) == (first.end, first.end + timedelta(hours=1))


def test_what_runs_stays_and_what_cannot_be_placed_says_why() -> None:
    running = Step("R", "PO-9", "PRESS", 2 * HOUR, ("P-1",), running_at="P-1")
    urgent = Step("U", "PO-1", "PRESS", HOUR, ("P-1",))
    nowhere = Step("N", "PO-1", "COAT", HOUR, (), ("U",))
    after = Step("A", "PO-1", "PACK", HOUR, ("P-1",), ("N",))
    endless = Step("E", "PO-8", "PRESS", 10**8, ("P-1",))
    jobs = [
        Job("PO-9", NOW + timedelta(days=9), (running,)), Job("PO-1", NOW, (urgent, nowhere, after)),
        Job("PO-8", None, (endless,)),
    ]  # fmt: skip
    plan = schedule(jobs, NOW, HOURS)
    assert [(bar.step.key, bar.start) for bar in plan.bars] == [("R", NOW), ("U", NOW + timedelta(hours=2))]
    assert {own.step.key: own.reason for own in plan.unplaced} == {
        "N": "noStation", "A": "waitsForAnother", "E": "beyondHorizon",
    }  # fmt: skip
    assert late(jobs, plan) == {"PO-1": NEVER}


def test_open_hours_join_over_midnight_and_keep_the_clock_on_the_wall() -> None:
    night = open_hours(NOW, 3, time(22), time(6), range(7), ZONE)
    assert night[0] == (datetime(2026, 11, 27, 14, tzinfo=UTC), datetime(2026, 11, 27, 22, tzinfo=UTC))
    always = open_hours(NOW, 3, time(0), time(0), range(7), ZONE)
    assert len(always) == 1
    berlin = ZoneInfo("Europe/Berlin")
    summer = open_hours(datetime(2026, 3, 27, tzinfo=UTC), 4, time(6), time(14), range(7), berlin)
    assert [low.astimezone(berlin).hour for low, _ in summer] == [6, 6, 6, 6]
