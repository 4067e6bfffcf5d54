"""The board: every open order by its stage, what is late, held or waits first."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.clock import now
from api.routing import Router
from api.scopes import Scope
from api.ui.shared import shared_page
from api.ui.shell import PageRoute
from api.ui.steps import step
from db.queries import waiting
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

STAGES: Final = ("approve", "dispatch", "pick", "execute", "inspect", "putAway", "close")
SHOWN: Final = 50
"""Cards of one column; the rest is behind a link."""
_OF_WORK_ORDER: Final = {
    "pending": "dispatch", "dispatched": "pick", "ready": "execute", "running": "execute", "paused": "execute",
    "inspecting": "inspect", "puttingAway": "putAway", "completed": "close", "closed": "close",
}  # fmt: skip


def stage(state: str, work_orders: Iterable[str]) -> str:
    """Where an order stands: before its release at the approval; then where the work order stands that is furthest
    behind of those under way, else the first that has not begun, else at the close."""
    states = [own for own in work_orders if own in _OF_WORK_ORDER]
    if state in ("draft", "submitted", "approved") or not states:
        return "approve"
    begun = [_OF_WORK_ORDER[own] for own in states if own not in ("pending", "completed", "closed")]
    if begun:
        return min(begun, key=STAGES.index)
    return "dispatch" if "pending" in states else "close"


def card(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """An order as a card: its stage, what it waits for first, and what is wrong with it."""
    tasks = row["tasks"] or []
    is_late = row["due_at"] is not None and row["due_at"] < at
    is_held = row["state"] == "held"
    is_stuck = bool(row["waiting"])
    alarm = "bad" if is_stuck or is_late else "hold" if is_held else ""
    stands = row["states"] or []
    return {
        "number": row["number"], "id": str(row["uuid"]), "product": row["product"], "name": row["name"] or "",
        "quantity": row["quantity"], "unit": row["unit"], "due": row["due_at"], "changed": row["changed_at"],
        "stage": stage(row["state"], stands), "state": row["state"], "late": is_late, "held": is_held,
        "stuck": is_stuck, "tone": alarm or ("running" if "running" in stands else "done"),
        "workstation": row["workstation"] or "", "operations": row["operations"] or 0,
        "done": row["operations_done"] or 0, "task": tasks[0] if tasks else None,
        "step": step(tasks[0]["command"], tasks[0]["what"], row["number"]) if tasks else None,
    }  # fmt: skip


async def cards(request: Request) -> list[dict[str, Any]]:
    """The cards of everything that the person may see; made once per change for all who see the same."""
    session = request.state.session
    scope = Scope(session.plants, session.lines)
    changes, engine = request.app.state.changes, request.app.state.services.engine

    def read() -> list[dict[str, Any]]:
        with reading(engine) as connection:
            return waiting.cards(connection, scope.orders())

    rows = await changes.once(("cards", scope), partial(run_in_threadpool, read))
    return await run_in_threadpool(_cards, rows, now())


def _cards(rows: Iterable[Mapping[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """There may be thousands: made in a thread."""
    return [card(row, at) for row in rows]


@router.get("/board")
async def board(
    request: Request,
    find: Annotated[str, Query(max_length=80)] = "",
    only: Annotated[str, Query(max_length=20)] = "",
    at: Annotated[str, Query(max_length=20)] = "execute",
    all_of: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The board. `only`: late, held, stuck; `at`: the column that a phone shows."""

    async def read() -> dict[str, Any]:
        every = await cards(request)
        found = [one for one in every if _is_wanted(one, find.strip().lower(), only)]
        return {
            "columns": [(name, [one for one in found if one["stage"] == name]) for name in STAGES],
            "attention": [one for one in every if one["stuck"] or one["late"] or one["held"]][:20],
            "every": every, "find": find, "only": only, "at": at, "shown": SHOWN, "all_of": all_of,
            "live": "production-order,work-order,operation",
            "totals": {name: sum(1 for one in every if one[name]) for name in ("late", "held", "stuck")},
        }  # fmt: skip

    return await shared_page(request, "board.html", read)


def _is_wanted(one: Mapping[str, Any], find: str, only: str) -> bool:
    if only in ("late", "held", "stuck") and not one[only]:
        return False
    return not find or any(find in str(one[name]).lower() for name in ("number", "product", "name", "workstation"))
