"""The quality history of the tablet plant for a score of risk, from its files, in the order in which batches began.

What a batch has is what the plant's record has of it before its release test: the results of its four incoming lots and
the means of its compression (`characteristics.py`).
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.risk import Example
from plants.tablets.characteristics import INCOMING, PROCESS_COLUMNS

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar", "apr", "maj may", "jun", "jul", "avg aug", "sep", "okt oct", "nov", "dec"), start=1
    )
    for name in names.split()
}
"""Months as the source writes them: its people speak Slovenian."""
_MISSPELT: Final = {"residual_solvent": "resodual_solvent"}


def history(laboratory: Path, process: Path, characteristic: str, limit: float, *, above: bool) -> list[Example]:
    """Every batch whose result of a release characteristic is known; bad is beyond the limit. Raises `OSError`."""
    runs = {row["batch"]: row for row in _rows(process)}
    column = _MISSPELT.get(characteristic, characteristic)
    found: list[tuple[tuple[int, int, int], Example]] = []
    for row in _rows(laboratory):
        result = _number(row[column])
        if result is None:
            continue
        month, year = row["start"].split(".")
        values = dict(_values(row, runs.get(row["batch"], {})))
        bad = result > limit if above else result < limit
        began = (int(year), MONTHS[month], int(row["batch"]))
        found.append((began, Example(batch=row["batch"], values=values, bad=bad)))
    return [own for _, own in sorted(found, key=lambda one: one[0])]


def names() -> list[str]:
    """Names of all values, as the record has them."""
    incoming = [name for limits in INCOMING.values() for name in limits]
    return [*incoming, *(name for name, _ in PROCESS_COLUMNS.values())]


def _values(row: dict[str, str], run: dict[str, str]) -> Iterator[tuple[str, float]]:
    cells = {name: row.get(name, "") for limits in INCOMING.values() for name in limits}
    cells |= {name: run.get(column, "") for column, (name, _) in PROCESS_COLUMNS.items()}
    for name, text in cells.items():
        number = _number(text)
        if number is not None:
            yield name, number


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
