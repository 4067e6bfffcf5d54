"""What planning asks of an order that is under way: to be split, to be cut down."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from domain.base import Message
from domain.command_base import OrderCommand
from domain.quantities import Exact


class PlanPart(Message):
    """One part of what was planned: a quantity in the unit of the plan line, and when it is due if not as the whole."""

    quantity: Exact = Field(gt=0)
    due_at: datetime | None = None


class SplitOrder(OrderCommand):
    """Make several plan lines of an order that is not released: the order is cancelled, its quantity planned anew."""

    kind: Literal["splitOrder"] = "splitOrder"
    parts: tuple[PlanPart, ...] = Field(min_length=2, max_length=50)
    roles: ClassVar = ("planner", "supervisor")


class ReduceQuantity(OrderCommand):
    """Cut a running order down to `quantity`, without one to what was reported; the rest becomes a plan line."""

    kind: Literal["reduceQuantity"] = "reduceQuantity"
    quantity: Exact | None = Field(default=None, gt=0)
    due_at: datetime | None = None
    roles: ClassVar = ("supervisor",)
