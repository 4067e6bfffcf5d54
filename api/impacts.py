"""A change of master data becomes a task for each open order that runs by the old; its owner decides it (C3).

The tasks are written in the transaction of the change: there is no change without them. Holding and cancelling are the
order's own commands, judged by its process; the decision is noted when the process has said yes.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi.responses import JSONResponse
from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool

from api.commands import ORDER, perform
from api.deps import Caller
from api.errors import not_found, of_refusal
from api.security import now
from api.shapes import CommandBody
from db import audit
from db.queries import impacts as tables
from domain import commands as c
from domain.errors import Refused
from domain.impacts import ImpactDecision, MasterDataChange, check_open, impact_number

ENTITY: Final = "impact"
Document = dict[str, Any]


def raise_for(
    connection: Connection, who: Caller, changes: Iterable[MasterDataChange], at: datetime
) -> list[audit.Entry]:
    """Write the tasks of these changes, in their transaction; answers the audit entries. Two statements for most."""
    by_subject: dict[tuple[str, str], MasterDataChange] = {(own.kind, own.subject): own for own in changes}
    made = {own.subject for own in by_subject.values() if own.kind not in ("policy", "material")}
    found = [
        (own, row)
        for row in tables.orders_making(connection, made)
        for (kind, subject), own in by_subject.items()
        if subject == row.material and kind not in ("policy", "material")
    ]
    policies = {own.subject for own in by_subject.values() if own.kind == "policy"}
    found += [(by_subject["policy", row.material], row) for row in tables.orders_under(connection, policies)]
    for own in by_subject.values():
        if own.kind == "material":
            found += [(own, row) for row in tables.orders_using(connection, own.subject)]
    rows = [_row(own, row, who.id, at) for own, row in found if not _has_it(own, row)]
    new = tables.raise_(connection, rows)
    return [
        who.entry(
            f"{ENTITY}.raised",
            f"{ENTITY}/{row['number']}",
            new={name: row[name] for name in _TOLD} | {"raised_at": at.isoformat()},
        )
        for row in rows
        if row["number"] in new
    ]


_TOLD: Final = ("order_number", "change", "kind", "subject", "version", "made_by", "owner", "state", "raised_by")


def _has_it(change: MasterDataChange, row: Row[Any]) -> bool:
    """Whether the order was made by the version that counts now: one that waited for its day, or was reinstated."""
    return change.kind == "master-batch-record" and row.record_version == change.version


def _row(change: MasterDataChange, row: Row[Any], by: str, at: datetime) -> Document:
    return {
        "number": impact_number(row.number, change.entity), "change": change.entity, "kind": change.kind,
        "subject": change.subject, "version": change.version, "order_number": row.number,
        "made_by": row.record_version if change.kind == "master-batch-record" else None, "owner": row.created_by,
        "state": "open", "raised_by": by, "raised_at": at,
    }  # fmt: skip


def shown(row: Row[Any]) -> Document:
    """A task as people and programs see it."""
    return {
        "number": row.number, "change": row.change, "kind": row.kind, "subject": row.subject, "version": row.version,
        "madeBy": row.made_by, "orderNumber": row.order_number, "orderId": str(row.order_id),
        "orderState": row.order_state, "product": row.product, "owner": row.owner, "state": row.state,
        "raisedBy": row.raised_by, "raisedAt": row.raised_at.isoformat(), "decision": row.decision,
        "reason": row.reason, "decidedBy": row.decided_by,
        "decidedAt": None if row.decided_at is None else row.decided_at.isoformat(),
        "possible": [str(own) for own in ImpactDecision] if _is_open(row) else [],
        "next": "backorder" if row.decision == ImpactDecision.REISSUE and row.order_state == "cancelled" else None,
    }  # fmt: skip


def _is_open(row: Row[Any]) -> bool:
    return bool(row.state == "open" and row.order_state not in tables.ENDED)


async def decide(
    who: Caller, order_id: UUID, number: str, body: CommandBody, decision: ImpactDecision,
    disposition: c.Disposition | None,
) -> JSONResponse | Document:  # fmt: skip
    """Decide one task. Sent again with the same command id it has the same answer, whatever was lost between."""
    earlier = await run_in_threadpool(_checked, who, order_id, number, body, decision)
    if earlier is not None:
        return earlier
    answer: JSONResponse | None = None
    if decision == ImpactDecision.HOLD:
        answer = await perform(who, c.HoldOrder, ORDER, order_id, body)
    elif decision == ImpactDecision.REISSUE:
        answer = await perform(who, c.CancelOrder, ORDER, order_id, body, **_if_any(disposition=disposition))
    if answer is not None and answer.status_code == 202:
        return answer  # not judged yet: sent again with the same id, the decision is noted
    return await run_in_threadpool(_note, who, number, body, decision)


_OVER: Final = ("closed", "aborted")
"""Not cancelled: the cancellation may be this command's own, whose answer was lost before the decision was noted."""


def _if_any(**values: Any) -> Document:
    return {name: value for name, value in values.items() if value is not None}


def _found(connection: Connection, order_id: UUID | None, number: str, *, lock: bool = False) -> Row[Any]:
    row = tables.find(connection, number, lock=lock)
    if row is None or (order_id is not None and row.order_id != order_id):
        raise not_found("master data impact", number)
    return row


def _checked(who: Caller, order_id: UUID, number: str, body: CommandBody, decision: ImpactDecision) -> Document | None:
    """The answer that this command had before, or none when the task may be decided."""
    with who.services.engine.connect() as connection:
        row = _found(connection, order_id, number)
    if row.command_id is not None and row.command_id == body.command_id:
        return _answer(row, body)
    over = _OVER if decision == ImpactDecision.REISSUE else tables.ENDED
    try:
        check_open(number, row.state, f"{row.decision}, by {row.decided_by}", row.order_state, over)
    except Refused as no:
        _audit(who, number, body, no)
        raise of_refusal(no, body.command_id) from None
    return None


def _audit(who: Caller, number: str, body: CommandBody, no: Refused) -> None:
    new = {"command": "decideImpact", "blockers": [own.model_dump(mode="json", by_alias=True) for own in no.blockers]}
    entry = who.entry("command.refused", f"{ENTITY}/{number}", new=new, reason=body.reason, command_id=body.command_id)
    with who.services.engine.begin() as connection:
        audit.append(connection, [entry])


def _note(who: Caller, number: str, body: CommandBody, decision: ImpactDecision) -> Document:
    with who.services.engine.begin() as connection:
        row = _found(connection, None, number, lock=True)
        if row.command_id != body.command_id:
            if row.state != "open":
                decided = f"{row.decision}, by {row.decided_by}"
                check_open(number, row.state, decided, row.order_state, ())
            at = now()
            values = {
                "decision": str(decision), "reason": body.reason, "decided_by": who.id, "decided_at": at,
                "command_id": body.command_id,
            }  # fmt: skip
            tables.decide(connection, number, **values)
            told = {
                "state": "decided", "decision": str(decision), "order_number": row.order_number,
                "decided_at": at.isoformat(),
            }  # fmt: skip
            entry = who.entry(
                f"{ENTITY}.decided", f"{ENTITY}/{number}", old={"state": "open"}, new=told, reason=body.reason,
                command_id=body.command_id,
            )  # fmt: skip
            audit.append(connection, [entry])
            row = _found(connection, None, number)
    return _answer(row, body)


def _answer(row: Row[Any], body: CommandBody) -> Document:
    return shown(row) | {"commandId": body.command_id, "accepted": True}
