"""What planning and master data lack, before an order stands still for it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import Reading, Who
from api.errors import not_found
from db.queries import plan_lines
from db.queries.specification import load_specification
from domain.errors import Blocker, Refused

router = APIRouter(prefix="/validation", tags=["planning"])


@router.get("/work-order-data-integrity")
def data_integrity(
    reading: Reading,
    who: Who,
    plan_id: Annotated[UUID | None, Query(alias="planId")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """What the release of these plan lines' orders would be refused for: one line, or those without an order."""
    if plan_id is None:
        lines = plan_lines.without_order(reading, limit)
    else:
        line = plan_lines.find(reading, plan_id)
        if line is None:
            raise not_found("plan line", plan_id)
        lines = [line]
    findings: list[dict[str, str]] = []
    for line in lines:
        try:
            gaps = load_specification(reading, line, who.id).gaps
        except Refused as refused:
            gaps = refused.blockers
        findings += [_finding(line.reference, gap) for gap in gaps]
    return {"checked": len(lines), "findings": findings}


def _finding(reference: str, gap: Blocker) -> dict[str, str]:
    return {
        "planLine": reference, "code": gap.code, "entity": gap.entity, "object": gap.id, "found": gap.found,
        "remedy": gap.required, "whoCanFix": gap.who_can_fix,
    }  # fmt: skip
