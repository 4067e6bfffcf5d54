"""What the facts of every durable life share: an order's, a deviation's, a corrective action's."""

from datetime import datetime
from typing import Literal

from domain.base import Message
from domain.errors import Blocker


class Outcome(Message):
    """The verdict on one command, as its sender reads it from the record.

    `order_number` is the number of whatever judged it: an order, or a quality case.
    """

    command_id: str
    accepted: bool
    order_number: str
    revision: int
    blockers: tuple[Blocker, ...] = ()
    possible: tuple[str, ...] = ()
    result: dict[str, str] = {}


class CommandRefused(Message):
    """The process said no. Nothing else happened."""

    kind: Literal["commandRefused"] = "commandRefused"
    command: str
    entity: str
    blockers: tuple[Blocker, ...]
    possible: tuple[str, ...]


class Decision(Message):
    """One decision of a workflow. `actor` is a person, or `system` for what follows by itself.

    Each kind of life adds its number and its events; (number, revision) is the key in the record.
    """

    revision: int
    at: datetime
    actor: str
    command_id: str | None = None
    command_kind: str | None = None
    reason: str | None = None
    signature_id: str | None = None
    source: str = ""
    outcome: Outcome | None = None
