"""Rules of single reports: inspect them while the order runs, rework what failed, take back what was wrong."""

from collections.abc import Iterable, Sized
from decimal import Decimal
from typing import TypeVar

from domain import quality_events as q
from domain.commands import (
    ApproveRework,
    DecideInProcessInspection,
    RejectRework,
    ReportRework,
    ReverseReport,
    StartRework,
)
from domain.errors import Blocker
from domain.events import ProductionReported
from domain.process import InProcessInspection, Operation, Process, Rework, WorkOrder
from domain.quantities import plain
from domain.rework_states import (
    IN_PROCESS_INSPECTION,
    REWORK,
    InProcessInspectionEvent,
    InProcessInspectionState,
    ReworkEvent,
    ReworkState,
)
from domain.rules.common import (
    Events,
    check,
    find_operation,
    find_work_order,
    invalid_transition,
    order_is_worked_on,
    reason_missing,
    refuse,
    same_person,
    work_order_runs,
)
from domain.rules.order_deviations import deviation
from domain.rules.rework_lots import TEST_FAILED, kept, not_permitted, own_lot, test_results, words
from domain.specification import InspectionRule, OperationSpecification, ReworkMethod
from domain.states import OperationState, TransitionRefused

Found = TypeVar("Found", InProcessInspection, Rework)


def inspection_of_report(
    work_order: WorkOrder, operation: Operation, specification: OperationSpecification, report: ProductionReported
) -> Events:
    """The in-process inspection that the operation's rule asks for."""
    rule = specification.inspection_rule
    asked = rule == InspectionRule.EVERY or (rule == InspectionRule.FIRST and operation.reports == 0)
    if not asked or report.good == 0:
        return ()
    return (
        q.InProcessInspectionMoved(
            work_order=work_order.number,
            operation=operation.code,
            inspection=_next(work_order.number, "Q", work_order.in_process_inspections),
            report_number=report.report_number,
            event=None,
            origin=None,
            target=InProcessInspectionState.OPEN,
            quantity=report.good,
            unit=report.unit,
            # Reworked pieces of a report were counted when they were made first.
            is_output=report.is_output and not report.is_rework,
        ),
    )


def decide_in_process_inspection(process: Process, command: DecideInProcessInspection) -> Events:
    """Failed pieces stop being good, and their rework is proposed."""
    work_order, _ = find_work_order(process, command.work_order)
    inspection = _found(work_order, work_order.in_process_inspections, "in-process inspection", command.inspection)
    event = InProcessInspectionEvent.FAIL if command.failed > 0 else InProcessInspectionEvent.PASS
    moved = _move_inspection(process, work_order, inspection, event)
    blockers = order_is_worked_on(process)
    there = work_order.operations[inspection.operation].good
    most = inspection.quantity if inspection.rework is not None else min(inspection.quantity, there)
    if command.failed > most:
        blockers.append(_blocker("FAILED_TOO_MANY", inspection.number, plain(command.failed), f"at most {plain(most)}"))
    if command.failed > 0 and not command.defect:
        blockers.append(_blocker("DEFECT_REQUIRED", inspection.number, "no defect", "what is wrong with the pieces"))
    blockers += same_person(
        command.actor, inspection.reported_by, "in-process inspection", inspection.number, "decide", "made the report"
    )
    results, missing = test_results(inspection, command)
    check(blockers + missing)
    outside = words(results)
    # A result outside its limits is stored as it is, and no piece of the lot passes.
    failed, defect = (inspection.quantity, outside) if outside else (command.failed, command.defect)
    if outside:
        moved = _move_inspection(process, work_order, inspection, InProcessInspectionEvent.FAIL)
    told = {"failed": failed, "defect": defect, "test_results": results}
    events: Events = (moved.model_copy(update=told),)
    if outside:
        detail = f"{inspection.number}, lot {inspection.lot}: {outside}"
        events = (*events, deviation(process, TEST_FAILED, detail, work_order.number))
    if inspection.rework is not None:
        done = work_order.reworks[inspection.rework]
        events = (*events, move_rework(process, work_order, done, ReworkEvent.COMPLETE))
    if failed > 0:
        events = (*events, _proposal(process, work_order, inspection, failed))
    return events


def _proposal(
    process: Process, work_order: WorkOrder, inspection: InProcessInspection, quantity: Decimal
) -> q.ReworkMoved:
    own = Rework(
        number=_next(work_order.number, "W", work_order.reworks),
        operation=inspection.operation,
        report_number=inspection.report_number,
        inspection=inspection.number,
        quantity=quantity,
        is_output=inspection.is_output,
        proposed_by="",
        parent_lot=inspection.lot or "",
        parent_rework=inspection.rework if inspection.lot else None,
    )
    return move_rework(process, work_order, own, None)


