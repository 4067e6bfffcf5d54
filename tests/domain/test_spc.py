"""Control charts, their rules and capability against published values (gmp/reference_values.md §1, §2)."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import spc
from domain.spc_rules import RULES, signals

TABLE = """
2 1.87997 2.65868 0.79788 1.12838 0.85250 0 3.26653 0 3.26653 0 2.60632 2.65868
3 1.02333 1.95441 0.88623 1.69257 0.88837 0 2.57459 0 2.56817 0 2.27598 1.77245
4 0.72860 1.62810 0.92132 2.05875 0.87981 0 2.28205 0 2.26605 0 2.08775 1.45719
5 0.57682 1.42730 0.93999 2.32593 0.86408 0 2.11450 0 2.08900 0 1.96363 1.28981
6 0.48325 1.28713 0.95153 2.53441 0.84804 0 2.00383 0.03036 1.96964 0.02889 1.87417 1.18371
7 0.41928 1.18192 0.95937 2.70436 0.83321 0.07571 1.92429 0.11769 1.88231 0.11290 1.80583 1.10932
8 0.37253 1.09910 0.96503 2.84720 0.81983 0.13617 1.86383 0.18509 1.81491 0.17862 1.75144 1.05367
9 0.33670 1.03166 0.96931 2.97003 0.80783 0.18401 1.81599 0.23913 1.76087 0.23179 1.70683 1.01009
10 0.30826 0.97535 0.97266 3.07751 0.79705 0.22302 1.77698 0.28371 1.71629 0.27595 1.66937 0.97482
"""
R4 = (0.5, -0.5, 0.4, -0.4, 0.6, -0.3, 0.5, -0.6, 0.4, -0.5, 0.6, -0.4, 0.3, -0.5)
VECTORS: dict[str, tuple[tuple[float, ...], dict[str, list[int]]]] = {
    "R1": ((0.1, -0.4, 0.3, 3.01, 0.2), {"R1": [3]}),
    "R1 edge": ((0.1, -0.4, 0.3, 3.00, 0.2), {}),
    "R1 low": ((0.2, -3.5, 0.1), {"R1": [1]}),
    "R2": ((-0.3, 0.2, 0.9, 0.4, 0.8, 0.1, 0.95, 0.3, 0.7, 0.5), {"R2": [9]}),
    "R2 broken": ((0.2, 0.9, 0.4, 0.8, 0.0, 0.95, 0.3, 0.7, 0.5, 0.6), {}),
    "R3 up": ((0.4, -1.1, -0.6, -0.1, 0.3, 0.8, 1.3), {"R3": [6]}),
    "R3 five": ((0.4, -0.6, -0.1, 0.3, 0.8, 0.2), {}),
    "R3 tie": ((-1.1, -0.6, -0.1, -0.1, 0.3, 0.8, 0.2), {}),
    "R3 down": ((0.1, 1.2, 0.9, 0.5, 0.1, -0.3, -0.8), {"R3": [6]}),
    "R4": (R4, {"R4": [13]}),
    "R4 thirteen": (R4[:-1], {}),
    "R5": ((2.1, 0.5, 2.2), {"R5": [2]}),
    "R5 opposite": ((2.1, 0.5, -2.2), {}),
    "R6": ((1.2, 1.3, 0.2, 1.1, 1.4), {"R6": [4]}),
    "R7": ((0.3, 0.5, -0.2, -0.4, 0.1, 0.6, -0.3, -0.5, 0.2, 0.4, -0.1, -0.6, 0.3, 0.1, -0.2), {"R7": [14]}),
    "R8": ((1.2, -1.3, 1.5, 1.4, -1.2, -1.6, 1.3, -1.4), {"R8": [7]}),
    "in control": (
        (0.3, -1.2, 0.8, 0.5, -0.4, 1.4, -0.7, -1.6, 0.2, 0.9, -0.3, 0.6, -1.1, 1.7, 0.1, -0.8, -0.2, 1.1, -1.3, 0.4),
        {},
    ),
}
FLOW = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)
GROUPS = (
    (50.1, 49.8, 50.3, 50.0, 49.9), (50.2, 50.4, 49.9, 50.1, 50.0), (49.7, 50.0, 49.9, 50.2, 49.8),
    (50.3, 50.1, 50.2, 49.9, 50.4), (50.0, 49.9, 50.1, 49.8, 50.2), (50.1, 50.3, 50.0, 50.2, 49.7),
    (49.9, 50.0, 50.2, 50.1, 49.8), (50.2, 50.0, 49.9, 50.3, 50.1),
)  # fmt: skip


def by_rule(z: tuple[float, ...], rules: str = "nelson") -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for signal in signals(z, rules):  # type: ignore[arg-type]
        found.setdefault(signal.rule, []).append(signal.at)
    return found


@pytest.mark.parametrize("row", TABLE.strip().splitlines(), ids=lambda row: f"n={row.split()[0]}")
def test_the_constants_are_the_published_ones_to_five_decimals(row: str) -> None:
    n, *published = row.split()
    k = spc.constants(int(n))
    own = (k.a2, k.a3, k.c4, k.d2, k.d3, *k.range_limits, *k.deviation_limits, *k.known_deviation_limits, k.e2)
    assert [f"{value:.5f}" for value in own] == [f"{float(value):.5f}" for value in published]


@pytest.mark.parametrize("n", [0, 1, 26])
def test_there_are_no_constants_of_one_value_or_of_very_many(n: int) -> None:
    with pytest.raises(ValueError, match="subgroup"):
        spc.constants(n)


@pytest.mark.accepts("KP-04")
@pytest.mark.parametrize("name", VECTORS)
def test_each_of_nelsons_rules_finds_its_own_pattern_and_no_other_rule_does(name: str) -> None:
    z, expected = VECTORS[name]
    assert by_rule(z) == expected


@pytest.mark.accepts("KP-04")
def test_western_electric_has_four_rules_and_eight_on_one_side() -> None:
    assert by_rule((0.1, 3.01), "westernElectric") == {"W1": [1]}
    assert by_rule(VECTORS["R5"][0], "westernElectric") == {"W2": [2]}
    assert by_rule(VECTORS["R6"][0], "westernElectric") == {"W3": [4]}
    eight = (-0.3, 0.2, 0.9, 0.4, 0.8, 0.1, 0.95, 0.3, 0.7)
    assert by_rule(eight, "westernElectric") == {"W4": [8]}
    assert by_rule(eight) == {}


@pytest.mark.accepts("KP-04")
def test_a_signal_names_its_rule_its_chart_and_all_of_its_points() -> None:
    found = signals((0.4, 1.2, 1.3, 0.2, 1.1, 1.4), "nelson", "mean")
    assert [(s.rule, s.chart, s.at, s.points) for s in found] == [("R6", "mean", 5, (1, 2, 4, 5))]


@given(st.lists(st.floats(-4, 4), max_size=40))
def test_a_mirrored_chart_has_the_same_signals(z: list[float]) -> None:
    for rules in RULES:
        mirrored = [(s.rule, s.at, s.points) for s in signals([-value for value in z], rules)]
        assert [(s.rule, s.at, s.points) for s in signals(z, rules)] == mirrored


@pytest.mark.accepts("KP-04")
def test_individuals_and_moving_ranges_of_the_flow_rates() -> None:
    study = spc.individuals(FLOW)
    chart, ranges = study.charts
    assert (chart.name, ranges.name) == ("individuals", "movingRange")
    assert chart.centre == pytest.approx(50.81)
    assert ranges.centre == pytest.approx(1.877778, abs=1e-6)
    # d2 = 1.12838, not the rounded 1.128.
    assert chart.upper[0] == pytest.approx(55.80241, abs=5e-5)
    assert chart.lower[0] == pytest.approx(45.81759, abs=5e-5)
    assert ranges.upper[0] == pytest.approx(6.1338, abs=5e-5)
    assert [round(value, 1) for value in ranges.values] == [2.0, 2.3, 1.4, 3.5, 3.4, 1.4, 0.2, 1.2, 1.5]
    assert study.signals == ()


@pytest.mark.accepts("KP-04")
def test_means_with_ranges_and_with_deviations() -> None:
    by_range = spc.means_and_ranges(GROUPS)
    means, ranges = by_range.charts
    assert means.centre == pytest.approx(50.05)
    assert (means.lower[0], means.upper[0]) == pytest.approx((49.77601, 50.32399), abs=5e-6)
    assert (ranges.centre, ranges.lower[0], ranges.upper[0]) == pytest.approx((0.475, 0, 1.00439), abs=5e-6)
    assert by_range.within == pytest.approx(0.204219, abs=5e-7)
    means, spreads = spc.means_and_deviations(GROUPS).charts
    assert (means.lower[0], means.upper[0]) == pytest.approx((49.78702, 50.31298), abs=5e-6)
    assert (spreads.centre, spreads.upper[0]) == pytest.approx((0.184247, 0.384892), abs=1e-6)


@pytest.mark.accepts("KP-04")
def test_proportions_have_the_limits_of_their_own_size() -> None:
    (chart,) = spc.proportions([(100, 3), (120, 5), (80, 1), (110, 4), (90, 2)]).charts
    assert chart.centre == pytest.approx(0.03)
    assert chart.upper == pytest.approx((0.08118, 0.07672, 0.08722, 0.07879, 0.08394), abs=5e-6)
    assert list(chart.lower) == [0] * 5
    with pytest.raises(ValueError, match="defective"):
        spc.proportions([(10, 11), (10, 1)])


@pytest.mark.accepts("KP-05")
def test_capability_uses_sigma_within_and_performance_the_overall_one() -> None:
    within = spc.means_and_ranges(GROUPS).within
    assert within is not None
    found = spc.capability([value for group in GROUPS for value in group], within, 49.0, 51.0)
    assert found.overall == pytest.approx(0.185362, abs=5e-7)
    assert (found.cp, found.cpk) == pytest.approx((1.63223, 1.55062), abs=5e-6)
    assert (found.pp, found.ppk) == pytest.approx((1.79829, 1.70837), abs=5e-6)
    assert not found.is_few


@pytest.mark.accepts("KP-05")
def test_a_one_sided_specification_has_one_index_and_few_values_are_flagged() -> None:
    values = [14.0, 18.0, 16.0]
    assert spc.deviation(values) == 2
    both = spc.capability(values, 2, 8, 20)
    assert (both.cp, both.cpu, both.cpl, both.cpk) == pytest.approx((1, 2 / 3, 4 / 3, 2 / 3))
    assert both.is_few
    upper = spc.capability(values, 2, None, 20)
    assert (upper.cp, upper.cpl, upper.pp, upper.ppl) == (None, None, None, None)
    assert (upper.cpu, upper.cpk, upper.ppu, upper.ppk) == pytest.approx((2 / 3,) * 4)
    lower = spc.capability(values, 2, 8, None)
    assert (lower.cpu, lower.ppu) == (None, None)
    assert (lower.cpl, lower.cpk) == pytest.approx((4 / 3, 4 / 3))
    assert spc.capability(values, 2, None, None).cpk is None
    assert spc.capability([5.0] * 25, 0, 4, 6).cpk is None
    assert not spc.capability([5.0] * 25, 1, 4, 6).is_few
    assert spc.capability([5.0] * 24, 1, 4, 6).is_few
    assert spc.taguchi(16, 2, 8, 20, 14) == pytest.approx(0.7071, abs=5e-5)


@pytest.mark.accepts("D5")
def test_a_shift_of_one_and_a_half_sigma_alarms_at_the_rules_own_sample() -> None:
    # The last one before the shift lies below the centre, so that the run begins with the shift.
    before = [100 + z for z in (*VECTORS["in control"][0], -0.5)]
    clean = spc.individuals(before)
    assert clean.within is not None
    assert clean.signals == ()
    shifted = [clean.charts[0].centre + clean.within * (1.5 + 0.1 * (-1) ** i) for i in range(12)]
    found = spc.individuals(before + shifted, baseline=21)
    assert found.charts[0].centre == clean.charts[0].centre
    first = {rule: next(s.at for s in found.signals if s.rule == rule) for rule in ("R6", "R2")}
    # Four of five beyond one sigma: the fourth sample after the shift; nine on one side: the ninth.
    assert first == {"R6": 21 + 3, "R2": 21 + 8}
    western = spc.individuals(before + shifted, "westernElectric", 21)
    assert next(s.at for s in western.signals if s.rule == "W4") == 21 + 7


def test_limits_that_were_made_with_the_shift_hide_it() -> None:
    values = [*([10.0, 11.0] * 10), *([15.0, 16.0] * 10)]
    frozen, moving = spc.individuals(values, baseline=20), spc.individuals(values)
    assert min(s.at for s in frozen.signals if s.rule == "R1") == 20
    assert moving.charts[0].centre > frozen.charts[0].centre


def test_a_process_that_did_not_vary_alarms_when_it_does() -> None:
    study = spc.individuals([5.0, 5.0, 5.0, 5.1], baseline=3)
    assert [(s.rule, s.chart, s.at) for s in study.signals] == [("R1", "individuals", 3), ("R1", "movingRange", 3)]
    assert spc.individuals([5.0, 5.0, 5.0]).signals == ()


@pytest.mark.parametrize("values", [[], [1.0]])
def test_one_value_makes_no_chart(values: list[float]) -> None:
    with pytest.raises(ValueError, match="two samples"):
        spc.individuals(values)
    with pytest.raises(ValueError, match="one size"):
        spc.means_and_ranges([[1, 2], [1, 2, 3]])


def test_a_process_in_control_seldom_alarms_and_its_sigma_is_found() -> None:
    chance = random.Random(7)
    values = [chance.gauss(20, 2) for _ in range(2000)]
    study = spc.individuals(values)
    assert study.within == pytest.approx(2, rel=0.05)
    beyond = [s for s in study.signals if s.rule == "R1" and s.chart == "individuals"]
    assert len(beyond) < 2000 * 0.0027 * 3
    assert math.isclose(spc.deviation(values), 2, rel_tol=0.05)
