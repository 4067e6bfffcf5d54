"""The states of a machine by ISA-TR88.00.02 (PackML): their numbers in each profile, which may follow which (EQ-09).

Two OPC companion specifications number the same seventeen states differently, so a number means nothing without its
profile. What a machine says is kept as it said it; a step that the standard does not have is flagged, never put right.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class MachineState(StrEnum):
    """The seventeen states by name."""

    CLEARING = "clearing"
    STOPPED = "stopped"
    STARTING = "starting"
    IDLE = "idle"
    SUSPENDED = "suspended"
    EXECUTE = "execute"
    STOPPING = "stopping"
    ABORTING = "aborting"
    ABORTED = "aborted"
    HOLDING = "holding"
    HELD = "held"
    UNHOLDING = "unholding"
    SUSPENDING = "suspending"
    UNSUSPENDING = "unsuspending"
    RESETTING = "resetting"
    COMPLETING = "completing"
    COMPLETE = "complete"


class StateProfile(StrEnum):
    """Whose numbers a machine speaks."""

    OPC_30050 = "opc30050"
    """OPC 30050 PackML, node set 1.01."""
    OPC_30060 = "opc30060"
    """OPC 30060, tobacco machine communication."""


class StateFinding(StrEnum):
    """What is wrong with a change of state. It is stored all the same."""

    IMPOSSIBLE_JUMP = "impossibleJump"
    """The standard has no such step."""
    UNKNOWN_STATE = "unknownState"
    """The profile has no such number."""
    CHANGES_MISSING = "changesMissing"
    """The machine's journal has lost changes before this one: nobody can say how it came here."""


_S = MachineState
_NUMBERS: Final[Mapping[StateProfile, tuple[int, tuple[MachineState, ...]]]] = {
    StateProfile.OPC_30050: (1, (
        _S.CLEARING, _S.STOPPED, _S.STARTING, _S.IDLE, _S.SUSPENDED, _S.EXECUTE, _S.STOPPING, _S.ABORTING, _S.ABORTED,
        _S.HOLDING, _S.HELD, _S.UNHOLDING, _S.SUSPENDING, _S.UNSUSPENDING, _S.RESETTING, _S.COMPLETING, _S.COMPLETE)),
    StateProfile.OPC_30060: (0, (
        _S.STOPPED, _S.RESETTING, _S.IDLE, _S.STARTING, _S.EXECUTE, _S.COMPLETING, _S.COMPLETE, _S.ABORTING, _S.ABORTED,
        _S.STOPPING, _S.CLEARING, _S.SUSPENDING, _S.SUSPENDED, _S.UNSUSPENDING, _S.HOLDING, _S.HELD, _S.UNHOLDING)),
}  # fmt: skip
"""Profile → its first number, and the states in the order of their numbers."""

_ACTING: Final = {
    _S.RESETTING: _S.IDLE, _S.STARTING: _S.EXECUTE, _S.COMPLETING: _S.COMPLETE, _S.HOLDING: _S.HELD,
    _S.UNHOLDING: _S.EXECUTE, _S.SUSPENDING: _S.SUSPENDED, _S.UNSUSPENDING: _S.EXECUTE, _S.STOPPING: _S.STOPPED,
    _S.ABORTING: _S.ABORTED, _S.CLEARING: _S.STOPPED,
}  # fmt: skip
"""States that end by themselves ("state complete"), and in what."""
_COMMANDED: Final = frozenset({
    (_S.STOPPED, _S.RESETTING), (_S.IDLE, _S.STARTING), (_S.EXECUTE, _S.COMPLETING), (_S.COMPLETE, _S.RESETTING),
    (_S.HELD, _S.UNHOLDING), (_S.EXECUTE, _S.SUSPENDING), (_S.SUSPENDED, _S.UNSUSPENDING), (_S.ABORTED, _S.CLEARING),
    *((state, _S.HOLDING) for state in (
        _S.EXECUTE, _S.STARTING, _S.SUSPENDING, _S.SUSPENDED, _S.UNSUSPENDING, _S.UNHOLDING)),
})  # fmt: skip
_NOT_RUNNING: Final = frozenset({_S.CLEARING, _S.STOPPED, _S.STOPPING, _S.ABORTING, _S.ABORTED})


def state_of(profile: StateProfile, number: int) -> MachineState | None:
    """The state that a number stands for in a profile, or None where it stands for none."""
    first, states = _NUMBERS[profile]
    return states[number - first] if first <= number < first + len(states) else None


def number_of(profile: StateProfile, state: MachineState) -> int:
    """The number of a state in a profile."""
    first, states = _NUMBERS[profile]
    return first + states.index(state)


def may_follow(before: MachineState, after: MachineState) -> bool:
    """Whether a machine may come from one state into another in one step, by command or by itself.

    Source: the state machine of ISA-TR88.00.02 as OPC 30050 has it.
    """
    if _ACTING.get(before) == after or (before, after) in _COMMANDED:
        return True
    if after == _S.STOPPING:
        return before not in _NOT_RUNNING
    return after == _S.ABORTING and before not in (_S.ABORTING, _S.ABORTED)


def finding_of(
    before: MachineState | None, after: MachineState | None, *, is_first: bool, changes_missing: bool
) -> StateFinding | None:
    """What is wrong with a change; the first one of a journal has nothing to be compared with."""
    if after is None:
        return StateFinding.UNKNOWN_STATE
    if changes_missing:
        return StateFinding.CHANGES_MISSING
    if is_first or before is None or may_follow(before, after):
        return None
    return StateFinding.IMPOSSIBLE_JUMP
