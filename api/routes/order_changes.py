"""Changing an order: directly while it is a draft or approved, by a signed change request once it is released."""

from typing import Any
from uuid import UUID

from fastapi import Response

from api import documents
from api.commands import ORDER, perform
from api.deps import Who, With
from api.errors import not_found
from api.openapi import of_command
from api.routing import Router
from api.shapes import CommandBody, Identifier, Positive, Time
from db.session import reading
from domain import commands as c

router = Router(prefix="/mes/orders/{order_id}", tags=["orders"])


class FieldsBody(CommandBody):
    """The fields that shall have another value; what is not named stays as it is."""

    quantity: Positive | None = None
    due_at: Time | None = None
    start_at: Time | None = None


@router.post("/change", **of_command(c.ChangeOrder))
async def change(order_id: UUID, body: FieldsBody, who: Who) -> Response:
    """Change a draft, or an approved order: its approvals are void then, and it is submitted again."""
    return await perform(who, c.ChangeOrder, ORDER, order_id, body)


@router.get("/change-requests")
def listed(order_id: UUID, having: With) -> dict[str, Any]:
    """The change requests of an order, oldest first, with before and after of every field."""
    target = having.target(ORDER, order_id)
    if target is None:
        raise not_found("production order", order_id)
    with reading(having.engine) as connection, having.histories.current(connection, target.order_number) as folded:
        if folded is None:
            raise not_found("production order", order_id)
        return {"changeRequests": documents.change_requests(folded.process)}


@router.post("/change-requests", **of_command(c.RequestOrderChange))
async def request(order_id: UUID, body: FieldsBody, who: Who) -> Response:
    """Ask for a change of a released order, which is on hold until somebody else has decided."""
    return await perform(who, c.RequestOrderChange, ORDER, order_id, body)


@router.post("/change-requests/{change}/approve", **of_command(c.ApproveOrderChange))
async def approve(order_id: UUID, change: Identifier, body: CommandBody, who: Who) -> Response:
    """Approve a change by signature: it is applied in the same transaction, and the order goes on."""
    return await perform(who, c.ApproveOrderChange, ORDER, order_id, body, change=change)


@router.post("/change-requests/{change}/reject", **of_command(c.RejectOrderChange))
async def reject(order_id: UUID, change: Identifier, body: CommandBody, who: Who) -> Response:
    """Reject a change: the order stays as it was, and goes on."""
    return await perform(who, c.RejectOrderChange, ORDER, order_id, body, change=change)


@router.post("/change-requests/{change}/withdraw", **of_command(c.WithdrawOrderChange))
async def withdraw(order_id: UUID, change: Identifier, body: CommandBody, who: Who) -> Response:
    """Take back one's own request before it is decided: the order stays as it was, and goes on."""
    return await perform(who, c.WithdrawOrderChange, ORDER, order_id, body, change=change)
