"""ISO 2859-1 against the printed tables: letters, plans with their arrows, switching, operating characteristic."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sampling import (
    AQLS,
    LETTERS,
    SIZES,
    InspectedLot,
    Level,
    NoPlan,
    Severity,
    Switching,
    after,
    cell,
    code_letter,
    plan,
    probability_of_acceptance,
)

COLUMNS = ("0.10", "0.15", "0.25", "0.40", "0.65", "1.0", "1.5", "2.5", "4.0", "6.5", "10")
NORMAL = """
A 2 dn dn dn dn dn dn dn dn dn 0 up
B 3 dn dn dn dn dn dn dn dn 0 up dn
C 5 dn dn dn dn dn dn dn 0 up dn 1
D 8 dn dn dn dn dn dn 0 up dn 1 2
E 13 dn dn dn dn dn 0 up dn 1 2 3
F 20 dn dn dn dn 0 up dn 1 2 3 5
G 32 dn dn dn 0 up dn 1 2 3 5 7
H 50 dn dn 0 up dn 1 2 3 5 7 10
J 80 dn 0 up dn 1 2 3 5 7 10 14
K 125 0 up dn 1 2 3 5 7 10 14 21
L 200 up dn 1 2 3 5 7 10 14 21 up
M 315 dn 1 2 3 5 7 10 14 21 up up
N 500 1 2 3 5 7 10 14 21 up up up
P 800 2 3 5 7 10 14 21 up up up up
Q 1250 3 5 7 10 14 21 up up up up up
R 2000 5 7 10 14 21 up up up up up up
"""
TIGHTENED = """
J 80 dn dn 0 dn dn 1 2 3 5 8 12
L 200 0 dn dn 1 2 3 5 8 12 18 up
"""
LOTS = """
2-8 A A A A A A B
9-15 A A A A A B C
16-25 A A B B B C D
26-50 A B B C C D E
51-90 B B C C C E F
91-150 B B C D D F G
151-280 B C D E E G H
281-500 B C D E F H J
501-1200 C C E F G J K
1201-3200 C D E G H K L
3201-10000 C D F G J L M
10001-35000 C D F H K M N
35001-150000 D E G J L N P
150001-500000 D E G J M P Q
500001-9000000 D E H K N Q R
"""


def rows(table: str) -> list[tuple[str, str, list[str]]]:
    """(letter, sample size, cells) of each printed row."""
    return [(row.split()[0], row.split()[1], row.split()[2:]) for row in table.strip().splitlines()]


@pytest.mark.accepts("QL-02")
@pytest.mark.parametrize(
    ("severity", "table"), [(Severity.NORMAL, NORMAL), (Severity.TIGHTENED, TIGHTENED)]
)  # fmt: skip
def test_every_printed_cell_comes_out(severity: Severity, table: str) -> None:
    for letter, size, cells in rows(table):
        assert SIZES[LETTERS.index(letter)] == int(size)
        found = [str(cell(letter, Decimal(aql), severity)) for aql in COLUMNS]
        assert found == cells, letter


@pytest.mark.accepts("QL-02")
def test_every_row_of_code_letters() -> None:
    for row in LOTS.strip().splitlines():
        sizes, *letters = row.split()
        for size in map(int, sizes.split("-")):
            assert [code_letter(size, level) for level in Level] == letters, size


@pytest.mark.accepts("QL-02")
@pytest.mark.parametrize(
    ("lot", "aql", "normal", "tightened"),
    [
        (500, "1.0", (50, "H", 1), (80, "J", 1)), (1000, "0.65", (80, "J", 1), (125, "K", 1)),
        (1000, "2.5", (80, "J", 5), (80, "J", 3)), (4000, "1.0", (200, "L", 5), (200, "L", 3)),
        (120, "1.0", (13, "E", 0), (20, "F", 0)), (20, "2.5", (5, "C", 0), (8, "D", 0)),
        (10, "0.65", (10, "F", 0), (10, "G", 0)), (400000, "4.0", (315, "M", 21), (315, "M", 18)),
    ],
)  # fmt: skip
def test_arrows_are_followed_to_a_plan(
    lot: int, aql: str, normal: tuple[int, str, int], tightened: tuple[int, str, int]
) -> None:
    for severity, expected in ((Severity.NORMAL, normal), (Severity.TIGHTENED, tightened)):
        found = plan(lot, Decimal(aql), severity=severity)
        assert (found.size, found.letter, found.accept) == expected
        assert (found.reject, found.is_whole_lot) == (found.accept + 1, lot == 10)


@pytest.mark.accepts("QL-02")
@given(
    st.integers(2, 2_000_000), st.sampled_from(AQLS), st.sampled_from(Level), st.sampled_from(["normal", "tightened"])
)
def test_a_sample_is_never_larger_than_its_lot(lot: int, aql: Decimal, level: Level, severity: str) -> None:
    try:
        found = plan(lot, aql, level, Severity(severity))
    except NoPlan:
        return
    assert 0 < found.size <= lot
    assert found.is_whole_lot == (found.size == lot)
    assert cell(found.letter, aql, Severity(severity)) == found.accept


@pytest.mark.accepts("QL-02")
@pytest.mark.parametrize(
    ("lot", "aql", "severity"),
    [(1, "1.0", Severity.NORMAL), (100, "1.1", Severity.NORMAL), (100, "1.0", Severity.REDUCED)],
)
def test_what_the_tables_do_not_say_is_refused(lot: int, aql: str, severity: Severity) -> None:
    with pytest.raises(NoPlan):
        plan(lot, Decimal(aql), severity=severity)


GOOD, BAD = InspectedLot(accepted=True), InspectedLot(accepted=False)
BETTER = InspectedLot(accepted=True, accept=2, accepted_tighter=True)


def led(lots: list[InspectedLot], begin: Severity = Severity.NORMAL, *, may_reduce: bool = False) -> list[Severity]:
    """The severity after each lot."""
    standing, found = Switching(severity=begin), []
    for lot in lots:
        standing = after(standing, lot, may_reduce=may_reduce)
        found.append(standing.severity)
    return found


@pytest.mark.accepts("QL-02")
def test_two_bad_lots_of_five_tighten_and_five_good_ones_loosen() -> None:
    assert led([BAD, GOOD, GOOD, GOOD, BAD])[-2:] == [Severity.NORMAL, Severity.TIGHTENED]
    assert led([BAD, GOOD, GOOD, GOOD, GOOD, BAD])[-1] == Severity.NORMAL  # the first is the sixth last
    assert led([BAD, BAD, *[GOOD] * 5])[-2:] == [Severity.TIGHTENED, Severity.NORMAL]
    assert led([BAD, BAD, GOOD, GOOD, BAD, *[GOOD] * 4])[-1] == Severity.TIGHTENED


@pytest.mark.accepts("QL-02")
def test_five_bad_lots_while_tightened_end_the_inspection() -> None:
    lots = [BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD]
    assert led(lots, Severity.TIGHTENED)[-2:] == [Severity.TIGHTENED, Severity.DISCONTINUED]
    with pytest.raises(NoPlan):
        after(Switching(severity=Severity.DISCONTINUED), GOOD)


@pytest.mark.accepts("QL-02")
def test_thirty_points_allow_reduced_inspection_until_a_lot_fails() -> None:
    assert led([GOOD] * 15, may_reduce=True)[-2:] == [Severity.NORMAL, Severity.REDUCED]
    assert led([BETTER] * 10, may_reduce=True)[-2:] == [Severity.NORMAL, Severity.REDUCED]
    assert led([GOOD] * 20)[-1] == Severity.NORMAL  # nobody has agreed
    broken = InspectedLot(accepted=True, accept=2)
    assert led([*[BETTER] * 9, broken, *[BETTER] * 9], may_reduce=True)[-1] == Severity.NORMAL
    assert led([GOOD, BAD], Severity.REDUCED, may_reduce=True) == [Severity.REDUCED, Severity.NORMAL]
    assert led([GOOD], Severity.REDUCED) == [Severity.NORMAL]  # production is not steady any more


@pytest.mark.accepts("QL-02")
@pytest.mark.parametrize(
    ("size", "accept", "percent", "expected"),
    [(80, 1, "0.65", "0.9042"), (80, 2, "1", "0.9534"), (80, 5, "2.5", "0.9848"), (125, 7, "2.5", "0.9864"),
     (32, 1, "1.5", "0.9170"), (13, 0, "1", "0.8775"), (200, 5, "1", "0.9840")],
)  # fmt: skip
def test_the_chance_to_pass_is_the_binomial_one(size: int, accept: int, percent: str, expected: str) -> None:
    assert f"{probability_of_acceptance(size, accept, Decimal(percent) / 100):.4f}" == expected
