"""Events of other systems come in: kept as they are, never a change of our own stock, once each.

Every event is judged by itself: what is right is taken, what is not is put aside with everything that is wrong. An
event id that is known with the same content is known, with another content a contradiction: the first one stays, the
second is put aside and calls somebody.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from api.clock import now
from api.deps import Caller
from api.direct_acts import act
from api.errors import refused
from api.shapes import storable
from db import audit
from db.once import Request
from db.queries import epcis as tables
from db.queries.alarms import raise_alarm_once
from db.queries.epcis import Judged
from domain.base import Message
from domain.epcis import content_hash, event_id, items, place_of
from domain.epcis_rules import document_faults, event_faults, fault, prefixes
from domain.errors import Blocker, Refused
from settings import DEFAULT_SITE

MOST_EVENTS: Final = 10_000
Document = dict[str, Any]


def capture(who: Caller, content: bytes, source: str, *, preview: bool) -> tuple[int, Document]:
    """HTTP status and answer: 200 all of it is here, 202 something was put aside. A preview stores nothing."""
    sha256, body = hashlib.sha256(content).hexdigest(), content.decode("utf-8", "backslashreplace").replace("\x00", "")
    with who.services.engine.begin() as connection:
        tables.lock(connection)
        gone = tables.discarded(connection, sha256)
        judged = [
            own._replace(is_discarded=True) if own.position in gone or None in gone else own
            for own in judge(connection, content, who.services.settings.site)
        ]
        is_new, stored = True, 0
        if not preview:
            at = now()
            is_new, stored = tables.keep(connection, sha256, source, body, who.id, at, judged)
            if is_new or stored:
                new: Document = {"source": source, "sha256": sha256, "site": who.services.settings.site} | dict(
                    tables.as_audit(judged)
                )
                audit.append(connection, [who.entry("epcis.imported", f"epcis-document/{sha256}", new=new)])
            if stored and any(own.state == "quarantined" for own in judged):
                _call(connection, source, sha256, judged)
    aside = [own for own in judged if own.state == "quarantined"]
    answer = {
        "sha256": sha256, "source": source, "preview": preview, "duplicate": not is_new and not stored,
        "accepted": sum(own.state == "accepted" for own in judged),
        "known": sum(own.state == "known" for own in judged),
        "discarded": sum(own.state == "discarded" for own in judged),
        "quarantined": [
            {"position": own.position, "eventId": own.identity, "blockers": _plain(own.blockers)} for own in aside
        ],
    }  # fmt: skip
    if preview:
        answer["events"] = [_shown(own) for own in judged]
    return (202 if aside and not preview else 200), answer


class EventRetried(Message):
    """What has become of something that was put aside: the ids of the events that were taken or known already."""

    number: int
    state: str
    event_ids: tuple[str, ...]
    quarantined: int


def retry(who: Caller, number: int, command_id: str, reason: str) -> EventRetried:
    """Try again what was put aside, as it came, by what counts now. What is still against it is told; nothing changes.

    A whole document that could not be read is judged event by event: those that are wrong are put aside.
    """
    request = Request("retryImportedEvent", f"epcis-rejection/{number}", command_id, who.id, now(), {"reason": reason})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[EventRetried, Sequence[audit.Entry]]:
        row, body = _put_aside(connection, number, ("discarded",))
        judged = _judged_again(connection, body, row.document, row.position, who.services.settings.site)
        tables.settle(connection, number, request.actor, request.at, reason)
        if row.position is None:
            tables.keep(connection, row.document, "", body, request.actor, request.at, judged)
        else:
            tables.take(connection, row.document, [own for own in judged if own.state == "accepted"])
        taken = tuple(str(own.identity) for own in judged if not own.blockers)
        answer = EventRetried(
            number=number, state="accepted", event_ids=taken, quarantined=sum(bool(own.blockers) for own in judged)
        )
        new = {"position": row.position, "state": "accepted", "site": who.services.settings.site}
        return answer, [_told(request, "epcis.retried", row, new | dict(tables.as_audit(judged)))]

    return act(who, request, EventRetried, work)


class EventDiscarded(Message):
    """What was put aside has no effect, now or later: `eventId` is null where it could not be read."""

    number: int
    state: str
    event_id: str | None


def discard(who: Caller, number: int, command_id: str, reason: str) -> EventDiscarded:
    """Decide that what was put aside has no effect. It stays as it came; the same document again changes nothing of it.

    409 `INVALID_TRANSITION` when it was tried again and taken, when a right event of its id has come, when it was
    discarded before.
    """
    request = Request(
        "discardImportedEvent", f"epcis-rejection/{number}", command_id, who.id, now(), {"reason": reason}
    )

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[EventDiscarded, Sequence[audit.Entry]]:
        row, _body = _put_aside(connection, number, ("accepted", "discarded"))
        tables.discard(connection, number, request.actor, request.at, reason)
        new = {"position": row.position, "eventId": row.event_id, "state": "discarded"}
        answer = EventDiscarded(number=number, state="discarded", event_id=row.event_id)
        return answer, [_told(request, "epcis.discarded", row, new)]

    return act(who, request, EventDiscarded, work)


def _put_aside(connection: Connection, number: int, over: Collection[str]) -> tuple[Row[Any], str]:
    """The row of the quarantine and its document, nobody else deciding meanwhile. Raises `Refused` when there is none,
    when it was tried again and taken, and when it stands at one of `over`."""
    tables.lock(connection)
    known = tables.rejected(connection, number)
    if known is None:
        required = "an event of the quarantine"
        raise refused("UNKNOWN_MESSAGE", "message", str(number), "nothing was put aside under it", required)
    if known.row.retried or known.state in over:
        is_gone = known.state == "discarded" and not known.row.retried
        found = "it was discarded" if is_gone else "it was taken: in another try, or a right one has come"
        raise refused("INVALID_TRANSITION", "message", str(number), found, "an event that is put aside")
    return known.row, known.body


def _told(request: Request, action: str, row: Row[Any], new: Document) -> audit.Entry:
    """What the trail says of a decision about what was put aside: what was against it, and why it was decided so."""
    old = {"rejection": row.id, "state": "quarantined", "blockers": row.blockers}
    reason = str(request.content["reason"])
    return request.audit(action, new, entity=f"epcis-document/{row.document}", old=old, reason=reason)


def _judged_again(connection: Connection, body: str, sha256: str, position: int | None, site: str) -> list[Judged]:
    """The event of that position, or all of a document. Raises `Refused` with what is still against it."""
    content = body.encode()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused((fault("NOT_JSON", "document", "no JSON", "a JSON document in UTF-8"),))
    judged = judge(connection, content, site)
    if position is not None:
        judged = [own for own in judged if own.position == position]
        still = [no for own in judged for no in own.blockers]
    else:
        still = [no for own in judged if own.position is None for no in own.blockers]
    if still:
        raise Refused(tuple(still))
    return judged


def _call(connection: Connection, source: str, sha256: str, judged: Sequence[Judged]) -> None:
    first = next(own for own in judged if own.state == "quarantined")
    detail = f"{source} has told events of which some were put aside: {first.blockers[0].code}"
    raise_alarm_once(connection, "MESSAGE_QUARANTINED", detail, now(), f"EPCIS/{sha256}")


def _shown(own: Judged) -> Document:
    """An event of a preview. What is wrong with it may be anything: only texts of it are shown."""
    event = own.content if isinstance(own.content, dict) else {}
    told = {
        name: str(event.get(key, ""))[:200]
        for name, key in (("type", "type"), ("bizStep", "bizStep"), ("at", "eventTime"))
    }
    plant = "" if own.blockers else place_of(event)[1]
    lots = [] if own.blockers else [item.what.lot or item.what.serial or item.what.epc for item in items(event)]
    return {
        "position": own.position, "eventId": own.identity, "state": own.state, **told, "sourcePlant": plant,
        "lots": lots[:20], "blockers": _plain(own.blockers),
    }  # fmt: skip


def _plain(blockers: Sequence[Blocker]) -> list[Document]:
    return [own.model_dump(mode="json", by_alias=True) for own in blockers]


# Judging -------------------------------------------------------------------------------------------------------------


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def judge(connection: Connection, content: bytes, site: str) -> list[Judged]:
    """Every event of a document with what is against it; one entry without position when it is no document."""
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_no_number)
        wrong: tuple[Blocker, ...] = document_faults(document)
        if not storable(document):
            wrong = (fault("SCHEMA", "document", "a character that cannot be stored", "texts without it"),)
    except (ValueError, RecursionError):
        document, wrong = None, (fault("NOT_JSON", "document", "no JSON", "a JSON document in UTF-8"),)
    if wrong:
        return [Judged(None, "", None, wrong)]
    events = document["epcisBody"]["eventList"]
    if len(events) > MOST_EVENTS:
        told = fault("TOO_MANY_EVENTS", "epcisBody.eventList", str(len(events)), f"at most {MOST_EVENTS}")
        return [Judged(None, "", None, (told,))]
    declared = prefixes(document["@context"])
    judged = [_shape(position, event, declared, site) for position, event in enumerate(events)]
    return _against_the_record(connection, judged)


def _shape(position: int, event: Any, declared: frozenset[str], site: str) -> Judged:
    faults = event_faults(event, declared)
    named = event.get("eventID") if isinstance(event, dict) else None
    identity = named[:200] if isinstance(named, str) else None
    if faults:
        return Judged(position, event, identity, faults)
    if place_of(event)[0] == site:
        return Judged(position, event, identity, (_of_this_site(position, site),))
    if "errorDeclaration" in event:
        required = "a person who decides what follows"
        declares = fault(
            "ERROR_DECLARATION", f"event {position}", "says that an event was wrong", required, "qaReviewer"
        )
        return Judged(position, event, identity, (declares,))
    return Judged(position, event, event_id(event))


def _of_this_site(position: int, site: str) -> Blocker:
    """Two systems of one name refuse each other's events: say what to set, where, and what comes after it."""
    required = (
        "a name of its own for each system: this one still has the name that every new system has. Set MES_SITE where "
        "it is started, start it again, then try the event again"
        if site == DEFAULT_SITE
        else "events of other sites: MES_SITE names this one. If another system has the same name, set MES_SITE of one "
        "of the two where it is started, start it again, then try the event again"
    )
    return fault("OWN_EVENT", f"event {position}", f"an event of {site}", required, "administrator")


def _against_the_record(connection: Connection, judged: Sequence[Judged]) -> list[Judged]:
    fine = [own for own in judged if not own.blockers]
    there = tables.known(connection, [str(own.identity) for own in fine])
    outputs = {item.what.epc: item.what for own in fine for item in items(own.content) if item.role == "output"}
    ours = tables.made_here(connection, list(outputs.values()))
    found = []
    for own in judged:
        if own.blockers:
            found.append(own)
            continue
        identity, digest = str(own.identity), content_hash(own.content)
        before, document = there.setdefault(identity, (digest, ""))
        made = sorted(
            {item.what.lot or "" for item in items(own.content) if item.role == "output" and item.what.epc in ours}
        )
        if before != digest:
            where = f"document {document[:12]}" if document else "this document"
            told = fault(
                "CONTRADICTION", identity[:200], f"content {digest[:12]}", f"content {before[:12]}, as in {where}"
            )
            found.append(own._replace(blockers=(told,)))
        elif made:
            told = fault("LOT_MADE_HERE", identity[:200], f"makes {', '.join(made)}", "a lot that was not made here")
            found.append(own._replace(blockers=(told,)))
        else:
            found.append(own._replace(is_known=bool(document) or any(one.identity == identity for one in found)))
    return found
