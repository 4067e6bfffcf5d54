"""Which groups made the bad ones: counts, ranked, each held against all the others. Pure.

Whoever looks at twenty machines finds one that stands out by itself, so the probabilities are corrected for how many
groups there are (`domain.chance`). Pieces of one batch are alike: with many pieces a small difference is no accident,
and still no cause. So a group is also told by how many times as often it was bad.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from domain import chance

ALPHA: Final = 0.05
"""Below this, chance is not believed (two-sided, corrected)."""
SHIFTS: Final = (time(6), time(14), time(22))
MOST_SHIFTS: Final = 6


@dataclass(frozen=True)
class Group:
    """What was made somewhere: whole numbers of pieces, or of batches."""

    key: tuple[str, ...]
    bad: int
    good: int

    @property
    def made(self) -> int:
        """All of them."""
        return self.bad + self.good


@dataclass(frozen=True)
class Suspect:
    """A group against the others. `times`: how many times as often it was bad (None: the others never were);
    `probability` that this is chance, corrected; `stands_out`: more often bad than chance explains."""

    rank: int
    group: Group
    share: float
    times: float | None
    test: chance.Test
    probability: float
    stands_out: bool


@dataclass(frozen=True)
class Answer:
    """The groups, first those that stand out; `probability` that all of them together differ by chance alone."""

    suspects: tuple[Suspect, ...]
    bad: int
    made: int
    probability: float


def ranked(groups: Iterable[Group]) -> Answer:
    """Rank groups by how little chance explains them, then by their share of bad ones. Empty groups are left out."""
    counted = [group for group in groups if group.made > 0]
    bad, made = sum(group.bad for group in counted), sum(group.made for group in counted)
    tested = [chance.two_groups(group.bad, group.good, bad - group.bad, made - bad - group.good) for group in counted]
    corrected = chance.holm([probability for _, probability in tested])
    found = []
    for group, (test, _), probability in zip(counted, tested, corrected, strict=True):
        share, others = group.bad / group.made, _share(bad - group.bad, made - group.made)
        times = share / others if others else None
        stands_out = probability < ALPHA and (others is None or share > others)
        found.append(Suspect(0, group, share, times, test, probability, stands_out))
    found.sort(
        key=lambda own: (not own.stands_out, own.probability if own.stands_out else 0, -own.share, own.group.key)
    )
    numbered = tuple(
        Suspect(rank, own.group, own.share, own.times, own.test, own.probability, own.stands_out)
        for rank, own in enumerate(found, 1)
    )
    return Answer(numbered, bad, made, chance.chi_square([(group.bad, group.good) for group in counted]))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def shifts(text: str) -> tuple[time, ...]:
    """When the shifts of a day begin, from `06:00,14:00,22:00`; the usual three for what says nothing of the kind."""
    begins = set()
    for part in text.replace("，", ",").split(","):
        try:
            begins.add(time.fromisoformat(part.strip()))
        except ValueError:
            continue
    usable = tuple(sorted(own for own in begins if own.tzinfo is None))
    return usable[:MOST_SHIFTS] or SHIFTS


def shift_name(begins: Sequence[time], number: int) -> str:
    """`06:00–14:00`."""
    return f"{begins[number]:%H:%M}–{begins[(number + 1) % len(begins)]:%H:%M}"
