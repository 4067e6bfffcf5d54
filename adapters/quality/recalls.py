"""Recalls in the record, step by step. Every function runs inside the transaction of `db.once.answer_once`."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from adapters.quality import lot_holds, records
from adapters.quality.lot_holds import Entries, refuse
from db import audit, segregation
from db.once import Request
from db.queries import lot_holds as holds
from db.queries import recalls as tables
from db.queries.alarms import raise_alarm_once
from db.queries.plan_lines import counted
from db.queries.trace import closure
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain
from domain.recall_states import RECALL, RecallEvent, RecallState
from domain.states import TransitionRefused


def open_recall(
    connection: Connection, request: Request, lot: str | None, supplier_lot: str | None, reason: str, *, is_mock: bool
) -> tuple[str, Entries]:
    """A draft. Refuses UNKNOWN_LOT when nothing is known of what it starts from."""
    if not tables.starts(connection, lot, supplier_lot):
        raise refuse("UNKNOWN_LOT", "lot", lot or supplier_lot or "", "no such lot", "a lot of this plant")
    number = f"{'MOCK' if is_mock else 'RECALL'}-{counted(connection, 'recall', 1):05d}"
    connection.execute(
        insert(tables.RECALLS).values(
            number=number, is_mock=is_mock, lot=lot, supplier_lot=supplier_lot, reason=reason, state=RecallState.DRAFT,
            opened_by=request.actor, opened_at=request.at,
        )
    )  # fmt: skip
    records.write_transition(connection, request, "recall", number, "open", None, RecallState.DRAFT, reason)
    news = {"lot": lot, "supplierLot": supplier_lot, "isMock": is_mock, "state": RecallState.DRAFT}
    return number, [request.audit("recall.open", news, entity=f"recall/{number}", reason=reason)]


def scope(connection: Connection, request: Request, number: str) -> Entries:
    """Freeze the report of all that is affected."""
    row = _locked(connection, number)
    target = _advance(row, RecallEvent.SCOPE)
    report = tables.scope(connection, tables.starts(connection, row.lot, row.supplier_lot))
    digest = hashlib.sha256(audit.canonical(report).encode()).hexdigest()
    values = {"scope": report, "scope_hash": digest, "scoped_by": request.actor, "scoped_at": request.at}
    news = {"scopeHash": digest, "lots": len(report["lots"]), "shipments": len(report["shipments"])}
    return _moved(connection, request, row, RecallEvent.SCOPE, target, values, news)


def approve(connection: Connection, request: Request, number: str, scope_hash: str, signature: str) -> Entries:
    """Approve exactly the report that was seen. Refuses CONTENT_CHANGED when it was frozen anew since."""
    row = _locked(connection, number)
    target = _advance(row, RecallEvent.APPROVE)
    if row.scope_hash != scope_hash:
        raise refuse("CONTENT_CHANGED", "recall", number, f"report {row.scope_hash}", f"report {scope_hash}", "signer")
    values = {"approved_by": request.actor, "approved_at": request.at, "signature_id": signature}
    news = {"scopeHash": scope_hash, "signature": signature}
    return _moved(connection, request, row, RecallEvent.APPROVE, target, values, news)


def execute(connection: Connection, request: Request, number: str) -> tuple[str | None, Entries]:
    """Carry it out: (the hold that stops lots and orders, audit entries). A mock writes a list and changes nothing.

    What was made of the lots since the report was frozen is recalled too, and told as `addedSince`.
    """
    row = _locked(connection, number)
    target = _advance(row, RecallEvent.EXECUTE)
    frozen = [own["lot"] for own in row.scope["lots"]]
    lots = sorted({node.lot for node in closure(connection, row.scope["start"], "forward")[0]} | set(frozen))
    execution: dict[str, Any] = {"lots": lots, "addedSince": sorted(set(lots) - set(frozen))}
    entries: Entries = []
    hold: str | None = None
    if not row.is_mock:
        reach = holds.Reach(tuple(lots), tuple(user.order_number for user in holds.users(connection, lots)), Decimal(0))
        hold, entries = lot_holds.place(
            connection, request, reach, row.scope["start"][0], row.signature_id, downstream=True, recall=number,
            reason=row.reason,
        )  # fmt: skip
        blocked, told = segregation.block_shipments(connection, lots, number, request.actor, request.at)
        execution["blockedShipments"] = blocked
        entries += told
        _alarm(connection, request, row, len(lots))
    values = {"execution": execution, "executed_by": request.actor, "executed_at": request.at, "hold": hold}
    news = {"execution": execution, "hold": hold, "isMock": row.is_mock}
    return hold, [*entries, *_moved(connection, request, row, RecallEvent.EXECUTE, target, values, news)]


def _alarm(connection: Connection, request: Request, row: Row[Any], lots: int) -> None:
    """Everybody who looks at alarms hears of it; whom of the customers to tell stands in the report."""
    detail = f"recall {row.number}: {lots} lots, {len(row.scope['customers'])} customers to be told: {row.reason}"
    raise_alarm_once(connection, "RECALL", detail, request.at, f"recall/{row.number}")


def note(
    connection: Connection, request: Request, number: str, what: str, consignee: str, note_text: str,
    shipment: str | None = None, quantity: Decimal | None = None,
) -> Entries:  # fmt: skip
    """A customer was told, or has accounted for a quantity that will not come back."""
    row = _locked(connection, number)
    if row.state != RecallState.EXECUTING:
        raise refuse("INVALID_TRANSITION", "recall", number, row.state, RecallState.EXECUTING)
    known = tables.sent_of(connection, number, row.execution["lots"])
    own = [(one, sent) for one, sent in known if shipment in (None, sent.shipment)]
    if what == "accounted":
        if len(own) != 1 or shipment is None:
            raise refuse("UNKNOWN_SHIPMENT", "shipment", shipment or "", "not of this recall", "a shipment of it")
        consignee, sent = own[0][0]["consignee"], own[0][1]
        if quantity is None or quantity > sent.missing:
            required = f"at most {plain(sent.missing)} {sent.unit}, what is still open"
            raise refuse("MORE_THAN_SHIPPED", "shipment", shipment, plain(quantity or Decimal(0)), required)
    elif consignee not in {one["consignee"] for one, _ in own}:
        raise refuse("UNKNOWN_CUSTOMER", "customer", consignee, "got nothing of these lots", "a customer of the report")
    connection.execute(
        insert(tables.ENTRIES).values(
            recall=number, kind=what, shipment=shipment, consignee=consignee, quantity=quantity, note=note_text,
            actor=request.actor, at=request.at, command_id=request.key,
        )
    )  # fmt: skip
    news = {"consignee": consignee, "shipment": shipment, "quantity": quantity, "note": note_text}
    return [request.audit(f"recall.{what}", news, entity=f"recall/{number}")]


def reconcile(connection: Connection, request: Request, number: str) -> Entries:
    """Freeze the sums: what did not come back and is not accounted for is missing. Refuses CUSTOMER_NOT_TOLD."""
    row = _locked(connection, number)
    target = _advance(row, RecallEvent.RECONCILE)
    found = tables.reconciliation(connection, number, row.execution["lots"])
    blockers = tuple(
        Blocker(
            code="CUSTOMER_NOT_TOLD", entity="customer", id=name, found="not told", required="told of the recall",
            who_can_fix="qaReviewer",
        )
        for name in found["notTold"]
    )  # fmt: skip
    if blockers:
        raise AdapterRefused("CUSTOMER_NOT_TOLD", f"not told: {', '.join(found['notTold'])}", blockers)
    found["stock"] = tables.scope(connection, row.scope["start"])["totals"]
    values = {"reconciliation": found, "reconciled_by": request.actor, "reconciled_at": request.at}
    news = {"reconciliation": found}
    return _moved(connection, request, row, RecallEvent.RECONCILE, target, values, news)


def close(connection: Connection, request: Request, number: str, effective: bool, conclusion: str) -> Entries:
    """The report of the effect: how long it took, how much was found, and what quality concludes."""
    row = _locked(connection, number)
    target = _advance(row, RecallEvent.CLOSE)
    told = [own["at"] for own in tables.entries(connection, number) if own["kind"] == "told"]
    report = {
        "effective": effective, "conclusion": conclusion, "totals": row.reconciliation["totals"],
        "secondsToExecute": _seconds(row.opened_at, row.executed_at),
        "secondsUntilAllWereTold": _seconds(row.executed_at, max(told)) if told else 0,
        "secondsToReconcile": _seconds(row.executed_at, row.reconciled_at),
    }  # fmt: skip
    values = {"effectiveness": report, "closed_by": request.actor, "closed_at": request.at}
    return _moved(connection, request, row, RecallEvent.CLOSE, target, values, report)


def _seconds(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds())


# Rows ------------------------------------------------------------------------------------------------------------


def _locked(connection: Connection, number: str) -> Row[Any]:
    own = select(tables.RECALLS).where(tables.RECALLS.c.number == number).with_for_update()
    row = connection.execute(own).one_or_none()
    if row is None:
        raise AdapterRefused("UNKNOWN_RECALL", f"there is no recall {number}")
    return row


def _advance(row: Row[Any], event: RecallEvent) -> RecallState:
    try:
        return RECALL.advance(RecallState(row.state), event)
    except TransitionRefused as no:
        required = f"a state that allows {event}; possible now: {', '.join(no.possible) or 'nothing'}"
        raise refuse("INVALID_TRANSITION", "recall", row.number, row.state, required) from None


def _moved(
    connection: Connection, request: Request, row: Row[Any], event: RecallEvent, target: RecallState,
    values: dict[str, Any], news: dict[str, Any],
) -> Entries:  # fmt: skip
    own = tables.RECALLS.c.number == row.number
    connection.execute(update(tables.RECALLS).where(own).values(state=target, **values))
    records.write_transition(connection, request, "recall", row.number, event, row.state, target)
    entity, new, old = f"recall/{row.number}", news | {"state": target}, {"state": row.state}
    return [request.audit(f"recall.{event}", new, entity=entity, old=old)]
