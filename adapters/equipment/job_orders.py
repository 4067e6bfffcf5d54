"""Job orders by OPC 10031-4 (ISA-95 Job Control 2.0): their states, and which method may be called in which state."""

from collections.abc import Mapping
from enum import IntEnum, IntFlag, StrEnum
from typing import Final


class JobOrderState(IntEnum):
    """The states of a job order, with their numbers."""

    NOT_ALLOWED_TO_START = 1
    ALLOWED_TO_START = 2
    RUNNING = 3
    INTERRUPTED = 4
    ENDED = 5
    ABORTED = 6


TEXT: Final = {
    JobOrderState.NOT_ALLOWED_TO_START: "NotAllowedToStart", JobOrderState.ALLOWED_TO_START: "AllowedToStart",
    JobOrderState.RUNNING: "Running", JobOrderState.INTERRUPTED: "Interrupted", JobOrderState.ENDED: "Ended",
    JobOrderState.ABORTED: "Aborted",
}  # fmt: skip
"""The states as the standard spells them."""


class JobMethod(StrEnum):
    """The methods of the job order receiver. The first three take a whole job order, the others its id."""

    STORE = "Store"
    STORE_AND_START = "StoreAndStart"
    UPDATE = "Update"
    START = "Start"
    REVOKE_START = "RevokeStart"
    PAUSE = "Pause"
    RESUME = "Resume"
    STOP = "Stop"
    ABORT = "Abort"
    CANCEL = "Cancel"
    CLEAR = "Clear"


class ReturnStatus(IntFlag):
    """What a method answers, a bit for each reason (OPC 10031-4, annex B.2). 0 is read as no error, too."""

    NO_ERROR = 1 << 0
    UNKNOWN_JOB_ORDER_ID = 1 << 1
    INVALID_COMMAND = 1 << 2
    INVALID_STATUS = 1 << 3
    UNABLE_TO_ACCEPT = 1 << 4
    INVALID_REQUEST = 1 << 32

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return self in (ReturnStatus(0), ReturnStatus.NO_ERROR)


_S, _M = JobOrderState, JobMethod
NEW: Final[Mapping[JobMethod, JobOrderState]] = {
    _M.STORE: _S.NOT_ALLOWED_TO_START,
    _M.STORE_AND_START: _S.ALLOWED_TO_START,
}
"""Where a new job order begins."""
NEXT: Final[Mapping[tuple[JobOrderState, JobMethod], JobOrderState | None]] = {
    (_S.NOT_ALLOWED_TO_START, _M.UPDATE): _S.NOT_ALLOWED_TO_START,
    (_S.NOT_ALLOWED_TO_START, _M.START): _S.ALLOWED_TO_START,
    (_S.NOT_ALLOWED_TO_START, _M.ABORT): _S.ABORTED,
    (_S.NOT_ALLOWED_TO_START, _M.CANCEL): None,
    (_S.ALLOWED_TO_START, _M.UPDATE): _S.ALLOWED_TO_START,
    (_S.ALLOWED_TO_START, _M.REVOKE_START): _S.NOT_ALLOWED_TO_START,
    (_S.ALLOWED_TO_START, _M.ABORT): _S.ABORTED,
    (_S.ALLOWED_TO_START, _M.CANCEL): None,
    (_S.RUNNING, _M.PAUSE): _S.INTERRUPTED,
    (_S.RUNNING, _M.STOP): _S.ENDED,
    (_S.RUNNING, _M.ABORT): _S.ABORTED,
    (_S.INTERRUPTED, _M.RESUME): _S.RUNNING,
    (_S.INTERRUPTED, _M.STOP): _S.ENDED,
    (_S.INTERRUPTED, _M.ABORT): _S.ABORTED,
    (_S.ENDED, _M.CLEAR): None,
    (_S.ABORTED, _M.CLEAR): None,
}
"""State and method → the state after it, or None for a job order that is removed. What is not here is an error.

From allowed to running, and from running to ended, the machine goes by itself.
"""
