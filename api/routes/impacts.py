"""What changes of master data mean for running orders, and what is stale or there twice in the master data."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from api import impacts
from api.deps import Caller, Reading, Who, only
from api.openapi import LATER
from api.routing import Router
from api.shapes import Identifier, ReasonedBody
from db.queries import impacts as tables
from db.queries import master_data_quality as quality
from domain import commands as c
from domain.impacts import ImpactDecision

router = Router(tags=["master data"])
Document = dict[str, Any]
Decider = Annotated[Caller, Depends(only("decideImpact", "impact"))]


class DecideBody(ReasonedBody):
    """A decision. Holding and cancelling are signed where the order's policy asks for it, as those commands are;
    `disposition` says what becomes of consumed material when the order is issued anew."""

    decision: ImpactDecision
    disposition: c.Disposition | None = None


@router.get("/master-data-impacts")
def listed(
    who: Who, reading: Reading,
    state: Literal["open", "decided"] | None = None,
    owner: Identifier | None = None,
    order: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Document:  # fmt: skip
    """Tasks of changed master data, open ones first; of orders that have ended only when no state is asked for."""
    rows = tables.page(
        reading, state=state or "", owner=owner or "", order=order or "", limit=limit, inside=who.scope.orders()
    )
    return {"impacts": [impacts.shown(row) for row in rows]}


@router.post("/mes/orders/{order_id}/impacts/{number}/decide", responses=LATER, response_model=None)
async def decide(order_id: UUID, number: Identifier, body: DecideBody, who: Decider) -> Response | Document:
    """Keep, hold or re-issue an order that runs by master data that have changed, for a reason.

    `hold` sends holdOrder and `reissue` cancelOrder under the same command id: their refusals are this one's, and
    nothing is decided then. 409 ALREADY_DECIDED names who decided what.
    """
    return await impacts.decide(who, order_id, number, body, body.decision, body.disposition)


@router.get("/master-data/quality")
def audit(
    reading: Reading, who: Who,
    review_months: Annotated[int, Query(alias="reviewMonths", ge=1, le=240)] = quality.REVIEW_MONTHS,
    stale_days: Annotated[int, Query(alias="staleDays", ge=1, le=3650)] = quality.STALE_DAYS,
) -> Document:  # fmt: skip
    """Master data that are stale, incomplete or there twice: what, what to do, and who can. Nothing is changed."""
    found = quality.findings(reading, review_months, stale_days)
    counts: dict[str, int] = {}
    for own in found:
        counts[own.code] = counts.get(own.code, 0) + 1
    return {
        "findings": [own.model_dump(mode="json", by_alias=True) for own in found], "counts": counts,
        "reviewMonths": review_months, "staleDays": stale_days,
    }  # fmt: skip
