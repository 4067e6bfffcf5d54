"""Tests of chance for counts: could a difference between groups come about by itself? Pure.

Fisher's exact test of a 2 × 2 table (R. A. Fisher, J. R. Stat. Soc. 98 (1935) 39; two-sided: all tables that are not
likelier than the one found), Pearson's χ² where every expected count is at least 5 (W. G. Cochran, Biometrics 10 (1954)
417), and Holm's correction for having looked at many groups (S. Holm, Scand. J. Stat. 6 (1979) 65). The tail of χ² is
the regularised incomplete gamma function (NIST DLMF 8.2.4, by its series 8.7.1 and its continued fraction 8.9.2).
Probabilities are floating point: they are estimates, never quantities of the record.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

Test = Literal["fisher", "chiSquare"]
LEAST_EXPECTED: Final = 5
"""With a smaller expected count χ² is no approximation any more."""
_EXACT: Final = 1e-15
_MOST_TERMS: Final = 100_000
_TINY: Final = 1e-300
_SAME: Final = 1 + 1e-7
"""Two tables are equally likely when their probabilities differ by no more than rounding."""


def chi_square_tail(x: float, freedom: int) -> float:
    """The probability that χ² with so many degrees of freedom is at least `x`. Raises ValueError for no freedom."""
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom")
    a, z = freedom / 2, x / 2
    if z <= 0:
        return 1.0
    scale = math.exp(a * math.log(z) - z - math.lgamma(a))
    return max(0.0, 1 - scale * _series(a, z)) if z < a + 1 else scale * _fraction(a, z)


def _series(a: float, z: float) -> float:
    term = total = 1 / a
    for n in range(1, _MOST_TERMS):
        term *= z / (a + n)
        total += term
        if term < total * _EXACT:
            break
    return total


def _fraction(a: float, z: float) -> float:
    """The continued fraction by Lentz's method."""
    b = z + 1 - a
    c, d = 1 / _TINY, 1 / b
    value = d
    for n in range(1, _MOST_TERMS):
        numerator = -n * (n - a)
        b += 2
        d = 1 / (numerator * d + b or _TINY)
        c = b + numerator / c or _TINY
        value *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return value


def chi_square(rows: Sequence[tuple[int, int]]) -> float:
    """The probability that groups of (bad, good) which do not differ look so different. Groups without pieces say
    nothing; where all are good, or all bad, nothing differs: 1."""
    counted = [row for row in rows if sum(row) > 0]
    bad, good = sum(row[0] for row in counted), sum(row[1] for row in counted)
    if len(counted) < 2 or bad == 0 or good == 0:
        return 1.0
    share = bad / (bad + good)
    found = sum(
        (own - expected) ** 2 / expected
        for row in counted
        for own, expected in ((row[0], sum(row) * share), (row[1], sum(row) * (1 - share)))
    )
    return chi_square_tail(found, len(counted) - 1)


def fisher(bad: int, good: int, other_bad: int, other_good: int) -> float:
    """Two-sided probability of a table as unlikely as this one, when the groups do not differ."""
    made, every_bad = bad + good, bad + other_bad
    whole = made + other_bad + other_good
    low, high = max(0, made + every_bad - whole), min(made, every_bad)

    def log_of(number: int) -> float:
        return _choose(every_bad, number) + _choose(whole - every_bad, made - number) - _choose(whole, made)

    own = math.exp(log_of(bad)) * _SAME
    return min(1.0, math.fsum(found for n in range(low, high + 1) if (found := math.exp(log_of(n))) <= own))


def _choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def two_groups(bad: int, good: int, other_bad: int, other_good: int) -> tuple[Test, float]:
    """Which test fits one group against all others, and what it says. With an expected count below 5 there are at
    most some thousand tables to sum over, however many pieces there are."""
    whole = bad + good + other_bad + other_good
    if not whole:
        return "fisher", 1.0
    margins = (bad + good, other_bad + other_good), (bad + other_bad, good + other_good)
    if min(row * column for row in margins[0] for column in margins[1]) < LEAST_EXPECTED * whole:
        return "fisher", fisher(bad, good, other_bad, other_good)
    return "chiSquare", chi_square([(bad, good), (other_bad, other_good)])


def holm(probabilities: Sequence[float]) -> list[float]:
    """Each probability as it stands when so many groups were looked at, in the order given."""
    count, largest = len(probabilities), 0.0
    adjusted = [0.0] * count
    for rank, at in enumerate(sorted(range(count), key=probabilities.__getitem__)):
        largest = max(largest, min(1.0, (count - rank) * probabilities[at]))
        adjusted[at] = largest
    return adjusted
