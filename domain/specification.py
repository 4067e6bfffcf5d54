"""What is to be made: the frozen copy of master data that one production order runs on."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from domain.base import Message
from domain.errors import Blocker
from domain.evidence import Evidence
from domain.policy import Policy
from domain.quantities import Exact


class Characteristic(Message):
    """Something that is measured, with its limits (both inclusive) in `unit`. No limit means: recorded only.

    `low` and `high` are action limits (EB-04). A value inside them but outside `warning_low` … `warning_high` is a
    warning. `second_check` asks for another person to confirm a value that was typed (AT-11). An inspection plan says
    the `method`, how much is taken for it (`20 tablets`), and which version of the plan this is a copy of (QL-01).
    """

    name: str
    unit: str = ""
    low: Exact | None = None
    high: Exact | None = None
    required: bool = False
    critical: bool = False
    target: Exact | None = None
    warning_low: Exact | None = None
    warning_high: Exact | None = None
    second_check: bool = False
    method: str = ""
    sample_size: str = ""
    plan_version: int | None = None
    evidence: tuple[Evidence, ...] = ()
    """What a result has to say beside its value (QL-03)."""

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What asks for no evidence says nothing of it: so older records and requests stay what they were."""
        found: dict[str, Any] = handler(self)
        return {name: value for name, value in found.items() if name != "evidence" or value}

    def accepts(self, value: Decimal) -> bool:
        """Whether the value lies inside the limits."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def warns(self, value: Decimal) -> bool:
        """Whether the value lies outside the warning limits."""
        low, high = self.warning_low, self.warning_high
        return (low is not None and value < low) or (high is not None and value > high)

    @property
    def limits(self) -> str:
        """The limits in words: `74 … 102 %`."""
        low = "" if self.low is None else format(self.low, "f")
        high = "" if self.high is None else format(self.high, "f")
        return f"{low} … {high} {self.unit}".strip()


class ReworkMethod(StrEnum):
    """How nonconforming pieces are made good (CN 134)."""

    REWORK = "rework"
    """The approved steps of the same process once more."""
    REPROCESS = "reprocess"
    """Another process. Never of a dosage form."""


class ApprovedRecovery(Message):
    """Nonconforming material that an order is made from: quality approved it before there was an order (QL-11)."""

    batch_rework: str
    """The approved rework of a whole batch."""
    operation: str
    lot: str
    lot_status: str
    quantity: Exact
    unit: str
    procedure: str
    tests: tuple[Characteristic, ...]
    requested_by: str
    approved_by: str
    reason: str = ""
    assessment: str = ""


class MaterialLine(Message):
    """One component: `quantity` in `unit` for the whole work order, loss included; consumed by `operation`.

    With a `weighing_tolerance` (plus or minus, in `unit`) the line is weighed and dispensed before it is consumed,
    where the policy weighs. With `assay` the weighed quantity makes up for a lot's potency and water: `assay` and
    `water` name results (%) of the lot's inspection. `reserve_percent` more is brought to the scale, so that there is
    enough of a weak lot; the rest is returned.
    """

    line: int
    material: str
    quantity: Exact
    unit: str
    operation: str
    fixed_lots: tuple[str, ...] = ()
    weighing_tolerance: Exact | None = None
    assay: str = ""
    water: str = ""
    reserve_percent: Exact | None = None
    balance_limit_percent: Exact | None = None
    """How much of what was issued may be an unexplained difference, either way (MT-09)."""
    printed: bool = False
    """Printed packaging material: what was used of it is counted (EB-09)."""


class Equipment(StrEnum):
    """How a station takes its jobs."""

    MANUAL = "manual"
    OPC_UA = "opcua"


class InspectionRule(StrEnum):
    """Which reports of an operation are inspected while the order runs."""

    NONE = "none"
    FIRST = "first"
    EVERY = "every"


class Instruction(Message):
    """One thing to do. `text` has one entry per language (`en`, `zh`)."""

    number: int
    text: dict[str, str]


class RecordVersion(Message):
    """The version of a master batch record that a batch is made by, and the SHA-256 of its content."""

    product: str
    version: str
    content_hash: str


class OperationSpecification(Message):
    """One operation of the route. `predecessors` are operation codes; `is_output` marks the one that yields the lot.

    What a master batch record adds: `clearance` are the items to check before the line is used, `verified` asks for a
    second person's signature, `longest_wait_seconds` is the hold time since the predecessors ended (MT-12), the yield
    limits are percent of the operation's quantity (CN 187).
    """

    sequence: int
    code: str
    name: str
    workstation: str
    equipment: Equipment = Equipment.MANUAL
    predecessors: tuple[str, ...] = ()
    parameters: tuple[Characteristic, ...] = ()
    counts_pieces: bool = True
    is_output: bool = False
    recipe: dict[str, str] = {}
    inspection_rule: InspectionRule = InspectionRule.NONE
    instructions: tuple[Instruction, ...] = ()
    equipment_class: str = ""
    room: str = ""
    clearance: tuple[str, ...] = ()
    training: str = ""
    verified: bool = False
    longest_wait_seconds: int | None = None
    yield_low_percent: Exact | None = None
    yield_high_percent: Exact | None = None
    rework_forbidden: bool = False
    """The master batch record does not permit to rework what this operation made (QL-11)."""
    print_check_seconds: int | None = None
    """Lot and expiry on the packs are checked before the first report, and then at this interval (EB-09)."""
    recovery_allowed: bool = False
    """The master batch record permits that material of an earlier batch is introduced here (CN 133)."""


class WorkOrderSpecification(Message):
    """One made BOM level and batch. `feeds` is the number of the work order that uses this one's lot."""

    number: str
    material: str
    quantity: Exact
    unit: str
    output_lot: str
    materials: tuple[MaterialLine, ...] = ()
    operations: tuple[OperationSpecification, ...] = ()
    inspection: tuple[Characteristic, ...] = ()
    feeds: str | None = None
    shelf_life_days: int | None = None
    record: RecordVersion | None = None
    balance_limit_percent: Exact | None = None
    """How much the material balance may differ from 100 %, either way (MT-09); none: it is not judged."""
    dosage_form: str = ""
    """What form of medicine it is, such as `film-coated tablet`; empty: none. A dosage form is never reprocessed."""
    recoveries: tuple[ApprovedRecovery, ...] = ()
    """A whole batch that is reworked is what this one is made from."""

    def operation(self, code: str) -> OperationSpecification | None:
        """The operation of that code, if the route has it."""
        return next((operation for operation in self.operations if operation.code == code), None)


class OrderSpecification(Message):
    """One production order with everything frozen that it needs. `gaps` are what release must refuse.

    Where the policy has `complete_to_submit` the submission refuses them already.
    """

    number: str
    plan_line: str
    plant: str
    product: str
    product_name: str
    quantity: Exact
    unit: str
    policy: Policy
    created_by: str
    bill_of_material_version: str = ""
    route_version: str = ""
    due_at: datetime | None = None
    work_orders: tuple[WorkOrderSpecification, ...] = ()
    gaps: tuple[Blocker, ...] = ()
    start_at: datetime | None = None

    def work_order(self, number: str) -> WorkOrderSpecification:
        """The work order of that number; KeyError if the order has none of that number."""
        for work_order in self.work_orders:
            if work_order.number == number:
                return work_order
        raise KeyError(number)

    def is_weighed(self, line: MaterialLine) -> bool:
        """Whether a line is weighed and dispensed: its master record says how exactly, and the policy weighs."""
        return self.policy.weighing and line.weighing_tolerance is not None

    def feeding(self, number: str) -> Iterator[WorkOrderSpecification]:
        """The work orders whose lots the work order of that number needs."""
        return (work_order for work_order in self.work_orders if work_order.feeds == number)
