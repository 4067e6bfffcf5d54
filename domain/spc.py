"""Statistical process control: control charts and capability, as ISO 7870-2 and Montgomery define them. Pure.

Numbers are floating point: they are estimates, never quantities of the record. Limits lie three sigma from the centre
line. A chart's limits come from its first `baseline` samples, or from all: limits that were made with the shift in
them hide it. Dispersion charts are held against their own limits alone (rule 1): ranges have no symmetric zones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from domain.spc_rules import RuleSet, Signal, signals

LARGEST_SUBGROUP: Final = 25
FEW: Final = 25
"""With fewer values than this a capability is a guess, and is flagged."""
_STEP: Final = 0.05
_REACH: Final = 8.0
"""Integrals over the normal distribution run from -8 to 8 in steps of 0.05: exact to more than nine decimals."""


@dataclass(frozen=True)
class Constants:
    """The constants of a subgroup of `n`, in their usual names; lower limits that would be negative are 0."""

    n: int
    d2: float
    d3: float
    c4: float

    @property
    def a2(self) -> float:
        """Limits of means by the mean range."""
        return 3 / (self.d2 * math.sqrt(self.n))

    @property
    def a3(self) -> float:
        """Limits of means by the mean standard deviation."""
        return 3 / (self.c4 * math.sqrt(self.n))

    @property
    def e2(self) -> float:
        """Limits of single values by the mean range."""
        return 3 / self.d2

    @property
    def range_limits(self) -> tuple[float, float]:
        """D3, D4."""
        return max(0.0, 1 - 3 * self.d3 / self.d2), 1 + 3 * self.d3 / self.d2

    @property
    def deviation_limits(self) -> tuple[float, float]:
        """B3, B4."""
        spread = 3 * math.sqrt(1 - self.c4**2)
        return max(0.0, 1 - spread / self.c4), 1 + spread / self.c4

    @property
    def known_deviation_limits(self) -> tuple[float, float]:
        """B5, B6: when sigma is known."""
        spread = 3 * math.sqrt(1 - self.c4**2)
        return max(0.0, self.c4 - spread), self.c4 + spread


@lru_cache(maxsize=32)
def constants(n: int) -> Constants:
    """The constants of subgroups of 2 to 25, computed from their definitions: d2 and d3 are mean and deviation of the
    range of n standard normal values, c4 is the mean of their standard deviation. Raises ValueError outside."""
    if not 2 <= n <= LARGEST_SUBGROUP:
        raise ValueError(f"a subgroup has 2 to {LARGEST_SUBGROUP} values, not {n}")
    count = round(2 * _REACH / _STEP) + 1
    at = [-_REACH + _STEP * i for i in range(count)]
    density = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in at]
    below = [0.5 * math.erfc(-x / math.sqrt(2)) for x in at] + [1.0] * count

    def is_wider(width: int) -> float:
        """The chance that the range is more than `width` steps."""
        inside = sum(p * (below[i + width] - below[i]) ** (n - 1) for i, p in enumerate(density))
        return 1 - n * _STEP * inside

    # Simpson's rule: the integrand does not vanish at width 0.
    weights = [1.0, *([4.0, 2.0] * count)[: count - 2], 1.0]
    wider = [is_wider(width) for width in range(count)]
    mean = _STEP / 3 * sum(w * p for w, p in zip(weights, wider, strict=True))
    square = 2 * _STEP / 3 * sum(w * _STEP * i * p for i, (w, p) in enumerate(zip(weights, wider, strict=True)))
    c4 = math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))
    return Constants(n, mean, math.sqrt(square - mean**2), c4)


@dataclass(frozen=True)
class Chart:
    """One chart. `name`: individuals, movingRange, mean, range, deviation or proportion. Limits of each point stand
    in `lower` and `upper`, because those of proportions differ. The first moving range belongs to the second value,
    so `first` is the number of the sample that the first point belongs to."""

    name: str
    values: tuple[float, ...]
    centre: float
    sigma: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    signals: tuple[Signal, ...] = ()
    first: int = 0


@dataclass(frozen=True)
class Study:
    """Charts of one characteristic, and sigma within subgroups, which they estimate (None: of proportions)."""

    charts: tuple[Chart, ...]
    within: float | None = None
    baseline: int = 0
    signals: tuple[Signal, ...] = field(default=())


def individuals(values: Sequence[float], rules: RuleSet = "nelson", baseline: int | None = None) -> Study:
    """I-MR. `values` in the order of time, at least two."""
    used = _baseline(len(values), baseline)
    ranges = [abs(one - other) for one, other in zip(values[1:], values, strict=False)]
    mean_range = _mean(ranges[: used - 1])
    k = constants(2)
    sigma = mean_range / k.d2
    main = _symmetric("individuals", values, _mean(values[:used]), sigma, rules)
    return _study((main, _dispersion("movingRange", ranges, mean_range, k.range_limits, first=1)), sigma, used)


def means_and_ranges(
    groups: Sequence[Sequence[float]], rules: RuleSet = "nelson", baseline: int | None = None
) -> Study:
    """X̄-R: subgroups of one size, at least two of them."""
    size, used = _size(groups), _baseline(len(groups), baseline)
    means, ranges = [_mean(group) for group in groups], [max(group) - min(group) for group in groups]
    k, mean_range = constants(size), _mean(ranges[:used])
    within = mean_range / k.d2
    main = _symmetric("mean", means, _mean(means[:used]), within / math.sqrt(size), rules)
    return _study((main, _dispersion("range", ranges, mean_range, k.range_limits)), within, used)


def means_and_deviations(
    groups: Sequence[Sequence[float]], rules: RuleSet = "nelson", baseline: int | None = None
) -> Study:
    """X̄-S: as X̄-R, by the standard deviation of each subgroup."""
    size, used = _size(groups), _baseline(len(groups), baseline)
    means, spreads = [_mean(group) for group in groups], [deviation(group) for group in groups]
    k, mean_spread = constants(size), _mean(spreads[:used])
    within = mean_spread / k.c4
    main = _symmetric("mean", means, _mean(means[:used]), within / math.sqrt(size), rules)
    return _study((main, _dispersion("deviation", spreads, mean_spread, k.deviation_limits)), within, used)


def proportions(
    samples: Sequence[tuple[int | float, int | float]], rules: RuleSet = "nelson", baseline: int | None = None
) -> Study:
    """p chart: (inspected, defective) of each sample; limits follow the size of the sample, between 0 and 1."""
    if any(n <= 0 or bad < 0 or bad > n for n, bad in samples):
        raise ValueError("a sample has a size, and no more defective pieces than that")
    used = _baseline(len(samples), baseline)
    centre = sum(bad for _, bad in samples[:used]) / sum(n for n, _ in samples[:used])
    values = tuple(bad / n for n, bad in samples)
    sigma = tuple(math.sqrt(centre * (1 - centre) / n) for n, _ in samples)
    lower, upper = (tuple(max(0.0, centre - 3 * s) for s in sigma), tuple(min(1.0, centre + 3 * s) for s in sigma))
    z = [_z(value, centre, s) for value, s in zip(values, sigma, strict=True)]
    chart = Chart("proportion", values, centre, sigma, lower, upper, tuple(signals(z, rules, "proportion")))
    return _study((chart,), None, used)


@dataclass(frozen=True)
class Capability:
    """How well a process fits between its limits. None: there is no such limit, or nothing varies.

    cp and cpk use sigma within subgroups, pp and ppk the overall standard deviation (n - 1).
    """

    count: int
    mean: float
    within: float
    overall: float
    low: float | None
    high: float | None
    cp: float | None
    cpl: float | None
    cpu: float | None
    cpk: float | None
    pp: float | None
    ppl: float | None
    ppu: float | None
    ppk: float | None
    is_few: bool


def capability(values: Sequence[float], within: float, low: float | None, high: float | None) -> Capability:
    """Cp, Cpk, Pp, Ppk of single values against one or two specification limits; a missing limit has no index."""
    mean, overall = _mean(values), deviation(values)
    short, long = _indices(mean, within, low, high), _indices(mean, overall, low, high)
    return Capability(len(values), mean, within, overall, low, high, *short, *long, is_few=len(values) < FEW)


def taguchi(mean: float, sigma: float, low: float, high: float, target: float) -> float:
    """Cpm: as Cp, but being off the target counts as spread."""
    return (high - low) / (6 * math.sqrt(sigma**2 + (mean - target) ** 2))


Indices = tuple[float | None, float | None, float | None, float | None]


def _indices(mean: float, sigma: float, low: float | None, high: float | None) -> Indices:
    """(both, lower, upper, worst)."""
    if sigma <= 0:
        return None, None, None, None
    lower = None if low is None else (mean - low) / (3 * sigma)
    upper = None if high is None else (high - mean) / (3 * sigma)
    both = None if low is None or high is None else (high - low) / (6 * sigma)
    given = [one for one in (lower, upper) if one is not None]
    return both, lower, upper, min(given, default=None)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample (n - 1)."""
    if len(values) < 2:
        raise ValueError("one value has no deviation")
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _size(groups: Sequence[Sequence[float]]) -> int:
    sizes = {len(group) for group in groups}
    if len(sizes) != 1:
        raise ValueError(f"subgroups have one size, not {sorted(sizes)}")
    return sizes.pop()


