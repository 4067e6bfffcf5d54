"""What has happened to the quantity of an order: it was planned anew in parts, or cut down."""

from typing import Literal

from domain.base import Message
from domain.commands import PlanPart
from domain.quantities import Exact


class OrderSplit(Message):
    """The order's whole quantity was planned anew as `parts` of its plan line; what was approved is approved no more.

    Its cancellation follows in the same fact, and the new plan lines stand in the record with it.
    """

    kind: Literal["orderSplit"] = "orderSplit"
    plan_line: str
    parts: tuple[PlanPart, ...]
    unit: str
    voided_approvals: tuple[str, ...] = ()


class QuantityReduced(Message):
    """Order and work order make `target` instead of `origin`; `rest`, the difference, became a plan line."""

    kind: Literal["quantityReduced"] = "quantityReduced"
    work_order: str
    plan_line: str
    origin: Exact
    target: Exact
    rest: PlanPart
    unit: str
