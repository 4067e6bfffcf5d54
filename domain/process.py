"""The state of one production order; how events change it stands in `domain/folding.py`."""

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from domain import events as e
from domain import material_events as m
from domain.base import Holder
from domain.change_states import ChangeRequest, OrderChangeState, OrderDecision
from domain.commands import Disposition, ReportProduction
from domain.container_states import ContainerState
from domain.identification_events import LotsChosen
from domain.quality_events import JudgedValue
from domain.quantities import Exact
from domain.record_states import BatchRecordState
from domain.recoveries import Recovery as Recovery
from domain.recoveries import approved_before
from domain.return_states import MaterialReturnState
from domain.rework_states import REWORK, InProcessInspectionState, ReworkState
from domain.specification import Characteristic, OperationSpecification, OrderSpecification, ReworkMethod
from domain.specification import WorkOrderSpecification as WorkOrderSpecification
from domain.states import (
    InspectionState,
    LotStatus,
    OperationState,
    OrderState,
    PickListState,
    PutAwayState,
    WorkOrderState,
)
from domain.weighing import ScaleReading, WeighingRequest


class Unchecked(Holder):
    """A typed value that waits for a second person."""

    name: str
    entered_by: str


class Operation(Holder):
    """One operation: its state, who works on it, what was reported at it."""

    code: str
    state: OperationState = OperationState.PENDING
    started_by: str | None = None
    started_at: datetime | None = None
    running_since: datetime | None = None
    net_seconds: int = 0
    good: Exact = Decimal(0)
    scrap: Exact = Decimal(0)
    review_board: Exact = Decimal(0)
    sampled: Exact = Decimal(0)
    """Good pieces that were taken for tests."""
    reports: int = 0
    recorded: dict[str, bool] = Field(default_factory=dict)
    """Parameter name → whether its last value was within limits."""
    values: int = 0
    """How many values were recorded."""
    unchecked: dict[str, Unchecked] = Field(default_factory=dict)
    """Value number → the typed value that a second person has to check."""
    corrections: dict[str, int] = Field(default_factory=dict)
    """Value number → how often it was corrected."""
    comments: int = 0
    ready_at: datetime | None = None
    hold_time_exceeded: bool = False
    completed_by: tuple[str, ...] = ()
    verified_by: str | None = None
    open_deviations: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """Maintenance orders of equipment that failed under it and is not repaired."""
    job: str | None = None
    job_state: str | None = None
    charged_lots: tuple[str, ...] = ()
    """Lots that are not weighed, and were identified when they were put in."""
    occupation: str | None = None
    """Of the workstation, where the policy has a start gate: asked, occupied, or none."""
    print_checks: int = 0
    print_checked_at: datetime | None = None

    @property
    def done_by(self) -> tuple[str, ...]:
        """Who has started or completed it: none of them may verify it."""
        return tuple(dict.fromkeys((*((self.started_by,) if self.started_by else ()), *self.completed_by)))

    @property
    def reported(self) -> Decimal:
        """Everything that was reported at this operation, good or not; samples were good."""
        return self.good + self.scrap + self.review_board + self.sampled


class Used(Holder):
    """What became of the issued quantity of one lot of one line."""

    consumed: Exact = Decimal(0)
    returned: Exact = Decimal(0)
    scrapped: Exact = Decimal(0)
    sampled: Exact = Decimal(0)
    difference: Exact = Decimal(0)
    """What a count has not found; below zero it has found more."""


class PickList(Holder):
    """What the warehouse hands to a work order. What lies at the line: `domain/rules/line_side.py`."""

    number: str
    state: PickListState
    created_by: str
    allocations: tuple[e.Allocation, ...] = ()
    short: tuple[e.ShortLine, ...] = ()
    approved_by: str | None = None
    used: dict[str, Used] = Field(default_factory=dict)
    """`<line>/<lot>` → what became of it."""
    outside: dict[str, str] = Field(default_factory=dict)
    """`<operation>/<material>` whose difference is beyond its limit → the deviation about it."""
    choice: LotsChosen | None = None
    """Lots that somebody wants instead of those that expire first, until the warehouse has answered."""

    def use(self, line: int, lot: str) -> Used:
        """What became of one lot of one line, to be added to."""
        return self.used.setdefault(f"{line}/{lot}", Used())


