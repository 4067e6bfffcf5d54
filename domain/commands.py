"""What people and machines ask of an order. A command is sent as a signal and judged by the order's workflow.

The client makes `command_id` before it sends: the same id has one effect and one answer, however often it is sent.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.change_commands import ApproveOrderChange as ApproveOrderChange
from domain.change_commands import ChangeOrder as ChangeOrder
from domain.change_commands import RejectOrderChange as RejectOrderChange
from domain.change_commands import RequestOrderChange as RequestOrderChange
from domain.change_commands import WithdrawOrderChange as WithdrawOrderChange
from domain.command_base import Command as Command
from domain.command_base import OperationCommand as OperationCommand
from domain.command_base import OrderCommand as OrderCommand
from domain.command_base import ScanningCommand as ScanningCommand
from domain.command_base import WorkOrderCommand as WorkOrderCommand
from domain.hold_commands import LiftLotHold as LiftLotHold
from domain.hold_commands import PlaceLotHold as PlaceLotHold
from domain.material_commands import ChooseLots as ChooseLots
from domain.material_commands import ChosenLots as ChosenLots
from domain.material_commands import CountMaterials as CountMaterials
from domain.material_commands import LineQuantity as LineQuantity
from domain.material_commands import ReturnDisposition as ReturnDisposition
from domain.material_commands import ReturnedQuantity as ReturnedQuantity
from domain.material_commands import ReturnMaterials as ReturnMaterials
from domain.material_commands import SamplePurpose as SamplePurpose
from domain.material_commands import TakeSample as TakeSample
from domain.packaging_commands import CheckPrint as CheckPrint
from domain.planning_commands import PlanPart as PlanPart
from domain.planning_commands import ReduceQuantity as ReduceQuantity
from domain.planning_commands import SplitOrder as SplitOrder
from domain.quality_cases import CaseDisposition
from domain.quantities import Exact
from domain.record_commands import ApproveBatchRecord as ApproveBatchRecord
from domain.record_commands import CheckParameters as CheckParameters
from domain.record_commands import CommentOperation as CommentOperation
from domain.record_commands import CorrectParameter as CorrectParameter
from domain.record_commands import JustifyException as JustifyException
from domain.record_commands import Measurement as Measurement
from domain.record_commands import RecordParameters as RecordParameters
from domain.record_commands import ResubmitBatchRecord as ResubmitBatchRecord
from domain.record_commands import ReturnBatchRecord as ReturnBatchRecord
from domain.record_commands import ReviewBatchRecord as ReviewBatchRecord
from domain.record_commands import VerifyOperation as VerifyOperation
from domain.recovery_commands import ApproveRecovery as ApproveRecovery
from domain.recovery_commands import IntroduceRecovery as IntroduceRecovery
from domain.recovery_commands import RecoverableLot as RecoverableLot
from domain.recovery_commands import RejectRecovery as RejectRecovery
from domain.recovery_commands import RequestRecovery as RequestRecovery
from domain.scanning import ScanKind
from domain.specification import Characteristic, ReworkMethod
from domain.weighing_commands import ChargeMaterials as ChargeMaterials
from domain.weighing_commands import StageContainers as StageContainers
from domain.weighing_commands import VoidContainer as VoidContainer
from domain.weighing_commands import WeighMaterial as WeighMaterial


class SubmitOrder(OrderCommand):
    kind: Literal["submitOrder"] = "submitOrder"
    roles: ClassVar = ("planner",)


class ApproveOrder(OrderCommand):
    kind: Literal["approveOrder"] = "approveOrder"
    roles: ClassVar = ("supervisor",)


class RejectOrder(OrderCommand):
    kind: Literal["rejectOrder"] = "rejectOrder"
    roles: ClassVar = ("supervisor",)


class ReleaseOrder(OrderCommand):
    kind: Literal["releaseOrder"] = "releaseOrder"
    roles: ClassVar = ("supervisor",)


class HoldOrder(OrderCommand):
    kind: Literal["holdOrder"] = "holdOrder"
    roles: ClassVar = ("supervisor", "qaReviewer", "qualityManager")


class ResumeOrder(OrderCommand):
    kind: Literal["resumeOrder"] = "resumeOrder"
    roles: ClassVar = ("supervisor", "qaReviewer", "qualityManager")


class Disposition(StrEnum):
    """What becomes of material that was already consumed when an order is cancelled."""

    KEEP_AS_LOT = "keepAsLot"
    SCRAP = "scrap"


class CancelOrder(OrderCommand):
    kind: Literal["cancelOrder"] = "cancelOrder"
    disposition: Disposition | None = None
    roles: ClassVar = ("planner", "supervisor")


class CloseOrder(OrderCommand):
    kind: Literal["closeOrder"] = "closeOrder"
    roles: ClassVar = ("supervisor",)


class RetryNow(OrderCommand):
    """Ask the neighbours again at once instead of at the end of the back-off."""

    kind: Literal["retryNow"] = "retryNow"
    roles: ClassVar = ("supervisor", "maintenance")


class DispatchWorkOrder(WorkOrderCommand):
    kind: Literal["dispatchWorkOrder"] = "dispatchWorkOrder"
    roles: ClassVar = ("supervisor", "planner")


class StartWorkOrder(WorkOrderCommand):
    kind: Literal["startWorkOrder"] = "startWorkOrder"
    roles: ClassVar = ("operator", "supervisor")


class PauseWorkOrder(WorkOrderCommand):
    kind: Literal["pauseWorkOrder"] = "pauseWorkOrder"
    roles: ClassVar = ("operator", "supervisor")


class ResumeWorkOrder(WorkOrderCommand):
    kind: Literal["resumeWorkOrder"] = "resumeWorkOrder"
    roles: ClassVar = ("operator", "supervisor")


class AllocateMaterials(WorkOrderCommand):
    kind: Literal["allocateMaterials"] = "allocateMaterials"
    roles: ClassVar = ("warehouseKeeper", "supervisor")


class ApprovePickList(WorkOrderCommand):
    kind: Literal["approvePickList"] = "approvePickList"
    roles: ClassVar = ("warehouseKeeper", "supervisor")


class IssuePickList(ScanningCommand, WorkOrderCommand):
    """Hand the reserved lots to the line; `scans` are the lots that were picked."""

    scanned_first: ClassVar = (ScanKind.LOT,)
    kind: Literal["issuePickList"] = "issuePickList"
    roles: ClassVar = ("warehouseKeeper",)


class StartOperation(ScanningCommand, OperationCommand):
    """Begin an operation; `scans` may hold its barcode and the equipment's."""

    scanned_first: ClassVar = (ScanKind.OPERATION, ScanKind.EQUIPMENT)
    is_bound_to_device: ClassVar = True
    kind: Literal["startOperation"] = "startOperation"
    roles: ClassVar = ("operator",)


