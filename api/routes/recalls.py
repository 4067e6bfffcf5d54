"""Recalls and mock recalls: scope, approval, execution, reconciliation, effect, and the evidence on paper."""

import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Query, Response
from pydantic import Field, model_validator
from starlette.concurrency import run_in_threadpool

from adapters.printing.port import Language, RecallJob
from adapters.quality import recalls as record
from api import recalls
from api.deps import Caller, Reading, Who, only, writing
from api.errors import Problem
from api.recalls import RecallAnswer
from api.routes.batch_record_prints import PDF, PDF_FILE
from api.routing import Router
from api.shapes import CommandBody, Identifier, LongText, Positive, ReasonedBody, Text
from db.queries import recalls as tables
from db.queries import signatures as signed
from db.queries.marking import marked
from db.queries.record_people import names
from domain.recall_states import RecallState

router = Router(prefix="/quality/recalls", tags=["recalls"])
Opener = Annotated[Caller, Depends(only("openRecall", "recall"))]
Approver = Annotated[Caller, Depends(only("approveRecall", "recall"))]
Doer = Annotated[Caller, Depends(only("runRecall", "recall"))]
Closer = Annotated[Caller, Depends(only("closeRecall", "recall"))]


class RecallBody(ReasonedBody):
    """What a recall starts from: a lot or batch of ours, or the number that a supplier gave."""

    lot: Identifier | None = None
    supplier_lot: Identifier | None = None
    is_mock: bool = False

    @model_validator(mode="after")
    def _names_one(self) -> "RecallBody":
        if (self.lot is None) == (self.supplier_lot is None):
            raise ValueError("lot or supplierLot is needed, and only one of them")
        return self


class ApproveRecallBody(CommandBody):
    """The hash of the report that the signer has read."""

    scope_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ToldBody(CommandBody):
    """Which customer was told, and how."""

    consignee: Text
    note: LongText


class AccountBody(CommandBody):
    """A quantity of a shipment that will not come back, and what became of it."""

    shipment: Identifier
    quantity: Positive
    note: LongText


class EffectBody(CommandBody):
    """What quality concludes."""

    effective: bool
    conclusion: LongText


def _shown(answer: RecallAnswer, body: CommandBody) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}


@router.post("")
def open_recall(body: RecallBody, who: Opener) -> dict[str, Any]:
    """Open a recall, or a mock of one, as a draft."""
    return _shown(recalls.open_recall(who, body, body.lot, body.supplier_lot, is_mock=body.is_mock), body)


@router.post("/{recall}/scope")
def scope(recall: Identifier, body: CommandBody, who: Doer) -> dict[str, Any]:
    """Freeze the report of all affected lots, stock, orders, shipments and customers."""
    return _shown(recalls.step(who, body, recall, "scopeRecall", RecallState.SCOPED, record.scope), body)


@router.post("/{recall}/approve")
def approve(recall: Identifier, body: ApproveRecallBody, who: Approver) -> dict[str, Any]:
    """Sign the frozen report: from here on the recall may be carried out."""
    return _shown(recalls.approve(who, body, recall, body.scope_hash), body)


@router.post("/{recall}/execute")
async def execute(recall: Identifier, body: CommandBody, who: Doer) -> dict[str, Any]:
    """Lots are recalled, orders, picks and shipments in flight stopped, an alarm raised. A mock changes no status."""
    answer = await run_in_threadpool(recalls.execute, who, body, recall)
    if answer.hold is not None:
        with suppress(Problem):  # what could not be begun now is begun later
            await who.services.lot_holds.begin(answer.hold)
    return _shown(answer, body)


@router.post("/{recall}/told")
def told(recall: Identifier, body: ToldBody, who: Doer) -> dict[str, Any]:
    """A customer was told."""
    fields = {"what": "told", "consignee": body.consignee, "note_text": body.note}
    return _shown(recalls.step(who, body, recall, "noteRecall", RecallState.EXECUTING, record.note, **fields), body)


@router.post("/{recall}/account")
def account(recall: Identifier, body: AccountBody, who: Doer) -> dict[str, Any]:
    """A quantity is accounted for: used up, or destroyed by the customer."""
    fields = {
        "what": "accounted", "consignee": "", "note_text": body.note, "shipment": body.shipment,
        "quantity": body.quantity,
    }  # fmt: skip
    return _shown(recalls.step(who, body, recall, "noteRecall", RecallState.EXECUTING, record.note, **fields), body)


@router.post("/{recall}/reconcile")
def reconcile(recall: Identifier, body: CommandBody, who: Doer) -> dict[str, Any]:
    """Freeze the sums: shipped = returned + accounted + missing. Refused until every customer was told."""
    return _shown(recalls.step(who, body, recall, "reconcileRecall", RecallState.RECONCILED, record.reconcile), body)


@router.post("/{recall}/close")
def close(recall: Identifier, body: EffectBody, who: Closer) -> dict[str, Any]:
    """Close it with the report of its effect."""
    fields = {"effective": body.effective, "conclusion": body.conclusion}
    return _shown(recalls.step(who, body, recall, "closeRecall", RecallState.CLOSED, record.close, **fields), body)


@router.get("")
def listed(reading: Reading, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
    """Recalls, newest first."""
    return {"recalls": marked(reading, tables.page(reading, limit))}


@router.get("/{recall}")
def detail(recall: Identifier, reading: Reading, who: Who) -> dict[str, Any]:
    """A recall with its frozen report, what was done, and how the quantities stand."""
    shown: dict[str, Any] = marked(reading, recalls.found(who, recall))
    return shown


@router.get("/{recall}/pdf", response_class=Response, responses=PDF_FILE)
def evidence(recall: Identifier, who: Who, language: Language = "en") -> Response:
    """All the evidence of a recall in one file, PDF/A-2b. Who printed it is audited (`recall.printed`)."""
    document = recalls.found(who, recall)
    with who.services.engine.connect() as connection:
        given = [signed.document(row) for row in signed.of_entity(connection, f"recall/{recall}", 100, None)]
        document |= {"signatures": given}
        people = names(connection, document)
    by = f"{who.session.full_name} ({who.id})"
    pdf = who.services.printer.print_recall(RecallJob(document, language, datetime.now(UTC), people, by))
    digest = hashlib.sha256(pdf).hexdigest()
    with writing(who, who.entry("recall.printed", f"recall/{recall}", new={"language": language, "sha256": digest})):
        pass
    name = quote(f"recall-{recall}-{language}.pdf")
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{name}", "ETag": f'"{digest}"'}
    return Response(pdf, media_type=PDF, headers=headers)
