"""Stock moves and balances: the few statements that everything in the warehouse is made of.

Order of locks, the same everywhere: subject (advisory), lots, balances by (lot, place) in the database's own text
order, the audit head last. Whoever keeps to it cannot deadlock with anybody else who does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, column, func, literal, select, true, update
from sqlalchemy import Numeric as Number
from sqlalchemy import String as Text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from adapters.inventory.planning import Stock
from db.tables import Lot, Place, StockBalance, StockMove, core
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain

SUPPLIER, PROCESS, SCRAP = "SUPPLIER", "PROCESS", "SCRAP"
OUTSIDE: Final = frozenset({SUPPLIER, PROCESS, SCRAP})
"""Places without a balance: what is there is no longer, or not yet, ours to count."""
LINE_SIDE, RECEIVING, RAW, REJECTED_STOCK = "LINE", "RECEIVING", "RAW", "REJECTED"

LOTS, PLACES, BALANCES, MOVES = core(Lot), core(Place), core(StockBalance), core(StockMove)
_STOCK_COLUMNS = (
    LOTS.c.material, LOTS.c.unit, LOTS.c.status, LOTS.c.expires_on, LOTS.c.created_at,
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


def table_of(rows: Sequence[Mapping[str, object]], name: str, /, **types: TypeEngine[Any]) -> TableValuedAlias:
    """Rows as a table inside a statement: one parameter and one statement, however many rows."""
    plain_rows = [
        {key: plain(value) if isinstance(value, Decimal) else value for key, value in row.items()} for row in rows
    ]
    columns = [column(key, kind) for key, kind in types.items()]
    return (
        func.jsonb_to_recordset(literal(plain_rows, JSONB))
        .table_valued(*columns, name=name)
        .render_derived(name=name, with_types=True)
    )


def stock(condition: ColumnElement[bool]) -> Select[Any]:
    """The statement for what is on hand, with lot and zone, under a condition."""
    joined = BALANCES.join(LOTS, LOTS.c.number == BALANCES.c.lot).join(PLACES, PLACES.c.code == BALANCES.c.place)
    return select(*_STOCK_COLUMNS).select_from(joined).where(BALANCES.c.on_hand > 0, condition)


def read_stock(connection: Connection, condition: ColumnElement[bool], *, lock: bool) -> list[Stock]:
    """What is on hand under a condition; with `lock` nobody else changes it until the end of the transaction."""
    statement = stock(condition).order_by(BALANCES.c.lot, BALANCES.c.place)
    if lock:
        statement = statement.with_for_update(of=BALANCES)
    return [Stock(**row._mapping) for row in connection.execute(statement)]


def lock_balances(connection: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Decimal]:
    """Lock these (lot, place) balances in order; gives what is on hand at each that exists."""
    wanted = table_of([{"lot": lot, "place": place} for lot, place in pairs], "wanted", lot=Text(), place=Text())
    statement = (
        select(BALANCES.c.lot, BALANCES.c.place, BALANCES.c.on_hand)
        .join(wanted, (wanted.c.lot == BALANCES.c.lot) & (wanted.c.place == BALANCES.c.place))
        .order_by(BALANCES.c.lot, BALANCES.c.place)
        .with_for_update(of=BALANCES)
    )
    return {(row.lot, row.place): row.on_hand for row in connection.execute(statement)}


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
        names = ", ".join(sorted(code for code, zone in zones.items() if zone != "outside"))
        blocker = Blocker(
            code="UNKNOWN_PLACE", entity="place", id=place, found="no such place of stock", required=f"one of {names}",
            who_can_fix="warehouseKeeper",
        )  # fmt: skip
        raise AdapterRefused("UNKNOWN_PLACE", f"{place} is not a place of stock; places: {names}", (blocker,))
    return str(zones[place])


def reserve(connection: Connection, deltas: Mapping[tuple[str, str], Decimal]) -> None:
    """Change what is reserved on locked balances."""
    rows = [{"lot": lot, "place": place, "delta": delta} for (lot, place), delta in deltas.items() if delta != 0]
    if not rows:
        return
    change = table_of(rows, "change", lot=Text(), place=Text(), delta=Number())
    statement = (
        update(BALANCES)
        .where(BALANCES.c.lot == change.c.lot, BALANCES.c.place == change.c.place)
        .values(reserved=BALANCES.c.reserved + change.c.delta)
    )
    _all_there(connection.execute(statement).rowcount, len(rows))


def move(connection: Connection, moves: Sequence[Move], actor: str, at: datetime, *, reserved: bool = False) -> None:
    """Write moves and both ends' balances; the sources are locked already.

    With `reserved` it is reserved stock that leaves, and its reservation goes with it.
    """
    if not moves:
        return
    _take(connection, _totals((m.lot, m.source, m.quantity) for m in moves), reserved=reserved)
    _put(connection, _totals((m.lot, m.target, m.quantity) for m in moves))
    rows = [
        {
            "key": m.key, "lot": m.lot, "from_place": m.source, "to_place": m.target, "quantity": m.quantity,
            "unit": m.unit, "kind": m.kind, "work_order": m.work_order, "actor": actor, "moved_at": at.isoformat(),
        }
        for m in moves
    ]  # fmt: skip
    insert_rows(connection, MOVES, rows)


def insert_rows(connection: Connection, table: Any, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows by one statement; every row has the same columns. Times and dates come as ISO text."""
    if not rows:
        return
    names = list(rows[0])
    new = table_of(rows, "new", **{name: table.c[name].type for name in names})
    connection.execute(insert(table).from_select(names, select(*(new.c[name] for name in names))))


def _take(connection: Connection, totals: Mapping[tuple[str, str], Decimal], *, reserved: bool) -> None:
    rows = _rows(totals)
    if not rows:
        return
    taken = table_of(rows, "taken", lot=Text(), place=Text(), quantity=Number())
    values = {"on_hand": BALANCES.c.on_hand - taken.c.quantity}
    if reserved:
        values["reserved"] = BALANCES.c.reserved - taken.c.quantity
    condition = (BALANCES.c.lot == taken.c.lot) & (BALANCES.c.place == taken.c.place)
    _all_there(connection.execute(update(BALANCES).where(condition).values(values)).rowcount, len(rows))


def _put(connection: Connection, totals: Mapping[tuple[str, str], Decimal]) -> None:
    rows = _rows(totals)
    if not rows:
        return
    new = table_of(rows, "put", lot=Text(), place=Text(), quantity=Number())
    # Sorted by the database: rows that do not exist yet are locked in the same order as those that do.
    ordered = (
        select(new.c.lot, new.c.place, new.c.quantity, literal(0, Number))
        .where(true())
        .order_by(new.c.lot, new.c.place)
    )
    statement = insert(BALANCES).from_select(["lot", "place", "on_hand", "reserved"], ordered)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["lot", "place"],
            set_={"on_hand": BALANCES.c.on_hand + statement.excluded.on_hand},
        )
    )


def _totals(entries: Iterable[tuple[str, str, Decimal]]) -> dict[tuple[str, str], Decimal]:
    totals: dict[tuple[str, str], Decimal] = {}
    for lot, place, quantity in entries:
        if place not in OUTSIDE:
            totals[lot, place] = totals.get((lot, place), Decimal(0)) + quantity
    return totals


def _rows(totals: Mapping[tuple[str, str], Decimal]) -> list[dict[str, object]]:
    return [{"lot": lot, "place": place, "quantity": quantity} for (lot, place), quantity in totals.items()]


def _all_there(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise AdapterRefused("NO_BALANCE", f"{wanted - changed} of {wanted} balances do not exist")
