"""Rows of orders that were split or cut down, with the plan lines made of them. Importing this registers it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from db import tables as t
from db.audit import Entry
from db.projection.events import ORDERS, WORK_ORDERS, Context, project
from db.queries.plan_line_links import Asked, LinkKind, derive
from domain import events as e
from domain import planning_events as p
from domain.commands import PlanPart
from domain.quantities import plain, total

LINES = t.core(t.PlanLine)


@project.register
def _(event: p.OrderSplit, context: Context) -> None:
    number = context.fact.order_number
    old = {"quantity": plain(total(part.quantity for part in event.parts)), "approvals": list(event.voided_approvals)}
    new = {"parts": [plain(part.quantity) for part in event.parts], "approvals": []}
    context.audit("production-order.split", f"production-order/{number}", old=old, new=new)
    context.batch.then(_lines(context.fact, event.plan_line, LinkKind.SPLIT, event.parts))


@project.register
def _(event: p.QuantityReduced, context: Context) -> None:
    number = context.fact.order_number
    context.batch.update(ORDERS, {"number": number}, quantity=event.target)
    context.batch.update(WORK_ORDERS, {"number": event.work_order}, quantity=event.target)
    old, new = {"quantity": plain(event.origin)}, {"quantity": plain(event.target)}
    context.audit("production-order.reduce", f"production-order/{number}", old=old, new=new)
    context.batch.then(_lines(context.fact, event.plan_line, LinkKind.REST, (event.rest,)))


def _lines(
    fact: e.Fact, plan_line: str, kind: LinkKind, parts: tuple[PlanPart, ...]
) -> Callable[[Connection], list[Entry]]:
    """The plan lines of a fact, in its own transaction: their numbers can be drawn only there."""

    def write(connection: Connection) -> list[Entry]:
        source: Any = connection.execute(select(LINES).where(LINES.c.reference == plan_line)).one()
        asked = Asked(fact.actor, fact.at, fact.command_id or "", fact.reason, fact.source or None)
        return derive(connection, source, kind, parts, asked)[1]

    return write
