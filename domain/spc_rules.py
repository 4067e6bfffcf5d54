"""Rules that find what is no chance on a control chart, in units of the chart's sigma.

Nelson's eight (L. S. Nelson, Journal of Quality Technology 16, 1984) and the four of Western Electric (1956). What
both leave open is fixed here: limits are strict (a point on a limit is inside); a point exactly on the centre line
ends a run of one side; a tie ends a trend or an alternation; the signal is put on the last point of the pattern; for
two of three and four of five the last point itself is beyond the zone, and at the start of a chart fewer points do.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

RuleSet = Literal["nelson", "westernElectric"]
_SAME: Final = 1e-9
"""Two floating-point numbers that are nearer than this are one."""


@dataclass(frozen=True)
class Rule:
    """A rule: `name` is R1 … R8 or W1 … W4."""

    name: str
    find: "Callable[[Sequence[float], int], tuple[int, ...]]"


@dataclass(frozen=True)
class Signal:
    """A rule was hit at the sample `at` (0-based): `points` are all samples of the pattern, the last one is `at`."""

    rule: str
    chart: str
    at: int
    points: tuple[int, ...]


def signals(z: Sequence[float], rules: RuleSet = "nelson", chart: str = "individuals") -> list[Signal]:
    """Every signal on a chart whose points are `z`: (value minus centre line) / sigma. In order of the samples."""
    found = []
    for at in range(len(z)):
        for rule in RULES[rules]:
            if points := rule.find(z, at):
                found.append(Signal(rule.name, chart, at, points))
    return found


def _beyond(limit: float) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        return (at,) if abs(z[at]) > limit + _SAME else ()

    return find


def _one_side(count: int) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        window = range(at - count + 1, at + 1)
        if at < count - 1:
            return ()
        above = all(z[i] > _SAME for i in window)
        return tuple(window) if above or all(z[i] < -_SAME for i in window) else ()

    return find


def _trend(count: int) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        if at < count - 1:
            return ()
        steps = [z[i] - z[i - 1] for i in range(at - count + 2, at + 1)]
        steady = all(step > _SAME for step in steps) or all(step < -_SAME for step in steps)
        return tuple(range(at - count + 1, at + 1)) if steady else ()

    return find


def _alternating(count: int) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        if at < count - 1:
            return ()
        steps = [z[i] - z[i - 1] for i in range(at - count + 2, at + 1)]
        turns = all(abs(step) > _SAME for step in steps) and all(
            (one > 0) != (other > 0) for one, other in itertools.pairwise(steps)
        )
        return tuple(range(at - count + 1, at + 1)) if turns else ()

    return find


def _most_beyond(needed: int, window: int, limit: float) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        for side in (1, -1):
            beyond = [i for i in range(max(0, at - window + 1), at + 1) if z[i] * side > limit + _SAME]
            if len(beyond) >= needed and beyond[-1] == at:
                return tuple(beyond)
        return ()

    return find


def _hugging(count: int) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        window = range(at - count + 1, at + 1)
        return tuple(window) if at >= count - 1 and all(abs(z[i]) < 1 - _SAME for i in window) else ()

    return find


def _avoiding(count: int) -> Callable[[Sequence[float], int], tuple[int, ...]]:
    def find(z: Sequence[float], at: int) -> tuple[int, ...]:
        window = range(at - count + 1, at + 1)
        if at < count - 1 or any(abs(z[i]) <= 1 + _SAME for i in window):
            return ()
        return tuple(window) if {z[i] > 0 for i in window} == {True, False} else ()

    return find


RULES: Final[dict[RuleSet, tuple[Rule, ...]]] = {
    "nelson": (
        Rule("R1", _beyond(3)),
        Rule("R2", _one_side(9)),
        Rule("R3", _trend(6)),
        Rule("R4", _alternating(14)),
        Rule("R5", _most_beyond(2, 3, 2)),
        Rule("R6", _most_beyond(4, 5, 1)),
        Rule("R7", _hugging(15)),
        Rule("R8", _avoiding(8)),
    ),
    "westernElectric": (
        Rule("W1", _beyond(3)),
        Rule("W2", _most_beyond(2, 3, 2)),
        Rule("W3", _most_beyond(4, 5, 1)),
        Rule("W4", _one_side(8)),
    ),
}
