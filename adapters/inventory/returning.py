"""What comes back from the line: single returns of unused material, and everything when an order is cancelled.

Material goes back to the place that it was issued from, if its lot may still lie there. A lot that was stopped or has
expired meanwhile goes to quarantine (a rejected one to the rejected goods): it must not stay at the line, where it
could be used, and not get back among released stock. Where no place fits, a return is refused; a cancellation puts
the lot back where it was.

Every function runs inside the transaction that `db.once.answer_once` opened, behind the lock of the work order.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, case, collate, func, or_, select

from adapters.inventory import ledger, planning
from adapters.inventory.ledger import BALANCES, LOTS, MOVES, PLACES, Move
from adapters.inventory.movements import ZONES
from adapters.inventory.picking import free, reserved_by, totals
from adapters.inventory.port import GiveBackAnswer, ReturnAnswer
from db.once import Done, Request
from domain.commands import ReturnDisposition
from domain.errors import AdapterRefused, Blocker
from domain.material_events import ReturnedLine, ReturnLine
from domain.quantities import plain
from domain.states import LotStatus

_NOTHING: Final = Decimal(0)


class Unused(NamedTuple):
    """A quantity of a lot that was issued from a place to a work order and is still at the line."""

    lot: str
    place: str
    zone: str
    quantity: Decimal
    unit: str


class KnownLot(NamedTuple):
    """A lot that nobody stops or releases until we are done."""

    number: str
    unit: str
    status: str
    expires_on: date | None


@dataclass(frozen=True)
class Part:
    """A part of a returned line that goes to one place."""

    line: ReturnLine
    quantity: Decimal
    place: str


def return_materials(
    connection: Connection, request: Request, work_order: str, lines: Sequence[ReturnLine], today: date
) -> Done[ReturnAnswer]:
    """Move the lines' quantities from the line to where each lot may lie, or to scrap; all of them or none."""
    lots = _locked_lots(connection, {line.lot for line in lines})
    left = unused(connection, work_order)
    _check(lines, lots, left, work_order)
    places = _places(connection, lots.values(), left, today)
    parts = _parts(lines, left, places)
    _refuse_without_place(parts, lots)
    pairs = {(part.line.lot, place) for part in parts for place in (ledger.LINE_SIDE, part.place)}
    ledger.lock_balances(connection, pairs)
    moves = [
        Move(f"{request.key}/{index}", part.line.lot, ledger.LINE_SIDE, part.place, part.quantity, part.line.unit,
             "scrap" if part.place == ledger.SCRAP else "return", work_order)
        for index, part in enumerate(parts)
    ]  # fmt: skip
    ledger.move(connection, moves, request.actor, request.at)
    returned = tuple(
        ReturnedLine(
            **part.line.model_dump(exclude={"quantity", "reason"}), quantity=part.quantity, place=part.place
        )
        for part in parts
    )  # fmt: skip
    news = {"returned": [line.model_dump() for line in returned], "reasons": [line.reason for line in lines]}
    return Done(ReturnAnswer(lines=returned), [request.audit("materials.returned", news)])


def _locked_lots(connection: Connection, lots: Collection[str]) -> dict[str, KnownLot]:
    """The lots, none of which changes its status before we are done. In the order of their numbers."""
    statement = (
        select(LOTS.c.number, LOTS.c.unit, LOTS.c.status, LOTS.c.expires_on)
        .where(LOTS.c.number.in_(lots))
        .order_by(collate(LOTS.c.number, "C"))
        .with_for_update(read=True)
    )
    return {row.number: KnownLot(*row) for row in connection.execute(statement)}


def _check(lines: Sequence[ReturnLine], lots: dict[str, KnownLot], left: Sequence[Unused], work_order: str) -> None:
    """Refuse unless every lot is known, in its unit, and at the line for this work order in that quantity."""
    blockers: list[Blocker] = []

    def block(code: str, lot: str, found: str, required: str) -> None:
        blockers.append(
            Blocker(code=code, entity="lot", id=lot, found=found, required=required, who_can_fix="warehouseKeeper")
        )

    asked: dict[str, Decimal] = {}
    for line in lines:
        asked[line.lot] = asked.get(line.lot, _NOTHING) + line.quantity
        if line.lot in lots and line.unit != lots[line.lot].unit:
            block("UNIT_MISMATCH", line.lot, line.unit, lots[line.lot].unit)
    for lot, quantity in asked.items():
        at_line = sum((own.quantity for own in left if own.lot == lot), _NOTHING)
        if lot not in lots:
            block("UNKNOWN_LOT", lot, "no such lot", "a lot that was issued")
        elif quantity > at_line:
            unit = lots[lot].unit
            found = f"{plain(at_line)} {unit} at the line for {work_order}"
            block("NOT_ON_LINE", lot, found, f"{plain(quantity)} {unit}")
    if blockers:
        detail = ", ".join(f"{blocker.id}: {blocker.found}" for blocker in blockers)
        raise AdapterRefused(blockers[0].code, detail, tuple(blockers))


