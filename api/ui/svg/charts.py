"""Small pictures beside a value."""

from decimal import Decimal
from typing import Any

from markupsafe import Markup


def gauge(low: Any, high: Any, target: Any = None) -> Markup:
    """Where the limits of a value lie: green inside, red outside; with the target as a line. Nothing without limits."""
    if low is None and high is None:
        return Markup("")
    bottom = Decimal(str(low if low is not None else high))
    top = Decimal(str(high if high is not None else low))
    start = 20.0 if low is not None else 0.0
    end = 80.0 if high is not None else 100.0
    line = ""
    if target is not None and top > bottom:
        at = start + float((Decimal(str(target)) - bottom) / (top - bottom)) * (end - start)
        line = f'<line class="target" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="8"/>'
    return Markup(
        '<svg class="gauge" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="out" width="100" height="8"/><rect class="in" x="{start}" width="{end - start}" height="8"/>'
        f"{line}</svg>"
    )
