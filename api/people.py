"""People: who may be what, and how accounts come into being."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.clock import now
from api.passwords import MINIMUM_LENGTH, hashed
from api.roles import Role
from db import audit
from db.queries import users
from domain.errors import Blocker, Refused

_GMP = frozenset(Role) - {Role.ADMINISTRATOR}


@dataclass(frozen=True)
class NewPerson:
    """Somebody who gets an account. A machine has the one role `integration`."""

    id: str
    full_name: str
    password: str = field(repr=False)
    roles: Sequence[str] = ()


def faults(person: NewPerson) -> list[Blocker]:
    """What forbids this account: unknown roles, roles that one person must not have together, a short password."""
    blockers: list[Blocker] = []
    roles = set(person.roles)

    def fault(code: str, found: str, required: str) -> None:
        blocker = Blocker(
            code=code, entity="user", id=person.id, found=found, required=required, who_can_fix=Role.ADMINISTRATOR
        )
        blockers.append(blocker)

    if unknown := roles - set(Role):
        fault("UNKNOWN_ROLE", ", ".join(sorted(unknown)), f"of {', '.join(Role)}")
    if not roles:
        fault("ROLE_MISSING", "no role", "at least one role")
    if Role.ADMINISTRATOR in roles and roles & _GMP:
        fault("SEPARATION_OF_DUTIES", ", ".join(sorted(roles)), "an administrator without rights on GMP data")
    if {Role.SUPERVISOR, Role.QUALITY_MANAGER} <= roles:
        fault("SEPARATION_OF_DUTIES", "production and quality", "different heads of production and quality")
    if Role.INTEGRATION in roles and len(roles) > 1:
        fault("SEPARATION_OF_DUTIES", ", ".join(sorted(roles)), "a machine account with the one role integration")
    if len(person.password) < MINIMUM_LENGTH:
        fault("PASSWORD_TOO_SHORT", f"{len(person.password)} characters", f"at least {MINIMUM_LENGTH}")
    return blockers


def add(connection: Connection, person: NewPerson, password_hash: str) -> None:
    """Insert an account. Raises `Refused` USER_ID_RESERVED when the id was used before."""
    if not users.add(connection, person.id, person.full_name, password_hash, list(person.roles), now()):
        blocker = Blocker(
            code="USER_ID_RESERVED", entity="user", id=person.id, found="used before", required="a new id",
            who_can_fix=Role.ADMINISTRATOR,
        )  # fmt: skip
        raise Refused((blocker,))


def check(person: NewPerson) -> str:
    """The password hash of somebody who may have an account; `Refused` with all faults otherwise."""
    if found := faults(person):
        raise Refused(tuple(found))
    return hashed(person.password)


def created(person: NewPerson) -> dict[str, object]:
    """What the audit trail keeps of a new account."""
    return {"fullName": person.full_name, "roles": sorted(person.roles)}


def entry(actor: str, person: NewPerson, reason: str, source: str, command_id: str | None = None) -> audit.Entry:
    """The audit entry of a new account."""
    entity = f"user/{person.id}"
    return audit.Entry(now(), actor, "user.created", entity, None, created(person), reason, command_id, source)
