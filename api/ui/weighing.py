"""Weighing and charging at the operator's task: what is open of each lot, the containers, what is to be scanned."""

from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.commands import WORK_ORDER
from api.history import Folded
from api.routing import Router
from api.ui.calls import Unanswered, call, read
from api.ui.shell import PageRoute
from db.queries import containers
from db.session import reading
from domain.container_states import IN_PLACE, ContainerState
from domain.equipment_states import Calibration
from domain.process import Process, WorkOrder
from domain.quantities import plain, shortest
from domain.rules.charging import lots_to_scan
from domain.rules.line_side import LineStock, line_stock
from domain.rules.possible import possible_for
from domain.rules.weighing import containers_of, open_quantity, weighed_lines
from domain.weighing import WeighingRequest

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SCALES: Final = 1000
USABLE: Final = (Calibration.CALIBRATED, Calibration.DUE_SOON)
Document = dict[str, Any]


@dataclass(frozen=True)
class ToScan:
    """One code that a command wants: of a container, or of a lot that is not weighed."""

    number: str
    material: str
    lot: str
    quantity: str
    unit: str
    place: str


@dataclass(frozen=True)
class Bench:
    """What the screen shows. `open`: of every lot at the line for a line that is not complete; quantities as texts."""

    lines: list[Document]
    containers: list[Document]
    open: list[Document]
    possible: frozenset[str]
    scans: bool
    """Whether the policy asks for scans."""
    by_hand: bool
    """Whether codes are typed, with a reason and a second person."""
    scales: list[tuple[str, str]]
    to_stage: list[ToScan]
    to_charge: list[ToScan]


async def bench(request: Request, work_order_id: UUID, code: str) -> Bench | None:
    """What is weighed and charged at an operation; None where nothing is."""
    folded = await run_in_threadpool(_folded, request, work_order_id, code)
    if folded is None:
        return None
    shown = await read(request, f"/mes/work-orders/{work_order_id}/weighing")
    scales = await read(request, "/equipment", limit=SCALES) if "weighMaterial" in folded["possible"] else {}
    known = [(one["code"], one["name"]) for one in scales.get("equipment", ()) if one["calibration"] in USABLE]
    return Bench(
        lines=shown["lines"],
        containers=[one for one in shown["containers"] if one["state"] not in ("asked", "refused")],
        by_hand=request.query_params.get("byHand") == "true", scales=known, **folded,
    )  # fmt: skip


def _folded(request: Request, work_order_id: UUID, code: str) -> Document | None:
    having = request.app.state.services
    target = having.target(WORK_ORDER, work_order_id)
    with (
        reading(having.engine) as connection,
        having.histories.current(connection, target.order_number) as folded,
    ):
        if folded is None or code not in folded.process.work_orders[target.work_order].operations:
            return None
        possible = frozenset(possible_for(folded.process, target.work_order, code))
        return _of_fold(connection, folded, target.work_order, code, possible)


def _of_fold(
    connection: Connection, folded: Folded, number: str, code: str, possible: frozenset[str]
) -> Document | None:
    process = folded.process
    work_order = process.work_orders[number]
    policy = process.specification.policy
    stock = line_stock(process, work_order)
    lots = lots_to_scan(process, work_order, work_order.operations[code])
    if not weighed_lines(process, number) and not policy.scan_required:
        return None
    return {
        "scans": policy.scan_required, "possible": possible,
        "open": [one for own in stock if (one := _open(connection, process, work_order, own)) is not None],
        "to_stage": _containers(process, work_order, None, (ContainerState.WEIGHED, ContainerState.STAGED)),
        "to_charge": _containers(process, work_order, code, IN_PLACE) + [
            ToScan(own.lot, own.material, own.lot, plain(own.rest), own.unit, "")
            for own in stock if own.lot in lots and own.operation == code
        ],
    }  # fmt: skip


def _open(connection: Connection, process: Process, work_order: WorkOrder, own: LineStock) -> Document | None:
    """What the scale has to show of one lot; None when the line is not weighed or is complete."""
    line = next((one for one in weighed_lines(process, work_order.number) if one.line == own.line), None)
    if line is None or own.rest <= 0:
        return None
    asked = WeighingRequest(
        line=own.line, material=own.material, lot=own.lot, unit=own.unit, operation=own.operation, scale="",
        results=containers.results_of(connection, own.lot),
    )  # fmt: skip
    found = open_quantity(process, work_order, asked)
    if found.theoretical <= (line.weighing_tolerance or 0):
        return None
    return {
        "line": own.line, "material": own.material, "lot": own.lot, "unit": own.unit, "rest": plain(own.rest),
        "target": shortest(found.range.target), "low": shortest(found.range.low), "high": shortest(found.range.high),
        "strength": found.strength, "blockers": found.blockers,
    }  # fmt: skip


def _containers(
    process: Process, work_order: WorkOrder, operation: str | None, states: tuple[ContainerState, ...]
) -> list[ToScan]:
    lines = weighed_lines(process, work_order.number, operation)
    return [
        ToScan(own.number, own.material, own.lot, plain(own.net), own.unit, own.place or "")
        for own in containers_of(work_order, lines)
        if own.state in states
    ]  # fmt: skip


@router.get("/container-labels/{container}")
async def label(
    container: str, request: Request, kind: Annotated[str, Query(alias="format", pattern="^(svg|pdf|png)$")] = "pdf"
) -> Response:
    """The label of a dispensed container, to be printed."""
    answer = await call(request, "GET", f"/wms/containers/{container}/label", query={"format": kind})
    if not answer.accepted:
        raise Unanswered(answer)
    headers = {"content-disposition": f'inline; filename="container.{kind}"'}
    return Response(answer.body, media_type=answer.headers["content-type"], headers=headers)
