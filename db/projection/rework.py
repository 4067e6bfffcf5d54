"""Rows of in-process inspections, reworks, counter-reports and over-reports. Importing this registers them."""

from typing import Any

from db import tables as t
from db.projection.events import OPERATIONS, REPORTS, Context, project
from domain import quality_events as q
from domain.rework_states import InProcessInspectionState, ReworkState

INSPECTIONS = t.core(t.InProcessInspectionRow)
REWORKS = t.core(t.ReworkRow)


@project.register
def _(event: q.InProcessInspectionMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.origin is None:
        batch.insert(
            INSPECTIONS, number=event.inspection, work_order=event.work_order, operation=event.operation,
            report_number=event.report_number, rework=event.rework, quantity=event.quantity, unit=event.unit,
            state=str(event.target), failed=event.failed, opened_at=fact.at,
        )  # fmt: skip
    else:
        values: dict[str, Any] = {"state": str(event.target)}
        if event.target != InProcessInspectionState.CANCELLED:
            values |= {"failed": event.failed, "defect": event.defect, "decided_by": fact.actor, "decided_at": fact.at}
            batch.add(OPERATIONS, _operation(event), good=event.back_to_good, review_board=-event.back_to_good)
        batch.update(INSPECTIONS, {"number": event.inspection}, **values)
    context.transition("in-process inspection", event.inspection, event.event or "open", event.origin, event.target)


@project.register
def _(event: q.ReworkMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.origin is None:
        batch.insert(
            REWORKS, number=event.rework, work_order=event.work_order, operation=event.operation,
            report_number=event.report_number, inspection=event.inspection, lot=event.lot, quantity=event.quantity,
            unit=event.unit, state=str(event.target), good=event.good, scrap=event.scrap, proposed_by=fact.actor,
            proposed_at=fact.at,
        )  # fmt: skip
    else:
        values: dict[str, Any] = {"state": str(event.target)}
        match event.target:
            case ReworkState.APPROVED:
                values["approved_by"] = fact.actor
            case ReworkState.RUNNING:
                values["done_by"] = fact.actor
            case ReworkState.REPORTED:
                values |= {"good": event.good, "scrap": event.scrap}
        batch.update(REWORKS, {"number": event.rework}, **values)
    if event.scrap:
        batch.add(OPERATIONS, _operation(event), scrap=event.scrap, review_board=-event.scrap)
    if event.scrap and event.is_output:
        batch.move(
            key=f"scrap:{context.key}", lot=event.lot, from_place="LINE", to_place="SCRAP", quantity=event.scrap,
            unit=event.unit, kind="scrap", work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
        )  # fmt: skip
    context.transition("rework", event.rework, event.event or "propose", event.origin, event.target)


@project.register
def _(event: q.ReportReversed, context: Context) -> None:
    fact, batch = context.fact, context.batch
    batch.insert(
        REPORTS, number=event.report_number, work_order=event.work_order, operation=event.operation,
        good=-event.good, scrap=-event.scrap, review_board=-event.review_board, unit=event.unit, is_rework=False,
        report_type="production", source="person", workstation="", operator=fact.actor, over_by=0,
        reported_at=fact.at, command_id=fact.command_id, reverses=event.reverses,
    )  # fmt: skip
    batch.add(OPERATIONS, _operation(event), good=-event.good, scrap=-event.scrap, review_board=-event.review_board)
    if event.is_output and event.good:
        batch.move(
            key=f"reverse:{context.key}", lot=event.lot, from_place="LINE", to_place="PROCESS", quantity=event.good,
            unit=event.unit, kind="reverse", work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
        )  # fmt: skip
    new = event.model_dump(mode="json", by_alias=True, include={"report_number", "reverses", "good", "scrap"})
    context.audit("operation.reverseReport", f"operation/{event.work_order}/{event.operation}", new=new)


@project.register
def _(event: q.OverReportAsked, context: Context) -> None:
    new = event.model_dump(mode="json", by_alias=True, include={"number", "over_by"})
    new["good"] = str(event.report.good)
    context.audit("overReport.ask", f"operation/{event.report.work_order}/{event.report.operation}", new=new)


@project.register
def _(event: q.OverReportDecided, context: Context) -> None:
    context.audit(
        "overReport.decide", f"work-order/{event.work_order}", new={"number": event.number, "accept": event.accept}
    )


def _operation(event: q.InProcessInspectionMoved | q.ReworkMoved | q.ReportReversed) -> dict[str, str]:
    return {"work_order": event.work_order, "code": event.operation}
