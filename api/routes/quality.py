"""Quality: inspections of received lots, deviations."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import model_validator

from api.commands import ORDER
from api.deps import Caller, Reading, Who, only
from api.errors import not_found
from api.neighbours import once
from api.shapes import CommandBody, DecisionBody, Identifier, LongText, ValuesBody
from db.queries import quality as tables
from db.queries import targets
from domain.base import Message
from domain.commands import Measurement

router = APIRouter(prefix="/quality", tags=["quality"])
Analyst = Annotated[Caller, Depends(only("enterResults", "inspection"))]
Requester = Annotated[
    Caller,
    Depends(
        only("requestInspection", "inspection")
    ),
]  # fmt: skip
Decider = Annotated[Caller, Depends(only("decideInspection", "inspection"))]
Reporter = Annotated[
    Caller,
    Depends(
        only("openDeviation", "deviation")
    ),
]  # fmt: skip


class LotBody(CommandBody):
    """A lot."""

    lot: Identifier


class DeviationBody(CommandBody):
    """Something that is not as it should be, on an order, a lot or both."""

    order_id: UUID | None = None
    lot: Identifier | None = None
    code: Identifier
    detail: LongText

    @model_validator(mode="after")
    def _names_something(self) -> "DeviationBody":
        if self.order_id is None and self.lot is None:
            raise ValueError("orderId or lot is needed")
        return self


def _asked(command_id: str, ask: Callable[[str], Message]) -> dict[str, Any]:
    return once(command_id, ask).model_dump(mode="json", by_alias=True) | {"commandId": command_id}


@router.post("/inspections")
def request_inspection(body: LotBody, who: Requester) -> dict[str, Any]:
    """A further inspection of a received lot."""
    with who.services.engine.connect() as connection:
        material = tables.material_of(connection, body.lot)
    if material is None:
        raise not_found("lot", body.lot)
    quality = who.services.quality
    return _asked(
        body.command_id,
        lambda key: quality.request_inspection(body.lot, material, None, None, key=key, actor=who.id),
    )


@router.get("/inspections")
def inspections(reading: Reading, lot: Identifier, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
    """The inspections of a lot with all results that were ever entered."""
    return {"inspections": tables.inspections(reading, lot, limit)}


@router.post("/inspections/{number}/results")
def enter_results(number: Identifier, body: ValuesBody, who: Analyst) -> dict[str, Any]:
    """All results at once."""
    values = [Measurement(**value.model_dump()) for value in body.values]
    _known(who, number)
    quality = who.services.quality
    return _asked(body.command_id, lambda key: quality.enter_results(number, values, key=key, actor=who.id))


@router.post("/inspections/{number}/decision")
def decide(number: Identifier, body: DecisionBody, who: Decider) -> dict[str, Any]:
    """Accept or reject, by another person than the one who entered the results."""
    _known(who, number)
    quality = who.services.quality
    return _asked(
        body.command_id,
        lambda key: quality.decide(number, body.accept, key=key, actor=who.id, reason=body.reason),
    )


def _known(who: Caller, number: str) -> None:
    with who.services.engine.connect() as connection:
        if not tables.inspection_exists(connection, number):
            raise not_found("inspection", number)


@router.post("/deviations")
def open_deviation(body: DeviationBody, who: Reporter) -> dict[str, Any]:
    """Open a deviation."""
    order_number: str | None = None
    with who.services.engine.connect() as connection:
        if body.order_id is not None:
            target = targets.find(connection, ORDER, body.order_id)
            if target is None:
                raise not_found("production order", body.order_id)
            order_number = target.order_number
            who.scope.check(who, target, body, who.id)
        if body.lot is not None and tables.material_of(connection, body.lot) is None:
            raise not_found("lot", body.lot)
    quality = who.services.quality
    return _asked(
        body.command_id,
        lambda key: quality.open_deviation(body.code, body.detail, body.lot, order_number, key=key, actor=who.id),
    )


@router.get("/deviations")
def deviations(
    reading: Reading,
    who: Who,
    order_id: Annotated[UUID | None, Query(alias="orderId")] = None,
    lot: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Deviations of an order or a lot; all of them, newest first, when neither is named."""
    order_number: str | None = None
    if order_id is not None:
        target = targets.find(reading, ORDER, order_id)
        if target is None:
            raise not_found("production order", order_id)
        order_number = target.order_number
    inside = who.scope.orders(tables.DEVIATIONS.c.order_number)
    return {"deviations": tables.deviations(reading, order_number, lot, limit, inside)}
