"""Lots: find one, its card, where it came from and where it went, as a picture and as a list."""

import csv
import io
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.ui.calls import Unanswered, call, read
from api.ui.direct import may_act
from api.ui.shell import PageRoute, context, page
from api.ui.svg import genealogy
from api.ui.svg.genealogy import Node
from db import serials
from db.queries import (
    batch_reworks,
    disposal,
    lot_holds,
    lot_search,
    quality,
    shipments,
    signatures,
    stock,
    stock_moves,
)
from db.queries.record_people import names
from db.session import reading
from domain.base import uuid_for

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
Direction = Literal["both", "forward", "backward"]
Depth = Annotated[int, Query(ge=0, le=50)]
SHOWN: Final = 60
LISTED: Final = 2000
MOVES: Final = 200
PIECES: Final = 12
DEPTHS: Final = (0, 1, 2, 3, 5)
PADDING: Final = 24
SMALLEST: Final = (860, 260)
"""Nothing is drawn larger than it would be in a picture of this size."""
Document = dict[str, Any]


@router.get("/lots")
async def search(request: Request, find: Annotated[str, Query(max_length=120)] = "") -> Response:
    """Lots that fit; those that wait for somebody when nothing is asked; the nearest when none fits."""
    text = find.strip()

    def look() -> tuple[list[Document], list[Document], bool]:
        with reading(request.app.state.services.engine) as connection:
            if not text:
                return lot_search.waiting(connection, SHOWN), [], False
            if stock.status(connection, text) is not None:
                return [], [], True
            fitting = lot_search.matching(connection, text, SHOWN)
            return fitting, [] if fitting else lot_search.nearest(connection, text), False

    lots, near, is_exact = await run_in_threadpool(look)
    if is_exact or len(lots) == 1:
        number = text if is_exact else lots[0]["number"]
        if text:
            return RedirectResponse(f"/ui/lots/{quote(number, safe='/')}", 303)
    return page(request, "lots.html", lots=lots, near=near, find=text, shown=SHOWN, live="lot")


@router.get("/lots/{lot:path}")
async def one(
    lot: str, request: Request, direction: Direction = "both", depth: Depth = 0,
    serial: Annotated[str, Query(max_length=80)] = "",
) -> Response:  # fmt: skip
    """The card of a lot, with its genealogy. An unknown one leads to the nearest. `serial`: a piece of it."""
    found = await run_in_threadpool(_card, request, lot, serial)
    if found is None:
        return await _unknown(request, lot)
    nodes, edges, away, beyond = await _related(request, lot, direction, depth)
    shown = genealogy.grouped(nodes, edges, lot)
    picture = genealogy.layout(*shown)
    return page(
        request, "lot.html", lot=found, related=nodes, away=away, picture=picture, curve=genealogy.curve,
        box=_box(picture), direction=direction, depth=depth, depths=DEPTHS, beyond=beyond,
        is_short=picture.height <= SMALLEST[1],
        is_grouped=len(shown[0]) < len(nodes), edges=shown[1], size=(genealogy.WIDTH, genealogy.HEIGHT),
        ways=_ways(shown[1]), listed=LISTED, live=lot, may_act=lambda name: may_act(request, name),
        back=sum(1 for far in away.values() if far < 0),
        on=sum(1 for far in away.values() if far > 0),
    )  # fmt: skip


async def _unknown(request: Request, lot: str) -> Response:
    def look() -> list[Document]:
        with reading(request.app.state.services.engine) as connection:
            return lot_search.nearest(connection, lot)

    near = await run_in_threadpool(look)
    return page(request, "lots.html", 404, lots=[], near=near, find=lot, shown=SHOWN, live="")


