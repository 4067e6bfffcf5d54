"""What a schema change takes away: the content of every table and column before, compared with what is there after.

A downgrade is judged by what it does, not by what its author thought of: it runs in its transaction, both contents
are compared, and where something is gone the transaction is rolled back with a refusal that names all of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Connection, text

from domain.errors import Blocker, Refused

_PATIENCE = "15s"
_COLUMNS: Final = text(
    """
    SELECT c.relname AS table_name, a.attname AS column_name, pg_get_expr(d.adbin, d.adrelid) AS usual
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
    ORDER BY 1, a.attnum
    """
)


@dataclass(frozen=True)
class Column:
    """What stands in one column: values that are not NULL, those that are not its default, and a sum of hashes."""

    values: int
    unusual: int
    digest: str


@dataclass(frozen=True)
class Table:
    """Rows of one table, and what stands in its columns by name."""

    rows: int
    columns: Mapping[str, Column]


Content = Mapping[str, Table]


def made_again(revisions: Iterable[ModuleType]) -> dict[str, str]:
    """Table → SQL condition for rows that migrations make themselves (`MADE_AGAIN`): to drop those loses nothing."""
    found: dict[str, str] = {}
    for module in revisions:
        found |= getattr(module, "MADE_AGAIN", {})
    return found


def hold(connection: Connection) -> None:
    """Keep everybody else out of all tables until the transaction ends: what is counted is what is taken away."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    tables = sorted({row.table_name for row in connection.execute(_COLUMNS)})
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
    if tables:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(map(quote, tables))} IN ACCESS EXCLUSIVE MODE")


def content(connection: Connection, ignored: Mapping[str, str]) -> Content:
    """What stands in the schema `public`, without the `ignored` rows. One statement per table, each a full scan."""
    columns: dict[str, dict[str, str | None]] = {}
    for row in connection.execute(_COLUMNS):
        columns.setdefault(row.table_name, {})[row.column_name] = row.usual
    return {table: _table(connection, table, found, ignored.get(table)) for table, found in columns.items()}


def _table(connection: Connection, table: str, columns: Mapping[str, str | None], ignored: str | None) -> Table:
    quote = connection.dialect.identifier_preparer.quote_identifier
    parts = ["count(*)"]
    for name, usual in columns.items():
        # A default that is computed (a clock, a sequence) is not made again as it was.
        constant = usual is not None and "(" not in usual
        condition = f"{quote(name)} IS DISTINCT FROM {usual}" if constant else f"{quote(name)} IS NOT NULL"
        # The sum of hashes does not depend on the order of the rows.
        digest = f"coalesce(sum(hashtextextended({quote(name)}::text, 0)::numeric), 0)::text"
        parts += [f"count({quote(name)})", f"count(*) FILTER (WHERE {condition})", digest]
    where = f" WHERE NOT ({ignored})" if ignored else ""
    # Names come from the catalogue and are quoted; a colon in a cast is not a parameter for the driver.
    rows, *values = connection.exec_driver_sql(f"SELECT {', '.join(parts)} FROM {quote(table)}{where}").one()
    triples: list[Any] = [Column(*values[index : index + 3]) for index in range(0, len(values), 3)]
    return Table(rows, dict(zip(columns, triples, strict=True)))


def losses(before: Content, after: Content) -> tuple[Blocker, ...]:
    """Everything that was there before and is not, or not as it was, after."""
    found: list[Blocker] = []
    for name, table in before.items():
        now = after.get(name)
        if now is None or now.rows < table.rows:
            gone = table.rows - (now.rows if now else 0)
            if gone:
                found.append(_lost("table", name, f"{gone} rows would be gone"))
            continue
        found += [loss for column in table.columns if (loss := _column(name, column, table, now)) is not None]
    return tuple(found)


def _column(table: str, name: str, before: Table, after: Table) -> Blocker | None:
    was, now = before.columns[name], after.columns.get(name)
    if now is None:
        return _lost("column", f"{table}.{name}", f"{was.unusual} values would be gone") if was.unusual else None
    if now.values < was.values or (after.rows == before.rows and now != was and now.digest != was.digest):
        return _lost("column", f"{table}.{name}", f"values among {was.values} would be changed")
    return None


def refuse_loss(before: Content, after: Content) -> None:
    """Raise `domain.errors.Refused` with one DATA_WOULD_BE_LOST for each table and column, if there is any."""
    found = losses(before, after)
    if found:
        raise Refused(found)


def _lost(entity: str, name: str, found: str) -> Blocker:
    required = "nothing to lose, or the explicit option to lose it (--lose-data) after a backup"
    return Blocker(
        code="DATA_WOULD_BE_LOST", entity=entity, id=name, found=found, required=required,
        who_can_fix="owner of the database",
    )  # fmt: skip
