"""The parts that a printed record is put together from; the template gives them their looks.

Everything is plain data that goes to typst as JSON: a text is a string there, and a string is never read as markup.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from adapters.printing.glyphs import printable
from adapters.printing.texts import Words

Part = dict[str, Any]
Style = Literal["plain", "small", "strong", "struck", "bad", "warn", "good", "mark", "mono"]
DASH = "–"


def line(text: object, style: Style = "plain") -> Part:
    """One line of a cell; an empty one is a dash, for nothing in a record is left blank."""
    shown = DASH if text is None or str(text).strip() == "" else str(text)
    return {"text": printable(shown), "style": style}


def lines(text: object, style: Style = "plain") -> list[Part]:
    """A text of people, which may have several lines."""
    return [line(own, style) for own in str(text if text is not None else "").splitlines() or [""]]


def cell(*of: object) -> list[Part]:
    """A cell of lines; what is no line yet becomes one."""
    return [own if isinstance(own, dict) else line(own) for own in of]


def row(*cells: list[Part], marked: bool = False, notes: Sequence[str] = ()) -> Part:
    """A row of a table; `notes` stand below it over the whole width. A marked row has a bar and another colour."""
    return {"cells": list(cells), "marked": marked, "notes": [line(note) for note in notes]}


def table(columns: Sequence[tuple[str, float]], rows: Sequence[Part], title: str = "") -> Part:
    """A table: titles and relative widths of its columns; its head comes again on each page."""
    return {
        "kind": "table", "title": title, "heads": [head for head, _ in columns],
        "widths": [width for _, width in columns], "rows": list(rows),
    }  # fmt: skip


def facts(pairs: Sequence[tuple[str, list[Part]]]) -> Part:
    """Labels with what stands behind them, two beside each other."""
    return {"kind": "facts", "pairs": [{"label": label, "lines": found} for label, found in pairs]}


def paragraph(text: str, style: Style = "plain") -> Part:
    """A line of text of its own."""
    return {"kind": "paragraph", "lines": [line(text, style)]}


def picture(digest: str, said: str) -> Part:
    """A picture by its SHA-256, and what it shows in words."""
    return {"sha256": digest, "text": printable(said)}


def numbered(title: str, entries: Sequence[tuple[str, str, Sequence[Part]]]) -> Part:
    """A list with numbers of its own: number, text and pictures of each entry."""
    return {
        "kind": "numbered", "title": title,
        "entries": [{"number": number, "lines": lines(text), "pictures": [*shown]} for number, text, shown in entries],
    }  # fmt: skip


def remarks(title: str, entries: Sequence[list[Part]]) -> Part:
    """A list of remarks."""
    return {"kind": "remarks", "title": title, "entries": list(entries)}


def heading(text: str, level: Literal[1, 2], aside: str = "") -> Part:
    """A heading, with a word at the right margin."""
    return {"kind": "heading", "level": level, "text": printable(text), "aside": printable(aside) if aside else ""}


class Reading:
    """How values of the document are shown in one language."""

    def __init__(self, words: Words, people: Mapping[str, str]) -> None:
        self.words, self._people = words, people

    def who(self, user_id: str | None) -> str:
        """A person's full name with the user id; the id alone where nobody knows a name."""
        if not user_id:
            return DASH
        name = self._people.get(user_id)
        return user_id if name is None or name == user_id else f"{name} ({user_id})"

    def everybody(self, user_ids: Sequence[str]) -> str:
        """Several people."""
        return ", ".join(self.who(user_id) for user_id in user_ids) or DASH

    def by(self, user_id: str | None, at: str | None) -> list[Part]:
        """Who and when, in two lines."""
        return [line(self.who(user_id)), line(when(at), "small")] if user_id or at else cell(DASH)


def when(at: str | None) -> str:
    """`2026-11-02 06:00:13`, UTC, of a time in the document."""
    return DASH if not at else datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M:%S")


def precisely(at: str) -> str:
    """`2026-11-02 06:00:13.250 UTC`: the time of a signature (ES-01)."""
    moment = datetime.fromisoformat(at)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} UTC"


def between(low: str | None, high: str | None) -> str:
    """Limits as people write them: `108 – 118`, `≥ 80`, `≤ 3`, or a dash."""
    if low is None and high is None:
        return DASH
    if low is None:
        return f"≤ {high}"
    return f"≥ {low}" if high is None else f"{low} – {high}"


def local(at: str, offset: str) -> str:
    """The same time on the clock of the place, `14:00:13 +08:00`, for an offset such as `+08:00`."""
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
    return f"{datetime.fromisoformat(at).astimezone(zone):%Y-%m-%d %H:%M:%S} {offset}"


def duration(seconds: int | None) -> str:
    """`1:05:09` hours, minutes, seconds."""
    if seconds is None:
        return DASH
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
