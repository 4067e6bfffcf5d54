"""Messages that came in, and the systems that may send them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from db.queries.written import stamp, stamp_if_any
from db.tables import InboundMessage, InboundSystem, InspectionRow, UserAccount, core
from domain.errors import Blocker

MESSAGES: Final = core(InboundMessage)
SYSTEMS: Final = core(InboundSystem)
ACCOUNTS: Final = core(UserAccount)
INSPECTIONS: Final = core(InspectionRow)
ACCEPTED, QUARANTINED, DISCARDED = "accepted", "quarantined", "discarded"


@dataclass(frozen=True)
class Arrived:
    """A message as it came. `checksum` is the SHA-256 of its bytes, `claimed` the one that its sender says it has."""

    source: str
    kind: str
    message_id: str
    checksum: str
    claimed: str
    body: str


def system(connection: Connection, account: str) -> Row[Any] | None:
    """A registered system that is active."""
    statement = select(SYSTEMS).where(SYSTEMS.c.account == account, SYSTEMS.c.is_active)
    return connection.execute(statement).one_or_none()


def systems(connection: Connection) -> list[dict[str, Any]]:
    """All registered systems."""
    return [
        {
            "account": row.account, "name": row.name, "kinds": row.kinds.split(","), "policy": row.policy,
            "isActive": row.is_active, "setBy": row.set_by, "setAt": stamp(row.set_at),
        }
        for row in connection.execute(select(SYSTEMS).order_by(SYSTEMS.c.account))
    ]  # fmt: skip


def is_machine(connection: Connection, account: str) -> bool:
    """Whether an account is one of a machine."""
    statement = select(ACCOUNTS.c.id).where(ACCOUNTS.c.id == account, ACCOUNTS.c.is_person.is_(False))
    return connection.execute(statement).one_or_none() is not None


def of_id(connection: Connection, source: str, message_id: str) -> Sequence[Row[Any]]:
    """All messages of one id, oldest first."""
    own = (MESSAGES.c.source == source, MESSAGES.c.message_id == message_id)
    return connection.execute(select(MESSAGES).where(*own).order_by(MESSAGES.c.number)).all()


def keep(
    connection: Connection,
    message: Arrived,
    at: datetime,
    blockers: Sequence[Blocker],
    effect: Mapping[str, Any] | None,
) -> int | None:
    """Store a message: accepted with its effect, or quarantined with its reasons. None: the same one is there."""
    statement = insert(MESSAGES).values(
        source=message.source, kind=message.kind, message_id=message.message_id, checksum=message.checksum,
        claimed_checksum=message.claimed, body=message.body, received_at=at,
        state=QUARANTINED if blockers else ACCEPTED, blockers=as_json(blockers), effect=effect,
    )  # fmt: skip
    found = connection.execute(statement.on_conflict_do_nothing().returning(MESSAGES.c.number)).one_or_none()
    return None if found is None else int(found.number)


def as_json(blockers: Sequence[Blocker]) -> list[dict[str, Any]]:
    """Reasons as they are stored."""
    return [blocker.model_dump(mode="json", by_alias=True) for blocker in blockers]


def same(connection: Connection, message: Arrived) -> Row[Any]:
    """The stored message with the same id and content."""
    own = (
        MESSAGES.c.source == message.source, MESSAGES.c.kind == message.kind,
        MESSAGES.c.message_id == message.message_id, MESSAGES.c.checksum == message.checksum,
        MESSAGES.c.claimed_checksum == message.claimed,
    )  # fmt: skip
    return connection.execute(select(MESSAGES).where(*own)).one()


def lock(connection: Connection, number: int) -> Row[Any] | None:
    """A message for a decision."""
    return connection.execute(select(MESSAGES).where(MESSAGES.c.number == number).with_for_update()).one_or_none()


def change(connection: Connection, number: int, **values: Any) -> None:
    """What a decision or another delivery has made of a message."""
    connection.execute(update(MESSAGES).where(MESSAGES.c.number == number).values(values))


def listed(
    connection: Connection, state: str | None = None, source: str | None = None, before: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Messages, newest first."""
    statement = select(MESSAGES).order_by(MESSAGES.c.number.desc()).limit(limit)
    if state is not None:
        statement = statement.where(MESSAGES.c.state == state)
    if source is not None:
        statement = statement.where(MESSAGES.c.source == source)
    if before is not None:
        statement = statement.where(MESSAGES.c.number < before)
    return [shown(row) for row in connection.execute(statement)]


def find(connection: Connection, number: int) -> dict[str, Any] | None:
    """One message with its body."""
    row = connection.execute(select(MESSAGES).where(MESSAGES.c.number == number)).one_or_none()
    return None if row is None else shown(row) | {"body": row.body}


def shown(row: Row[Any]) -> dict[str, Any]:
    """A message as the API gives it."""
    return {
        "number": row.number, "source": row.source, "kind": row.kind, "messageId": row.message_id,
        "checksum": row.checksum, "receivedAt": stamp(row.received_at), "state": row.state, "blockers": row.blockers,
        "effect": row.effect, "decidedBy": row.decided_by, "decidedAt": stamp_if_any(row.decided_at),
        "reason": row.reason,
    }  # fmt: skip


def inspection(connection: Connection, number: str) -> Row[Any] | None:
    """The lot of an inspection, and the work order that leads it, if one does."""
    columns = (INSPECTIONS.c.number, INSPECTIONS.c.lot, INSPECTIONS.c.work_order, INSPECTIONS.c.state)
    return connection.execute(select(*columns).where(INSPECTIONS.c.number == number)).one_or_none()  # type: ignore[return-value]


def set_system(connection: Connection, account: str, told: Mapping[str, Any], by: str, at: datetime) -> None:
    """Store what a system may send."""
    values = {
        "account": account, "name": told["name"], "kinds": told["kinds"], "policy": told["policy"],
        "is_active": told["isActive"], "set_by": by, "set_at": at,
    }  # fmt: skip
    statement = insert(SYSTEMS).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))
