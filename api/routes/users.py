"""Accounts: made, disabled, unlocked by an administrator, who has no rights on GMP data. Never deleted."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import Field, SecretStr

from api import accounts, people
from api.deps import Caller, Reading, only, writing
from api.people import NewPerson
from api.roles import Role
from api.routing import Router
from api.shapes import Body, Identifier, Reason, Text, Time
from db.queries import api_keys, users

router = Router(prefix="/users", tags=["people"])
Administrator = Annotated[Caller, Depends(only("manageUsers", "user"))]
Reader = Annotated[Caller, Depends(only("readUsers", "user"))]


class UserBody(Body):
    """A new account."""

    id: Identifier
    full_name: Text
    password: SecretStr = Field(max_length=200)
    roles: tuple[Role, ...] = Field(min_length=1, max_length=20)
    reason: Reason


class WhyBody(Body):
    """Why."""

    reason: Reason


class RolesBody(Body):
    """All roles from now on."""

    roles: tuple[Role, ...] = Field(min_length=1, max_length=20)
    reason: Reason


class ScopeBody(Body):
    """The plants and lines that the account is limited to from now on; null: everywhere."""

    plants: tuple[Identifier, ...] | None = Field(max_length=200)
    lines: tuple[Identifier, ...] | None = Field(max_length=200)
    reason: Reason


class PasswordBody(Body):
    """A password that its owner has to change before anything else."""

    password: SecretStr = Field(max_length=200)
    reason: Reason


class BadgeBody(Body):
    """What the person's card says when it is scanned; null: no card any more."""

    badge: Identifier | None = None
    reason: Reason


class KeyBody(Body):
    """A key for a machine. `routes`: `METHOD /path` with `*` for any method; longer paths below it are meant, too."""

    name: Text
    routes: tuple[Annotated[str, Field(pattern=r"^(\*|GET|POST) /[!-~]*$", max_length=200)], ...] | None = Field(
        None, min_length=1, max_length=100
    )
    expires_at: Time | None = None
    reason: Reason


@router.post("", status_code=201)
def add(body: UserBody, who: Administrator) -> dict[str, Any]:
    """Make an account."""
    person = NewPerson(body.id, body.full_name, body.password.get_secret_value(), sorted(set(body.roles)))
    password_hash = people.check(person)
    with writing(who, people.entry(who.id, person, body.reason, who.source)) as connection:
        people.add(connection, person, password_hash)
    return {"id": person.id, "fullName": person.full_name, "roles": list(person.roles)}


@router.get("")
def everybody(reading: Reading, who: Reader) -> list[dict[str, Any]]:
    """All accounts, disabled ones too."""
    return [
        {
            "id": user.id, "fullName": user.full_name, "roles": list(user.roles), "isActive": user.is_active,
            "isPerson": user.is_person, "isLocked": user.locked_at is not None, "plants": user.plants,
            "lines": user.lines, "hasSecondFactor": user.totp_confirmed_at is not None,
            "badge": user.badge, "hasPin": user.pin_hash is not None, "isPinLocked": user.pin_locked_at is not None,
        }
        for user in users.everybody(reading)
    ]  # fmt: skip


@router.post("/{user_id}/unlock")
def unlock(user_id: Identifier, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """Let somebody in again after too many failed attempts."""
    return accounts.change(who, user_id, "user.unlocked", body.reason, locked_at=None, failed_attempts=0)


@router.post("/{user_id}/disable")
def disable(user_id: Identifier, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """Keep somebody out for good; what they signed stays signed."""
    return accounts.change(who, user_id, "user.disabled", body.reason, is_active=False)


@router.post("/{user_id}/roles")
def grant(user_id: Identifier, body: RolesBody, who: Administrator) -> dict[str, Any]:
    """Grant and revoke roles. Nobody changes their own; a machine stays a machine."""
    return accounts.grant(who, user_id, sorted(set(body.roles)), body.reason)


@router.post("/{user_id}/scope")
def limit(user_id: Identifier, body: ScopeBody, who: Administrator) -> dict[str, Any]:
    """Limit an account to plants and lines: what lies outside is refused, and lists do not show it."""
    plants, lines = (None if own is None else sorted(set(own)) for own in (body.plants, body.lines))
    return accounts.change(who, user_id, "user.limited", body.reason, plants=plants, lines=lines)


@router.post("/{user_id}/reset-password")
def reset_password(user_id: Identifier, body: PasswordBody, who: Administrator) -> dict[str, Any]:
    """Another password for somebody who forgot theirs; they have to change it before anything else."""
    return accounts.reset_password(who, user_id, body.password.get_secret_value(), body.reason)


@router.post("/{user_id}/reset-second-factor")
def reset_second_factor(user_id: Identifier, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """Take a lost second factor away; its owner enrols another one."""
    values = {"totp_secret": None, "totp_confirmed_at": None, "totp_last_counter": None}
    return accounts.change(who, user_id, "secondFactor.reset", body.reason, **values)


@router.post("/{user_id}/reset-pin")
def reset_pin(user_id: Identifier, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """Take a forgotten or locked PIN away; its owner chooses another one."""
    return accounts.change(
        who, user_id, "pin.reset", body.reason, pin_hash=None, pin_failed_attempts=0, pin_locked_at=None
    )


@router.post("/{user_id}/badge")
def badge(user_id: Identifier, body: BadgeBody, who: Administrator) -> dict[str, Any]:
    """Give somebody a badge, or take it away (null). 409 BADGE_TAKEN when it is somebody else's."""
    return accounts.give_badge(who, user_id, body.badge, body.reason)


@router.get("/{user_id}/api-keys")
def keys(user_id: Identifier, reading: Reading, who: Reader) -> dict[str, Any]:
    """The keys of a machine account, revoked ones too; never the keys themselves."""
    return {"apiKeys": api_keys.of_account(reading, user_id)}


@router.post("/{user_id}/api-keys", status_code=201)
def add_key(user_id: Identifier, body: KeyBody, who: Administrator) -> dict[str, Any]:
    """A key for a machine account, shown this once: `Authorization: Bearer …`. It cannot sign."""
    routes = None if body.routes is None else sorted(set(body.routes))
    return accounts.add_key(who, user_id, body.name, routes, body.expires_at, body.reason)


@router.post("/{user_id}/api-keys/{key_id}/revoke")
def revoke_key(user_id: Identifier, key_id: UUID, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """End a key for good."""
    return accounts.revoke_key(who, user_id, key_id, body.reason)