class MaterialReturn(Holder):
    """Issued material that somebody gives back; `returned` says where it went."""

    number: str
    state: MaterialReturnState = MaterialReturnState.REQUESTED
    lines: tuple[m.ReturnLine, ...]
    asked_by: str
    asked_at: datetime
    returned: tuple[m.ReturnedLine, ...] = ()


class Container(Holder):
    """A weighing that was asked for, and the container that it filled. Before it is good `net` is 0."""

    number: str
    request: WeighingRequest
    state: ContainerState = ContainerState.ASKED
    reading: ScaleReading | None = None
    net: Exact = Decimal(0)
    equivalent: Exact = Decimal(0)
    """How much of the line's theoretical quantity it stands for."""
    place: str | None = None

    @property
    def line(self) -> int:
        """The line of the pick list."""
        return self.request.line

    @property
    def material(self) -> str:
        """What is in it."""
        return self.request.material

    @property
    def lot(self) -> str:
        """The lot that it was filled from."""
        return self.request.lot

    @property
    def unit(self) -> str:
        """The unit of its net weight."""
        return self.request.unit


class Inspection(Holder):
    """The inspection of a work order's lot."""

    number: str
    state: InspectionState = InspectionState.CREATED
    entered_by: str | None = None
    decided_by: str | None = None
    failed: tuple[str, ...] = ()


class PutAwayOrder(Holder):
    """The way of the finished quantity into the warehouse."""

    number: str
    state: PutAwayState
    place: str | None = None
    quantity: Exact | None = None


class InProcessInspection(Holder):
    """The inspection of the pieces of one report; of reworked ones when `rework` is set."""

    number: str
    operation: str
    report_number: str
    quantity: Exact
    is_output: bool
    reported_by: str
    rework: str | None = None
    state: InProcessInspectionState = InProcessInspectionState.OPEN
    failed: Exact = Decimal(0)
    defect: str | None = None
    decided_by: str | None = None
    lot: str | None = None
    """Of the reworked pieces, when they have one of their own."""
    tests: tuple[Characteristic, ...] = ()
    test_results: tuple[JudgedValue, ...] = ()


class Rework(Holder):
    """Nonconforming pieces of the work order's lot, on their way back."""

    number: str
    operation: str
    report_number: str
    inspection: str
    quantity: Exact
    is_output: bool
    proposed_by: str
    state: ReworkState = ReworkState.PROPOSED
    approved_by: str | None = None
    done_by: str | None = None
    good: Exact = Decimal(0)
    scrap: Exact = Decimal(0)
    parent_lot: str = ""
    """The lot that the pieces came from; empty in the facts of earlier releases: the work order's own."""
    parent_rework: str | None = None
    own_lot: str | None = None
    method: ReworkMethod | None = None
    procedure: str = ""
    tests: tuple[Characteristic, ...] = ()


class OverReport(Holder):
    """A report that waits to be allowed."""

    number: str
    report: ReportProduction
    over_by: Exact


class WorkOrder(Holder):
    """One batch on its way."""

    number: str
    state: WorkOrderState = WorkOrderState.PENDING
    operations: dict[str, Operation]
    pick_list: PickList | None = None
    inspection: Inspection | None = None
    put_away: PutAwayOrder | None = None
    lot_status: LotStatus | None = None
    """None until the batch was started."""
    started_at: datetime | None = None
    held_from: LotStatus | None = None
    """Where the lot goes back to when nothing holds it any more."""
    consumed_at: tuple[str, ...] = ()
    """Codes of the operations at which input material became part of the batch."""
    produced: Exact = Decimal(0)
    """Good pieces that became stock of the work order's own lot."""
    certified_by: str | None = None
    release_requested_by: str | None = None
    release_place: str | None = None
    compensating: bool = False
    in_process_inspections: dict[str, InProcessInspection] = Field(default_factory=dict)
    reworks: dict[str, Rework] = Field(default_factory=dict)
    over_reports: dict[str, OverReport] = Field(default_factory=dict)
    over_reports_asked: int = 0
    reversed_reports: tuple[str, ...] = ()
    record_state: BatchRecordState | None = None
    """None where the policy asks for no batch record, and before the batch was started."""
    record_reviewed_by: str | None = None
    record_approved_by: str | None = None
    returns: dict[str, MaterialReturn] = Field(default_factory=dict)
    containers: dict[str, Container] = Field(default_factory=dict)
    recoveries: dict[str, Recovery] = Field(default_factory=dict)

    def open_returns(self) -> list[MaterialReturn]:
        """Returns that the warehouse has not answered, oldest first."""
        return [own for own in self.returns.values() if own.state == MaterialReturnState.REQUESTED]

    def open_rework(self) -> list[str]:
        """Numbers of the in-process inspections and reworks that are not over."""
        inspections = [own.number for own in self.in_process_inspections.values() if own.state == "open"]
        return inspections + [own.number for own in self.reworks.values() if not REWORK.is_final(own.state)]

    def reported(self) -> tuple[Decimal, Decimal, Decimal]:
        """Good, scrap and review-board pieces over all operations."""
        operations = self.operations.values()
        return (
            sum((operation.good for operation in operations), Decimal(0)),
            sum((operation.scrap for operation in operations), Decimal(0)),
            sum((operation.review_board for operation in operations), Decimal(0)),
        )


