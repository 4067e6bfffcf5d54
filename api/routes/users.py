"""Accounts: made, disabled, unlocked by an administrator, who has no rights on GMP data. Never deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field, SecretStr

from api import people
from api.deps import Caller, Reading, only, writing
from api.errors import not_found
from api.people import NewPerson
from api.security import Role
from api.shapes import Body, Identifier, Reason, Text
from db.queries import users

router = APIRouter(prefix="/users", tags=["people"])
Administrator = Annotated[Caller, Depends(only("manageUsers", "user", Role.ADMINISTRATOR))]
Reader = Annotated[
    Caller, Depends(only("readUsers", "user", Role.ADMINISTRATOR, Role.AUDITOR, Role.QA_REVIEWER, Role.QUALITY_MANAGER))
]


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
            "isPerson": user.is_person, "isLocked": user.locked_at is not None,
        }
        for user in users.everybody(reading)
    ]  # fmt: skip


@router.post("/{user_id}/unlock")
def unlock(user_id: Identifier, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """Let somebody in again after too many failed attempts."""
    return _change(who, user_id, "user.unlocked", body.reason, locked_at=None, failed_attempts=0)


@router.post("/{user_id}/disable")
def disable(user_id: Identifier, body: WhyBody, who: Administrator) -> dict[str, Any]:
    """Keep somebody out for good; what they signed stays signed."""
    return _change(who, user_id, "user.disabled", body.reason, is_active=False)


def _change(who: Caller, user_id: str, action: str, reason: str, **values: Any) -> dict[str, Any]:
    with writing(who, who.entry(action, f"user/{user_id}", reason=reason)) as connection:
        if users.find(connection, user_id) is None:
            raise not_found("user", user_id)
        users.change(connection, user_id, **values)
    return {"id": user_id}
