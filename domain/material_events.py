"""What has happened to issued material that was not consumed: it was asked back, and went from the line."""

from typing import Literal

from domain.base import Message
from domain.commands import ReturnDisposition
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
