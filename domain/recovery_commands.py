"""What people ask of a batch about material of an earlier one: its recovery (CN 133)."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from domain.base import Message
from domain.command_base import WorkOrderCommand
from domain.quantities import Exact
from domain.specification import Characteristic


class RecoverableLot(Message):
    """What the record says of a lot that somebody wants to recover. `order_number`: the order that made it."""

    material: str
    unit: str
    status: str
    order_number: str | None = None
    expires_on: date | None = None
    is_expired: bool = False


class RequestRecovery(WorkOrderCommand):
    """Material of an earlier batch of the same product shall be introduced at an operation of this one.

    `known` is looked up in the record; what the sender says of it does not count. None: there is no such lot.
    """

    kind: Literal["requestRecovery"] = "requestRecovery"
    operation: str
    lot: str
    quantity: Exact = Field(gt=0)
    known: RecoverableLot | None = None
    roles: ClassVar = ("operator", "supervisor", "qcAnalyst", "qaReviewer")


class ApproveRecovery(WorkOrderCommand):
    """The head of quality permits it: by which procedure, and what is tested of the batch beside the ordinary."""

    kind: Literal["approveRecovery"] = "approveRecovery"
    recovery: str
    procedure: str = ""
    tests: tuple[Characteristic, ...] = Field(default=(), max_length=50)
    meaning: ClassVar = "approved"
    roles: ClassVar = ("qualityManager",)


class RejectRecovery(WorkOrderCommand):
    """The material does not go into this batch; also when it was approved and is not in it yet."""

    kind: Literal["rejectRecovery"] = "rejectRecovery"
    recovery: str
    roles: ClassVar = ("qualityManager",)


class IntroduceRecovery(WorkOrderCommand):
    """Approved material is put into the batch at its operation, which runs."""

    kind: Literal["introduceRecovery"] = "introduceRecovery"
    recovery: str
    roles: ClassVar = ("operator",)
