"""EPCIS 2.0: what is told to other systems about lots."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from api.clock import now
from api.deps import Caller, writing
from api.errors import Problem, not_found
from api.trace_scope import lots_inside
from db.queries import epcis_facts
from db.queries.epcis_facts import Asked, Record
from db.queries.trace import Direction, LotUnknown, trace
from domain import epcis_events
from domain.epcis import Document
from domain.epcis_events import Happening, Site
from domain.errors import Blocker

MOST_EVENTS: Final = 10_000
Which = Literal["forward", "backward", "both", "own"]


def site_of(who: Caller) -> Site:
    """This system as others know it."""
    settings = who.services.settings
    return Site(settings.site, settings.site_gln or None, ZoneInfo(settings.time_zone))


def export(
    who: Caller, reading: Connection, lot: str | None, which: Which, since: datetime | None, until: datetime | None
) -> Document:
    """The document of a lot's history, or of all that happened in a time. What lies outside the caller's scope is left
    out. 409 names every unit that has no code, and more events than one document may have."""
    site = site_of(who)
    if lot is not None:
        lots: list[str] | None = _lots(who, reading, lot, which)
        asked = Asked(lots, since, until, shipped=[lot])
    elif who.scope.is_everywhere:
        lots, asked = None, Asked(None, since, until)
    else:
        lots = lots_inside(reading, who, epcis_facts.moved(reading, since, until))
        asked = Asked(lots, since, until)
    happenings = Record(reading, site.name, asked).happenings()
    if len(happenings) > MOST_EVENTS:
        told = Blocker(
            code="TOO_MANY_EVENTS", entity="export", id=lot or "events", found=str(len(happenings)),
            required=f"at most {MOST_EVENTS}: ask for a shorter time",
        )  # fmt: skip
        raise Problem(409, "TOO_MANY_EVENTS", "more than one document may have", blockers=(told,))
    document = epcis_events.document(_events(happenings, site), now().astimezone(site.zone))
    new = {"lot": lot, "direction": which, "from": since, "to": until, "events": len(happenings)}
    shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in new.items()}
    with writing(who, who.entry("epcis.exported", f"epcis-export/{lot or site.name}"[:200], new=shown)):
        pass
    return document


def _lots(who: Caller, reading: Connection, lot: str, which: Which) -> list[str]:
    direction: Direction = "both" if which == "own" else which
    try:
        nodes = trace(reading, lot, direction).nodes
    except LotUnknown:
        raise not_found("lot", lot) from None
    return lots_inside(reading, who, [lot] if which == "own" else [node.lot for node in nodes])


def _events(happenings: Sequence[Happening], site: Site) -> list[Document]:
    events, wrong = [], {}
    for own in happenings:
        try:
            events.append(epcis_events.event(own, site))
        except KeyError as unit:
            wrong[str(unit.args[0])] = own.key
    if wrong:
        blockers = [
            Blocker(
                code="UNIT_WITHOUT_CODE", entity="unit", id=unit, found=f"used by {key}",
                required="a unit with a code of UN/ECE Recommendation 20, or pieces", who_can_fix="processEngineer",
            )
            for unit, key in sorted(wrong.items())
        ]  # fmt: skip
        detail = f"EPCIS has no code for {', '.join(sorted(wrong))}"
        raise Problem(409, "UNIT_WITHOUT_CODE", detail, blockers=blockers)
    return events


def summary(document: Document) -> dict[str, Any]:
    """How many events of which kind and step a document has."""
    counts: dict[str, int] = {}
    for event in document["epcisBody"]["eventList"]:
        name = f"{event['type']}/{event.get('bizStep', '')}"
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