class PauseOperation(OperationCommand):
    is_bound_to_device: ClassVar = True
    kind: Literal["pauseOperation"] = "pauseOperation"
    roles: ClassVar = ("operator", "supervisor")


class ResumeOperation(OperationCommand):
    is_bound_to_device: ClassVar = True
    kind: Literal["resumeOperation"] = "resumeOperation"
    roles: ClassVar = ("operator", "supervisor")


class CompleteOperation(OperationCommand):
    """The operation is done. `consumed` says what it used; without it, all that is at the line for it was used.

    What is stated is all: a lot that is not named was not used. The rest stays at the line, to be returned.
    """

    is_bound_to_device: ClassVar = True
    kind: Literal["completeOperation"] = "completeOperation"
    consumed: tuple[LineQuantity, ...] | None = Field(default=None, max_length=200)
    roles: ClassVar = ("operator",)


class ReleaseOperationHold(OperationCommand):
    """The decision of quality about an operation that stopped on a value out of limits."""

    kind: Literal["releaseOperationHold"] = "releaseOperationHold"
    roles: ClassVar = ("qaReviewer", "qualityManager")


class DecideDeviation(OrderCommand):
    """The decision of quality about a deviation that holds no operation, such as pieces for the review board."""

    kind: Literal["decideDeviation"] = "decideDeviation"
    deviation: str
    decision: str
    roles: ClassVar = ("qaReviewer", "qualityManager")


class OpenDeviation(OrderCommand):
    """Something about the order is not as it should be; anybody may say so, where deviations have a process."""

    kind: Literal["openDeviation"] = "openDeviation"
    code: str
    detail: str
    roles: ClassVar = (
        "operator", "supervisor", "warehouseKeeper", "qcAnalyst", "qaReviewer", "qualityManager", "maintenance",
        "integration",
    )  # fmt: skip


