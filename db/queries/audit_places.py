"""Where something stands in the audit trail: the first row after a time, the record that a number belongs to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.tables import AuditRow, core

ROWS = core(AuditRow)


def first_after(connection: Connection, moment: datetime) -> int | None:
    """The sequence number of the first row that was written after a moment; None when nothing was."""
    found: int | None = connection.execute(select(func.min(ROWS.c.seq)).where(ROWS.c.at > moment)).scalar_one()
    return found


def entity_of(connection: Connection, number: str, kinds: Sequence[str]) -> str | None:
    """The first of `kind/number` that the trail tells of."""
    names = [f"{kind}/{number}" for kind in kinds]
    statement = select(ROWS.c.entity).where(ROWS.c.entity.in_(names)).distinct()
    known = set(connection.execute(statement).scalars())
    return next((name for name in names if name in known), None)
