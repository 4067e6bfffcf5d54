"""Receive, put away, release, scrap: what the warehouse does with one lot.

Every function runs inside the transaction that `db.once.answer_once` opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.inventory import ledger, planning
from adapters.inventory.ledger import LOTS, Move
from adapters.inventory.port import MoveAnswer, ReceiptAnswer
from db import audit, segregation
from db.once import Done, Request
from db.tables import Material, core
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain
from domain.states import LotStatus

MATERIALS: Final = core(Material)
ZONES: Final[dict[str, tuple[str, ...]]] = {
    LotStatus.QUARANTINE: (planning.QUARANTINE,),
    LotStatus.ON_HOLD: (planning.QUARANTINE,),
    LotStatus.RETEST_DUE: (planning.QUARANTINE,),
    LotStatus.RECALLED: (planning.QUARANTINE,),
    LotStatus.RELEASED: (planning.RELEASED, planning.QUARANTINE),
    LotStatus.REJECTED: (planning.REJECTED,),
    LotStatus.EXPIRED: (planning.REJECTED, planning.QUARANTINE),
    LotStatus.RETURNED: (planning.REJECTED, planning.QUARANTINE),
    LotStatus.DESTROYED: (planning.REJECTED,),
}
"""The zones in which a lot of a status may lie."""
_GATES: Final = {
    LotStatus.QUARANTINE: ("production release", "supervisor"),
    LotStatus.ON_HOLD: ("the decision on the hold", "qaReviewer"),
    LotStatus.RETEST_DUE: ("the retest", "qcAnalyst"),
    LotStatus.RECALLED: ("the decision on the recall", "qaReviewer"),
}


@dataclass(frozen=True)
class Told:
    """What a supplier says about a lot."""

    supplier: str | None
    expires_on: date | None
    supplier_lot: str | None = None
    retest_on: date | None = None


def receive(
    connection: Connection, request: Request, delivery: ReceiptAnswer, told: Told, today: date
) -> Done[ReceiptAnswer]:
    """Book a delivery. The lot is made if it is new; a known one must be of this material and unit."""
    check_delivery(connection, delivery, told.supplier, today)
    new = {
        "number": delivery.lot, "material": delivery.material, "unit": delivery.unit, "origin": "received",
        "status": LotStatus.QUARANTINE, "created_at": request.at, **vars(told),
    }  # fmt: skip
    made = connection.execute(insert(LOTS).values(new).on_conflict_do_nothing().returning(LOTS.c.number))
    status: str = LotStatus.QUARANTINE
    if made.one_or_none() is None:
        status = _add_to(connection, delivery, told)
    ledger.lock_balances(connection, [(delivery.lot, delivery.place)])
    arrival = Move(
        request.key, delivery.lot, ledger.SUPPLIER, delivery.place, delivery.quantity, delivery.unit, "receipt"
    )
    ledger.move(connection, [arrival], request.actor, request.at)
    answer = delivery.model_copy(update={"lot_status": LotStatus(status)})
    news = dict(answer) | {"supplier": told.supplier, "expiresOn": told.expires_on, "from": ledger.SUPPLIER}
    news |= {"origin": "received"}
    later = {"supplierLot": told.supplier_lot, "retestOn": told.retest_on}
    news |= {name: value for name, value in later.items() if value is not None}
    return Done(answer, [request.audit("lot.received", news)])


def check_delivery(connection: Connection, delivery: ReceiptAnswer, supplier: str | None, today: date) -> None:
    """Refuse a delivery that no lot could take: nothing in it, an unknown material, another unit, place or supplier."""
    if delivery.quantity <= 0:
        raise AdapterRefused("NOTHING_DELIVERED", f"{plain(delivery.quantity)} is not a delivery")
    material = _material(connection, delivery)
    _check_supplier(material, supplier, today)
    zone = ledger.zone_of(connection, delivery.place)
    if zone != planning.QUARANTINE:
        raise AdapterRefused("ZONE_MISMATCH", f"deliveries go to quarantine; {delivery.place} is {zone}")


def _check_supplier(material: Row[Any, Any, Any], supplier: str | None, today: date) -> None:
    """Refuse SUPPLIER_NOT_APPROVED: the material names who may deliver it, and this is nobody of them (MD-06)."""
    if material.approved_suppliers is None:
        return
    until = {own["supplier"]: own["validUntil"] for own in material.approved_suppliers}
    if supplier in until and (until[supplier] is None or date.fromisoformat(until[supplier]) >= today):
        return
    found = supplier or "no supplier"
    if supplier in until:
        found = f"{supplier}, approved until {until[supplier]}"
    valid = sorted(name for name, day in until.items() if day is None or date.fromisoformat(day) >= today)
    blocker = Blocker(
        code="SUPPLIER_NOT_APPROVED", entity="material", id=material.code, found=found,
        required=f"an approved supplier: {', '.join(valid) or 'nobody is'}", who_can_fix="processEngineer",
    )  # fmt: skip
    raise AdapterRefused("SUPPLIER_NOT_APPROVED", f"{found} may not deliver {material.code}", (blocker,))


def _material(connection: Connection, delivery: ReceiptAnswer) -> Row[Any, Any, Any]:
    columns = (MATERIALS.c.code, MATERIALS.c.unit, MATERIALS.c.approved_suppliers)
    found = connection.execute(select(*columns).where(MATERIALS.c.code == delivery.material)).one_or_none()
    if found is None:
        raise AdapterRefused("UNKNOWN_MATERIAL", f"there is no material {delivery.material}")
    if found.unit != delivery.unit:
        raise AdapterRefused("UNIT_MISMATCH", f"{delivery.material} is kept in {found.unit}, not in {delivery.unit}")
    return found


def _add_to(connection: Connection, delivery: ReceiptAnswer, told: Told) -> str:
    known = ledger.lock_lot(connection, delivery.lot)
    found = (known.material, known.unit, known.origin)
    if found != (delivery.material, delivery.unit, "received"):
        blocker = Blocker(
            code="LOT_MISMATCH", entity="lot", id=delivery.lot, found=" ".join(found),
            required=f"{delivery.material} {delivery.unit} received", who_can_fix="warehouseKeeper",
        )  # fmt: skip
        raise AdapterRefused("LOT_MISMATCH", f"lot {delivery.lot} is {' '.join(found)}", (blocker,))
    if planning.QUARANTINE not in ZONES[known.status]:
        raise _not_usable(known, "a lot that is not rejected")
    for column, day in (("expires_on", told.expires_on), ("retest_on", told.retest_on)):
        # Two deliveries of one lot that name two days: the earlier one is the safe one.
        if day is not None and (known._mapping[column] is None or day < known._mapping[column]):
            connection.execute(update(LOTS).where(LOTS.c.number == delivery.lot).values({column: day}))
    return str(known.status)


def put_away(
    connection: Connection, request: Request, lot: str, quantity: Decimal, unit: str, place: str, work_order: str
) -> Done[MoveAnswer]:
    """Move a quantity from the line to a place that fits the lot's status."""
    zone = ledger.zone_of(connection, place)
    known = ledger.lock_lot(connection, lot)
    if unit != known.unit:
        raise AdapterRefused("UNIT_MISMATCH", f"lot {lot} is kept in {known.unit}, not in {unit}")
    if zone not in ZONES[known.status]:
        raise _zone_mismatch(known, place, zone)
    on_hand = ledger.lock_balances(connection, [(lot, ledger.LINE_SIDE), (lot, place)])
    at_line = on_hand.get((lot, ledger.LINE_SIDE), Decimal(0))
    if not 0 < quantity <= at_line:
        blocker = Blocker(
            code="NOT_ON_LINE", entity="lot", id=lot, found=f"{plain(at_line)} {unit} on the line",
            required=f"{plain(quantity)} {unit}, above 0", who_can_fix="operator",
        )  # fmt: skip
        raise AdapterRefused("NOT_ON_LINE", f"{plain(at_line)} {unit} of {lot} are on the line", (blocker,))
    moves = [Move(request.key, lot, ledger.LINE_SIDE, place, quantity, unit, "putAway", work_order)]
    return _moved(connection, request, "lot.putAway", known, moves)


