"""The batch record of an operation: values, second checks, corrections, verification, remarks."""

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
from api.shapes import CommandBody, Identifier, LongText, ReasonedBody, Text, Time, ValuesBody
from db.queries import batch_record, targets
from domain import commands as c

router = Router(prefix="/mes/work-orders/{work_order_id}/operations/{code}", tags=["batch record"])


class ParametersBody(ValuesBody):
    """Measured values; `measuredAt` is when, as the sender says (the record keeps the server's time beside it)."""

    measured_at: Time | None = None


class NumbersBody(CommandBody):
    """The numbers of the values that were compared with their source."""

    numbers: tuple[Identifier, ...] = Field(min_length=1, max_length=200)


class CorrectionBody(ReasonedBody):
    """The right value and the reason; `seenText` is the text that the sender saw, if he wants it to be compared."""

    text: Annotated[str, Field(max_length=200)]
    seen_text: Text | None = None


class CommentBody(CommandBody):
    """A remark for the record."""

    text: LongText


@router.post("/parameters", responses=LATER)
async def parameters(work_order_id: UUID, code: Identifier, body: ParametersBody, who: Who) -> Response:
    """Measured values of one operation. A machine account's values count as not typed."""
    more = {"operation": code, "is_typed": who.session.is_person}
    return await perform(who, c.RecordParameters, WORK_ORDER, work_order_id, body, **more)


@router.get("/parameters")
def read(work_order_id: UUID, code: Identifier, reading: Reading) -> dict[str, Any]:
    """The values of one operation with every version: who, when, why."""
    return {"values": batch_record.values(reading, _number(reading, work_order_id), code)}


@router.post("/parameters/check", responses=LATER)
async def check(work_order_id: UUID, code: Identifier, body: NumbersBody, who: Who) -> Response:
    """A second person has compared these typed values with their source."""
    return await perform(who, c.CheckParameters, WORK_ORDER, work_order_id, body, operation=code)


@router.post("/parameters/{number}/correct", responses=LATER)
async def correct(
    work_order_id: UUID, code: Identifier, number: Identifier, body: CorrectionBody, who: Who
) -> Response:
    """Another value for one that was recorded, for a reason: both stay in the record."""
    recorded = await run_in_threadpool(_last_version, who, work_order_id, code, number)
    more = {"operation": code, "number": number, **recorded}
    return await perform(who, c.CorrectParameter, WORK_ORDER, work_order_id, body, **more)


@router.post("/verify", responses=LATER)
async def verify(work_order_id: UUID, code: Identifier, body: CommandBody, who: Who) -> Response:
    """A second person confirms a completed operation."""
    return await perform(who, c.VerifyOperation, WORK_ORDER, work_order_id, body, operation=code)


@router.post("/comment", responses=LATER)
async def comment(work_order_id: UUID, code: Identifier, body: CommentBody, who: Who) -> Response:
    """A remark for the record; the review has to look at it."""
    return await perform(who, c.CommentOperation, WORK_ORDER, work_order_id, body, operation=code)


def _number(connection: Any, work_order_id: UUID) -> str:
    target = targets.find(connection, WORK_ORDER, work_order_id)
    if target is None or target.work_order is None:
        raise not_found("work order", work_order_id)
    return target.work_order


def _last_version(who: Caller, work_order_id: UUID, code: str, number: str) -> dict[str, Any]:
    """What the record says of the value: its name, the text that counts, how often it was corrected."""
    with who.services.engine.connect() as connection:
        work_order = _number(connection, work_order_id)
        row = batch_record.last_version(connection, work_order, code, number)
    if row is None:
        raise not_found("parameter value", f"{work_order}/{code}/{number}")
    return {"name": row.name, "old_text": row.text, "corrections": row.version - 1}