def approve_rework(process: Process, command: ApproveRework) -> Events:
    work_order, rework = _rework(process, command.work_order, command.rework)
    moved = move_rework(process, work_order, rework, ReworkEvent.APPROVE)
    found = same_person(command.actor, rework.proposed_by, "rework", rework.number, "approve", "decided the inspection")
    check(order_is_worked_on(process) + found + not_permitted(process, work_order, rework, command))
    # Where nobody asks for a procedure, the usual way is not said: the facts of such orders never did.
    is_said = process.specification.policy.rework_lots or command.rework_method != ReworkMethod.REWORK
    method = command.rework_method if is_said else None
    told = {"rework_method": method, "procedure": command.procedure.strip(), "tests": command.tests}
    return (moved.model_copy(update=told),)


def reject_rework(process: Process, command: RejectRework) -> Events:
    work_order, rework = _rework(process, command.work_order, command.rework)
    moved = move_rework(process, work_order, rework, ReworkEvent.REJECT)
    found = same_person(command.actor, rework.proposed_by, "rework", rework.number, "reject", "decided the inspection")
    check(order_is_worked_on(process) + found + reason_missing(command.reason, "rework", rework.number))
    return (moved.model_copy(update={"scrap": rework.quantity}),)


def start_rework(process: Process, command: StartRework) -> Events:
    work_order, rework = _rework(process, command.work_order, command.rework)
    moved = move_rework(process, work_order, rework, ReworkEvent.START)
    check(work_order_runs(process, work_order))
    lot = own_lot(process, work_order, rework)
    material = process.specification.work_order(work_order.number).material if lot is not None else ""
    return (moved.model_copy(update={"own_lot": lot, "material": material}),)


def report_rework(process: Process, command: ReportRework) -> Events:
    """All pieces are accounted for; the good ones are inspected again before they count."""
    work_order, rework = _rework(process, command.work_order, command.rework)
    moved = move_rework(process, work_order, rework, ReworkEvent.REPORT)
    blockers = work_order_runs(process, work_order)
    total = command.good + command.scrap
    if total != rework.quantity:
        blockers.append(
            _blocker("REWORK_INCOMPLETE", rework.number, f"{plain(total)} reported", f"all {plain(rework.quantity)}")
        )
    check(blockers)
    reported = moved.model_copy(update={"good": command.good, "scrap": command.scrap})
    if command.good == 0:
        over = reported.model_copy(
            update={
                "event": ReworkEvent.COMPLETE, "origin": ReworkState.REPORTED, "target": ReworkState.COMPLETED,
                "scrap": Decimal(0),
            }
        )  # fmt: skip
        return (reported, over)
    again = q.InProcessInspectionMoved(
        work_order=work_order.number,
        operation=rework.operation,
        inspection=_next(work_order.number, "Q", work_order.in_process_inspections),
        report_number=rework.report_number,
        event=None,
        origin=None,
        target=InProcessInspectionState.OPEN,
        quantity=command.good,
        unit=moved.unit,
        is_output=moved.is_output,
        rework=rework.number,
        lot=rework.own_lot,
        output_lot=process.specification.work_order(work_order.number).output_lot if rework.own_lot else None,
        tests=rework.tests,
    )
    return (reported, again)


def reverse_report(process: Process, command: ReverseReport) -> Events:
    """What a report said stops counting; the report and its counter-report both stay (SM-14)."""
    operation, own = find_operation(process, command.work_order, command.operation)
    work_order, specification = find_work_order(process, command.work_order)
    blockers = work_order_runs(process, work_order) + reason_missing(
        command.reason, "production report", command.report_number
    )
    if command.report_number in work_order.reversed_reports:
        blockers.append(_blocker("ALREADY_REVERSED", command.report_number, "reversed", "a report that counts"))
    if operation.state not in (OperationState.RUNNING, OperationState.COMPLETED):
        blockers.append(
            _blocker("OPERATION_NOT_RUNNING", command.report_number, operation.state, "running or completed")
        )
    inspections = [
        own for own in work_order.in_process_inspections.values() if own.report_number == command.report_number
    ]
    blockers += _sampled(operation, command)
    failed = [own.number for own in inspections if own.state == InProcessInspectionState.FAILED]
    if failed:
        found = f"failed in {', '.join(failed)}"
        blockers.append(_blocker("REPORT_INSPECTED", command.report_number, found, "a report without failed pieces"))
    check(blockers)
    cancelled = _cancelled(process, work_order, inspections)
    reversal = q.ReportReversed(
        work_order=work_order.number,
        operation=operation.code,
        report_number=f"{work_order.number}/{operation.code}/R{operation.reports + 1}",
        reverses=command.report_number,
        good=command.good,
        scrap=command.scrap,
        review_board=command.review_board,
        unit=specification.unit,
        lot=specification.output_lot,
        is_output=own.is_output and not command.is_rework,
    )
    return (*cancelled, reversal)


