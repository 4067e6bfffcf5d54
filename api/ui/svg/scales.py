"""From values to places in a picture, and round numbers for its axes."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A straight line from values to places: `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def around(values: list[float], margin: float = 0.08) -> tuple[float, float]:
    """The bounds of an axis that shows all values with a margin."""
    low, high = min(values), max(values)
    room = (high - low) * margin or abs(high) * margin or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) between two bounds."""
    if high <= low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(step * n, 12) + 0.0 for n in range(first, math.floor(high / step + 1e-9) + 1)]


def short(value: float, digits: int = 4) -> str:
    """A number for a label: as many digits as matter, no needless zeros."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    decimals = max(0, min(6, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
