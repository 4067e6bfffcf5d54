"""The moves of a lot: from where to where, how much, for what, by whom and why."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from db.tables import AuditRow, Destruction, StockMove, core
from domain.quantities import plain

MOVES, AUDIT, DESTRUCTIONS = core(StockMove), core(AuditRow), core(Destruction)


def of_lot(connection: Connection, lot: str, limit: int) -> list[dict[str, Any]]:
    """Moves, newest first: `at`, `from`, `to`, `quantity`, `unit`, `kind`, `workOrder`, `movedBy`, `reason`.

    `reason` is what the person gave who moved it, or decided that it is destroyed; none where nobody was asked.
    """
    statement = select(MOVES).where(MOVES.c.lot == lot).order_by(MOVES.c.moved_at.desc(), MOVES.c.id.desc())
    rows = connection.execute(statement.limit(limit)).all()
    reasons = _reasons(connection, lot, rows)
    return [
        {
            "at": row.moved_at, "from": row.from_place, "to": row.to_place, "quantity": plain(row.quantity),
            "unit": row.unit, "kind": row.kind, "workOrder": row.work_order, "movedBy": row.actor,
            "reason": reasons.get(row.key),
        }
        for row in rows
    ]  # fmt: skip


def _reasons(connection: Connection, lot: str, rows: Iterable[Row[Any]]) -> dict[str, str]:
    """Key of a move → its reason, from the audit entry of the same command."""
    asked = {row.key: _commands(row.key) for row in rows}
    named = {command for commands in asked.values() for command in commands}
    given = select(AUDIT.c.command_id, AUDIT.c.reason).where(AUDIT.c.command_id.in_(named), AUDIT.c.reason.is_not(None))
    known = {row.command_id: row.reason for row in connection.execute(given)} if named else {}
    decided = select(DESTRUCTIONS.c.number, DESTRUCTIONS.c.reason).where(DESTRUCTIONS.c.lot == lot)
    by_decision = {f"destroy/{number}/": reason for number, reason in connection.execute(decided)}
    found: dict[str, str] = {}
    for key, commands in asked.items():
        own = next((known[command] for command in commands if command in known), None)
        own = own or next((reason for start, reason in by_decision.items() if key.startswith(start)), None)
        if own:
            found[key] = own
    return found


def _commands(key: str) -> list[str]:
    """The ids of commands that a move can belong to, the longest first: its key carries the id, with more around it."""
    inner = key.removeprefix("relocate/")
    parts = inner.split("/")
    return ["/".join(parts[:size]) for size in range(len(parts), 0, -1)]