def _sampled(operation: Operation, command: ReverseReport) -> list[Blocker]:
    """A blocker if some of the report's pieces were taken for tests: they cannot be taken back."""
    if command.good <= operation.good:
        return []
    there = f"{plain(operation.good)} of its {plain(command.good)} good pieces are there"
    found = f"{there}; {plain(operation.sampled)} were sampled"
    return [_blocker("REPORT_SAMPLED", command.report_number, found, "a report without samples")]


def cancelled_rework(process: Process, work_order: WorkOrder) -> Events:
    """What voids all open in-process inspections and reworks of a work order."""
    inspections = _cancelled(process, work_order, work_order.in_process_inspections.values())
    reworks = tuple(
        kept(process, own, move_rework(process, work_order, own, ReworkEvent.CANCEL))
        for own in work_order.reworks.values()
        if not REWORK.is_final(own.state)
    )
    return (*inspections, *reworks)


def _cancelled(process: Process, work_order: WorkOrder, inspections: Iterable[InProcessInspection]) -> Events:
    return tuple(
        _move_inspection(process, work_order, own, InProcessInspectionEvent.CANCEL)
        for own in inspections
        if own.state == InProcessInspectionState.OPEN
    )


def move_rework(process: Process, work_order: WorkOrder, rework: Rework, event: ReworkEvent | None) -> q.ReworkMoved:
    """The rework's move by `event` (none: its proposal), or the refusal that names what is possible."""
    specification = process.specification.work_order(work_order.number)
    try:
        target = ReworkState.PROPOSED if event is None else REWORK.advance(rework.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("rework", rework.number, refused), possible=refused.possible) from None
    return q.ReworkMoved(
        work_order=work_order.number,
        operation=rework.operation,
        rework=rework.number,
        inspection=rework.inspection,
        report_number=rework.report_number,
        lot=rework.parent_lot or specification.output_lot,
        event=event,
        origin=None if event is None else rework.state,
        target=target,
        quantity=rework.quantity,
        unit=specification.unit,
        is_output=rework.is_output,
        parent_rework=rework.parent_rework,
        own_lot=rework.own_lot,
    )


def _move_inspection(
    process: Process, work_order: WorkOrder, inspection: InProcessInspection, event: InProcessInspectionEvent
) -> q.InProcessInspectionMoved:
    specification = process.specification.work_order(work_order.number)
    try:
        target = IN_PROCESS_INSPECTION.advance(inspection.state, event)
    except TransitionRefused as refused:
        blocker = invalid_transition("in-process inspection", inspection.number, refused)
        raise refuse(blocker, possible=refused.possible) from None
    return q.InProcessInspectionMoved(
        work_order=work_order.number,
        operation=inspection.operation,
        inspection=inspection.number,
        report_number=inspection.report_number,
        event=event,
        origin=inspection.state,
        target=target,
        quantity=inspection.quantity,
        unit=specification.unit,
        is_output=inspection.is_output,
        rework=inspection.rework,
        lot=inspection.lot,
        output_lot=specification.output_lot if inspection.lot else None,
    )


def _rework(process: Process, work_order_number: str, number: str) -> tuple[WorkOrder, Rework]:
    work_order, _ = find_work_order(process, work_order_number)
    return work_order, _found(work_order, work_order.reworks, "rework", number)


def _found(work_order: WorkOrder, known: dict[str, Found], entity: str, number: str) -> Found:
    if number not in known:
        raise refuse(
            Blocker(
                code="UNKNOWN",
                entity=entity,
                id=number,
                found=f"no such {entity} of {work_order.number}",
                required=f"one of {', '.join(known) or 'none'}",
            )
        )
    return known[number]


def _next(work_order: str, letter: str, known: Sized) -> str:
    return f"{work_order}-{letter}{len(known) + 1}"


def _blocker(code: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity="production report", id=identity, found=found, required=required)
