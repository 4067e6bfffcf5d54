"""Quality: inspections of received lots, deviations."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, model_validator
from starlette.concurrency import run_in_threadpool

from api.case_openings import open_deviation as open_case
from api.clock import now
from api.commands import ORDER
from api.deps import Caller, Reading, Who, only
from api.errors import Problem, not_found
from api.neighbours import once
from api.openapi import LATER
from api.routing import Router
from api.shapes import CommandBody, DecisionBody, Identifier, LongText, Positive, ResultsBody
from db.queries import quality as tables
from db.queries import targets
from db.queries.marking import marked
from domain import sampling
from domain.base import Message
from domain.commands import Measurement, OpenDeviation

router = Router(prefix="/quality", tags=["quality"])
Analyst = Annotated[Caller, Depends(only("enterResults", "inspection"))]
Sampler = Annotated[Caller, Depends(only("takeSampleOfLot", "inspection"))]
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


class SampleBody(CommandBody):
    """What is taken, and of what lies where."""

    quantity: Positive
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    place: Identifier = "RECEIVING"


class LotDecisionBody(DecisionBody):
    """Accept or reject a received lot; one that passes its retest gets the day of the next one, if there is one."""

    retest_on: date | None = None


class DeviationBody(CommandBody):
    """Something that is not as it should be: on an order, a lot, a piece of equipment."""

    order_id: UUID | None = None
    lot: Identifier | None = None
    equipment: Identifier | None = None
    code: Identifier
    detail: LongText

    @model_validator(mode="after")
    def _names_something(self) -> "DeviationBody":
        if self.order_id is None and self.lot is None and self.equipment is None:
            raise ValueError("orderId, lot or equipment is needed")
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
    return {"inspections": marked(reading, tables.inspections(reading, lot, limit))}


@router.post("/inspections/{number}/samples")
def take_sample(number: Identifier, body: SampleBody, who: Sampler) -> dict[str, Any]:
    """Take a sample of a received lot: what the test uses up leaves the stock at `place`."""
    _known(who, number)
    quality = who.services.quality
    return _asked(
        body.command_id,
        lambda key: quality.take_sample(number, body.quantity, body.unit, body.place, key=key, actor=who.id),
    )


@router.post("/inspections/{number}/results")
async def enter_results(number: Identifier, body: ResultsBody, who: Analyst) -> dict[str, Any]:
    """All results at once. A deviation that they open begins its process, where it has one."""
    answer = await run_in_threadpool(_enter, number, body, who)
    if answer["deviations"]:
        with suppress(Problem):  # the results stand; what could not be begun now is begun later
            await who.services.cases.begin_unstarted()
    return answer


def _enter(number: str, body: ResultsBody, who: Caller) -> dict[str, Any]:
    values = [Measurement(**value.model_dump()) for value in body.values]
    _known(who, number)
    quality = who.services.quality
    return _asked(body.command_id, lambda key: quality.enter_results(number, values, key=key, actor=who.id))


@router.post("/inspections/{number}/decision")
def decide(number: Identifier, body: LotDecisionBody, who: Decider) -> dict[str, Any]:
    """Accept or reject, by another person than the one who entered the results."""
    _known(who, number)
    quality = who.services.quality
    return _asked(
        body.command_id,
        lambda key: quality.decide(
            number, body.accept, key=key, actor=who.id, reason=body.reason, retest_on=body.retest_on
        ),
    )


@router.get("/sampling-plan")
def sampling_plan(
    lot_size: Annotated[int, Query(alias="lotSize", ge=1, le=10**9)],
    aql: Annotated[str, Query(pattern=r"^[0-9]{1,2}([.][0-9]{1,3})?$")],
    level: sampling.Level = sampling.Level.II,
    severity: sampling.Severity = sampling.Severity.NORMAL,
) -> dict[str, Any]:
    """How many of a lot are inspected and how many may be bad (ISO 2859-1, single sampling; arrows are followed)."""
    try:
        found = sampling.plan(lot_size, Decimal(aql), level, severity)
    except sampling.NoPlan as none:
        raise Problem(422, "NO_SAMPLING_PLAN", str(none)) from None
    return found.model_dump(mode="json", by_alias=True) | {"lotSize": lot_size, "aql": aql}


def _known(who: Caller, number: str) -> None:
    with who.services.engine.connect() as connection:
        if not tables.inspection_exists(connection, number):
            raise not_found("inspection", number)


@router.post("/deviations", responses=LATER)
async def open_deviation(body: DeviationBody, who: Reporter) -> Response:
    """Open a deviation. Where deviations have a process of their own, it begins at once, and `id` is its address."""
    what = OpenDeviation(
        command_id=body.command_id, actor=who.id, received_at=now(), code=body.code, detail=body.detail
    )  # fmt: skip
    return await open_case(who, body, body.order_id, body.lot, body.equipment, what)


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
    return {"deviations": marked(reading, tables.deviations(reading, order_number, lot, limit, inside))}
