"""Which record a number belongs to, as the audit trail names it."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from db.tables import AuditRow, core

ROWS = core(AuditRow)


def entity_of(connection: Connection, number: str, kinds: Sequence[str]) -> str | None:
    """The first of `kind/number` that the trail tells of."""
    names = [f"{kind}/{number}" for kind in kinds]
    statement = select(ROWS.c.entity).where(ROWS.c.entity.in_(names)).distinct()
    known = set(connection.execute(statement).scalars())
    return next((name for name in names if name in known), None)
