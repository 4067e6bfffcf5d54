"""A control chart as SVG: zones, centre line, control limits, specification, points that lead to their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from api.ui.svg.scales import Scale, around, short
from domain.spc import Chart

LEFT, RIGHT, TOP, BOTTOM = 12, 116, 26, 30
STEP = 13
"""The least room for a point."""
WIDTH, HEIGHT, LOW_HEIGHT = 1100, 330, 190
NARROW, ROOM = 340, 26
"""The width of a telephone, and what a point gets when there are few."""


@dataclass(frozen=True)
class Point:
    """What stands behind a point of a chart: where it leads, what it is called, the rules that it hits."""

    href: str
    label: str
    day: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Names of the lines, in the reader's language, and the specification of single values."""

    upper: str
    centre: str
    lower: str
    specification: Mapping[str, float | None]


def control_chart(chart: Chart, points: Sequence[Point], lines: Lines, title: str, last: int = 80) -> Markup:
    """The last points of a chart; `points` are all of its points. Rules are written above the points they hit."""
    start = max(0, len(chart.values) - last)
    values, own = chart.values[start:], points[start:]
    upper, lower, sigma = chart.upper[start:], chart.lower[start:], chart.sigma[start:]
    is_main = chart.name in ("individuals", "mean", "proportion")
    height = HEIGHT if is_main else LOW_HEIGHT
    width = _width(len(values))
    kind = "control-chart few" if width < WIDTH else "control-chart"
    given = [limit for limit in lines.specification.values() if limit is not None] if is_main else []
    y = Scale(*around([*values, *upper, *lower, *given]), height - BOTTOM, TOP)
    x = Scale(-0.5, len(values) - 0.5, LEFT, width - RIGHT)
    parts = [_zones(chart, sigma, x, y)] if is_main else []
    parts += [_limit(upper, x, y, "limit"), _limit(lower, x, y, "limit")]
    parts.append(_line(chart.centre, x, y, "centre"))
    parts += [_line(limit, x, y, "specification") for limit in given]
    parts.append(_curve(values, x, y))
    parts += [_point(at, value, own[at], x, y) for at, value in enumerate(values)]
    parts.append(_labels(chart, lines, (upper[-1], lower[-1]), is_main, width, y))
    parts.append(_days(own, x, height))
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _width(points: int) -> int:
    """As wide as the points want it: few of them fit a telephone."""
    ends = LEFT + RIGHT
    return max(NARROW, min(WIDTH, ends + ROOM * points), ends + STEP * points)


def _zones(chart: Chart, sigma: Sequence[float], x: Scale, y: Scale) -> str:
    """Zones A, B and C: three bands of one sigma on each side."""
    found = []
    for zone, outer in (("a", 3), ("b", 2), ("c", 1)):
        top = [(x(at), y(chart.centre + outer * own)) for at, own in enumerate(sigma)]
        bottom = [(x(at), y(chart.centre - outer * own)) for at, own in enumerate(sigma)]
        half = (x(1) - x(0)) / 2
        outline = [*_widened(top, half), *reversed(_widened(bottom, half))]
        found.append(f'<polygon class="zone {zone}" points="{_places(outline)}"/>')
    return "".join(found)


def _widened(places: list[tuple[float, float]], half: float) -> list[tuple[float, float]]:
    return [step for px, py in places for step in ((px - half, py), (px + half, py))]


def _limit(limits: Sequence[float], x: Scale, y: Scale, kind: str) -> str:
    half = (x(1) - x(0)) / 2
    steps = _widened([(x(at), y(limit)) for at, limit in enumerate(limits)], half)
    return f'<polyline class="{kind}" points="{_places(steps)}"/>'


def _line(value: float, x: Scale, y: Scale, kind: str) -> str:
    return f'<line class="{kind}" x1="{x.start:.1f}" x2="{x.end:.1f}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'


def _curve(values: Sequence[float], x: Scale, y: Scale) -> str:
    return f'<polyline class="curve" points="{_places([(x(at), y(value)) for at, value in enumerate(values)])}"/>'


def _point(at: int, value: float, point: Point, x: Scale, y: Scale) -> str:
    px, py = x(at), y(value)
    rules = "".join(
        f'<text class="rule" x="{px:.1f}" y="{py - 10 - 13 * row:.1f}">{escape(rule)}</text>'
        for row, rule in enumerate(point.rules)
    )
    shape = f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4"/>'
    if point.rules:  # another shape, too: colour never says it alone
        shape = f'<path d="M{px:.1f} {py - 8:.1f}l8 8l-8 8l-8 -8z"/>'
    kind = "point out" if point.rules else "point"
    inner = f"<title>{escape(point.label)}</title>{shape}{rules}"
    if not point.href:
        return f'<g class="{kind}">{inner}</g>'
    return f'<a class="{kind}" href="{escape(point.href)}">{inner}</a>'


def _labels(
    chart: Chart, lines: Lines, limits: tuple[float, float], is_main: bool, width: int, y: Scale
) -> str:  # fmt: skip
    texts = [(limits[0], lines.upper, ""), (chart.centre, lines.centre, ""), (limits[1], lines.lower, "")]
    if is_main:
        texts += [(limit, name, "spec") for name, limit in lines.specification.items() if limit is not None]
    placed: list[float] = []
    found = []
    for value, name, kind in sorted(texts, key=lambda text: -text[0]):
        at = max(y(value) + 4, placed[-1] + 15 if placed else 0)
        placed.append(at)
        found.append(
            f'<text class="label {kind}" x="{width - RIGHT + 6}" y="{at:.1f}">{escape(name)} {short(value, 5)}</text>'
        )
    return "".join(found)


def _days(points: Sequence[Point], x: Scale, height: int) -> str:
    """The day under the first point of each day, where there is room."""
    found, free, day = [], -1e9, ""
    for at, point in enumerate(points):
        if point.day != day and x(at) >= free:
            found.append(f'<text class="day" x="{x(at):.1f}" y="{height - 8}">{escape(point.day)}</text>')
            free = x(at) + 62
        day = point.day
    return "".join(found)


def _places(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
