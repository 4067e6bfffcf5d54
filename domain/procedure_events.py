"""What has happened to the procedure itself: neighbours that were waited for, and verdicts."""

from datetime import datetime
from typing import Literal

from domain.base import Message


class NeighbourWaiting(Message):
    """A neighbour does not answer. `attempt` counts from 1; `next_attempt_at` is when it is asked again."""

    kind: Literal["neighbourWaiting"] = "neighbourWaiting"
    neighbour: str
    request: str
    attempt: int
    since: datetime
    next_attempt_at: datetime
    last_error: str


class NeighbourAnswered(Message):
    """A neighbour that was waited for has answered."""

    kind: Literal["neighbourAnswered"] = "neighbourAnswered"
    neighbour: str
    request: str
    attempts: int


class RetryRequested(Message):
    kind: Literal["retryRequested"] = "retryRequested"


class CompensationStarted(Message):
    kind: Literal["compensationStarted"] = "compensationStarted"
    work_order: str


class VerdictPending(Message):
    """A command was taken whose answer a neighbour gives. `request` is what the procedure now asks."""

    kind: Literal["verdictPending"] = "verdictPending"
    request: str
    command_id: str
    command: str
    actor: str


class VerdictGiven(Message):
    """The neighbour has answered; the fact that carries this event carries the outcome too."""

    kind: Literal["verdictGiven"] = "verdictGiven"
    request: str
