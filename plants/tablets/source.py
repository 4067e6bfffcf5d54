"""Reads the source: `laboratory.csv` and, where they are there, `process.csv` and `normalization.csv` beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

from plants.tablets.formula import strength_mg
from plants.texts import Row, Unreadable, number_in, rows_of, whole_number_in

LOT_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "API": ("api_code", "api_batch"),
    "SMCC": ("smcc_batch",),
    "LAC": ("lactose_batch",),
    "STA": ("starch_batch",),
}
"""Material → the columns that together are its lot number."""
LOT_PREFIX: Final = "FCT-"
"""Before the batch number in the number of a finished lot; the press knows the bare batch number."""
RENAMED: Final = {"resodual_solvent": "residual_solvent"}
"""The source's misspelling → our name."""
_REQUIRED: Final = frozenset(
    {"batch", "code", "strength", "size", *(name for names in LOT_COLUMNS.values() for name in names)}
)
_PER: Final = Decimal(100_000)  # `process.csv` counts waste per so many tablets, by the factors of `normalization.csv`


@dataclass(frozen=True)
class Batch:
    """One row of `laboratory.csv`: a finished batch, what it was made of, and what was measured."""

    row: int
    number: int
    code: str
    strength: Decimal
    size: int
    lots: Mapping[str, str]
    """Material → lot number."""
    cells: Row
    process: Row = field(default_factory=dict)
    normal_size: int | None = None
    """The batch size that `normalization.csv` gives for the product code."""

    @property
    def product(self) -> str:
        """The product's material code."""
        return product_code(self.code)

    @property
    def order_number(self) -> str:
        """The number of the production order."""
        return f"TAB-{self.number:05d}"

    @property
    def finished_lot(self) -> str:
        """The lot number of the finished tablets."""
        return f"{LOT_PREFIX}{self.number}"

    def share(self, column: str) -> Decimal | None:
        """The tablets that a percentage of the batch size is, rounded half up; none if it was not measured."""
        percent = number_in(self.cells.get(column, ""))
        return None if percent is None or percent < 0 else _whole(self.size * percent / 100)

    def waste(self) -> Decimal:
        """Tablets rejected while compressing; 0 if `process.csv` does not say.

        The source divides the press's own count by the product's normalisation factor; this multiplies it back.
        """
        counted = number_in(self.process.get("total_waste", ""))
        return (
            Decimal(0) if counted is None or counted < 0 else _whole(counted * (self.normal_size or self.size) / _PER)
        )

    def disagreements(self) -> list[str]:
        """What this row and the rest of the data do not agree about."""
        found = []
        if self.normal_size is not None and self.normal_size != self.size:
            found.append(
                f"batch size {self.size} in laboratory.csv, {self.normal_size} in normalization.csv for product code "
                f"{self.code}; the batch's own size is used"
            )
        if (other := self.process.get("code", "")) and other != self.code:
            found.append(f"product code {self.code} in laboratory.csv, {other} in process.csv; the first is used")
        return found


@dataclass(frozen=True)
class Source:
    """All batches of a folder that can be read, and the rows that cannot."""

    batches: tuple[Batch, ...]
    unreadable: tuple[Unreadable, ...]


def product_code(code: str) -> str:
    """The material code of a product code of the source."""
    return f"TABLET-{code}"


def read(directory: Path) -> Source:
    """Read a folder. Raises `SourceUnreadable` if a file lacks a column, OSError if `laboratory.csv` is not there."""
    process = _beside(directory / "process.csv", "batch")
    normal = _beside(directory / "normalization.csv", "Product code")
    batches: dict[int, Batch] = {}
    unreadable: list[Unreadable] = []
    for row, cells in rows_of(directory / "laboratory.csv", ";", _REQUIRED):
        found = _batch(row, cells, process, normal)
        if isinstance(found, Unreadable):
            unreadable.append(found)
        elif found.number in batches:
            detail = f"batch {found.number} stands in row {batches[found.number].row} already"
            unreadable.append(Unreadable(row, "DUPLICATE_BATCH", detail))
        else:
            batches[found.number] = found
    return Source(tuple(batches.values()), tuple(unreadable))


def _beside(path: Path, key: str) -> dict[str, Row]:
    if not path.exists():
        return {}
    return {cells[key]: cells for _, cells in rows_of(path, ";", frozenset({key}))}


def _batch(row: int, cells: Row, process: Mapping[str, Row], normal: Mapping[str, Row]) -> Batch | Unreadable:
    number, size = whole_number_in(cells["batch"]), whole_number_in(cells["size"])
    strength = strength_mg(cells["strength"])
    parts = {material: [cells[name] for name in names] for material, names in LOT_COLUMNS.items()}
    missing = [name for names in LOT_COLUMNS.values() for name in names if not cells[name]]
    label = f"batch {cells['batch'] or '(none)'}"
    if number is None or number <= 0:
        return Unreadable(row, "BATCH_UNREADABLE", f"{label}: the batch number is not a whole number above 0")
    if size is None or size <= 0:
        return Unreadable(row, "SIZE_UNREADABLE", f"{label}: size {cells['size']!r} is not a number of tablets")
    if strength is None or not cells["code"]:
        found = f"strength {cells['strength']!r}, product code {cells['code']!r}"
        return Unreadable(row, "PRODUCT_UNREADABLE", f"{label}: {found}")
    if missing:
        return Unreadable(row, "LOT_MISSING", f"{label}: no value in {', '.join(missing)}")
    return Batch(
        row=row,
        number=number,
        code=cells["code"],
        strength=strength,
        size=size,
        lots={material: "-".join((material, *values)) for material, values in parts.items()},
        cells={RENAMED.get(name, name): text for name, text in cells.items()},
        process=process.get(cells["batch"], {}),
        normal_size=whole_number_in(normal.get(cells["code"], {}).get("Batch Size (tablets)", "")),
    )


def _whole(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1), rounding=ROUND_HALF_UP)
