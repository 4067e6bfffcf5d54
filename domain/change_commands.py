"""What planning asks of the fields of an order: to change them, or to request that they are changed."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from domain.command_base import OrderCommand
from domain.quantities import Exact


class _Fields(OrderCommand):
    """The fields of an order that can be changed. What is not named stays as it is."""

    quantity: Exact | None = Field(default=None, gt=0)
    due_at: datetime | None = None
    start_at: datetime | None = None


class ChangeOrder(_Fields):
    """Change a draft or an approved order; of a released one, only what its policy does not control."""

    kind: Literal["changeOrder"] = "changeOrder"
    roles: ClassVar = ("planner",)


class RequestOrderChange(_Fields):
    """Ask for the change of a released order. The order is on hold until somebody else has decided."""

    kind: Literal["requestOrderChange"] = "requestOrderChange"
    roles: ClassVar = ("planner", "supervisor")


class ApproveOrderChange(OrderCommand):
    """Approve a change by signature: it is applied, and the order goes on."""

    kind: Literal["approveOrderChange"] = "approveOrderChange"
    change: str
    meaning: ClassVar = "approved"
    roles: ClassVar = ("supervisor", "qualityManager")


class RejectOrderChange(OrderCommand):
    """Reject a change: the order stays as it was, and goes on."""

    kind: Literal["rejectOrderChange"] = "rejectOrderChange"
    change: str
    roles: ClassVar = ("supervisor", "qualityManager")


class WithdrawOrderChange(OrderCommand):
    """Who asked for a change does not want it any more: the order stays as it was, and goes on."""

    kind: Literal["withdrawOrderChange"] = "withdrawOrderChange"
    change: str
    roles: ClassVar = ("planner", "supervisor")
