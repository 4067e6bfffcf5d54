"""Statistical process control over recorded values."""

from typing import Annotated, Any, Literal

from fastapi import Query

from api import spc
from api.deps import Reading, Who
from api.errors import Problem
from api.routing import Router
from api.shapes import Identifier, Text, Time
from domain.spc import LARGEST_SUBGROUP

router = Router(prefix="/quality", tags=["quality"])


@router.get("/spc")
def charts(
    reading: Reading,
    who: Who,
    name: Annotated[Text, Query()],
    since: Annotated[Time, Query()],
    until: Annotated[Time, Query()],
    source: Literal["parameter", "inspection", "scrap"] = "parameter",
    product: Annotated[Identifier | None, Query()] = None,
    chart: Literal["individuals", "meanRange", "meanDeviation"] = "individuals",
    rules: Literal["nelson", "westernElectric"] = "nelson",
    subgroup: Annotated[int, Query(ge=2, le=LARGEST_SUBGROUP)] = 5,
    baseline: Annotated[int | None, Query(ge=2, le=2000)] = None,
) -> dict[str, Any]:
    """Charts, signals and capability of the values recorded from `since` (included) to `until` (not included).

    `name` is a parameter of an operation, a characteristic of an inspection, or (source `scrap`, a p chart) an
    operation. `baseline`: the limits are made of that many first samples, none: of all. Of corrected values the
    latest counts. Without a chart `reason` says why.
    """
    if until <= since:
        raise Problem(422, "INVALID_REQUEST", "until has to be after since")
    kind: spc.Kind = "proportion" if source == "scrap" else chart
    question = spc.Question(source, name, since, until, product, kind, rules, subgroup, baseline)
    return spc.document(spc.answer(reading, question, who.scope.orders()))
