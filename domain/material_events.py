"""What has happened to issued material that was not consumed: it was asked back, and went from the line."""

from typing import Literal

from domain.base import Message
from domain.commands import ReturnDisposition, SamplePurpose
from domain.quantities import Exact
from domain.return_states import MaterialReturnEvent, MaterialReturnState


class ReturnLine(Message):
    """A quantity of a lot, issued for a line of the pick list, that shall leave the line unused."""

    line: int
    material: str
    lot: str
    quantity: Exact
    unit: str
    disposition: ReturnDisposition
    reason: str


class ReturnedLine(Message):
    """A quantity of a lot that went from the line to `place`."""

    line: int
    material: str
    lot: str
    quantity: Exact
    unit: str
    disposition: ReturnDisposition
    place: str


class ReturnMoved(Message):
    """A return was asked for (`event` is none, `lines` say of what), confirmed, refused or cancelled."""

    kind: Literal["returnMoved"] = "returnMoved"
    work_order: str
    number: str
    event: MaterialReturnEvent | None
    origin: MaterialReturnState | None
    target: MaterialReturnState
    lines: tuple[ReturnLine, ...] = ()


class MaterialsReturned(Message):
    """The warehouse has taken material back from the line: what is left there is less by it."""

    kind: Literal["materialsReturned"] = "materialsReturned"
    work_order: str
    number: str
    lines: tuple[ReturnedLine, ...]


class SampleTaken(Message):
    """A quantity left the batch for a test: of an issued lot (`line`), or of the work order's own pieces.

    `is_stock`: it lay at the line as stock. What an operation in between makes does not.
    """

    kind: Literal["sampleTaken"] = "sampleTaken"
    work_order: str
    operation: str
    line: int | None = None
    material: str
    lot: str
    quantity: Exact
    unit: str
    purpose: SamplePurpose
    is_stock: bool


class CountedLine(Message):
    """What was counted of a lot at the line, and the difference to what should lie there (below zero: a surplus)."""

    line: int
    material: str
    lot: str
    unit: str
    counted: Exact
    difference: Exact


class OutsideBalance(Message):
    """A material whose difference at a stage is beyond its limit, and the deviation about it."""

    operation: str
    material: str
    deviation: str


class MaterialsCounted(Message):
    """What lies at the line was counted: from here on that is what lies there."""

    kind: Literal["materialsCounted"] = "materialsCounted"
    work_order: str
    lines: tuple[CountedLine, ...]
    outside: tuple[OutsideBalance, ...] = ()
