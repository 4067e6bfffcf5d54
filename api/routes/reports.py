"""Production reports: pieces and hours."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from api.commands import WORK_ORDER, perform
from api.deps import Reading, Who
from api.errors import not_found
from api.openapi import LATER
from api.routing import Router
from api.shapes import MAX_INT, CommandBody, Identifier, NotNegative, Text, Time
from db.queries import reports, targets
from domain.commands import ReportProduction, ReportType

router = Router(prefix="/mes/production-reports", tags=["reports"])
Zero = Annotated[NotNegative, Field(default=0, validate_default=True)]


class ReportBody(CommandBody):
    """What was done at one operation."""

    work_order_id: UUID
    operation: Identifier
    good: NotNegative
    scrap: Zero
    scrap_reason: Text | None = None
    review_board: Zero
    is_rework: bool = False
    report_type: ReportType = ReportType.PRODUCTION
    labour_seconds: Annotated[int, Field(ge=0, le=MAX_INT)] | None = None
    started_at: Time | None = None
    ended_at: Time | None = None
    workstation: Identifier | None = None
    worker: Identifier | None = None


@router.post("/report", responses=LATER)
async def report(body: ReportBody, who: Who) -> Response:
    """Report pieces and hours; the answer's `result` has the report's number."""
    return await perform(who, ReportProduction, WORK_ORDER, body.work_order_id, body)


@router.get("")
def listed(
    reading: Reading,
    work_order_id: Annotated[UUID, Query(alias="workOrderId")],
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    after: Identifier | None = None,
) -> dict[str, Any]:
    """The reports of a work order, oldest first."""
    target = targets.find(reading, WORK_ORDER, work_order_id)
    if target is None or target.work_order is None:
        raise not_found("work order", work_order_id)
    found = reports.of_work_order(reading, target.work_order, limit, after)
    return {"reports": found, "next": found[-1]["number"] if len(found) == limit else None}
