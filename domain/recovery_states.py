"""The state machine of nonconforming or semi-finished material on its way into a batch (CN 132, 133; QL-11)."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class RecoveryState(StrEnum):
    """Material of an earlier batch that somebody wants in this one."""

    REQUESTED = "requested"
    APPROVED = "approved"
    INTRODUCING = "introducing"
    """The warehouse is asked for it."""
    INTRODUCED = "introduced"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class RecoveryEvent(StrEnum):
    """What can happen to a recovery."""

    APPROVE = "approve"
    REJECT = "reject"
    INTRODUCE = "introduce"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    CANCEL = "cancel"


_R, _RE = RecoveryState, RecoveryEvent
RECOVERY: Final = StateMachine(
    "recovery",
    _R.REQUESTED,
    {
        (_R.REQUESTED, _RE.APPROVE): _R.APPROVED,
        (_R.REQUESTED, _RE.REJECT): _R.REJECTED,
        # Quality may think again until the material is in the batch.
        (_R.APPROVED, _RE.REJECT): _R.REJECTED,
        (_R.APPROVED, _RE.INTRODUCE): _R.INTRODUCING,
        (_R.INTRODUCING, _RE.CONFIRM): _R.INTRODUCED,
        (_R.INTRODUCING, _RE.REFUSE): _R.APPROVED,
        **{(state, _RE.CANCEL): _R.CANCELLED for state in (_R.REQUESTED, _R.APPROVED, _R.INTRODUCING)},
    },
    {},
)

MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (RECOVERY,)  # type: ignore[assignment]
