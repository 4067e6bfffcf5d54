"""The audit trail: who did what to what, when, from what to what, and why; and whether it is as it was written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.routing import Router
from api.ui.calls import Answer, File, Unanswered, read
from api.ui.language import language_of
from api.ui.said import flat
from api.ui.shell import PageRoute, page, refused
from db.queries import audit_places
from db.queries.record_people import everybody
from db.session import reading
from domain.base import uuid_for

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 100
KINDS: Final = (
    "production-order", "work-order", "operation", "batch-record", "lot", "deviation", "capa", "inspection",
    "pick-list", "put-away", "equipment", "master-batch-record", "user", "auth",
)  # fmt: skip
ACTIONS: Final = (
    "command.refused", "signature.given", "signature.refused", "auth.login", "auth.denied", "production-order.approve",
    "production-order.release", "production-order.hold", "production-order.cancel", "operation.start",
    "operation.complete", "operation.parameterCorrected", "batch-record.review", "batch-record.approve",
    "batch-record.return", "lot.release", "lot.reject", "deviation.deviationRaised", "record.printed", "audit.viewed",
    "user.created", "user.roles",
)  # fmt: skip
"""Types of entries that people look for; any other can be asked for by the address."""
FORMATS: Final = ("csv", "pdf", "json")
_QUIET: Final = frozenset(
    {
        "signature", "commandId", "part", "contentHash", "timeZone", "localOffset", "entityRevision", "signedAt",
        "terminalSessionUser", "hasSecondFactor", "request", "ceremony",
    }
)  # fmt: skip
"""What only programs need; it stands in the API's answer and in every export."""
Document = dict[str, Any]
Text = Annotated[str, Query(max_length=200)]
Time = Annotated[str, Query(max_length=40)]


@router.get("/audit")
async def trail(
    request: Request, record: Text = "", kind: Text = "", actor: Text = "", act: Text = "", since: Time = "",
    until: Time = "", before: Annotated[int | None, Query(ge=1, le=2**62)] = None, verify: bool = False,
) -> Response:  # fmt: skip
    """Entries that fit, newest first; that somebody looked is one, too. `verify`: with the verdict on the chain."""
    zone = ZoneInfo(request.app.state.services.settings.time_zone)
    start, end = _time(since, zone), _time(until, zone)
    entity, people = await run_in_threadpool(_places, request, record.strip(), kind)
    found = await read(
        request, "/audit", entity=entity, actor=actor.strip() or None, action=act.strip() or None, before=before,
        since=start and start.isoformat(), until=end and end.isoformat(), limit=SHOWN,
    )  # fmt: skip
    asked = {"record": record, "kind": kind, "actor": actor, "act": act, "since": since, "until": until}
    return page(
        request, "audit.html", rows=[row | _read(row) for row in found["rows"]], asked=asked, kinds=KINDS,
        actions=ACTIONS, formats=FORMATS, people=people, next=found["next"], before=before, live="",
        verdict=await read(request, "/audit/verify") if verify else None, names=dict(people),
    )  # fmt: skip


@router.get("/audit/export")
async def export(
    request: Request, form: Annotated[Literal["csv", "pdf", "json"], Query(alias="format")] = "csv", record: Text = "",
    kind: Text = "", actor: Text = "", act: Text = "", since: Time = "", until: Time = "",
) -> Response:  # fmt: skip
    """What the page found, all of it, as a file in the reader's language. That it was taken is an entry, too."""
    zone = ZoneInfo(request.app.state.services.settings.time_zone)
    start, end = _time(since, zone), _time(until, zone)
    entity, _ = await run_in_threadpool(_places, request, record.strip(), kind)
    query = {
        "entity": entity, "actor": actor.strip() or None, "action": act.strip() or None, "format": form,
        "since": start and start.isoformat(), "until": end and end.isoformat(), "language": language_of(request),
    }  # fmt: skip

    def no(answer: Answer) -> Response:
        if answer.document is None:
            raise Unanswered(answer)
        return refused(request, answer.document)

    return File(request, "/audit/export", query, no)


def _time(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(422, "INVALID_REQUEST", f"{text} is no time") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _places(request: Request, record: str, kind: str) -> tuple[str | None, list[tuple[str, str]]]:
    """What is asked for as the trail names it (everything of a kind ends in `*`), and everybody."""
    with reading(request.app.state.services.engine) as connection:
        people = everybody(connection)
        if not record:
            return f"{kind}/*" if kind else None, people
        known = audit_places.entity_of(connection, record, [kind] if kind else KINDS)
        return known or (f"{kind}/{record}" if kind else record), people


def _read(row: Mapping[str, Any]) -> Document:
    """A row as people read it: the act, the record with its page, what changed."""
    kind, _, identity = str(row["entity"]).partition("/")
    event = str(row["action"]).rpartition(".")[2]
    old, new = flat(row["old"]), flat(row["new"])
    changes = [
        (name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if name not in _QUIET and not name.startswith("content.") and old.get(name) != new.get(name)
    ]  # fmt: skip
    before = {
        language: _before(text, str(row["actor"]), identity) for language, text in (row.get("text") or {}).items()
    }
    return {
        "kind": kind, "identity": identity, "event": event, "changes": changes, "before": before,
        "href": _page_of(kind, identity),
    }  # fmt: skip


def _before(text: str, actor: str, identity: str) -> str | None:
    """What the sentence says before it names the record, which is never the name of who acted; None: it names none."""
    named = text.find(f"({actor})")
    at = text.find(identity, named + len(actor) + 2 if named >= 0 else 0) if identity else -1
    return text[:at] if at >= 0 else None


def _page_of(kind: str, identity: str) -> str:
    """The page of a record, where there is one."""
    match kind:
        case "production-order":
            return f"/ui/orders/{uuid_for(kind, identity)}"
        case "work-order":
            return f"/ui/reviews/{uuid_for(kind, identity)}"
        case "operation":
            work_order, _, code = identity.partition("/")
            return f"/ui/tasks/{uuid_for('work-order', work_order)}/{code}" if code else ""
        case "lot":
            return f"/ui/lots/{identity}"
        case "deviation" | "capa":
            return f"/ui/exceptions/{uuid_for(kind, identity)}"
    return ""
