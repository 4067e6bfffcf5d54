"""A schedule as bars, one lane for each workstation. Sizes are pixels; times are those of the zone of `start`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from api.ui.svg.timeline import ticks

LEFT, LANE, TOP, WIDTH = 110, 34, 26, 1180
_LETTER = 7.4
"""About the width of a letter; a bar that is too short for its name has none, and says it on hover."""


@dataclass(frozen=True)
class GanttBar:
    """`tone`: late, moved, running or planned; `label` is said on hover and to screen readers."""

    lane: str
    start: datetime
    end: datetime
    name: str
    label: str
    href: str
    tone: str = "planned"


Spans = Sequence[tuple[datetime, datetime]]


def gantt(
    lanes: Sequence[str], bars: Sequence[GanttBar], start: datetime, end: datetime, label: str, closed: Spans = (),
    down: Mapping[str, Spans] | None = None,
) -> Markup:  # fmt: skip
    """The picture. `closed`: hours in which nobody works; `down`: those in which a lane's workstation is down."""
    height = TOP + LANE * len(lanes) + 8

    def place(at: datetime) -> float:
        share = (min(max(at, start), end) - start) / (end - start)
        return round(LEFT + (WIDTH - LEFT) * share, 1)

    def box(kind: str, low: datetime, high: datetime, y: float, tall: float) -> str:
        wide = max(1.0, place(high) - place(low))
        return f'<rect class="{kind}" x="{place(low)}" y="{y}" width="{wide:.1f}" height="{tall}"/>'

    rows = {name: TOP + LANE * number for number, name in enumerate(lanes)}
    parts = [box("closed", low, high, TOP, LANE * len(lanes)) for low, high in closed if high > start and low < end]
    for name, y in rows.items():
        parts.append(f'<line class="grid" x1="0" x2="{WIDTH}" y1="{y + LANE}" y2="{y + LANE}"/>')
        parts.append(f'<text class="lane" x="4" y="{y + LANE / 2 + 5}">{escape(name[:14])}</text>')
        spans = (down or {}).get(name, ())
        parts += [box("down", low, high, y + 2, LANE - 4) for low, high in spans if high > start and low < end]
    for at in ticks(start, end, 12):
        text = at.strftime("%m-%d" if (at.hour, at.minute) == (0, 0) else "%H:%M")
        parts.append(f'<line class="tick" x1="{place(at)}" x2="{place(at)}" y1="{TOP - 4}" y2="{height - 8}"/>')
        parts.append(f'<text class="when" x="{place(at)}" y="{TOP - 10}">{text}</text>')
    for bar in bars:
        if bar.lane not in rows or bar.end <= start or bar.start >= end:
            continue
        y, wide = rows[bar.lane], place(bar.end) - place(bar.start)
        said = escape(bar.label)
        drawn = box(f"lies {escape(bar.tone)}", bar.start, bar.end, y + 5, LANE - 10)
        name = ""
        if wide > len(bar.name) * _LETTER + 8:
            name = f'<text class="name" x="{place(bar.start) + 5}" y="{y + LANE / 2 + 4.5}">{escape(bar.name)}</text>'
        parts.append(f'<a href="{escape(bar.href)}" aria-label="{said}"><title>{said}</title>{drawn}{name}</a>')
    return Markup(
        f'<svg class="gantt" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="group" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
