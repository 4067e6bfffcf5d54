"""What leaves to a customer: only released, unexpired stock at a released place; and what comes back.

Every function runs inside the transaction that `db.once.answer_once` opened.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from adapters.inventory import ledger, planning
from adapters.inventory.ledger import BALANCES, CUSTOMER, Move
from adapters.inventory.refusals import blocker, check
from db import audit
from db.once import Request
from db.queries import policies
from db.queries.shipments import RETURNS, SHIPMENTS
from db.queries.shipments import returned as came_back
from db.tables import Material, StateTransition, WorkOrder, core
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain
from domain.rules.retention import retain_until
from domain.shipping_states import SHIPMENT, ShipmentEvent, ShipmentState
from domain.states import LotStatus, TransitionRefused

MATERIALS, TRANSITIONS, WORK_ORDERS = core(Material), core(StateTransition), core(WorkOrder)
Entries = list[audit.Entry]


@dataclass(frozen=True)
class Wanted:
    """Who gets how much of which batch, from where and how."""

    lot: str
    quantity: Decimal
    unit: str
    place: str
    consignee: str
    address: str
    contact: str
    transport: str


def prepare(connection: Connection, request: Request, wanted: Wanted, today: date) -> tuple[str, Entries]:
    """Write a shipment and reserve its stock. Refuses with everything that stands in the way at once."""
    zone = ledger.zone_of(connection, wanted.place)
    lot = ledger.lock_lot(connection, wanted.lot)
    material = connection.execute(select(MATERIALS).where(MATERIALS.c.code == lot.material)).one()
    ledger.lock_balances(connection, [(wanted.lot, wanted.place)])
    blockers = [*not_saleable(lot, today), *_wrong(connection, wanted, lot, zone)]
    if not material.strength and _is_certified(connection, lot):
        blockers.append(
            blocker("STRENGTH_MISSING", "material", material.code, "none", "its strength", "processEngineer")
        )
    check(blockers)
    made = connection.execute(select(func.count()).where(SHIPMENTS.c.lot == wanted.lot)).scalar_one()
    number, expires_on = f"{wanted.lot}-S{made + 1}", _expires_on(lot, material)
    connection.execute(
        insert(SHIPMENTS).values(
            **vars(wanted), number=number, product=material.code, product_name=material.name,
            strength=material.strength or "", state=ShipmentState.PREPARED, expires_on=expires_on,
            retain_until=retain_until(today, expires_on), prepared_by=request.actor, prepared_at=request.at,
        )
    )  # fmt: skip
    ledger.reserve(connection, {(wanted.lot, wanted.place): wanted.quantity})
    _transition(connection, request, number, "prepare", None, ShipmentState.PREPARED)
    news = {
        "shipment": number, **vars(wanted), "strength": material.strength, "product": material.code,
        "productName": material.name, "state": ShipmentState.PREPARED, "expiresOn": expires_on,
        "retainUntil": retain_until(today, expires_on),
    }  # fmt: skip
    return number, [request.audit("shipment.prepare", news, entity=f"shipment/{number}")]


def ship(connection: Connection, request: Request, number: str, today: date) -> Entries:
    """The goods leave. The lot is looked at again: what was stopped since then stays here."""
    row, lot = _locked(connection, number)
    target = _advance(row, ShipmentEvent.SHIP)
    ledger.lock_balances(connection, [(row.lot, row.place)])
    zone = ledger.zone_of(connection, row.place)
    check([*not_saleable(lot, today), *_wrong_zone(lot, row.place, zone)])
    connection.execute(
        upsert(ledger.PLACES).values(code=CUSTOMER, name="Customers", zone="outside").on_conflict_do_nothing()
    )
    leaves = Move(f"ship/{number}", row.lot, row.place, CUSTOMER, row.quantity, row.unit, "ship")
    ledger.move(connection, [leaves], request.actor, request.at, reserved=True)
    until = retain_until(today, row.expires_on)
    _end(connection, request, row, target, retain_until=until)
    _transition(connection, request, number, ShipmentEvent.SHIP, row.state, target)
    news = {
        "lot": row.lot, "quantity": row.quantity, "unit": row.unit, "consignee": row.consignee, "state": target,
        "retainUntil": until,
    }  # fmt: skip
    return [request.audit("shipment.ship", news, entity=f"shipment/{number}", old=_before(row))]


def cancel(connection: Connection, request: Request, number: str, reason: str) -> Entries:
    """It does not leave: its stock is free again."""
    row, _ = _locked(connection, number)
    target = _advance(row, ShipmentEvent.CANCEL)
    ledger.lock_balances(connection, [(row.lot, row.place)])
    if row.state == ShipmentState.PREPARED:  # a blocked one has nothing reserved any more
        ledger.reserve(connection, {(row.lot, row.place): -row.quantity})
    _end(connection, request, row, target, detail=reason)
    _transition(connection, request, number, ShipmentEvent.CANCEL, row.state, target, reason)
    news = {"lot": row.lot, "state": target}
    return [request.audit("shipment.cancel", news, entity=f"shipment/{number}", reason=reason, old=_before(row))]


def take_back(
    connection: Connection, request: Request, number: str, quantity: Decimal, place: str, reason: str
) -> Entries:
    """A part of what was shipped comes back: to quarantine, whatever the lot's status is."""
    row, _ = _locked(connection, number)
    zone = ledger.zone_of(connection, place)
    blockers = []
    if row.state != ShipmentState.SHIPPED:
        blockers.append(blocker("NOT_SHIPPED", "shipment", number, row.state, "shipped", "warehouseKeeper"))
    if zone != planning.QUARANTINE:
        found = f"{place} is in zone {zone}"
        blockers.append(blocker("ZONE_MISMATCH", "place", place, found, "a place in quarantine", "warehouseKeeper"))
    left = row.quantity - came_back(connection, number)
    if quantity > left:
        required = f"at most {plain(left)} {row.unit}, what is still out"
        blockers.append(blocker("MORE_THAN_SHIPPED", "shipment", number, plain(quantity), required, "warehouseKeeper"))
    check(blockers)
    ledger.lock_balances(connection, [(row.lot, place)])
    back = Move(request.key, row.lot, CUSTOMER, place, quantity, row.unit, "return")
    ledger.move(connection, [back], request.actor, request.at)
    connection.execute(
        insert(RETURNS).values(
            key=request.key, shipment=number, quantity=quantity, place=place, reason=reason,
            returned_by=request.actor, returned_at=request.at,
        )
    )  # fmt: skip
    news = {"lot": row.lot, "quantity": quantity, "unit": row.unit, "place": place}
    return [request.audit("shipment.return", news, entity=f"shipment/{number}", reason=reason)]