def _parts(
    lines: Sequence[ReturnLine], left: Sequence[Unused], places: dict[tuple[str, str], str | None]
) -> list[Part]:
    """Each line's quantity by the places it goes to. An empty place: there is none that fits."""
    rest = {(own.lot, own.place): own.quantity for own in left}
    parts: list[Part] = []
    for line in lines:
        shares: dict[str, Decimal] = {}
        wanted = line.quantity
        for (lot, origin), quantity in rest.items():
            taken = min(wanted, quantity)
            if lot != line.lot or taken <= 0:
                continue
            rest[lot, origin] -= taken
            wanted -= taken
            scrapped = line.disposition == ReturnDisposition.SCRAP
            target = ledger.SCRAP if scrapped else places[lot, origin] or ""
            shares[target] = shares.get(target, _NOTHING) + taken
        parts += [Part(line, quantity, place) for place, quantity in shares.items()]
    return parts


def _refuse_without_place(parts: Sequence[Part], lots: dict[str, KnownLot]) -> None:
    homeless = dict.fromkeys(part.line.lot for part in parts if not part.place)
    blockers = tuple(
        Blocker(
            code="NO_PLACE", entity="lot", id=lot, who_can_fix="processEngineer",
            found=f"{lots[lot].status}, expires {lots[lot].expires_on or 'never'}",
            required=f"a place in zone {' or '.join(ZONES[lots[lot].status])}",
        )
        for lot in homeless
    )  # fmt: skip
    if blockers:
        raise AdapterRefused("NO_PLACE", f"no place for {', '.join(homeless)}", blockers)


def give_back(connection: Connection, request: Request, work_order: str, today: date) -> Done[GiveBackAnswer]:
    """Free what is reserved, empty its containers, and move back what lies at the line for this work order."""
    _empty_containers(connection, request, work_order)
    left = unused(connection, work_order)
    lots = _locked_lots(connection, {own.lot for own in left}) if left else {}
    places = _places(connection, lots.values(), left, today)
    back = [(own, places[own.lot, own.place] or own.place) for own in left]
    reserved = totals(reserved_by(connection, work_order))
    pairs = {(own.lot, place) for own, target in back for place in (ledger.LINE_SIDE, target)}
    on_hand = ledger.lock_balances(connection, pairs | set(reserved)) if back or reserved else {}
    freed = free(connection, work_order)
    ledger.reserve(connection, {pair: -quantity for pair, quantity in reserved.items()})
    moves: list[Move] = []
    for own, target in back:
        pair = (own.lot, ledger.LINE_SIDE)
        quantity = min(own.quantity, on_hand.get(pair, _NOTHING))
        if quantity > 0:
            on_hand[pair] -= quantity
            key = f"{request.key}/{own.lot}/{own.place}"
            moves.append(Move(key, own.lot, ledger.LINE_SIDE, target, quantity, own.unit, "return", work_order))
    ledger.move(connection, moves, request.actor, request.at)
    answer = GiveBackAnswer(freed=len(freed), returned=len(moves))
    if not freed and not moves:
        return Done(answer)
    returned = [{"lot": m.lot, "to": m.target, "quantity": m.quantity, "unit": m.unit} for m in moves]
    news = {"freed": [{"lot": row.lot, "place": row.place, "quantity": row.quantity} for row in freed]}
    return Done(answer, [request.audit("materials.givenBack", news | {"returned": returned})])


def _empty_containers(connection: Connection, request: Request, work_order: str) -> None:
    """What was weighed and not charged lies at the line again, before the line is cleared."""
    there = {lot: quantity for lot, quantity in dispensed_by(connection, work_order).items() if quantity > 0}
    if not there:
        return
    units = {lot.number: lot.unit for lot in _locked_lots(connection, there).values()}
    ledger.lock_balances(connection, {(lot, at) for lot in there for at in (ledger.LINE_SIDE, ledger.DISPENSED)})
    moves = [
        Move(f"{request.key}/undispense/{lot}", lot, ledger.DISPENSED, ledger.LINE_SIDE, quantity, units[lot],
             "undispense", work_order)
        for lot, quantity in there.items()
    ]  # fmt: skip
    ledger.move(connection, moves, request.actor, request.at)


def dispensed_by(connection: Connection, work_order: str) -> dict[str, Decimal]:
    """Lot → what lies in containers of a work order that are not charged."""
    came = case((MOVES.c.to_place == ledger.DISPENSED, MOVES.c.quantity), else_=-MOVES.c.quantity)
    statement = (
        select(MOVES.c.lot, func.sum(came).label("sum"))
        .where(
            MOVES.c.work_order == work_order,
            or_(MOVES.c.from_place == ledger.DISPENSED, MOVES.c.to_place == ledger.DISPENSED),
        )
        .group_by(MOVES.c.lot)
        .order_by(MOVES.c.lot)
    )
    return {row.lot: row.sum for row in connection.execute(statement)}


