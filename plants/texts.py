"""Reading the sources' texts. What cannot be read is named, never guessed and never dropped."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from domain.quantities import NotAPlainDecimal, exact, plain

_EXPONENT: Final = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?[eE][+-]?\d{1,2}")


@dataclass(frozen=True)
class Unreadable:
    """Something in a source file that cannot be used. `row` counts data rows from 1; 0 is the file itself."""

    row: int
    code: str
    detail: str


class SourceUnreadable(ValueError):
    """The file as a whole is not what it should be; the text says why."""


Row = Mapping[str, str]


def rows_of(path: Path, delimiter: str, required: frozenset[str]) -> Iterator[tuple[int, Row]]:
    """Every data row of a CSV file with its number from 1, cells stripped of the blanks around them.

    Cells that a short row lacks are empty; rows that are wholly empty are passed over. Raises `SourceUnreadable` when
    a required column is missing.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter, restval="")
        names = {name: (name or "").strip() for name in reader.fieldnames or ()}
        if missing := required - set(names.values()):
            raise SourceUnreadable(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
        for number, cells in enumerate(reader, start=1):
            row = {short: str(cells[name] or "").strip() for name, short in names.items()}
            if any(row.values()):
                yield number, row


def number_in(text: str) -> Decimal | None:
    """The plain decimal that a text is, or none."""
    try:
        return exact(text)
    except NotAPlainDecimal:
        return None


def whole_number_in(text: str) -> int | None:
    """The whole number that a text is (`12` or `12.0`), or none."""
    value = number_in(text)
    return int(value) if value is not None and value == value.to_integral_value() else None


def written_out(text: str) -> str:
    """A number in exponent notation (`7.08E-05` occurs) written out in full, `0.0000708`; any other text as it is."""
    if not _EXPONENT.fullmatch(text):
        return text
    return plain(Decimal(text))
