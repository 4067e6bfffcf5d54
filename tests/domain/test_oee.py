"""OEE against published examples (gmp/reference_values.md §3), and the time model on days when clocks are changed."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.oee import (
    Counts,
    Doing,
    Ratio,
    Span,
    days,
    figures,
    from_times,
    instant,
    shifts,
    state_seconds,
    time_line,
    total,
)  # fmt: skip

D = Decimal
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Shanghai", "UTC")
]
EXAMPLES = {
    "Vorne": (D(420), D(373), D(1) / 60, D(19271), D(18848), ("0.888095", "0.861081", "0.978050", "0.747937")),
    "two a minute": (D(435), D(405), D("0.5"), D(700), D(675), ("0.931034", "0.864198", "0.964286", "0.775862")),
    "1.041 a minute": (
        D(2780), D(1820), 1 / D("1.041"), D(1626), D(1618), ("0.654676", "0.858220", "0.995080", "0.559092"),
    ),
}  # fmt: skip


def counts(name: str) -> Counts:
    busy, producing, ideal, produced, good, _ = EXAMPLES[name]
    return Counts(busy, producing, produced, good, ideal * produced, ideal * good)


@pytest.mark.accepts("KP-01")
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_examples(name: str) -> None:
    found = figures(counts(name))
    own = [found.availability.value, found.effectiveness.value, found.quality.value, found.oee.value]
    assert [pytest.approx(float(value), abs=1e-4) for value in EXAMPLES[name][5]] == [float(v or 0) for v in own]


@pytest.mark.accepts("KP-01")
def test_a_roll_up_adds_numerators_and_denominators_and_never_averages_percentages() -> None:
    both = figures(total([counts("Vorne"), counts("two a minute")]))
    assert both.oee.value is not None
    assert f"{both.oee.value:.6f}" == "0.762144"
    average = sum((figures(counts(name)).oee.value or D(0) for name in ("Vorne", "two a minute")), D(0)) / 2
    assert f"{average:.6f}" == "0.761899"


numbers = st.decimals("0.001", 100000, places=3)


@pytest.mark.accepts("KP-01")
@given(numbers, numbers, numbers, numbers, numbers)
def test_oee_is_the_planned_time_of_the_good_ones_by_the_busy_time(
    busy: Decimal, producing: Decimal, ideal: Decimal, produced: Decimal, good: Decimal
) -> None:
    found = figures(Counts(busy, producing, produced, good, ideal * produced, ideal * good)).oee.value
    assert found is not None
    assert float(found) == pytest.approx(float(ideal * good / busy), rel=1e-9)


@pytest.mark.accepts("KP-02")
def test_what_cannot_be_divided_is_nothing_with_a_reason() -> None:
    nothing = figures(Counts())
    assert nothing.availability == Ratio(None, "noPlannedTime")
    assert nothing.effectiveness == Ratio(None, "noProductionTime")
    assert nothing.quality == Ratio(None, "nothingProduced")
    assert nothing.oee == Ratio(None, "noPlannedTime")
    stood = figures(Counts(busy=D(60)))
    assert stood.availability == Ratio(D(0))
    assert stood.oee == Ratio(None, "noProductionTime")
    ran = figures(Counts(busy=D(60), producing=D(60)))
    assert (ran.effectiveness, ran.oee) == (Ratio(D(0)), Ratio(None, "nothingProduced"))


@pytest.mark.accepts("KP-02")
def test_an_effectiveness_above_one_is_shown_as_it_is_and_doubted() -> None:
    found = figures(Counts(D(100), D(50), D(10), D(10), D(75), D(75)))
    assert found.effectiveness == Ratio(D("1.5"), "checkIdealCycleTime")
    assert found.oee == Ratio(D("0.75"), "checkIdealCycleTime")


@pytest.mark.accepts("KP-02")
def test_pieces_without_an_ideal_cycle_time_have_no_effectiveness() -> None:
    found = figures(Counts(D(100), D(50), D(10), D(9), untimed=D(10)))
    assert found.effectiveness == Ratio(None, "noIdealCycleTime")
    assert found.oee == Ratio(None, "noIdealCycleTime")
    assert found.quality == Ratio(D("0.9"))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_of_several_things_at_once_one_counts() -> None:
    spans = [
        Span(at(1, 8), at(1, 12), Doing.STOPPED),
        Span(at(1, 9), at(1, 10), Doing.PRODUCING),
        Span(at(1, 9, 30), at(1, 11), Doing.DOWN),
    ]
    line = time_line(spans, at(1, 6), at(1, 14), [(at(1, 7), at(1, 13))])
    assert [(span.start.hour + span.start.minute / 60, span.doing) for span in line] == [
        (6, Doing.NOT_PLANNED), (7, Doing.IDLE), (8, Doing.STOPPED), (9, Doing.PRODUCING), (10, Doing.DOWN),
        (11, Doing.STOPPED), (12, Doing.IDLE), (13, Doing.NOT_PLANNED),
    ]  # fmt: skip
    own = from_times(state_seconds(line))
    assert (own.busy, own.producing) == (D(6 * 3600), D(3600))


def test_production_outside_the_planned_hours_is_busy_time_and_maintenance_is_not() -> None:
    spans = [Span(at(1, 2), at(1, 3), Doing.PRODUCING), Span(at(1, 8), at(1, 9), Doing.MAINTENANCE)]
    own = from_times(state_seconds(time_line(spans, at(1, 0), at(2, 0), [(at(1, 8), at(1, 16))])))
    assert (own.busy, own.producing) == (D(8 * 3600), D(3600))


@pytest.mark.accepts("KP-03")
def test_a_day_on_which_the_clocks_are_changed_has_23_or_25_hours() -> None:
    lengths = {day: end - start for day, start, end in days(date(2026, 3, 28), date(2026, 3, 30), BERLIN)}
    assert [length / timedelta(hours=1) for length in lengths.values()] == [24, 23, 24]
    ((_, start, end),) = days(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    assert end - start == timedelta(hours=25)
    (night,) = shifts(date(2026, 3, 28), date(2026, 3, 28), time(22), time(6), BERLIN)
    assert night[1] - night[0] == timedelta(hours=7)
    assert shifts(date(2026, 3, 29), date(2026, 3, 29), time(2, 30), time(3, 15), BERLIN) == []


@st.composite
def stories(draw: st.DrawFn) -> tuple[ZoneInfo, date, date, list[Span], list[tuple[datetime, datetime]]]:
    """A week around the end of March or October of a plant somewhere; spans that overlap as they like."""
    zone = draw(st.sampled_from(ZONES))
    first = draw(st.sampled_from([date(2026, 3, 6), date(2026, 3, 27), date(2026, 10, 23), date(2026, 10, 30)]))
    last = first + timedelta(days=draw(st.integers(0, 6)))
    origin = instant(first, time(), zone)
    minutes = st.integers(-600, 8 * 1440)
    doings = st.sampled_from([doing for doing in Doing if doing not in (Doing.IDLE, Doing.NOT_PLANNED)])
    drawn = draw(st.lists(st.tuples(minutes, minutes, doings), max_size=12))
    spans = [
        Span(origin + timedelta(minutes=one), origin + timedelta(minutes=other, seconds=7), doing)
        for one, other, doing in drawn
    ]  # fmt: skip
    clock = st.times(time(0), time(23, 59))
    return zone, first, last, spans, shifts(first - timedelta(days=1), last, draw(clock), draw(clock), zone)


@pytest.mark.accepts("KP-03")
@given(stories())
def test_the_times_add_up_to_the_calendar_across_midnight_and_changes_of_the_clock(
    story: tuple[ZoneInfo, date, date, list[Span], list[tuple[datetime, datetime]]],
) -> None:
    zone, first, last, spans, planned = story
    bounds = list(days(first, last, zone))
    whole = time_line(spans, bounds[0][1], bounds[-1][2], planned)
    assert (whole[0].start, whole[-1].end) == (bounds[0][1], bounds[-1][2])
    assert all(one.end == other.start for one, other in itertools.pairwise(whole))
    by_day = [state_seconds(time_line(spans, start, end, planned)) for _, start, end in bounds]
    for (_, start, end), own in zip(bounds, by_day, strict=True):
        assert sum(own.values()) == D(str((end - start).total_seconds()))
    everything = state_seconds(whole)
    assert {doing: sum(own[doing] for own in by_day) for doing in Doing} == everything
    # And by shift: what lies in the planned hours and outside them is all there is.
    inside = [time_line(spans, max(low, bounds[0][1]), min(high, bounds[-1][2])) for low, high in planned
              if max(low, bounds[0][1]) < min(high, bounds[-1][2])]  # fmt: skip
    assert sum(state_seconds(line)[Doing.IDLE] for line in inside) == everything[Doing.IDLE]
    # An oracle of its own, minute by minute: what is going on there, by the order of the list.
    for span in whole:
        middle = span.start + (span.end - span.start) / 2
        now = [own.doing for own in spans if own.start <= middle < own.end]
        is_planned = any(low <= middle < high for low, high in planned)
        expected = min(now, key=list(Doing).index) if now else Doing.IDLE if is_planned else Doing.NOT_PLANNED
        assert span.doing is expected
