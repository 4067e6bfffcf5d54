"""Review of batch records by exception: what was not normal, what stands in the way of release, who signs next."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.routing import Router
from api.scopes import Scope
from api.ui.calls import Unanswered, call, read
from api.ui.severity import RANK, of_exception
from api.ui.shell import PageRoute, page
from api.ui.standing import Standing, standing
from db.queries import record_lists
from db.queries.record_people import names
from db.session import reading
from domain.base import uuid_for

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 100
SHOWS: Final = {
    "": record_lists.WAITING, "inReview": ("inReview",), "qaReview": ("qaReview",), "correction": ("correction",),
    "approved": ("approved",), "archived": ("archived",), "open": ("open",),
}  # fmt: skip
_NEXT: Final = (
    "resubmitBatchRecord", "reviewBatchRecord", "approveBatchRecord", "certifyBatch", "releaseBatch",
)  # fmt: skip
_VALUE: Final = re.compile(r"(?P<name>.+) (?P<number>V\d+): ")
Document = dict[str, Any]


@router.get("/reviews")
async def listed(request: Request, show: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Batch records that somebody has to look at; `show`: one state alone, archived ones too."""
    session = request.state.session
    inside = Scope(session.plants, session.lines).work_orders(record_lists.RECORDS.c.work_order)

    def rows() -> list[Document]:
        with reading(request.app.state.services.engine) as connection:
            found = record_lists.page(connection, SHOWS.get(show, SHOWS[""]), SHOWN, inside)
        return [row | {"next": _next(row)} for row in found]

    return page(
        request, "reviews.html", records=await run_in_threadpool(rows), show=show, shows=[one for one in SHOWS if one],
        shown=SHOWN, live="batch-record,work-order,production-order",
    )  # fmt: skip


def _next(row: Mapping[str, Any]) -> Document | None:
    """What the record waits for, and whose it is, of all that its order waits for."""
    tasks = [task for task in row["tasks"] or () if task["what"] == row["work_order"]]
    return next((task for command in _NEXT for task in tasks if task["command"] == command), None)


@router.get("/reviews/{work_order_id}")
async def one(work_order_id: UUID, request: Request) -> Response:
    """One record: its exceptions, the conditions of its release, the steps with who may do them, and all the rest."""
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    record = await read(request, f"/mes/work-orders/{work_order_id}/batch-record")
    stands: Standing = await run_in_threadpool(standing, request, work_order_id)
    cases = await read(request, "/quality/deviations", orderId=document["orderId"], limit=1000)
    found = sorted(map(_shown(record, cases["deviations"]), record["exceptions"]), key=_first)
    return page(
        request, "review.html", work=document, record=record, standing=stands, exceptions=found,
        open_count=sum(own["isOpen"] for own in found), entries=_entries(record), did=_did(record),
        people=await run_in_threadpool(_people, request, record), live=document["orderNumber"],
        is_archived=record["review"]["state"] == "archived",
    )  # fmt: skip


def _people(request: Request, record: Document) -> dict[str, str]:
    with reading(request.app.state.services.engine) as connection:
        return names(connection, record)


def _first(own: Mapping[str, Any]) -> tuple[bool, int, str]:
    """Open ones first, then the worst, then the oldest."""
    return not own["isOpen"], RANK[own["severity"]], own["at"]


def _shown(record: Document, deviations: list[Document]) -> Any:
    """How an exception is shown: how bad it is, the value that was corrected, and where its deviation is decided."""
    of = {own["number"]: own for own in deviations}
    values = {(stage["code"], value["number"]): value for stage in record["operations"] for value in stage["values"]}

    def show(own: Document) -> Document:
        value = _VALUE.match(own["detail"]) if own["type"] == "correctedValue" else None
        deviation = of.get(own["deviation"] or "")
        return own | {
            "severity": of_exception(own["type"]),
            "value": values.get((own["operation"], value["number"])) if value else None,
            "case": None if deviation is None else str(uuid_for("deviation", deviation["number"])),
        }

    return show


def _entries(record: Document) -> int:
    """How many entries the record has, of which the exceptions are a few."""
    stages = record["operations"]
    inspection = record["inspection"] or {"results": []}
    own = sum(len(stage[name]) for stage in stages for name in ("values", "reports", "verifications", "comments"))
    return own + 2 * len(stages) + len(record["materials"]) + len(inspection["results"])


def _did(record: Document) -> dict[str, tuple[str, str]]:
    """Command → who did it and when."""
    release = record["release"]
    found = {"certifyBatch": (release["certifiedBy"], release["certifiedAt"])} if release["certifiedBy"] else {}
    if release["releasedBy"]:
        found["releaseBatch"] = (release["releasedBy"], release["releasedAt"])
    return found | dict(_reviewed(record["review"]["steps"]))


def _reviewed(steps: list[Document]) -> Iterator[tuple[str, tuple[str, str]]]:
    for step in steps:
        if step["event"] in ("review", "approve"):
            yield f"{step['event']}BatchRecord", (step["by"], step["at"])


@router.get("/reviews/{work_order_id}/pdf")
async def printed(work_order_id: UUID, request: Request, language: Literal["en", "zh"] = "zh") -> Response:
    """The record on paper: the archived file when there is one."""
    path = f"/mes/work-orders/{work_order_id}/batch-record"
    answer = await call(request, "GET", f"{path}/archive/pdf", query={"language": language})
    if answer.status == 404:
        answer = await call(request, "GET", f"{path}/pdf", query={"language": language})
    if not answer.accepted:
        raise Unanswered(answer)
    disposition = {"content-disposition": answer.headers.get("content-disposition", "inline")}
    return Response(answer.body, media_type="application/pdf", headers=disposition)
