"""The figures of a product quality review: what a year's batches of one product have shown (CN 266; QL-13)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.spc import capability, individuals

UNFINISHED: Final = ("aborted", "cancelled")
"""Batches that made nothing to judge a yield by; they are listed."""
OUT_OF_SPECIFICATION: Final = ("OUT_OF_SPECIFICATION", "REWORK_OUT_OF_SPECIFICATION")


@dataclass(frozen=True)
class ReviewedBatch:
    """A batch that ended in the year. `good` became stock of its lot; quantities are in `unit`."""

    work_order: str
    order_number: str
    lot: str
    state: str
    lot_status: str | None
    ended_at: datetime
    quantity: Decimal
    good: Decimal
    scrap: Decimal
    unit: str

    @property
    def yield_percent(self) -> Decimal | None:
        """Good of what was ordered, in percent; none for a batch that was not finished."""
        if self.state in UNFINISHED or self.quantity <= 0:
            return None
        return self.good * 100 / self.quantity


@dataclass(frozen=True)
class ReviewedDeviation:
    """A deviation about one of the batches."""

    number: str
    code: str
    detail: str
    state: str
    decision: str | None
    work_order: str | None
    lot: str | None
    opened_at: datetime

    @property
    def is_out_of_specification(self) -> bool:
        """Whether it is about a result outside its specification."""
        return self.code in OUT_OF_SPECIFICATION


@dataclass(frozen=True)
class ReviewedValue:
    """A value of a batch, of a corrected one the latest; `operation` is empty for a result of its inspection."""

    operation: str
    name: str
    unit: str
    value: Decimal
    low: Decimal | None
    high: Decimal | None
    lot: str
    at: datetime


@dataclass(frozen=True)
class Spread:
    """Count, mean, smallest and largest of some figures; the deviation (n - 1) of at least two."""

    count: int
    mean: float
    smallest: Decimal
    largest: Decimal


@dataclass(frozen=True)
class ReviewedParameter:
    """One parameter over all batches of the year, by time. Limits and unit are those of the last value.

    `within` is estimated by the mean moving range of the values in the order of time; Cpk stands on it, Ppk on the
    deviation of all values. None: fewer than two values, no limit, or no spread.
    """

    operation: str
    name: str
    unit: str
    low: Decimal | None
    high: Decimal | None
    spread: Spread
    outside: int
    limits_changed: bool
    within: float | None
    overall: float | None
    cpk: float | None
    ppk: float | None


@dataclass(frozen=True)
class ProductReview:
    """A product's year."""

    product: str
    year: int
    batches: tuple[ReviewedBatch, ...]
    deviations: tuple[ReviewedDeviation, ...]
    values: tuple[ReviewedValue, ...]

    @property
    def yields(self) -> Spread | None:
        """The yields of the finished batches, in percent."""
        found = [own.yield_percent for own in self.batches]
        return spread([one for one in found if one is not None])

    @property
    def out_of_specification(self) -> tuple[ReviewedDeviation, ...]:
        """The deviations about results outside their specification."""
        return tuple(own for own in self.deviations if own.is_out_of_specification)

    def codes(self) -> list[tuple[str, int, int]]:
        """Deviations by code, the most frequent first: (code, how many, how many of them are open)."""
        codes = {own.code for own in self.deviations}
        counted = [
            (
                code,
                sum(own.code == code for own in self.deviations),
                sum(own.code == code and own.state == "open" for own in self.deviations),
            )
            for code in codes
        ]
        return sorted(counted, key=lambda one: (-one[1], one[0]))

    def parameters(self) -> list[ReviewedParameter]:
        """Every parameter and characteristic with its capability, by operation and name."""
        groups: dict[tuple[str, str], list[ReviewedValue]] = {}
        for value in self.values:
            groups.setdefault((value.operation, value.name), []).append(value)
        return [_parameter(values) for _, values in sorted(groups.items())]


def spread(values: Sequence[Decimal]) -> Spread | None:
    """The spread of figures; none of none."""
    if not values:
        return None
    return Spread(len(values), float(sum(values, Decimal(0)) / len(values)), min(values), max(values))


def _parameter(values: Sequence[ReviewedValue]) -> ReviewedParameter:
    ordered = sorted(values, key=lambda own: own.at)
    last, numbers = ordered[-1], [float(own.value) for own in ordered]
    low, high = (None if limit is None else float(limit) for limit in (last.low, last.high))
    within = individuals(numbers).within if len(numbers) > 1 else None
    found = capability(numbers, within or 0.0, low, high) if len(numbers) > 1 else None
    of_all = spread([own.value for own in ordered])
    assert of_all is not None
    return ReviewedParameter(
        operation=last.operation, name=last.name, unit=last.unit, low=last.low, high=last.high, spread=of_all,
        outside=_outside(ordered), limits_changed=len({(own.low, own.high, own.unit) for own in ordered}) > 1,
        within=within, overall=None if found is None else found.overall, cpk=None if found is None else found.cpk,
        ppk=None if found is None else found.ppk,
    )  # fmt: skip


def _outside(values: Iterable[ReviewedValue]) -> int:
    return sum(
        (own.low is not None and own.value < own.low) or (own.high is not None and own.value > own.high)
        for own in values
    )
