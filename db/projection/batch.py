"""Collects what a batch of facts changes, so that many events become few statements."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, update
from sqlalchemy.dialects.postgresql import insert as upsert

from db import audit, register
from db.projection.telling import told
from db.projection.together import Together
from db.rows import insert_rows
from db.tables import OUTSIDE_PLACES, StockBalance, StockMove, core

Key = tuple[tuple[str, Any], ...]

_MOVES, _BALANCES = core(StockMove), core(StockBalance)


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

    def flush(self, connection: Connection) -> None:
        """Write everything; the audit rows come last, because their chain is locked until the commit."""
        together = Together(connection)
        for table, rows in self._inserts.items():
            columns = {column for row in rows for column in row}
            together.insert(table, [{column: row.get(column) for column in columns} for row in rows])
        for table, changes in self._updates.items():
            _update(together, table, changes)
        together.write()
        for table, sums in self._sums.items():
            for key, amounts in sums.items():
                added = {column: table.c[column] + amount for column, amount in amounts.items()}
                connection.execute(update(table).where(*_matches(table, key)).values(added))
        for work in self._works:
            self.entries += work(connection)
        self._flush_moves(connection)
        self.entries += register.free_all(connection, self._left)
        audit.append(connection, told(self.entries, self._written))

    def _flush_moves(self, connection: Connection) -> None:
        if not self._moves:
            return
        insert_rows(connection, _MOVES, self._moves)
        changes: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for move in self._moves:
            changes[move["lot"], move["from_place"]] -= move["quantity"]
            changes[move["lot"], move["to_place"]] += move["quantity"]
        # Everybody locks balances in the order of lot and place, so that nobody waits in a circle.
        for (lot, place), change in sorted(changes.items()):
            if place in OUTSIDE_PLACES or change == 0:
                continue
            if change < 0:
                # The CHECK refuses to take more than there is.
                connection.execute(
                    update(_BALANCES)
                    .where(_BALANCES.c.lot == lot, _BALANCES.c.place == place)
                    .values(on_hand=_BALANCES.c.on_hand + change)
                )
                continue
            connection.execute(
                upsert(_BALANCES)
                .values(lot=lot, place=place, on_hand=change, reserved=0)
                .on_conflict_do_update(index_elements=["lot", "place"], set_={"on_hand": _BALANCES.c.on_hand + change})
            )


def _update(together: Together, table: Table, changes: dict[Key, dict[str, Any]]) -> None:
    """Rows that change the same columns are one part of a statement."""
    by_shape: dict[tuple[tuple[str, ...], tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
    for key, values in changes.items():
        by_shape[tuple(name for name, _ in key), tuple(sorted(values))].append({**dict(key), **values})
    for (key_names, columns), rows in by_shape.items():
        together.update(table, key_names, columns, rows)


def _matches(table: Table, key: Key) -> list[Any]:
    return [table.c[name] == value for name, value in key]
