"""The state machine of a version of a master batch record (SM-4a, BatchML LifeCycleState)."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class MasterBatchRecordState(StrEnum):
    """A version of a master batch record. Its content is changed in `draft` and nowhere else."""

    DRAFT = "draft"
    IN_REVIEW = "inReview"
    APPROVED = "approved"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class MasterBatchRecordEvent(StrEnum):
    """What can happen to a version of a master batch record."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    MAKE_EFFECTIVE = "makeEffective"
    SUPERSEDE = "supersede"
    REINSTATE = "reinstate"
    WITHDRAW = "withdraw"


_M, _ME = MasterBatchRecordState, MasterBatchRecordEvent
MASTER_BATCH_RECORD: Final = StateMachine(
    "master batch record",
    _M.DRAFT,
    {
        (_M.DRAFT, _ME.SUBMIT): _M.IN_REVIEW,
        # The second of two signatures; the first one leaves it in review.
        (_M.IN_REVIEW, _ME.APPROVE): _M.APPROVED,
        (_M.IN_REVIEW, _ME.REJECT): _M.DRAFT,
        (_M.APPROVED, _ME.MAKE_EFFECTIVE): _M.EFFECTIVE,
        (_M.EFFECTIVE, _ME.SUPERSEDE): _M.SUPERSEDED,
        # Only when the successor is withdrawn before its day: it never counted.
        (_M.SUPERSEDED, _ME.REINSTATE): _M.EFFECTIVE,
        # A superseded version counts until its successor's day; it is withdrawn only before that.
        **{(state, _ME.WITHDRAW): _M.WITHDRAWN for state in (_M.DRAFT, _M.APPROVED, _M.EFFECTIVE, _M.SUPERSEDED)},
    },
    {},
)

MACHINES: Final = (MASTER_BATCH_RECORD,)