def release_to_stock(
    connection: Connection, request: Request, lot: str, place: str, work_order: str
) -> Done[MoveAnswer]:
    """Set the lot released and move all of it out of quarantine, in one transaction: zone and status agree."""
    zone = ledger.zone_of(connection, place)
    known = ledger.lock_lot(connection, lot)
    if zone != planning.RELEASED:
        raise AdapterRefused("ZONE_MISMATCH", f"released lots go to a released place; {place} is {zone}")
    if known.status not in (LotStatus.QUARANTINE, LotStatus.RELEASED):
        raise _not_usable(known, "a lot in quarantine")
    moves = _out_of(connection, request, known, (planning.QUARANTINE,), place, "release", work_order)
    connection.execute(update(LOTS).where(LOTS.c.number == lot).values(status=LotStatus.RELEASED))
    return _moved(connection, request, "lot.releasedToStock", known, moves, LotStatus.RELEASED)


def scrap(connection: Connection, request: Request, lot: str, work_order: str) -> Done[MoveAnswer]:
    """Everything of the lot on the line and in quarantine leaves the stock as scrap."""
    known = ledger.lock_lot(connection, lot)
    zones = (planning.LINE, planning.QUARANTINE)
    moves = _out_of(connection, request, known, zones, ledger.SCRAP, "scrap", work_order)
    return _moved(connection, request, "lot.scrapped", known, moves)


