"""Bands of what machines did: cut to the time that is shown, merged where nothing changed, never wider than that."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest

from api.ui.svg.qr import qr
from api.ui.svg.timeline import Piece, band, clipped, merged, ticks, timeline

START = datetime(2026, 11, 27, tzinfo=UTC)
END = START + timedelta(hours=24)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def rects(svg: str) -> list[tuple[str, float, float]]:
    """Class, left edge and width in percent of every piece."""
    return [
        (name, float(left), float(width))
        for name, left, width in re.findall(r'<rect class="(\w+)" x="([\d.]+)%" width="([\d.]+)%"', svg)
    ]


def test_equal_neighbours_are_one_piece_and_a_gap_stays_a_gap() -> None:
    found = merged([
        Piece(at(0), at(1), "use", "B-1"), Piece(at(1), at(2), "use", "B-1"), Piece(at(2), at(3), "use", "B-2"),
        Piece(at(4), None, "use", "B-2"),
    ])  # fmt: skip
    assert [(own.begin, own.end, own.detail) for own in found] == [
        (at(0), at(2), "B-1"), (at(2), at(3), "B-2"), (at(4), None, "B-2")]  # fmt: skip


def test_what_goes_on_ends_now_and_what_lies_outside_is_left_out() -> None:
    found = clipped(
        [Piece(at(-9), at(-8), "use"), Piece(at(-2), at(6), "clean"), Piece(at(6), None, "idle")], START, END
    )
    assert [(own.begin, own.end, own.state) for own in found] == [(START, at(6), "clean"), (at(6), END, "idle")]
    assert rects(band([Piece(at(-2), at(6), "clean"), Piece(at(6), None, "idle")], START, END, "x")) == [
        ("clean", 0.0, 25.0), ("idle", 25.0, 75.0)]  # fmt: skip


def test_what_was_short_is_still_to_be_seen_and_words_are_escaped() -> None:
    svg = timeline([Piece(at(1), at(1) + timedelta(seconds=1), "fault", "<b>")], START, END, '"lid"')
    ((name, _, width),) = rects(svg)
    assert (name, width) == ("fault", 0.25)
    assert "&lt;b&gt;" in svg
    assert 'aria-label="&#34;lid&#34;"' in svg


@pytest.mark.parametrize(("hours", "step"), [(6, 1), (24, 3), (168, 24), (720, 96)])
def test_ticks_are_full_hours_or_midnights_and_not_too_many(hours: int, step: int) -> None:
    found = ticks(at(0.5), at(0.5 + hours))
    assert 1 < len(found) <= 8
    assert {later - earlier for earlier, later in itertools.pairwise(found)} == {timedelta(hours=step)}
    assert all((own.minute, own.second) == (0, 0) for own in found)


def test_a_qr_code_has_its_quiet_zone() -> None:
    svg = qr("otpauth://totp/Millwright:olu?secret=ABC", "code")
    assert 'viewBox="0 0 ' in svg
    assert "M0 0" not in svg
    assert "M4 4h1v1h-1z" in svg  # the corner of the first finder pattern
