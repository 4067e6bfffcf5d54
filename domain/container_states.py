"""The state machine of a dispensed container: weighed, staged with the others of its batch, charged."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class ContainerState(StrEnum):
    """A weighing that somebody asked for, and the container that it fills."""

    ASKED = "asked"
    WEIGHED = "weighed"
    STAGED = "staged"
    CHARGED = "charged"
    VOIDING = "voiding"
    REFUSED = "refused"
    VOIDED = "voided"


class ContainerEvent(StrEnum):
    """What can happen to it. Its content goes back to the line before it is voided."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    STAGE = "stage"
    CHARGE = "charge"
    VOID = "void"
    CONFIRM_VOID = "confirmVoid"
    REFUSE_VOID = "refuseVoid"
    CANCEL = "cancel"


_S, _E = ContainerState, ContainerEvent
CONTAINER: Final = StateMachine(
    "dispensed container",
    _S.ASKED,
    {
        (_S.ASKED, _E.CONFIRM): _S.WEIGHED,
        (_S.ASKED, _E.REFUSE): _S.REFUSED,
        (_S.WEIGHED, _E.STAGE): _S.STAGED,
        (_S.STAGED, _E.CHARGE): _S.CHARGED,
        (_S.WEIGHED, _E.VOID): _S.VOIDING,
        (_S.STAGED, _E.VOID): _S.VOIDING,
        (_S.VOIDING, _E.CONFIRM_VOID): _S.VOIDED,
        (_S.VOIDING, _E.REFUSE_VOID): _S.WEIGHED,
        (_S.ASKED, _E.CANCEL): _S.VOIDED,
        (_S.WEIGHED, _E.CANCEL): _S.VOIDED,
        (_S.STAGED, _E.CANCEL): _S.VOIDED,
        (_S.VOIDING, _E.CANCEL): _S.VOIDED,
    },
    {},
)

MACHINES: Final = (CONTAINER,)

HOLDING: Final = (ContainerState.WEIGHED, ContainerState.STAGED, ContainerState.CHARGED)
"""States of a container that counts for its line."""
IN_PLACE: Final = (ContainerState.WEIGHED, ContainerState.STAGED, ContainerState.VOIDING)
"""States in which its content is still there."""
