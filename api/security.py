"""Who somebody is: passwords, sessions, lock-out, roles.

Passwords are stored as Argon2id. A session is an opaque token of which only the SHA-256 is stored. Logins, failures
and denials are audited; a caller without any account cannot make the audit trail grow.
"""

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine

from api.errors import Problem
from db import audit
from db.queries import users


class Role(StrEnum):
    """What a person may be at a plant. Separation of duties is by person, never by role alone."""

    PLANNER = "planner"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    WAREHOUSE_KEEPER = "warehouseKeeper"
    QC_ANALYST = "qcAnalyst"
    QA_REVIEWER = "qaReviewer"
    QUALITY_MANAGER = "qualityManager"
    QUALIFIED_PERSON = "qualifiedPerson"
    MAINTENANCE = "maintenance"
    METROLOGY = "metrology"
    PROCESS_ENGINEER = "processEngineer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DATA_ANALYST = "dataAnalyst"
    INTEGRATION = "integration"


MINIMUM_LENGTH: Final = 12
ATTEMPTS: Final = 5
IDLE: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=12)
FRESH_SECONDS: Final = 5.0
"""How long a session that was looked up is believed without asking the record again."""
TOUCH_AFTER: Final = timedelta(seconds=30)
"""`last_seen_at` is written when it is older than this: a read must not cost a write."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# 19 MiB and one core for 50 ms each: more at once would starve everybody who is already in.
_HASHING: Final = threading.BoundedSemaphore(4)


def now() -> datetime:
    """The server's time, UTC."""
    return datetime.now(UTC)


def hashed(password: str) -> str:
    """The Argon2id hash of a password, with a salt of its own."""
    with _HASHING:
        return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


_NOBODY: Final = _HASHER.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True)
class Session:
    """Somebody who is logged in."""

    token_hash: str
    user_id: str
    full_name: str
    roles: tuple[str, ...]
    is_person: bool
    expires_at: datetime


def token_hash(token: str) -> str:
    """What is stored of a bearer token."""
    return hashlib.sha256(token.encode()).hexdigest()


def locked(user_id: str) -> Problem:
    """403: too many failed attempts."""
    return Problem(403, "ACCOUNT_LOCKED", f"{user_id} is locked after {ATTEMPTS} failed attempts; see an administrator")


def check_password(engine: Engine, user_id: str, password: str, *, act: str, source: str) -> users.User | None:
    """The account when the password is right, None when not. A failure counts to the lock-out and is audited.

    `act` names what was attempted (`login`, `signature`). Raises 403 ACCOUNT_LOCKED; takes 50 ms: call it in a thread.
    """
    with _HASHING:  # from the look at the lock to the count: many attempts at once do not slip past it
        return _check_password(engine, user_id, password, act, source)


def _check_password(engine: Engine, user_id: str, password: str, act: str, source: str) -> users.User | None:
    with engine.connect() as connection:
        user = users.find(connection, user_id)
    if user is None or not user.is_active:
        matches(_NOBODY, password)
        return None
    if user.locked_at is not None:
        raise locked(user_id)
    if matches(user.password_hash, password):
        if user.failed_attempts:
            with engine.begin() as connection:
                users.forget_failures(connection, user_id)
        return user
    with engine.begin() as connection:
        failures = users.count_failure(connection, user_id, ATTEMPTS, now())
        entries = [audit.Entry(now(), user_id, f"{act}.failed", f"user/{user_id}", source=source)]
        if failures == ATTEMPTS:
            users.raise_alarm(connection, "ACCOUNT_LOCKED", f"{user_id}: {failures} failed attempts ({act})", now())
            entries.append(audit.Entry(now(), "system", "account.locked", f"user/{user_id}", source=source))
        audit.append(connection, entries)
    return None


class Sessions:
    """The sessions of this process: a short memory before the table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, tuple[float, Session]] = {}

    def login(self, user_id: str, password: str, source: str) -> tuple[str, Session]:
        """A new session: (bearer token, session). Raises 401 LOGIN_FAILED or 403 ACCOUNT_LOCKED."""
        user = check_password(self._engine, user_id, password, act="login", source=source)
        if user is None:
            raise Problem(401, "LOGIN_FAILED", "user id or password is wrong")
        token, at = secrets.token_urlsafe(32), now()
        session = Session(token_hash(token), user.id, user.full_name, user.roles, user.is_person, at + LONGEST)
        with self._engine.begin() as connection:
            users.open_session(connection, session.token_hash, user.id, at, session.expires_at)
            audit.append(connection, [audit.Entry(at, user.id, "login", f"user/{user.id}", source=source)])
        return token, session

    def remembered(self, token: str) -> Session | None:
        """The session of a token, if it was looked up just now."""
        known = self._known.get(token_hash(token))
        return known[1] if known is not None and time.monotonic() - known[0] < FRESH_SECONDS else None

    def find(self, token: str) -> Session:
        """The session of a token. Raises 401 NOT_AUTHENTICATED or SESSION_EXPIRED."""
        digest, at = token_hash(token), now()
        with self._engine.begin() as connection:
            row = users.find_session(connection, digest)
            if row is None or not row.is_active:
                raise Problem(401, "NOT_AUTHENTICATED", "this token is not known; log in")
            if row.ended_at is not None or row.last_seen_at < at - IDLE or row.expires_at < at:
                raise Problem(401, "SESSION_EXPIRED", "the session has ended; log in again")
            if row.last_seen_at < at - TOUCH_AFTER:
                users.touch_session(connection, digest, at)
        session = Session(digest, row.user_id, row.full_name, tuple(row.roles), row.is_person, row.expires_at)
        self._remember(session)
        return session

    def _remember(self, session: Session) -> None:
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[session.token_hash] = (time.monotonic(), session)

    def logout(self, session: Session, source: str) -> None:
        """End a session; other processes notice within `FRESH_SECONDS`."""
        with self._engine.begin() as connection:
            users.end_session(connection, session.token_hash, now())
            entry = audit.Entry(now(), session.user_id, "logout", f"user/{session.user_id}", source=source)
            audit.append(connection, [entry])
        self._known.pop(session.token_hash, None)

    def forget(self) -> None:
        """Ask the table for every session from now on."""
        self._known.clear()
