"""Which lots a pick list takes: first expired first out, or the lots it names. Pure: no database in here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from adapters.inventory.port import MaterialNeed
from domain.errors import AdapterRefused, Blocker
from domain.events import Allocation, ShortLine
from domain.quantities import plain
from domain.states import LotStatus

RELEASED, QUARANTINE, REJECTED, LINE = "released", "quarantine", "rejected", "line"
_WAITING: Final = frozenset(
    {LotStatus.RELEASED, LotStatus.QUARANTINE, LotStatus.ON_HOLD, LotStatus.RETEST_DUE, LotStatus.RECALLED}
)
"""Statuses that a decision of quality can turn into usable stock; a released lot waits while it is in receiving."""


@dataclass(frozen=True)
class Stock:
    """What of one lot lies at one place."""

    lot: str
    place: str
    zone: str
    material: str
    unit: str
    status: str
    expires_on: date | None
    created_at: datetime
    on_hand: Decimal
    reserved: Decimal
    retest_on: date | None = None

    @property
    def free(self) -> Decimal:
        """What nobody has reserved."""
        return self.on_hand - self.reserved

    def has_expired(self, today: date) -> bool:
        """The day of expiry is the last day of use."""
        return self.status == LotStatus.EXPIRED or (self.expires_on is not None and self.expires_on < today)

    def is_usable(self, today: date) -> bool:
        """Whether it may be picked: released, not expired, not due for retest, in a released zone."""
        is_due = self.retest_on is not None and self.retest_on <= today
        is_good = self.status == LotStatus.RELEASED and not is_due
        return is_good and self.zone == RELEASED and not self.has_expired(today)

    def serves(self, need: MaterialNeed) -> bool:
        """Whether the line asks for this material, and for this lot if it names lots."""
        return self.material == need.material and (not need.fixed_lots or self.lot in need.fixed_lots)


@dataclass(frozen=True)
class Plan:
    """Allocations of the lines that are covered, and what was left over for the ones that are not."""

    allocations: tuple[Allocation, ...]
    short: tuple[tuple[MaterialNeed, Decimal], ...]
    available: dict[int, Decimal]


def check_needs(needs: Sequence[MaterialNeed]) -> None:
    """Refuse a pick list that cannot be meant: a line twice, or a line that needs nothing."""
    lines = [need.line for need in needs]
    if len(set(lines)) != len(lines):
        raise AdapterRefused("DUPLICATE_LINE", f"lines {lines} name one line twice")
    if any(need.quantity <= 0 for need in needs):
        raise AdapterRefused("NOTHING_NEEDED", "every line needs a quantity above 0")


Chosen = Mapping[int, Sequence[str]]
"""Line → lots that somebody wants to be taken first, in this order."""


def plan(needs: Sequence[MaterialNeed], stock: Sequence[Stock], today: date, chosen: Chosen | None = None) -> Plan:
    """Cover the lines from usable stock.

    Lots that were `chosen` for a line come before all others; a line that a lot was chosen for is bound to none.

    Lines that name lots go first, those with the least choice before the others, so that a free line does not take
    what only a bound line can use. Allocations come back in the order of the lines.
    """
    usable = [line for line in stock if line.is_usable(today)]
    left = {(line.lot, line.place): line.free for line in usable}
    taken: list[Allocation] = []
    short: list[tuple[MaterialNeed, Decimal]] = []
    available: dict[int, Decimal] = {}
    wanted = chosen or {}
    free = [_freed(need) if need.line in wanted else need for need in needs]
    for need in sorted(free, key=lambda need: (need.line not in wanted, not need.fixed_lots, len(need.fixed_lots),
                                               need.line)):  # fmt: skip
        candidates = _in_order(need, usable, wanted.get(need.line, ()))
        _check_unit(need, candidates)
        available[need.line] = sum((left[line.lot, line.place] for line in candidates), Decimal(0))
        if available[need.line] < need.quantity:
            short.append((need, available[need.line]))
        else:
            taken += _take(need, candidates, left)
    return Plan(
        tuple(sorted(taken, key=lambda allocation: allocation.line)),
        tuple(sorted(short, key=lambda entry: entry[0].line)),
        available,
    )


def _freed(need: MaterialNeed) -> MaterialNeed:
    return need.model_copy(update={"fixed_lots": ()})


def _in_order(need: MaterialNeed, usable: Iterable[Stock], first: Sequence[str]) -> list[Stock]:
    candidates = [line for line in usable if line.serves(need)]
    if need.fixed_lots:
        return sorted(candidates, key=lambda line: (need.fixed_lots.index(line.lot), line.place))

    def rank(line: Stock) -> tuple[int, date, datetime, str, str]:
        place = first.index(line.lot) if line.lot in first else len(first)
        return (place, line.expires_on or date.max, line.created_at, line.lot, line.place)

    return sorted(candidates, key=rank)


def _check_unit(need: MaterialNeed, candidates: Iterable[Stock]) -> None:
    blockers = tuple(
        Blocker(code="UNIT_MISMATCH", entity="lot", id=line.lot, found=line.unit, required=need.unit)
        for line in candidates
        if line.unit != need.unit
    )
    if blockers:
        raise AdapterRefused("UNIT_MISMATCH", f"line {need.line} asks for {need.unit}", blockers)


def _take(need: MaterialNeed, candidates: Iterable[Stock], left: dict[tuple[str, str], Decimal]) -> list[Allocation]:
    taken: list[Allocation] = []
    open_quantity = need.quantity
    for line in candidates:
        quantity = min(open_quantity, left[line.lot, line.place])
        if quantity <= 0:
            continue
        left[line.lot, line.place] -= quantity
        open_quantity -= quantity
        taken.append(
            Allocation(
                line=need.line,
                material=need.material,
                lot=line.lot,
                place=line.place,
                quantity=quantity,
                unit=need.unit,
            )
        )
        if open_quantity == 0:
            break
    return taken


def shortage(need: MaterialNeed, available: Decimal, stock: Iterable[Stock], today: date) -> ShortLine:
    """The line with what stands in its way: held by quality, expired, reserved by others."""
    held = expired = elsewhere = Decimal(0)
    for line in stock:
        if not line.serves(need) or line.zone not in (RELEASED, QUARANTINE):
            continue
        if line.is_usable(today):
            elsewhere += line.reserved
        elif line.has_expired(today):
            expired += line.on_hand
        elif line.status in _WAITING:
            held += line.on_hand
    return ShortLine(
        line=need.line, material=need.material, required=need.quantity, available=available, held=held,
        expired=expired, reserved_elsewhere=elsewhere, unit=need.unit,
    )  # fmt: skip


def describe(line: Stock) -> str:
    """A lot's status and expiry in words, for a blocker."""
    return f"{line.status}, {plain(line.on_hand)} {line.unit}, expires {line.expires_on or 'never'}"
