"""The state of one production order, and how each event changes it.

`apply` is the only place that changes a `Process`. The workflow folds its own events with it, `?at=` folds the
recorded ones up to a moment, and the consistency check folds all of them: the three must be equal.
"""

from datetime import datetime
from decimal import Decimal
from functools import singledispatch

from pydantic import Field

from domain import events as e
from domain.base import Holder
from domain.commands import Disposition
from domain.quantities import Exact
from domain.specification import OperationSpecification, OrderSpecification, WorkOrderSpecification
from domain.states import (
    InspectionState,
    LotStatus,
    OperationState,
    OrderState,
    PickListState,
    PutAwayState,
    WorkOrderState,
)


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
    reports: int = 0
    recorded: dict[str, bool] = Field(default_factory=dict)
    """Parameter name → whether its last value was within limits."""
    open_deviations: tuple[str, ...] = ()
    job: str | None = None
    job_state: str | None = None

    @property
    def reported(self) -> Decimal:
        """Everything that was reported at this operation, good or not."""
        return self.good + self.scrap + self.review_board


class PickList(Holder):
    """What the warehouse hands to a work order."""

    number: str
    state: PickListState
    created_by: str
    allocations: tuple[e.Allocation, ...] = ()
    short: tuple[e.ShortLine, ...] = ()
    approved_by: str | None = None


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
    consumed_at: tuple[str, ...] = ()
    """Codes of the operations at which input material became part of the batch."""
    produced: Exact = Decimal(0)
    """Good pieces that became stock of the work order's own lot."""
    certified_by: str | None = None
    release_requested_by: str | None = None
    release_place: str | None = None
    compensating: bool = False

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

    def open_deviations(self) -> list[str]:
        """Numbers of the deviations that nobody has decided."""
        return [number for number, decision in self.deviations.items() if decision == "open"]


def created(specification: OrderSpecification) -> Process:
    """A new order with its work orders and operations, before anything has happened to it."""
    work_orders = {
        work_order.number: WorkOrder(
            number=work_order.number,
            operations={operation.code: Operation(code=operation.code) for operation in work_order.operations},
        )
        for work_order in specification.work_orders
    }
    return Process(specification=specification, work_orders=work_orders)


def fold(process: Process, fact: e.Fact) -> None:
    """Apply all events of a fact, in order."""
    for event in fact.events:
        apply(event, process, fact)
    process.revision = fact.revision


@singledispatch
def apply(event: object, process: Process, fact: e.Fact) -> None:
    """Change `process` as `event` says. Every kind of event has its own implementation below."""
    raise NotImplementedError(f"no rule for {type(event).__name__}")


@apply.register
def _(event: e.OrderCreated, process: Process, fact: e.Fact) -> None:
    process.created_at = fact.at


@apply.register
def _(event: e.OrderApprovalGiven, process: Process, fact: e.Fact) -> None:
    process.approvals = (*process.approvals, fact.actor)


@apply.register
def _(event: e.OrderMoved, process: Process, fact: e.Fact) -> None:
    if event.target == OrderState.HELD:
        process.remembered = event.origin
        process.held_by = fact.actor
    if event.target == OrderState.SUBMITTED:
        process.submitted_at, process.submitted_by = fact.at, fact.actor
        process.approval_reminded = process.approval_escalated = False
    if event.target == OrderState.DRAFT:
        process.approvals = ()
    if event.target == OrderState.CANCELLING:
        process.remembered = event.origin
        process.disposition = event.disposition
    process.state = event.target


@apply.register
def _(event: e.ApprovalOverdue, process: Process, fact: e.Fact) -> None:
    process.approval_reminded = True
    process.approval_escalated = process.approval_escalated or event.step == "escalation"


