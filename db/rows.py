"""Many rows in one statement: they travel as one JSON parameter, so the statement's text never changes.

A multi-row VALUES would be compiled anew for every call, and planned anew for every number of rows.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, TableValuedAlias, bindparam, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.types import TypeEngine

from db.tables import WorkOrder, core
from domain.quantities import plain

_WORK_ORDERS = core(WorkOrder)


def table_of(rows: Sequence[Mapping[str, object]], name: str, /, **types: TypeEngine[Any]) -> TableValuedAlias:
    """Rows as a table inside a statement: one parameter and one statement, however many rows."""
    return records(literal(as_json(rows), JSONB), name, types)


def records(rows: ColumnElement[Any], name: str, types: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    """A JSON parameter, or an expression, as a table with columns of these types."""
    columns = [column(key, kind) for key, kind in types.items()]
    return func.jsonb_to_recordset(rows).table_valued(*columns, name=name).render_derived(name=name, with_types=True)


@lru_cache(maxsize=1024)
def insert_of(table: Table, columns: tuple[str, ...], parameter: str = "rows") -> Insert:
    """The statement that inserts rows with these columns; they are its parameter, written by `as_json`.

    Kept, because making a statement and its key in SQLAlchemy's cache takes longer than PostgreSQL needs to run it.
    What is confirmed at a work order keeps the version of the master batch record that the work order is made by.
    """
    new = records(bindparam(parameter, type_=JSONB), "new", {name: table.c[name].type for name in columns})
    chosen: list[ColumnElement[Any]] = [new.c[name] for name in columns]
    if "work_order" in columns and "record_version" in table.c and "record_version" not in columns:
        made_by = select(_WORK_ORDERS.c.record_version).where(_WORK_ORDERS.c.number == new.c.work_order)
        columns, chosen = (*columns, "record_version"), [*chosen, made_by.scalar_subquery()]
    return insert(table).from_select(columns, select(*chosen))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows by one statement; every row has the same columns."""
    if rows:
        connection.execute(insert_of(table, tuple(sorted(rows[0]))), {"rows": as_json(rows)})


def as_json(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Rows as the parameter of a statement takes them."""
    return [{key: _as_json(value) for key, value in row.items()} for row in rows]


def _as_json(value: object) -> object:
    """What PostgreSQL reads as the column's type; a dictionary is the content of a JSON column and stays."""
    match value:
        case Decimal():
            return plain(value)
        case date():  # a time is a date, too
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
