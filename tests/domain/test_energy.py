"""Kilowatt hours from a counter: set-backs, roll-overs, gaps, and what cannot be known (A22)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.energy import Consumption, Count, Meter, consumed

pytestmark = pytest.mark.accepts("A22")


def of(*values: str | None, meter: Meter | None = None, first: int = 1, last: int | None = None) -> Consumption:
    counts = [
        Count(sequence=first + n, value=None if value is None else Decimal(value)) for n, value in enumerate(values)
    ]
    return consumed(counts, meter or Meter(tag="e"), last)


def test_a_counter_that_only_rises_gives_the_difference_of_its_ends() -> None:
    found = of("100.5", "101", "103.25")
    assert (found.kilowatt_hours, found.is_complete, found.readings) == (Decimal("2.75"), True, 3)


def test_a_gap_in_the_middle_costs_nothing_but_is_counted() -> None:
    found = of("10", None, None, "14")
    assert (found.kilowatt_hours, found.unread, found.unread_at_ends, found.is_complete) == (Decimal(4), 2, 0, True)


def test_a_set_back_gives_what_was_used_at_least() -> None:
    found = of("990", "995", "2", "5")
    assert (found.kilowatt_hours, found.set_backs, found.is_complete) == (Decimal(10), 1, False)


def test_a_roll_over_is_known_only_near_the_end_of_the_range() -> None:
    meter = Meter(tag="e", rolls_over_at=Decimal(1000))
    rolled = of("990", "995", "2", "5", meter=meter)
    assert (rolled.kilowatt_hours, rolled.roll_overs, rolled.set_backs) == (Decimal(15), 1, 0)
    assert rolled.is_complete
    set_back = of("500", "2", meter=meter)
    assert (set_back.kilowatt_hours, set_back.roll_overs, set_back.set_backs) == (Decimal(2), 0, 1)


def test_what_was_not_read_at_the_ends_is_not_known() -> None:
    assert not of(None, "10", "12").is_complete
    assert of("10", "12", None).unread_at_ends == 1
    assert of("10", "12", first=3).unread_at_ends == 2
    late = of("10", "12", last=7)
    assert (late.kilowatt_hours, late.unread_at_ends, late.is_complete) == (Decimal(2), 5, False)


@pytest.mark.parametrize("values", [(), ("10",), (None, None), (None, "10", None)])
def test_fewer_than_two_good_readings_are_unknown_and_not_zero(values: tuple[str | None, ...]) -> None:
    found = of(*values)
    assert found.kilowatt_hours is None
    assert not found.is_complete


@pytest.mark.parametrize(("unit", "hours"), [("Wh", "0.5"), ("kWh", "500"), ("MWh", "500000")])
def test_units(unit: str, hours: str) -> None:
    assert of("0", "500", meter=Meter(tag="e", unit=unit)).kilowatt_hours == Decimal(hours)
    assert of("0", "36", meter=Meter(tag="e", unit="MJ")).kilowatt_hours == Decimal(10)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.data())
def test_whichever_readings_in_between_are_lost_the_sum_is_the_same(steps: list[int], data: st.DataObject) -> None:
    values = [Decimal(sum(steps[: n + 1])) for n in range(len(steps))]
    lost = data.draw(st.sets(st.integers(1, len(steps) - 2))) if len(steps) > 2 else set()
    counts = [Count(sequence=n + 1, value=None if n in lost else value) for n, value in enumerate(values)]
    found = consumed(counts, Meter(tag="e"))
    assert found.kilowatt_hours == values[-1] - values[0]
    assert (found.is_complete, found.unread) == (True, len(lost))
