"""Rows of orders whose fields were changed, and of the requests for it. Importing this registers it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from db.projection.events import ORDERS, WORK_ORDERS, Context, project
from domain import change_events as ch
from domain.change_states import FieldChange, OrderChangeState


@project.register
def _(event: ch.OrderChanged, context: Context) -> None:
    number, voided = context.fact.order_number, event.voided_approvals
    columns = _columns(event.changes)
    if columns:
        context.batch.update(ORDERS, {"number": number}, **columns)
    for own in event.work_orders:
        context.batch.update(WORK_ORDERS, {"number": own.number}, quantity=own.quantity)
    old: dict[str, Any] = {own.field: own.before for own in event.changes}
    new: dict[str, Any] = {own.field: own.after for own in event.changes}
    if voided:
        old, new = old | {"approvals": list(voided)}, new | {"approvals": []}
    if event.change is not None:
        new["change"] = event.change
    context.audit("production-order.changed", f"production-order/{number}", old=old, new=new)


@project.register
def _(event: ch.OrderChangeRequested, context: Context) -> None:
    asked = {own.field: f"{own.before} → {own.after}" for own in event.changes}
    context.transition(
        "order-change", event.change, "request", None, OrderChangeState.REQUESTED,
        order=context.fact.order_number, **asked,
    )  # fmt: skip


@project.register
def _(event: ch.OrderChangeMoved, context: Context) -> None:
    context.transition("order-change", event.change, event.event, event.origin, event.target)


def _columns(changes: tuple[FieldChange, ...]) -> dict[str, Any]:
    """The columns of an order's row; its planned start has none."""
    found: dict[str, Any] = {}
    for own in changes:
        if own.field == "quantity":
            found["quantity"] = Decimal(own.after)
        if own.field == "dueAt":
            found["due_at"] = datetime.fromisoformat(own.after)
    return found
