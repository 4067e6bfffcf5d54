"""Pictures and tables of charts and reports: pure functions, without a server."""

import csv
import io
import math
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ui.andon import cell
from api.ui.svg.pareto import Bar, pareto, stack
from api.ui.svg.scales import Scale, short, ticks
from api.ui.svg.spc import Lines, Point, control_chart
from domain import spc
from reporting.tables import Column, Table, as_csv, lasting, percent, safe
from wording.texts import Words

EN = Words("en")
LINES = Lines("UCL", "CL", "LCL", {"USL": 60.0, "LSL": 40.0})


def test_a_chart_has_its_zones_limits_and_a_point_that_leads_to_its_order_for_each_value() -> None:
    values = [50.0, 51.0, 49.0, 50.5, 58.0]
    chart = spc.individuals(values, baseline=4).charts[0]
    points = [Point(f"/ui/orders/{n}", f"Point {n} <b>", "11-27", ("R1",) if n == 4 else ()) for n in range(5)]
    drawn = str(control_chart(chart, points, LINES, "Weight"))
    assert re.findall(r'class="zone (\w)"', drawn) == ["a", "b", "c"]
    assert drawn.count('class="limit"') == drawn.count('class="specification"') == 2
    assert [f"/ui/orders/{n}" for n in range(5)] == re.findall(r'<a class="point(?: out)?" href="([^"]+)"', drawn)
    # The point that hits a rule has another shape, and the rule written at it.
    assert drawn.count("<circle") == 4
    assert drawn.count("<path") == 1
    assert ">R1</text>" in drawn
    assert "<b>" not in drawn
    assert "style=" not in drawn
    assert "USL 60" in drawn


def test_of_a_long_chart_the_last_points_are_drawn() -> None:
    chart = spc.individuals([float(n % 7) for n in range(200)]).charts[0]
    points = [Point("", f"Point {n}", "11-27") for n in range(200)]
    drawn = str(control_chart(chart, points, LINES, "Weight", last=50))
    assert drawn.count("<circle") == 50
    assert "Point 199" in drawn
    assert "Point 149<" not in drawn


def test_a_chart_of_few_points_fits_a_telephone() -> None:
    for count, width in ((5, 340), (20, 648), (60, 1100), (90, 1298)):
        chart = spc.individuals([float(n % 7) for n in range(count)]).charts[0]
        points = [Point("", f"Point {n}", "11-27") for n in range(count)]
        drawn = str(control_chart(chart, points, LINES, "Weight", last=100))
        assert f'width="{width}"' in drawn, count
        assert ("few" in drawn) == (width < 1100), count


def test_a_chart_of_what_never_varied_can_be_drawn() -> None:
    for study in (spc.individuals([0.0, 0.0, 0.0]), spc.individuals([5.0] * 3)):
        for chart in study.charts:
            drawn = str(control_chart(chart, [Point("", "p", "d")] * 3, Lines("U", "C", "L", {}), "x"))
            assert "nan" not in drawn
            assert "inf" not in drawn


def test_a_pareto_is_drawn_from_the_most_to_the_least_and_names_are_no_markup() -> None:
    bars = [Bar("dust & dirt", 30, "/x?a=1&b=2", 0.75), Bar("<script>", 10, "", 1.0)]
    drawn = str(pareto(bars, "Scrap", "pcs"))
    heights = [float(found) for found in re.findall(r'class="pile"[^>]* height="([\d.]+)"', drawn)]
    assert heights[0] == pytest.approx(3 * heights[1], abs=0.2)
    assert "<script>" not in drawn
    assert 'href="/x?a=1&amp;b=2"' in drawn
    assert pareto([], "Scrap", "pcs") == ""


def test_lengths_beside_each_other_fill_the_whole() -> None:
    widths = [float(found) for found in re.findall(r'width="([\d.]+)"', str(stack([("a", 1), ("b", 3)], "x")))]
    assert widths == [25.0, 75.0]
    assert stack([("a", 0)], "x") == ""


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_ticks_are_few_round_and_inside(low: float, size: float) -> None:
    found = ticks(low, low + size)
    assert len(found) <= 11
    assert all(low - size / 1e6 <= tick <= low + size * (1 + 1e-6) for tick in found)