# Rules -----------------------------------------------------------------------------------------------------------


def not_saleable(lot: Row[Any], today: date) -> list[Blocker]:
    """A blocker if a lot may not leave: not released, or past its expiry (the day of expiry is the last one)."""
    expired = lot.expires_on is not None and lot.expires_on < today
    is_due = lot.retest_on is not None and lot.retest_on <= today
    if lot.status == LotStatus.RELEASED and not expired and not is_due:
        return []
    expiry = f"expired on {lot.expires_on}" if expired else f"expires {lot.expires_on or 'never'}"
    expiry += f", to be tested again since {lot.retest_on}" if is_due else ""
    required = f"released, not past its expiry on {today}"
    return [blocker("LOT_NOT_USABLE", "lot", lot.number, f"{lot.status}, {expiry}", required, "qaReviewer")]


def _wrong_zone(lot: Row[Any], place: str, zone: str) -> list[Blocker]:
    if zone == planning.RELEASED:
        return []
    found = f"{place} is in zone {zone}"
    return [blocker("ZONE_MISMATCH", "lot", lot.number, found, "a place of saleable stock", "warehouseKeeper")]


def _wrong(connection: Connection, wanted: Wanted, lot: Row[Any], zone: str) -> list[Blocker]:
    blockers = _wrong_zone(lot, wanted.place, zone)
    if wanted.unit != lot.unit:
        blockers.append(blocker("UNIT_MISMATCH", "lot", lot.number, wanted.unit, lot.unit, "warehouseKeeper"))
    own = (BALANCES.c.lot == wanted.lot) & (BALANCES.c.place == wanted.place)
    free = connection.execute(select(BALANCES.c.on_hand - BALANCES.c.reserved).where(own)).scalar_one_or_none()
    if wanted.quantity > (free or 0):
        found = f"{plain(free or Decimal(0))} {lot.unit} free at {wanted.place}"
        required = f"{plain(wanted.quantity)} {wanted.unit}"
        blockers.append(blocker("NOT_ENOUGH", "lot", lot.number, found, required, "warehouseKeeper"))
    return blockers


