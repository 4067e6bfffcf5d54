"""How each event changes the state of an order.

`apply` is the only way in which a `Process` changes. The workflow folds its own events with it, `?at=` folds the
recorded ones up to a moment, and the consistency check folds all of them: the three must be equal.
"""

from domain import events as e
from domain import folding_balance as folding_balance
from domain import folding_changes as folding_changes
from domain import folding_holds as folding_holds
from domain import folding_record as folding_record
from domain import folding_recovery as folding_recovery
from domain import folding_rework as folding_rework
from domain import folding_weighing as folding_weighing
from domain import material_events as m
from domain import quality_events as q
from domain.applying import apply as apply
from domain.commands import ReturnDisposition
from domain.deciding import decided, voided
from domain.equipment_events import EquipmentFaultNoted, EquipmentOccupationMoved
from domain.events import HOLD_TIME_EXCEEDED
from domain.process import (
    Inspection,
    LedDeviation,
    MaterialReturn,
    OverReport,
    Pending,
    PickList,
    Process,
    PutAwayOrder,
    Unchecked,
    Waiting,
)
from domain.states import (
    InspectionState,
    LotStatus,
    OperationEvent,
    OperationState,
    OrderEvent,
    OrderState,
    PickListState,
)


def fold(process: Process, fact: e.Fact) -> None:
    """Apply all events of a fact, in order."""
    for event in fact.events:
        apply(event, process, fact)
    process.revision = fact.revision


@apply.register
def _(event: e.OrderCreated, process: Process, fact: e.Fact) -> None:
    process.created_at = fact.at


@apply.register
def _(event: e.OrderApprovalGiven, process: Process, fact: e.Fact) -> None:
    process.approvals = (*process.approvals, fact.actor)
    decided(process, fact, "approved")


@apply.register
def _(event: e.OrderMoved, process: Process, fact: e.Fact) -> None:
    if event.target == OrderState.HELD:
        process.remembered = event.origin
        process.held_by = fact.actor
    if event.target == OrderState.SUBMITTED:
        process.submitted_at, process.submitted_by = fact.at, fact.actor
        process.approval_reminded = process.approval_escalated = False
        if event.event == OrderEvent.SUBMIT:
            decided(process, fact, "submitted")
    if event.target == OrderState.DRAFT:
        process.approvals = ()
        voided(process, fact)
        decided(process, fact, "rejected")
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
    if event.target == OperationState.READY:
        operation.ready_at = fact.at
    if event.event in (OperationEvent.COMPLETE, OperationEvent.REOPEN):
        operation.verified_by = None
    if event.target == OperationState.COMPLETED:
        operation.completed_by = (*operation.completed_by, fact.actor)
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
    if event.operation not in work_order.consumed_at:
        work_order.consumed_at = (*work_order.consumed_at, event.operation)
    if work_order.pick_list is not None:
        for line in event.lines:
            work_order.pick_list.use(line.line, line.lot).consumed += line.quantity


@apply.register
def _(event: e.BatchStarted, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    work_order.lot_status, work_order.started_at = LotStatus.QUARANTINE, fact.at


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
    operation.values += len(event.values)
    names = {f"V{number}": value.name for number, value in enumerate(event.values, start=event.first)}
    for number in event.unchecked:
        operation.unchecked[number] = Unchecked(name=names[number], entered_by=fact.actor)


@apply.register
def _(event: e.DeviationOpened, process: Process, fact: e.Fact) -> None:
    process.deviations[event.number] = "open"
    if event.has_process:
        led = LedDeviation(opened=event, opened_by=fact.actor, opened_at=fact.at)
        process.led_deviations[event.number] = led
    if event.work_order is None or event.operation is None:
        return
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.open_deviations = (*operation.open_deviations, event.number)
    if event.code == HOLD_TIME_EXCEEDED:
        operation.hold_time_exceeded = True


@apply.register
def _(event: e.DeviationDecided, process: Process, fact: e.Fact) -> None:
    process.deviations[event.number] = event.decision
    for work_order in process.work_orders.values():
        for operation in work_order.operations.values():
            operation.open_deviations = tuple(n for n in operation.open_deviations if n != event.number)


@apply.register
def _(event: e.DeviationReopened, process: Process, fact: e.Fact) -> None:
    process.deviations[event.number] = "open"


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
    work_order = process.work_orders[event.work_order]
    work_order.held_from = event.origin if event.target == LotStatus.ON_HOLD else None
    work_order.lot_status = event.target


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


@apply.register
def _(event: q.ReportReversed, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    operation = work_order.operations[event.operation]
    operation.good -= event.good
    operation.scrap -= event.scrap
    operation.review_board -= event.review_board
    operation.reports += 1
    work_order.reversed_reports = (*work_order.reversed_reports, event.reverses)
    if event.is_output:
        work_order.produced -= event.good


@apply.register
def _(event: q.OverReportAsked, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.report.work_order]
    asked = OverReport(number=event.number, report=event.report, over_by=event.over_by)
    work_order.over_reports[event.number] = asked
    work_order.over_reports_asked += 1


@apply.register
def _(event: q.OverReportDecided, process: Process, fact: e.Fact) -> None:
    del process.work_orders[event.work_order].over_reports[event.number]


@apply.register
def _(event: m.ReturnMoved, process: Process, fact: e.Fact) -> None:
    returns = process.work_orders[event.work_order].returns
    if event.origin is None:
        returns[event.number] = MaterialReturn(
            number=event.number, lines=event.lines, asked_by=fact.actor, asked_at=fact.at
        )
        return
    returns[event.number].state = event.target


@apply.register
def _(event: m.MaterialsReturned, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    work_order.returns[event.number].returned = event.lines
    assert work_order.pick_list is not None
    for line in event.lines:
        used = work_order.pick_list.use(line.line, line.lot)
        if line.disposition == ReturnDisposition.SCRAP:
            used.scrapped += line.quantity
        else:
            used.returned += line.quantity


@apply.register
def _(event: EquipmentOccupationMoved, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.occupation = event.target if event.target in ("asked", "occupied") else None


@apply.register
def _(event: EquipmentFaultNoted, process: Process, fact: e.Fact) -> None:
    operation, _ = process.operation(event.work_order, event.operation)
    others = tuple(number for number in operation.faults if number != event.maintenance_order)
    operation.faults = (*others, event.maintenance_order) if event.standing == "failed" else others
