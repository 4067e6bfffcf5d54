"""Badge and PIN: how another person takes over a shared terminal (AC-08), and never more than that.

A PIN is short, so it opens nothing by itself: only a terminal at which somebody logged in by a password within the
last twelve hours is taken over, and until those twelve hours are over. It signs nothing: signatures ask for the
password. It is stored as Argon2id and locked after five failures; the owner's password stays good meanwhile.
"""

import re
from typing import Final

from api import passwords
from api.clock import now
from api.deps import Caller, Services
from api.errors import Problem, refused
from api.passwords import ATTEMPTS, Attempt
from api.roles import Role
from api.security import Session, new_session, token_hash
from db import audit
from db.queries import alarms, users

SHAPE: Final = re.compile(r"[0-9]{4,8}")
RUN: Final = "0123456789012"
RUN_BACK: Final = RUN[::-1]
BADGE: Final = "person/"
"""How a badge that the plant prints itself begins, as `GET /scan` takes it."""
ADMINISTRATORS: Final = "a person who is no administrator"


def is_simple(pin: str) -> bool:
    """One digit again and again, or digits as one counts: what everybody tries first."""
    return len(set(pin)) == 1 or pin in RUN or pin in RUN_BACK


def choose(who: Caller, password: str, pin: str | None) -> None:
    """Another PIN for oneself, or none (None), by one's password; earlier failures are forgotten.

    Raises 403 SIGNATURE_FAILED for a wrong password, 409 PIN_WRONG_SHAPE, PIN_TOO_SIMPLE or PIN_NOT_ALLOWED.
    """
    if pin is not None:
        _check_new(who, pin)
    attempt = Attempt("password", who.source)
    user = passwords.check_password(who.services.engine, who.id, password, attempt)
    if user is None:
        raise Problem(403, "SIGNATURE_FAILED", f"the password of {who.id} is needed, and this is not it")
    pin_hash = None if pin is None else passwords.hashed(pin)
    with who.services.engine.begin() as connection:
        users.change(connection, who.id, pin_hash=pin_hash, pin_failed_attempts=0, pin_locked_at=None)
        old = None if user.pin_locked_at is None else {"pinLockedAt": audit.timestamp(user.pin_locked_at)}
        audit.append(connection, [who.entry("pin.removed" if pin is None else "pin.set", f"user/{who.id}", old=old)])


def _check_new(who: Caller, pin: str) -> None:
    if not who.session.is_person or Role.ADMINISTRATOR in who.session.roles:
        raise refused("PIN_NOT_ALLOWED", "user", who.id, ", ".join(who.session.roles), ADMINISTRATORS)
    if SHAPE.fullmatch(pin) is None:
        raise refused("PIN_WRONG_SHAPE", "user", who.id, "another form", "4 to 8 digits", who.id)
    if is_simple(pin):
        raise refused("PIN_TOO_SIMPLE", "user", who.id, "digits in a row, or one digit only", "other digits", who.id)


def take_over(having: Services, terminal: str, badge: str, pin: str, source: str) -> tuple[str, Session]:
    """A session of the badge's owner in place of the one of the token `terminal`: (token, session).

    Raises 401 TERMINAL_NOT_OPEN when nobody logged in there by a password lately, 401 PIN_FAILED, 403 PIN_LOCKED,
    ACCOUNT_LOCKED, PASSWORD_EXPIRED or SECOND_FACTOR_REQUIRED, 429 TOO_MANY_ATTEMPTS. Nothing is ended then.
    """
    digest = token_hash(terminal)
    with having.engine.begin() as connection:
        if users.terminal_of(connection, digest, now()) is None:
            raise _not_open()
    user = _owner(having, badge.strip().removeprefix(BADGE), pin, source)
    with having.engine.begin() as connection:
        known = users.terminal_of(connection, digest, now())
        if known is None:
            raise _not_open()
        token, session = new_session(user, known.expires_at)
        entries = [audit.Entry(now(), user.id, "terminal.taken", f"user/{user.id}", new={"terminalOf": known.user_id},
                               source=source)]  # fmt: skip
        if known.ended_at is None:
            entries.insert(0, audit.Entry(now(), known.user_id, "logout", f"user/{known.user_id}", source=source))
        users.end_session(connection, digest, now())
        users.open_session(connection, session.token_hash, user.id, now(), session.expires_at, by_pin=True)
        audit.append(connection, entries)
    having.sessions.forget()
    return token, session


def _not_open() -> Problem:
    detail = "nobody has logged in here with a password lately; log in with user and password"
    return Problem(401, "TERMINAL_NOT_OPEN", detail)


def _owner(having: Services, badge: str, pin: str, source: str) -> users.User:
    """The account whose badge and PIN these are. Every failure takes as long as a success."""
    having.sessions.attempts.check(source, badge)
    with having.engine.connect() as connection:
        known = users.with_badge(connection, badge)
    if known is None or known.pin_hash is None or not known.is_active or Role.ADMINISTRATOR in known.roles:
        passwords.matches_nobody(pin)
        having.sessions.attempts.failed(source, badge)
        raise _wrong()
    if known.locked_at is not None:
        raise passwords.locked(known.id)
    if not _is_right(having, known.id, pin, source):
        having.sessions.attempts.failed(source, badge)
        raise _wrong()
    passwords.refuse_expired(known, having.settings.password_days)
    if having.settings.login_second_factor and known.totp_confirmed_at is not None:
        raise Problem(403, "SECOND_FACTOR_REQUIRED", f"{known.id} logs in with password and one-time code")
    return known


def _wrong() -> Problem:
    return Problem(401, "PIN_FAILED", "badge or PIN is wrong, or its owner has no PIN")


def _is_right(having: Services, user_id: str, pin: str, source: str) -> bool:
    """Judge one PIN; the row is held meanwhile, so that many tries at once are counted one by one."""
    with having.engine.begin() as connection:
        user = users.locked_for_pin(connection, user_id)
        if user.pin_locked_at is not None or user.pin_hash is None:
            detail = f"the PIN of {user_id} is locked after {ATTEMPTS} failed attempts; log in with the password"
            raise Problem(403, "PIN_LOCKED", detail)
        if passwords.matches_in_turn(user.pin_hash, pin):
            if user.pin_failed_attempts:
                users.change(connection, user_id, pin_failed_attempts=0)
            return True
        failures = user.pin_failed_attempts + 1
        entity, new = f"user/{user_id}", {"pinFailedAttempts": failures}
        entries = [audit.Entry(now(), user_id, "pin.failed", entity, new=new, source=source)]
        locks = {"pin_locked_at": now()} if failures >= ATTEMPTS else {}
        if locks:
            alarms.raise_alarm(connection, "PIN_LOCKED", f"{user_id}: {failures} failed attempts (pin)", now())
            at = {"pinLockedAt": audit.timestamp(locks["pin_locked_at"])}
            entries.append(audit.Entry(now(), "system", "pin.locked", entity, new=at, source=source))
        users.change(connection, user_id, pin_failed_attempts=failures, **locks)
        audit.append(connection, entries)
        return False
