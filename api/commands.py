"""From a request to a verdict: build the command, check the role, take the signature, signal, wait for the record."""

from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api import signatures
from api.deps import Caller
from api.errors import Problem, not_found, of_refusal
from api.gate import PREFIX
from api.looked_up import looked_up
from api.orders_door import OrderGone
from api.security import now
from api.shapes import CommandBody
from db import audit
from db.queries import outcomes as record
from db.queries import targets
from db.queries.targets import Target
from db.session import reading
from domain.commands import Command
from domain.errors import Blocker, Refused
from domain.events import Outcome

C = TypeVar("C", bound=Command)
ORDER, WORK_ORDER, PICK_LIST = "production-order", "work-order", "pick-list"
DEVIATION, CAPA, MAINTENANCE = "deviation", "capa", "maintenance"

OF_ANOTHER_PERSON: Final = ("approveOrder", "approveOrderChange")
"""Approvals that the author cannot give (B1)."""


@dataclass(frozen=True)
class Prepared:
    """A command that may be sent, or the answer that was given to it before."""

    command: Command
    target: Target
    earlier: Outcome | None


async def perform(
    who: Caller, kind: type[Command], what: str, identity: UUID, body: CommandBody, **more: Any
) -> JSONResponse:
    """Answer a command about the object of that uuid: 200 accepted, 409 refused, 202 not judged within 2 s."""
    prepared = await run_in_threadpool(_prepare, who, kind, what, identity, body, more)
    try:
        return await _judged(who, prepared)
    except OrderGone:
        return shown(await run_in_threadpool(_over, who, prepared), prepared.command)


async def perform_while_it_runs(
    who: Caller, kind: type[Command], what: str, identity: UUID, body: CommandBody, **more: Any
) -> JSONResponse:
    """As `perform`; raises `OrderGone`, and audits nothing, where no process runs that could judge the command."""
    return await _judged(who, await run_in_threadpool(_prepare, who, kind, what, identity, body, more))


async def _judged(who: Caller, prepared: Prepared) -> JSONResponse:
    """The verdict of the process, or the one that it gave before."""
    command = prepared.command
    if prepared.earlier is not None:
        return shown(prepared.earlier, command)
    try:
        outcome = await who.services.outcomes.ask(
            command.command_id, lambda: who.services.cases.send(prepared.target, command)
        )
    except Problem as problem:
        problem.command_id = command.command_id
        raise
    return later(command.command_id) if outcome is None else shown(outcome, command)


def _prepare(
    who: Caller, kind: type[Command], what: str, identity: UUID, body: CommandBody, more: dict[str, Any]
) -> Prepared:
    """Everything before the signal that needs the record, in one thread: 404 before 403 before the signature."""
    target = who.services.target(what, identity)
    if target is None:
        raise not_found(what.replace("-", " "), identity)
    with reading(who.services.engine) as connection:
        earlier = record.earlier(connection, body.command_id)
    command = build(who, kind, target, body.model_dump(exclude={"signature", "second"}, exclude_none=True) | more)
    name = kind.kind_name()
    who.may(name, target.entity, kind.roles)
    who.scope.check(who, target, command, who.id)
    if earlier is not None:
        if earlier.order_number != target.order_number or earlier.kind not in (None, name):
            raise signatures.reused(body.command_id)
        if earlier.outcome is not None:
            return Prepared(command, target, earlier.outcome)
    command = signatures.sign_command(who, command, target, body.signature, body.second)
    return Prepared(command, target, None)


def build(who: Caller, kind: type[C], target: Target, content: dict[str, Any]) -> C:
    """The command of a caller about an object. Raises pydantic's ValidationError when the content does not fit."""
    if "work_order" in kind.model_fields:
        content["work_order"] = target.work_order
    content = looked_up(who, kind, content)
    return kind.model_validate(content | {"actor": who.id, "received_at": now(), "source": who.source})


def _over(who: Caller, prepared: Prepared) -> Outcome:
    """No workflow runs: the order is over. The record says in which state, and the refusal is audited.

    The order may be over *by* this command, sent twice at once: a workflow ends when all its verdicts are written, so
    this one stands in the record by now, and both senders hear the same. Raises the refusal.
    """
    with who.services.engine.begin() as connection:
        earlier = record.earlier(connection, prepared.command.command_id)
        if earlier is not None and earlier.outcome is not None:
            return earlier.outcome
        state = targets.state(connection, prepared.target)
        blocker = _nothing_possible(prepared.target, state or "unknown")
        _audit_refusal(connection, who, prepared, blocker)
    raise of_refusal(Refused((blocker,)), prepared.command.command_id)


def _nothing_possible(target: Target, state: str) -> Blocker:
    kind = target.entity.split("/")[0] if target.is_case else "production order"
    possible = "reopenDeviation" if kind == "deviation" and state == "closed" else "nothing"
    return Blocker(
        code="INVALID_TRANSITION",
        entity=kind,
        id=target.order_number,
        found=state,
        required=f"{'a case' if target.is_case else 'an order'} that is not over; possible now: {possible}",
    )


def _audit_refusal(connection: Connection, who: Caller, prepared: Prepared, blocker: Blocker) -> None:
    new = {
        "command": prepared.command.kind_name(),
        "blockers": [blocker.model_dump(mode="json", by_alias=True)],
    }
    command_id, reason = prepared.command.command_id, prepared.command.reason
    entry = who.entry("command.refused", prepared.target.entity, new=new, reason=reason, command_id=command_id)
    audit.append(connection, [entry])


def shown(outcome: Outcome, command: Command | None = None) -> JSONResponse:
    """The answer of a verdict. 403 where nothing but the person stands in the way of an approval."""
    if not outcome.accepted:
        problem = of_refusal(Refused(outcome.blockers, outcome.possible), outcome.command_id)
        is_of_person = all(blocker.code == "SEPARATION_OF_DUTIES" for blocker in outcome.blockers)
        if command is not None and command.kind_name() in OF_ANOTHER_PERSON and is_of_person:
            problem.status = 403
        problem.extra = {"revision": outcome.revision}
        raise problem
    body = outcome.model_dump(mode="json", by_alias=True, include={"command_id", "accepted", "revision", "possible"})
    return JSONResponse(body | {"result": outcome.result})


def later(command_id: str) -> JSONResponse:
    """202: taken, not judged yet; nothing is lost."""
    url = f"{PREFIX}/commands/{command_id}"
    return JSONResponse({"commandId": command_id, "outcomeUrl": url}, 202, {"Location": url})
