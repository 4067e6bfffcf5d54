"""What is told to systems outside: endpoints, the states of a message, when it is tried again."""

from enum import StrEnum
from typing import Final

from domain.base import Message


class MessageState(StrEnum):
    """The life of a message: pending → delivered, or → parked → pending again or discarded."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    DISCARDED = "discarded"


class MessageFormat(StrEnum):
    """What an endpoint understands: our events, B2MML operations performance, or a chat robot's words."""

    EVENT = "event"
    OPERATIONS_PERFORMANCE = "operationsPerformance"
    WECOM = "wecom"
    DINGTALK = "dingtalk"


class Endpoint(Message):
    """Where messages go. `url` may hold `{token}`; token and secret come from the environment, never from here.

    `topics` are acts of the audit trail (`production-order.close`, `lot.*`) and `alarm.raised`; `attempts` is how often
    a message is tried before it is parked; `per_minute` is what the receiver bears, none: everything.
    """

    code: str
    name: str
    format: MessageFormat
    url: str
    topics: tuple[str, ...]
    attempts: int = 10
    timeout_seconds: int = 10
    per_minute: int | None = None
    is_active: bool = True


BACK_OFF: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900)
"""Seconds between the attempts at one message; the last one repeats."""


def back_off(attempt: int) -> int:
    """Seconds to wait after attempt number `attempt` (from 1)."""
    return BACK_OFF[min(attempt, len(BACK_OFF)) - 1]
