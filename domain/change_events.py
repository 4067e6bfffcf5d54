"""What has happened to the fields of an order after it was made."""

from typing import Literal

from domain.base import Message
from domain.change_states import FieldChange, OrderChangeEvent, OrderChangeState
from domain.quantities import Exact


class NewQuantity(Message):
    """What a work order makes after the change."""

    number: str
    quantity: Exact


class OrderChanged(Message):
    """Fields of the order have other values now. `change` is the approved request; none: no request was needed.

    `voided_approvals` are the persons whose approvals were for the order as it was (PO-03); `work_orders` those whose
    quantity follows.
    """

    kind: Literal["orderChanged"] = "orderChanged"
    changes: tuple[FieldChange, ...]
    voided_approvals: tuple[str, ...] = ()
    change: str | None = None
    work_orders: tuple[NewQuantity, ...] = ()


class OrderChangeRequested(Message):
    """Somebody asks for a change. `stops`: the order was stopped by it, and not before by something else."""

    kind: Literal["orderChangeRequested"] = "orderChangeRequested"
    change: str
    changes: tuple[FieldChange, ...]
    stops: bool


class OrderChangeMoved(Message):
    """The change request was decided, or its order has ended."""

    kind: Literal["orderChangeMoved"] = "orderChangeMoved"
    change: str
    event: OrderChangeEvent
    origin: OrderChangeState
    target: OrderChangeState
