"""Changes of configuration, and the versions that count."""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from db.audit import canonical
from db.queries import master_data, policies, product_definitions
from db.tables import ConfigurationChange, StateTransition, core
from domain.configuration_states import ConfigurationKind
from domain.policy import Policy

CHANGES = core(ConfigurationChange)
TRANSITIONS = core(StateTransition)
Body = dict[str, Any]


def content_hash(number: str, base_version: int, change_control: str, reason: str, body: Body) -> str:
    """SHA-256 over everything that an approval binds."""
    bound = {
        "number": number, "baseVersion": base_version, "changeControl": change_control, "reasonForChange": reason,
        "body": body,
    }  # fmt: skip
    return hashlib.sha256(canonical(bound).encode()).hexdigest()


def page(
    connection: Connection, kind: str | None, subject: str | None, state: str | None, limit: int
) -> list[Row[Any]]:
    """Changes, newest first."""
    statement = select(CHANGES).order_by(CHANGES.c.created_at.desc(), CHANGES.c.number.desc()).limit(limit)
    for column, wanted in ((CHANGES.c.kind, kind), (CHANGES.c.subject, subject), (CHANGES.c.state, state)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return list(connection.execute(statement))


def find(connection: Connection, identity: UUID, *, lock: bool = False) -> Row[Any] | None:
    """The change of that uuid."""
    statement = select(CHANGES).where(CHANGES.c.id == identity)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def count(connection: Connection, kind: str, subject: str) -> int:
    """How many changes of a subject there are."""
    found = select(func.count()).select_from(CHANGES).where(CHANGES.c.kind == kind, CHANGES.c.subject == subject)
    return int(connection.execute(found).scalar_one())


def add(connection: Connection, row: Body) -> None:
    """A new change."""
    connection.execute(insert(CHANGES).values(row))


def change(connection: Connection, identity: UUID, **values: Any) -> None:
    """Other values of a change."""
    connection.execute(update(CHANGES).where(CHANGES.c.id == identity).values(**values))


def note_transition(connection: Connection, **values: Any) -> None:
    """One step of a change's life."""
    connection.execute(insert(TRANSITIONS).values(entity="configuration change", **values))


def current(connection: Connection, kind: str, subject: str) -> tuple[int, Body]:
    """The version that counts and its content; 0 and nothing when there is none.

    Of a product's definition, whose versions have names, it is how many there are.
    """
    if kind == ConfigurationKind.POLICY:
        found = policies.newest(connection, [subject]).get(subject)
        return (0, {}) if found is None else (found.version, found.model_dump(mode="json", by_alias=True))
    if kind == ConfigurationKind.PRODUCT_DEFINITION:
        return product_definitions.count(connection, subject), product_definitions.current(connection, subject)
    rows = master_data.by_key(connection, master_data.PLANS, [subject], "material")
    version = max((row.version for row in rows), default=0)
    return version, {"material": subject, "characteristics": [_characteristic(row) for row in sorted(rows, key=_place)]}


def is_controlled(connection: Connection, policy: str | None = None) -> bool:
    """Whether the policy's newest version, or that of any policy, has its changes controlled."""
    newest = policies.newest_of_all(connection) if policy is None else policies.newest(connection, [policy]).values()
    return any(_controls(own) for own in newest)


def _controls(policy: Policy) -> bool:
    return policy.controlled_changes


def _place(row: Row[Any]) -> int:
    return int(row.position)


def _characteristic(row: Row[Any]) -> Body:
    return {
        "name": row.name, "unit": row.unit, "low": None if row.low is None else format(row.low.normalize(), "f"),
        "high": None if row.high is None else format(row.high.normalize(), "f"), "required": row.is_required,
        "method": row.method, "sampleSize": row.sample_size,
        **({"evidence": list(row.evidence)} if row.evidence else {}),
    }  # fmt: skip
