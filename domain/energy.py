"""Energy from a meter that counts: what a job used, told honestly where the meter was set back or not read.

A counter needs no sample in between: over a gap the difference of its ends is what was used. What cannot be known is
said: before the first and after the last good reading, and what was counted between the last reading and a set-back.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from domain.base import Message
from domain.quantities import Exact

PER_KILOWATT_HOUR: Final = {
    "Wh": Decimal(1000),
    "kWh": Decimal(1),
    "MWh": Decimal("0.001"),
    "MJ": Decimal("3.6"),
}
"""How much of a meter's unit is one kilowatt hour."""
_NEAR: Final = Decimal("0.9")


class Meter(Message):
    """Which value of a machine's readings counts energy, in which unit; `rolls_over_at`: where it begins at 0 again."""

    tag: str
    unit: str = "kWh"
    rolls_over_at: Exact | None = None


class Count(Message):
    """What a meter showed at one reading; none where it was not read or its quality was not good."""

    sequence: int
    value: Exact | None


class Consumption(Message):
    """Kilowatt hours between the first and the last good reading; none when fewer than two were good.

    `set_backs` are falls of the counter that are no roll-over: then it is what was used at least. `unread` counts
    readings without a good value, `unread_at_ends` those of them before the first and after the last good one, with
    readings that never came. `is_complete` says that nothing is missing.
    """

    kilowatt_hours: Exact | None
    readings: int
    set_backs: int
    roll_overs: int
    unread: int
    unread_at_ends: int
    is_complete: bool


def consumed(counts: Sequence[Count], meter: Meter, last_sequence: int | None = None) -> Consumption:
    """What one job used. `counts` in the order of their readings, numbered from 1; `last_sequence` of the machine.

    A fall from the last tenth of the meter's range to its first is a roll-over, any other is a set-back: what was
    counted since 0 is known, what was counted before it after the last reading is not.
    """
    good = [own for own in counts if own.value is not None]
    final = last_sequence if last_sequence is not None else (counts[-1].sequence if counts else 0)
    set_backs = roll_overs = 0
    total = Decimal(0)
    for before, after in pairwise(good):
        assert before.value is not None
        assert after.value is not None
        step = after.value - before.value
        if step < 0 and _rolls_over(before.value, after.value, meter):
            assert meter.rolls_over_at is not None
            roll_overs, step = roll_overs + 1, step + meter.rolls_over_at
        elif step < 0:
            set_backs, step = set_backs + 1, after.value
        total += step
    ends = (good[0].sequence - 1) + max(final - good[-1].sequence, 0) if good else final
    known = len(good) > 1
    return Consumption(
        kilowatt_hours=total / PER_KILOWATT_HOUR[meter.unit] if known else None,
        readings=len(good),
        set_backs=set_backs,
        roll_overs=roll_overs,
        unread=max(final, len(counts)) - len(good),
        unread_at_ends=ends,
        is_complete=known and not set_backs and not ends,
    )


def _rolls_over(before: Decimal, after: Decimal, meter: Meter) -> bool:
    end = meter.rolls_over_at
    return end is not None and before >= end * _NEAR and after <= end * (1 - _NEAR)
