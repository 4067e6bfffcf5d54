"""Plan lines."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from api.deps import Caller, Reading, only
from api.documents import order_id
from api.planning import PlanLineBody, import_lines
from api.security import Role
from api.shapes import Identifier
from db.queries import plan_lines
from domain.quantities import plain

router = APIRouter(prefix="/mes", tags=["planning"])
Planner = Annotated[Caller, Depends(only("importPlanLines", "plan-line", Role.PLANNER, Role.INTEGRATION))]
Lines = Annotated[list[PlanLineBody], Field(min_length=1, max_length=5000)]


@router.post("/plan-lines")
def add(lines: Lines, who: Planner) -> list[dict[str, Any]]:
    """Take plan lines; a reference that is known already answers with the line that is known."""
    return import_lines(who, lines)


@router.get("/plan-lines")
def listed(
    reading: Reading, limit: Annotated[int, Query(ge=1, le=1000)] = 200, after: Identifier | None = None
) -> dict[str, Any]:
    """Plan lines by reference, each with the state of its order."""
    rows = plan_lines.page(reading, limit, after)
    shown = [
        {
            "id": str(row.id), "reference": row.reference, "orderNumber": row.order_number,
            "orderId": str(order_id(row.order_number)), "orderState": row.order_state, "product": row.product,
            "quantity": plain(row.quantity), "unit": row.unit, "policy": row.policy, "plant": row.plant,
            "dueAt": row.due_at and row.due_at.isoformat(), "batchNumber": row.batch_number,
        }
        for row in rows
    ]  # fmt: skip
    return {"planLines": shown, "next": rows[-1].reference if len(rows) == limit else None}
