"""The batch record as a whole: read it, review it by exception, approve it; the archive keeps it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.commands import WORK_ORDER, perform
from api.deps import Caller, Reading, Who
from api.errors import not_found
from api.openapi import LATER
from api.routing import Router
from api.shapes import CommandBody, ReasonedBody, Text
from db.queries import record_archive, record_check, record_document, targets
from db.queries.record_document import BatchRecord, show
from domain import commands as c

router = Router(prefix="/mes/work-orders/{work_order_id}/batch-record", tags=["batch record"])
ExceptionId = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[!-~]+$")]


class ReturnBody(ReasonedBody):
    """What has to be corrected, and why."""

    fields: tuple[Text, ...] = Field(min_length=1, max_length=100)


@router.get("")
def read(work_order_id: UUID, reading: Reading) -> dict[str, Any]:
    """The record with its exceptions, its way through review, its signatures."""
    return _record(reading, work_order_id).document()


@router.get("/exceptions")
def exceptions(work_order_id: UUID, reading: Reading) -> dict[str, Any]:
    """What the review has to look at, oldest first: nothing else of the batch was out of the ordinary."""
    record = _record(reading, work_order_id)
    found = [show(own) for own in record.exceptions]
    return {"state": record.review["state"], "open": sum(own["isOpen"] for own in found), "exceptions": found}


@router.get("/check-list")
def check_list(work_order_id: UUID, reading: Reading) -> dict[str, Any]:
    """What the certificate would be refused for by the record itself, as it stands now; empty when nothing."""
    found, digest = record_check.blockers(reading, number_of(reading, work_order_id), "certification")
    blockers = [blocker.model_dump(mode="json", by_alias=True) for blocker in found]
    return {"blockers": blockers, "contentHash": digest}


@router.get("/archive")
def archived(work_order_id: UUID, reading: Reading) -> dict[str, Any]:
    """The record as it was put away, with its hash, the day until which it is kept, and its prints."""
    kept = record_archive.find(reading, number_of(reading, work_order_id))
    if kept is None:
        raise not_found("archived record", work_order_id)
    return {
        "document": kept.document, "documentHash": kept.document_hash, "isIntact": record_archive.verify(kept),
        "archivedAt": kept.archived_at.isoformat(), "retainUntil": kept.retain_until.isoformat(),
        "prints": [
            {
                "language": own.language, "sha256": own.sha256, "isSealed": own.is_sealed,
                "isIntact": record_archive.is_intact(own),
            }
            for own in record_archive.prints(reading, kept.work_order)
        ],
    }  # fmt: skip


@router.post("/review", responses=LATER)
async def review(work_order_id: UUID, body: CommandBody, who: Who) -> Response:
    """Production's review of a whole record."""
    return await perform(who, c.ReviewBatchRecord, WORK_ORDER, work_order_id, body)


@router.post("/approve", responses=LATER)
async def approve(work_order_id: UUID, body: CommandBody, who: Who) -> Response:
    """Quality's approval, when no exception is open: it seals the record."""
    return await perform(who, c.ApproveBatchRecord, WORK_ORDER, work_order_id, body)


@router.post("/return", responses=LATER)
async def send_back(work_order_id: UUID, body: ReturnBody, who: Who) -> Response:
    """Back for corrections."""
    return await perform(who, c.ReturnBatchRecord, WORK_ORDER, work_order_id, body)


@router.post("/resubmit", responses=LATER)
async def resubmit(work_order_id: UUID, body: CommandBody, who: Who) -> Response:
    """What was returned is corrected."""
    return await perform(who, c.ResubmitBatchRecord, WORK_ORDER, work_order_id, body)


@router.post("/exceptions/{exception}/explain", responses=LATER)
async def explain(work_order_id: UUID, exception: ExceptionId, body: ReasonedBody, who: Who) -> Response:
    """The explanation of an exception, as the reason of the command."""
    known = await run_in_threadpool(_exception, who, work_order_id, exception)
    return await perform(who, c.JustifyException, WORK_ORDER, work_order_id, body, exception=exception, **known)


def _exception(who: Caller, work_order_id: UUID, exception: str) -> dict[str, str]:
    with who.services.engine.connect() as connection:
        record = _record(connection, work_order_id)
    for own in record.exceptions:
        if own.id == exception:
            return {"type": own.type, "detail": own.detail}
    raise not_found("exception", exception)


def _record(connection: Any, work_order_id: UUID) -> BatchRecord:
    return record_document.read(connection, number_of(connection, work_order_id))


def number_of(connection: Any, work_order_id: UUID) -> str:
    """The number of a work order; 404 when there is none of that id."""
    target = targets.find(connection, WORK_ORDER, work_order_id)
    if target is None or target.work_order is None:
        raise not_found("work order", work_order_id)
    return target.work_order
