"""Recalls over the API: each step once, with its signature where it has one."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from adapters.quality import recalls as record
from api.deps import Caller
from api.direct_acts import act
from api.errors import not_found
from api.security import now
from api.shapes import CommandBody
from api.signed_acts import BY_ACTION, signings
from db import audit
from db.once import Request
from db.queries import recalls as tables
from domain.base import Message
from domain.recall_states import RecallState

Entries = list[audit.Entry]


class RecallAnswer(Message):
    """The number of a recall and its state; `hold` stops the lots and orders of a real one."""

    recall: str
    state: RecallState
    hold: str | None = None


def found(who: Caller, number: str) -> dict[str, Any]:
    """A recall as it stands, or 404."""
    with who.services.engine.connect() as connection:
        known = tables.detail(connection, number)
    if known is None:
        raise not_found("recall", number)
    return known


def open_recall(
    who: Caller, body: CommandBody, lot: str | None, supplier_lot: str | None, *, is_mock: bool
) -> RecallAnswer:
    """A draft."""
    content = {"lot": lot, "supplierLot": supplier_lot, "isMock": is_mock, "reason": body.reason}
    request = _request(who, "openRecall", f"lot/{lot or supplier_lot}", body, content)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[RecallAnswer, Entries]:
        number, entries = record.open_recall(
            connection, request, lot, supplier_lot, body.reason or "", is_mock=is_mock
        )  # fmt: skip
        return RecallAnswer(recall=number, state=RecallState.DRAFT), entries

    return act(who, request, RecallAnswer, work)


def step(who: Caller, body: CommandBody, number: str, kind: str, state: RecallState, do: Callable[..., Entries],
         **fields: Any) -> RecallAnswer:  # fmt: skip
    """A step that `do(connection, request, number, **fields)` takes, and that leads to `state`."""
    found(who, number)
    request = _request(who, kind, f"recall/{number}", body, fields | {"reason": body.reason})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[RecallAnswer, Entries]:
        return RecallAnswer(recall=number, state=state), do(connection, request, number, **fields)

    return act(who, request, RecallAnswer, work)


def approve(who: Caller, body: CommandBody, number: str, scope_hash: str) -> RecallAnswer:
    """The one signature of a recall: on the report that was frozen."""
    found(who, number)
    content = {"scope_hash": scope_hash, "reason": body.reason}
    command = BY_ACTION["approveRecall"].command(who, number, body.command_id, content)
    request = _request(who, "approveRecall", f"recall/{number}", body, {"scopeHash": scope_hash})

    def work(connection: Connection, given: tuple[str, ...]) -> tuple[RecallAnswer, Entries]:
        entries = record.approve(connection, request, number, scope_hash, given[0])
        return RecallAnswer(recall=number, state=RecallState.APPROVED), entries

    return act(who, request, RecallAnswer, work, *signings(who, command, number, body))


def execute(who: Caller, body: CommandBody, number: str) -> RecallAnswer:
    """Carry it out. A real one places a hold, whose own process then stops the orders."""
    found(who, number)
    request = _request(who, "executeRecall", f"recall/{number}", body, {})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[RecallAnswer, Entries]:
        hold, entries = record.execute(connection, request, number)
        return RecallAnswer(recall=number, state=RecallState.EXECUTING, hold=hold), entries

    return act(who, request, RecallAnswer, work)


def _request(who: Caller, kind: str, subject: str, body: CommandBody, content: dict[str, Any]) -> Request:
    return Request(kind, subject, body.command_id, who.id, now(), content)
