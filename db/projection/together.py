"""Rows of many tables by one statement: on its way a statement costs more time than PostgreSQL needs to run it.

Every change is a part `WITH part_0 AS (INSERT …), part_1 AS (UPDATE …) SELECT`. The parts of one statement see the
record as it was before it, so a table stands in a statement once: a row that is new in it cannot be changed in it.
Foreign keys are looked at when the whole statement is done: a link may stand before the lot that it names.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Executable, Table, Update, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert

from db.rows import as_json, insert_of, records
from db.tables import WorkOrder, core

_WORK_ORDERS: Final = core(WorkOrder)
_KEY: Final = "key_"

Row = Mapping[str, Any]


class _Part(NamedTuple):
    """New rows of a table with these columns, or, with a key, new values of these columns in the rows of the key."""

    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]


class Together:
    """Collects changes and writes them by as few statements as keep their order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parts: list[_Part] = []
        self._rows: list[list[dict[str, object]]] = []
        self._tables: set[Table] = set()

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """New rows; all have the same columns."""
        self._add(_Part(table, (), tuple(sorted(rows[0]))), rows)

    def update(self, table: Table, key: tuple[str, ...], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """New values in rows that exist; `rows` hold the key's columns and the others."""
        self._add(_Part(table, key, columns), [_keyed(row, key, columns) for row in rows])

    def _add(self, part: _Part, rows: Sequence[Row]) -> None:
        # What is confirmed at a work order keeps that one's version, so the work order has to be there before.
        is_read = _WORK_ORDERS in self._tables and "work_order" in part.columns
        if part.table in self._tables or is_read:
            self.write()
        self._parts.append(part)
        self._rows.append(as_json(rows))
        self._tables.add(part.table)

    def write(self) -> None:
        """Write what was collected."""
        if self._parts:
            parameters = {f"rows_{at}": rows for at, rows in enumerate(self._rows)}
            self._connection.execute(_statement(tuple(self._parts)), parameters)
        self._parts, self._rows, self._tables = [], [], set()


@lru_cache(maxsize=1024)
def _statement(parts: tuple[_Part, ...]) -> Executable:
    """Kept, because it is made and compiled slowly; an order's events need some forty of them."""
    changes = [_change(part, f"rows_{at}") for at, part in enumerate(parts)]
    if len(changes) == 1:
        return changes[0]
    return select(literal_column("1")).add_cte(*(own.cte(f"part_{at}") for at, own in enumerate(changes)))


def _change(part: _Part, parameter: str) -> Insert | Update:
    table, key, columns = part
    if not key:
        return insert_of(table, columns, parameter)
    types = {f"{_KEY}{name}": table.c[name].type for name in key} | {name: table.c[name].type for name in columns}
    new = records(bindparam(parameter, type_=JSONB), "new", types)
    return (
        update(table)
        .where(*(table.c[name] == new.c[f"{_KEY}{name}"] for name in key))
        .values({name: new.c[name] for name in columns})
    )


def _keyed(row: Row, key: tuple[str, ...], columns: tuple[str, ...]) -> dict[str, Any]:
    return {f"{_KEY}{name}": row[name] for name in key} | {name: row[name] for name in columns}
