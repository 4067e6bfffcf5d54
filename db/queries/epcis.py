"""Events of other systems: kept as they were received, and what of them was put aside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from db.queries.trace import LOTS
from db.queries.written import stamp
from db.tables import (
    EpcisDiscard,
    EpcisDocument,
    EpcisEvent,
    EpcisItem,
    EpcisRejection,
    EpcisRetry,
    InboundSystem,
    Material,
    OutboundEndpoint,
    core,
)
from domain.epcis import Document, Identified, content_hash, event_id, items, place_of, transformation, unit_of
from domain.errors import Blocker

DOCUMENTS, EVENTS, ITEMS, REJECTIONS = core(EpcisDocument), core(EpcisEvent), core(EpcisItem), core(EpcisRejection)
RETRIES, DISCARDS = core(EpcisRetry), core(EpcisDiscard)
SYSTEMS, ENDPOINTS = core(InboundSystem), core(OutboundEndpoint)
MATERIALS: Final = core(Material)


class Judged(NamedTuple):
    """An event of a document: new, known (it is here already), or with what is against it."""

    position: int | None
    content: Any
    identity: str | None
    blockers: tuple[Blocker, ...] = ()
    is_known: bool = False
    is_discarded: bool = False

    @property
    def state(self) -> str:
        """What becomes of it. What a person has discarded stays so, whatever is against it now."""
        if self.is_discarded:
            return "discarded"
        return "quarantined" if self.blockers else "known" if self.is_known else "accepted"


def lock(connection: Connection) -> None:
    """One import after the other: whoever waited sees what the one before has stored."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('epcis-import'))"))


def known(connection: Connection, identities: Collection[str]) -> dict[str, tuple[str, str]]:
    """Event id → the hash of what it says and the document that it came in."""
    columns = (EVENTS.c.event_id, EVENTS.c.content_hash, EVENTS.c.document)
    statement = select(*columns).where(EVENTS.c.event_id.in_(list(identities)))
    return {row.event_id: (row.content_hash, row.document) for row in connection.execute(statement)}


def made_here(connection: Connection, classes: Collection[Identified]) -> set[str]:
    """Those of the lots that this plant has made itself, by GTIN and lot."""
    pairs = {(own.gtin, own.lot): own.epc for own in classes if own.gtin is not None and own.lot is not None}
    statement = (
        select(MATERIALS.c.gtin, LOTS.c.number)
        .join(MATERIALS, MATERIALS.c.code == LOTS.c.material)
        .where(LOTS.c.origin != "received", LOTS.c.number.in_(sorted({lot for _, lot in pairs})))
    )
    return {pairs[row.gtin, row.number] for row in connection.execute(statement) if (row.gtin, row.number) in pairs}


def keep(
    connection: Connection, sha256: str, source: str, body: str, by: str, at: datetime, judged: Sequence[Judged]
) -> tuple[bool, int]:
    """Store a document with its new events and what was put aside; whether it is new, and how many rows of it are."""
    values = {"sha256": sha256, "source": source, "body": body, "received_by": by, "received_at": at}
    statement = insert(DOCUMENTS).values(values).on_conflict_do_nothing().returning(DOCUMENTS.c.sha256)
    is_new = connection.execute(statement).one_or_none() is not None
    fresh = [own for own in judged if own.state == "accepted"]
    take(connection, sha256, fresh)
    aside = [_rejection(sha256, at, own) for own in judged if own.state == "quarantined"]
    stored = 0
    for row in aside:
        made = insert(REJECTIONS).values(row).on_conflict_do_nothing().returning(REJECTIONS.c.id)
        stored += connection.execute(made).one_or_none() is not None
    return is_new, len(fresh) + stored


def take(connection: Connection, sha256: str, fresh: Sequence[Judged]) -> None:
    """Store events of a document that nothing is against."""
    if fresh:
        connection.execute(insert(EVENTS), [_event(sha256, own) for own in fresh])
        connection.execute(insert(ITEMS), [row for own in fresh for row in _items(own.content)])


