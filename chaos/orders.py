"""As many orders as are asked for: rows of a plant's own files, drawn by the seed, repeated under new numbers."""

import csv
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

Row = dict[str, str]
_ROUND: Final = 10_000
"""A batch that is made again has this added to its number."""


def tablets(source: Path, orders: int, dice: random.Random, to: Path) -> Path:
    """A folder like `source` with so many batches. Raises OSError when `source` has no `laboratory.csv`."""
    to.mkdir(parents=True, exist_ok=True)
    rows, names = _read(source / "laboratory.csv", ";")
    drawn = _drawn(rows, orders, dice)
    _write(to / "laboratory.csv", ";", names, (row | {"batch": _batch(row["batch"], again)} for row, again in drawn))
    numbers = [(row["batch"].strip(), again) for row, again in drawn]
    for name in ("process.csv", "press_timeseries.csv"):
        if (source / name).exists():
            _beside(source / name, to / name, numbers)
    if (source / "normalization.csv").exists():
        (to / "normalization.csv").write_bytes((source / "normalization.csv").read_bytes())
    return to


def jobshop(source: Path, orders: int, dice: random.Random, to: Path, first: Sequence[Row] = ()) -> Path:
    """A file like `source` with so many work orders, behind the rows of `first`. Raises OSError."""
    to.parent.mkdir(parents=True, exist_ok=True)
    rows, names = _read(source, ",")
    heads = [{"work_order": number} for number in dict.fromkeys(row["work_order"] for row in rows)]
    made = [
        row | {"work_order": f"{row['work_order']}-{again}" if again else row["work_order"]}
        for head, again in _drawn(heads, orders, dice)
        for row in rows
        if row["work_order"] == head["work_order"]
    ]
    _write(to, ",", names, [*first, *made])
    return to


def _drawn(rows: Sequence[Row], orders: int, dice: random.Random) -> list[tuple[Row, int]]:
    """Rows in the order of the source, each with how often it has been drawn before."""
    found: list[tuple[Row, int]] = []
    again = 0
    while rows and len(found) < orders:
        chosen = sorted(dice.sample(range(len(rows)), min(len(rows), orders - len(found))))
        found += [(rows[at], again) for at in chosen]
        again += 1
    return found


def _batch(number: str, again: int) -> str:
    return str(int(number) + again * _ROUND) if again else number


def _beside(source: Path, to: Path, numbers: Sequence[tuple[str, int]]) -> None:
    rows, names = _read(source, ";")
    of: Callable[[str], list[Row]] = lambda number: [row for row in rows if row["batch"].strip() == number]  # noqa: E731
    _write(to, ";", names, (row | {"batch": _batch(number, again)} for number, again in numbers for row in of(number)))


def _read(path: Path, delimiter: str) -> tuple[list[Row], list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter, restval="")
        return list(reader), list(reader.fieldnames or ())


def _write(path: Path, delimiter: str, names: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, delimiter=delimiter, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
