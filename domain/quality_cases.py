"""Quality cases: what they are about, what has happened to them, and how they stand.

A deviation (or its kind, an out-of-specification result) and a corrective and preventive action (CAPA) are lives of
their own, each one durable process. Rules stand in `domain/rules/deviations.py` and `domain/rules/capas.py`, how events
change a case in `domain/case_folding.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.base import Holder, Message
from domain.case_rules import CaseRules as CaseRules
from domain.case_rules import rules_of as rules_of
from domain.case_rules import signing_policy as signing_policy
from domain.case_states import (
    CapaEvent,
    CapaState,
    DeviationEvent,
    DeviationState,
    OutOfSpecificationEvent,
    OutOfSpecificationState,
)
from domain.facts import CommandRefused, Decision
from domain.maintenance import MaintenanceCase, MaintenanceEvents, MaintenanceSpecification


class Classification(StrEnum):
    """How bad a deviation is. Major and critical ones need an investigation report and the quality manager."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class CaseDisposition(StrEnum):
    """What becomes of what the deviation is about."""

    ACCEPT = "accept"
    """Used as it is: an operation goes on, a lot is no longer on hold."""
    REWORK = "rework"
    """Goes on under its rework; the operation is free again."""
    REJECT = "reject"


class Approval(StrEnum):
    """In which function somebody approved."""

    QUALITY_ASSURANCE = "qualityAssurance"
    QUALITY_MANAGER = "qualityManager"


class DeviationSpecification(Message):
    """What a deviation is about: an order (with work order and operation), a lot, a piece of equipment.

    `out_of_specification` makes it an out-of-specification case. `opened_by` measured or saw it.
    """

    number: str
    code: str
    detail: str
    out_of_specification: bool = False
    order_number: str | None = None
    work_order: str | None = None
    operation: str | None = None
    lot: str | None = None
    equipment: str | None = None
    opened_by: str
    opened_at: datetime
    rules: CaseRules = CaseRules()


class CapaSpecification(Message):
    """A corrective and preventive action as it was asked for. `source` is what it came from, such as a deviation."""

    number: str
    source: str
    action: str
    opened_by: str
    opened_at: datetime
    previous: str | None = None
    """The ineffective action whose next cycle this is."""
    cycle: int = 1
    rules: CaseRules = CaseRules()


class DeviationRaised(Message):
    kind: Literal["deviationRaised"] = "deviationRaised"
    specification: DeviationSpecification


class DeviationMoved(Message):
    kind: Literal["deviationMoved"] = "deviationMoved"
    event: DeviationEvent
    origin: DeviationState
    target: DeviationState


class OutOfSpecificationMoved(Message):
    kind: Literal["outOfSpecificationMoved"] = "outOfSpecificationMoved"
    event: OutOfSpecificationEvent
    origin: OutOfSpecificationState
    target: OutOfSpecificationState


class DeviationClassified(Message):
    """How bad it is, and which other batches and lots it touches; an empty list was looked for and none found."""

    kind: Literal["deviationClassified"] = "deviationClassified"
    classification: Classification
    impact: str
    affected: tuple[str, ...] = ()


class OwnerAssigned(Message):
    kind: Literal["ownerAssigned"] = "ownerAssigned"
    owner: str


class FindingRecorded(Message):
    """What a phase of an investigation found."""

    kind: Literal["findingRecorded"] = "findingRecorded"
    phase: str
    finding: str


class ConclusionProposed(Message):
    kind: Literal["conclusionProposed"] = "conclusionProposed"
    root_cause: str
    disposition: CaseDisposition
    needs_capa: bool
    report: str = ""


class CaseApproved(Message):
    kind: Literal["caseApproved"] = "caseApproved"
    function: Approval


class CapaFollows(Message):
    """A corrective action comes out of this case, under this number."""

    kind: Literal["capaFollows"] = "capaFollows"
    capa: str
    action: str


class CapaStarted(Message):
    """The corrective action's own process has begun."""

    kind: Literal["capaStarted"] = "capaStarted"
    capa: str


class SubjectTold(Message):
    """The order, or the warehouse that has the lot, knows of the decision; `answer` is what came of it."""

    kind: Literal["subjectTold"] = "subjectTold"
    message: str
    answer: str


class DeadlineMissed(Message):
    """A deadline has passed: who was to act is reminded, then it is escalated; `closing` sets the overdue flag."""

    kind: Literal["deadlineMissed"] = "deadlineMissed"
    step: Literal["reminder", "escalation", "closing"]


class CapaRaised(Message):
    kind: Literal["capaRaised"] = "capaRaised"
    specification: CapaSpecification


