"""The state machine of a hold of lots: from the signature to the last order that goes on (ACCEPTANCE D3, MT-01)."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class LotHoldState(StrEnum):
    """A hold of one lot, or of a lot with all that was made of it."""

    STOPPING = "stopping"
    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"


class LotHoldEvent(StrEnum):
    """What can happen to a hold."""

    CONFIRM_STOP = "confirmStop"
    RELEASE = "release"
    CONFIRM_RELEASE = "confirmRelease"


class OrderUnderHold(StrEnum):
    """How an order that uses a held lot stands to the hold."""

    ASKED = "asked"
    STOPPED = "stopped"
    RESUMED = "resumed"
    STAYS_STOPPED = "staysStopped"
    OVER = "over"
    REFUSED = "refused"


_H, _HE = LotHoldState, LotHoldEvent
LOT_HOLD: Final = StateMachine(
    "lot hold",
    _H.STOPPING,
    {
        # Every order that uses the lot has answered, in the record.
        (_H.STOPPING, _HE.CONFIRM_STOP): _H.HELD,
        (_H.HELD, _HE.RELEASE): _H.RELEASING,
        (_H.RELEASING, _HE.CONFIRM_RELEASE): _H.RELEASED,
    },
    {},
)

MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (LOT_HOLD,)  # type: ignore[assignment]
