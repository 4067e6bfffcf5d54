"""Who somebody is: sessions, keys of machine accounts, roles.

A session is an opaque token of which only the SHA-256 is stored; so is the key of a machine account. Logins, failures
and denials are audited; a caller without any account cannot make the audit trail grow.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from api.attempts import Attempts
from api.clock import now as now
from api.errors import Problem
from api.passwords import Attempt, check_code, check_password, refuse_expired, succeeded
from api.roles import Role as Role
from db import audit
from db.queries import api_keys, users
from settings import Settings

LONGEST: Final = timedelta(hours=12)
FRESH_SECONDS: Final = 5.0
"""How long a session that was looked up is believed without asking the record again."""
TOUCH_AFTER: Final = timedelta(seconds=30)
"""`last_seen_at` is written when it is older than this: a read must not cost a write."""
KEY_PREFIX: Final = "mwk_"
"""What a machine's key begins with: so a key that was left lying in a file is known for what it is."""
FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Session:
    """Somebody who is logged in, or a machine that showed its key. `routes` None: all that the roles may."""

    token_hash: str
    user_id: str
    full_name: str
    roles: tuple[str, ...]
    is_person: bool
    expires_at: datetime
    plants: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None


def token_hash(token: str) -> str:
    """What is stored of a bearer token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_session(user: users.User, expires_at: datetime) -> tuple[str, Session]:
    """A session that still has to be stored, with its token."""
    token = secrets.token_urlsafe(32)
    return token, Session(
        token_hash(token), user.id, user.full_name, user.roles, user.is_person, expires_at, user.plants, user.lines
    )


class Sessions:
    """The sessions of this process: a short memory before the table."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._known: dict[str, tuple[float, Session]] = {}
        self.idle = timedelta(minutes=settings.idle_minutes)
        self.attempts = Attempts()

    def login(self, user_id: str, password: str, source: str, code: str | None = None) -> tuple[str, Session]:
        """A new session: (bearer token, session).

        Raises 401 LOGIN_FAILED, 403 ACCOUNT_LOCKED, PASSWORD_EXPIRED or SECOND_FACTOR_REQUIRED, 429 TOO_MANY_ATTEMPTS.
        """
        user = self.known(user_id, password, Attempt("login", source))
        refuse_expired(user, self._settings.password_days)
        self._check_second_factor(user, code, source)
        at = now()
        token, session = new_session(user, at + LONGEST)
        with self._engine.begin() as connection:
            users.open_session(connection, session.token_hash, user.id, at, session.expires_at)
            audit.append(connection, [audit.Entry(at, user.id, "login", f"user/{user.id}", source=source)])
        return token, session

    def known(self, user_id: str, password: str, attempt: Attempt) -> users.User:
        """The account of somebody without a session. Raises 401 LOGIN_FAILED, 403 ACCOUNT_LOCKED, 429."""
        self.attempts.check(attempt.source, user_id)
        user = check_password(self._engine, user_id, password, attempt)
        if user is None:
            self.attempts.failed(attempt.source, user_id)
            raise Problem(401, "LOGIN_FAILED", "user id or password is wrong")
        return user

    def _check_second_factor(self, user: users.User, code: str | None, source: str) -> None:
        if not self._settings.login_second_factor or user.totp_confirmed_at is None:
            succeeded(self._engine, user)
            return
        if code is None:
            raise Problem(403, "SECOND_FACTOR_REQUIRED", f"{user.id} logs in with password and one-time code")
        if not check_code(self._engine, user, code, self._settings.secret_keys, Attempt("login", source)):
            raise Problem(401, "LOGIN_FAILED", "the one-time code is wrong or was used before")

    def remembered(self, token: str) -> Session | None:
        """The session of a token, if it was looked up just now."""
        known = self._known.get(token_hash(token))
        return known[1] if known is not None and time.monotonic() - known[0] < FRESH_SECONDS else None

    def find(self, token: str, *, touch: bool = True) -> Session:
        """The session of a token. Raises 401 NOT_AUTHENTICATED or SESSION_EXPIRED. `touch`: its person did something,
        so it goes on for another idle time."""
        if token.startswith(KEY_PREFIX):
            return self._machine(token)
        digest, at = token_hash(token), now()
        with self._engine.begin() as connection:
            row = users.find_session(connection, digest)
            if row is None or not row.is_active:
                raise Problem(401, "NOT_AUTHENTICATED", "this token is not known; log in")
            if row.ended_at is not None or row.last_seen_at < at - self.idle or row.expires_at < at:
                raise Problem(401, "SESSION_EXPIRED", "the session has ended; log in again")
            if touch and row.last_seen_at < at - TOUCH_AFTER:
                users.touch_session(connection, digest, at)
        session = Session(
            digest, row.user_id, row.full_name, tuple(row.roles), row.is_person, row.expires_at,
            users.among(row.plants), users.among(row.lines),
        )  # fmt: skip
        self._remember(session)
        return session

    def _machine(self, key: str) -> Session:
        digest = token_hash(key)
        with self._engine.connect() as connection:
            row = api_keys.find(connection, digest)
        if row is None or not row.is_active or row.is_person or row.revoked_at is not None:
            raise Problem(401, "NOT_AUTHENTICATED", "this key is not known, or was revoked")
        expires_at = row.expires_at or FOREVER
        if expires_at < now():
            raise Problem(401, "SESSION_EXPIRED", "this key has expired")
        session = Session(
            digest, row.user_id, row.full_name, tuple(row.roles), False, expires_at, users.among(row.plants),
            users.among(row.lines), users.among(row.routes),
        )  # fmt: skip
        self._remember(session)
        return session

    def _remember(self, session: Session) -> None:
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[session.token_hash] = (time.monotonic(), session)

    def logout(self, session: Session, source: str, *, locks: bool = False) -> None:
        """End a session; other processes notice within `FRESH_SECONDS`. `locks`: by a terminal that was locked."""
        with self._engine.begin() as connection:
            users.end_session(connection, session.token_hash, now(), locks=locks)
            entry = audit.Entry(now(), session.user_id, "logout", f"user/{session.user_id}", source=source)
            audit.append(connection, [entry])
        self._known.pop(session.token_hash, None)

    def forget(self) -> None:
        """Ask the table for every session from now on."""
        self._known.clear()
