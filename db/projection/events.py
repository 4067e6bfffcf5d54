"""Which rows each kind of event writes. One small function per kind; what they collect is written in one go."""

from typing import Any

from db import tables as t
from db.projection.approved import approved_before
from db.projection.context import Context as Context
from db.projection.context import Writing as Writing
from db.projection.context import project as project
from db.segregation import segregate
from domain import events as e
from domain.base import uuid_for
from domain.evidence import evidence_of
from domain.quality_events import OverReportDecided
from domain.states import LotStatus, OperationState, OrderState, PickListState, WorkOrderState

ORDERS = t.core(t.ProductionOrder)
WORK_ORDERS = t.core(t.WorkOrder)
OPERATIONS = t.core(t.OperationRow)
REPORTS = t.core(t.ProductionReport)
PARAMETERS = t.core(t.ParameterValue)
PICK_LISTS = t.core(t.PickListRow)
PUT_AWAYS = t.core(t.PutAwayRow)
LOTS = t.core(t.Lot)
LINKS = t.core(t.LotLink)
INSPECTIONS = t.core(t.InspectionRow)
RESULTS = t.core(t.InspectionResult)
DEVIATIONS = t.core(t.Deviation)
RUNS = t.core(t.EquipmentRun)


@project.register
def _(event: e.OrderCreated, context: Context) -> None:
    specification, fact, batch = event.specification, context.fact, context.batch
    batch.insert(
        ORDERS, number=specification.number, uuid=uuid_for("production-order", specification.number),
        plan_line=specification.plan_line, plant=specification.plant, product=specification.product,
        quantity=specification.quantity, unit=specification.unit, policy=specification.policy.code,
        state=OrderState.DRAFT, created_by=specification.created_by, created_at=fact.at,
        due_at=specification.due_at, revision=fact.revision,
    )  # fmt: skip
    for work_order in specification.work_orders:
        batch.insert(
            WORK_ORDERS, number=work_order.number, uuid=uuid_for("work-order", work_order.number),
            order_number=specification.number, material=work_order.material, quantity=work_order.quantity,
            unit=work_order.unit, state=WorkOrderState.PENDING, output_lot=work_order.output_lot,
            feeds=work_order.feeds, record_version=work_order.record and work_order.record.version,
        )  # fmt: skip
        for operation in work_order.operations:
            batch.insert(
                OPERATIONS, work_order=work_order.number, code=operation.code, sequence=operation.sequence,
                name=operation.name, workstation=operation.workstation, state=OperationState.PENDING,
                good=0, scrap=0, review_board=0,
            )  # fmt: skip
        approved_before(work_order, context)
    context.transition("production-order", specification.number, "create", None, OrderState.DRAFT)


@project.register
def _(event: e.OrderApprovalGiven, context: Context) -> None:
    entity = f"production-order/{context.fact.order_number}"
    context.audit("production-order.approvalGiven", entity, new={"approval": event.number})


@project.register
def _(event: e.OrderMoved, context: Context) -> None:
    number = context.fact.order_number
    values: dict[str, Any] = {"state": event.target}
    if event.target == OrderState.IN_PROGRESS and event.origin == OrderState.RELEASED:
        values["actual_start"] = context.fact.at
    if event.target in (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.ABORTED):
        values["actual_end"] = context.fact.at
    context.batch.update(ORDERS, {"number": number}, **values)
    context.transition("production-order", number, event.event, event.origin, event.target)


@project.register
def _(event: e.ApprovalOverdue, context: Context) -> None:
    entity = f"production-order/{context.fact.order_number}"
    context.audit(f"production-order.approval-{event.step}", entity, new={"step": event.step})


