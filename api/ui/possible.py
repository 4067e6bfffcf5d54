"""What can be done now with a work order, for the buttons of its screens."""

from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.commands import WORK_ORDER
from api.scopes import Scope
from db.session import reading
from domain.rules.possible import possible_for


def scope_of(request: Request) -> Scope:
    """Where the person behind a request may look."""
    session = request.state.session
    return Scope(session.plants, session.lines)


async def possible(request: Request, work_order_id: UUID) -> dict[str, Any]:
    """`possible`: the commands that the work order allows now; `order_state`: of its order; `scans`: its codes have to
    be scanned, or typed for a reason with a second person."""
    return await run_in_threadpool(_possible, request, work_order_id)


def _possible(request: Request, work_order_id: UUID) -> dict[str, Any]:
    having = request.app.state.services
    target = having.target(WORK_ORDER, work_order_id)
    with (
        reading(having.engine) as connection,
        having.histories.current(connection, target.order_number) as folded,
    ):
        if folded is None:
            return {"possible": set(), "order_state": "", "scans": False}
        process = folded.process
        return {
            "possible": set(possible_for(process, target.work_order)), "order_state": process.state,
            "scans": process.specification.policy.scan_required,
        }  # fmt: skip
