"""Stock moves and balances: the few statements that everything in the warehouse is made of.

Order of locks, the same everywhere: subject (advisory), lots, new balance rows, balances by (lot, place), the audit
head last. Texts are ordered by code point, which is Python's order too. Whoever keeps to it cannot deadlock with
anybody else who does. A balance row that does not exist yet is made before any is locked: made in between, it was a
deadlock (`tests/contracts/inventory/test_crowd.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    TableValuedAlias,
    and_,
    collate,
    literal,
    select,
    true,
    update,
)
from sqlalchemy import Numeric as Number
from sqlalchemy import String as Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import FromClause

from adapters.inventory.planning import Stock
from db.rows import insert_rows, table_of
from db.tables import OUTSIDE_PLACES, Lot, Place, StockBalance, StockMove, core
from domain.errors import AdapterRefused, Blocker

SUPPLIER, PROCESS, SCRAP, CUSTOMER = "SUPPLIER", "PROCESS", "SCRAP", "CUSTOMER"
OUTSIDE: Final = OUTSIDE_PLACES
"""Places without a balance: what is there is no longer, or not yet, ours to count."""
LINE_SIDE, RECEIVING, RAW, REJECTED_STOCK = "LINE", "RECEIVING", "RAW", "REJECTED"
DISPENSED = "DISPENSED"
"""Where material lies that was weighed into containers."""

LOTS, PLACES, BALANCES, MOVES = core(Lot), core(Place), core(StockBalance), core(StockMove)
_STOCK_COLUMNS = (
    LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.expires_on, LOTS.c.retest_on, LOTS.c.created_at,
    BALANCES.c.lot, BALANCES.c.place, BALANCES.c.on_hand, BALANCES.c.reserved, PLACES.c.zone,
)  # fmt: skip


@dataclass(frozen=True)
class Move:
    """A quantity of a lot from a place to another one. `kind` says why; `key` is unique for ever."""

    key: str
    lot: str
    source: str
    target: str
    quantity: Decimal
    unit: str
    kind: str
    work_order: str | None = None


def stock(condition: ColumnElement[bool]) -> Select[Any]:
    """The statement for balances with lot and zone, under a condition."""
    joined = BALANCES.join(LOTS, LOTS.c.number == BALANCES.c.lot).join(PLACES, PLACES.c.code == BALANCES.c.place)
    return select(*_STOCK_COLUMNS).select_from(joined).where(condition)


def read_stock(connection: Connection, condition: ColumnElement[bool], *, lock: bool) -> list[Stock]:
    """What is on hand under a condition; with `lock` nobody else changes it until the end of the transaction."""
    return _read(connection, and_(BALANCES.c.on_hand > 0, condition), lock=lock)


def lock_stock_of(connection: Connection, lot: str, target: str) -> list[Stock]:
    """Lock all balances of a lot, the one at the target among them."""
    _make_balances(connection, [(lot, target)])
    return _read(connection, BALANCES.c.lot == lot, lock=True)


def _read(connection: Connection, condition: ColumnElement[bool], *, lock: bool) -> list[Stock]:
    statement = stock(condition).order_by(*_in_order(BALANCES))
    if lock:
        statement = statement.with_for_update(of=BALANCES)
    return [Stock(**row._mapping) for row in connection.execute(statement)]


def lock_balances(connection: Connection, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], Decimal]:
    """Lock these (lot, place) balances in order, the missing ones made first; gives what is on hand at each."""
    _make_balances(connection, pairs)
    wanted = _pairs(pairs)
    statement = (
        select(BALANCES.c.lot, BALANCES.c.place, BALANCES.c.on_hand)
        .join(wanted, (wanted.c.lot == BALANCES.c.lot) & (wanted.c.place == BALANCES.c.place))
        .order_by(*_in_order(BALANCES))
        .with_for_update(of=BALANCES)
    )
    return {(row.lot, row.place): row.on_hand for row in connection.execute(statement)}


def _make_balances(connection: Connection, pairs: Collection[tuple[str, str]]) -> None:
    inside = [(lot, place) for lot, place in pairs if place not in OUTSIDE]
    if not inside:
        return
    new, zero = _pairs(inside), literal(0, Number)
    ordered = select(new.c.lot, new.c.place, zero, zero).where(true()).order_by(*_in_order(new))
    statement = insert(BALANCES).from_select(["lot", "place", "on_hand", "reserved"], ordered)
    connection.execute(statement.on_conflict_do_nothing())


def _in_order(rows: FromClause) -> tuple[ColumnElement[str], ColumnElement[str]]:
    return collate(rows.c.lot, "C"), collate(rows.c.place, "C")


def _pairs(pairs: Collection[tuple[str, str]]) -> TableValuedAlias:
    return table_of([{"lot": lot, "place": place} for lot, place in pairs], "wanted", lot=Text(), place=Text())


def lock_lot(connection: Connection, lot: str) -> Row[Any]:
    """Lock a lot against a change of its status. It stays possible to refer to it.

    Refuses UNKNOWN_LOT.
    """
    statement = select(LOTS).where(LOTS.c.number == lot).with_for_update(key_share=True)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise AdapterRefused("UNKNOWN_LOT", f"there is no lot {lot}")
    return row


def zone_of(connection: Connection, place: str) -> str:
    """The zone of a place that can hold stock. Refuses UNKNOWN_PLACE and names the places."""
    zones = {row.code: row.zone for row in connection.execute(select(PLACES.c.code, PLACES.c.zone))}
    if zones.get(place, "outside") == "outside":
        names = ", ".join(sorted(code for code, zone in zones.items() if zone != "outside" and code != DISPENSED))
        blocker = Blocker(
            code="UNKNOWN_PLACE", entity="place", id=place, found="no such place of stock", required=f"one of {names}",
            who_can_fix="warehouseKeeper",
        )  # fmt: skip
        raise AdapterRefused("UNKNOWN_PLACE", f"{place} is not a place of stock; places: {names}", (blocker,))
    return str(zones[place])


def reserve(connection: Connection, deltas: Mapping[tuple[str, str], Decimal]) -> None:
    """Change what is reserved on locked balances."""
    _change(connection, {}, deltas)


def move(connection: Connection, moves: Sequence[Move], actor: str, at: datetime, *, reserved: bool = False) -> None:
    """Write moves and both ends' balances, which are locked already.

    With `reserved` it is reserved stock that leaves, and its reservation goes with it.
    """
    if not moves:
        return
    on_hand: dict[tuple[str, str], Decimal] = {}
    reservations: dict[tuple[str, str], Decimal] = {}
    for m in moves:
        source, target = (m.lot, m.source), (m.lot, m.target)
        on_hand[source] = on_hand.get(source, Decimal(0)) - m.quantity
        on_hand[target] = on_hand.get(target, Decimal(0)) + m.quantity
        if reserved:
            reservations[source] = reservations.get(source, Decimal(0)) - m.quantity
    _change(connection, on_hand, reservations)
    rows = [
        {
            "key": m.key, "lot": m.lot, "from_place": m.source, "to_place": m.target, "quantity": m.quantity,
            "unit": m.unit, "kind": m.kind, "work_order": m.work_order, "actor": actor, "moved_at": at,
        }
        for m in moves
    ]  # fmt: skip
    insert_rows(connection, MOVES, rows)


def _change(
    connection: Connection,
    on_hand: Mapping[tuple[str, str], Decimal],
    reserved: Mapping[tuple[str, str], Decimal],
) -> None:
    nothing = Decimal(0)
    rows = [
        {"lot": lot, "place": place, "on_hand": on_hand.get((lot, place), nothing),
         "reserved": reserved.get((lot, place), nothing)}
        for lot, place in on_hand.keys() | reserved.keys()
        if place not in OUTSIDE
    ]  # fmt: skip
    if not rows:
        return
    change = table_of(rows, "change", lot=Text(), place=Text(), on_hand=Number(), reserved=Number())
    statement = (
        update(BALANCES)
        .where(BALANCES.c.lot == change.c.lot, BALANCES.c.place == change.c.place)
        .values(on_hand=BALANCES.c.on_hand + change.c.on_hand, reserved=BALANCES.c.reserved + change.c.reserved)
    )
    changed = connection.execute(statement).rowcount
    if changed != len(rows):
        raise AdapterRefused("NO_BALANCE", f"{len(rows) - changed} of {len(rows)} balances do not exist")
