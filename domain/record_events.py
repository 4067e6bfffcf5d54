"""What has happened to a batch record: checks, corrections, remarks, its review."""

from typing import Literal

from domain.base import Message
from domain.quality_events import JudgedValue
from domain.record_states import BatchRecordEvent, BatchRecordState


class CheckedValue(Message):
    """A value as it was checked: its number, its version (1 is the first value), its name."""

    number: str
    version: int
    name: str


class ParametersChecked(Message):
    """A second person has compared these values with their source."""

    kind: Literal["parametersChecked"] = "parametersChecked"
    work_order: str
    operation: str
    values: tuple[CheckedValue, ...]


class ParameterCorrected(Message):
    """Another value stands beside the one before; `version` counts from 2, for 1 is the first value.

    `needs_check` says that a second person has to check the new value. `reopens_verification` says that the operation
    was verified, and has to be verified again.
    """

    kind: Literal["parameterCorrected"] = "parameterCorrected"
    work_order: str
    operation: str
    number: str
    version: int
    old_text: str
    value: JudgedValue
    needs_check: bool = False
    reopens_verification: bool = False


class OperationVerified(Message):
    """A second person confirms what `done_by` has done."""

    kind: Literal["operationVerified"] = "operationVerified"
    work_order: str
    operation: str
    done_by: tuple[str, ...]


class OperationCommented(Message):
    """A remark; `number` counts them per operation."""

    kind: Literal["operationCommented"] = "operationCommented"
    work_order: str
    operation: str
    number: int
    text: str


class BatchRecordMoved(Message):
    """The batch record was issued (`event` is none) or went on. `fields` are what a return wants to be corrected.

    `content_hash` comes with the approval: SHA-256 over the canonical JSON of the record as it was approved, which is
    the record at `content_revision` of the order.
    """

    kind: Literal["batchRecordMoved"] = "batchRecordMoved"
    work_order: str
    lot: str
    event: BatchRecordEvent | None
    origin: BatchRecordState | None
    target: BatchRecordState
    fields: tuple[str, ...] = ()
    content_hash: str = ""
    content_revision: int | None = None


class ExceptionJustified(Message):
    """Somebody has explained an exception of the record; `exception` is its id, `type` and `detail` say what it is."""

    kind: Literal["exceptionJustified"] = "exceptionJustified"
    work_order: str
    exception: str
    type: str
    detail: str
    text: str
