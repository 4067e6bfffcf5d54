"""Plan lines that are made of others: parts of a split, a backorder, the rest of a reduced order.

A plan line belongs to no process, so the API writes it by itself, once for each command. What an order must agree to
is a command to its workflow: then the plan lines are written with its fact, in one transaction.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse
from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool

from api import plan_family
from api.commands import ORDER, perform
from api.deps import Caller, writing
from api.documents import order_id
from api.errors import not_found, of_refusal
from api.neighbours import once
from api.permissions import DIRECT
from api.security import Role, now
from api.shapes import CommandBody
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries import plan_line_links as links
from db.queries import plan_lines, targets
from db.queries.plan_line_links import Asked, LinkKind
from domain.base import Message
from domain.commands import Command, PlanPart
from domain.errors import Blocker, Refused
from domain.quantities import Exact, difference
from domain.rules.common import check
from domain.rules.replanning import backorder_blockers, parts_blockers


class NewLine(Message):
    """A plan line that was made of another one; its order is made from it like every other."""

    id: str
    reference: str
    order_number: str
    order_id: str
    quantity: Exact
    unit: str
    due_at: datetime | None


class Replanned(Message):
    """What a command made."""

    command_id: str
    plan_lines: tuple[NewLine, ...]


def _new(row: Row[Any]) -> NewLine:
    return NewLine(
        id=str(row.id), reference=row.reference, order_number=row.order_number, quantity=row.quantity, unit=row.unit,
        order_id=str(order_id(row.order_number)), due_at=row.due_at,
    )  # fmt: skip


async def commanded(who: Caller, kind: type[Command], identity: UUID, body: CommandBody) -> JSONResponse:
    """A command to an order that makes plan lines: the verdict of the order, with `planLines` when it is accepted."""
    answer = await perform(who, kind, ORDER, identity, body)
    if answer.status_code != 200:
        return answer
    made = await run_in_threadpool(_made_by, who, body.command_id)
    shown = [line.model_dump(mode="json", by_alias=True) for line in made]
    return JSONResponse(json.loads(bytes(answer.body)) | {"planLines": shown})


def _made_by(who: Caller, command_id: str) -> list[NewLine]:
    with who.services.engine.connect() as connection:
        return [_new(row) for row in links.made_by(connection, command_id)]


def backorder(who: Caller, identity: UUID, body: CommandBody, due_at: datetime | None) -> Replanned:
    """The plan line of what an order that has ended did not make, once. Raises 404, 403 and 409 with every blocker."""
    with who.services.engine.connect() as connection:
        target = targets.find(connection, ORDER, identity)
    if target is None:
        raise not_found("production order", identity)
    who.may("makeBackorder", target.entity, DIRECT["makeBackorder"])
    number = target.order_number

    def work(connection: Connection) -> tuple[str, Decimal]:
        with who.services.histories.current(connection, number) as folded:
            if folded is None:
                raise not_found("production order", number)
            process = folded.process
            good = plan_family.useful(connection, process)
            line = process.specification.plan_line
            backorders = links.children(connection, line, LinkKind.BACKORDER)
            parts = links.children(connection, line, LinkKind.SPLIT)
            check(backorder_blockers(process, good, backorders, parts))
            return line, difference(process.specification.quantity, good)

    def derived(connection: Connection, asked: Asked) -> Done[Replanned]:
        reference, missing = work(connection)
        source = plan_lines.with_references(connection, [reference])[reference]
        return _derived(connection, source, LinkKind.BACKORDER, [PlanPart(quantity=missing, due_at=due_at)], asked)

    return _once(who, "makeBackorder", target.entity, body, {"dueAt": due_at}, derived)


def split_line(who: Caller, plan_id: UUID, body: CommandBody, parts: Sequence[PlanPart]) -> Replanned:
    """The parts of a plan line that has no order yet, once. Raises 404, 403 and 409 with every blocker."""
    with who.services.engine.connect() as connection:
        line = plan_lines.find(connection, plan_id)
    if line is None:
        raise not_found("plan line", plan_id)
    entity = f"plan-line/{line.reference}"
    who.may("splitPlanLine", entity, DIRECT["splitPlanLine"])

    def derived(connection: Connection, asked: Asked) -> Done[Replanned]:
        source = plan_lines.locked(connection, plan_id)
        assert source is not None
        check(_unsplittable(connection, source) + parts_blockers(parts, source.quantity, "plan line", source.reference))
        return _derived(connection, source, LinkKind.SPLIT, parts, asked)

    content = {"parts": [part.model_dump() for part in parts]}
    return _once(who, "splitPlanLine", entity, body, content, derived)


def _unsplittable(connection: Connection, line: Row[Any]) -> list[Blocker]:
    """A line is split while it is only a plan. Its batch number, given or asked for, makes it one batch."""
    blockers = split_already(connection, line.reference)
    made = plan_lines.made(connection, line.order_number)
    if made is not None:
        found, required = f"order {line.order_number} is {made[0]}", "a line without an order; split the order"
        blockers.append(_blocker("ORDER_EXISTS", line.reference, found, required))
    elif line.batch_number is not None:
        found = f"batch number {line.batch_number}: it is one batch, or its order is being made"
        required = "a line without a batch number; make its order and split that"
        blockers.append(_blocker("BATCH_NUMBER_GIVEN", line.reference, found, required))
    return blockers


def split_already(connection: Connection, reference: str) -> list[Blocker]:
    """A blocker that names the parts, if the line was split."""
    if not (parts := links.children(connection, reference, LinkKind.SPLIT)):
        return []
    return [_blocker("ALREADY_SPLIT", reference, f"split into {', '.join(parts)}", "a line that was not split")]


def _blocker(code: str, reference: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity="plan line", id=reference, found=found, required=required, who_can_fix=Role.PLANNER
    )


def _derived(
    connection: Connection, source: Row[Any], kind: LinkKind, parts: Sequence[PlanPart], asked: Asked
) -> Done[Replanned]:
    rows, entries = links.derive(connection, source, kind, parts, asked)
    return Done(Replanned(command_id=asked.command_id, plan_lines=tuple(_new(row) for row in rows)), entries)


def _once(
    who: Caller,
    kind: str,
    entity: str,
    body: CommandBody,
    content: Mapping[str, object],
    derived: Callable[[Connection, Asked], Done[Replanned]],
) -> Replanned:
    """One effect and one answer for a command id; a refusal leaves one row in the audit trail."""
    at = now()
    request = Request(kind, entity, body.command_id, who.id, at, content)
    asked = Asked(who.id, at, body.command_id, body.reason, who.source)

    def ask(_: str) -> Replanned:
        engine = who.services.engine
        return answer_once(
            engine, "record", COMMAND_OUTCOMES, request, Replanned, lambda connection: derived(connection, asked)
        )

    try:
        return once(body.command_id, ask)
    except Refused as refused:
        audit_refusal(who, kind, entity, refused, body)
        raise of_refusal(refused, body.command_id) from None


def audit_refusal(who: Caller, kind: str, entity: str, refused: Refused, body: CommandBody | None = None) -> None:
    """One row for a request that the record refused."""
    blockers = [blocker.model_dump(mode="json", by_alias=True) for blocker in refused.blockers]
    command_id, reason = (body.command_id, body.reason) if body else (None, None)
    new = {"command": kind, "blockers": blockers}
    with writing(who, who.entry("command.refused", entity, new=new, reason=reason, command_id=command_id)):
        pass
