"""Whether the rows of an act that no order judges say what was signed: holds, recalls, destructions, moves."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from db import audit
from db.tables import Destruction, LotHoldRow, RecallRow, StockMove, core
from domain.quantities import plain

HOLDS, RECALLS, DESTRUCTIONS = core(LotHoldRow), core(RecallRow), core(Destruction)
MOVES: Final = core(StockMove)
Difference = tuple[str, str, str, str]
"""(record, field, what was signed, what is there)."""

# Kind and part → table, the column that names the signature, the column of the signer, field of the command → column.
_ROWS: Final[dict[tuple[str, str], tuple[Any, str, str, dict[str, str]]]] = {
    ("holdLot", "signer"): (
        HOLDS, "signature_id", "placed_by", {"lot": "lot", "downstream": "downstream", "reason": "reason"},
    ),
    ("releaseLotHold", "signer"): (
        HOLDS, "release_signature_id", "released_by", {"hold": "number", "lot": "lot", "reason": "release_reason"},
    ),
    ("approveRecall", "signer"): (
        RECALLS, "signature_id", "approved_by",
        {"recall": "number", "scopeHash": "scope_hash", "isMock": "is_mock"},
    ),
    ("decideDestruction", "signer"): (
        DESTRUCTIONS, "decision_signature", "decided_by", {"lot": "lot", "reason": "reason"},
    ),
    ("destroyLot", "signer"): (
        DESTRUCTIONS, "signature", "destroyed_by", {"destruction": "number", "lot": "lot", "how": "how"},
    ),
    ("destroyLot", "second"): (
        DESTRUCTIONS, "witness", "witnessed_by", {"destruction": "number", "lot": "lot", "how": "how"},
    ),
}  # fmt: skip


def differences(connection: Connection, signature: Row[Any]) -> Iterator[Difference]:
    """Every field of the act's own row that is not what was signed."""
    command = signature.content["command"]
    if command["kind"] == "moveRejectedStock":
        yield from _moved(connection, command)
        return
    known = _ROWS.get((command["kind"], signature.part))
    if known is None:
        return
    table, given, by, fields = known
    row = connection.execute(select(table).where(table.c[given] == str(signature.id))).one_or_none()
    if row is None:
        yield table.name.replace("_", "-"), given, str(signature.id), "no such row"
        return
    record = f"{table.name.replace('_', '-')}/{row.number}"
    said = [(name, command.get(name), getattr(row, column)) for name, column in fields.items()]
    for name, was, is_now in (*said, (by, signature.signer, getattr(row, by))):
        if was != is_now:
            yield record, name, _text(was), _text(is_now)
    if command["kind"] == "approveRecall":
        found = hashlib.sha256(audit.canonical(row.scope).encode()).hexdigest()
        if found != command["scopeHash"]:
            yield record, "scope", command["scopeHash"], found


def _moved(connection: Connection, command: dict[str, Any]) -> Iterator[Difference]:
    key = f"relocate/{command['commandId']}"
    row = connection.execute(select(MOVES).where(MOVES.c.key == key)).one_or_none()
    if row is None:
        yield f"stock-move/{key}", "key", key, "no such row"
        return
    for name, column in (("lot", "lot"), ("fromPlace", "from_place"), ("toPlace", "to_place")):
        if command[name] != getattr(row, column):
            yield f"stock-move/{key}", name, command[name], getattr(row, column)
    if Decimal(command["quantity"]) != row.quantity:
        yield f"stock-move/{key}", "quantity", command["quantity"], plain(row.quantity)


def _text(value: object) -> str:
    return "" if value is None else str(value)
