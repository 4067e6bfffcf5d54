"""What people do with a batch record: values, checks, corrections, remarks, its review."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from domain.command_base import OperationCommand, WorkOrderCommand
from domain.evidence import Measurement as Measurement


class RecordParameters(OperationCommand):
    """Measured values. `measured_at` is what the sender says; `is_typed` is false when a machine account sends them."""

    is_bound_to_device: ClassVar = True
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


class ReviewBatchRecord(WorkOrderCommand):
    """Production's review of a complete record."""

    kind: Literal["reviewBatchRecord"] = "reviewBatchRecord"
    roles: ClassVar = ("supervisor",)


class ApproveBatchRecord(WorkOrderCommand):
    """Quality's approval: it seals the record."""

    kind: Literal["approveBatchRecord"] = "approveBatchRecord"
    roles: ClassVar = ("qaReviewer",)


class ReturnBatchRecord(WorkOrderCommand):
    """A reviewer wants something corrected: `fields` names it, the reason says why."""

    kind: Literal["returnBatchRecord"] = "returnBatchRecord"
    fields: tuple[str, ...] = Field(min_length=1, max_length=100)
    roles: ClassVar = ("supervisor", "qaReviewer")


class ResubmitBatchRecord(WorkOrderCommand):
    """What was returned is corrected."""

    kind: Literal["resubmitBatchRecord"] = "resubmitBatchRecord"
    roles: ClassVar = ("supervisor", "operator")


class JustifyException(WorkOrderCommand):
    """The explanation of an exception. The sender names it and explains; its type and detail are the record's."""

    kind: Literal["justifyException"] = "justifyException"
    exception: str
    type: str
    detail: str
    roles: ClassVar = ("supervisor", "qaReviewer")