def _is_certified(connection: Connection, lot: Row[Any]) -> bool:
    """Whether the batch was made under a policy that asks for certification: then its strength has to be told."""
    if lot.work_order is None:
        return False
    own = select(WORK_ORDERS.c.order_number).where(WORK_ORDERS.c.number == lot.work_order)
    policy = policies.frozen(connection, connection.execute(own).scalar_one())
    return policy is not None and policy.certification


def _expires_on(lot: Row[Any], material: Row[Any]) -> date | None:
    if lot.expires_on is not None or material.shelf_life_days is None:
        found: date | None = lot.expires_on
        return found
    made: date = lot.created_at.date()
    return made + timedelta(days=material.shelf_life_days)


# Rows ------------------------------------------------------------------------------------------------------------


def _locked(connection: Connection, number: str) -> tuple[Row[Any], Row[Any]]:
    """A shipment and its lot, the lot locked first. Refuses UNKNOWN_SHIPMENT."""
    own = select(SHIPMENTS.c.lot).where(SHIPMENTS.c.number == number)
    lot = connection.execute(own).scalar_one_or_none()
    if lot is None:
        raise AdapterRefused("UNKNOWN_SHIPMENT", f"there is no shipment {number}")
    locked = ledger.lock_lot(connection, lot)
    row = connection.execute(select(SHIPMENTS).where(SHIPMENTS.c.number == number).with_for_update()).one()
    return row, locked


def _advance(row: Row[Any], event: ShipmentEvent) -> ShipmentState:
    try:
        return SHIPMENT.advance(ShipmentState(row.state), event)
    except TransitionRefused as no:
        possible = ", ".join(no.possible) or "nothing"
        required = f"a state that allows {event}; possible now: {possible}"
        found = row.state if row.detail is None else f"{row.state}: {row.detail}"
        refusal = blocker("INVALID_TRANSITION", "shipment", row.number, found, required, "qaReviewer")
        raise AdapterRefused("INVALID_TRANSITION", f"shipment {row.number} is {found}", (refusal,)) from None


def _before(row: Row[Any]) -> dict[str, object]:
    """What the audit trail says a shipment was."""
    return {"state": row.state, "retainUntil": row.retain_until}


def _end(connection: Connection, request: Request, row: Row[Any], target: ShipmentState, **more: Any) -> None:
    values = {"state": target, "ended_by": request.actor, "ended_at": request.at, **more}
    connection.execute(update(SHIPMENTS).where(SHIPMENTS.c.number == row.number).values(**values))


def _transition(
    connection: Connection, request: Request, number: str, event: str, origin: str | None, target: str,
    reason: str | None = None,
) -> None:  # fmt: skip
    row = {
        "entity": "shipment", "entity_id": number, "event": event, "from_state": origin, "to_state": target,
        "actor": request.actor, "reason": reason, "at": request.at,
    }  # fmt: skip
    connection.execute(insert(TRANSITIONS).values(row))