class CapaMoved(Message):
    kind: Literal["capaMoved"] = "capaMoved"
    event: CapaEvent
    origin: CapaState
    target: CapaState


class CapaPlanned(Message):
    """What is done, by whom, until when; `check_at` is when it is looked whether it works."""

    kind: Literal["capaPlanned"] = "capaPlanned"
    action: str
    owner: str
    due_at: datetime
    check_at: datetime


class EvidenceGiven(Message):
    """What shows that the action is done, or that it works or does not."""

    kind: Literal["evidenceGiven"] = "evidenceGiven"
    about: Literal["implementation", "effectiveness"]
    evidence: str


class DueDateExtended(Message):
    kind: Literal["dueDateExtended"] = "dueDateExtended"
    due_at: datetime
    check_at: datetime


CaseEvent = Annotated[
    DeviationRaised
    | DeviationMoved
    | OutOfSpecificationMoved
    | DeviationClassified
    | OwnerAssigned
    | FindingRecorded
    | ConclusionProposed
    | CaseApproved
    | CapaFollows
    | CapaStarted
    | SubjectTold
    | DeadlineMissed
    | CapaRaised
    | CapaMoved
    | CapaPlanned
    | EvidenceGiven
    | DueDateExtended
    | MaintenanceEvents
    | CommandRefused,
    Field(discriminator="kind"),
]


class CaseFact(Decision):
    """One decision of a case's workflow."""

    case_number: str
    events: tuple[CaseEvent, ...]


class Told(Message):
    """What the order, or the keeper of the lot, has to be told: once, under `key`."""

    key: str
    standing: Literal["retest", "decided", "reopened", "voided"]
    decision: str
    disposition: CaseDisposition | None = None
    decided_by: str | None = None


class DeviationCase(Holder):
    """A deviation or an out-of-specification result as it stands."""

    kind: Literal["deviation"] = "deviation"
    specification: DeviationSpecification
    state: str = DeviationState.OPEN
    """A `DeviationState`, or an `OutOfSpecificationState` where the specification says so."""
    revision: int = 0
    classification: Classification | None = None
    classified_by: str | None = None
    impact: str = ""
    affected: tuple[str, ...] = ()
    owner: str | None = None
    findings: dict[str, str] = {}
    """Phase of the investigation → what it found."""
    root_cause: str = ""
    disposition: CaseDisposition | None = None
    needs_capa: bool = False
    report: str = ""
    approvals: dict[Approval, str] = {}
    """In which function → who."""
    decided_by: str | None = None
    capas: dict[str, str] = {}
    """Number of a corrective action that follows → `asked`, then `started`."""
    capa_actions: dict[str, str] = {}
    to_tell: tuple[Told, ...] = ()
    reminded: bool = False
    escalated: bool = False
    overdue: bool = False

    @property
    def number(self) -> str:
        """The case's number."""
        return self.specification.number

    @property
    def is_over(self) -> bool:
        """Whether it is decided or void. Another look may reopen a decided one."""
        return self.state in (DeviationState.CLOSED, DeviationState.VOIDED)


class CapaCase(Holder):
    """A corrective and preventive action as it stands."""

    kind: Literal["capa"] = "capa"
    specification: CapaSpecification
    state: CapaState = CapaState.DRAFT
    revision: int = 0
    action: str = ""
    owner: str | None = None
    due_at: datetime | None = None
    check_at: datetime | None = None
    approved_by: str | None = None
    implemented_by: str | None = None
    evidence: dict[str, str] = {}
    """`implementation` or `effectiveness` → what shows it."""
    overdue: bool = False
    capas: dict[str, str] = {}
    """Number of the next cycle → `asked`, then `started`."""
    capa_actions: dict[str, str] = {}

    @property
    def number(self) -> str:
        """The case's number."""
        return self.specification.number

    @property
    def is_over(self) -> bool:
        """Whether it works, or has gone into its next cycle."""
        return self.state in (CapaState.CLOSED_EFFECTIVE, CapaState.INEFFECTIVE)


QualityCase = Annotated[DeviationCase | CapaCase | MaintenanceCase, Field(discriminator="kind")]


def begun(
    specification: DeviationSpecification | CapaSpecification | MaintenanceSpecification,
) -> DeviationCase | CapaCase | MaintenanceCase:
    """A new case, before anything has happened to it."""
    if isinstance(specification, MaintenanceSpecification):
        return MaintenanceCase(specification=specification)
    if isinstance(specification, CapaSpecification):
        return CapaCase(specification=specification, action=specification.action)
    first = OutOfSpecificationState.DETECTED if specification.out_of_specification else DeviationState.OPEN
    return DeviationCase(specification=specification, state=first)