def _card(request: Request, number: str, serial: str) -> Document | None:
    """Everything that the record knows about the lot itself, and about the piece of it that was looked for."""
    with reading(request.app.state.services.engine) as connection:
        own = stock.lot(connection, number)
        if own is None:
            return None
        signed = [] if own["workOrder"] is None else signatures.of_batch(connection, own["workOrder"])
        inspections = quality.inspections(connection, number, 50)
        moves = stock_moves.of_lot(connection, number, MOVES)
        piece = serials.find(connection, serial) if serial else None
        return own | {
            "name": lot_search.name_of(connection, own["material"]), "inspections": inspections, "signatures": signed,
            "workOrderId": None if own["workOrder"] is None else str(uuid_for("work-order", own["workOrder"])),
            "holds": lot_holds.page(connection, number, True, 50),
            "batchReworks": batch_reworks.page(connection, number, None, 50),
            "operations": [] if own["workOrder"] is None else batch_reworks.operations(connection, own["workOrder"]),
            "shipments": shipments.page(connection, lots=[number], limit=50),
            "destructions": disposal.page(connection, number, 50),
            "deviations": quality.deviations(connection, None, number, 50),
            "moves": moves, "serials": serials.page(connection, number, "", PIECES),
            "serialCount": serials.count(connection, number),
            "piece": serials.document(piece) if piece is not None and piece.lot == number else None,
            "people": names(connection, {"inspections": inspections, "moves": moves}),
        }  # fmt: skip


async def _related(
    request: Request, lot: str, direction: str, depth: int
) -> tuple[list[Node], list[tuple[str, str]], dict[str, int], int]:
    """The related lots with their links, how far each is away, and how many lie beyond the depth."""
    trace = await read(request, f"/mes/traceabilities/lots/{lot}", direction=direction)
    every = [(edge["from"], edge["to"]) for edge in trace["edges"]]
    away = genealogy.within(every, lot, depth)
    nodes = [
        Node(
            own["lot"],
            own["material"],
            own["quantity"],
            own["unit"],
            own["status"],
            name=own.get("name", ""),
            plant=own.get("sourcePlant", ""),
        )
        for own in trace["nodes"]
        if own["lot"] in away
    ]
    there = {node.key for node in nodes}
    edges = sorted({(source, target) for source, target in every if source in there and target in there})
    return nodes, edges, away, len(trace["nodes"]) - len(nodes)


def _box(picture: genealogy.Picture) -> str:
    """The part of the drawing that is shown at first, as `viewBox` has it: everything, with some room around it."""
    width, height = picture.width + 2 * PADDING, picture.height + 2 * PADDING
    wide, high = max(width, SMALLEST[0]), max(height, SMALLEST[1])
    box = (-PADDING - (wide - width) / 2, -PADDING - (high - height) / 2, wide, high)
    return " ".join(f"{number:g}" for number in box)


def _ways(edges: Iterable[tuple[str, str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Lot → what it was made from, what it went into: where the arrow keys lead."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for source, target in edges:
        found.setdefault(source, ([], []))[1].append(target)
        found.setdefault(target, ([], []))[0].append(source)
    return found


@router.get("/lot-list/{lot:path}")
async def as_list(lot: str, request: Request, direction: Direction = "both", depth: Depth = 0) -> Response:
    """The related lots as CSV, in the language of the page, with a mark that spreadsheets read as UTF-8."""
    t = context(request)["t"]
    nodes, _, away, _ = await _related(request, lot, direction, depth)
    out = io.StringIO()
    writer = csv.writer(out)
    heads = ("field.lot", "field.material", "field.quantity", "lot.unit", "field.state", "lot.relation", "lot.steps",
             "lot.plant")  # fmt: skip
    writer.writerow([t(head) for head in heads])
    for node in sorted(nodes, key=lambda own: (away[own.key], own.key)):
        far = away[node.key]
        relation = t("lot.itself") if far == 0 else t("lot.input") if far < 0 else t("lot.output")
        row = (node.label, node.material, node.quantity, node.unit, t.of("lot", node.status), relation, str(abs(far)),
               node.plant)  # fmt: skip
        writer.writerow([_harmless(text) for text in row])
    name = quote(f"genealogy-{lot}.csv", safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula is marked as text (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@router.get("/lot-label/{lot:path}")
async def label(
    lot: str, request: Request, symbology: Annotated[str, Query(max_length=20)] = "dataMatrix",
    kind: Annotated[str, Query(max_length=4)] = "pdf",
) -> Response:  # fmt: skip
    """The label of a lot, to be printed."""
    if "/" in lot:
        raise not_found("label of lot", lot)
    answer = await call(request, "GET", f"/wms/lots/{lot}/label", query={"symbology": symbology, "format": kind})
    if not answer.accepted:
        raise Unanswered(answer)
    return Response(answer.body, media_type=answer.headers["content-type"])
