"""How long orders are at each stage: stages follow each other without a gap, whatever was left out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.lead_time import STEPS, durations, spread

START = datetime(2026, 11, 27, 8, tzinfo=UTC)
MILESTONES = ("created", *(end for _, _, end in STEPS))


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_each_stage_lasts_until_the_next_milestone() -> None:
    found = durations(
        {"created": at(0), "released": at(2), "dispatched": at(3), "ready": at(5), "inspecting": at(9),
         "puttingAway": at(10), "completed": at(11), "closed": at(20)}
    )  # fmt: skip
    assert {stage: seconds / 3600 for stage, seconds in found.items()} == {
        "approve": 2, "dispatch": 1, "pick": 2, "execute": 4, "inspect": 1, "putAway": 1, "close": 9,
    }  # fmt: skip


def test_an_order_without_an_inspection_executes_until_it_is_put_away() -> None:
    found = durations({"created": at(0), "released": at(1), "dispatched": at(1), "ready": at(2), "puttingAway": at(7)})
    assert found["execute"] == 5 * 3600
    assert "inspect" not in found
    assert "putAway" not in found


def test_of_nothing_there_is_nothing() -> None:
    assert durations({}) == {}
    assert spread([]).median is None


@given(st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=len(MILESTONES), max_size=len(MILESTONES)))
def test_the_stages_together_are_the_whole_way(steps: list[int | None]) -> None:
    passed, reached = 0, {"created": at(0)}
    for name, hours in zip(MILESTONES[1:], steps[1:], strict=True):
        if hours is not None:
            passed += hours
            reached[name] = at(passed)
    found = durations(reached)
    assert sum(found.values()) == passed * 3600
    assert all(seconds >= 0 for seconds in found.values())


def test_the_spread_is_that_of_the_ordered_values() -> None:
    found = spread([Decimal(value) for value in (9, 1, 3, 7, 5)])
    assert found.count == 5
    assert found.median == found.mean == 5
    assert found.ninth == Decimal("8.2")
    assert spread([Decimal(1), Decimal(2)]).median == Decimal("1.5")
