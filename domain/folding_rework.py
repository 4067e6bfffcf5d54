"""How inspections of single reports and their reworks change the state of an order. Importing this registers them."""

from domain import events as e
from domain import quality_events as q
from domain.applying import apply
from domain.process import InProcessInspection, Process, Rework
from domain.rework_states import InProcessInspectionState, ReworkEvent, ReworkState


@apply.register
def _(event: q.InProcessInspectionMoved, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    if event.origin is None:
        work_order.in_process_inspections[event.inspection] = InProcessInspection(
            number=event.inspection,
            operation=event.operation,
            report_number=event.report_number,
            quantity=event.quantity,
            is_output=event.is_output,
            reported_by=fact.actor,
            rework=event.rework,
            lot=event.lot,
            tests=event.tests,
        )
        return
    inspection = work_order.in_process_inspections[event.inspection]
    inspection.state = event.target
    if event.target == InProcessInspectionState.CANCELLED:
        return
    inspection.failed, inspection.defect, inspection.decided_by = event.failed, event.defect, fact.actor
    inspection.test_results = event.test_results
    operation = work_order.operations[event.operation]
    operation.good += event.back_to_good
    operation.review_board -= event.back_to_good
    if event.is_output:
        work_order.produced += event.back_to_good


@apply.register
def _(event: q.ReworkMoved, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    if event.origin is None:
        work_order.reworks[event.rework] = Rework(
            number=event.rework,
            operation=event.operation,
            report_number=event.report_number,
            inspection=event.inspection,
            quantity=event.quantity,
            is_output=event.is_output,
            proposed_by=fact.actor,
            parent_lot=event.lot,
            parent_rework=event.parent_rework,
        )
        return
    rework, operation = work_order.reworks[event.rework], work_order.operations[event.operation]
    rework.state = event.target
    match event.target:
        case ReworkState.APPROVED:
            rework.approved_by = fact.actor
            rework.method, rework.procedure, rework.tests = event.rework_method, event.procedure, event.tests
        case ReworkState.RUNNING:
            rework.done_by, rework.own_lot = fact.actor, event.own_lot
    if event.event == ReworkEvent.REPORT:
        rework.good, rework.scrap = event.good, event.scrap
    operation.review_board -= event.scrap
    operation.scrap += event.scrap
