"""Single reports while an order runs: their inspection, rework, counter-reports, and over-reports that wait."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.commands import WORK_ORDER, perform
from api.deps import Caller, Reading, Who
from api.errors import Problem, not_found
from api.routing import Router
from api.shapes import Body, CommandBody, Identifier, NotNegative, Text, Value
from db.queries import reports
from db.queries.marking import marked
from domain import commands as c
from domain.quantities import Exact
from domain.specification import ReworkMethod

router = Router(tags=["reports"])
ONE = "/mes/work-orders/{work_order_id}"


class InspectionDecisionBody(CommandBody):
    """How many of the inspected pieces failed; none means passed. A failure names its defect."""

    failed: NotNegative
    defect: Text | None = None
    values: Annotated[tuple[Value, ...], Field(max_length=50)] = ()
    """Results of the tests that quality set for reworked pieces."""


class TestBody(Body):
    """A test that reworked pieces have to pass; limits are inclusive and in `unit`."""

    name: Text
    unit: Annotated[str, Field(max_length=40)] = ""
    low: Exact | None = None
    high: Exact | None = None
    method: Annotated[str, Field(max_length=200)] = ""


class ReworkApprovalBody(CommandBody):
    """How the pieces are made good: by which method and approved procedure, and what is tested afterwards."""

    rework_method: ReworkMethod = ReworkMethod.REWORK
    procedure: Annotated[str, Field(max_length=200)] = ""
    tests: Annotated[tuple[TestBody, ...], Field(max_length=50)] = ()


class ReworkReportBody(CommandBody):
    """What became of all pieces of the rework."""

    good: NotNegative
    scrap: NotNegative


class ReverseBody(CommandBody):
    """Which report does not count any more."""

    report_number: Text


class OverReportDecisionBody(CommandBody):
    """Whether the report counts."""

    accept: bool


@router.post(ONE + "/in-process-inspections/{inspection}/decision")
async def decide_inspection(
    work_order_id: UUID, inspection: Identifier, body: InspectionDecisionBody, who: Who
) -> Response:
    """The result of an in-process inspection; failed pieces become a rework proposal (`result.rework`)."""
    return await perform(who, c.DecideInProcessInspection, WORK_ORDER, work_order_id, body, inspection=inspection)


@router.post(ONE + "/reworks/{rework}/approve")
async def approve_rework(work_order_id: UUID, rework: Identifier, body: ReworkApprovalBody, who: Who) -> Response:
    """Allow a proposed rework; by the head of quality, who has not decided the inspection."""
    return await perform(who, c.ApproveRework, WORK_ORDER, work_order_id, body, rework=rework)


@router.post(ONE + "/reworks/{rework}/reject")
async def reject_rework(work_order_id: UUID, rework: Identifier, body: CommandBody, who: Who) -> Response:
    """The pieces become scrap, for a reason."""
    return await perform(who, c.RejectRework, WORK_ORDER, work_order_id, body, rework=rework)


@router.post(ONE + "/reworks/{rework}/start")
async def start_rework(work_order_id: UUID, rework: Identifier, body: CommandBody, who: Who) -> Response:
    """Begin an approved rework."""
    return await perform(who, c.StartRework, WORK_ORDER, work_order_id, body, rework=rework)


@router.post(ONE + "/reworks/{rework}/report")
async def report_rework(work_order_id: UUID, rework: Identifier, body: ReworkReportBody, who: Who) -> Response:
    """What became of the pieces; the good ones are inspected again (`result.inspection`)."""
    return await perform(who, c.ReportRework, WORK_ORDER, work_order_id, body, rework=rework)


@router.post("/mes/production-reports/reverse")
async def reverse(body: ReverseBody, who: Who) -> Response:
    """A counter-report, for a reason: both reports stay in the record (`result.reportNumber`)."""
    found = await run_in_threadpool(_report, who, body.report_number)
    content = {name: found[name] for name in ("operation", "good", "scrap", "review_board", "is_rework")}
    return await perform(who, c.ReverseReport, WORK_ORDER, found["work_order_id"], body, **content)


def _report(who: Caller, number: str) -> dict[str, Any]:
    with who.services.engine.connect() as connection:
        found = reports.for_reversal(connection, number)
    if found is None:
        raise not_found("production report", number)
    if found["reverses"] is not None:
        raise Problem(409, "COUNTER_REPORT", f"{number} takes back {found['reverses']}; report anew instead")
    return found


@router.post(ONE + "/over-reports/{over_report}/decision")
async def decide_over_report(
    work_order_id: UUID, over_report: Identifier, body: OverReportDecisionBody, who: Who
) -> Response:
    """Allow a report that passes the order's quantity, or refuse it for a reason; not by who reported."""
    return await perform(who, c.DecideOverReport, WORK_ORDER, work_order_id, body, over_report=over_report)


@router.get("/quality/reworks")
def reworks(
    reading: Reading,
    who: Who,
    state: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Identifier | None = None,
) -> dict[str, Any]:
    """Reworks by number, of all orders; `next` is the value of `after` for the next page."""
    inside = who.scope.work_orders(reports.REWORKS.c.work_order)
    found = reports.reworks(reading, state, limit, after, inside)
    return {"reworks": marked(reading, found), "next": found[-1]["number"] if len(found) == limit else None}
