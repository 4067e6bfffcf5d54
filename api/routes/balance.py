"""Material balance at the line: counts, samples, and what stands on printed packs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import Field

from api.commands import WORK_ORDER, perform
from api.deps import Reading, Who
from api.openapi import LATER
from api.routing import Router
from api.shapes import MAX_INT, Body, CommandBody, Identifier, NotNegative, Positive, Text
from db.queries import print_checks
from domain import commands as c

router = Router(prefix="/mes/work-orders", tags=["material balance"])
Unit = Annotated[str, Field(min_length=1, max_length=40)]


class CountedBody(Body):
    """How much of an issued lot was counted at the line."""

    line: Annotated[int, Field(ge=0, le=MAX_INT)]
    lot: Identifier
    quantity: NotNegative
    unit: Unit


class CountBody(CommandBody):
    """What was counted. A difference needs a reason."""

    lines: tuple[CountedBody, ...] = Field(min_length=1, max_length=200)


class SampleBody(CommandBody):
    """What is taken: of the issued lot of a line, or, without one, of the pieces that the operation has made."""

    quantity: Positive
    unit: Unit
    line: Annotated[int, Field(ge=0, le=MAX_INT)] | None = None
    lot: Identifier | None = None
    purpose: c.SamplePurpose = c.SamplePurpose.IN_PROCESS


class PrintBody(CommandBody):
    """Lot and expiry as they stand on a pack; a date is `2028-11-21`."""

    lot_text: Annotated[Text, Field(max_length=80)]
    expiry_text: Annotated[str, Field(max_length=40)] = ""


@router.post("/{work_order_id}/count", responses=LATER)
async def count(work_order_id: UUID, body: CountBody, who: Who) -> Response:
    """Count what lies at the line. What is not there is a difference; beyond the material's limit a deviation."""
    return await perform(who, c.CountMaterials, WORK_ORDER, work_order_id, body)


@router.post("/{work_order_id}/operations/{code}/samples", responses=LATER)
async def sample(work_order_id: UUID, code: Identifier, body: SampleBody, who: Who) -> Response:
    """Take a sample: a move out of the lot, counted as sampled in its balance."""
    return await perform(who, c.TakeSample, WORK_ORDER, work_order_id, body, operation=code)


@router.post("/{work_order_id}/operations/{code}/print-checks", responses=LATER)
async def check_print(work_order_id: UUID, code: Identifier, body: PrintBody, who: Who) -> Response:
    """What stands on a pack. What is not the batch's opens a deviation and holds the operation."""
    return await perform(who, c.CheckPrint, WORK_ORDER, work_order_id, body, operation=code)


@router.get("/{work_order_id}/print-checks")
def checks(work_order_id: UUID, reading: Reading) -> dict[str, Any]:
    """All checks of prints of a work order, oldest first."""
    return {"printChecks": print_checks.of_work_order_id(reading, work_order_id)}
