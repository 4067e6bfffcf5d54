"""Attribute sampling: how many of a lot are inspected, and how many may be bad (ISO 2859-1, single sampling).

The tables follow from two rules: a code letter by lot size and level, and a plan by the sum of the letter's place and
the AQL's. An arrow leads to the first plan below or above in the same column, with that plan's own sample size. A
sample as large as the lot means that all of it is inspected. Reduced inspection has tables of its own, which are not
here.
Source of the rules and of the tests: reference values §4 of the GMP requirements.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.base import Message
from domain.quantities import Exact


class Level(StrEnum):
    """How much is inspected: the special levels for dear tests, the general ones else (II unless something is said)."""

    S1 = "S-1"
    S2 = "S-2"
    S3 = "S-3"
    S4 = "S-4"
    I = "I"  # noqa: E741 - the standard's own name
    II = "II"
    III = "III"


class Severity(StrEnum):
    """How strict: normal to begin with; tightened and discontinued follow from what the lots before were like."""

    NORMAL = "normal"
    TIGHTENED = "tightened"
    REDUCED = "reduced"
    DISCONTINUED = "discontinued"


LETTERS: Final = "ABCDEFGHJKLMNPQR"
SIZES: Final = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
"""Sample sizes of the letters, normal and tightened."""
AQLS: Final = tuple(
    Decimal(text)
    for text in (
        "0.010", "0.015", "0.025", "0.040", "0.065", "0.10", "0.15", "0.25", "0.40", "0.65", "1.0", "1.5", "2.5", "4.0",
        "6.5", "10",
    )
)  # fmt: skip
_UP_TO: Final = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10000, 35000, 150000, 500000)
"""The largest lot of each row of the table of letters; the last row has no end."""
_BY_LEVEL: Final = {
    Level.S1: "AAAABBBBCCCCDDD", Level.S2: "AAABBBCCCDDDEEE", Level.S3: "AABBCCDDEEFFGGH", Level.S4: "AABCCDEEFGGHJJK",
    Level.I: "AABCCDEFGHJKLMN", Level.II: "ABCDEFGHJKLMNPQ", Level.III: "BCDEFGHJKLMNPQR",
}  # fmt: skip
_ACCEPTED: Final = {
    Severity.NORMAL: {14: 0, 17: 1, 18: 2, 19: 3, 20: 5, 21: 7, 22: 10, 23: 14, 24: 21},
    Severity.TIGHTENED: {15: 0, 18: 1, 19: 2, 20: 3, 21: 5, 22: 8, 23: 12, 24: 18},
}
"""Place of the letter + place of the AQL → acceptance number; other sums are arrows."""
_UP_AT: Final = {Severity.NORMAL: (15,), Severity.TIGHTENED: ()}
"""Sums inside the table whose arrow points up; above the largest one all point up, all others down."""


class SamplingPlan(Message):
    """What is inspected of a lot: `size` pieces, accepted with up to `accept` bad ones, rejected from `reject` on."""

    letter: str
    size: int
    accept: int
    reject: int
    is_whole_lot: bool = False


class NoPlan(ValueError):
    """There is no plan for this question."""


def code_letter(lot_size: int, level: Level = Level.II) -> str:
    """The code letter of a lot. Raises `NoPlan` for fewer than two pieces."""
    if lot_size < 2:
        raise NoPlan(f"a lot of {lot_size} has no sample: inspect every piece")
    row = next((place for place, most in enumerate(_UP_TO) if lot_size <= most), len(_UP_TO))
    return _BY_LEVEL[level][row]


def cell(letter: str, aql: Decimal, severity: Severity = Severity.NORMAL) -> int | str:
    """What the table says at a letter and an AQL: an acceptance number, or the arrow `up` or `dn`."""
    if severity not in _ACCEPTED:
        raise NoPlan(f"there is no table for {severity} inspection")
    if aql not in AQLS:
        raise NoPlan(f"{aql} is not one of the AQLs {', '.join(map(str, AQLS))}")
    place = LETTERS.index(letter) + AQLS.index(aql)
    numbers = _ACCEPTED[severity]
    if place in numbers:
        return numbers[place]
    return "up" if place in _UP_AT[severity] or place > max(numbers) else "dn"


def plan(lot_size: int, aql: Decimal, level: Level = Level.II, severity: Severity = Severity.NORMAL) -> SamplingPlan:
    """The plan for a lot; arrows are followed. Raises `NoPlan` where the table has none."""
    letter = code_letter(lot_size, level)
    found = cell(letter, aql, severity)
    step = -1 if found == "up" else 1
    place = LETTERS.index(letter)
    while isinstance(found, str):
        place += step
        if not 0 <= place < len(LETTERS):
            raise NoPlan(f"no {severity} plan for letter {letter} and AQL {aql}")
        found = cell(LETTERS[place], aql, severity)
    size = min(SIZES[place], lot_size)
    return SamplingPlan(
        letter=LETTERS[place], size=size, accept=found, reject=found + 1, is_whole_lot=SIZES[place] >= lot_size
    )  # fmt: skip


# Switching -----------------------------------------------------------------------------------------------------------


class InspectedLot(Message):
    """What the switching rules know of one lot, in the order of inspection; only first inspections count.

    `accept`: the plan's acceptance number. `accepted_tighter`: an AQL one step tighter would have accepted it, too.
    """

    accepted: bool
    accept: int = 0
    accepted_tighter: bool = False


class Switching(Message):
    """Where a series of lots stands. `score` leads to reduced inspection, `not_accepted` ends it altogether."""

    severity: Severity = Severity.NORMAL
    recent: tuple[bool, ...] = ()
    """The last lots under this severity, at most five."""
    score: int = 0
    not_accepted: int = 0
    """While tightened."""


REDUCED_FROM: Final = 30
"""The switching score from which reduced inspection may begin."""


def after(standing: Switching, lot: InspectedLot, *, may_reduce: bool = False) -> Switching:
    """The standing after one more lot. `may_reduce`: production is steady, and the one responsible agrees."""
    recent = (*standing.recent, lot.accepted)[-5:]
    match standing.severity:
        case Severity.NORMAL:
            score = _score(standing.score, lot)
            if recent.count(False) >= 2:
                return Switching(severity=Severity.TIGHTENED)
            if score >= REDUCED_FROM and may_reduce:
                return Switching(severity=Severity.REDUCED)
            return Switching(severity=Severity.NORMAL, recent=recent, score=score)
        case Severity.TIGHTENED:
            bad = standing.not_accepted + (not lot.accepted)
            if bad >= 5:
                return Switching(severity=Severity.DISCONTINUED, not_accepted=bad)
            if len(recent) == 5 and all(recent):
                return Switching(severity=Severity.NORMAL)
            return Switching(severity=Severity.TIGHTENED, recent=recent, not_accepted=bad)
        case Severity.REDUCED:
            return Switching(severity=Severity.REDUCED if lot.accepted and may_reduce else Severity.NORMAL)
    raise NoPlan("inspection is discontinued until the supplier has improved")


def _score(before: int, lot: InspectedLot) -> int:
    """Single sampling: two points for an accepted lot with Ac 0 or 1; three with more, if a tighter AQL took it too."""
    if not lot.accepted:
        return 0
    if lot.accept <= 1:
        return before + 2
    return before + 3 if lot.accepted_tighter else 0


def probability_of_acceptance(size: int, accept: int, fraction_bad: Exact) -> Decimal:
    """The operating characteristic: how likely a lot with this fraction of bad pieces passes (binomial)."""
    total, chance = Decimal(0), (1 - fraction_bad) ** size
    for bad in range(accept + 1):
        total += chance
        if fraction_bad == 1:
            return total
        chance = chance * (size - bad) / (bad + 1) * fraction_bad / (1 - fraction_bad)
    return total
