"""The operator's screen: what can be done now at my stations, and everything that one operation needs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.commands import WORK_ORDER
from api.routing import Router
from api.scopes import Scope
from api.ui import weighing
from api.ui.calls import read
from api.ui.shell import PageRoute, context, may, page
from api.ui.ways_out import Place
from db.queries import batch_record, scopes, waiting
from db.queries.record_people import names
from db.session import reading
from domain.rules.possible import possible_for

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWS: Final = {
    "": waiting.AT_WORK, "ready": ("running", "ready"), "stopped": ("paused", "held"), "blocked": ("pending",),
}  # fmt: skip
SCRAP_REASONS: Final = ("dimension", "surface", "material", "setup", "machine", "handling")


def _list(request: Request, states: Sequence[str]) -> list[dict[str, Any]]:
    """The operations in these states that stand at the stations of the person."""
    session = request.state.session
    scope = Scope(session.plants, session.lines)
    station = waiting.OPERATIONS.c.workstation
    inside = scope.orders()
    if scope.lines is not None:
        lines = scopes.STATIONS.c.line.in_(scope.lines)
        inside.append(station.in_(scopes.STATIONS.select().with_only_columns(scopes.STATIONS.c.code).where(lines)))
    with reading(request.app.state.services.engine) as connection:
        return waiting.operations(connection, inside, states)


@router.get("/tasks")
async def tasks(
    request: Request,
    show: Annotated[str, Query(max_length=20)] = "",
    station: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """All operations that somebody can work on; none is chosen."""
    return await _page(request, show, station, None)


@router.get("/tasks/{work_order_id}/{code}")
async def task(
    work_order_id: UUID,
    code: str,
    request: Request,
    show: Annotated[str, Query(max_length=20)] = "",
    station: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """The same with one operation opened."""
    return await _page(request, show, station, (work_order_id, code))


async def _page(request: Request, show: str, station: str, chosen: tuple[UUID, str] | None) -> Response:
    every = await run_in_threadpool(_list, request, SHOWS.get(show, SHOWS[""]))
    jobs = [one for one in every if station in ("", one["workstation"])]
    detail = None if chosen is None else await _detail(request, *chosen)
    return page(
        request, "tasks.html", jobs=jobs, show=show, station=station, chosen=chosen, detail=detail,
        stations=sorted({one["workstation"] for one in every}), scrap_reasons=SCRAP_REASONS,
        live="operation,work-order,production-order",
        query=f"?show={show}&station={station}" if show or station else "",
    )  # fmt: skip


async def _detail(request: Request, work_order_id: UUID, code: str) -> dict[str, Any]:
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    operation = next((one for one in document["operations"] if one["code"] == code), None)
    if operation is None:
        return {"missing": code, "document": document}
    language = context(request)["language"]
    told = await read(request, f"/mes/work-orders/{work_order_id}/operations/{code}/instructions", language=language)
    ready: dict[str, Any] = {"blockers": []}
    if operation["state"] in ("pending", "ready") and may(request, "startOperation"):
        ready = await read(request, f"/mes/work-orders/{work_order_id}/operations/{code}/readiness")
    return {
        "document": document, "operation": operation, "told": told, "missing": "", "readiness": ready,
        "place": Place(str(work_order_id), code, document["outputLot"] or "", document["material"]),
        "materials": [one for one in document["materials"] if one["operation"] == code],
        "printed": {one["line"] for one in document["materials"] if one["operation"] == code and one["printed"]},
        "lots": [one for one in (document["pickList"] or {}).get("lineSide", []) if one["operation"] == code],
        "weighing": await weighing.bench(request, work_order_id, code),
        "rest": max(Decimal(0), Decimal(operation["quantity"]) - _reported(operation)),
        **await run_in_threadpool(_stands, request, work_order_id, code),
    }  # fmt: skip


def _reported(operation: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(operation[name]) for name in ("good", "scrap", "reviewBoard", "sampled")), Decimal(0))


def _stands(request: Request, work_order_id: UUID, code: str) -> dict[str, Any]:
    """What is possible at the operation now, the values that were recorded, the remarks."""
    having = request.app.state.services
    target = having.target(WORK_ORDER, work_order_id)
    with (
        reading(having.engine) as connection,
        having.histories.current(connection, target.order_number) as folded,
    ):
        possible = possible_for(folded.process, target.work_order, code) if folded is not None else ()
        written = [one for one in batch_record.comments(connection, target.work_order) if one["operation"] == code]
        return {
            "possible": set(possible),
            "values": batch_record.values(connection, target.work_order, code),
            "comments": written,
            "people": names(connection, {"own": written}),
            "order_state": folded.process.state if folded is not None else "",
        }
