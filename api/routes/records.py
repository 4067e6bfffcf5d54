"""The record itself: the audit trail, verdicts on commands, and whether the process is well."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Reading, With, only, writing
from api.errors import not_found
from api.shapes import Identifier
from db import audit
from db.queries import audit_trail, outcomes

router = APIRouter(tags=["record"])
Auditing = Annotated[Caller, Depends(only("readAudit", "audit"))]


@router.get("/audit/verify")
def verify(reading: Reading, who: Auditing) -> dict[str, Any]:
    """Walk the whole chain; `brokenAt` is the sequence number of the first row that is not as it was written."""
    verdict = audit.verify(reading)
    return {
        "rows": verdict.rows, "head": verdict.head, "brokenAt": verdict.broken_at, "detail": verdict.detail,
        "intact": verdict.broken_at is None,
    }  # fmt: skip


@router.get("/audit")
def trail(
    who: Auditing,
    entity: Annotated[str | None, Query(max_length=200)] = None,
    actor: Identifier | None = None,
    action: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> dict[str, Any]:
    """Rows of the audit trail, newest first. That somebody looked is a row, too."""
    asked = {"entity": entity, "actor": actor, "action": action}
    with writing(who, who.entry("audit.viewed", "audit", new=asked)) as connection:
        rows = audit_trail.page(connection, entity, actor, action, limit, before)
    return {"rows": rows, "next": rows[-1]["seq"] if len(rows) == limit else None}


@router.get("/commands/{command_id:path}")
def outcome(command_id: Identifier, reading: Reading) -> dict[str, Any]:
    """The verdict on a command: 404 while there is none."""
    body = outcomes.body_of(reading, command_id)
    if body is None:
        raise not_found("verdict on command", command_id)
    return body


@router.get("/healthz")
def healthy() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok", "time": datetime.now(UTC).isoformat()}


@router.get("/readyz", responses={503: {"description": "Something cannot be reached; the answer says what."}})
async def ready(having: With) -> JSONResponse:
    """Whether record and engine can be reached, and the listener listens."""

    def record() -> bool:
        try:
            with having.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except Exception:
            return False
        return True

    parts = {
        "record": await run_in_threadpool(record),
        "engine": await having.orders.is_reachable(),
        "listener": having.outcomes.listening.is_set(),
    }
    return JSONResponse({"ready": all(parts.values()), **parts}, 200 if all(parts.values()) else 503)
