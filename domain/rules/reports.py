"""Rules of production reports: pieces and hours, what passes the order's quantity, what becomes stock."""

from decimal import Decimal
from typing import Literal

from domain import events as e
from domain import quality_events as q
from domain.commands import DecideOverReport, ReportProduction, ReportType
from domain.errors import Blocker
from domain.policy import OverReport
from domain.process import Operation, Process, WorkOrder
from domain.quantities import plain
from domain.rules.common import (
    Events,
    check,
    find_work_order,
    machine_runs,
    reason_missing,
    refuse,
    running_operation,
    same_person,
)
from domain.rules.order_deviations import deviation
from domain.rules.print_checks import print_unchecked
from domain.rules.rework import inspection_of_report
from domain.specification import Equipment, OperationSpecification


def report_production(process: Process, command: ReportProduction) -> Events:
    work_order, operation, specification = running_operation(process, command)
    if specification.equipment == Equipment.OPC_UA and operation.job_state == "started":
        check([machine_runs(work_order, operation, "the machine's own report; wait for the end of its job")])
    if process.specification.policy.over_report == OverReport.APPROVE and (asked := _asked(process, command)):
        return asked
    return reported(process, work_order, operation, specification, command, "person")


def _asked(process: Process, report: ReportProduction) -> Events:
    """A report that passes the order's quantity waits for a supervisor, where the policy says so."""
    work_order, operation, specification = running_operation(process, report)
    over_by, _ = _open_quantity(process, work_order, operation, report, is_allowed=True)
    if over_by == 0:
        return ()
    # What would be refused anyway is refused now.
    reported(process, work_order, operation, specification, report, "person", allowed_by="nobody yet")
    number = f"{work_order.number}-O{work_order.over_reports_asked + 1}"
    return (q.OverReportAsked(number=number, report=report, over_by=over_by),)


def decide_over_report(process: Process, command: DecideOverReport) -> Events:
    """Another person than the reporter allows it, then it counts as if it had been reported now; or it never counts."""
    work_order, _ = find_work_order(process, command.work_order)
    asked = work_order.over_reports.get(command.over_report)
    if asked is None:
        known = ", ".join(work_order.over_reports) or "none"
        raise refuse(
            Blocker(
                code="UNKNOWN", entity="over-report", id=command.over_report, found="no report of that number waits",
                required=f"one of {known}",
            )
        )  # fmt: skip
    found = same_person(command.actor, asked.report.actor, "over-report", asked.number, "decide", "made the report")
    if not command.accept:
        found += reason_missing(command.reason, "over-report", asked.number)
    check(found)
    decided = q.OverReportDecided(
        work_order=work_order.number, number=asked.number, accept=command.accept, reported_by=asked.report.actor
    )
    if not command.accept:
        return (decided,)
    _, operation, specification = running_operation(process, asked.report)
    return (decided, *reported(process, work_order, operation, specification, asked.report, "person", command.actor))


def reported(
    process: Process,
    work_order: WorkOrder,
    operation: Operation,
    specification: OperationSpecification,
    report: ReportProduction,
    source: Literal["person", "machine"],
    allowed_by: str | None = None,
) -> Events:
    """The events of one report, by a person or by a machine, after the checks that both must pass (PO-07).

    `allowed_by` is who has allowed a report that passes the order's quantity.
    """
    identity = f"{work_order.number}/{operation.code}"
    over_by, blockers = _open_quantity(process, work_order, operation, report, allowed_by is not None)
    blockers += print_unchecked(work_order, operation, specification, report.received_at)
    if report.scrap > 0 and not report.scrap_reason:
        blockers.append(
            Blocker(
                code="SCRAP_REASON_REQUIRED",
                entity="operation",
                id=identity,
                found=f"{plain(report.scrap)} scrap without a reason",
                required="a reason for the scrap",
                who_can_fix="operator",
            )
        )
    check(blockers)
    event = e.ProductionReported(
        work_order=work_order.number,
        operation=operation.code,
        report_number=f"{identity}/R{operation.reports + 1}",
        good=report.good,
        scrap=report.scrap,
        scrap_reason=report.scrap_reason,
        review_board=report.review_board,
        unit=process.specification.work_order(work_order.number).unit,
        is_rework=report.is_rework,
        is_output=specification.is_output,
        report_type=report.report_type,
        source=source,
        workstation=report.workstation or specification.workstation,
        worker=report.worker,
        labour_seconds=report.labour_seconds,
        started_at=report.started_at,
        ended_at=report.ended_at,
        over_by=over_by,
    )
    inspection = inspection_of_report(work_order, operation, specification, event)
    return (event, *_output(process, work_order, event), *_review_board(process, event), *inspection)


def _output(process: Process, work_order: WorkOrder, report: e.ProductionReported) -> Events:
    """Good pieces of the output operation are stock. Reworked pieces were counted when they were made first."""
    if not report.is_output or report.good == 0 or report.is_rework:
        return ()
    lot = process.specification.work_order(work_order.number).output_lot
    return (e.OutputProduced(work_order=work_order.number, lot=lot, quantity=report.good, unit=report.unit),)


def _open_quantity(
    process: Process, work_order: WorkOrder, operation: Operation, report: ReportProduction, is_allowed: bool
) -> tuple[Decimal, list[Blocker]]:
    """By how much the report passes what is open at the operation, and the blocker if the policy refuses that."""
    if report.report_type == ReportType.BREAKDOWN or report.is_rework:
        return Decimal(0), []
    policy = process.specification.policy
    ordered = process.specification.work_order(work_order.number).quantity
    limit = ordered * (1 + policy.over_report_tolerance_percent / 100)
    total = report.good + report.scrap + report.review_board
    over_by = max(operation.reported + total - limit, Decimal(0))
    if over_by == 0 or policy.over_report == OverReport.FLAG or is_allowed:
        return over_by, []
    rest = plain(limit - operation.reported)
    blocker = Blocker(
        code="OVER_REPORT",
        entity="operation",
        id=f"{work_order.number}/{operation.code}",
        found=f"{plain(total)} reported, {plain(operation.reported)} before",
        required=f"at most {rest} more of {plain(ordered)} ordered",
        who_can_fix="planner",
    )
    return over_by, [blocker]


def _review_board(process: Process, report: e.ProductionReported) -> Events:
    """Pieces for the review board are a nonconformance that somebody has to decide."""
    if report.review_board == 0:
        return ()
    return (
        deviation(
            process,
            "REVIEW_BOARD",
            f"{plain(report.review_board)} {report.unit} of {report.report_number} for the review board",
            report.work_order,
        ),
    )
