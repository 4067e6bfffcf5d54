"""Search in the audit trail."""

from typing import Any

from sqlalchemy import Connection, select

from db.audit import timestamp
from db.tables import AuditRow, core

ROWS = core(AuditRow)


def page(
    connection: Connection, entity: str | None, actor: str | None, action: str | None, limit: int, before: int | None
) -> list[dict[str, Any]]:
    """Rows before a sequence number, newest first."""
    statement = select(ROWS).order_by(ROWS.c.seq.desc()).limit(limit)
    for column, wanted in ((ROWS.c.entity, entity), (ROWS.c.actor, actor), (ROWS.c.action, action)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if before is not None:
        statement = statement.where(ROWS.c.seq < before)
    return [
        {
            "seq": row.seq, "at": timestamp(row.at), "actor": row.actor, "action": row.action, "entity": row.entity,
            "old": row.old, "new": row.new, "reason": row.reason, "commandId": row.command_id, "source": row.source,
            "hash": row.hash,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip
