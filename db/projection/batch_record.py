"""Rows of checks, corrections, verifications and remarks of the batch record. Importing this registers them."""

from typing import Any

from db import tables as t
from db.projection.events import PARAMETERS, PICK_LISTS, Context, judged, project
from domain import identification_events as i
from domain import record_events as r
from domain.record_states import BatchRecordEvent

CHECKS = t.core(t.ParameterCheck)
VERIFICATIONS = t.core(t.OperationVerification)
COMMENTS = t.core(t.OperationComment)
RECORDS = t.core(t.BatchRecordRow)
EXPLANATIONS = t.core(t.ExceptionExplanation)


def _entity(event: r.ParametersChecked | r.ParameterCorrected | r.OperationVerified | r.OperationCommented) -> str:
    return f"operation/{event.work_order}/{event.operation}"


@project.register
def _(event: r.ParametersChecked, context: Context) -> None:
    for value in event.values:
        context.batch.insert(
            CHECKS, work_order=event.work_order, operation=event.operation, number=value.number,
            version=value.version, checked_by=context.fact.actor, checked_at=context.fact.at,
        )  # fmt: skip
    names = {value.number: value.name for value in event.values}
    context.audit("operation.check", _entity(event), new=names)


@project.register
def _(event: r.ParameterCorrected, context: Context) -> None:
    fact, value = context.fact, event.value
    context.batch.insert(
        PARAMETERS, work_order=event.work_order, operation=event.operation, **judged(value), recorded_by=fact.actor,
        recorded_at=fact.at, number=event.number, version=event.version, reason=fact.reason, is_late=False,
        is_typed=True,
    )  # fmt: skip
    old = {value.name: f"{event.old_text} {value.unit}".strip()}
    new = {value.name: f"{value.text} {value.unit}".strip()}
    context.audit("operation.correct", f"{_entity(event)}/{event.number}", old=old, new=new)


@project.register
def _(event: r.OperationVerified, context: Context) -> None:
    context.batch.insert(
        VERIFICATIONS, work_order=event.work_order, operation=event.operation, done_by=list(event.done_by),
        verified_by=context.fact.actor, verified_at=context.fact.at,
    )  # fmt: skip
    context.audit("operation.verify", _entity(event), new={"doneBy": list(event.done_by)})


@project.register
def _(event: r.OperationCommented, context: Context) -> None:
    context.batch.insert(
        COMMENTS, work_order=event.work_order, operation=event.operation, number=event.number, text=event.text,
        written_by=context.fact.actor, written_at=context.fact.at,
    )  # fmt: skip
    context.audit("operation.comment", _entity(event), new={"text": event.text})


@project.register
def _(event: r.BatchRecordMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.origin is None:
        batch.insert(RECORDS, work_order=event.work_order, lot=event.lot, state=event.target, issued_at=fact.at)
    else:
        batch.update(RECORDS, {"work_order": event.work_order}, state=event.target, **_step(event, context))
    context.transition("batch-record", event.work_order, event.event or "issue", event.origin, event.target)


def _step(event: r.BatchRecordMoved, context: Context) -> dict[str, Any]:
    fact = context.fact
    match event.event:
        case BatchRecordEvent.REVIEW:
            return {"reviewed_by": fact.actor, "reviewed_at": fact.at}
        case BatchRecordEvent.APPROVE:
            approved = {"content_hash": event.content_hash, "content_revision": event.content_revision}
            return {"approved_by": fact.actor, "approved_at": fact.at, **approved}
        case BatchRecordEvent.ARCHIVE:
            return {"archived_at": fact.at}
        case _:
            return {"reviewed_by": None, "reviewed_at": None}


@project.register
def _(event: r.ExceptionJustified, context: Context) -> None:
    context.batch.insert(
        EXPLANATIONS, work_order=event.work_order, exception=event.exception, type=event.type, detail=event.detail,
        text=event.text, explained_by=context.fact.actor, explained_at=context.fact.at,
    )  # fmt: skip
    new = {"exception": event.exception, "type": event.type, "text": event.text}
    context.audit("batch-record.explain", f"batch-record/{event.work_order}", new=new)


@project.register
def _(event: i.CodeTyped, context: Context) -> None:
    where = f"/{event.operation}" if event.operation else ""
    entity = f"{'operation' if event.operation else 'work-order'}/{event.work_order}{where}"
    new = {"command": event.command, "codes": list(event.codes), "secondPerson": event.second_person} | {
        "reason": event.reason
    }
    context.audit("scan.typed", entity, new=new)


@project.register
def _(event: i.LotsChosen, context: Context) -> None:
    if event.choice:
        choice = {str(own.line): list(own.lots) for own in event.choice}
        context.audit("pick-list.chooseLots", f"pick-list/{event.work_order}-P", new=choice)


@project.register
def _(event: i.FefoOverridden, context: Context) -> None:
    lines = [line.model_dump(mode="json", by_alias=True) for line in event.lines]
    new = {"lines": lines, "reason": event.reason}
    context.audit("pick-list.fefoOverridden", f"pick-list/{event.work_order}-P", new=new)


@project.register
def _(event: i.AllocationReplaced, context: Context) -> None:
    number = f"{event.work_order}-P"
    lines = [line.model_dump(mode="json", by_alias=True) for line in event.allocations]
    context.batch.update(PICK_LISTS, {"number": number}, lines=lines)
    context.audit("pick-list.replaced", f"pick-list/{number}", new={"lines": lines})
