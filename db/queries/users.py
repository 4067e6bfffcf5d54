"""Accounts and sessions. Accounts are never deleted: an id that was used once stays reserved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from db.tables import PasswordHistory, UserAccount, UserSession, core

ACCOUNTS = core(UserAccount)
SESSIONS = core(UserSession)
PASSWORDS = core(PasswordHistory)


@dataclass(frozen=True)
class User:
    """An account as it is recorded."""

    id: str
    full_name: str
    password_hash: str = field(repr=False)
    roles: tuple[str, ...]
    is_active: bool
    is_person: bool
    failed_attempts: int
    locked_at: datetime | None
    created_at: datetime
    plants: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None
    password_changed_at: datetime | None = None
    password_expires_at: datetime | None = None
    totp_secret: str | None = field(default=None, repr=False)
    totp_confirmed_at: datetime | None = None
    totp_last_counter: int | None = None
    badge: str | None = None
    pin_hash: str | None = field(default=None, repr=False)
    pin_failed_attempts: int = 0
    pin_locked_at: datetime | None = None


def _user(row: Row[Any]) -> User:
    return User(
        row.id, row.full_name, row.password_hash, tuple(row.roles), row.is_active, row.is_person,
        row.failed_attempts, row.locked_at, row.created_at, among(row.plants), among(row.lines),
        row.password_changed_at, row.password_expires_at, row.totp_secret, row.totp_confirmed_at,
        row.totp_last_counter, row.badge, row.pin_hash, row.pin_failed_attempts, row.pin_locked_at,
    )  # fmt: skip


def among(values: list[str] | None) -> tuple[str, ...] | None:
    """What a scope is limited to; None: nothing."""
    return None if values is None else tuple(values)


def people_with(connection: Connection, roles: Sequence[str]) -> list[str]:
    """The ids of people with one of the roles who can log in, by id."""
    has_one = or_(*(ACCOUNTS.c.roles.contains([role]) for role in roles))
    statement = select(ACCOUNTS.c.id).where(ACCOUNTS.c.is_active, ACCOUNTS.c.is_person, has_one)
    return list(connection.execute(statement.order_by(ACCOUNTS.c.id)).scalars())


def find(connection: Connection, user_id: str) -> User | None:
    """The account of that id."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == user_id)).one_or_none()
    return None if row is None else _user(row)


def with_badge(connection: Connection, badge: str) -> User | None:
    """The account of a badge; an id is a badge, too."""
    has_it = or_(ACCOUNTS.c.badge == badge, ACCOUNTS.c.id == badge)
    rows = connection.execute(select(ACCOUNTS).where(has_it).order_by(ACCOUNTS.c.badge == badge)).all()
    return _user(rows[0]) if len(rows) == 1 else None


def locked_for_pin(connection: Connection, user_id: str) -> User:
    """The account, kept from everybody else until the transaction ends: PINs are tried one after the other."""
    return _user(connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == user_id).with_for_update()).one())


def everybody(connection: Connection) -> list[User]:
    """All accounts, disabled ones too."""
    return [_user(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.id))]


def add(
    connection: Connection, user_id: str, full_name: str, password_hash: str, roles: Sequence[str], at: datetime
) -> bool:
    """Add an account; False when the id was used before. An account with the role integration is a machine."""
    statement = (
        upsert(ACCOUNTS)
        .values(
            id=user_id, full_name=full_name, password_hash=password_hash, roles=list(roles), is_active=True,
            is_person="integration" not in roles, failed_attempts=0, created_at=at, pin_failed_attempts=0,
        )
        .on_conflict_do_nothing()
        .returning(ACCOUNTS.c.id)
    )  # fmt: skip
    return connection.execute(statement).first() is not None


def change(connection: Connection, user_id: str, **values: Any) -> None:
    """Change an account."""
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == user_id).values(**values))


def count_failure(connection: Connection, user_id: str, limit: int, at: datetime) -> int:
    """Count a failed attempt; the one that reaches `limit` locks the account. Answers the number of failures."""
    counted = (
        update(ACCOUNTS)
        .where(ACCOUNTS.c.id == user_id)
        .values(failed_attempts=ACCOUNTS.c.failed_attempts + 1)
        .returning(ACCOUNTS.c.failed_attempts)
    )
    failures = int(connection.execute(counted).scalar_one())
    if failures == limit:
        change(connection, user_id, locked_at=at)
    return failures


def forget_failures(connection: Connection, user_id: str) -> None:
    """The right password was given: earlier failures no longer count."""
    change(connection, user_id, failed_attempts=0)


