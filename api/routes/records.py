"""The record itself: verdicts on commands, and whether the process is well."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from api.deps import Reading, With
from api.errors import not_found
from api.shapes import Identifier
from db.queries import outcomes

router = APIRouter(tags=["record"])


@router.get("/commands/{command_id:path}")
def outcome(command_id: Identifier, reading: Reading) -> dict[str, Any]:
    """The verdict on a command: 404 while there is none."""
    body = outcomes.body_of(reading, command_id)
    if body is None:
        raise not_found("verdict on command", command_id)
    return body


@router.get("/healthz")
def healthy(having: With) -> dict[str, str]:
    """The process lives; its clock, and the plant's own time zone."""
    return {"status": "ok", "time": datetime.now(UTC).isoformat(), "timeZone": having.settings.time_zone}


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
