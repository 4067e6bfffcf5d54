"""What every command carries, and the three sizes of things that a command can be about."""

from datetime import datetime
from functools import cache
from typing import ClassVar

from pydantic import Field

from domain.base import Message
from domain.devices import DeviceUsed
from domain.policy import Policy
from domain.scanning import ScanKind, Scanned


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
    device: DeviceUsed | None = None
    """The terminal or scanner that it was given at."""
    roles: ClassVar[tuple[str, ...]] = ()
    """Who may ask: one of these roles is enough."""
    meaning: ClassVar[str | None] = None
    """The meaning of the signature that a command is nothing without; a policy can ask for more (`signatures`)."""
    second_meaning: ClassVar[str | None] = None
    """The meaning of the second person's signature, for a command that is nothing without one; a policy can ask for
    more (`second_signatures`)."""
    second_roles: ClassVar[tuple[str, ...]] = ()
    """Who may be the second person; the roles of the command when it is empty."""

    is_bound_to_device: ClassVar[bool] = False
    """Whether it is given at the operation itself, so that the device's work centre counts (AC-10)."""

    def meaning_under(self, policy: Policy) -> str | None:
        """The meaning of the actor's signature that this command needs; None: none is asked for."""
        return policy.signatures.get(self.kind_name(), self.meaning)

    def second_meaning_under(self, policy: Policy) -> str | None:
        """The meaning of the second person's signature that this command needs; None: none is asked for."""
        return policy.second_signatures.get(self.kind_name(), self.second_meaning)

    @classmethod
    @cache
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


VERIFIED = "verified"


class ScanningCommand(Command):
    """A command for which codes are scanned. `typed`: somebody wrote them down instead of scanning them.

    Typing asks for a second person, where the policy asks for scans.
    """

    scans: tuple[Scanned, ...] = Field(default=(), max_length=200)
    typed: bool = False
    scanned_first: ClassVar[tuple[ScanKind, ...]] = ()
    """What a bare number is taken for first."""

    def second_meaning_under(self, policy: Policy) -> str | None:
        """As for every command; and `verified` for codes that were typed."""
        asked = super().second_meaning_under(policy)
        return VERIFIED if asked is None and self.typed and policy.scan_required else asked