class NoteDeviation(OrderCommand):
    """What the process of a deviation tells its order, once. No person can send it: there is no route."""

    kind: Literal["noteDeviation"] = "noteDeviation"
    deviation: str
    standing: Literal["retest", "decided", "reopened", "voided"]
    decision: str
    disposition: CaseDisposition | None = None
    decided_by: str | None = None
    """The person who decided; the process itself is no person. None from releases that did not tell."""


class NoteFault(OrderCommand):
    """What a maintenance order tells an order that it interrupts, once. No person can send it: there is no route."""

    kind: Literal["noteFault"] = "noteFault"
    work_order: str
    operation: str
    maintenance_order: str
    equipment: str
    standing: Literal["failed", "repaired"]
    detail: str


class ReportType(StrEnum):
    """What the reported time was."""

    PRODUCTION = "production"
    SETUP = "setup"
    BREAKDOWN = "breakdown"


class ReportProduction(OperationCommand):
    """Pieces and hours at one operation. `labour_seconds` is the net time of the person who reports."""

    is_bound_to_device: ClassVar = True
    kind: Literal["reportProduction"] = "reportProduction"
    good: Exact = Field(ge=0)
    scrap: Exact = Field(default=0, ge=0, validate_default=True)
    scrap_reason: str | None = None
    review_board: Exact = Field(default=0, ge=0, validate_default=True)
    is_rework: bool = False
    report_type: ReportType = ReportType.PRODUCTION
    labour_seconds: int | None = Field(default=None, ge=0)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    workstation: str | None = None
    worker: str | None = None
    roles: ClassVar = ("operator",)


class EnterInspectionResults(WorkOrderCommand):
    kind: Literal["enterInspectionResults"] = "enterInspectionResults"
    values: tuple[Measurement, ...] = Field(min_length=1, max_length=200)
    roles: ClassVar = ("qcAnalyst",)


class DecideInspection(WorkOrderCommand):
    """The second person's review, with the decision."""

    kind: Literal["decideInspection"] = "decideInspection"
    accept: bool
    roles: ClassVar = ("qcAnalyst", "qualityManager")


class PutAway(ScanningCommand, WorkOrderCommand):
    """Bring the finished quantity to a place. `quantity` defaults to everything that was made.

    `scans` are the lot and the location.
    """

    scanned_first: ClassVar = (ScanKind.LOT, ScanKind.LOCATION)

    kind: Literal["putAway"] = "putAway"
    place: str
    quantity: Exact | None = None
    roles: ClassVar = ("warehouseKeeper",)


class CertifyBatch(WorkOrderCommand):
    kind: Literal["certifyBatch"] = "certifyBatch"
    roles: ClassVar = ("qualifiedPerson",)


class ReleaseBatch(WorkOrderCommand):
    """Production release after certification: the lot becomes saleable and moves to `place`."""

    kind: Literal["releaseBatch"] = "releaseBatch"
    place: str
    roles: ClassVar = ("supervisor",)


class DecideInProcessInspection(WorkOrderCommand):
    """How many of the reported pieces failed, and by which defect; none failed means passed."""

    kind: Literal["decideInProcessInspection"] = "decideInProcessInspection"
    inspection: str
    failed: Exact = Field(default=0, ge=0, validate_default=True)
    defect: str | None = None
    values: tuple[Measurement, ...] = Field(default=(), max_length=50)
    """Results of the tests that quality set for reworked pieces."""
    roles: ClassVar = ("qcAnalyst",)


class ApproveRework(WorkOrderCommand):
    """Whether and how the pieces are made good is for the head of quality alone (CN 132).

    `procedure` is the approved document that it follows; `tests` are made of the reworked pieces, beside the ordinary
    ones.
    """

    kind: Literal["approveRework"] = "approveRework"
    rework: str
    rework_method: ReworkMethod = ReworkMethod.REWORK
    procedure: str = ""
    tests: tuple[Characteristic, ...] = Field(default=(), max_length=50)
    roles: ClassVar = ("qualityManager",)


class RejectRework(WorkOrderCommand):
    """The pieces are not worth it: they become scrap."""

    kind: Literal["rejectRework"] = "rejectRework"
    rework: str
    roles: ClassVar = ("qualityManager",)


