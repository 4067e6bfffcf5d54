"""Nonconforming stock: where it lies, and its destruction by decision and before a witness."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import Connection

from adapters.inventory import relocating
from api.deps import Caller, Reading, only
from api.direct_acts import act
from api.routing import Router
from api.security import now
from api.shapes import CommandBody, Identifier, LongText, Positive, ReasonedBody
from api.signed_acts import signings
from db.once import Request
from db.queries import disposal
from domain.base import Message
from domain.disposal_commands import DecideDestruction, DestroyLot, MoveRejectedStock

router = Router(prefix="/quality/lots/{lot}", tags=["nonconforming stock"])
Mover = Annotated[Caller, Depends(only("moveStock", "lot"))]
Decider = Annotated[Caller, Depends(only("decideDestruction", "lot"))]
Destroyer = Annotated[Caller, Depends(only("destroyLot", "lot"))]


class MoveBody(ReasonedBody):
    """Free stock of a lot goes from a place to another one. Rejected stock needs the quality manager's signature as
    `second`."""

    quantity: Positive
    from_place: Identifier
    to_place: Identifier


class DestroyBody(CommandBody):
    """How it was destroyed. `signature` is the doer's, `second` the witness's."""

    destruction: Identifier
    how: LongText


class LotDone(Message):
    """What was done with a lot."""

    lot: str
    destruction: str | None = None


def _request(who: Caller, kind: str, lot: str, body: CommandBody) -> Request:
    content = body.model_dump(exclude={"command_id", "signature", "second"})
    return Request(kind, f"lot/{lot}", body.command_id, who.id, now(), content)


def _about(who: Caller, body: CommandBody) -> dict[str, Any]:
    return {
        "command_id": body.command_id, "actor": who.id, "received_at": now(), "reason": body.reason,
        "source": who.source,
    }  # fmt: skip


def _shown(answer: LotDone, body: CommandBody) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}


@router.post("/move")
def move(lot: Identifier, body: MoveBody, who: Mover) -> dict[str, Any]:
    """Move stock to a place whose zone fits the lot's status. Refused otherwise, with everything in the way."""
    request = _request(who, "moveStock", lot, body)
    quantity, signed = Decimal(body.quantity), []
    if body.second is not None:
        command = MoveRejectedStock(
            **_about(who, body), lot=lot, quantity=quantity, from_place=body.from_place, to_place=body.to_place
        )
        signed = signings(who, command, lot, body)

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[LotDone, relocating.Entries]:
        entries = relocating.relocate(
            connection, request, lot, quantity, body.from_place, body.to_place, approved=bool(given), reason=body.reason
        )
        return LotDone(lot=lot), entries

    return _shown(act(who, request, LotDone, work, *signed), body)


@router.post("/decide-destruction")
def decide_destruction(lot: Identifier, body: ReasonedBody, who: Decider) -> dict[str, Any]:
    """The quality manager signs that a rejected or recalled lot is destroyed."""
    request = _request(who, "decideDestruction", lot, body)
    command = DecideDestruction(**_about(who, body), lot=lot)

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[LotDone, relocating.Entries]:
        number, entries = relocating.decide(connection, request, lot, body.reason, given[0])
        return LotDone(lot=lot, destruction=number), entries

    return _shown(act(who, request, LotDone, work, *signings(who, command, lot, body)), body)


@router.post("/destroy")
def destroy(lot: Identifier, body: DestroyBody, who: Destroyer) -> dict[str, Any]:
    """Destroy what is left of a lot: signed by the doer and by a witness, who is another person."""
    request = _request(who, "destroyLot", lot, body)
    command = DestroyLot(**_about(who, body), lot=lot, destruction=body.destruction, how=body.how)
    witness = "" if body.second is None else body.second.user_id or ""

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[LotDone, relocating.Entries]:
        entries = relocating.destroy(
            connection, request, lot, body.destruction, body.how, (given[0], given[1]), witness
        )  # fmt: skip
        return LotDone(lot=lot, destruction=body.destruction), entries

    return _shown(act(who, request, LotDone, work, *signings(who, command, lot, body)), body)


@router.get("/destructions")
def destructions(
    lot: Identifier, reading: Reading, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> dict[str, Any]:
    """The decisions to destroy a lot, and their records."""
    return {"destructions": disposal.page(reading, lot, limit)}
