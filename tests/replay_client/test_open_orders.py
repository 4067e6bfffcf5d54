"""Orders that are left at every stage for people to go on with."""

from dataclasses import replace

import pytest

from plants.tablets.source import read
from replay.open_orders import COATING, FIRST, STAGES, left_open, stage_at
from tests.replay_client.test_steps import SAMPLE


def test_each_is_made_of_a_real_row_under_a_number_of_its_own() -> None:
    rows = read(SAMPLE).batches
    made = left_open(rows, len(rows) + 2)
    assert [batch.number for batch in made] == list(range(FIRST, FIRST + len(rows) + 2))
    assert replace(made[0], number=rows[0].number) == rows[0]
    assert made[len(rows)].cells == rows[0].cells
    assert max(batch.number for batch in rows) < FIRST


def test_the_stages_are_those_of_an_order_s_life() -> None:
    assert len(set(STAGES)) == len(STAGES)
    assert STAGES.index("reviewed") < STAGES.index("picked") < STAGES.index("planned")


def test_one_order_alone_is_left_on_a_coater() -> None:
    made = [stage_at(place) for place in range(5 * len(STAGES))]
    assert made[: len(STAGES)] == list(STAGES)
    assert made.count(COATING) == 1
    assert set(made[len(STAGES) :]) == set(STAGES) - {COATING}


@pytest.mark.parametrize("count", [0, 1, 30])
def test_as_many_as_are_wanted(count: int) -> None:
    assert len(left_open(read(SAMPLE).batches, count)) == count
