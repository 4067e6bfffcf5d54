"""Destruction of lots: decisions and their records."""

from typing import Any, Final

from sqlalchemy import Connection, select

from db.queries.marking import marked
from db.tables import Destruction, core
from domain.quantities import plain

DESTRUCTIONS: Final = core(Destruction)


def page(connection: Connection, lot: str, limit: int) -> list[dict[str, Any]]:
    """The destructions of a lot, newest first."""
    own = select(DESTRUCTIONS).where(DESTRUCTIONS.c.lot == lot)
    rows = connection.execute(own.order_by(DESTRUCTIONS.c.decided_at.desc()).limit(limit))
    found: list[dict[str, Any]] = marked(connection, [
        {
            "number": row.number, "lot": row.lot, "reason": row.reason, "state": row.state,
            "decidedBy": row.decided_by, "decidedAt": row.decided_at, "decisionSignature": row.decision_signature,
            "quantity": None if row.quantity is None else plain(row.quantity), "unit": row.unit, "how": row.how,
            "destroyedBy": row.destroyed_by, "witnessedBy": row.witnessed_by, "destroyedAt": row.destroyed_at,
            "signature": row.signature, "witness": row.witness,
        }
        for row in rows
    ])  # fmt: skip
    return found
