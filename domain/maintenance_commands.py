"""What people ask of a maintenance order. Sent as a signal and judged by its workflow, as orders judge theirs."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.case_commands import CASE_COMMANDS, CaseCommand
from domain.maintenance import Part
from domain.quantities import Exact


class ApproveMaintenance(CaseCommand):
    kind: Literal["approveMaintenance"] = "approveMaintenance"
    roles: ClassVar = ("supervisor",)


class ScheduleMaintenance(CaseCommand):
    """Who does it, and when; the last word counts."""

    kind: Literal["scheduleMaintenance"] = "scheduleMaintenance"
    assignee: str
    planned_at: datetime
    roles: ClassVar = ("maintenance", "metrology", "supervisor")


class BeginMaintenance(CaseCommand):
    """The equipment is under maintenance from here on; refused while a batch uses it."""

    kind: Literal["beginMaintenance"] = "beginMaintenance"
    roles: ClassVar = ("maintenance", "metrology")


class ReportMaintenanceWork(CaseCommand):
    """What was done. `hours` is working time; a `major` repair or change asks for a new qualification (EQ-06)."""

    kind: Literal["reportMaintenanceWork"] = "reportMaintenanceWork"
    work: str
    parts: tuple[Part, ...] = ()
    hours: Exact
    major: bool
    roles: ClassVar = ("maintenance", "metrology")


class VerifyMaintenance(CaseCommand):
    """Production has seen that it does what it has to."""

    kind: Literal["verifyMaintenance"] = "verifyMaintenance"
    roles: ClassVar = ("supervisor",)


class VerifyMaintenanceAsQuality(CaseCommand):
    """Quality assurance, too, where the product touches the equipment."""

    kind: Literal["verifyMaintenanceAsQuality"] = "verifyMaintenanceAsQuality"
    roles: ClassVar = ("qaReviewer", "qualityManager")


class CloseMaintenance(CaseCommand):
    kind: Literal["closeMaintenance"] = "closeMaintenance"
    roles: ClassVar = ("supervisor",)


class CancelMaintenance(CaseCommand):
    """Not needed after all; before it has begun, with a reason."""

    kind: Literal["cancelMaintenance"] = "cancelMaintenance"
    roles: ClassVar = ("supervisor",)


MAINTENANCE_COMMANDS: tuple[type[CaseCommand], ...] = (
    ApproveMaintenance, ScheduleMaintenance, BeginMaintenance, ReportMaintenanceWork, VerifyMaintenance,
    VerifyMaintenanceAsQuality, CloseMaintenance, CancelMaintenance,
)  # fmt: skip
LED_COMMANDS: tuple[type[CaseCommand], ...] = (*CASE_COMMANDS, *MAINTENANCE_COMMANDS)
"""What is sent to a process that is no order: deviations, corrective actions, maintenance orders."""

AnyMaintenanceCommand = Annotated[
    ApproveMaintenance
    | ScheduleMaintenance
    | BeginMaintenance
    | ReportMaintenanceWork
    | VerifyMaintenance
    | VerifyMaintenanceAsQuality
    | CloseMaintenance
    | CancelMaintenance,
    Field(discriminator="kind"),
]
