"""The life of a request to change a released order, and what a change says of a field (ACCEPTANCE B3)."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from domain.base import Holder, Message
from domain.states import StateMachine


class OrderChangeState(StrEnum):
    """A change request of a production order."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class OrderChangeEvent(StrEnum):
    """What can happen to a change request."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


class FieldChange(Message):
    """One field of an order before and after: a plain decimal, or a time in ISO 8601; empty when there is none."""

    field: str
    before: str
    after: str


class ChangeRequest(Holder):
    """A request to change the order, and what became of it."""

    number: str
    state: OrderChangeState = OrderChangeState.REQUESTED
    changes: tuple[FieldChange, ...]
    reason: str = ""
    requested_by: str
    requested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    comment: str = ""


class OrderDecision(Holder):
    """A step on the way to the approval: who took it and with which comment. `void_by`: it does not count any more."""

    act: Literal["submitted", "approved", "rejected", "changed"]
    by: str
    at: datetime
    comment: str = ""
    changes: tuple[FieldChange, ...] = ()
    void_by: str | None = None
    void_at: datetime | None = None
    void_reason: str = ""


_C, _CE = OrderChangeState, OrderChangeEvent
ORDER_CHANGE: Final = StateMachine(
    "order change",
    _C.REQUESTED,
    {
        (_C.REQUESTED, _CE.APPROVE): _C.APPROVED,
        (_C.REQUESTED, _CE.REJECT): _C.REJECTED,
        # Who asked for it does not want it any more.
        (_C.REQUESTED, _CE.WITHDRAW): _C.WITHDRAWN,
        # The order was cancelled before anybody decided.
        (_C.REQUESTED, _CE.LAPSE): _C.LAPSED,
    },
    {},
)

MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (ORDER_CHANGE,)  # type: ignore[assignment]
