"""Electronic signatures and their ceremonies: rows in, documents out."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Select, insert, or_, select, update

from db.audit import timestamp
from db.tables import OrderFact, Signature, SignatureRequest, StateTransition, WorkOrder, core
from domain.signing import CEREMONY, MEANING_ZH, CeremonyEvent, CeremonyState

SIGNATURES, REQUESTS, FACTS = core(Signature), core(SignatureRequest), core(OrderFact)
TRANSITIONS, WORK_ORDERS = core(StateTransition), core(WorkOrder)


def local_offset(at: datetime, time_zone: str) -> str:
    """The offset of a time zone at a time, as `+08:00`."""
    offset = at.astimezone(ZoneInfo(time_zone)).utcoffset() or timedelta(0)
    minutes = int(offset.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def document(row: Row[Any]) -> dict[str, Any]:
    """A signature as people see it. `manifestation` is what is printed: name, user id, meaning, both times."""
    at, local = timestamp(row.signed_at), _local(row)
    return {
        "id": str(row.id), "signer": row.signer, "fullName": row.full_name, "meaning": row.meaning,
        "meaningZh": MEANING_ZH.get(row.meaning, row.meaning), "part": row.part,
        "terminalSessionUser": row.terminal_session_user, "entity": row.entity, "entityRevision": row.entity_revision,
        "commandId": row.command_id, "command": None if row.content is None else row.content["command"].get("kind"),
        "signedAt": at, "localTime": local, "timeZone": row.time_zone, "localOffset": row.local_offset,
        "contentHash": row.content_hash, "hasSecondFactor": row.has_second_factor,
        "manifestation": f"{row.full_name} ({row.signer}), {row.meaning}, {at}" + (f" ({local})" if local else ""),
    }  # fmt: skip


def _local(row: Row[Any]) -> str | None:
    """The time of signing as the plant's clock showed it; the offset is the one that was kept."""
    if row.local_offset is None:
        return None
    sign = -1 if row.local_offset[0] == "-" else 1
    minutes = sign * (int(row.local_offset[1:3]) * 60 + int(row.local_offset[4:6]))
    return timestamp(row.signed_at + timedelta(minutes=minutes))[:-1] + str(row.local_offset)


def _ordered(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(SIGNATURES.c.signed_at, SIGNATURES.c.id)


def of_entity(connection: Connection, entity: str, limit: int, after: UUID | None) -> list[Row[Any]]:
    """The signatures of an entity (`production-order/PO-1`), oldest first, after the signature of that id."""
    statement = select(SIGNATURES).where(SIGNATURES.c.entity == entity)
    if after is not None:
        last = select(SIGNATURES.c.signed_at).where(SIGNATURES.c.id == after).scalar_subquery()
        is_later = SIGNATURES.c.signed_at > last
        statement = statement.where(or_(is_later, (SIGNATURES.c.signed_at == last) & (SIGNATURES.c.id > after)))
    return list(connection.execute(_ordered(statement).limit(limit)))


def find(connection: Connection, identity: UUID) -> Row[Any] | None:
    """One signature."""
    return connection.execute(select(SIGNATURES).where(SIGNATURES.c.id == identity)).one_or_none()


def ids(connection: Connection) -> list[UUID]:
    """All signatures, oldest first."""
    return list(connection.execute(_ordered(select(SIGNATURES.c.id))).scalars())


def of_command(connection: Connection, command_id: str) -> dict[str, Row[Any]]:
    """Part → signature under one command."""
    found = connection.execute(select(SIGNATURES).where(SIGNATURES.c.command_id == command_id))
    return {row.part: row for row in found}


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Store a signature."""
    connection.execute(insert(SIGNATURES).values(**row))


def of_order(connection: Connection, order_number: str, entities: Collection[str], revision: int) -> list[Row[Any]]:
    """The signatures under what the order had accepted up to a revision, oldest first. One statement."""
    is_accepted = FACTS.c.body["outcome"]["accepted"].as_boolean()
    statement = (
        select(SIGNATURES)
        .join(FACTS, FACTS.c.command_id == SIGNATURES.c.command_id)
        .where(
            SIGNATURES.c.entity.in_(entities), FACTS.c.order_number == order_number, FACTS.c.revision <= revision,
            is_accepted,
        )
    )  # fmt: skip
    return list(connection.execute(_ordered(statement)))


def of_batch(connection: Connection, work_order: str) -> list[dict[str, Any]]:
    """The signatures under what was accepted about the batch that a work order makes."""
    owner = select(WORK_ORDERS.c.order_number).where(WORK_ORDERS.c.number == work_order)
    order_number = connection.execute(owner).scalar_one_or_none()
    if order_number is None:
        return []
    return [document(row) for row in of_order(connection, order_number, [f"work-order/{work_order}"], 2**31 - 1)]


# Ceremonies ------------------------------------------------------------------------------------------------------


def request(connection: Connection, row: dict[str, Any]) -> None:
    """Begin a ceremony."""
    connection.execute(insert(REQUESTS).values(**row, state=CEREMONY.initial))
    _note(connection, row["id"], "request", None, CEREMONY.initial, row["requested_by"], None, row["requested_at"])


def find_request(connection: Connection, identity: UUID, *, lock: bool = False) -> Row[Any] | None:
    """One ceremony; locked until the commit when asked for."""
    statement = select(REQUESTS).where(REQUESTS.c.id == identity)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def overdue(connection: Connection, at: datetime, limit: int = 100) -> list[Row[Any]]:
    """Ceremonies that nobody ended in time, locked; those that another process looks at are left out."""
    is_overdue = (REQUESTS.c.state == CeremonyState.REQUESTED) & (REQUESTS.c.expires_at <= at)
    statement = select(REQUESTS).where(is_overdue).order_by(REQUESTS.c.expires_at).limit(limit)
    return list(connection.execute(statement.with_for_update(skip_locked=True)))


def advance(
    connection: Connection, found: Row[Any], event: CeremonyEvent, actor: str, at: datetime, why: str | None = None,
    state: CeremonyState | None = None,
) -> CeremonyState:  # fmt: skip
    """The next state of a ceremony, by the table; `state`: where it stands, if not as read. TransitionRefused."""
    origin = CeremonyState(found.state) if state is None else state
    target = CEREMONY.advance(origin, event)
    ended = at if CEREMONY.is_final(target) else None
    change = update(REQUESTS).where(REQUESTS.c.id == found.id)
    connection.execute(change.values(state=target, ended_at=ended, failure=why))
    _note(connection, found.id, event, origin, target, actor, why, at)
    return target


def _note(
    connection: Connection, identity: UUID, event: str, origin: str | None, target: str, actor: str, why: str | None,
    at: datetime,
) -> None:  # fmt: skip
    connection.execute(
        insert(TRANSITIONS).values(
            entity=CEREMONY.name, entity_id=str(identity), event=event, from_state=origin, to_state=target,
            actor=actor, reason=why, at=at,
        )
    )  # fmt: skip