def _baseline(count: int, wanted: int | None) -> int:
    """How many of the samples make the limits. Raises ValueError for fewer than two samples."""
    if count < 2:
        raise ValueError(f"a chart needs two samples, not {count}")
    return count if wanted is None else max(2, min(count, wanted))


def _z(value: float, centre: float, sigma: float) -> float:
    """A point in units of sigma; where nothing varied, whatever differs at all is far outside."""
    if sigma > 0:
        return (value - centre) / sigma
    return 0.0 if math.isclose(value, centre, abs_tol=1e-12) else math.copysign(math.inf, value - centre)


def _symmetric(name: str, values: Sequence[float], centre: float, sigma: float, rules: RuleSet) -> Chart:
    count = len(values)
    found = signals([_z(value, centre, sigma) for value in values], rules, name)
    return Chart(
        name, tuple(values), centre, (sigma,) * count, (centre - 3 * sigma,) * count, (centre + 3 * sigma,) * count,
        tuple(found),
    )  # fmt: skip


def _dispersion(
    name: str, values: Sequence[float], centre: float, factors: tuple[float, float], first: int = 0
) -> Chart:
    lower, upper, count = factors[0] * centre, factors[1] * centre, len(values)
    slack = 1e-9 * max(1.0, abs(upper))
    found = [
        Signal("R1", name, at + first, (at + first,))
        for at, value in enumerate(values)
        if value > upper + slack or value < lower - slack
    ]
    sigma = ((upper - centre) / 3,) * count
    return Chart(name, tuple(values), centre, sigma, (lower,) * count, (upper,) * count, tuple(found), first)


def _study(charts: tuple[Chart, ...], within: float | None, baseline: int) -> Study:
    return Study(charts, within, baseline, tuple(signal for chart in charts for signal in chart.signals))
