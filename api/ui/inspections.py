"""Quality's desk: the queue by age, one inspection with its values and the second person's word, reports, reworks."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.routing import Router
from api.ui.calls import read
from api.ui.possible import possible, scope_of
from api.ui.shell import PageRoute, may, page
from db.queries import batch_reworks, inspection_queue, recoveries
from db.session import reading
from domain.states import INSPECTION, InspectionEvent, InspectionState

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

LIVE = "inspection,work-order,in-process-inspection,rework,recovery,lot"
DEFECTS = ("dimension", "surface", "crack", "weight", "marking", "contamination", "assembly")
"""What people choose from when pieces fail; they may write something else."""


@router.get("/inspections")
async def inspections(request: Request, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    """What waits for quality, the oldest first. `show`: created, resultsEntered, outOfSpecification."""
    scope = scope_of(request)

    def rows() -> dict[str, list[dict[str, Any]]]:
        with reading(request.app.state.services.engine) as connection:
            of_lots = scope.work_orders(inspection_queue.INSPECTIONS.c.work_order)
            of_reports = scope.work_orders(inspection_queue.IN_PROCESS.c.work_order)
            return {
                "lots": inspection_queue.inspections(connection, of_lots),
                "reports": inspection_queue.in_process(connection, of_reports),
                "reworks": inspection_queue.reworks(
                    connection, scope.work_orders(inspection_queue.REWORKS.c.work_order)
                ),
                "recoveries": recoveries.waiting(connection, scope.work_orders(recoveries.RECOVERIES.c.work_order)),
                "batches": batch_reworks.page(connection, None, "proposed", 100),
            }

    found = await run_in_threadpool(rows)
    lots = [one for one in found["lots"] if show in ("", one["state"])]
    return page(
        request, "inspections.html", every=found["lots"], lots=lots, reports=found["reports"],
        reworks=found["reworks"], recoveries=found["recoveries"],
        batches=found["batches"], show=show, states=inspection_queue.OPEN, live=LIVE,
    )  # fmt: skip


@router.get("/inspections/{work_order_id:uuid}")
async def of_work_order(work_order_id: UUID, request: Request) -> Response:
    """The inspection of a work order's lot, the inspections of its reports, its reworks."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    told = await possible(request, work_order_id)
    own = document["inspection"]
    results: list[dict[str, Any]] = []
    if own is not None:
        listed = await read(request, "/quality/inspections", lot=document["outputLot"])
        results = next((one["results"] for one in listed["inspections"] if one["number"] == own["number"]), [])
    path = f"/mes/work-orders/{work_order_id}/inspection"
    subject = {
        "lot": document["outputLot"], "material": document["material"], "lot_status": document["lotStatus"],
        "supplier": None, "path": path, "may_enter": "enterInspectionResults" in told["possible"]
        and may(request, "enterInspectionResults"),
        "may_decide": "decideInspection" in told["possible"] and may(request, "decideInspection"),
    }  # fmt: skip
    return page(
        request, "inspection.html", doc=document, own=own, subject=subject, values=latest(results), defects=DEFECTS,
        live=f"{document['orderNumber']},lot,inspection", **told,
    )  # fmt: skip


@router.get("/inspections/{number:path}")
async def of_lot(number: str, request: Request) -> Response:
    """The inspection of a received lot."""

    def lot_of() -> str | None:
        with reading(request.app.state.services.engine) as connection:
            return inspection_queue.lot_of(connection, number)

    lot = await run_in_threadpool(lot_of)
    if lot is None:
        raise Problem(404, "NOT_FOUND", f"there is no inspection {number}")
    listed = (await read(request, "/quality/inspections", lot=lot))["inspections"]
    own = next(one for one in listed if one["number"] == number)
    about = await read(request, f"/wms/lots/{lot}")
    allowed = INSPECTION.possible(InspectionState(own["state"]))
    subject = {
        "lot": lot, "material": own["material"], "lot_status": about["status"], "supplier": about["supplier"],
        "path": f"/quality/inspections/{number}",
        "may_enter": InspectionEvent.ENTER_RESULTS in allowed and may(request, "enterResults"),
        "may_decide": InspectionEvent.REJECT in allowed and may(request, "decideInspection"),
    }  # fmt: skip
    failed = [value["name"] for value in own["results"] if not value["withinLimits"]]
    needs_record = any("releaseRecord" in one.get("evidence", ()) for one in own["characteristics"])
    return page(
        request, "inspection.html", doc=None, own={**own, "failed": failed}, subject=subject, defects=(),
        values=latest(own["results"]), possible=set(), order_state="", needs_record=needs_record,
        live=f"lot,inspection,{lot}",
    )  # fmt: skip


def latest(results: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last result of each characteristic, with the texts that stood there before (`before`)."""
    found: dict[str, dict[str, Any]] = {}
    for one in results:
        earlier = found.get(one["name"])
        before = [] if earlier is None else [*earlier["before"], earlier["text"]]
        found[one["name"]] = {**one, "before": before}
    return found
