"""EPCIS 2.0: events of lots for other systems, and theirs for this one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api import epcis
from api.deps import Caller, Reading, only
from api.epcis import Which
from api.errors import Problem
from api.shapes import Identifier, Time

router = APIRouter(prefix="/epcis", tags=["EPCIS"])
Exporting = Annotated[Caller, Depends(only("exportEvents", "epcis-export"))]


@router.get("/events")
def export(
    reading: Reading,
    who: Exporting,
    lot: Identifier | None = None,
    direction: Annotated[
        Which, Query(description="of the lots whose history it is; `own`: of the lot alone")
    ] = "backward",
    from_: Annotated[Time | None, Query(alias="from")] = None,
    to: Time | None = None,
) -> dict[str, Any]:
    """An EPCIS 2.0 document (JSON-LD): the history of a lot and of what it was made from, or all of a time.

    `from` is included, `to` is not. Without a lot both are needed. Shipments are those of the lot alone. The same
    happening has the same eventID in every export. 409 UNIT_WITHOUT_CODE, TOO_MANY_EVENTS.
    """
    missing = [name for name, value in (("from", from_), ("to", to)) if lot is None and value is None]
    if missing:
        fields = [{"field": f"query.{name}", "problem": "needed without a lot", "kind": "missing"} for name in missing]
        raise Problem(422, "INVALID_REQUEST", "a lot, or a time from … to …, is needed", fields=fields)
    return epcis.export(who, reading, lot, direction, from_, to)
