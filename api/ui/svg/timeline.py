"""What machines did, as bands: one band for each, colour is state, equal neighbours are one piece.

Widths are percent of the drawing, so that a band fits a phone and a wall without its words being stretched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Piece:
    """From when until when (now, when it goes on) something was in a state; `detail` is said on hover."""

    begin: datetime
    end: datetime | None
    state: str
    detail: str = ""


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours that say the same are one piece."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        same = last is not None and (last.state, last.detail) == (piece.state, piece.detail)
        if last is not None and same and last.end == piece.begin:
            found[-1] = replace(last, end=piece.end)
        else:
            found.append(piece)
    return found


def clipped(pieces: Iterable[Piece], start: datetime, end: datetime) -> list[Piece]:
    """The parts of pieces that lie between two times."""
    found = []
    for piece in pieces:
        begin, until = max(piece.begin, start), min(piece.end or end, end)
        if begin < until:
            found.append(replace(piece, begin=begin, end=until))
    return found


def ticks(start: datetime, end: datetime, most: int = 8) -> list[datetime]:
    """Full hours, or midnights, between two times (in the zone of `start`): at most so many."""
    span = end - start
    for hours in (1, 2, 3, 6, 12, 24, 48, 96, 168, 336):
        step = timedelta(hours=hours)
        if span / step <= most:
            break
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + step * ((start - midnight) // step + 1)
    found = []
    while first < end:
        found.append(first)
        first += step
    return found


def band(pieces: Sequence[Piece], start: datetime, end: datetime, label: str, *, height: int = 20) -> Markup:
    """One band without an axis. `label` is what a screen reader says of it."""
    drawn = "".join(_piece(piece, start, end, height) for piece in merged(clipped(pieces, start, end)))
    return Markup(
        f'<svg class="band" width="100%" height="{height}" role="img" aria-label="{escape(label)}">'
        f'<rect class="none" width="100%" height="{height}"/>{drawn}</svg>'
    )


def timeline(pieces: Sequence[Piece], start: datetime, end: datetime, label: str) -> Markup:
    """One band with its axis below; times are those of the zone of `start`."""
    height = 34
    drawn = "".join(_piece(piece, start, end, height) for piece in merged(clipped(pieces, start, end)))
    marks = ticks(start, end)
    days = end - start > timedelta(hours=36)
    axis = "".join(
        f'<line class="tick" x1="{_share(at, start, end)}%" x2="{_share(at, start, end)}%" y1="0" y2="{height + 5}"/>'
        f'<text x="{_share(at, start, end)}%" y="{height + 19}" text-anchor="middle">'
        f"{at.strftime('%m-%d' if days else '%H:%M')}</text>"
        for at in marks
        if 3 < _share(at, start, end) < 97
    )
    return Markup(
        f'<svg class="band" width="100%" height="{height + 24}" role="img" aria-label="{escape(label)}">'
        f'<rect class="none" width="100%" height="{height}"/>{drawn}{axis}</svg>'
    )


def _piece(piece: Piece, start: datetime, end: datetime, height: int) -> str:
    left = _share(piece.begin, start, end)
    width = max(0.25, round(_share(piece.end or end, start, end) - left, 3))
    said = f"<title>{escape(piece.detail)}</title>" if piece.detail else ""
    return f'<rect class="{escape(piece.state)}" x="{left}%" width="{width}%" height="{height}">{said}</rect>'


def _share(at: datetime, start: datetime, end: datetime) -> float:
    return round((at - start) / (end - start) * 100, 3)
