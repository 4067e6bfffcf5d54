"""What was not normal about how things were identified: codes that were typed, lots that do not expire first."""

from typing import Literal

from domain.base import Message


class CodeTyped(Message):
    """Somebody typed codes that had to be scanned, for a reason; `second_person` stood by (MT-05)."""

    kind: Literal["codeTyped"] = "codeTyped"
    work_order: str
    operation: str | None = None
    command: str
    codes: tuple[str, ...]
    reason: str
    second_person: str