@project.register
def _(event: e.WorkOrderMoved, context: Context) -> None:
    values: dict[str, Any] = {"state": event.target}
    if event.target == WorkOrderState.RUNNING and event.origin == WorkOrderState.READY:
        values["actual_start"] = context.fact.at
    if event.target in (WorkOrderState.COMPLETED, WorkOrderState.CANCELLED, WorkOrderState.ABORTED):
        values["actual_end"] = context.fact.at
    context.batch.update(WORK_ORDERS, {"number": event.work_order}, **values)
    context.transition("work-order", event.work_order, event.event, event.origin, event.target)


@project.register
def _(event: e.OperationMoved, context: Context) -> None:
    values: dict[str, Any] = {"state": event.target}
    if event.target == OperationState.RUNNING and event.origin == OperationState.READY:
        values |= {"started_at": context.fact.at, "started_by": context.fact.actor}
    if event.target in (OperationState.COMPLETED, OperationState.ABORTED):
        values["ended_at"] = context.fact.at
    context.batch.update(OPERATIONS, {"work_order": event.work_order, "code": event.operation}, **values)
    identity = f"{event.work_order}/{event.operation}"
    context.transition("operation", identity, event.event, event.origin, event.target)


@project.register
def _(event: e.PickListMoved, context: Context) -> None:
    number = f"{event.work_order}-P"
    if event.origin is None:
        context.batch.insert(
            PICK_LISTS, number=number, uuid=uuid_for("pick-list", number), work_order=event.work_order,
            state=event.target, created_by=context.fact.actor, created_at=context.fact.at,
        )  # fmt: skip
    else:
        values: dict[str, Any] = {"state": event.target}
        if event.target == PickListState.ALLOCATED:
            values |= {"lines": [line.model_dump(mode="json", by_alias=True) for line in event.allocations]}
            values |= {"short": None, "approved_by": None}
        if event.target == PickListState.SHORT:
            values |= {"lines": None, "short": [line.model_dump(mode="json", by_alias=True) for line in event.short]}
        if event.target == PickListState.APPROVED and event.origin == PickListState.ALLOCATED:
            values["approved_by"] = context.fact.actor
        context.batch.update(PICK_LISTS, {"number": number}, **values)
    context.transition("pick-list", number, event.event or "create", event.origin, event.target)


@project.register
def _(event: e.MaterialsConsumed, context: Context) -> None:
    fact, batch = context.fact, context.batch
    for index, line in enumerate(event.lines):
        key = f"{context.key}:{index}"
        batch.move(
            key=f"consume:{key}", lot=line.lot, from_place="DISPENSED" if line.container else "LINE",
            to_place="PROCESS", quantity=line.quantity,
            unit=line.unit, kind="consume", work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
        )  # fmt: skip
        batch.insert(
            LINKS, key=key, input_lot=line.lot, output_lot=event.output_lot, quantity=line.quantity, unit=line.unit,
            work_order=event.work_order, operation=event.operation, linked_at=fact.at, container=line.container,
        )  # fmt: skip
    consumed = [line.model_dump(mode="json", by_alias=True) for line in event.lines]
    context.audit("lot.consume", f"lot/{event.output_lot}", new={"operation": event.operation, "inputs": consumed})


@project.register
def _(event: e.BatchStarted, context: Context) -> None:
    context.batch.insert(
        LOTS, number=event.lot, material=event.material, unit=event.unit, status="quarantine", origin="produced",
        work_order=event.work_order, created_at=context.fact.at,
    )  # fmt: skip
    context.transition("lot", event.lot, "produce", None, "quarantine")


@project.register
def _(event: e.ProductionReported, context: Context) -> None:
    fact, batch = context.fact, context.batch
    batch.insert(
        REPORTS, number=event.report_number, work_order=event.work_order, operation=event.operation, good=event.good,
        scrap=event.scrap, scrap_reason=event.scrap_reason, review_board=event.review_board, unit=event.unit,
        is_rework=event.is_rework, report_type=event.report_type, source=event.source, workstation=event.workstation,
        worker=event.worker, operator=_reporter(fact), labour_seconds=event.labour_seconds, started_at=event.started_at,
        ended_at=event.ended_at, over_by=event.over_by, reported_at=fact.at, command_id=fact.command_id,
    )  # fmt: skip
    key = {"work_order": event.work_order, "code": event.operation}
    batch.add(OPERATIONS, key, good=event.good, scrap=event.scrap, review_board=event.review_board)
    context.audit(
        "operation.report",
        f"operation/{event.work_order}/{event.operation}",
        new=event.model_dump(mode="json", by_alias=True, include={"report_number", "good", "scrap", "review_board"}),
    )


