"""Moves between places by decision: rejected stock stays in the rejected zone, and is destroyed by two people.

Every function runs inside the transaction that `db.once.answer_once` opened.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from adapters.inventory import ledger, planning
from adapters.inventory.ledger import LOTS, SCRAP, Move
from adapters.inventory.movements import ZONES
from adapters.inventory.refusals import blocker, check
from db import audit
from db.once import Request
from db.tables import Destruction, StateTransition, core
from domain.errors import Blocker
from domain.quantities import plain
from domain.states import LOT, LotEvent, LotStatus

DESTRUCTIONS, TRANSITIONS = core(Destruction), core(StateTransition)
Entries = list[audit.Entry]


def relocate(
    connection: Connection, request: Request, lot: str, quantity: Decimal, source: str, target: str, *,
    approved: bool, reason: str,
) -> Entries:  # fmt: skip
    """Move free stock. Its zone must fit the lot's status; rejected stock moves with the Quality manager's approval.

    Into the rejected zone everybody may bring it: there it belongs.
    """
    zones = {place: ledger.zone_of(connection, place) for place in (source, target)}
    row = ledger.lock_lot(connection, lot)
    ledger.lock_balances(connection, [(lot, source), (lot, target)])
    own = (ledger.BALANCES.c.lot == lot) & (ledger.BALANCES.c.place == source)
    balance = ledger.BALANCES.c.on_hand - ledger.BALANCES.c.reserved
    free = connection.execute(select(balance).where(own)).scalar_one()
    blockers: list[Blocker] = []
    if zones[target] not in ZONES[row.status]:
        found = f"{row.status}; {target} is in zone {zones[target]}"
        required = f"a place in zone {' or '.join(ZONES[row.status])}"
        blockers.append(blocker("ZONE_MISMATCH", "lot", lot, found, required, "warehouseKeeper"))
    if row.status == LotStatus.REJECTED and zones[source] == planning.REJECTED and not approved:
        required = "the signature of the quality manager"
        blockers.append(blocker("NOT_APPROVED", "lot", lot, "rejected stock", required, "qualityManager"))
    if zones[source] == planning.LINE or zones[target] == planning.LINE:
        blockers.append(blocker("AT_THE_LINE", "lot", lot, f"{source} → {target}", "a return or an issue", "operator"))
    if source == target or not 0 < quantity <= free:
        found, required = f"{plain(free)} {row.unit} free at {source}", f"{plain(quantity)} {row.unit}, elsewhere"
        blockers.append(blocker("NOT_ENOUGH", "lot", lot, found, required, "warehouseKeeper"))
    check(blockers)
    moved = Move(f"relocate/{request.key}", lot, source, target, quantity, row.unit, "relocate")
    ledger.move(connection, [moved], request.actor, request.at)
    news = {"from": source, "to": target, "quantity": quantity, "unit": row.unit, "status": row.status}
    return [request.audit("lot.relocated", news, entity=f"lot/{lot}", reason=reason)]


def decide(connection: Connection, request: Request, lot: str, reason: str, signature: str) -> tuple[str, Entries]:
    """The Quality manager's decision that a lot is destroyed. Refuses DESTRUCTION_NOT_POSSIBLE."""
    row = ledger.lock_lot(connection, lot)
    check(_not_destroyable(row))
    made = connection.execute(select(func.count()).where(DESTRUCTIONS.c.lot == lot)).scalar_one()
    number = f"{lot}-X{made + 1}"
    connection.execute(
        insert(DESTRUCTIONS).values(
            number=number, lot=lot, reason=reason, state="decided", decided_by=request.actor, decided_at=request.at,
            decision_signature=signature,
        )
    )  # fmt: skip
    news = {"destruction": number, "signature": signature, "state": "decided"}
    return number, [request.audit("lot.destructionDecided", news, entity=f"lot/{lot}", reason=reason)]


def destroy(
    connection: Connection, request: Request, lot: str, number: str, how: str, signatures: tuple[str, str], witness: str
) -> Entries:
    """All that is left of the lot is destroyed before a witness. Refuses NOT_APPROVED without an open decision."""
    row = ledger.lock_lot(connection, lot)
    own = (DESTRUCTIONS.c.number == number) & (DESTRUCTIONS.c.lot == lot)
    found = connection.execute(select(DESTRUCTIONS.c.state).where(own).with_for_update()).scalar_one_or_none()
    blockers = _not_destroyable(row)
    if found != "decided":
        required = "a decision of the quality manager that was not carried out"
        blockers.append(blocker("NOT_APPROVED", "lot", lot, found or "no such decision", required, "qualityManager"))
    stock = [line for line in ledger.lock_stock_of(connection, lot, ledger.REJECTED_STOCK) if line.on_hand > 0]
    blockers += [
        blocker("RESERVED", "lot", lot, f"{plain(line.reserved)} {line.unit} reserved at {line.place}",
                 "a cancelled shipment, or another allocation", "warehouseKeeper")
        for line in stock if line.reserved > 0
    ]  # fmt: skip
    check(blockers)
    moves = [
        Move(f"destroy/{number}/{line.place}", lot, line.place, SCRAP, line.on_hand, line.unit, "destroy")
        for line in stock
    ]
    ledger.move(connection, moves, request.actor, request.at)
    target = LOT.advance(LotStatus(row.status), LotEvent.DESTROY)
    connection.execute(update(LOTS).where(LOTS.c.number == lot).values(status=target))
    total = sum((move.quantity for move in moves), Decimal(0))
    values = {
        "state": "done", "quantity": total, "unit": row.unit, "how": how, "destroyed_by": request.actor,
        "witnessed_by": witness, "destroyed_at": request.at, "signature": signatures[0], "witness": signatures[1],
    }  # fmt: skip
    connection.execute(update(DESTRUCTIONS).where(own).values(**values))
    step = {
        "entity": "lot", "entity_id": lot, "event": LotEvent.DESTROY, "from_state": row.status, "to_state": target,
        "actor": request.actor, "reason": number, "at": request.at,
    }  # fmt: skip
    connection.execute(insert(TRANSITIONS).values(step))
    news = {"destruction": number, "quantity": total, "unit": row.unit, "how": how, "witness": witness}
    news |= {"state": "done", "status": target}
    return [request.audit("lot.destroyed", news, entity=f"lot/{lot}", old={"state": found, "status": row.status})]


def _not_destroyable(row: Row[Any]) -> list[Blocker]:
    if LOT.allows(LotStatus(row.status), LotEvent.DESTROY):
        return []
    return [blocker("DESTRUCTION_NOT_POSSIBLE", "lot", row.number, row.status, "rejected or recalled", "qaReviewer")]
