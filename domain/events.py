"""What has happened to an order. Events are appended, never changed; folded in order they give the order's state.

A `Fact` is one decision of the order's workflow with everything that followed from it: it is written to the record
in one transaction, under the key (order number, revision).
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from domain import change_events as ch
from domain import hold_events as h
from domain import identification_events as i
from domain import material_events as m
from domain import packaging_events as k
from domain import planning_events as p
from domain import quality_events as q
from domain import record_events as r
from domain import recovery_events as v
from domain import weighing_events as w
from domain.allocations import Allocation as Allocation
from domain.base import Message
from domain.commands import Disposition, ReportType
from domain.equipment_events import EquipmentFaultNoted, EquipmentOccupationMoved
from domain.facts import CommandRefused as CommandRefused
from domain.facts import Decision
from domain.facts import Outcome as Outcome
from domain.procedure_events import CompensationStarted as CompensationStarted
from domain.procedure_events import NeighbourAnswered as NeighbourAnswered
from domain.procedure_events import NeighbourWaiting as NeighbourWaiting
from domain.procedure_events import RetryRequested as RetryRequested
from domain.procedure_events import VerdictGiven as VerdictGiven
from domain.procedure_events import VerdictPending as VerdictPending
from domain.quality_events import JudgedValue as JudgedValue
from domain.quantities import Exact
from domain.specification import Characteristic, OrderSpecification
from domain.states import (
    InspectionEvent,
    InspectionState,
    LotEvent,
    LotStatus,
    OperationEvent,
    OperationState,
    OrderEvent,
    OrderState,
    PickListEvent,
    PickListState,
    PutAwayEvent,
    PutAwayState,
    WorkOrderEvent,
    WorkOrderState,
)


class OrderCreated(Message):
    kind: Literal["orderCreated"] = "orderCreated"
    specification: OrderSpecification


class OrderApprovalGiven(Message):
    """One of several approvals; the last one is followed by the order's move to approved."""

    kind: Literal["orderApprovalGiven"] = "orderApprovalGiven"
    number: int


class OrderMoved(Message):
    kind: Literal["orderMoved"] = "orderMoved"
    event: OrderEvent
    origin: OrderState
    target: OrderState
    disposition: Disposition | None = None


class ApprovalOverdue(Message):
    """The approval was not given in time: a reminder, then an escalation to the deputy."""

    kind: Literal["approvalOverdue"] = "approvalOverdue"
    step: Literal["reminder", "escalation"]


class WorkOrderMoved(Message):
    kind: Literal["workOrderMoved"] = "workOrderMoved"
    work_order: str
    event: WorkOrderEvent
    origin: WorkOrderState
    target: WorkOrderState


class OperationMoved(Message):
    kind: Literal["operationMoved"] = "operationMoved"
    work_order: str
    operation: str
    event: OperationEvent
    origin: OperationState
    target: OperationState


class ShortLine(Message):
    """A line of a pick list that the warehouse cannot cover, and why."""

    line: int
    material: str
    required: Exact
    available: Exact
    held: Exact = Decimal(0)
    expired: Exact = Decimal(0)
    reserved_elsewhere: Exact = Decimal(0)
    unit: str


class PickListMoved(Message):
    kind: Literal["pickListMoved"] = "pickListMoved"
    work_order: str
    event: PickListEvent | None
    origin: PickListState | None
    target: PickListState
    allocations: tuple[Allocation, ...] = ()
    short: tuple[ShortLine, ...] = ()


class Consumption(Message):
    """A quantity of an input lot that went into the output lot."""

    line: int
    material: str
    lot: str
    quantity: Exact
    unit: str
    container: str | None = None
    """The dispensed container that it came in; none: it lay at the line."""


class MaterialsConsumed(Message):
    """Input lots became part of the batch: stock leaves the line and the genealogy is written."""

    kind: Literal["materialsConsumed"] = "materialsConsumed"
    work_order: str
    operation: str
    output_lot: str
    lines: tuple[Consumption, ...]


class BatchStarted(Message):
    """The output lot exists from here on, in quarantine."""

    kind: Literal["batchStarted"] = "batchStarted"
    work_order: str
    lot: str
    material: str
    unit: str


class ProductionReported(Message):
    kind: Literal["productionReported"] = "productionReported"
    work_order: str
    operation: str
    report_number: str
    good: Exact
    scrap: Exact
    scrap_reason: str | None = None
    review_board: Exact
    unit: str
    is_rework: bool
    is_output: bool
    report_type: ReportType
    source: Literal["person", "machine"]
    workstation: str
    worker: str | None = None
    labour_seconds: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    over_by: Exact = Decimal(0)


class OutputProduced(Message):
    """Good pieces of the output operation became stock of the work order's own lot."""

    kind: Literal["outputProduced"] = "outputProduced"
    work_order: str
    lot: str
    quantity: Exact
    unit: str


