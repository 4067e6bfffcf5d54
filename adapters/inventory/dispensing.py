"""From the line into a dispensed container and back: the lot's quantity at the line is less by its net weight, once.

Dispensed material lies at a place of its own, so that nobody weighs, returns or consumes it a second time. Every
function runs inside the transaction that `db.once.answer_once` opened, behind the lock of the work order.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from adapters.inventory import ledger
from adapters.inventory.ledger import PLACES, Move
from adapters.inventory.port import MoveAnswer
from adapters.inventory.returning import dispensed_by, unused
from db.once import Done, Request
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain
from domain.states import LotStatus


def dispense(
    connection: Connection, request: Request, work_order: str, lot: str, quantity: Decimal, unit: str, today: date
) -> Done[MoveAnswer]:
    """Move a net weight from the line into a container; the lot has to be usable at this moment (MT-01)."""
    row = ledger.lock_lot(connection, lot)
    at_line = sum((own.quantity for own in unused(connection, work_order) if own.lot == lot), Decimal(0))
    blockers = _unit(lot, unit, row.unit)
    expired = row.expires_on is not None and row.expires_on < today
    if row.status != LotStatus.RELEASED or expired:
        found = f"{row.status}, expires {row.expires_on or 'never'}"
        required = f"released, not past its expiry on {today}"
        blockers.append(_blocker("LOT_NOT_USABLE", lot, found, required, "qaReviewer"))
    if quantity > at_line:
        found = f"{plain(at_line)} {row.unit} at the line for {work_order}"
        blockers.append(_blocker("NOT_ON_LINE", lot, found, f"{plain(quantity)} {unit}", "warehouseKeeper"))
    _refuse(blockers)
    _make_place(connection)
    return _moved(connection, request, work_order, lot, quantity, unit, (ledger.LINE_SIDE, ledger.DISPENSED))


def undispense(
    connection: Connection, request: Request, work_order: str, lot: str, quantity: Decimal, unit: str
) -> Done[MoveAnswer]:
    """Empty a container back to the line, whatever the lot's status is by now."""
    row = ledger.lock_lot(connection, lot)
    there = dispensed_by(connection, work_order).get(lot, Decimal(0))
    blockers = _unit(lot, unit, row.unit)
    if quantity > there:
        found = f"{plain(there)} {row.unit} in containers of {work_order}"
        blockers.append(_blocker("NOT_DISPENSED", lot, found, f"{plain(quantity)} {unit}", "warehouseKeeper"))
    _refuse(blockers)
    return _moved(connection, request, work_order, lot, quantity, unit, (ledger.DISPENSED, ledger.LINE_SIDE))


def _moved(
    connection: Connection, request: Request, work_order: str, lot: str, quantity: Decimal, unit: str,
    way: tuple[str, str],
) -> Done[MoveAnswer]:  # fmt: skip
    source, target = way
    ledger.lock_balances(connection, {(lot, source), (lot, target)})
    kind = "dispense" if target == ledger.DISPENSED else "undispense"
    own = Move(request.key, lot, source, target, quantity, unit, kind, work_order)
    ledger.move(connection, [own], request.actor, request.at)
    news = {"lot": lot, "quantity": quantity, "unit": unit, "from": source, "to": target}
    return Done(MoveAnswer(lot=lot, moves=1, quantity=quantity, unit=unit), [request.audit(f"lot.{kind}d", news)])


def _make_place(connection: Connection) -> None:
    """A plant that weighs for the first time has the place from then on; others never have it."""
    row = {"code": ledger.DISPENSED, "name": "Dispensed", "zone": "line"}
    connection.execute(insert(PLACES).values(row).on_conflict_do_nothing())


def _unit(lot: str, found: str, required: str) -> list[Blocker]:
    return [] if found == required else [_blocker("UNIT_MISMATCH", lot, found, required, "operator")]


def _blocker(code: str, lot: str, found: str, required: str, who: str) -> Blocker:
    return Blocker(code=code, entity="lot", id=lot, found=found, required=required, who_can_fix=who)


def _refuse(blockers: list[Blocker]) -> None:
    if blockers:
        detail = ", ".join(f"{blocker.id}: {blocker.found}" for blocker in blockers)
        raise AdapterRefused(blockers[0].code, detail, tuple(blockers))
