"""Passwords: how they are kept, checked and changed; wrong ones lock the account.

Passwords are stored as Argon2id. Failures are audited; a caller without any account cannot make the trail grow.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine

from api import one_time_codes
from api.clock import now
from api.errors import Problem
from db import audit
from db.queries import alarms, users
from domain.errors import Blocker, Refused

MINIMUM_LENGTH: Final = 12
REMEMBERED: Final = 5
"""So many of the last passwords are not taken again, the one in use among them."""
ATTEMPTS: Final = 5

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# 19 MiB and one core for 50 ms each: more at once would starve everybody who is already in.
_HASHING: Final = threading.BoundedSemaphore(4)


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


def matches_nobody(secret: str) -> None:
    """Take as long as for somebody."""
    matches(_NOBODY, secret)


def matches_in_turn(secret_hash: str, secret: str) -> bool:
    """`matches`, with no more at once than the machine bears."""
    with _HASHING:
        return matches(secret_hash, secret)


@dataclass(frozen=True)
class Attempt:
    """What somebody tried. `act` is login, signature or password; a failure is audited on `entity` with `detail`."""

    act: str
    source: str
    entity: str | None = None
    detail: Mapping[str, Any] | None = None


def locked(user_id: str) -> Problem:
    """403: too many failed attempts."""
    return Problem(403, "ACCOUNT_LOCKED", f"{user_id} is locked after {ATTEMPTS} failed attempts; see an administrator")


def check_password(engine: Engine, user_id: str, password: str, attempt: Attempt) -> users.User | None:
    """The account when the password is right, None when not. A failure counts to the lock-out and is audited.

    Raises 403 ACCOUNT_LOCKED; takes 50 ms: call it in a thread.
    """
    with _HASHING:  # from the look at the lock to the count: many attempts at once do not slip past it
        return _check_password(engine, user_id, password, attempt)


def _check_password(engine: Engine, user_id: str, password: str, attempt: Attempt) -> users.User | None:
    with engine.connect() as connection:
        user = users.find(connection, user_id)
    if user is None or not user.is_active:
        matches_nobody(password)
        return None
    if user.locked_at is not None:
        raise locked(user_id)
    if matches(user.password_hash, password):
        if user.totp_confirmed_at is None:
            succeeded(engine, user)
        return user
    count_failure(engine, user_id, attempt, "wrong password")
    return None


def succeeded(engine: Engine, user: users.User) -> None:
    """Everything that was asked of an account was right: its earlier failures no longer count."""
    if user.failed_attempts:
        with engine.begin() as connection:
            users.forget_failures(connection, user.id)


def count_failure(engine: Engine, user_id: str, attempt: Attempt, why: str) -> None:
    """One more failed attempt of an account, audited; the fifth locks it and raises an alarm."""
    with engine.begin() as connection:
        failures = users.count_failure(connection, user_id, ATTEMPTS, now())
        new: dict[str, Any] = {"failedAttempts": failures}
        if attempt.detail is not None:
            new |= {"user": user_id, "why": why, **attempt.detail}
        entity = attempt.entity or f"user/{user_id}"
        entries = [audit.Entry(now(), user_id, f"{attempt.act}.failed", entity, new=new, source=attempt.source)]
        if failures == ATTEMPTS:
            detail = f"{user_id}: {failures} failed attempts ({attempt.act})"
            alarms.raise_alarm(connection, "ACCOUNT_LOCKED", detail, now())
            locked_at = {"lockedAt": audit.timestamp(now())}
            entity = f"user/{user_id}"
            entries.append(
                audit.Entry(now(), "system", "account.locked", entity, None, locked_at, source=attempt.source)
            )
        audit.append(connection, entries)


def check_code(engine: Engine, user: users.User, code: str, keys: tuple[str, ...], attempt: Attempt) -> bool:
    """Whether the code is the account's of just now, used for the first time. A failure counts as one of passwords.

    Raises 503 SECOND_FACTOR_UNAVAILABLE when the key that sealed the account's secret is not here.
    """
    secret = None if user.totp_secret is None else one_time_codes.unseal(keys, user.id, user.totp_secret)
    if secret is None:
        detail = "the second factor cannot be checked: the key that sealed it is missing; see an administrator"
        raise Problem(503, "SECOND_FACTOR_UNAVAILABLE", detail)
    step = one_time_codes.step_of(secret, code, now(), user.totp_last_counter)
    if step is not None:
        with engine.begin() as connection:
            is_first = users.use_step(connection, user.id, step)
        if is_first:
            succeeded(engine, user)
            return True
    count_failure(engine, user.id, attempt, "wrong or used one-time code")
    return False


def refuse_expired(user: users.User, days: int) -> None:
    """Raise 403 PASSWORD_EXPIRED when the password is too old, or was chosen by an administrator."""
    since = user.password_changed_at or user.created_at
    is_old = days > 0 and since + timedelta(days=days) < now()
    if is_old or (user.password_expires_at is not None and user.password_expires_at <= now()):
        detail = f"the password of {user.id} has to be changed (POST /auth/password) before anything else"
        raise Problem(403, "PASSWORD_EXPIRED", detail)


def choose(engine: Engine, user: users.User, password: str) -> str:
    """The hash of a new password. Raises `Refused` when it is too short or one of the last ones. Takes 300 ms."""
    if len(password) < MINIMUM_LENGTH:
        raise Refused((_fault(user.id, "PASSWORD_TOO_SHORT", f"{len(password)} characters", _LONG_ENOUGH),))
    with engine.connect() as connection:
        earlier = users.last_passwords(connection, user.id, REMEMBERED - 1)
    with _HASHING:
        if any(matches(known, password) for known in (user.password_hash, *earlier)):
            required = f"another one than the last {REMEMBERED}"
            raise Refused((_fault(user.id, "PASSWORD_USED_BEFORE", "one of the last passwords", required),))
    return hashed(password)


_LONG_ENOUGH = f"at least {MINIMUM_LENGTH} characters"


def _fault(user_id: str, code: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity="user", id=user_id, found=found, required=required, who_can_fix=user_id)


def replace(connection: Connection, user: users.User, password_hash: str, *, by_owner: bool) -> None:
    """Store a new password and remember the one before; one that somebody else chose is good for one change only."""
    users.remember_password(connection, user.id, user.password_hash, now())
    expires = None if by_owner else now()
    values = {"password_hash": password_hash, "password_changed_at": now(), "password_expires_at": expires}
    users.change(connection, user.id, **values)
    users.end_sessions(connection, user.id, now())