def open_session(
    connection: Connection, digest: str, user_id: str, at: datetime, expires_at: datetime, *, by_pin: bool = False
) -> None:
    """Store a session under the SHA-256 of its token."""
    connection.execute(
        insert(SESSIONS).values(
            token_hash=digest, user_id=user_id, created_at=at, last_seen_at=at, expires_at=expires_at, by_pin=by_pin
        )
    )


def find_session(connection: Connection, digest: str) -> Row[Any] | None:
    """A session with its account."""
    statement = (
        select(
            SESSIONS.c.user_id, SESSIONS.c.last_seen_at, SESSIONS.c.expires_at, SESSIONS.c.ended_at,
            ACCOUNTS.c.full_name, ACCOUNTS.c.roles, ACCOUNTS.c.is_person, ACCOUNTS.c.is_active, ACCOUNTS.c.plants,
            ACCOUNTS.c.lines,
        )
        .join_from(SESSIONS, ACCOUNTS, SESSIONS.c.user_id == ACCOUNTS.c.id)
        .where(SESSIONS.c.token_hash == digest)
    )  # fmt: skip
    return connection.execute(statement).one_or_none()  # type: ignore[return-value]


def touch_session(connection: Connection, digest: str, at: datetime) -> None:
    """The session was used."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.token_hash == digest).values(last_seen_at=at))


def end_session(connection: Connection, digest: str, at: datetime, *, locks: bool = False) -> None:
    """The session is over. `locks`: its terminal stays one at which somebody may take over."""
    ended = {"ended_at": at, "locked_at": at if locks else None}
    connection.execute(update(SESSIONS).where(SESSIONS.c.token_hash == digest).values(**ended))


def terminal_of(connection: Connection, digest: str, at: datetime) -> Row[Any] | None:
    """The session by which a terminal is known: open, idle or locked; its time is not over, its person not shut out."""
    statement = (
        select(SESSIONS.c.user_id, SESSIONS.c.expires_at, SESSIONS.c.ended_at)
        .join_from(SESSIONS, ACCOUNTS, SESSIONS.c.user_id == ACCOUNTS.c.id)
        .where(
            SESSIONS.c.token_hash == digest, SESSIONS.c.expires_at > at, ACCOUNTS.c.is_active, ACCOUNTS.c.is_person,
            or_(SESSIONS.c.ended_at.is_(None), SESSIONS.c.locked_at.is_not(None)),
        )
        .with_for_update(of=SESSIONS)
    )  # fmt: skip
    return connection.execute(statement).one_or_none()  # type: ignore[return-value]


def end_sessions(connection: Connection, user_id: str, at: datetime) -> None:
    """All sessions of an account are over, and nobody takes over where one was locked."""
    mine = SESSIONS.c.user_id == user_id
    connection.execute(update(SESSIONS).where(mine, SESSIONS.c.ended_at.is_(None)).values(ended_at=at))
    connection.execute(update(SESSIONS).where(mine, SESSIONS.c.locked_at.is_not(None)).values(locked_at=None))


def has_signed(connection: Connection, digest: str) -> bool:
    """Whether both components of a signature were given in the session, and nobody else has signed in it since."""
    statement = select(SESSIONS.c.signed_at).where(SESSIONS.c.token_hash == digest)
    return connection.execute(statement).scalar_one_or_none() is not None


def note_signing(connection: Connection, digest: str, at: datetime | None) -> None:
    """Both components were given in the session; None: another person has signed in it."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.token_hash == digest).values(signed_at=at))


def use_step(connection: Connection, user_id: str, step: int) -> bool:
    """Use a one-time code up; False when it, or a later one, was used already."""
    last = ACCOUNTS.c.totp_last_counter
    statement = update(ACCOUNTS).where(ACCOUNTS.c.id == user_id, or_(last.is_(None), last < step))
    return connection.execute(statement.values(totp_last_counter=step)).rowcount == 1


def last_passwords(connection: Connection, user_id: str, count: int) -> list[str]:
    """Hashes of the passwords before the one in use, the newest first."""
    statement = select(PASSWORDS.c.password_hash).where(PASSWORDS.c.user_id == user_id)
    return list(connection.execute(statement.order_by(PASSWORDS.c.id.desc()).limit(count)).scalars())


def remember_password(connection: Connection, user_id: str, password_hash: str, at: datetime) -> None:
    """The password is not in use any more."""
    connection.execute(insert(PASSWORDS).values(user_id=user_id, password_hash=password_hash, set_at=at))
