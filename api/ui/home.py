"""Home: what waits for me, straight from what the processes wait for."""

from collections import defaultdict
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool

from api.routing import Router
from api.scopes import Scope
from api.security import Session
from api.ui.shell import PageRoute, may, page, roles_of
from api.ui.steps import Step, step_for
from db.queries import cases, equipment, impacts, waiting
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 60
LIVE: Final = "production-order,work-order,operation,deviation,capa,maintenance,inspection,impact,line-clearance"
"""What a start page asks for itself anew about."""


def mine(request: Request) -> dict[str, Any]:
    """What waits for the person: orders by command, quality cases, and how many of each."""
    session = request.state.session
    scope = Scope(session.plants, session.lines)
    with reading(request.app.state.services.engine) as connection:
        counts = waiting.counts(connection, session.roles, scope.orders())
        tasks = waiting.tasks(connection, session.roles, scope.orders(), SHOWN)
        own_cases = cases.waiting(connection, session.roles, session.user_id, SHOWN)
        changed = _changed(connection, session, scope)
        to_check: list[Row[Any]] = []
        if may(request, "checkLineClearance"):
            to_check = equipment.unchecked(connection, session.user_id, session.plants, SHOWN)
    groups: dict[str, list[Step]] = defaultdict(list)
    for task in tasks:
        groups[task["command"]].append(step_for(task))
    return {"counts": counts, "groups": groups, "cases": own_cases, "changed": changed, "clearances": to_check}


def _changed(connection: Connection, session: Session, scope: Scope) -> list[Row[Any]]:
    """Orders that run by master data that have changed: those of the person first; of others for who may decide."""
    if roles_of("decideImpact").isdisjoint(session.roles):
        return []
    found = impacts.page(connection, state="open", limit=SHOWN, inside=scope.orders())
    return sorted(found, key=lambda row: row.owner != session.user_id)


@router.get("/")
async def home(request: Request) -> Response:
    """The start page of everybody."""
    found = await run_in_threadpool(mine, request)
    return page(
        request, "home.html", shown=SHOWN, live=LIVE,
        total=sum(found["counts"].values()), **found,
    )  # fmt: skip
