"""Keys of machine accounts."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from db.tables import ApiKey, UserAccount, core

KEYS, ACCOUNTS = core(ApiKey), core(UserAccount)


def add(
    connection: Connection, user_id: str, name: str, digest: str, routes: list[str] | None, by: str, at: datetime,
    expires_at: datetime | None,
) -> uuid.UUID:  # fmt: skip
    """Store a key under its SHA-256; answers its id."""
    identity = uuid.uuid4()
    connection.execute(
        insert(KEYS).values(
            id=identity, user_id=user_id, name=name, key_hash=digest, routes=routes, created_by=by, created_at=at,
            expires_at=expires_at,
        )
    )  # fmt: skip
    return identity


def find(connection: Connection, digest: str) -> Row[Any] | None:
    """A key with its account."""
    statement = (
        select(
            KEYS.c.user_id, KEYS.c.routes, KEYS.c.expires_at, KEYS.c.revoked_at, ACCOUNTS.c.full_name,
            ACCOUNTS.c.roles, ACCOUNTS.c.is_person, ACCOUNTS.c.is_active, ACCOUNTS.c.plants, ACCOUNTS.c.lines,
        )
        .join_from(KEYS, ACCOUNTS, KEYS.c.user_id == ACCOUNTS.c.id)
        .where(KEYS.c.key_hash == digest)
    )  # fmt: skip
    return connection.execute(statement).one_or_none()  # type: ignore[return-value]


def of_account(connection: Connection, user_id: str) -> list[dict[str, Any]]:
    """The keys of an account, revoked ones too; never the keys themselves."""
    statement = select(KEYS).where(KEYS.c.user_id == user_id).order_by(KEYS.c.created_at, KEYS.c.id)
    return [
        {
            "id": str(row.id), "name": row.name, "routes": row.routes, "createdBy": row.created_by,
            "createdAt": row.created_at.isoformat(), "expiresAt": row.expires_at and row.expires_at.isoformat(),
            "revokedAt": row.revoked_at and row.revoked_at.isoformat(),
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def revoke(connection: Connection, user_id: str, identity: uuid.UUID, at: datetime) -> bool:
    """End a key; False when the account has no such key. One that is ended already stays as it was."""
    own = (KEYS.c.id == identity, KEYS.c.user_id == user_id)
    if connection.execute(select(KEYS.c.id).where(*own)).first() is None:
        return False
    connection.execute(update(KEYS).where(*own, KEYS.c.revoked_at.is_(None)).values(revoked_at=at))
    return True
