"""What every command carries, and the three sizes of things that a command can be about."""

from datetime import datetime
from typing import ClassVar

from domain.base import Message


class Command(Message):
    """Who asks, when the server took it, and, where the policy wants one, which signature stands for it."""

    command_id: str
    actor: str
    received_at: datetime
    reason: str | None = None
    signature_id: str | None = None
    source: str = ""
    second_signature_id: str | None = None
    second_signer: str | None = None
    """Who signed beside the actor, as the second person at the same terminal."""
    roles: ClassVar[tuple[str, ...]] = ()
    """Who may ask: one of these roles is enough."""
    second_meaning: ClassVar[str | None] = None
    """The meaning of the second person's signature, for a command that is nothing without one; a policy can ask for
    more (`second_signatures`)."""
    second_roles: ClassVar[tuple[str, ...]] = ()
    """Who may be the second person; the roles of the command when it is empty."""

    @classmethod
    def kind_name(cls) -> str:
        """The command's stable name, such as `approveOrder`."""
        return str(cls.model_fields["kind"].default)


class OrderCommand(Command):
    """A command to the order as a whole."""


class WorkOrderCommand(Command):
    """A command to one work order of the order."""

    work_order: str


class OperationCommand(WorkOrderCommand):
    """A command to one operation of one work order."""

    operation: str