def discarded(connection: Connection, sha256: str) -> frozenset[int | None]:
    """The positions of a document's events that a person has discarded; None: the document itself."""
    statement = (
        select(REJECTIONS.c.position)
        .join(DISCARDS, DISCARDS.c.rejection == REJECTIONS.c.id)
        .where(REJECTIONS.c.document == sha256)
    )
    return frozenset(connection.execute(statement).scalars())


class Aside(NamedTuple):
    """What was put aside: the row of the quarantine, the document that it came in, and `quarantined`, `accepted` or
    `discarded`."""

    row: Row[Any]
    body: str
    state: str


def rejected(connection: Connection, number: int) -> Aside | None:
    """What was put aside under that number."""
    statement = (
        select(REJECTIONS, DOCUMENTS.c.body, *_standing())
        .join(DOCUMENTS, DOCUMENTS.c.sha256 == REJECTIONS.c.document)
        .where(REJECTIONS.c.id == number)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Aside(row, row.body, _state(row))


def _standing() -> tuple[Any, ...]:
    """Columns beside a row of the quarantine: whether a right event of its id has come, whether it was tried again and
    taken, whether it was discarded: whatever was put aside of one event in one document is one thing to decide."""
    other = REJECTIONS.alias()
    is_same = (other.c.document == REJECTIONS.c.document) & other.c.position.is_not_distinct_from(REJECTIONS.c.position)
    gone = select(DISCARDS.c.rejection).join(other, other.c.id == DISCARDS.c.rejection).where(is_same)
    taken = select(EVENTS.c.event_id).where(EVENTS.c.event_id == REJECTIONS.c.event_id)
    retried = select(RETRIES.c.rejection).where(RETRIES.c.rejection == REJECTIONS.c.id)
    named = (("taken", taken), ("retried", retried), ("gone", gone))
    return tuple(statement.correlate(REJECTIONS).exists().label(name) for name, statement in named)


def _state(row: Row[Any]) -> str:
    if row.gone:
        return "discarded"
    return "accepted" if row.retried or (row.taken and row.code != "CONTRADICTION") else "quarantined"


def settle(connection: Connection, number: int, by: str, at: datetime, reason: str) -> None:
    """What was put aside under that number was tried again and taken."""
    values = {"rejection": number, "retried_by": by, "retried_at": at, "reason": reason}
    connection.execute(insert(RETRIES).values(values))


def discard(connection: Connection, number: int, by: str, at: datetime, reason: str) -> None:
    """What was put aside under that number has no effect, now or later."""
    values = {"rejection": number, "discarded_by": by, "discarded_at": at, "reason": reason}
    connection.execute(insert(DISCARDS).values(values))


def _event(document: str, own: Judged) -> dict[str, Any]:
    event = own.content
    site, plant = place_of(event)
    return {
        "event_id": event_id(event), "document": document, "position": own.position, "kind": event["type"],
        "step": str(event.get("bizStep", ""))[:200], "site": site, "plant": plant, "content": event,
        "happened_at": datetime.fromisoformat(event["eventTime"]), "content_hash": content_hash(event),
    }  # fmt: skip


def _items(event: Document) -> list[dict[str, Any]]:
    common = {
        "event_id": event_id(event), "transformation": transformation(event),
        "happened_at": datetime.fromisoformat(event["eventTime"]),
    }  # fmt: skip
    return [
        common | {
            "role": own.role, "epc": own.what.epc, "gtin": own.what.gtin, "material": own.what.material,
            "lot": own.what.lot, "quantity": own.quantity, "unit": unit_of(own.uom),
        }
        for own in items(event)
    ]  # fmt: skip


def _rejection(document: str, at: datetime, own: Judged) -> dict[str, Any]:
    return {
        "document": document, "position": own.position, "event_id": own.identity, "code": own.blockers[0].code,
        "blockers": [blocker.model_dump(mode="json", by_alias=True) for blocker in own.blockers],
        "content": str(own.content)[:20_000], "rejected_at": at,
    }  # fmt: skip


def has_partners(connection: Connection) -> bool:
    """Whether events of other systems came in, or a system outside is registered or told of things."""
    asked = (
        select(DOCUMENTS.c.sha256).exists(),
        select(SYSTEMS.c.account).where(SYSTEMS.c.is_active).exists(),
        select(ENDPOINTS.c.code).where(ENDPOINTS.c.is_active).exists(),
    )
    return bool(connection.execute(select(or_(*asked))).scalar_one())


# Lists ---------------------------------------------------------------------------------------------------------------


def documents(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The documents that came, newest first, with how many of their events were taken and how many put aside."""
    counted = [
        select(func.count()).select_from(table).where(table.c.document == DOCUMENTS.c.sha256).scalar_subquery()
        for table in (EVENTS, REJECTIONS)
    ]
    columns = [DOCUMENTS.c[name] for name in ("sha256", "source", "received_by", "received_at")]
    statement = (
        select(*columns, counted[0].label("events"), counted[1].label("rejections"))
        .order_by(DOCUMENTS.c.received_at.desc(), DOCUMENTS.c.sha256)
        .limit(limit)
    )
    return [
        {
            "sha256": row.sha256, "source": row.source, "receivedBy": row.received_by,
            "receivedAt": stamp(row.received_at), "events": row.events, "quarantined": row.rejections,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def document(connection: Connection, sha256: str) -> dict[str, Any] | None:
    """One document as it came."""
    row = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.sha256 == sha256)).one_or_none()
    if row is None:
        return None
    return {
        "sha256": row.sha256, "source": row.source, "receivedBy": row.received_by,
        "receivedAt": stamp(row.received_at), "body": row.body,
    }  # fmt: skip


def events(
    connection: Connection, plants: Sequence[str] | None, sha256: str | None, epc: str | None, limit: int
) -> list[dict[str, Any]]:
    """Events of other systems, newest first."""
    statement = select(EVENTS).order_by(EVENTS.c.happened_at.desc(), EVENTS.c.event_id).limit(limit)
    if plants is not None:
        statement = statement.where(EVENTS.c.plant.in_(plants))
    if sha256 is not None:
        statement = statement.where(EVENTS.c.document == sha256)
    if epc is not None:
        statement = statement.where(EVENTS.c.event_id.in_(select(ITEMS.c.event_id).where(ITEMS.c.epc == epc)))
    return [
        {
            "eventId": row.event_id, "document": row.document, "type": row.kind, "bizStep": row.step,
            "sourcePlant": row.plant, "sourceSite": row.site, "at": stamp(row.happened_at),
            "contentHash": row.content_hash, "event": row.content,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def rejections(connection: Connection, sha256: str | None, limit: int) -> list[dict[str, Any]]:
    """What was put aside, newest first. `accepted`: taken in another try, or a right one has come. Who decided, when
    and why is said of what a person tried again or discarded."""
    statement = (
        select(
            REJECTIONS, *_standing(),
            func.coalesce(RETRIES.c.retried_by, DISCARDS.c.discarded_by).label("decided_by"),
            func.coalesce(RETRIES.c.retried_at, DISCARDS.c.discarded_at).label("decided_at"),
            func.coalesce(RETRIES.c.reason, DISCARDS.c.reason).label("reason"),
        )
        .outerjoin(RETRIES, RETRIES.c.rejection == REJECTIONS.c.id)
        .outerjoin(DISCARDS, DISCARDS.c.rejection == REJECTIONS.c.id)
        .order_by(REJECTIONS.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    if sha256 is not None:
        statement = statement.where(REJECTIONS.c.document == sha256)
    return [
        {
            "number": row.id, "document": row.document, "position": row.position, "eventId": row.event_id,
            "blockers": row.blockers, "content": row.content, "at": stamp(row.rejected_at), "state": _state(row),
            "isSettled": _state(row) != "quarantined", "decidedBy": row.decided_by,
            "decidedAt": None if row.decided_at is None else stamp(row.decided_at), "reason": row.reason,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def as_audit(judged: Sequence[Judged]) -> Mapping[str, Any]:
    """What the audit trail says of a document."""
    return {
        "accepted": [own.identity for own in judged if own.state == "accepted"],
        "quarantined": [
            {"position": own.position, "eventId": own.identity, "codes": sorted({no.code for no in own.blockers})}
            for own in judged
            if own.state == "quarantined"
        ],
    }
