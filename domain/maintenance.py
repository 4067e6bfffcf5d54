"""Maintenance orders (SM-9): repairs, preventive maintenance and calibrations, each one durable process.

What they are about, what has happened to them, how they stand. Rules stand in `domain/rules/maintenance.py`. The
availability and qualification of the equipment itself are the register's; the order asks it before it moves on.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from domain.base import Holder, Message
from domain.case_rules import CaseRules
from domain.quantities import Exact
from domain.states import StateMachine


class MaintenanceState(StrEnum):
    """A maintenance order, from its request to its end."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "inProgress"
    WORK_DONE = "workDone"
    REQUALIFYING = "requalifying"
    VERIFIED = "verified"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class MaintenanceEvent(StrEnum):
    """What can happen to a maintenance order."""

    APPROVE = "approve"
    SCHEDULE = "schedule"
    BEGIN = "begin"
    FINISH_WORK = "finishWork"
    FINISH_MAJOR_WORK = "finishMajorWork"
    VERIFY = "verify"
    CLOSE = "close"
    CANCEL = "cancel"


_M, _ME = MaintenanceState, MaintenanceEvent
MAINTENANCE: Final = StateMachine(
    "maintenance order",
    _M.REQUESTED,
    {
        (_M.REQUESTED, _ME.APPROVE): _M.APPROVED,
        (_M.APPROVED, _ME.SCHEDULE): _M.SCHEDULED,
        (_M.SCHEDULED, _ME.SCHEDULE): _M.SCHEDULED,
        (_M.SCHEDULED, _ME.BEGIN): _M.IN_PROGRESS,
        (_M.IN_PROGRESS, _ME.FINISH_WORK): _M.WORK_DONE,
        # A major repair or change: it has to be shown once more that the equipment does what it has to (EQ-06).
        (_M.IN_PROGRESS, _ME.FINISH_MAJOR_WORK): _M.REQUALIFYING,
        (_M.WORK_DONE, _ME.VERIFY): _M.VERIFIED,
        (_M.REQUALIFYING, _ME.VERIFY): _M.VERIFIED,
        (_M.VERIFIED, _ME.CLOSE): _M.CLOSED,
        **{(state, _ME.CANCEL): _M.CANCELLED for state in (_M.REQUESTED, _M.APPROVED, _M.SCHEDULED)},
    },
    {},
)


class MaintenanceCause(StrEnum):
    """Why an order was requested."""

    FAULT = "fault"
    REQUEST = "request"
    PREVENTIVE = "preventive"
    CALIBRATION = "calibration"


class Interrupted(Message):
    """An operation that was running or paused on the equipment when it failed: its batch may be impacted (EQ-07)."""

    order_number: str
    work_order: str
    operation: str
    batch: str


class MaintenanceSpecification(Message):
    """What is to be done to which equipment, and why. `opened_by` is a person, `system`, or the machine's station.

    `due_at` is the day of a plan; `product_contact` asks quality assurance to verify, too.
    """

    number: str
    equipment: str
    cause: MaintenanceCause
    detail: str
    opened_by: str
    opened_at: datetime
    due_at: datetime | None = None
    product_contact: bool = True
    interrupted: tuple[Interrupted, ...] = ()
    rules: CaseRules = CaseRules()


class Part(Message):
    """A spare part that was used."""

    code: str
    description: str = ""
    quantity: Exact
    unit: str = "pcs"


class Verification(StrEnum):
    """In which function somebody verified that the equipment may be used again."""

    PRODUCTION = "production"
    QUALITY_ASSURANCE = "qualityAssurance"


class MaintenanceRaised(Message):
    kind: Literal["maintenanceRaised"] = "maintenanceRaised"
    specification: MaintenanceSpecification


class MaintenanceMoved(Message):
    kind: Literal["maintenanceMoved"] = "maintenanceMoved"
    event: MaintenanceEvent
    origin: MaintenanceState
    target: MaintenanceState


class MaintenanceScheduled(Message):
    """Who does it, and when."""

    kind: Literal["maintenanceScheduled"] = "maintenanceScheduled"
    assignee: str
    planned_at: datetime


class MaintenanceWorkReported(Message):
    """What was done, with which parts, in how many hours; `major` asks for a new qualification."""

    kind: Literal["maintenanceWorkReported"] = "maintenanceWorkReported"
    work: str
    parts: tuple[Part, ...] = ()
    hours: Exact
    major: bool


class MaintenanceVerified(Message):
    kind: Literal["maintenanceVerified"] = "maintenanceVerified"
    function: Verification


class RegisterAsked(Message):
    """The equipment register has to agree before the command counts: its verdict comes later."""

    kind: Literal["registerAsked"] = "registerAsked"
    command_id: str
    command: str
    actor: str
    act: Literal["startMaintenance", "demandRequalification", "returnToService"]
    work: MaintenanceWorkReported | None = None
    verification: Verification | None = None


class RegisterAnswered(Message):
    """The register has agreed, or refused: the command that asked has its verdict."""

    kind: Literal["registerAnswered"] = "registerAnswered"
    command_id: str


class OrderTold(Message):
    """An order knows that its equipment has failed, or is repaired; `answer` is what came of it."""

    kind: Literal["orderTold"] = "orderTold"
    message: str
    answer: str


MaintenanceEvents = (
    MaintenanceRaised
    | MaintenanceMoved
    | MaintenanceScheduled
    | MaintenanceWorkReported
    | MaintenanceVerified
    | RegisterAsked
    | RegisterAnswered
    | OrderTold
)


class News(Message):
    """What an interrupted order has to be told: once, under `key`."""

    key: str
    standing: Literal["failed", "repaired"]
    interrupted: Interrupted


class MaintenanceCase(Holder):
    """A maintenance order as it stands."""

    kind: Literal["maintenance"] = "maintenance"
    specification: MaintenanceSpecification
    state: MaintenanceState = MaintenanceState.REQUESTED
    revision: int = 0
    owner: str | None = None
    """Who does it."""
    planned_at: datetime | None = None
    approved_by: str | None = None
    work: MaintenanceWorkReported | None = None
    worked_by: str | None = None
    verifications: dict[Verification, str] = {}
    """In which function → who."""
    asked: RegisterAsked | None = None
    """What waits for the register."""
    to_tell: tuple[News, ...] = ()
    overdue: bool = False
    capas: dict[str, str] = {}
    capa_actions: dict[str, str] = {}

    @property
    def number(self) -> str:
        """The order's number."""
        return self.specification.number

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in (MaintenanceState.CLOSED, MaintenanceState.CANCELLED)
