"""Home: what waits for me, straight from what the processes wait for."""

from collections import defaultdict
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.scopes import Scope
from api.ui.shell import PageRoute, page
from api.ui.steps import Step, step_for
from db.queries import cases, waiting
from db.session import reading

router = APIRouter(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 60


def mine(request: Request) -> dict[str, Any]:
    """What waits for the person: orders by command, quality cases, and how many of each."""
    session = request.state.session
    scope = Scope(session.plants, session.lines)
    with reading(request.app.state.services.engine) as connection:
        counts = waiting.counts(connection, session.roles, scope.orders())
        tasks = waiting.tasks(connection, session.roles, scope.orders(), SHOWN)
        own_cases = cases.waiting(connection, session.roles, session.user_id, SHOWN)
    groups: dict[str, list[Step]] = defaultdict(list)
    for task in tasks:
        groups[task["command"]].append(step_for(task))
    return {"counts": counts, "groups": groups, "cases": own_cases}


@router.get("/")
async def home(request: Request) -> Response:
    """The start page of everybody."""
    found = await run_in_threadpool(mine, request)
    return page(
        request, "home.html", live="production-order,work-order,operation,deviation,capa,maintenance,inspection",
        shown=SHOWN, total=sum(found["counts"].values()), **found,
    )  # fmt: skip
