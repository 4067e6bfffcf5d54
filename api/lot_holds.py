"""Holds of lots: the signed act, written with its signature in one transaction."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from adapters.quality import lot_holds as record
from api.deps import Caller
from api.direct_acts import act
from api.errors import not_found
from api.security import now
from api.shapes import CommandBody
from api.signed_acts import check_reach, signings
from db import audit
from db.once import Request
from db.queries import lot_holds as tables
from db.queries.marking import marked
from db.queries.trace import LotUnknown
from domain.base import Message
from domain.hold_commands import HoldLot, ReleaseLotHold
from domain.hold_states import LotHoldState


class HoldAnswer(Message):
    """The number of a hold, and how it stood when this was answered."""

    hold: str
    lot: str
    state: str


def preview(who: Caller, lot: str, downstream: bool) -> dict[str, Any]:
    """What a hold would reach: to be shown before it is signed."""
    with who.services.engine.connect() as connection:
        reach = _reach(connection, lot, downstream).as_document()
        return marked(connection, {"lot": lot, "downstream": downstream} | reach)  # type: ignore[no-any-return]


def _reach(connection: Connection, lot: str, downstream: bool) -> tables.Reach:
    try:
        return tables.reach(connection, lot, downstream)
    except LotUnknown:
        raise not_found("lot", lot) from None


def hold(
    who: Caller, body: CommandBody, lot: str, *, downstream: bool, lots: int, orders: int, shipped: Decimal
) -> HoldAnswer:
    """Place a hold. 409 CONTENT_CHANGED when it would reach something else than the signer was shown."""
    command = HoldLot(
        command_id=body.command_id, actor=who.id, received_at=now(), reason=body.reason, source=who.source, lot=lot,
        downstream=downstream, lots=lots, orders=orders, shipped=shipped,
    )  # fmt: skip
    content = {"downstream": downstream, "lots": lots, "orders": orders, "shipped": shipped, "reason": body.reason}
    request = Request("holdLot", f"lot/{lot}", body.command_id, who.id, now(), content)

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[HoldAnswer, list[audit.Entry]]:
        reach = _reach(connection, lot, downstream)
        check_reach(lot, reach, (lots, orders, shipped))
        number, entries = record.place(
            connection, request, reach, lot, given[0], downstream=downstream, reason=body.reason or ""
        )
        return HoldAnswer(hold=number, lot=lot, state=LotHoldState.STOPPING), entries

    return act(who, request, HoldAnswer, work, *signings(who, command, lot, body))


def release(who: Caller, body: CommandBody, lot: str, number: str) -> HoldAnswer:
    """Release a hold. 409 INVALID_TRANSITION while orders have not answered it."""
    command = ReleaseLotHold(
        command_id=body.command_id, actor=who.id, received_at=now(), reason=body.reason, source=who.source, lot=lot,
        hold=number,
    )  # fmt: skip
    content = {"hold": number, "reason": body.reason}
    request = Request("releaseLotHold", f"lot/{lot}", body.command_id, who.id, now(), content)

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[HoldAnswer, list[audit.Entry]]:
        entries = record.release(connection, request, number, lot, body.reason or "", given[0])
        return HoldAnswer(hold=number, lot=lot, state=LotHoldState.RELEASING), entries

    return act(who, request, HoldAnswer, work, *signings(who, command, lot, body))