class ParametersRecorded(Message):
    """Values of an operation, numbered from `first` on (`V1`, `V2`, …; 0 in facts of the first release).

    `measured_at` is what the sender said; the record's own time is the fact's. `unchecked` are the numbers that a
    second person has to check.
    """

    kind: Literal["parametersRecorded"] = "parametersRecorded"
    work_order: str
    operation: str
    values: tuple[JudgedValue, ...]
    first: int = 0
    measured_at: datetime | None = None
    is_late: bool = False
    is_typed: bool = True
    unchecked: tuple[str, ...] = ()


HOLD_TIME_EXCEEDED = "HOLD_TIME_EXCEEDED"


class DeviationOpened(Message):
    kind: Literal["deviationOpened"] = "deviationOpened"
    number: str
    work_order: str | None = None
    operation: str | None = None
    code: str
    detail: str
    lot: str | None = None
    """The work order's own lot, when it is what failed."""
    has_process: bool = False
    """A process of its own leads it to its decision."""


class DeviationDecided(Message):
    """`decided_by` is set where the deviation's own process decided: the fact is then that of the system."""

    kind: Literal["deviationDecided"] = "deviationDecided"
    number: str
    decision: str
    decided_by: str | None = None


class DeviationReopened(Message):
    """The deviation's own process has begun again: it is open as before."""

    kind: Literal["deviationReopened"] = "deviationReopened"
    number: str


class InspectionRequested(Message):
    kind: Literal["inspectionRequested"] = "inspectionRequested"
    work_order: str
    inspection: str
    characteristics: tuple[Characteristic, ...]


class InspectionMoved(Message):
    kind: Literal["inspectionMoved"] = "inspectionMoved"
    work_order: str
    inspection: str
    event: InspectionEvent
    origin: InspectionState
    target: InspectionState
    results: tuple[JudgedValue, ...] = ()


class PutAwayMoved(Message):
    kind: Literal["putAwayMoved"] = "putAwayMoved"
    work_order: str
    lot: str
    event: PutAwayEvent | None
    origin: PutAwayState | None
    target: PutAwayState
    place: str | None = None
    quantity: Exact | None = None


class LotMoved(Message):
    """The quality status of the work order's own lot changed."""

    kind: Literal["lotMoved"] = "lotMoved"
    work_order: str
    lot: str
    event: LotEvent
    origin: LotStatus
    target: LotStatus


class BatchCertified(Message):
    kind: Literal["batchCertified"] = "batchCertified"
    work_order: str
    lot: str


class BatchReleaseRequested(Message):
    """Production release was asked for; the lot is saleable when the warehouse has moved it."""

    kind: Literal["batchReleaseRequested"] = "batchReleaseRequested"
    work_order: str
    lot: str
    place: str


class EquipmentJobMoved(Message):
    """A job on a machine: started, ended with its counts, refused (then the operator reports), or aborted."""

    kind: Literal["equipmentJobMoved"] = "equipmentJobMoved"
    work_order: str
    operation: str
    job: str
    workstation: str
    batch: str
    target: Literal["started", "ended", "refused", "aborted"]
    detail: str = ""
    good: Exact | None = None
    waste: Exact | None = None
    readings: int | None = None


Event = Annotated[
    OrderCreated
    | OrderApprovalGiven
    | OrderMoved
    | ApprovalOverdue
    | WorkOrderMoved
    | OperationMoved
    | PickListMoved
    | MaterialsConsumed
    | BatchStarted
    | ProductionReported
    | OutputProduced
    | ParametersRecorded
    | DeviationOpened
    | DeviationDecided
    | DeviationReopened
    | InspectionRequested
    | InspectionMoved
    | PutAwayMoved
    | LotMoved
    | BatchCertified
    | BatchReleaseRequested
    | EquipmentJobMoved
    | NeighbourWaiting
    | NeighbourAnswered
    | RetryRequested
    | CompensationStarted
    | VerdictPending
    | VerdictGiven
    | CommandRefused
    | q.InProcessInspectionMoved
    | q.ReworkMoved
    | q.ReportReversed
    | q.OverReportAsked
    | q.OverReportDecided
    | r.ParametersChecked
    | r.ParameterCorrected
    | r.OperationVerified
    | r.OperationCommented
    | r.BatchRecordMoved
    | r.ExceptionJustified
    | m.ReturnMoved
    | m.MaterialsReturned
    | m.SampleTaken
    | m.MaterialsCounted
    | k.PrintChecked
    | p.OrderSplit
    | p.QuantityReduced
    | EquipmentOccupationMoved
    | h.LotHoldPlaced
    | h.LotHoldLifted
    | i.CodeTyped
    | i.LotsChosen
    | i.AllocationReplaced
    | i.FefoOverridden
    | w.WeighingAsked
    | w.ScaleRead
    | w.MaterialWeighed
    | w.ContainerMoved
    | w.MaterialsCharged
    | EquipmentFaultNoted
    | ch.OrderChanged
    | ch.OrderChangeRequested
    | ch.OrderChangeMoved
    | v.RecoveryMoved,
    Field(discriminator="kind"),
]


class Fact(Decision):
    """One decision of an order's workflow."""

    order_number: str
    events: tuple[Event, ...]
