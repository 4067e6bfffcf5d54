"""The state machine of a return: material on its way from the line back to the warehouse, or to scrap."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class MaterialReturnState(StrEnum):
    """Issued material that somebody gives back before it is consumed."""

    REQUESTED = "requested"
    RETURNED = "returned"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class MaterialReturnEvent(StrEnum):
    """What can happen to a return. The warehouse confirms or refuses it; a cancelled order cancels it."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    CANCEL = "cancel"


_S, _E = MaterialReturnState, MaterialReturnEvent
MATERIAL_RETURN: Final = StateMachine(
    "material return",
    _S.REQUESTED,
    {
        (_S.REQUESTED, _E.CONFIRM): _S.RETURNED,
        (_S.REQUESTED, _E.REFUSE): _S.REFUSED,
        (_S.REQUESTED, _E.CANCEL): _S.CANCELLED,
    },
    {},
)

MACHINES: Final = (MATERIAL_RETURN,)
