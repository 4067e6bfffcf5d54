"""Tests of chance against published values and exact arithmetic; and the ranked answer to "who made the bad ones"."""

import math
from datetime import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import chance
from domain.suspects import SHIFTS, Group, ranked, shift_name, shifts

CRITICAL = (
    (1, 3.841, 0.05), (1, 6.635, 0.01), (2, 5.991, 0.05), (3, 7.815, 0.05), (4, 9.488, 0.05), (5, 15.086, 0.01),
    (10, 18.307, 0.05), (10, 29.588, 0.001), (20, 31.410, 0.05), (50, 67.505, 0.05), (100, 124.342, 0.05),
)  # fmt: skip
"""Upper critical values of χ²: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4."""


@pytest.mark.parametrize(("freedom", "x", "tail"), CRITICAL)
def test_the_tail_of_chi_square_is_that_of_the_published_table(freedom: int, x: float, tail: float) -> None:
    assert chance.chi_square_tail(x, freedom) == pytest.approx(tail, rel=2e-3)


@given(st.floats(0.001, 600), st.integers(1, 60))
def test_the_tail_of_chi_square_with_even_freedom_is_a_sum_of_poisson_terms(x: float, half: int) -> None:
    exact = math.fsum(math.exp(-x / 2 + k * math.log(x / 2) - math.lgamma(k + 1)) for k in range(half))
    assert chance.chi_square_tail(x, 2 * half) == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(st.floats(0.0001, 600))
def test_the_tail_of_chi_square_with_one_degree_of_freedom_is_the_error_function(x: float) -> None:
    assert chance.chi_square_tail(x, 1) == pytest.approx(math.erfc(math.sqrt(x / 2)), rel=1e-9, abs=1e-13)


def test_chi_square_without_freedom_is_none() -> None:
    with pytest.raises(ValueError, match="0 degrees of freedom"):
        chance.chi_square_tail(1, 0)


def test_the_lady_tasting_tea_and_the_convicted_twins_of_fisher() -> None:
    # R. A. Fisher, The Design of Experiments (1935), II.5; the twins of 1935 stand in R's fisher.test, too.
    assert chance.fisher(3, 1, 1, 3) == pytest.approx(34 / 70)
    assert chance.fisher(10, 3, 2, 15) == pytest.approx(0.0005367241, rel=1e-6)


@given(st.tuples(*[st.integers(0, 12)] * 4))
def test_fisher_is_the_sum_of_exact_fractions(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    made, bad, whole = a + b, a + c, sum(table)

    def likely(n: int) -> Fraction:
        return Fraction(math.comb(bad, n) * math.comb(whole - bad, made - n), math.comb(whole, made))

    counts = range(max(0, made + bad - whole), min(made, bad) + 1)
    exact = sum(likely(n) for n in counts if likely(n) <= likely(a))
    assert chance.fisher(a, b, c, d) == pytest.approx(float(exact), rel=1e-9)


def test_the_test_is_chosen_by_the_smallest_expected_count_and_takes_millions() -> None:
    assert chance.two_groups(0, 0, 0, 0) == ("fisher", 1.0)
    assert chance.two_groups(3, 17, 2, 78)[0] == "fisher"
    assert chance.two_groups(30, 170, 20, 780)[0] == "chiSquare"
    test, probability = chance.two_groups(4, 996, 3, 1_999_997)
    assert test == "fisher"
    assert 0 < probability < 1e-9


def test_holm_corrects_for_how_many_were_looked_at() -> None:
    # By hand: 4 × 0.005, 3 × 0.01, 2 × 0.03, and 0.04 stays behind 0.06.
    assert chance.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert chance.holm([0.6, 0.7]) == [1.0, 1.0]
    assert chance.holm([]) == []


@pytest.mark.accepts("D6")
def test_the_press_of_the_night_shift_stands_out_and_a_single_bad_piece_does_not() -> None:
    answer = ranked(
        [
            Group(("PRESS-1", "06:00"), 4, 396), Group(("PRESS-1", "22:00"), 5, 395),
            Group(("PRESS-2", "06:00"), 3, 397), Group(("PRESS-2", "22:00"), 24, 376),
            Group(("PRESS-3", "06:00"), 1, 9), Group(("PRESS-4", "06:00"), 0, 0),
        ]
    )  # fmt: skip
    first, second = answer.suspects[:2]
    assert (first.rank, first.group.key, first.stands_out) == (1, ("PRESS-2", "22:00"), True)
    assert first.times == pytest.approx((24 / 400) / (13 / 1210))
    assert first.probability < 0.001
    # One of ten is a larger share than anybody's, and still chance.
    assert (second.group.key, second.share, second.stands_out) == (("PRESS-3", "06:00"), 0.1, False)
    assert (answer.bad, answer.made, len(answer.suspects)) == (37, 1610, 5)
    assert answer.probability < 0.001


def test_groups_that_are_alike_are_chance_and_a_good_one_is_no_suspect() -> None:
    alike = ranked([Group((name,), 5, 95) for name in "ABCD"])
    assert not any(own.stands_out for own in alike.suspects)
    assert alike.probability == pytest.approx(1)
    better = ranked([Group(("A",), 0, 1000), Group(("B",), 50, 950)])
    assert [own.group.key for own in better.suspects if own.stands_out] == [("B",)]
    assert better.suspects[0].times is None
    alone = ranked([Group(("A",), 5, 5)])
    assert (alone.suspects[0].stands_out, alone.probability) == (False, 1.0)
    assert ranked([]).suspects == ()


def test_shifts_are_what_a_plant_says_or_the_usual_three() -> None:
    assert shifts("22:00, 06:00") == (time(6), time(22))
    assert shifts("") == shifts("early, late") == SHIFTS
    assert shift_name((time(6), time(18)), 1) == "18:00–06:00"
