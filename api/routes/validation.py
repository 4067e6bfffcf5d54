"""What planning and master data lack, before an order stands still for it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import Row

from api.deps import Reading, Who
from api.errors import not_found
from api.routing import Router
from api.shapes import Identifier
from db.queries import plan_lines
from db.queries.specification import gaps_of
from domain.errors import Blocker

router = Router(prefix="/validation", tags=["planning"])


@router.get("/work-order-data-integrity")
def data_integrity(
    reading: Reading,
    who: Who,
    plan_id: Annotated[UUID | None, Query(alias="planId")] = None,
    order_id: Annotated[UUID | None, Query(alias="orderId")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Identifier | None = None,
) -> dict[str, Any]:
    """What the release of orders is refused for: of one plan line, of one order, or of all that are not released yet.

    An order answers with what it was made with, as its release does; a line without an order with the master data of
    today. `next` is the value of `after` for the next page. A constant number of statements.
    """
    lines = plan_lines.to_check(reading, limit, after, plan_id, order_id, who.scope.plan_lines())
    if not lines and plan_id is not None:
        raise not_found("plan line", plan_id)
    if not lines and order_id is not None:
        raise not_found("production order", order_id)
    without = [line for line in lines if line.order_state is None]
    gaps = {line.reference: found for line, found in zip(without, gaps_of(reading, without), strict=True)}
    findings = [
        _finding(line, gap)
        for line in lines
        for gap in gaps.get(line.reference, ()) or [Blocker.model_validate(gap) for gap in line.gaps or ()]
    ]
    return {
        "checked": len(lines), "findings": findings,
        "next": lines[-1].reference if len(lines) == limit and plan_id is None and order_id is None else None,
    }  # fmt: skip


def _finding(line: Row[Any], gap: Blocker) -> dict[str, str | None]:
    return {
        "planLine": line.reference, "orderNumber": line.order_number, "orderState": line.order_state,
        "code": gap.code, "entity": gap.entity, "object": gap.id, "found": gap.found,
        "remedy": gap.required, "whoCanFix": gap.who_can_fix,
    }  # fmt: skip
