"""The state machines of pieces that are inspected while an order runs, and of their rework."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class InProcessInspectionState(StrEnum):
    """The inspection of what one report said."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class InProcessInspectionEvent(StrEnum):
    """What can happen to an in-process inspection."""

    PASS = "pass"
    FAIL = "fail"
    CANCEL = "cancel"


class ReworkState(StrEnum):
    """Nonconforming pieces on their way back to good, or to scrap."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RUNNING = "running"
    REPORTED = "reported"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class ReworkEvent(StrEnum):
    """What can happen to a rework."""

    APPROVE = "approve"
    REJECT = "reject"
    START = "start"
    REPORT = "report"
    COMPLETE = "complete"
    CANCEL = "cancel"


_I, _IE = InProcessInspectionState, InProcessInspectionEvent
IN_PROCESS_INSPECTION: Final = StateMachine(
    "in-process inspection",
    _I.OPEN,
    {(_I.OPEN, _IE.PASS): _I.PASSED, (_I.OPEN, _IE.FAIL): _I.FAILED, (_I.OPEN, _IE.CANCEL): _I.CANCELLED},
    {},
)

_R, _RE = ReworkState, ReworkEvent
REWORK: Final = StateMachine(
    "rework",
    _R.PROPOSED,
    {
        (_R.PROPOSED, _RE.APPROVE): _R.APPROVED,
        (_R.PROPOSED, _RE.REJECT): _R.REJECTED,
        (_R.APPROVED, _RE.START): _R.RUNNING,
        (_R.RUNNING, _RE.REPORT): _R.REPORTED,
        # What was reworked is inspected again; what fails again becomes a rework of its own.
        (_R.REPORTED, _RE.COMPLETE): _R.COMPLETED,
        **{(state, _RE.CANCEL): _R.CANCELLED for state in (_R.PROPOSED, _R.APPROVED, _R.RUNNING, _R.REPORTED)},
    },
    {},
)

MACHINES: Final = (IN_PROCESS_INSPECTION, REWORK)