class StartRework(WorkOrderCommand):
    kind: Literal["startRework"] = "startRework"
    rework: str
    roles: ClassVar = ("operator",)


class ReportRework(WorkOrderCommand):
    """What became of all pieces of a rework; the good ones are inspected again."""

    kind: Literal["reportRework"] = "reportRework"
    rework: str
    good: Exact = Field(ge=0)
    scrap: Exact = Field(default=0, ge=0, validate_default=True)
    roles: ClassVar = ("operator",)


class ReverseReport(OperationCommand):
    """A counter-report. The quantities are those of the report in the record; the sender names only the report."""

    kind: Literal["reverseReport"] = "reverseReport"
    report_number: str
    good: Exact
    scrap: Exact
    review_board: Exact
    is_rework: bool
    roles: ClassVar = ("operator", "supervisor")


class DecideOverReport(WorkOrderCommand):
    """Whether a report that passes the order's quantity counts."""

    kind: Literal["decideOverReport"] = "decideOverReport"
    over_report: str
    accept: bool
    roles: ClassVar = ("supervisor",)


COMMANDS: tuple[type[Command], ...] = (
    SubmitOrder, ApproveOrder, RejectOrder, ReleaseOrder, HoldOrder, ResumeOrder, CancelOrder, CloseOrder,
    RetryNow, DispatchWorkOrder, StartWorkOrder, PauseWorkOrder, ResumeWorkOrder, AllocateMaterials,
    ApprovePickList, IssuePickList, StartOperation, PauseOperation, ResumeOperation, CompleteOperation,
    ReleaseOperationHold, DecideDeviation, OpenDeviation, ReportProduction, RecordParameters, EnterInspectionResults,
    DecideInspection, PutAway, CertifyBatch, ReleaseBatch, DecideInProcessInspection, ApproveRework, RejectRework,
    StartRework, ReportRework, ReverseReport, DecideOverReport, CheckParameters, CorrectParameter, VerifyOperation,
    CommentOperation, ReviewBatchRecord, ApproveBatchRecord, ReturnBatchRecord, ResubmitBatchRecord, JustifyException,
    ReturnMaterials, SplitOrder, ReduceQuantity, WeighMaterial, StageContainers, ChargeMaterials, VoidContainer,
    ChooseLots, CountMaterials, TakeSample, CheckPrint, ChangeOrder, RequestOrderChange, ApproveOrderChange,
    RejectOrderChange, RequestRecovery, ApproveRecovery, RejectRecovery, IntroduceRecovery, WithdrawOrderChange,
)  # fmt: skip

AnyCommand = Annotated[
    SubmitOrder
    | ApproveOrder
    | RejectOrder
    | ReleaseOrder
    | HoldOrder
    | ResumeOrder
    | CancelOrder
    | CloseOrder
    | RetryNow
    | DispatchWorkOrder
    | StartWorkOrder
    | PauseWorkOrder
    | ResumeWorkOrder
    | AllocateMaterials
    | ApprovePickList
    | IssuePickList
    | StartOperation
    | PauseOperation
    | ResumeOperation
    | CompleteOperation
    | ReleaseOperationHold
    | DecideDeviation
    | OpenDeviation
    | NoteDeviation
    | NoteFault
    | ReportProduction
    | RecordParameters
    | EnterInspectionResults
    | DecideInspection
    | PutAway
    | CertifyBatch
    | ReleaseBatch
    | DecideInProcessInspection
    | ApproveRework
    | RejectRework
    | StartRework
    | ReportRework
    | ReverseReport
    | DecideOverReport
    | CheckParameters
    | CorrectParameter
    | VerifyOperation
    | CommentOperation
    | ReviewBatchRecord
    | ApproveBatchRecord
    | ReturnBatchRecord
    | ResubmitBatchRecord
    | JustifyException
    | ReturnMaterials
    | SplitOrder
    | ReduceQuantity
    | PlaceLotHold
    | LiftLotHold
    | WeighMaterial
    | StageContainers
    | ChargeMaterials
    | VoidContainer
    | ChooseLots
    | CountMaterials
    | TakeSample
    | CheckPrint
    | ChangeOrder
    | RequestOrderChange
    | ApproveOrderChange
    | RejectOrderChange
    | RequestRecovery
    | ApproveRecovery
    | RejectRecovery
    | IntroduceRecovery
    | WithdrawOrderChange,
    Field(discriminator="kind"),
]
