"""What people write into the batch record of an operation: values, checks, corrections, remarks."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from domain.base import Message
from domain.command_base import OperationCommand


class Measurement(Message):
    """A measured value as it was entered."""

    name: str
    text: str
    unit: str = ""


class RecordParameters(OperationCommand):
    """Measured values. `measured_at` is what the sender says; `is_typed` is false when a machine account sends them."""

    kind: Literal["recordParameters"] = "recordParameters"
    values: tuple[Measurement, ...] = Field(min_length=1, max_length=200)
    measured_at: datetime | None = None
    is_typed: bool = True
    roles: ClassVar = ("operator", "qcAnalyst", "integration")


class CheckParameters(OperationCommand):
    """A second person has compared typed values with where they come from (AT-11). `numbers` such as `V3`."""

    kind: Literal["checkParameters"] = "checkParameters"
    numbers: tuple[str, ...] = Field(min_length=1, max_length=200)
    roles: ClassVar = ("operator", "qcAnalyst", "supervisor")


class CorrectParameter(OperationCommand):
    """Another value for one that was recorded; both stay. The sender names value, text and reason, and the text that
    was seen if it is to be compared; the rest is the record's: name, text before, how often it was corrected."""

    kind: Literal["correctParameter"] = "correctParameter"
    number: str
    text: str
    name: str
    old_text: str
    corrections: int
    seen_text: str | None = None
    roles: ClassVar = ("operator", "qcAnalyst", "supervisor")


class VerifyOperation(OperationCommand):
    """A second person confirms that an operation was done as the record says (EB-05)."""

    kind: Literal["verifyOperation"] = "verifyOperation"
    roles: ClassVar = ("operator", "qcAnalyst", "supervisor")


class CommentOperation(OperationCommand):
    """A remark for the batch record; it is an exception that the review has to look at."""

    kind: Literal["commentOperation"] = "commentOperation"
    text: str = Field(min_length=1, max_length=2000)
    roles: ClassVar = ("operator", "qcAnalyst", "supervisor", "warehouseKeeper", "maintenance", "qaReviewer")
