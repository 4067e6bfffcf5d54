"""Production orders: make one from a plan line, read it, ask it to move."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api import creation, documents, history, impossible, plan_family
from api.commands import ORDER, perform
from api.deps import Reading, Services, Who, With
from api.errors import Problem, not_found
from api.openapi import LATER, of_command
from api.orders_door import OrderGone
from api.routing import Router
from api.shapes import CommandBody, Identifier, Text, Time
from db.queries import facts, orders, signatures
from db.queries.marking import marked
from db.session import reading
from domain import commands as c
from domain.process import Process
from domain.states import OrderState

router = Router(prefix="/mes/orders", tags=["orders"])
LONGEST_WAIT = 30


class CancelBody(CommandBody):
    """A cancellation; `disposition` says what becomes of consumed material."""

    disposition: c.Disposition | None = None


class DecideDeviationBody(CommandBody):
    """The decision of quality about a deviation of the order."""

    deviation: Identifier
    decision: Text


@router.post("/from-plan/{plan_id}", responses=LATER)
async def from_plan(plan_id: UUID, who: Who) -> JSONResponse:
    """Make the order of a plan line; a second call names the same order."""
    return await creation.from_plan(who, plan_id)


@router.get("")
def listed(
    reading: Reading,
    who: Who,
    state: OrderState | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Identifier | None = None,
) -> dict[str, Any]:
    """Orders, newest first; `next` is the value of `after` for the next page."""
    found = orders.page(reading, state, limit, after, who.scope.orders())
    return {"orders": found, "next": found[-1]["number"] if len(found) == limit else None}


@router.get("/{order_id}")
async def detail(
    order_id: UUID,
    having: With,
    at: Time | None = None,
    after_revision: Annotated[int | None, Query(alias="afterRevision", ge=0, le=2**31)] = None,
    wait_seconds: Annotated[float, Query(alias="waitSeconds", ge=0, le=LONGEST_WAIT)] = 0,
) -> dict[str, Any]:
    """One order as it stands in the record, when its revision is above `afterRevision`; or as it stood `at` a time."""
    if at is not None:
        return await run_in_threadpool(_at, having, order_id, at)
    number = await run_in_threadpool(_number, having, order_id)
    if after_revision is not None and wait_seconds:
        await having.outcomes.newer(number, after_revision, wait_seconds)
    return await run_in_threadpool(_current, having, number)


def _number(having: Services, order_id: UUID) -> str:
    target = having.target(ORDER, order_id)
    if target is None:
        raise not_found("production order", order_id)
    return target.order_number


def _current(having: Services, number: str) -> dict[str, Any]:
    with reading(having.engine) as connection, having.histories.current(connection, number) as folded:
        if folded is None:
            raise not_found("production order", number)
        return _document(connection, folded)


def _at(having: Services, order_id: UUID, at: Any) -> dict[str, Any]:
    number = _number(having, order_id)
    with reading(having.engine) as connection:
        folded = history.at(connection, number, at)
        if folded is None:
            raise Problem(404, "NOT_FOUND", f"{number} did not exist at {at.isoformat()}")
        return _document(connection, folded, at)


def _document(connection: Connection, folded: history.Folded, at: datetime | None = None) -> dict[str, Any]:
    specification = folded.process.specification
    links = plan_family.of_order(connection, specification.plan_line, at)
    signed = _signed(connection, folded.process)
    deviations = orders.deviations(connection, specification.number, at)
    shown: dict[str, Any] = marked(connection, documents.order(folded, deviations, links, signed), at)
    return shown


def _signed(connection: Connection, process: Process) -> list[dict[str, Any]]:
    entities = documents.signed_entities(process)
    rows = signatures.of_order(connection, process.specification.number, entities, process.revision)
    return [signatures.document(row) for row in rows]


@router.get("/{order_id}/state")
async def state(order_id: UUID, having: With) -> dict[str, Any]:
    """The order as its workflow holds it now; from the record, with `stale: true`, when no worker answers."""
    number = await run_in_threadpool(_number, having, order_id)
    try:
        process = await having.orders.process(number)
    except (OrderGone, Problem):
        return await run_in_threadpool(_current, having, number) | {"stale": True}
    return await run_in_threadpool(_now, having, process)


def _now(having: Services, process: Process) -> dict[str, Any]:
    """The order's own state, with what stands in the record beside it: what it was planned from, its signatures."""
    number = process.specification.number
    with having.engine.connect() as connection, having.histories.current(connection, number) as recorded:
        links = plan_family.of_order(connection, process.specification.plan_line)
        signed = _signed(connection, process)
        # What was consumed, and when it began and ended, the process does not keep.
        folded = history.Folded(process) if recorded is None else replace(recorded, process=process)
        shown = documents.order(folded, len(process.deviations), links, signed)
        return marked(connection, shown) | {"stale": False}  # type: ignore[no-any-return]


@router.get("/{order_id}/history")
def past(
    order_id: UUID,
    having: With,
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """What has happened to the order, oldest first."""
    number = _number(having, order_id)
    with reading(having.engine) as connection:
        found = facts.page(connection, number, after, limit)
    shown = [fact.model_dump(mode="json", by_alias=True) for fact in found]
    return {"facts": shown, "next": found[-1].revision if len(found) == limit else None}


@router.post("/{order_id}/cancel", responses=LATER)
async def cancel(order_id: UUID, body: CancelBody, who: Who) -> Response:
    """Cancel at any stage: everything that was taken is given back."""
    return await perform(who, c.CancelOrder, ORDER, order_id, body)


@router.post("/{order_id}/decide-deviation", responses=LATER)
async def decide_deviation(order_id: UUID, body: DecideDeviationBody, who: Who) -> Response:
    """The decision of quality about a deviation."""
    return await perform(who, c.DecideDeviation, ORDER, order_id, body)


def _plain(path: str, kind: type[c.Command]) -> None:
    async def command(order_id: UUID, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, ORDER, order_id, body)

    router.add_api_route(f"/{{order_id}}/{path}", command, methods=["POST"], name=path, **of_command(kind))


for _path, _kind in (
    ("submit", c.SubmitOrder),
    ("approve", c.ApproveOrder),
    ("reject", c.RejectOrder),
    ("release", c.ReleaseOrder),
    ("hold", c.HoldOrder),
    ("resume", c.ResumeOrder),
    ("close", c.CloseOrder),
    ("retry-now", c.RetryNow),
):
    _plain(_path, _kind)


def _impossible(path: str) -> None:
    def never(order_id: UUID, body: CommandBody, who: Who) -> Response:
        raise impossible.refuse(who, ORDER, order_id, path, body)

    router.add_api_route(
        f"/{{order_id}}/{path}", never, methods=["POST"], name=path, description=impossible.DONE_BY[ORDER][path]
    )


for _path in impossible.DONE_BY[ORDER]:
    _impossible(_path)
