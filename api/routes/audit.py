"""The audit trail: search, export, verification. Every look at it is a row of it; there is no way to write."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from adapters.printing.audit_words import in_words
from adapters.printing.port import Language
from api.audit_export import MEDIA, Format, export
from api.clock import now
from api.deps import Caller, Reading, only, writing
from api.errors import Problem, not_found
from api.routing import Router
from api.shapes import Identifier, Time
from db import audit
from db.audit_heads import Heads
from db.queries import audit_trail
from db.queries.audit_trail import Search

router = Router(prefix="/audit", tags=["audit trail"])
Auditing = Annotated[Caller, Depends(only("readAudit", "audit"))]
Exporting = Annotated[Caller, Depends(only("exportAudit", "audit"))]
Pattern = Annotated[str | None, Query(max_length=200, description="ends in * for everything that begins so")]


def _search(
    entity: Pattern = None,
    actor: Identifier | None = None,
    action: Pattern = None,
    command_id: Annotated[Identifier | None, Query(alias="commandId")] = None,
    since: Annotated[Time | None, Query(description="included")] = None,
    until: Annotated[Time | None, Query(description="not included")] = None,
) -> Search:
    if since is not None and until is not None and until <= since:
        field = {"field": "query.until", "problem": "the time range ends before it starts", "kind": "value_error"}
        raise Problem(422, "INVALID_REQUEST", f"query.until: {field['problem']}", fields=[field])
    return Search(entity, actor, action, command_id, since, until)


Asked = Annotated[Search, Depends(_search)]


@router.get("")
def trail(
    who: Auditing,
    search: Asked,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before")] = None,
) -> dict[str, Any]:
    """Rows of the audit trail, newest first, each in words (`text`). That somebody looked is a row, too.

    `entity` is a record such as `work-order/PO-1-01`, `operation/PO-1-01/*` is all below it; `action` a type such as
    `lot.received` or `lot.*`.
    """
    with writing(who, who.entry("audit.viewed", "audit", new=search.as_document())) as connection:
        key = None if before is None else audit_trail.key_of(connection, before)
        if before is not None and key is None:
            raise not_found("audit row", before)
        rows = audit_trail.page(connection, search, limit, key)
    shown = [{**row, "text": in_words(row)} for row in rows]
    return {"rows": shown, "next": rows[-1]["seq"] if len(rows) == limit else None}


@router.get("/export", response_class=StreamingResponse)
def exported(
    who: Exporting,
    search: Asked,
    form: Annotated[Format, Query(alias="format")] = "csv",
    language: Language = "en",
) -> StreamingResponse:
    """All rows that are found as a file, oldest first: `csv`, `json` or `pdf`. A row of the trail says who took it.

    409 TOO_MANY_ROWS: a PDF holds at most 5000 rows; CSV and JSON hold all.
    """
    made = export(who, search, form, language)
    name = quote(f"audit-trail-{now():%Y%m%dT%H%M%SZ}.{form}")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "ETag": f'"{made.sha256}"'}
    return StreamingResponse(made.chunks(), media_type=MEDIA[form], headers=headers)


@router.get("/verify")
def verify(reading: Reading, who: Auditing) -> dict[str, Any]:
    """Walk the whole chain; `brokenAt` is the sequence number of the first row that is not as it was written.

    It is compared with the heads that were published outside the database, where this system publishes them.
    """
    heads = who.services.settings.audit_heads
    verdict = audit.verify(reading, () if heads is None else Heads(heads).read())
    new = {"rows": verdict.rows, "head": verdict.head, "brokenAt": verdict.broken_at}
    with writing(who, who.entry("audit.verified", "audit", new=new)):
        pass
    return {
        "rows": verdict.rows, "head": verdict.head, "brokenAt": verdict.broken_at, "detail": verdict.detail,
        "intact": verdict.broken_at is None,
    }  # fmt: skip
