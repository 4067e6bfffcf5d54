"""Rows of in-process inspections, reworks, counter-reports and over-reports. Importing this registers them."""

from decimal import Decimal
from typing import Any

from db import tables as t
from db.projection.approved import listed
from db.projection.events import LINKS, LOTS, OPERATIONS, REPORTS, Context, project
from domain import quality_events as q
from domain.quantities import plain
from domain.rework_states import InProcessInspectionState, ReworkState
from domain.states import LotStatus

INSPECTIONS = t.core(t.InProcessInspectionRow)
REWORKS = t.core(t.ReworkRow)


@project.register
def _(event: q.InProcessInspectionMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.origin is None:
        batch.insert(
            INSPECTIONS, number=event.inspection, work_order=event.work_order, operation=event.operation,
            report_number=event.report_number, rework=event.rework, quantity=event.quantity, unit=event.unit,
            state=str(event.target), failed=event.failed, opened_at=fact.at, lot=event.lot,
            tests=listed(event.tests),
        )  # fmt: skip
    else:
        values: dict[str, Any] = {"state": str(event.target)}
        if event.target != InProcessInspectionState.CANCELLED:
            values |= {"failed": event.failed, "defect": event.defect, "decided_by": fact.actor, "decided_at": fact.at}
            values["test_results"] = listed(event.test_results)
            batch.add(OPERATIONS, _operation(event), good=event.back_to_good, review_board=-event.back_to_good)
            _into_the_batch(event, context)
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
                values |= {"approved_by": fact.actor, "method": event.rework_method and str(event.rework_method)}
                values |= {"procedure": event.procedure or None, "tests": listed(event.tests)}
            case ReworkState.RUNNING:
                values |= {"done_by": fact.actor, "own_lot": event.own_lot}
                _begin_lot(event, context)
            case ReworkState.REPORTED:
                values |= {"good": event.good, "scrap": event.scrap}
        batch.update(REWORKS, {"number": event.rework}, **values)
    if event.scrap:
        batch.add(OPERATIONS, _operation(event), scrap=event.scrap, review_board=-event.scrap)
    if event.target == ReworkState.CANCELLED and event.own_lot is not None:
        _end_lot(event, context)
    if event.scrap and (event.own_lot or event.is_stock):
        batch.move(
            key=f"scrap:{context.key}", lot=event.own_lot or event.lot, from_place="LINE", to_place="SCRAP",
            quantity=event.scrap, unit=event.unit, kind="scrap", work_order=event.work_order, actor=fact.actor,
            moved_at=fact.at,
        )  # fmt: skip
    context.transition("rework", event.rework, event.event or "propose", event.origin, event.target)


def _begin_lot(event: q.ReworkMoved, context: Context) -> None:
    """The pieces leave the lot that they came from and are one of their own, linked to its parent."""
    if event.own_lot is None:
        return
    fact, batch = context.fact, context.batch
    batch.insert(
        LOTS, number=event.own_lot, material=event.material, unit=event.unit, status="quarantine", origin="reworked",
        work_order=event.work_order, created_at=fact.at,
    )  # fmt: skip
    batch.insert(
        LINKS, key=f"{context.key}:rework", input_lot=event.lot, output_lot=event.own_lot, quantity=event.quantity,
        unit=event.unit, work_order=event.work_order, operation=event.operation, linked_at=fact.at,
    )  # fmt: skip
    context.transition("lot", event.own_lot, "rework", None, "quarantine", parent=event.lot)
    if event.is_stock:
        _move(context, "from", event.lot, ("LINE", "PROCESS"), event.quantity, event)
    _move(context, "into", event.own_lot, ("PROCESS", "LINE"), event.quantity, event)


def _into_the_batch(event: q.InProcessInspectionMoved, context: Context) -> None:
    """Good pieces of a rework's own lot go back into the batch; all of them: the lot has passed."""
    if event.lot is None or event.output_lot is None:
        return
    fact, batch, good = context.fact, context.batch, event.quantity - event.failed
    if event.failed == 0:
        batch.update(LOTS, {"number": event.lot}, status=LotStatus.RELEASED)
        context.transition("lot", event.lot, "release", LotStatus.QUARANTINE, LotStatus.RELEASED)
    if good == 0:
        return
    _move(context, "back", event.lot, ("LINE", "PROCESS"), good, event, "consume")
    batch.insert(
        LINKS, key=f"{context.key}:back", input_lot=event.lot, output_lot=event.output_lot, quantity=good,
        unit=event.unit, work_order=event.work_order, operation=event.operation, linked_at=fact.at,
    )  # fmt: skip
    inputs = [{"lot": event.lot, "quantity": plain(good), "unit": event.unit}]
    context.audit("lot.consume", f"lot/{event.output_lot}", new={"operation": event.operation, "inputs": inputs})
    if event.is_output:
        _move(context, "again", event.output_lot, ("PROCESS", "LINE"), good, event, "return")


def _end_lot(event: q.ReworkMoved, context: Context) -> None:
    """What a cancelled order leaves of a rework nobody may use before quality has decided; what is scrapped, never."""
    assert event.own_lot is not None
    step, status = ("hold", LotStatus.ON_HOLD) if event.kept else ("reject", LotStatus.REJECTED)
    context.batch.update(LOTS, {"number": event.own_lot}, status=status)
    context.transition("lot", event.own_lot, step, LotStatus.QUARANTINE, status)


def _move(
    context: Context,
    name: str,
    lot: str,
    way: tuple[str, str],
    quantity: Decimal,
    event: q.ReworkMoved | q.InProcessInspectionMoved,
    kind: str = "rework",
) -> None:
    fact = context.fact
    context.batch.move(
        key=f"{kind}:{name}:{context.key}", lot=lot, from_place=way[0], to_place=way[1], quantity=quantity,
        unit=event.unit, kind=kind, work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
    )  # fmt: skip


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
