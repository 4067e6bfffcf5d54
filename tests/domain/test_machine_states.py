"""Machine states by PackML: both numberings, and every step that the standard has, and none that it has not (EQ-09)."""

from itertools import product

import pytest

from domain.machine_states import MachineState as S
from domain.machine_states import StateFinding, StateProfile, finding_of, may_follow, number_of, state_of

pytestmark = pytest.mark.accepts("EQ-09")
OPC_30050 = (
    "Clearing 1, Stopped 2, Starting 3, Idle 4, Suspended 5, Execute 6, Stopping 7, Aborting 8, Aborted 9, Holding 10, "
    "Held 11, Unholding 12, Suspending 13, Unsuspending 14, Resetting 15, Completing 16, Complete 17"
)
OPC_30060 = (
    "Stopped 0, Resetting 1, Idle 2, Starting 3, Execute 4, Completing 5, Complete 6, Aborting 7, Aborted 8, "
    "Stopping 9, Clearing 10, Suspending 11, Suspended 12, Unsuspending 13, Holding 14, Held 15, Unholding 16"
)
# The table of the standard, a row for each step, typed from the specification and not from the code.
TABLE = {
    "stopped": "resetting aborting",
    "resetting": "idle stopping aborting",
    "idle": "starting stopping aborting",
    "starting": "execute holding stopping aborting",
    "execute": "completing holding suspending stopping aborting",
    "completing": "complete stopping aborting",
    "complete": "resetting stopping aborting",
    "holding": "held stopping aborting",
    "held": "unholding stopping aborting",
    "unholding": "execute holding stopping aborting",
    "suspending": "suspended holding stopping aborting",
    "suspended": "unsuspending holding stopping aborting",
    "unsuspending": "execute holding stopping aborting",
    "stopping": "stopped aborting",
    "aborting": "aborted",
    "aborted": "clearing",
    "clearing": "stopped aborting",
}


@pytest.mark.parametrize(("profile", "listed"), [("opc30050", OPC_30050), ("opc30060", OPC_30060)])
def test_numbers_mean_what_their_specification_says(profile: str, listed: str) -> None:
    own = StateProfile(profile)
    pairs = [part.split() for part in listed.split(", ")]
    assert len(pairs) == len(S) == 17
    for name, number in pairs:
        assert state_of(own, int(number)) == S(name.lower())
        assert number_of(own, S(name.lower())) == int(number)


def test_a_number_without_its_profile_would_be_another_state() -> None:
    assert state_of(StateProfile.OPC_30050, 6) == S.EXECUTE
    assert state_of(StateProfile.OPC_30060, 6) == S.COMPLETE
    assert state_of(StateProfile.OPC_30050, 0) is state_of(StateProfile.OPC_30050, 18) is None
    assert state_of(StateProfile.OPC_30060, -1) is state_of(StateProfile.OPC_30060, 17) is None


def test_all_289_steps_are_as_the_standard_has_them() -> None:
    for before, after in product(S, S):
        assert may_follow(before, after) == (after in TABLE[before].split()), (before, after)


@pytest.mark.parametrize(
    ("before", "after", "first", "missing", "finding"),
    [
        (S.IDLE, S.STARTING, False, False, None),
        (S.IDLE, S.EXECUTE, False, False, StateFinding.IMPOSSIBLE_JUMP),
        (S.EXECUTE, S.EXECUTE, False, False, StateFinding.IMPOSSIBLE_JUMP),
        (S.IDLE, S.EXECUTE, False, True, StateFinding.CHANGES_MISSING),
        (S.IDLE, S.EXECUTE, True, False, None),
        (None, S.EXECUTE, False, False, None),
        (S.IDLE, None, False, False, StateFinding.UNKNOWN_STATE),
        (S.IDLE, None, True, True, StateFinding.UNKNOWN_STATE),
    ],
)
def test_what_is_found_wrong(before: S | None, after: S | None, first: bool, missing: bool, finding: object) -> None:
    assert finding_of(before, after, is_first=first, changes_missing=missing) == finding