def test_numbers_are_written_short() -> None:
    assert [short(value) for value in (0, 1234.567, 0.0012347, -2.5, 1e9)] == [
        "0",
        "1,235",
        "0.001235",
        "-2.5",
        "1,000,000,000",
    ]
    assert short(math.inf) == "∞"
    assert Scale(0, 10, 100, 0)(5) == 50


def test_times_and_shares_are_written_for_people() -> None:
    assert [lasting(seconds, EN) for seconds in (5, 65, 3660, 90000, -7200)] == [
        "5 s", "1 min", "1 h 01 min", "1 d 1 h", "−2 h 00 min",
    ]  # fmt: skip
    assert percent(Decimal("0.98765")) == "98.8 %"
    assert percent(None) == "–"


def test_a_file_has_exact_values_and_no_formula() -> None:
    table = Table(
        (Column("name", "reports.name"), Column("good", "reports.good", "number"), Column("at", "spc.when", "time")),
        [
            {"name": "=cmd()", "good": Decimal("0.1234567890"), "at": datetime(2026, 11, 27, tzinfo=UTC)},
            {"name": "a, \"b\"", "good": Decimal("-3"), "at": None},
        ],
    )  # fmt: skip
    text = as_csv(table, EN)
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        ["Name", "Good", "When"], ["'=cmd()", "0.1234567890", "2026-11-27T00:00:00+00:00"], ['a, "b"', "-3", ""],
    ]  # fmt: skip
    assert [safe(own) for own in ("+1", "-x", "@y", "fine", "")] == ["'+1", "'-x", "'@y", "fine", ""]


AT = datetime(2026, 11, 27, 8, tzinfo=UTC)
STATION = {
    "station": "S", "station_name": "Saw", "state": "running", "code": "CUT", "operation": "Cut", "good": Decimal(1),
    "scrap": Decimal(0), "quantity": Decimal(2), "unit": "pcs", "order_number": "PO-1", "order_state": "inProgress",
    "product": "Rod", "since": AT, "workstation": "S", "due_at": None,
}  # fmt: skip
DOWN = {"code": "M", "workstation": "S", "availability": "down", "since": AT}
DEVIATION = {"number": "D", "code": "X", "opened_at": AT, "order_number": "PO-1", "operation": None, "station": None}


@pytest.mark.parametrize(
    ("change", "machines", "deviations", "state", "tone"),
    [
        ({}, [], [], "running", "running"),
        ({"state": "ready"}, [], [], "ready", "calm"),
        ({"state": "paused"}, [], [], "paused", "call"),
        ({"state": "held"}, [], [DEVIATION], "stopped", "bad"),
        ({"order_state": "held"}, [], [], "stopped", "bad"),
        ({}, [], [DEVIATION], "deviation", "call"),
        ({}, [], [DEVIATION | {"operation": "OTHER"}], "running", "running"),
        ({}, [], [DEVIATION | {"order_number": None, "station": "S"}], "deviation", "call"),
        ({}, [], [DEVIATION | {"order_number": None, "station": "T"}], "running", "running"),
        ({}, [DOWN], [DEVIATION], "down", "bad"),
        ({}, [DOWN | {"availability": "underMaintenance"}], [], "maintenance", "call"),
        ({}, [DOWN | {"workstation": "T"}], [], "running", "running"),
        ({"state": None, "order_number": None, "order_state": None}, [], [], "idle", "calm"),
    ],
)
def test_of_several_things_a_cell_shows_the_one_that_somebody_must_see(
    change: dict[str, object],
    machines: list[dict[str, object]],
    deviations: list[dict[str, object]],
    state: str,
    tone: str,
) -> None:
    found = cell(STATION | change, machines, deviations)
    assert (found["state"], found["tone"]) == (state, tone)
