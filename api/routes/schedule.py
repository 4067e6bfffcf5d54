"""The finite schedule of open orders."""

from datetime import time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query

from api import scheduling
from api.clock import now
from api.deps import Reading, Who
from api.errors import Problem
from api.routing import Router
from api.shapes import Identifier, Time

router = Router(prefix="/mes", tags=["planning"])


@router.get("/schedule")
def schedule(
    reading: Reading,
    who: Who,
    opens: Annotated[time, Query(description="the plant's working hours, by its clock on the wall")] = time(0),
    closes: Annotated[time, Query(description="equal to `opens`: all day")] = time(0),
    weekdays: Annotated[str, Query(pattern="^[0-6]{1,7}$", description="Monday is 0")] = "0123456",
    down: Annotated[Identifier | None, Query(description="a workstation that is down: a preview")] = None,
    down_from: Annotated[Time | None, Query(alias="downFrom")] = None,
    down_until: Annotated[Time | None, Query(alias="downUntil")] = None,
) -> dict[str, Any]:
    """Every open operation at a workstation, without overlap, in the order of due dates; nothing is written.

    With `down` the schedule without that workstation, and under `moved` what lies elsewhere because of it. `basis` says
    where a duration comes from; `late`: by how many seconds orders are late (null: they find no place).
    """
    at, zone = now(), ZoneInfo(who.services.settings.time_zone)
    if down is not None and (down_until is None or down_until <= (down_from or at)):
        field = {"field": "query.downUntil", "problem": "after downFrom", "kind": "value_error"}
        raise Problem(422, "INVALID_REQUEST", "downUntil has to be after downFrom", fields=[field])
    question = scheduling.Question(
        who.scope, at, zone, opens, closes, tuple(sorted({int(day) for day in weekdays})), down or "", down_from,
        down_until if down_until is None else min(down_until, at + timedelta(days=scheduling.HORIZON_DAYS)),
    )  # fmt: skip
    return scheduling.document(scheduling.find(reading, question))