class Waiting(Holder):
    """A neighbour that does not answer."""

    neighbour: str
    request: str
    attempt: int
    since: datetime
    next_attempt_at: datetime
    last_error: str


class Pending(Holder):
    """A command whose answer a neighbour gives."""

    command_id: str
    command: str
    actor: str


class LedDeviation(Holder):
    """A deviation that a process of its own leads: how it was opened."""

    opened: e.DeviationOpened
    opened_by: str
    opened_at: datetime


class LotHold(Holder):
    """A hold of lots that the order uses; `makes` are the held ones that it makes itself."""

    hold: str
    lots: tuple[str, ...]
    makes: tuple[str, ...] = ()
    placed_by: str
    reason: str = ""


class Process(Holder):
    """One production order, from its creation to its end."""

    specification: OrderSpecification
    state: OrderState = OrderState.DRAFT
    remembered: OrderState | None = None
    revision: int = 0
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    submitted_by: str | None = None
    approvals: tuple[str, ...] = ()
    approval_reminded: bool = False
    approval_escalated: bool = False
    held_by: str | None = None
    disposition: Disposition | None = None
    work_orders: dict[str, WorkOrder] = Field(default_factory=dict)
    deviations: dict[str, str] = Field(default_factory=dict)
    """Deviation number → `open`, or the decision."""
    led_deviations: dict[str, LedDeviation] = Field(default_factory=dict)
    lot_holds: dict[str, LotHold] = Field(default_factory=dict)
    """Number of the hold → what it is about."""
    held_for_lots: bool = False
    """Whether a hold of a lot stopped the order, and no person."""
    changes: dict[str, ChangeRequest] = Field(default_factory=dict)
    """Number of the change request → what is asked for, and what was decided."""
    held_for_change: bool = False
    """Whether nothing but an open change request, or a hold of a lot, stops the order."""
    decisions: tuple[OrderDecision, ...] = ()
    """Submissions, approvals, rejections and direct changes, oldest first; those from before this was kept are not in
    it while the order runs."""
    quantity_changed: Exact = Decimal(0)
    """By how much changes have raised what is wanted of the order, less what they lowered."""
    waiting: dict[str, Waiting] = Field(default_factory=dict)
    pending: dict[str, Pending] = Field(default_factory=dict)
    """What a neighbour is being asked (`<work order>/issue`) → the command that waits for the answer."""
    retries_requested: int = 0

    def work_order(self, number: str) -> tuple[WorkOrder, WorkOrderSpecification]:
        """A work order and its specification; KeyError if there is none of that number."""
        return self.work_orders[number], self.specification.work_order(number)

    def operation(self, work_order: str, code: str) -> tuple[Operation, OperationSpecification]:
        """An operation and its specification; KeyError if there is none of that code."""
        specification = self.specification.work_order(work_order).operation(code)
        if specification is None:
            raise KeyError(code)
        return self.work_orders[work_order].operations[code], specification

    def open_change(self) -> ChangeRequest | None:
        """The change request that nobody has decided; there is never more than one."""
        return next((own for own in self.changes.values() if own.state == OrderChangeState.REQUESTED), None)

    def open_deviations(self) -> list[str]:
        """Numbers of the deviations that nobody has decided."""
        return [number for number, decision in self.deviations.items() if decision == "open"]


def created(specification: OrderSpecification) -> Process:
    """A new order with its work orders and operations, before anything has happened to it."""
    work_orders = {
        work_order.number: WorkOrder(
            number=work_order.number,
            operations={operation.code: Operation(code=operation.code) for operation in work_order.operations},
            recoveries=approved_before(work_order),
        )
        for work_order in specification.work_orders
    }
    return Process(specification=specification, work_orders=work_orders)