@apply.register
def _(event: e.WorkOrderMoved, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    work_order.state = event.target


@apply.register
def _(event: e.OperationMoved, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    if event.origin == OperationState.RUNNING and operation.running_since is not None:
        operation.net_seconds += int((fact.at - operation.running_since).total_seconds())
        operation.running_since = None
    if event.target == OperationState.RUNNING:
        operation.running_since = fact.at
        operation.started_by = operation.started_by or fact.actor
        operation.started_at = operation.started_at or fact.at
    operation.state = event.target


@apply.register
def _(event: e.PickListMoved, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    if work_order.pick_list is None:
        number = f"{event.work_order}-P"
        work_order.pick_list = PickList(number=number, state=event.target, created_by=fact.actor)
    pick_list = work_order.pick_list
    pick_list.state = event.target
    if event.target == PickListState.ALLOCATED:
        pick_list.allocations, pick_list.short, pick_list.approved_by = event.allocations, (), None
    if event.target == PickListState.SHORT:
        pick_list.allocations, pick_list.short, pick_list.approved_by = (), event.short, None
    if event.target == PickListState.APPROVED and event.origin == PickListState.ALLOCATED:
        pick_list.approved_by = fact.actor


@apply.register
def _(event: e.MaterialsConsumed, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    work_order.consumed_at = (*work_order.consumed_at, event.operation)


@apply.register
def _(event: e.BatchStarted, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].lot_status = LotStatus.QUARANTINE


@apply.register
def _(event: e.ProductionReported, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.good += event.good
    operation.scrap += event.scrap
    operation.review_board += event.review_board
    operation.reports += 1


@apply.register
def _(event: e.OutputProduced, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].produced += event.quantity


@apply.register
def _(event: e.ParametersRecorded, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.recorded.update({value.name: value.within_limits for value in event.values})


@apply.register
def _(event: e.DeviationOpened, process: Process, fact: e.Fact) -> None:
    process.deviations[event.number] = "open"
    if event.operation is not None:
        operation = process.work_orders[event.work_order].operations[event.operation]
        operation.open_deviations = (*operation.open_deviations, event.number)


@apply.register
def _(event: e.DeviationDecided, process: Process, fact: e.Fact) -> None:
    process.deviations[event.number] = event.decision
    for work_order in process.work_orders.values():
        for operation in work_order.operations.values():
            operation.open_deviations = tuple(n for n in operation.open_deviations if n != event.number)


@apply.register
def _(event: e.InspectionRequested, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].inspection = Inspection(number=event.inspection)


@apply.register
def _(event: e.InspectionMoved, process: Process, fact: e.Fact) -> None:
    inspection = process.work_orders[event.work_order].inspection
    assert inspection is not None
    inspection.state = event.target
    if event.results:
        inspection.entered_by = fact.actor
        inspection.failed = tuple(result.name for result in event.results if not result.within_limits)
    if event.target in (InspectionState.ACCEPTED, InspectionState.REJECTED):
        inspection.decided_by = fact.actor


@apply.register
def _(event: e.PutAwayMoved, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    if work_order.put_away is None:
        work_order.put_away = PutAwayOrder(number=f"{event.work_order}-A", state=event.target)
    work_order.put_away.state = event.target
    work_order.put_away.place = event.place or work_order.put_away.place
    work_order.put_away.quantity = event.quantity or work_order.put_away.quantity


@apply.register
def _(event: e.LotMoved, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].lot_status = event.target


@apply.register
def _(event: e.BatchCertified, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].certified_by = fact.actor


@apply.register
def _(event: e.BatchReleaseRequested, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    work_order.release_requested_by, work_order.release_place = fact.actor, event.place


@apply.register
def _(event: e.EquipmentJobMoved, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.job, operation.job_state = event.job, event.target


@apply.register
def _(event: e.NeighbourWaiting, process: Process, fact: e.Fact) -> None:
    process.waiting[event.request] = Waiting(**event.model_dump(exclude={"kind"}))


@apply.register
def _(event: e.NeighbourAnswered, process: Process, fact: e.Fact) -> None:
    process.waiting.pop(event.request, None)


@apply.register
def _(event: e.RetryRequested, process: Process, fact: e.Fact) -> None:
    process.retries_requested += 1


@apply.register
def _(event: e.CompensationStarted, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].compensating = True


@apply.register
def _(event: e.VerdictPending, process: Process, fact: e.Fact) -> None:
    process.pending[event.request] = Pending(command_id=event.command_id, command=event.command, actor=event.actor)


@apply.register
def _(event: e.VerdictGiven, process: Process, fact: e.Fact) -> None:
    process.pending.pop(event.request, None)


@apply.register
def _(event: e.CommandRefused, process: Process, fact: e.Fact) -> None:
    """A refused command changes nothing."""
