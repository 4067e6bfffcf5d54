"""The record itself: verdicts on commands, and whether the process is well."""

import asyncio
import functools
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from starlette.concurrency import run_in_threadpool

from api.deps import Reading, With
from api.errors import Problem, not_found
from api.orders_door import OrderGone
from api.queues import is_served
from api.routing import Router
from api.shapes import Identifier
from db.migrate import revisions
from db.queries import outcomes

router = Router(tags=["record"])


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


@router.get("/readyz", responses={503: {"description": "Something is missing; the answer says what."}})
async def ready(
    having: With,
    scope: Annotated[
        Literal["system", "api"], Query(description="api: without the workers, as whoever balances the load asks")
    ] = "system",
) -> JSONResponse:
    """Whether everything is there: the record, its schema as this release needs it, the engine, the listener, a worker.

    Without a worker commands are taken and judged later, so `scope=api` does not ask for one. A worker that was killed
    is noticed after 75 seconds at the latest.
    """

    def record() -> tuple[bool, str | None]:
        try:
            with having.engine.connect() as connection:
                return True, connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        except ProgrammingError:
            return True, None  # a database that was never migrated
        except Exception:
            return False, None

    async def worker() -> bool:
        try:
            return await is_served(await having.orders.client(), having.orders.task_queue)
        except (Problem, OrderGone):
            return False

    (reached, found), engine, serving = await asyncio.gather(
        run_in_threadpool(record), having.orders.is_reachable(), worker()
    )
    parts = {
        "record": reached, "schema": found == _newest(), "engine": engine,
        "listener": having.outcomes.listening.is_set(), "worker": serving,
    }  # fmt: skip
    is_ready = all(well for part, well in parts.items() if part != "worker" or scope == "system")
    schema = {"schemaFound": found, "schemaRequired": _newest()}
    return JSONResponse({"ready": is_ready, **parts, **schema}, 200 if is_ready else 503)


@functools.cache
def _newest() -> str:
    """The schema revision that this release needs."""
    return revisions()[-1]
