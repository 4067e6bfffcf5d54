"""Plan lines, and numbers for batches."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from api.deps import Caller, Reading, only
from api.documents import order_id
from api.planning import PlanLineBody, import_lines
from api.security import Role, now
from api.shapes import Body, Identifier
from db.queries import plan_lines
from domain.quantities import plain

router = APIRouter(prefix="/mes", tags=["planning"])
Planner = Annotated[Caller, Depends(only("importPlanLines", "plan-line", Role.PLANNER, Role.INTEGRATION))]
Numbering = Annotated[
    Caller,
    Depends(
        only("generateNumber", "number-series", Role.PLANNER, Role.SUPERVISOR, Role.PROCESS_ENGINEER, Role.INTEGRATION)
    ),
]
Lines = Annotated[list[PlanLineBody], Field(min_length=1, max_length=5000)]


class PatternBody(Body):
    """A code (`B` gives `B26000001`), or a pattern with `{seq:6}`, `{yyyy}`, `{yy}`, `{mm}`, `{dd}`."""

    pattern: Annotated[
        str, Field(min_length=1, max_length=60, pattern=r"^([\w./-]|\{(seq(:\d{1,2})?|yyyy|yy|mm|dd)\})+$")
    ]


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


@router.post("/traceabilities/generate-batch-no")
def generate_batch_number(body: PatternBody, who: Numbering) -> dict[str, str]:
    """The next number of a pattern: never the same twice."""
    pattern = body.pattern if "{seq" in body.pattern else f"{body.pattern}{{yy}}{{seq:6}}"
    with who.services.engine.begin() as connection:
        return {"batchNo": plan_lines.next_number(connection, pattern, now())[0]}
