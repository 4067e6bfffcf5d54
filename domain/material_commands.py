"""What is asked about material at the line: to take it back."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from domain.base import Message
from domain.command_base import OperationCommand, WorkOrderCommand
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


class CountMaterials(WorkOrderCommand):
    """What was counted of issued lots at the line; what should be there and is not is a difference (MT-09).

    Without what is in containers or on its way back. A surplus is a difference below zero.
    """

    kind: Literal["countMaterials"] = "countMaterials"
    lines: tuple[LineQuantity, ...] = Field(min_length=1, max_length=200)
    roles: ClassVar = ("operator", "warehouseKeeper", "supervisor")


class SamplePurpose(StrEnum):
    """What a sample is taken for."""

    IN_PROCESS = "inProcess"
    RELEASE = "release"
    RETAINED = "retained"


class TakeSample(OperationCommand):
    """A quantity that is used up by a test, or kept: of a lot at the line (`line` and `lot`), or of what the operation
    has made."""

    kind: Literal["takeSample"] = "takeSample"
    quantity: Exact = Field(gt=0)
    unit: str
    line: int | None = None
    lot: str | None = None
    purpose: SamplePurpose = SamplePurpose.IN_PROCESS
    roles: ClassVar = ("operator", "qcAnalyst")

    def as_line(self) -> LineQuantity:
        """What is taken, as a quantity of a line."""
        return LineQuantity(line=self.line or 0, lot=self.lot or "", quantity=self.quantity, unit=self.unit)