def _reporter(fact: e.Fact) -> str:
    """Who reported: not the supervisor who allowed an over-report later."""
    return next((event.reported_by for event in fact.events if isinstance(event, OverReportDecided)), fact.actor)


@project.register
def _(event: e.OutputProduced, context: Context) -> None:
    fact = context.fact
    context.batch.move(
        key=f"produce:{context.key}", lot=event.lot, from_place="PROCESS", to_place="LINE", quantity=event.quantity,
        unit=event.unit, kind="produce", work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
    )  # fmt: skip


def judged(value: e.JudgedValue) -> dict[str, Any]:
    """The columns of a measured value and its judgement."""
    return value.model_dump(exclude={"measured_with"})


@project.register
def _(event: e.ParametersRecorded, context: Context) -> None:
    for index, value in enumerate(event.values):
        context.batch.insert(
            PARAMETERS, work_order=event.work_order, operation=event.operation, **judged(value),
            recorded_by=context.fact.actor, recorded_at=context.fact.at, version=1,
            number=f"V{event.first + index}" if event.first else None, reason=context.fact.reason,
            measured_at=event.measured_at, is_late=event.is_late, is_typed=event.is_typed,
        )  # fmt: skip
    values = {value.name: f"{value.text} {value.unit}".strip() for value in event.values}
    context.audit("operation.record", f"operation/{event.work_order}/{event.operation}", new=values)


@project.register
def _(event: e.DeviationOpened, context: Context) -> None:
    context.batch.insert(
        DEVIATIONS, number=event.number, order_number=context.fact.order_number, work_order=event.work_order,
        operation=event.operation, code=event.code, detail=event.detail, state="open", opened_by=context.fact.actor,
        opened_at=context.fact.at, has_process=event.has_process, lot=event.lot,
    )  # fmt: skip
    context.audit("deviation.open", f"deviation/{event.number}", new={"code": event.code, "detail": event.detail})


@project.register
def _(event: e.DeviationDecided, context: Context) -> None:
    context.batch.update(
        DEVIATIONS, {"number": event.number}, state="closed", decision=event.decision,
        decided_by=event.decided_by or context.fact.actor, decided_at=context.fact.at,
    )  # fmt: skip
    context.audit("deviation.decide", f"deviation/{event.number}", new={"decision": event.decision})


@project.register
def _(event: e.DeviationReopened, context: Context) -> None:
    """The deviation's own process has written its row."""
    context.audit("deviation.reopened", f"deviation/{event.number}", new={"state": "open"})


@project.register
def _(event: e.InspectionRequested, context: Context) -> None:
    """Quality made the row, as `requested`, in its own transaction; from here on the order takes its results."""
    context.batch.update(INSPECTIONS, {"number": event.inspection}, state="created")
    context.transition("inspection", event.inspection, "open", "requested", "created")


@project.register
def _(event: e.InspectionMoved, context: Context) -> None:
    fact, values = context.fact, {"state": str(event.target)}
    if event.results:
        values["entered_by"] = fact.actor
    if event.target in ("accepted", "rejected"):
        values |= {"decided_by": fact.actor, "decided_at": fact.at}  # type: ignore[dict-item]
    context.batch.update(INSPECTIONS, {"number": event.inspection}, **values)
    for result in event.results:
        context.batch.insert(
            RESULTS, inspection=event.inspection, **result.model_dump(exclude={"is_warning", "measured_with"}),
            entered_by=fact.actor, entered_at=fact.at, measured_with=evidence_of(result),
        )  # fmt: skip
    context.transition("inspection", event.inspection, event.event, event.origin, event.target)


