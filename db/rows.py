"""Many rows in one statement: they travel as one JSON parameter, so the statement's text never changes.

A multi-row VALUES would be compiled anew for every call, and planned anew for every number of rows.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, TableValuedAlias, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.types import TypeEngine

from domain.quantities import plain


def table_of(rows: Sequence[Mapping[str, object]], name: str, /, **types: TypeEngine[Any]) -> TableValuedAlias:
    """Rows as a table inside a statement: one parameter and one statement, however many rows."""
    as_json = [{key: _as_json(value) for key, value in row.items()} for row in rows]
    columns = [column(key, kind) for key, kind in types.items()]
    return (
        func.jsonb_to_recordset(literal(as_json, JSONB))
        .table_valued(*columns, name=name)
        .render_derived(name=name, with_types=True)
    )


def insert_of(table: Table, rows: Sequence[Mapping[str, object]]) -> Insert:
    """The statement that inserts rows, at least one; every row has the same columns."""
    names = sorted(rows[0])
    new = table_of(rows, "new", **{name: table.c[name].type for name in names})
    return insert(table).from_select(names, select(*(new.c[name] for name in names)))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows by one statement; every row has the same columns."""
    if rows:
        connection.execute(insert_of(table, rows))


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
