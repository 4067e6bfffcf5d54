"""What people ask of a quality case. Sent as a signal and judged by the case's workflow, as orders judge theirs."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.commands import Command
from domain.quality_cases import CaseDisposition, Classification

_QUALITY = ("qaReviewer", "qualityManager")
_OWNERS = ("qaReviewer", "qualityManager", "qcAnalyst", "supervisor", "maintenance", "processEngineer", "operator")


class CaseCommand(Command):
    """A command to one quality case."""


class ClassifyDeviation(CaseCommand):
    """How bad it is. `impact` is in words, `affected` names other batches and lots; none is an answer, too."""

    kind: Literal["classifyDeviation"] = "classifyDeviation"
    classification: Classification
    impact: str
    affected: tuple[str, ...] = ()
    roles: ClassVar = _QUALITY


class AssignDeviation(CaseCommand):
    kind: Literal["assignDeviation"] = "assignDeviation"
    owner: str
    roles: ClassVar = _QUALITY


class ProposeConclusion(CaseCommand):
    """The owner's root cause and proposal; `report` is the investigation report, or where it lies."""

    kind: Literal["proposeConclusion"] = "proposeConclusion"
    root_cause: str
    disposition: CaseDisposition
    needs_capa: bool
    report: str = ""
    roles: ClassVar = _OWNERS


class SendBackConclusion(CaseCommand):
    kind: Literal["sendBackConclusion"] = "sendBackConclusion"
    roles: ClassVar = _QUALITY


class ApproveDeviation(CaseCommand):
    """Quality assurance approves."""

    kind: Literal["approveDeviation"] = "approveDeviation"
    roles: ClassVar = _QUALITY


class ApproveDeviationAsQualityManager(CaseCommand):
    """What a major or critical deviation needs besides."""

    kind: Literal["approveDeviationAsQualityManager"] = "approveDeviationAsQualityManager"
    roles: ClassVar = ("qualityManager",)


class CloseDeviation(CaseCommand):
    """The end of a deviation or an out-of-specification result: its decision counts from here on."""

    kind: Literal["closeDeviation"] = "closeDeviation"
    roles: ClassVar = _QUALITY


class ReopenDeviation(CaseCommand):
    kind: Literal["reopenDeviation"] = "reopenDeviation"
    roles: ClassVar = _QUALITY


class VoidDeviation(CaseCommand):
    """It was none. The record is kept."""

    kind: Literal["voidDeviation"] = "voidDeviation"
    roles: ClassVar = _QUALITY


class InvestigateLaboratory(CaseCommand):
    """The first phase: who sends this owns the case."""

    kind: Literal["investigateLaboratory"] = "investigateLaboratory"
    roles: ClassVar = ("qcAnalyst", *_QUALITY)


class ProveLaboratoryError(CaseCommand):
    kind: Literal["proveLaboratoryError"] = "proveLaboratoryError"
    finding: str
    roles: ClassVar = _QUALITY


class AuthoriseRetest(CaseCommand):
    """Only after a proven error of the laboratory."""

    kind: Literal["authoriseRetest"] = "authoriseRetest"
    roles: ClassVar = _QUALITY


class BeginPhaseTwo(CaseCommand):
    """The laboratory made no error: `finding` says what was looked at. Production is investigated."""

    kind: Literal["beginPhaseTwo"] = "beginPhaseTwo"
    finding: str
    roles: ClassVar = ("qcAnalyst", *_QUALITY)


class ConcludeOutOfSpecification(CaseCommand):
    """The owner's conclusion. A confirmed result is rejected or reworked, one that is not is set aside."""

    kind: Literal["concludeOutOfSpecification"] = "concludeOutOfSpecification"
    confirmed: bool
    root_cause: str
    disposition: CaseDisposition
    needs_capa: bool
    report: str = ""
    roles: ClassVar = ("qcAnalyst", *_QUALITY)


class PlanCapa(CaseCommand):
    """What, who, until when, and when it is looked whether it works."""

    kind: Literal["planCapa"] = "planCapa"
    action: str
    owner: str
    due_at: datetime
    check_at: datetime
    roles: ClassVar = (*_QUALITY, "supervisor", "processEngineer", "maintenance")


class ApproveCapa(CaseCommand):
    kind: Literal["approveCapa"] = "approveCapa"
    roles: ClassVar = _QUALITY


class StartCapa(CaseCommand):
    kind: Literal["startCapa"] = "startCapa"
    roles: ClassVar = _OWNERS


class ImplementCapa(CaseCommand):
    kind: Literal["implementCapa"] = "implementCapa"
    evidence: str
    roles: ClassVar = _OWNERS


class ExtendCapa(CaseCommand):
    kind: Literal["extendCapa"] = "extendCapa"
    due_at: datetime
    check_at: datetime | None = None
    roles: ClassVar = _QUALITY


class DecideCapaEffectiveness(CaseCommand):
    """Whether it works: closes the action, or begins its next cycle."""

    kind: Literal["decideCapaEffectiveness"] = "decideCapaEffectiveness"
    effective: bool
    evidence: str
    roles: ClassVar = _QUALITY


DEVIATION_COMMANDS: tuple[type[CaseCommand], ...] = (
    ClassifyDeviation, AssignDeviation, ProposeConclusion, SendBackConclusion, ApproveDeviation,
    ApproveDeviationAsQualityManager, CloseDeviation, ReopenDeviation, VoidDeviation, InvestigateLaboratory,
    ProveLaboratoryError, AuthoriseRetest, BeginPhaseTwo, ConcludeOutOfSpecification,
)  # fmt: skip
CAPA_COMMANDS: tuple[type[CaseCommand], ...] = (
    PlanCapa, ApproveCapa, StartCapa, ImplementCapa, ExtendCapa, DecideCapaEffectiveness,
)  # fmt: skip
CASE_COMMANDS = (*DEVIATION_COMMANDS, *CAPA_COMMANDS)

AnyDeviationCommand = Annotated[
    ClassifyDeviation
    | AssignDeviation
    | ProposeConclusion
    | SendBackConclusion
    | ApproveDeviation
    | ApproveDeviationAsQualityManager
    | CloseDeviation
    | ReopenDeviation
    | VoidDeviation
    | InvestigateLaboratory
    | ProveLaboratoryError
    | AuthoriseRetest
    | BeginPhaseTwo
    | ConcludeOutOfSpecification,
    Field(discriminator="kind"),
]
AnyCapaCommand = Annotated[
    PlanCapa | ApproveCapa | StartCapa | ImplementCapa | ExtendCapa | DecideCapaEffectiveness,
    Field(discriminator="kind"),
]
