"""What the record lets one learn: energy of orders, maintenance that a series proposes, scores of risk."""

from typing import Annotated, Any, Final

from fastapi import Query, Request, Response

from api.routing import Router
from api.ui.calls import Unanswered, call, read
from api.ui.direct import may_act
from api.ui.shell import PageRoute, page

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
REASONS: Final = 5
"""Contributions to a score that are shown."""


@router.get("/energy")
async def energy(request: Request) -> Response:
    """Orders of the last 30 days with their kilowatt hours, and what is not known of them."""
    found = await read(request, "/reports/energy", limit=200)
    return page(request, "energy.html", orders=found["orders"], live="equipment-run")


@router.get("/maintenance-conditions")
async def conditions(request: Request) -> Response:
    """What is proposed and waits for a person, and how every condition stands."""
    proposals = await read(request, "/maintenance-proposals", limit=100)
    found = await read(request, "/maintenance-conditions")
    return page(
        request, "conditions.html", proposals=proposals["proposals"], conditions=found["conditions"],
        may_act=lambda name: may_act(request, name), live="maintenance-proposal,maintenance-condition,equipment-run",
    )  # fmt: skip


@router.get("/risk")
async def risk(request: Request, lot: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Every model with how well it does, and the scores of a batch with their reasons."""
    models = (await read(request, "/quality/risk-models"))["models"]
    scores: list[Any] = []
    unknown = False
    if lot:
        answer = await call(request, "GET", f"/quality/lots/{lot}/risk")
        unknown = answer.status == 404
        if not answer.accepted and not unknown:
            raise Unanswered(answer)
        scores = [] if unknown else answer.document["scores"]
    return page(
        request, "risk.html", models=models, lot=lot, scores=scores, unknown=unknown, reasons=REASONS,
        may_act=lambda name: may_act(request, name), live="risk-model",
    )  # fmt: skip
