"""The state machine of a batch record (SM-4b of the GMP requirements)."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class BatchRecordState(StrEnum):
    """The record of one batch: issued with the batch, reviewed by production, approved by quality, archived."""

    OPEN = "open"
    IN_REVIEW = "inReview"
    QA_REVIEW = "qaReview"
    CORRECTION = "correction"
    APPROVED = "approved"
    ARCHIVED = "archived"


class BatchRecordEvent(StrEnum):
    """What can happen to a batch record. Completion, a correction and archiving follow by themselves."""

    COMPLETE = "complete"
    REVIEW = "review"
    APPROVE = "approve"
    RETURN = "return"
    RESUBMIT = "resubmit"
    CORRECT = "correct"
    ARCHIVE = "archive"


_B, _BE = BatchRecordState, BatchRecordEvent
BATCH_RECORD: Final = StateMachine(
    "batch record",
    _B.OPEN,
    {
        (_B.OPEN, _BE.COMPLETE): _B.IN_REVIEW,
        (_B.IN_REVIEW, _BE.REVIEW): _B.QA_REVIEW,
        (_B.QA_REVIEW, _BE.APPROVE): _B.APPROVED,
        (_B.IN_REVIEW, _BE.RETURN): _B.CORRECTION,
        (_B.QA_REVIEW, _BE.RETURN): _B.CORRECTION,
        (_B.CORRECTION, _BE.RESUBMIT): _B.IN_REVIEW,
        # A value that is corrected after the review of production has to be reviewed again (B10).
        (_B.QA_REVIEW, _BE.CORRECT): _B.IN_REVIEW,
        (_B.APPROVED, _BE.ARCHIVE): _B.ARCHIVED,
    },
    {},
)
SEALED: Final = (BatchRecordState.APPROVED, BatchRecordState.ARCHIVED)
"""Nothing is written into the record any more (EB-08)."""

MACHINES: Final = (BATCH_RECORD,)
