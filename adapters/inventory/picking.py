"""Reserve and issue: what the warehouse does for one work order's materials.

Every function runs inside the transaction that `db.once.answer_once` opened, behind the lock of the work order.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, collate, or_, select, union, update

from adapters.inventory import ledger, planning
from adapters.inventory.ledger import BALANCES, LOTS, PLACES, Move
from adapters.inventory.port import AllocationAnswer, IssueAnswer, MaterialNeed
from db.once import Done, Request
from db.rows import insert_rows
from db.tables import Reservation, core
from domain.errors import AdapterRefused, Blocker
from domain.events import Allocation, ShortLine
from domain.states import LotStatus

RESERVATIONS: Final = core(Reservation)
_WANTED: Final = ("reserved", "issued", "withdrawn")
"""Withdrawn: reserved until the lot was rejected. It is not issued, and nothing else in its place, until it is
allocated anew."""
Deltas = dict[tuple[str, str], Decimal]


def coverage(
    connection: Connection, work_order: str, needs: Sequence[MaterialNeed], today: date
) -> tuple[ShortLine, ...]:
    """Every line with what is there for it; what the work order has reserved is there for it."""
    planning.check_needs(needs)
    stock = _minus(_whole_stock(connection, needs), totals(reserved_by(connection, work_order)))
    available = planning.plan(needs, stock, today).available
    return tuple(planning.shortage(need, available[need.line], stock, today) for need in needs)


def allocate(
    connection: Connection,
    request: Request,
    work_order: str,
    needs: Sequence[MaterialNeed],
    today: date,
    chosen: planning.Chosen | None = None,
) -> Done[AllocationAnswer]:
    """Free what was reserved before, then reserve all lines or none."""
    planning.check_needs(needs)
    candidates = read_candidates(connection, work_order, needs, today)
    freed = totals(free(connection, work_order))
    stock = _minus(candidates, freed)
    plan = planning.plan(needs, stock, today, chosen)
    if chosen:
        _check_choice(needs, stock, chosen, plan, today)
    if plan.short:
        ledger.reserve(connection, {pair: -quantity for pair, quantity in freed.items()})
        return _short(connection, request, plan, stock, freed, today)
    deltas = {pair: -quantity for pair, quantity in freed.items()}
    for taken in plan.allocations:
        pair = (taken.lot, taken.place)
        deltas[pair] = deltas.get(pair, Decimal(0)) + taken.quantity
    ledger.reserve(connection, deltas)
    _write_reservations(connection, request, work_order, plan.allocations)
    entry = request.audit("materials.allocated", {"allocations": plan.allocations})
    proposed = _proposal(needs, stock, chosen, today) if chosen else ()
    return Done(AllocationAnswer(allocations=plan.allocations, proposed=proposed), [entry])


def _proposal(
    needs: Sequence[MaterialNeed], stock: Sequence[planning.Stock], chosen: planning.Chosen, today: date
) -> tuple[Allocation, ...]:
    """What first expired first out takes for the lines that lots were chosen for, under the same locks."""
    free = [need.model_copy(update={"fixed_lots": ()}) if need.line in chosen else need for need in needs]
    return tuple(own for own in planning.plan(free, stock, today).allocations if own.line in chosen)


def _check_choice(
    needs: Sequence[MaterialNeed],
    stock: Sequence[planning.Stock],
    chosen: planning.Chosen,
    plan: planning.Plan,
    today: date,
) -> None:
    """Refuse a choice that cannot be followed: then the transaction is undone, and everything stays as it was."""
    usable = {line.lot: line.material for line in stock if line.is_usable(today)}
    blockers = [
        Blocker(
            code="LOT_NOT_USABLE", entity="lot", id=lot, found=f"not usable for {need.material}",
            required=f"a released lot of {need.material} in a released zone, not past its expiry on {today}",
            who_can_fix="qaReviewer",
        )
        for need in needs
        for lot in chosen.get(need.line, ())
        if usable.get(lot) != need.material
    ]  # fmt: skip
    blockers += [
        Blocker(code="SHORT", entity="material", id=need.material, found=f"{available} {need.unit} available",
                required=f"{need.quantity} {need.unit}", who_can_fix="warehouseKeeper")
        for need, available in plan.short
    ]  # fmt: skip
    if blockers:
        raise AdapterRefused(blockers[0].code, "the chosen lots cannot be taken", tuple(blockers))


def read_candidates(
    connection: Connection, work_order: str, needs: Sequence[MaterialNeed], today: date
) -> list[planning.Stock]:
    """Lock, in order, what may be taken and what this work order holds already; nothing else waits for us."""
    usable = select(LOTS.c.number).where(
        LOTS.c.material.in_({need.material for need in needs}),
        LOTS.c.status == LotStatus.RELEASED,
        or_(LOTS.c.expires_on.is_(None), LOTS.c.expires_on >= today),
    )
    own = select(RESERVATIONS.c.lot).where(RESERVATIONS.c.work_order == work_order, RESERVATIONS.c.state == "reserved")
    lots = union(usable, own).scalar_subquery()
    condition = BALANCES.c.lot.in_(lots) & (PLACES.c.zone == planning.RELEASED)
    return ledger.read_stock(connection, condition, lock=True)


def _short(
    connection: Connection,
    request: Request,
    plan: planning.Plan,
    locked: Sequence[planning.Stock],
    freed: Deltas,
    today: date,
) -> Done[AllocationAnswer]:
    """Nothing is reserved. What stands in the way is read without a lock: it is told, not taken."""
    fresh = {(line.lot, line.place): line for line in locked}
    whole = [
        fresh.get((line.lot, line.place), line) for line in _whole_stock(connection, [need for need, _ in plan.short])
    ]
    short = tuple(planning.shortage(need, available, whole, today) for need, available in plan.short)
    entries = [request.audit("materials.freed", {"short": short})] if freed else []
    return Done(AllocationAnswer(short=short), entries, final=False)


def _whole_stock(connection: Connection, needs: Sequence[MaterialNeed]) -> list[planning.Stock]:
    zones = PLACES.c.zone.in_((planning.RELEASED, planning.QUARANTINE))
    condition = and_(LOTS.c.material.in_({need.material for need in needs}), zones)
    return ledger.read_stock(connection, condition, lock=False)


def reserved_by(connection: Connection, work_order: str) -> Sequence[Row[Any]]:
    """The rows of what is reserved for a work order."""
    statement = select(RESERVATIONS).where(RESERVATIONS.c.work_order == work_order, RESERVATIONS.c.state == "reserved")
    return connection.execute(statement).all()


def free(connection: Connection, work_order: str) -> Sequence[Row[Any]]:
    """Free what is reserved for a work order; the balances are not changed yet.

    What was withdrawn with its lot has been taken out of the balances already.
    """
    gone = (RESERVATIONS.c.work_order == work_order) & (RESERVATIONS.c.state == "withdrawn")
    connection.execute(update(RESERVATIONS).where(gone).values(state="freed"))
    statement = (
        update(RESERVATIONS)
        .where(RESERVATIONS.c.work_order == work_order, RESERVATIONS.c.state == "reserved")
        .values(state="freed")
        .returning(RESERVATIONS.c.lot, RESERVATIONS.c.place, RESERVATIONS.c.quantity)
    )
    return connection.execute(statement).all()


def totals(reservations: Sequence[Row[Any]]) -> Deltas:
    """(lot, place) → quantity of these reservations."""
    totals: Deltas = {}
    for row in reservations:
        totals[row.lot, row.place] = totals.get((row.lot, row.place), Decimal(0)) + row.quantity
    return totals


def _minus(stock: Sequence[planning.Stock], freed: Deltas) -> list[planning.Stock]:
    nothing = Decimal(0)
    return [
        planning.Stock(**vars(line) | {"reserved": line.reserved - freed.get((line.lot, line.place), nothing)})
        for line in stock
    ]


def _write_reservations(
    connection: Connection, request: Request, work_order: str, allocations: Sequence[Allocation]
) -> None:
    rows = [
        {
            "key": f"{request.key}/{taken.line}/{taken.lot}/{taken.place}", "work_order": work_order,
            "line": taken.line, "material": taken.material, "lot": taken.lot, "place": taken.place,
            "quantity": taken.quantity, "unit": taken.unit, "state": "reserved",
        }
        for taken in allocations
    ]  # fmt: skip
    insert_rows(connection, RESERVATIONS, rows)


def issue(connection: Connection, request: Request, work_order: str, today: date) -> Done[IssueAnswer]:
    """Move the reserved lots to the line, if every one of them may still be used."""
    # A lot that is being stopped at this moment is either stopped before us, or after the issue is complete.
    statement = (
        select(RESERVATIONS, LOTS.c.status, LOTS.c.expires_on, LOTS.c.retest_on)
        .join(LOTS, LOTS.c.number == RESERVATIONS.c.lot)
        .where(RESERVATIONS.c.work_order == work_order, RESERVATIONS.c.state.in_(_WANTED))
        .order_by(collate(RESERVATIONS.c.lot, "C"))
        .with_for_update(of=LOTS, read=True)
    )
    known = connection.execute(statement).all()
    if not known:
        raise AdapterRefused("NOTHING_RESERVED", f"nothing is reserved for work order {work_order}")
    reserved = [row for row in known if row.state == "reserved"]
    _check_usable([row for row in known if row.state != "issued"], today)
    if not reserved:
        return Done(IssueAnswer(moves=0))
    ledger.lock_balances(connection, {(row.lot, place) for row in reserved for place in (row.place, ledger.LINE_SIDE)})
    moves = [
        Move(f"{request.key}/{row.line}/{row.lot}/{row.place}", row.lot, row.place, ledger.LINE_SIDE, row.quantity,
             row.unit, "issue", work_order)
        for row in reserved
    ]  # fmt: skip
    ledger.move(connection, moves, request.actor, request.at, reserved=True)
    issued = (
        update(RESERVATIONS)
        .where(RESERVATIONS.c.work_order == work_order, RESERVATIONS.c.state == "reserved")
        .values(state="issued")
    )
    connection.execute(issued)
    lots = [{"lot": m.lot, "from": m.source, "to": m.target, "quantity": m.quantity, "unit": m.unit} for m in moves]
    return Done(IssueAnswer(moves=len(moves)), [request.audit("materials.issued", {"moves": lots})])


def _check_usable(reserved: Sequence[Row[Any]], today: date) -> None:
    blockers: dict[str, Blocker] = {}
    for row in reserved:
        expired = row.expires_on is not None and row.expires_on < today
        is_due = row.retest_on is not None and row.retest_on <= today
        if row.status == LotStatus.RELEASED and not expired and not is_due:
            continue
        expiry = f"expired on {row.expires_on}" if expired else f"expires {row.expires_on or 'never'}"
        expiry += f", to be tested again since {row.retest_on}" if is_due else ""
        blockers[row.lot] = Blocker(
            code="LOT_NOT_USABLE", entity="lot", id=row.lot, found=f"{row.status}, {expiry}",
            required=f"released, not past its expiry on {today}", who_can_fix="qaReviewer",
        )  # fmt: skip
    if blockers:
        raise AdapterRefused("LOT_NOT_USABLE", f"not usable: {', '.join(blockers)}", tuple(blockers.values()))
