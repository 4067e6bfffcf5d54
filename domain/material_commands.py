"""What is asked about material at the line: to take it back."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from domain.base import Message
from domain.command_base import WorkOrderCommand
from domain.quantities import Exact


class LineQuantity(Message):
    """A quantity of a lot that was issued for a line of the pick list; `unit` is the line's."""

    line: int
    lot: str
    quantity: Exact = Field(ge=0)
    unit: str


class ReturnDisposition(StrEnum):
    """What becomes of issued material that is not consumed."""

    TO_STOCK = "toStock"
    SCRAP = "scrap"
    """Spilled, dirty, spoiled: it is destroyed, and never counts as consumed."""


class ReturnedQuantity(LineQuantity):
    """A quantity that goes back unused. `reason` defaults to the reason of the whole return."""

    quantity: Exact = Field(gt=0)
    disposition: ReturnDisposition = ReturnDisposition.TO_STOCK
    reason: str | None = None


class ReturnMaterials(WorkOrderCommand):
    """Give back what was issued to the line and is not consumed: at any time before the order is closed."""

    kind: Literal["returnMaterials"] = "returnMaterials"
    lines: tuple[ReturnedQuantity, ...] = Field(min_length=1, max_length=200)
    roles: ClassVar = ("warehouseKeeper", "operator")


class ChosenLots(Message):
    """The lots that are to be taken for a line of the pick list first, in this order."""

    line: int
    lots: tuple[str, ...] = Field(min_length=1, max_length=50)


class ChooseLots(WorkOrderCommand):
    """Take other lots than first expired first out would (MT-02): for a reason, by somebody with the authority.

    What the chosen lots do not cover is taken first expired first out.
    """

    kind: Literal["chooseLots"] = "chooseLots"
    choice: tuple[ChosenLots, ...] = Field(min_length=1, max_length=200)
    roles: ClassVar = ("supervisor",)
