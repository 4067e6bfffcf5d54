"""What a master batch record says about how a product is made: the body of one version of it.

It stands on a version of the product's bill of material and one of its route, and adds what people need at each
operation: instructions in two languages, expected values, equipment, room, clearance, training, yield (CN 173, 187).
A draft may have holes; `domain/rules/master_batch_record.py` names them all before it goes to review.
"""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from domain.base import Message
from domain.command_base import Command
from domain.quantities import Exact

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=200)]
Percent = Annotated[Exact, Field(ge=0, le=1000)]


class InstructionText(Message):
    """One numbered thing to do, in each language."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    text: dict[Language, Annotated[str, Field(max_length=2000)]]


class ExpectedValue(Message):
    """A value that is recorded at an operation.

    One of the route's parameters by `name`: what is given here completes or narrows it. Or one more. `low` and `high`
    are action limits, all limits are inclusive and in `unit`. `second_check`: a typed value needs another person.
    """

    name: Name
    unit: Annotated[str, Field(max_length=40)] = ""
    target: Exact | None = None
    warning_low: Exact | None = None
    warning_high: Exact | None = None
    low: Exact | None = None
    high: Exact | None = None
    required: bool = False
    critical: bool = False
    second_check: bool = False


class RecordedOperation(Message):
    """What the record adds to one operation of the route.

    `longest_wait_seconds` is the hold time since its predecessors ended (MT-12), the yield limits are percent of the
    operation's quantity, `verified` asks for a second person's signature. Without `rework_allowed` nothing that the
    operation made may be reworked (QL-11), without `recovery_allowed` nothing of an earlier batch is introduced at it
    (CN 133). `print_check_seconds`: lot and expiry on the packs are checked before the
    first report and at this interval (EB-09).
    """

    operation: Code
    instructions: tuple[InstructionText, ...] = Field(default=(), max_length=200)
    expected_values: tuple[ExpectedValue, ...] = Field(default=(), max_length=200)
    equipment_class: Words = ""
    room: Words = ""
    clearance: tuple[Name, ...] = Field(default=(), max_length=50)
    training: Words = ""
    verified: bool = False
    longest_wait_seconds: Annotated[int, Field(ge=1, le=2_000_000_000)] | None = None
    yield_low_percent: Percent | None = None
    yield_high_percent: Percent | None = None
    rework_allowed: bool = False
    recovery_allowed: bool = False
    print_check_seconds: Annotated[int, Field(ge=1, le=2_000_000_000)] | None = None


class RecordedMaterial(Message):
    """What the record adds to one line of the bill of material.

    `weighing_tolerance_percent` (plus or minus) is of the needed quantity: a batch of another size keeps it.
    `assay` and `water` name the results of a lot's inspection (%) by which the weighed quantity makes up for its
    potency; `reserve_percent` more is brought to the scale for that. `balance_limit_percent`: how much of what was
    issued may be an unexplained difference; without it the record's own limit counts. `printed`: printed packaging
    material.
    """

    line: Annotated[int, Field(ge=0, le=2_000_000_000)]
    material: Code
    weighing_tolerance_percent: Percent | None = None
    assay: Words = ""
    water: Words = ""
    reserve_percent: Percent | None = None
    balance_limit_percent: Percent | None = None
    printed: bool = False


class MasterBatchRecordBody(Message):
    """The content of one version. A product that has no bill of material names none.

    `balance_limit_percent`: how much the material balance may differ from 100 %, either way (MT-09).
    """

    bill_of_material_version: Code | None = None
    route_version: Code
    operations: tuple[RecordedOperation, ...] = Field(default=(), max_length=200)
    materials: tuple[RecordedMaterial, ...] = Field(default=(), max_length=500)
    balance_limit_percent: Percent | None = None

    def operation(self, code: str) -> RecordedOperation | None:
        """What the record says about the operation of that code, if it says anything."""
        return next((own for own in self.operations if own.operation == code), None)


class ApproveMasterBatchRecord(Command):
    """What a head of production or quality signs: this version with exactly this content. No order judges it."""

    kind: Literal["approveMasterBatchRecord"] = "approveMasterBatchRecord"
    product: str
    version: str
    content_hash: str
    roles: ClassVar = ("supervisor", "qualityManager")
