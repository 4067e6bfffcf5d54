"""The first accounts of an empty database: without one nobody could make the next."""

from collections.abc import Sequence

from sqlalchemy import Engine

from api import people
from api.people import NewPerson
from db import audit
from db.queries import users

__all__ = ["NewPerson", "ensure_people"]


def ensure_people(engine: Engine, newcomers: Sequence[NewPerson], *, reason: str = "first start") -> list[str]:
    """Make the accounts that do not exist yet; answers their ids. An account that exists is left as it is.

    Raises `domain.errors.Refused` when roles do not go together or a password is shorter than 12 characters.
    """
    with engine.connect() as connection:
        known = {user.id for user in users.everybody(connection)}
    missing = [person for person in newcomers if person.id not in known]
    hashes = {person.id: people.check(person) for person in missing}
    if not missing:
        return []
    with engine.begin() as connection:
        for person in missing:
            people.add(connection, person, hashes[person.id])
        audit.append(connection, [people.entry("system", person, reason, "bootstrap") for person in missing])
    return [person.id for person in missing]
