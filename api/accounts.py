"""What administrators do with accounts: every change with its reason, old and new in the audit trail (AC-07)."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api import passwords, people
from api.clock import now
from api.deps import Caller, writing
from api.errors import not_found, refused
from api.people import NewPerson
from api.roles import Role
from api.security import KEY_PREFIX, token_hash
from db import audit
from db.queries import api_keys, users
from domain.errors import Refused

_SECRET = frozenset({"totp_secret", "totp_last_counter", "totp_confirmed_at", "password_hash", "pin_hash"})
_NAMES = {
    "is_active": "isActive", "locked_at": "lockedAt", "failed_attempts": "failedAttempts", "plants": "plants",
    "lines": "lines", "roles": "roles", "badge": "badge", "pin_failed_attempts": "pinFailedAttempts",
    "pin_locked_at": "pinLockedAt",
}  # fmt: skip


def change(who: Caller, user_id: str, action: str, reason: str, **values: Any) -> dict[str, Any]:
    """Change fields of an account. Raises 404."""
    with who.services.engine.begin() as connection:
        user = _found(connection, user_id)
        shown = [name for name in values if name not in _SECRET]
        old = {_NAMES[name]: _json(getattr(user, name)) for name in shown}
        new = {_NAMES[name]: _json(values[name]) for name in shown}
        users.change(connection, user_id, **values)
        entry = who.entry(action, f"user/{user_id}", old=old or None, new=new or None, reason=reason)
        audit.append(connection, [entry])
    who.services.sessions.forget()
    return {"id": user_id}


def _found(connection: Connection, user_id: str) -> users.User:
    user = users.find(connection, user_id)
    if user is None:
        raise not_found("user", user_id)
    return user


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return audit.timestamp(value)
    return list(value) if isinstance(value, tuple) else value


def grant(who: Caller, user_id: str, roles: Sequence[str], reason: str) -> dict[str, Any]:
    """Other roles for somebody else. Raises `Refused` when they do not go together, or for one's own account."""
    if user_id == who.id:
        raise refused("SEPARATION_OF_DUTIES", "user", user_id, f"{who.id} changes own roles", "another administrator")
    with who.services.engine.connect() as connection:
        user = _found(connection, user_id)
    faults = people.faults(NewPerson(user_id, user.full_name, "x" * passwords.MINIMUM_LENGTH, roles))
    if faults:
        raise Refused(tuple(faults))
    if (Role.INTEGRATION in roles) == user.is_person:
        found = "a person" if user.is_person else "a machine"
        raise refused("ACCOUNT_KIND", "user", user_id, found, "roles of the same kind of account; make another one")
    return change(who, user_id, "user.roles", reason, roles=list(roles)) | {"roles": list(roles)}


def give_badge(who: Caller, user_id: str, badge: str | None, reason: str) -> dict[str, Any]:
    """Another badge. Raises 404, 409 BADGE_TAKEN for one of somebody else, ACCOUNT_KIND for a machine."""
    with who.services.engine.connect() as connection:
        if not _found(connection, user_id).is_person:
            raise refused("ACCOUNT_KIND", "user", user_id, "a machine", "a person")
        owner = None if badge is None else users.with_badge(connection, badge)
    if badge is not None and owner is not None and owner.id != user_id:
        raise refused("BADGE_TAKEN", "user", user_id, f"{badge} belongs to {owner.id}", "a badge of nobody else")
    return change(who, user_id, "user.badge", reason, badge=badge) | {"badge": badge}


def reset_password(who: Caller, user_id: str, password: str, reason: str) -> dict[str, Any]:
    """A password that is good for one change only."""
    with who.services.engine.connect() as connection:
        user = _found(connection, user_id)
    new_hash = passwords.choose(who.services.engine, user, password)
    with writing(who, who.entry("password.reset", f"user/{user_id}", reason=reason)) as connection:
        passwords.replace(connection, user, new_hash, by_owner=False)
    who.services.sessions.forget()
    return {"id": user_id}


def add_key(
    who: Caller, user_id: str, name: str, routes: list[str] | None, expires_at: datetime | None, reason: str
) -> dict[str, Any]:
    """A new key of a machine account; only its SHA-256 is kept. Raises 404, 409 ACCOUNT_KIND for a person."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    with who.services.engine.begin() as connection:
        if _found(connection, user_id).is_person:
            raise refused("ACCOUNT_KIND", "user", user_id, "a person", "a machine account; a person logs in")
        identity = api_keys.add(connection, user_id, name, token_hash(key), routes, who.id, now(), expires_at)
        new = {"apiKey": str(identity), "name": name, "routes": routes, "expiresAt": expires_at and str(expires_at)}
        audit.append(connection, [who.entry("apiKey.created", f"user/{user_id}", new=new, reason=reason)])
    return {"id": str(identity), "key": key, "name": name, "routes": routes}


def revoke_key(who: Caller, user_id: str, identity: UUID, reason: str) -> dict[str, Any]:
    """The key opens nothing any more. Raises 404."""
    with who.services.engine.begin() as connection:
        if not api_keys.revoke(connection, user_id, identity, now()):
            raise not_found("API key", identity)
        new = {"apiKey": str(identity)}
        audit.append(connection, [who.entry("apiKey.revoked", f"user/{user_id}", new=new, reason=reason)])
    who.services.sessions.forget()
    return {"id": str(identity)}
