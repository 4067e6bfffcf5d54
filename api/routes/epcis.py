"""EPCIS 2.0: events of lots for other systems, and theirs for this one."""

from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api import epcis, epcis_import
from api.deps import Caller, Reading, Who, only
from api.epcis import Which
from api.errors import Problem, not_found
from api.routing import Router
from api.shapes import Identifier, ReasonedBody, Time
from db.queries import epcis as tables

router = Router(prefix="/epcis", tags=["EPCIS"])
Exporting = Annotated[Caller, Depends(only("exportEvents", "epcis-export"))]
Importing = Annotated[Caller, Depends(only("importEvents", "epcis-document"))]
Retrying = Annotated[Caller, Depends(only("retryImportedEvent", "epcis-document"))]
Discarding = Annotated[Caller, Depends(only("discardImportedEvent", "epcis-document"))]
Number = Annotated[int, Path(ge=1, le=2**62)]
_ANY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_PUT_ASIDE: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Something was put aside: `quarantined` says what, and what is wrong with it."}
}


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


@router.post("/capture", openapi_extra=_ANY, responses=_PUT_ASIDE)
async def capture(
    request: Request,
    who: Importing,
    source: Annotated[str, Query(min_length=1, max_length=80, description="who has given the document")],
    preview: bool = False,
) -> Response:
    """Take an EPCIS 2.0 document of another system. What it tells is shown in traces, and never changes stock.

    Each event has one effect, in whatever document it comes. 200: all of it is here; 202: something was put aside, with
    everything that is wrong with it (NOT_JSON, SCHEMA, IDENTIFIER, CONTRADICTION, LOT_MADE_HERE, OWN_EVENT,
    ERROR_DECLARATION). What a person has discarded of the same document stays so (`discarded`). With `preview` nothing
    is stored, and every event is listed with what would become of it.
    """
    content = await request.body()
    status, answer = await run_in_threadpool(
        lambda: epcis_import.capture(who, content, source.strip() or "?", preview=preview)
    )
    return JSONResponse(answer, status)


@router.get("/documents")
def documents(reading: Reading, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """The documents that came in, newest first."""
    return {"documents": tables.documents(reading, limit)}


@router.get("/documents/{sha256}")
def document(sha256: Identifier, reading: Reading, who: Who) -> dict[str, Any]:
    """One document with its events; its body as it came, for accounts without limits."""
    found = tables.document(reading, sha256)
    if found is None:
        raise not_found("document", sha256)
    if not who.scope.is_everywhere:
        return {name: value for name, value in found.items() if name != "body"} | {
            "events": tables.events(reading, who.scope.plants, sha256, None, 1000)
        }
    events = tables.events(reading, None, sha256, None, 1000)
    return found | {"events": events, "quarantined": tables.rejections(reading, sha256, 1000)}


@router.get("/imported-events")
def imported(
    reading: Reading, who: Who, epc: Annotated[str | None, Query(max_length=2000)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:  # fmt: skip
    """Events of other systems as they were received, newest first; `epc`: about one lot or piece."""
    return {"events": tables.events(reading, who.scope.plants, None, epc, limit)}


@router.get("/quarantine")
def quarantine(reading: Reading, who: Who, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """What was put aside, newest first, with its `state`: `quarantined`, `accepted` (tried again and taken, or a right
    one has come) or `discarded`; `isSettled`: nobody has to decide any more."""
    found = tables.rejections(reading, None, limit)
    if not who.scope.is_everywhere:
        found = [{name: value for name, value in own.items() if name != "content"} for own in found]
    return {"quarantined": found}


@router.post("/quarantine/{number}/retry")
def retry(number: Number, body: ReasonedBody, who: Retrying) -> dict[str, Any]:
    """Try again what was put aside, as it came, when what was against it is mended. 409 names what still is."""
    found = epcis_import.retry(who, number, body.command_id, body.reason)
    return found.model_dump(mode="json", by_alias=True)


@router.post("/quarantine/{number}/discard")
def discard(number: Number, body: ReasonedBody, who: Discarding) -> dict[str, Any]:
    """Decide that what was put aside has no effect, now or later: also not when the same document comes again. 409 when
    it was taken or discarded meanwhile."""
    found = epcis_import.discard(who, number, body.command_id, body.reason)
    return found.model_dump(mode="json", by_alias=True)
