"""Planning anew: split, backorder, and the rest of a running order."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import Field

from api import plan_family, replanning
from api.deps import Reading, Who, With
from api.errors import not_found
from api.openapi import of_command
from api.replanning import Replanned, commanded
from api.routes.plan_lines import shown
from api.routing import Router
from api.shapes import Body, CommandBody, Positive, Time
from db.queries import plan_line_links, plan_lines
from domain import commands as c

router = Router(prefix="/mes", tags=["planning"])


class PartBody(Body):
    """A part: how much, and when it is due if not with the whole."""

    quantity: Positive
    due_at: Time | None = None


Parts = Annotated[list[PartBody], Field(min_length=2, max_length=50)]


class SplitBody(CommandBody):
    """The parts; they sum exactly to the whole."""

    parts: Parts


class BackorderBody(CommandBody):
    """A backorder is due with the order unless it says when."""

    due_at: Time | None = None


class ReduceBody(CommandBody):
    """The quantity that is left; without it, what was reported."""

    quantity: Positive | None = None
    due_at: Time | None = None


@router.post("/orders/{order_id}/split", **of_command(c.SplitOrder))
async def split_order(order_id: UUID, body: SplitBody, who: Who) -> Response:
    """Cancel an order before its release and make plan lines of its parts, in one transaction."""
    return await commanded(who, c.SplitOrder, order_id, body)


@router.post("/orders/{order_id}/reduce", **of_command(c.ReduceQuantity))
async def reduce(order_id: UUID, body: ReduceBody, who: Who) -> Response:
    """Cut a running order down and make a plan line of the rest, in one transaction."""
    return await commanded(who, c.ReduceQuantity, order_id, body)


@router.post("/orders/{order_id}/backorder")
def backorder(order_id: UUID, body: BackorderBody, who: Who) -> Replanned:
    """Make a plan line of what an order that has ended short did not make, once."""
    return replanning.backorder(who, order_id, body, body.due_at)


@router.post("/plan-lines/{plan_id}/split")
def split_line(plan_id: UUID, body: SplitBody, who: Who) -> Replanned:
    """Make parts of a plan line that has no order yet."""
    parts = [c.PlanPart(quantity=part.quantity, due_at=part.due_at) for part in body.parts]
    return replanning.split_line(who, plan_id, body, parts)


@router.get("/plan-lines/{plan_id}")
def detail(plan_id: UUID, reading: Reading, having: With) -> dict[str, Any]:
    """One plan line; `family` are all lines that come from the same first line, and where what was planned is now."""
    line = plan_lines.find(reading, plan_id)
    if line is None:
        raise not_found("plan line", plan_id)
    family = plan_family.family(reading, having.histories, line.reference)
    state = next(own["orderState"] for own in family["lines"] if own["reference"] == line.reference)
    rows = plan_line_links.of(reading, [line.reference])
    return shown(line, state, rows) | {"family": family}
