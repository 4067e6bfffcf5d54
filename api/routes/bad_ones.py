"""Which machine and which shift made the bad ones."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from api import suspects
from api.clock import now
from api.deps import Reading, Who
from api.periods import period
from api.routing import Router
from api.shapes import Identifier
from domain.suspects import ALPHA, shifts
from reporting.figures import Asked
from reporting.period import Period

router = Router(prefix="/quality", tags=["quality"])


@router.get("/bad-ones")
def bad_ones(
    reading: Reading,
    who: Who,
    days: Annotated[Period, Depends(period)],
    product: Annotated[Identifier | None, Query()] = None,
    operation: Annotated[str, Query(max_length=80, description="without it, the one with most bad ones")] = "",
    of: Literal["pieces", "batches"] = "pieces",
    by: Literal["both", "machine", "shift"] = "both",
    begins: Annotated[str, Query(alias="shifts", max_length=60, description="when shifts begin")] = "",
) -> dict[str, Any]:
    """Groups that did the same operation from `since` to `until` (days of the plant, both included), ranked.

    `bad` are pieces that were scrapped or sent to review, or operations of batches at which a deviation was opened;
    `times`: how many times as often as the others; `probability`: that this is chance, corrected for the number of
    groups (Holm); `verdict` is standsOut below 0.05. `groups` is empty where nothing was made, or weighed.
    """
    asked = Asked(days, who.scope, now(), product)
    found = suspects.find(reading, suspects.Question(asked, of, by, operation, shifts(begins)))
    answer = found.answer
    return {
        "operation": found.operation, "unit": found.unit, "alpha": ALPHA,
        "probability": None if answer is None else answer.probability,
        "bad": 0 if answer is None else answer.bad, "made": 0 if answer is None else answer.made,
        "groups": [] if answer is None else [suspects.row_of(own, found) for own in answer.suspects],
    }  # fmt: skip
