"""A seeded genealogy of any size: lots in levels, three links each, one raw lot that very many lots come from.

Rows are written by COPY into the product's own tables, as its own transactions would have left them: a receipt or a
production move for every lot, a link and the move that caused it for every consumption.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

from domain.base import uuid_for

LEVELS: Final = 8
"""Raw lots are level 0: a trace over all of them passes seven links."""
LINKS_OF_A_LOT: Final = 3
HOT: Final = "HOT-RAW"
FAMILY_SHARE: Final = 10
"""At most the tenth part of all lots descends from the hot lot."""
BEGUN: Final = datetime(2025, 1, 1, tzinfo=UTC)
_PLACES: Final = {"SUPPLIER": "outside", "PROCESS": "outside", "RECEIVING": "quarantine", "LINE": "line"}
_COLUMNS: Final = {
    "lot": ("number", "material", "unit", "status", "origin", "work_order", "created_at"),
    "stock_move": (
        "key", "lot", "from_place", "to_place", "quantity", "unit", "kind", "work_order", "actor", "moved_at"
    ),
    "lot_link": ("key", "input_lot", "output_lot", "quantity", "unit", "work_order", "operation", "linked_at"),
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """`lots` in all; `family` of them descend from the hot lot, on every level but the lowest."""

    lots: int
    hot_descendants: int = 10_000
    seed: int = 1

    @property
    def family(self) -> int:
        """How many lots descend from the hot lot: the share of a small genealogy, the whole number of a large one."""
        return min(self.hot_descendants, self.lots // FAMILY_SHARE)


class Made(NamedTuple):
    """A lot and what it was made from; a raw lot was made from nothing."""

    number: str
    level: int
    at: datetime
    inputs: tuple[str, ...]


def lots(size: Size) -> Iterator[Made]:
    """The lots, level by level; the same seed gives the same ones.

    Every made lot takes three lots of the level below it, some a fourth, so that there are three links for every lot.
    Neighbours share lots, as in a plant. A lot of the hot family takes two of the family; nobody else takes one of it.
    """
    chosen = random.Random(size.seed)
    family_of_level = _shares(size.family, LEVELS - 1)
    level_sizes = _shares(size.lots - size.family - 1, LEVELS)
    made, links, wanted = size.lots - level_sizes[0] - 1, 0, LINKS_OF_A_LOT * size.lots
    second = timedelta(seconds=1)
    at = BEGUN
    yield Made(HOT, 0, at, ())
    below: list[str] = [f"G0-{index:07}" for index in range(level_sizes[0])]
    for number in below:
        yield Made(number, 0, at := at + second, ())
    family_below = [HOT]
    for level in range(1, LEVELS):
        here = [f"G{level}-{index:07}" for index in range(level_sizes[level])]
        family = [f"F{level}-{index:07}" for index in range(family_of_level[level - 1])]
        for index, number in enumerate([*here, *family]):
            count = -(-(wanted - links) // made)
            of_family = family_below[:] if len(family_below) < 2 else chosen.sample(family_below, 2)
            inputs = of_family if index >= len(here) else []
            inputs = [*inputs, *_near(chosen, below, index / (len(here) + len(family)), count - len(inputs))]
            links, made = links + len(inputs), made - 1
            yield Made(number, level, at := at + second, tuple(inputs))
        below, family_below = here, family or family_below


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]


def _near(chosen: random.Random, below: list[str], share: float, count: int) -> list[str]:
    """Different lots of the level below, from the same part of the plant's history."""
    middle, reach = int(share * len(below)), max(count, 40)
    low = max(0, min(middle - reach, len(below) - 2 * reach))
    return chosen.sample(below[low : low + 2 * reach], min(count, len(below)))


def write(owner_url: str, size: Size, advance: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Write the genealogy into an empty, migrated database; gives the rows by table. `advance` is told lots done.

    `owner_url` is a superuser's: foreign keys are not checked row by row (they hold by construction), and secondary
    indexes are made when the rows are there.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET synchronous_commit = off")
        _master_data(connection)
        with _without_indexes(connection):
            counts = {name: _copy(connection, name, rows) for name, rows in _tables(size, advance)}
        for name in _COLUMNS:
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))
        connection.execute("CHECKPOINT")
    return counts


def _master_data(connection: psycopg.Connection) -> None:
    for code, zone in _PLACES.items():
        connection.execute("INSERT INTO place (code, name, zone) VALUES (%s, %s, %s)", (code, code.title(), zone))
    for level in range(LEVELS):
        code = f"LEVEL-{level}"
        connection.execute(
            "INSERT INTO material (code, uuid, name, kind, unit, is_active) VALUES (%s, %s, %s, %s, 'kg', true)",
            (code, uuid_for("material", code), code.title(), _kind(level)),
        )


def _kind(level: int) -> str:
    return {0: "raw", LEVELS - 1: "finished"}.get(level, "semiFinished")


@contextmanager
def _without_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """The indexes that guard no constraint are dropped and made again."""
    found = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique",
        (list(_COLUMNS),),
    ).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _, definition in found:
        connection.execute(definition)


def _tables(size: Size, advance: Callable[[int], None]) -> Iterator[tuple[str, Iterable[tuple[object, ...]]]]:
    """Table → its rows, one table after the other: a connection copies into one at a time."""
    for name, rows_of in (("lot", _lot), ("stock_move", _moves), ("lot_link", _links)):
        yield name, (row for made in _counted(lots(size), advance) for row in rows_of(made))


def _counted(found: Iterable[Made], advance: Callable[[int], None]) -> Iterator[Made]:
    step = 1000
    for count, made in enumerate(found, 1):
        yield made
        if count % step == 0:
            advance(step)


def _copy(connection: psycopg.Connection, name: str, rows: Iterable[tuple[object, ...]]) -> int:
    columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[name]))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), columns)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


def _lot(made: Made) -> Iterator[tuple[object, ...]]:
    origin = "produced" if made.inputs else "received"
    yield (made.number, f"LEVEL-{made.level}", "kg", "released", origin, _order(made), made.at)


def _moves(made: Made) -> Iterator[tuple[object, ...]]:
    for place, lot in enumerate(made.inputs):
        key = f"{made.number}/{place}"
        yield (key, lot, "LINE", "PROCESS", place + 1, "kg", "consume", _order(made), "bench", made.at)
    came = ("PROCESS", "LINE", 6, "kg", "produce") if made.inputs else ("SUPPLIER", "RECEIVING", 100, "kg", "receive")
    yield (f"{made.number}/in", made.number, *came, _order(made), "bench", made.at)


def _links(made: Made) -> Iterator[tuple[object, ...]]:
    for place, lot in enumerate(made.inputs):
        key = f"{made.number}/{place}"
        yield (key, lot, made.number, place + 1, "kg", _order(made), "STEP", made.at)


def _order(made: Made) -> str | None:
    return f"W-{made.number}" if made.inputs else None