@project.register
def _(event: e.PutAwayMoved, context: Context) -> None:
    number = f"{event.work_order}-A"
    if event.origin is None:
        context.batch.insert(
            PUT_AWAYS, number=number, uuid=uuid_for("put-away", number), work_order=event.work_order,
            lot=event.lot, state=event.target, place=event.place, quantity=event.quantity,
        )  # fmt: skip
    else:
        values = {"place": event.place, "quantity": event.quantity}
        known = {name: value for name, value in values.items() if value is not None}
        context.batch.update(PUT_AWAYS, {"number": number}, state=event.target, **known)
    context.transition("put-away", number, event.event or "create", event.origin, event.target)


@project.register
def _(event: e.LotMoved, context: Context) -> None:
    context.batch.update(LOTS, {"number": event.lot}, status=event.target)
    if event.target == LotStatus.REJECTED:
        fact, key = context.fact, context.key
        context.batch.then(lambda connection: segregate(connection, event.lot, key, fact.actor, fact.at)[1])
    context.transition("lot", event.lot, event.event, event.origin, event.target)


@project.register
def _(event: e.BatchCertified, context: Context) -> None:
    context.audit("lot.certify", f"lot/{event.lot}", new={"certified": True})


@project.register
def _(event: e.BatchReleaseRequested, context: Context) -> None:
    context.audit("lot.requestRelease", f"lot/{event.lot}", new={"place": event.place})


@project.register
def _(event: e.EquipmentJobMoved, context: Context) -> None:
    fact = context.fact
    if event.target == "started":
        context.batch.insert(
            RUNS, job=event.job, workstation=event.workstation, work_order=event.work_order,
            operation=event.operation, batch=event.batch, state=event.target, started_at=fact.at,
        )  # fmt: skip
    else:
        counts = {"good": event.good, "waste": event.waste}
        context.batch.update(RUNS, {"job": event.job}, state=event.target, ended_at=fact.at, **counts)
    new = event.model_dump(mode="json", by_alias=True, include={"target", "detail", "good", "waste", "readings"})
    context.audit(f"equipment.{event.target}", f"equipment-run/{event.job}", new=new)


@project.register
def _(event: e.NeighbourWaiting, context: Context) -> None:
    new = event.model_dump(mode="json", by_alias=True, include={"neighbour", "request", "attempt", "last_error"})
    context.audit("neighbour.waiting", f"production-order/{context.fact.order_number}", new=new)


@project.register
def _(event: e.NeighbourAnswered, context: Context) -> None:
    new = event.model_dump(mode="json", by_alias=True, include={"neighbour", "request", "attempts"})
    context.audit("neighbour.answered", f"production-order/{context.fact.order_number}", new=new)


@project.register
def _(event: e.RetryRequested, context: Context) -> None:
    context.audit("neighbour.retry", f"production-order/{context.fact.order_number}", new={"retry": "now"})


@project.register
def _(event: e.CompensationStarted, context: Context) -> None:
    context.audit("work-order.compensate", f"work-order/{event.work_order}", new={"compensation": "done"})


@project.register
def _(event: e.VerdictPending, context: Context) -> None:
    entity = f"production-order/{context.fact.order_number}"
    context.audit("command.taken", entity, new={"command": event.command, "request": event.request})


@project.register
def _(event: e.VerdictGiven, context: Context) -> None:
    """The outcome row tells it."""


@project.register
def _(event: e.CommandRefused, context: Context) -> None:
    blockers = [blocker.model_dump(mode="json", by_alias=True) for blocker in event.blockers]
    entity = f"production-order/{context.fact.order_number}"
    context.audit("command.refused", entity, new={"command": event.command, "blockers": blockers})
