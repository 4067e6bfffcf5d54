"""Collects what a batch of facts changes, so that many events become few statements."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Table, Update, bindparam, update
from sqlalchemy.dialects.postgresql import insert as upsert

from db import audit, register
from db.projection.telling import told
from db.projection.together import Together
from db.rows import insert_rows
from db.tables import OUTSIDE_PLACES, StockBalance, StockMove, core

Key = tuple[tuple[str, Any], ...]
FactRows = tuple[Table, Sequence[dict[str, Any]]]
"""Where facts are kept, and their rows."""

_MOVES, _BALANCES = core(StockMove), core(StockBalance)
_CHANGE: Final = bindparam("change", type_=_BALANCES.c.on_hand.type)
_TAKE: Final = (
    update(_BALANCES)
    .where(_BALANCES.c.lot == bindparam("of_lot"), _BALANCES.c.place == bindparam("at_place"))
    .values(on_hand=_BALANCES.c.on_hand + _CHANGE)
)
_PUT: Final = (
    upsert(_BALANCES)
    .values(lot=bindparam("of_lot"), place=bindparam("at_place"), on_hand=_CHANGE, reserved=0)
    .on_conflict_do_update(index_elements=["lot", "place"], set_={"on_hand": _BALANCES.c.on_hand + _CHANGE})
)
"""Made once: making them takes longer than running them."""


class Batch:
    """Rows to insert, rows to update, stock to move, audit entries: written in one go, in a fixed order."""

    def __init__(self) -> None:
        self._inserts: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._updates: dict[Table, dict[Key, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
        self._sums: dict[Table, dict[Key, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(dict))
        self._moves: list[dict[str, Any]] = []
        self._works: list[Callable[[Connection], list[audit.Entry]]] = []
        self._left: list[register.Left] = []
        self._written: list[tuple[Table, dict[str, Any]]] = []
        self.entries: list[audit.Entry] = []

    def insert(self, table: Table, **values: Any) -> None:
        """A new row."""
        self._written.append((table, values))
        self._inserts[table].append(values)

    def update(self, table: Table, key: dict[str, Any], **values: Any) -> None:
        """Change columns of one row; a later change of the same row joins an earlier one."""
        self._written.append((table, {**key, **values}))
        self._updates[table][tuple(sorted(key.items()))].update(values)

    def add(self, table: Table, key: dict[str, Any], **amounts: Decimal) -> None:
        """Add amounts to columns of one row."""
        row = self._sums[table][tuple(sorted(key.items()))]
        for column, amount in amounts.items():
            row[column] = row.get(column, Decimal(0)) + amount

    def move(self, **values: Any) -> None:
        """A stock move; the balances of its places follow."""
        self._written.append((_MOVES, values))
        self._moves.append(values)

    def wrote(self, table: Table, **values: Any) -> None:
        """A row that somebody else has written: the audit trail tells it, too."""
        self._written.append((table, values))

    def then(self, work: Callable[[Connection], list[audit.Entry]]) -> None:
        """Work that must read before it can write, such as to draw a number: after the rows, before the stock."""
        self._works.append(work)

    def free(self, left: register.Left) -> None:
        """An operation has ended: what it occupied is freed when its row says so."""
        self._left.append(left)

    def flush(self, connection: Connection, last: audit.Last | None = None, facts: FactRows | None = None) -> None:
        """Write everything, facts that are not there yet before all else, and `last` with the audit rows at the end:
        their chain is locked until the commit."""
        together = Together(connection)
        if facts is not None:
            together.insert(*facts)
        for table, rows in self._inserts.items():
            columns = {column for row in rows for column in row}
            together.insert(table, [{column: row.get(column) for column in columns} for row in rows])
        for table, changes in self._updates.items():
            _update(together, table, changes)
        together.write()
        for table, sums in self._sums.items():
            for key, amounts in sums.items():
                names = tuple(name for name, _ in key)
                values = {f"key_{name}": value for name, value in key} | {
                    f"add_{name}": n for name, n in amounts.items()
                }
                connection.execute(_addition(table, names, tuple(amounts)), values)
        for work in self._works:
            self.entries += work(connection)
        self._flush_moves(connection)
        self.entries += register.free_all(connection, self._left)
        audit.append(connection, told(self.entries, self._written), last)

    def _flush_moves(self, connection: Connection) -> None:
        if not self._moves:
            return
        insert_rows(connection, _MOVES, self._moves)
        changes: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for move in self._moves:
            changes[move["lot"], move["from_place"]] -= move["quantity"]
            changes[move["lot"], move["to_place"]] += move["quantity"]
        # Everybody locks balances in the order of lot and place, so that nobody waits in a circle.
        ordered = [own for own in sorted(changes.items()) if own[0][1] not in OUTSIDE_PLACES and own[1] != 0]
        # Neighbours of one kind travel together, in their order. The CHECK refuses to take more than there is.
        for is_taken, of_kind in groupby(ordered, lambda own: own[1] < 0):
            rows = [{"of_lot": lot, "at_place": place, "change": change} for (lot, place), change in of_kind]
            connection.execute(_TAKE if is_taken else _PUT, rows)


def _update(together: Together, table: Table, changes: dict[Key, dict[str, Any]]) -> None:
    """Rows that change the same columns are one part of a statement."""
    by_shape: dict[tuple[tuple[str, ...], tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
    for key, values in changes.items():
        by_shape[tuple(name for name, _ in key), tuple(sorted(values))].append({**dict(key), **values})
    for (key_names, columns), rows in by_shape.items():
        together.update(table, key_names, columns, rows)


@lru_cache(maxsize=256)
def _addition(table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Update:
    """The statement that adds to columns of one row; kept, because it is made slowly."""
    return (
        update(table)
        .where(*(table.c[name] == bindparam(f"key_{name}") for name in key))
        .values({name: table.c[name] + bindparam(f"add_{name}", type_=table.c[name].type) for name in columns})
    )
