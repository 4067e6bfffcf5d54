"""Material that quality approved for a batch comes to the line, whatever its zone and whether it was rejected (CN 133).

Runs inside the transaction that `db.once.answer_once` opened, behind the lock of the work order.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from adapters.inventory import ledger, planning
from adapters.inventory.ledger import Move
from adapters.inventory.port import MoveAnswer
from adapters.inventory.refusals import blocker, check
from db.once import Done, Request
from domain.quantities import plain
from domain.states import LotStatus

_FROM: Final = (planning.REJECTED, planning.QUARANTINE, planning.RELEASED)
"""Zones that it may come from, first those where it is of no other use."""
_APPROVABLE: Final = (LotStatus.QUARANTINE, LotStatus.RELEASED, LotStatus.REJECTED)


def introduce(
    connection: Connection, request: Request, work_order: str, lot: str, quantity: Decimal, unit: str, today: date
) -> Done[MoveAnswer]:
    """Move free stock of the lot to the line, from as few places as it takes; all of the quantity or nothing."""
    row = ledger.lock_lot(connection, lot)
    stock = [own for own in ledger.lock_stock_of(connection, lot, ledger.LINE_SIDE) if own.zone in _FROM]
    stock.sort(key=lambda own: (_FROM.index(own.zone), own.place))
    free = sum((own.free for own in stock), Decimal(0))
    blockers = []
    if unit != row.unit:
        blockers.append(blocker("UNIT_MISMATCH", "lot", lot, unit, row.unit, "qaReviewer"))
    if row.status not in _APPROVABLE or (row.expires_on is not None and row.expires_on < today):
        found = f"{row.status}, expires {row.expires_on or 'never'}"
        required = f"{', '.join(_APPROVABLE)}, and not past its expiry"
        blockers.append(blocker("LOT_NOT_USABLE", "lot", lot, found, required, "qaReviewer"))
    if quantity > free:
        found = f"{plain(free)} {row.unit} free in stock"
        blockers.append(blocker("NOT_ENOUGH", "lot", lot, found, f"{plain(quantity)} {unit}", "warehouseKeeper"))
    check(blockers)
    moves: list[Move] = []
    left = quantity
    for own in stock:
        taken = min(left, own.free)
        if taken > 0:
            key = f"{request.key}/{own.place}"
            moves.append(Move(key, lot, own.place, ledger.LINE_SIDE, taken, unit, "introduce", work_order))
            left -= taken
    ledger.move(connection, moves, request.actor, request.at)
    news = {
        "lot": lot, "status": row.status,
        "moves": [{"from": m.source, "to": m.target, "quantity": m.quantity, "unit": unit} for m in moves],
    }  # fmt: skip
    answer = MoveAnswer(lot=lot, moves=len(moves), quantity=quantity, unit=unit)
    return Done(answer, [request.audit("lot.introduced", news)])
