"""Bars for reports as SVG: a Pareto chart, and lengths beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from api.ui.svg.scales import Scale, short

LEFT, RIGHT, TOP, BOTTOM = 60, 52, 34, 46
WIDTH, HEIGHT, MOST = 760, 300, 10


@dataclass(frozen=True)
class Bar:
    """A bar: its name, how long it is, where it leads, the share of all up to it (0 to 1)."""

    name: str
    value: float
    href: str = ""
    cumulative: float = 0.0


def pareto(bars: Sequence[Bar], title: str, unit: str) -> Markup:
    """Bars from the longest to the shortest with the line of their sum; the first ten."""
    shown = list(bars[:MOST])
    if not shown:
        return Markup("")
    whole = sum(bar.value for bar in bars) or 1.0
    y, part = Scale(0, whole, HEIGHT - BOTTOM, TOP), Scale(0, 1, HEIGHT - BOTTOM, TOP)
    room = (WIDTH - LEFT - RIGHT) / len(shown)
    wide = min(room * 0.7, 90)
    parts = [_axis(whole, unit, y), _shares(part)]
    places = []
    for at, bar in enumerate(shown):
        middle = LEFT + room * (at + 0.5)
        label = f"{bar.name}: {short(bar.value)} {unit}"
        box = f'<rect class="pile" x="{middle - wide / 2:.1f}" y="{y(bar.value):.1f}" width="{wide:.1f}" '
        box += f'height="{max(1.0, y(0) - y(bar.value)):.1f}"><title>{escape(label)}</title></rect>'
        if bar.href:
            box = f'<a href="{escape(bar.href)}" aria-label="{escape(label)}">{box}</a>'
        parts.append(box)
        parts.append(_value(bar.value, middle, y))
        parts.append(_name(bar.name, middle, room))
        places.append(f"{middle:.1f},{part(bar.cumulative):.1f}")
    parts.append(f'<polyline class="sum" points="{" ".join(places)}"/>')
    parts += [f'<circle class="sum" cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="4"/>' for p in places]
    return _picture("pareto", title, parts)


def _value(value: float, middle: float, y: Scale) -> str:
    """How long a bar is: inside it where there is room, away from the line of the sum; else above it."""
    is_tall = y(0) - y(value) > 34
    kind, at = ("value in", y(value) + 26) if is_tall else ("value", y(value) - 5)
    return f'<text class="{kind}" x="{middle:.1f}" y="{at:.1f}">{short(value)}</text>'


def _axis(whole: float, unit: str, y: Scale) -> str:
    marks = [0.0, whole / 2, whole]
    lines = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" y2="{y(mark):.1f}"/>'
        f'<text class="left" x="{LEFT - 6}" y="{y(mark) + 4:.1f}">{short(mark)}</text>'
        for mark in marks
    )
    return f'{lines}<text class="left" x="{LEFT - 6}" y="{TOP - 18}">{escape(unit)}</text>'


def _shares(part: Scale) -> str:
    return "".join(
        f'<text x="{WIDTH - RIGHT + 6}" y="{part(mark) + 4:.1f}">{mark * 100:.0f} %</text>' for mark in (0.0, 0.5, 1.0)
    )


def _name(name: str, middle: float, room: float) -> str:
    """A name below its bar, on two lines where it is long."""
    fits = max(4, int(room / 8.5))
    wide = any(ord(char) > 0x2E80 for char in name)
    fits = max(3, fits // 2) if wide else fits
    first, rest = name[:fits], name[fits:]
    if " " in first and rest and not rest.startswith(" "):
        first, rest = name[: first.rindex(" ")], name[first.rindex(" ") + 1 :]
    rest = rest.strip()
    rest = rest[: fits - 1] + "…" if len(rest) > fits else rest
    return (
        f'<text class="name" x="{middle:.1f}" y="{HEIGHT - BOTTOM + 18}">{escape(first)}</text>'
        f'<text class="name" x="{middle:.1f}" y="{HEIGHT - BOTTOM + 34}">{escape(rest)}</text>'
    )


def _picture(kind: str, title: str, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="group" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def stack(parts: Sequence[tuple[str, float]], title: str) -> Markup:
    """Lengths one after the other, as shares of their sum: (kind, length)."""
    whole = sum(length for _, length in parts)
    if whole <= 0:
        return Markup("")
    at, made = 0.0, []
    for kind, length in parts:
        wide = length / whole * 100
        made.append(f'<rect class="{escape(kind)}" x="{at:.2f}" width="{wide:.2f}" height="6"/>')
        at += wide
    return Markup(
        f'<svg class="shares" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">'
        f"{''.join(made)}</svg>"
    )
