"""Plan lines: one by one, as a list, as a file."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from api import plan_family, plan_file, plan_import
from api.deps import Caller, Reading, Who, only
from api.documents import order_id
from api.plan_import import ImportAnswer
from api.planning import MOST_LINES, PlanLineBody, TakenLine, import_lines
from api.routing import Router
from api.shapes import Identifier
from db.queries import plan_line_links as links
from db.queries import plan_lines
from domain.quantities import plain

router = Router(prefix="/mes", tags=["planning"])
Planner = Annotated[Caller, Depends(only("importPlanLines", "plan-line"))]
Lines = Annotated[list[PlanLineBody], Field(min_length=1, max_length=MOST_LINES)]
CommandId = Annotated[str | None, Query(alias="commandId", min_length=1, max_length=80, pattern=r"^[!-~]+$")]
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": plan_file.template().lstrip("\ufeff")},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
            "application/json": {"schema": {"type": "array", "items": PlanLineBody.model_json_schema()}},
        },
    }
}


@router.post("/plan-lines")
def add(lines: Lines, who: Planner) -> list[TakenLine]:
    """Take plan lines, all or none. A reference that is known with the same content answers the line that is known;
    everything that keeps a line from being taken is a blocker (409)."""
    return import_lines(who, lines)


@router.post("/plan-lines/import", openapi_extra=_FILE)
async def import_file(request: Request, who: Planner, command_id: CommandId = None) -> ImportAnswer:
    """Take plan lines from a CSV file (as the body, or as the one file of a form) or from a JSON list, all or none.

    422 PLAN_IMPORT_REFUSED names every bad line in `rows` (line, column, code, reason) and gives the good lines in
    `good`, as `planLines` and as `csv`, to be sent as they are. At most 5000 lines and 2 MiB.
    """
    content_type, content = request.headers.get("content-type", ""), await request.body()
    return await run_in_threadpool(plan_import.run, who, content_type, content, command_id)


@router.get("/plan-lines/import/template", response_class=Response)
def template(separator: Literal["comma", "semicolon"] = "comma") -> Response:
    """The heading of a file for the import."""
    content = plan_file.template(";" if separator == "semicolon" else ",")
    disposition = {"Content-Disposition": 'attachment; filename="plan-lines.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=disposition)


@router.get("/plan-lines")
def listed(
    reading: Reading, who: Who, limit: Annotated[int, Query(ge=1, le=1000)] = 200, after: Identifier | None = None
) -> dict[str, Any]:
    """Plan lines by reference, each with the state of its order."""
    rows = plan_lines.page(reading, limit, after, who.scope.plan_lines())
    found = links.of(reading, [row.reference for row in rows])
    lines = [shown(row, row.order_state, found) for row in rows]
    return {"planLines": lines, "next": rows[-1].reference if len(rows) == limit else None}


def shown(row: Row[Any], order_state: str | None, found: Sequence[Row[Any]]) -> dict[str, Any]:
    """A line with the state of its order, and with its links among those that were `found`."""
    return {
        "id": str(row.id), "reference": row.reference, "orderNumber": row.order_number,
        "orderId": str(order_id(row.order_number)), "orderState": order_state, "product": row.product,
        "quantity": plain(row.quantity), "unit": row.unit, "policy": row.policy, "plant": row.plant,
        "startAt": row.start_at and row.start_at.isoformat(), "dueAt": row.due_at and row.due_at.isoformat(),
        "fixedLots": row.fixed_lots, "fixedLotsReason": row.fixed_lots_reason, "batchNumber": row.batch_number,
        **plan_family.shown(row.reference, found),
    }  # fmt: skip