def unused(connection: Connection, work_order: str) -> list[Unused]:
    """What was issued to this work order and is still at the line, by lot and the place it came from.

    What the work order makes comes out of the process, not out of a place: it is never given back.
    """
    origin = case((MOVES.c.to_place == ledger.LINE_SIDE, MOVES.c.from_place), else_=MOVES.c.to_place)
    statement = (
        select(
            MOVES.c.lot, MOVES.c.from_place, MOVES.c.to_place, MOVES.c.unit, PLACES.c.zone,
            func.sum(MOVES.c.quantity).label("sum"),
        )
        .join(PLACES, PLACES.c.code == origin)
        .where(
            MOVES.c.work_order == work_order,
            or_(MOVES.c.from_place == ledger.LINE_SIDE, MOVES.c.to_place == ledger.LINE_SIDE),
        )
        .group_by(MOVES.c.lot, MOVES.c.from_place, MOVES.c.to_place, MOVES.c.unit, PLACES.c.zone)
        .order_by(MOVES.c.lot, MOVES.c.from_place, MOVES.c.to_place)
    )  # fmt: skip
    issued: dict[tuple[str, str], Unused] = {}
    gone: dict[str, Decimal] = {}
    rows = connection.execute(statement).all()
    for row in rows:
        if row.to_place == ledger.LINE_SIDE and row.from_place not in (*ledger.OUTSIDE, ledger.DISPENSED):
            issued[row.lot, row.from_place] = Unused(row.lot, row.from_place, row.zone, row.sum, row.unit)
    for row in rows:
        if row.from_place == ledger.DISPENSED:
            gone[row.lot] = gone.get(row.lot, _NOTHING) - row.sum  # emptied again
        if row.from_place != ledger.LINE_SIDE:
            continue
        if (own := issued.get((row.lot, row.to_place))) is not None:
            issued[row.lot, row.to_place] = own._replace(quantity=own.quantity - row.sum)
        else:
            gone[row.lot] = gone.get(row.lot, _NOTHING) + row.sum
    result: list[Unused] = []
    for own in issued.values():
        used = min(own.quantity, gone.get(own.lot, _NOTHING))
        gone[own.lot] = gone.get(own.lot, _NOTHING) - used
        if own.quantity > used:
            result.append(own._replace(quantity=own.quantity - used))
    return result


def _places(
    connection: Connection, lots: Iterable[KnownLot], left: Sequence[Unused], today: date
) -> dict[tuple[str, str], str | None]:
    """(lot, place it came from) → where it may lie now: there, or else in quarantine or among the rejected goods.

    Of several such places the one where the lot lies already, then the first by code. Deliveries have receiving to
    themselves. None: there is no place that fits.
    """
    zones = {lot.number: ZONES[_status(lot, today)] for lot in lots}
    found: dict[tuple[str, str], str | None] = {}
    for own in left:
        if own.zone in zones.get(own.lot, ()):
            found[own.lot, own.place] = own.place
    stopped = [own for own in left if own.lot in zones and (own.lot, own.place) not in found]
    if stopped:
        elsewhere = _elsewhere(connection, {own.lot: zones[own.lot] for own in stopped})
        found |= {(own.lot, own.place): elsewhere.get(own.lot) for own in stopped}
    return found


def _status(lot: KnownLot, today: date) -> LotStatus:
    """The lot's status; a released lot that is past its expiry counts as expired, as everywhere in the warehouse."""
    if lot.status == LotStatus.RELEASED and lot.expires_on is not None and lot.expires_on < today:
        return LotStatus.EXPIRED
    return LotStatus(lot.status)


def _elsewhere(connection: Connection, zones: dict[str, tuple[str, ...]]) -> dict[str, str]:
    joined = PLACES.outerjoin(
        BALANCES, (BALANCES.c.place == PLACES.c.code) & BALANCES.c.lot.in_(zones) & (BALANCES.c.on_hand > 0)
    )
    statement = (
        select(PLACES.c.code, PLACES.c.zone, BALANCES.c.lot)
        .select_from(joined)
        .where(PLACES.c.zone.in_((planning.QUARANTINE, planning.REJECTED)), PLACES.c.code != ledger.RECEIVING)
        .order_by(collate(PLACES.c.code, "C"))
    )
    rows = connection.execute(statement).all()
    found: dict[str, str] = {}
    for lot, allowed in zones.items():
        # What may lie in quarantine waits there for a decision, also where it might be rejected at once.
        zone = planning.QUARANTINE if planning.QUARANTINE in allowed else allowed[0]
        fitting = [row for row in rows if row.zone == zone]
        best = next((row for row in fitting if row.lot == lot), fitting[0] if fitting else None)
        if best is not None:
            found[lot] = best.code
    return found
