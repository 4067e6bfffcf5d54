"""What was not normal about how things were identified: codes that were typed, lots that do not expire first."""

from typing import Literal

from domain.allocations import Allocation
from domain.base import Message
from domain.material_commands import ChosenLots


class CodeTyped(Message):
    """Somebody typed codes that had to be scanned, for a reason; `second_person` stood by (MT-05)."""

    kind: Literal["codeTyped"] = "codeTyped"
    work_order: str
    operation: str | None = None
    command: str
    codes: tuple[str, ...]
    reason: str
    second_person: str


class LotsChosen(Message):
    """Somebody chose lots for lines of the pick list; no lines: the choice was answered, and is over."""

    kind: Literal["lotsChosen"] = "lotsChosen"
    work_order: str
    choice: tuple[ChosenLots, ...] = ()
    reason: str = ""


class AllocationReplaced(Message):
    """The pick list has other lots than before; nobody had approved it yet."""

    kind: Literal["allocationReplaced"] = "allocationReplaced"
    work_order: str
    allocations: tuple[Allocation, ...]


class OverriddenLine(Message):
    """The lots that first expired first out would have taken for a line, and those that were taken instead."""

    line: int
    material: str
    proposed: tuple[str, ...]
    taken: tuple[str, ...]


class FefoOverridden(Message):
    """Other lots were reserved than those that expire first (MT-02): an exception of the batch record."""

    kind: Literal["fefoOverridden"] = "fefoOverridden"
    work_order: str
    lines: tuple[OverriddenLine, ...]
    reason: str
