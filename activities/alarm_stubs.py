"""What the clock of alarms may ask for; see `activities/stubs.py`."""

from datetime import datetime

from temporalio import activity

from domain.base import Message


class EscalateRequest(Message):
    """Time has come to `at`."""

    at: datetime


class EscalateAnswer(Message):
    """When to look again."""

    next_look_at: datetime


@activity.defn(name="alarms.escalate")
def escalate_alarms(request: EscalateRequest) -> EscalateAnswer:
    """Escalate the alarms that nobody has acknowledged in time."""
    raise NotImplementedError