def _out_of(
    connection: Connection,
    request: Request,
    lot: Row[Any],
    zones: Sequence[str],
    target: str,
    kind: str,
    work_order: str | None,
) -> list[Move]:
    """Moves that empty the zones of a lot; its balances are locked, the target's among them."""
    stock = ledger.lock_stock_of(connection, lot.number, target)
    return [
        Move(f"{request.key}/{line.place}", line.lot, line.place, target, line.free, line.unit, kind, work_order)
        for line in stock
        if line.zone in zones and line.free > 0
    ]


def settle(
    connection: Connection, request: Request, lot: Row[Any], audit_of_blocked: list[audit.Entry], *, accepted: bool
) -> list[Move]:
    """What a decision on a received lot moves: from receiving to raw stock, or all of it to the rejected goods."""
    if not accepted:
        moved, entries = segregation.segregate(connection, lot.number, request.key, request.actor, request.at)
        audit_of_blocked += entries
        return [
            Move(f"{request.key}/{own.place}", lot.number, own.place, ledger.REJECTED_STOCK, own.quantity, own.unit,
                 "rejected")
            for own in moved
        ]  # fmt: skip
    stock = ledger.lock_stock_of(connection, lot.number, ledger.RAW)
    taken = [line for line in stock if line.place == ledger.RECEIVING and line.free > 0]
    moves = [
        Move(f"{request.key}/{line.place}", line.lot, line.place, ledger.RAW, line.free, line.unit, "accepted")
        for line in taken
    ]
    ledger.move(connection, moves, request.actor, request.at)
    return moves


def _moved(
    connection: Connection,
    request: Request,
    action: str,
    lot: Row[Any],
    moves: Sequence[Move],
    status: LotStatus | None = None,
) -> Done[MoveAnswer]:
    ledger.move(connection, moves, request.actor, request.at)
    total = sum((m.quantity for m in moves), Decimal(0))
    answer = MoveAnswer(lot=lot.number, moves=len(moves), quantity=total, unit=lot.unit)
    news: dict[str, object] = {
        "moves": [{"from": m.source, "to": m.target, "quantity": m.quantity, "unit": m.unit} for m in moves]
    }
    news |= {"workOrder": request.content.get("workOrder")} | ({"status": status} if status else {})
    old = {"status": lot.status} if status else None
    return Done(answer, [request.audit(action, news, entity=f"lot/{lot.number}", old=old)])


def _zone_mismatch(lot: Row[Any], place: str, zone: str) -> AdapterRefused:
    gate, who = _GATES.get(lot.status, ("", "warehouseKeeper"))
    required = f"a place in zone {' or '.join(ZONES[lot.status])}"
    if gate:
        required += f", or {gate} first"
    blocker = Blocker(
        code="ZONE_MISMATCH", entity="lot", id=lot.number, found=f"{lot.status}; {place} is in zone {zone}",
        required=required, who_can_fix=who,
    )  # fmt: skip
    return AdapterRefused("ZONE_MISMATCH", f"lot {lot.number} is {lot.status} and cannot lie at {place}", (blocker,))


def _not_usable(lot: Row[Any], required: str) -> AdapterRefused:
    blocker = Blocker(
        code="LOT_NOT_USABLE", entity="lot", id=lot.number, found=lot.status, required=required,
        who_can_fix="qaReviewer",
    )  # fmt: skip
    return AdapterRefused("LOT_NOT_USABLE", f"lot {lot.number} is {lot.status}", (blocker,))
