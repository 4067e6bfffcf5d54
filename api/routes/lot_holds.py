"""Holds of lots: a signed act that stops a lot, what was made of it, and every order that uses it."""

from contextlib import suppress
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.concurrency import run_in_threadpool

from api import lot_holds
from api.deps import Caller, Reading, Who, only
from api.errors import Problem, not_found
from api.routing import Router
from api.shapes import Identifier, NotNegative, ReasonedBody
from db.queries import lot_holds as tables
from db.queries.marking import marked

router = Router(prefix="/quality", tags=["holds of lots"])
Holder = Annotated[Caller, Depends(only("holdLot", "lot"))]
Releaser = Annotated[Caller, Depends(only("releaseLotHold", "lot"))]


class HoldBody(ReasonedBody):
    """A hold. `lots`, `orders` and `shipped` are what the preview has shown; the signature binds them."""

    downstream: bool = False
    lots: int
    orders: int
    shipped: NotNegative


class ReleaseHoldBody(ReasonedBody):
    """The release of one hold of the lot."""

    hold: Identifier


@router.get("/lots/{lot}/hold-preview")
def preview(lot: Identifier, who: Who, downstream: bool = False) -> dict[str, Any]:
    """What a hold would stop: lots, running orders, and what of the lots was shipped already."""
    return lot_holds.preview(who, lot, downstream)


@router.post("/lots/{lot}/hold")
async def hold(lot: Identifier, body: HoldBody, who: Holder) -> dict[str, Any]:
    """Stop a lot at once, and every order that uses it: the orders answer one by one, see GET /quality/holds/{hold}."""
    answer = await run_in_threadpool(
        lambda: lot_holds.hold(
            who, body, lot, downstream=body.downstream, lots=body.lots, orders=body.orders, shipped=body.shipped
        )
    )
    with suppress(Problem):  # the hold stands; what could not be begun now is begun later
        await who.services.lot_holds.begin(answer.hold)
    return _shown(answer, body.command_id)


@router.post("/lots/{lot}/release-hold")
async def release_hold(lot: Identifier, body: ReleaseHoldBody, who: Releaser) -> dict[str, Any]:
    """Let go what this hold has stopped, and nothing else."""
    answer = await run_in_threadpool(lot_holds.release, who, body, lot, body.hold)
    with suppress(Problem):
        await who.services.lot_holds.release(answer.hold)
    return _shown(answer, body.command_id)


def _shown(answer: lot_holds.HoldAnswer, command_id: str) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": command_id, "accepted": True}


@router.get("/holds")
def listed(
    reading: Reading,
    lot: Identifier | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Holds, newest first."""
    return {"holds": marked(reading, tables.page(reading, lot, is_open, limit))}


@router.get("/holds/{hold}")
def detail(hold: Identifier, reading: Reading) -> dict[str, Any]:
    """A hold with its lots, its orders and how far it is."""
    found = tables.detail(reading, hold)
    if found is None:
        raise not_found("hold", hold)
    shown: dict[str, Any] = marked(reading, found)
    return shown
