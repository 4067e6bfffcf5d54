"""What people have written into the batch record of an operation beside its values: checks, corrections, remarks."""

from typing import Literal

from domain.base import Message
from domain.quality_events import JudgedValue


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
