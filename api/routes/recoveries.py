"""Material of an earlier batch in a later one: requested, approved by the head of quality, introduced (QL-11)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from api.commands import WORK_ORDER, perform
from api.deps import Reading, Who
from api.openapi import of_command
from api.routes.reworks import TestBody
from api.routing import Router
from api.shapes import CommandBody, Identifier, Positive
from db.queries import recoveries
from domain import commands as c

router = Router(tags=["recovery"])
ONE = "/mes/work-orders/{work_order_id}/recoveries"


class RecoveryBody(CommandBody):
    """How much of which lot, in the lot's own unit, and at which operation of this batch."""

    operation: Identifier
    lot: Identifier
    quantity: Positive


class RecoveryApprovalBody(CommandBody):
    """By which approved procedure, and what is tested of the batch beside its plan; the reason assesses the risk."""

    procedure: Annotated[str, Field(max_length=200)] = ""
    tests: Annotated[tuple[TestBody, ...], Field(max_length=50)] = ()


@router.post(ONE, **of_command(c.RequestRecovery))
async def request(work_order_id: UUID, body: RecoveryBody, who: Who) -> Response:
    """Ask that material of an earlier batch of the same product goes into this one (`result.recovery`)."""
    return await perform(who, c.RequestRecovery, WORK_ORDER, work_order_id, body)


@router.post(ONE + "/{recovery}/approve", **of_command(c.ApproveRecovery))
async def approve(work_order_id: UUID, recovery: Identifier, body: RecoveryApprovalBody, who: Who) -> Response:
    """Permit it, by signature of the head of quality; the batch is inspected by the additional tests, too."""
    return await perform(who, c.ApproveRecovery, WORK_ORDER, work_order_id, body, recovery=recovery)


@router.post(ONE + "/{recovery}/reject", **of_command(c.RejectRecovery))
async def reject(work_order_id: UUID, recovery: Identifier, body: CommandBody, who: Who) -> Response:
    """The material does not go into this batch, for a reason."""
    return await perform(who, c.RejectRecovery, WORK_ORDER, work_order_id, body, recovery=recovery)


@router.post(ONE + "/{recovery}/introduce", **of_command(c.IntroduceRecovery))
async def introduce(work_order_id: UUID, recovery: Identifier, body: CommandBody, who: Who) -> Response:
    """Put approved material into the batch: the lot becomes an input lot of it. Refused when it was stopped since."""
    return await perform(who, c.IntroduceRecovery, WORK_ORDER, work_order_id, body, recovery=recovery)


@router.get("/quality/recoveries")
def listed(
    reading: Reading,
    who: Who,
    state: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Identifier | None = None,
) -> dict[str, Any]:
    """Recoveries by number, of all orders; `next` is the value of `after` for the next page."""
    inside = who.scope.work_orders(recoveries.RECOVERIES.c.work_order)
    found = recoveries.page(reading, state, limit, after, inside)
    return {"recoveries": found, "next": found[-1]["number"] if len(found) == limit else None}
