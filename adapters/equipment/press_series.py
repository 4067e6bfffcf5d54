"""Recorded runs of a tablet press: reads a press time series and knows where a run really ends.

The source's counters need care. `produced` counts thousands of tablets (it ends at 953 for a batch of 960,000), `waste`
counts single tablets, and after the run both fall back to 0. So counts are summed from the rises, never read off the
last row.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from adapters.equipment.port import Quality
from domain.quantities import NotAPlainDecimal, exact

TAGS: Final[Mapping[str, str]] = {
    "tbl_speed": "1000 tablets/h",
    "fom": "rpm",
    "main_comp": "kN",
    "tbl_fill": "mm",
    "SREL": "%",
    "pre_comp": "kN",
    "produced": "1000 tablets",
    "waste": "tablets",
    "cyl_main": "mm",
    "cyl_pre": "mm",
    "stiffness": "N",
    "ejection": "N",
}
"""Every sensor of the press and its unit, in the order of the source's columns."""

PIECES_PER_PRODUCED: Final = 1000
_NOMINAL_STEP: Final = timedelta(seconds=10)
_COLUMNS: Final = frozenset({"timestamp", "batch", *TAGS})


class SeriesUnreadable(ValueError):
    """The file is not a press time series; the text says which row or column is wrong."""


@dataclass(frozen=True)
class PressRow:
    """One moment: `offset` since the run's first row, the texts as recorded, pieces counted up to here."""

    offset: timedelta
    recorded_at: str
    texts: Mapping[str, str]
    quality: Quality
    good: int
    waste: int


@dataclass(frozen=True)
class PressRun:
    """The recorded run of one batch, from its first row to the first row at rest after the last tablet."""

    batch: str
    rows: Sequence[PressRow]

    @property
    def duration(self) -> timedelta:
        """How long the run took when it was recorded."""
        return self.rows[-1].offset


def read_series(path: Path) -> dict[str, PressRun]:
    """Read every run of a file, by batch number.

    Raises `SeriesUnreadable` for a missing column, a time that is none, or a counter that is no number.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=";")
        missing = _COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise SeriesUnreadable(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
        raw = sorted(reader, key=lambda row: row["batch"])  # stable: rows of a batch stay in their order
    return {batch: _run(batch, list(rows)) for batch, rows in groupby(raw, key=lambda row: row["batch"])}


def accumulated(counter: Iterable[Decimal]) -> list[Decimal]:
    """Running totals of a counter that may be set back to 0: a fall starts a new count on top of the old one."""
    total, before, totals = Decimal(0), Decimal(0), []
    for value in counter:
        total += value - before if value >= before else value
        before = value
        totals.append(total)
    return totals


def _run(batch: str, raw: list[dict[str, str]]) -> PressRun:
    produced = accumulated(_counter(batch, row, "produced") for row in raw)
    waste = accumulated(_counter(batch, row, "waste") for row in raw)
    offsets = _offsets(batch, raw)
    rows = [
        PressRow(
            offset=offset,
            recorded_at=row["timestamp"],
            texts={tag: row[tag] for tag in TAGS if _is_number(row[tag])},
            quality=_quality(row),
            good=int(good * PIECES_PER_PRODUCED),
            waste=int(bad),
        )
        for row, offset, good, bad in zip(raw, offsets, produced, waste, strict=True)
    ]
    return PressRun(batch, tuple(rows[: _length(rows)]))


def _length(rows: Sequence[PressRow]) -> int:
    """Rows up to the end of the run: speed 0 and no counter rising from there on. At least one row."""
    last = 0
    for index, (before, row) in enumerate(pairwise(rows), start=1):
        moving = Decimal(row.texts.get("tbl_speed", "0")) > 0
        if moving or row.good > before.good or row.waste > before.waste:
            last = index
    return min(last + 2, len(rows))


def _offsets(batch: str, raw: list[dict[str, str]]) -> list[timedelta]:
    """Times since the first row, strictly rising.

    The source has local time without a zone; where the clock was set back, rows go on in nominal steps.
    """
    try:
        times = [datetime.fromisoformat(row["timestamp"]) for row in raw]
    except ValueError as error:
        raise SeriesUnreadable(f"batch {batch}: {error}") from error
    offsets = [timedelta(0)]
    for before, moment in pairwise(times):
        step = moment - before
        offsets.append(offsets[-1] + (step if step > timedelta(0) else _NOMINAL_STEP))
    return offsets


def _counter(batch: str, row: dict[str, str], name: str) -> Decimal:
    try:
        return exact(row[name])
    except NotAPlainDecimal as error:
        raise SeriesUnreadable(f"batch {batch} at {row['timestamp']}: {name}: {error}") from error


def _is_number(text: str) -> bool:
    try:
        exact(text)
    except NotAPlainDecimal:
        return False
    return True


def _quality(row: Mapping[str, str]) -> Quality:
    if any(row[tag] and not _is_number(row[tag]) for tag in TAGS):
        return Quality.BAD
    return Quality.UNCERTAIN if any(not row[tag] for tag in TAGS) else Quality.GOOD
