"""When reports are due and which days they are about, over changes of the clock and ends of months."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.report_states import Rhythm, due_after, period_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def test_a_daily_weekly_and_monthly_report_is_about_the_time_before() -> None:
    friday = datetime(2026, 11, 27, 12, tzinfo=UTC)
    daily = due_after(Rhythm.DAILY, time(6), friday, SHANGHAI)
    assert daily == datetime(2026, 11, 27, 22, tzinfo=UTC)
    assert period_of(Rhythm.DAILY, daily, SHANGHAI) == (date(2026, 11, 27), date(2026, 11, 27))
    weekly = due_after(Rhythm.WEEKLY, time(6), friday, SHANGHAI)
    assert period_of(Rhythm.WEEKLY, weekly, SHANGHAI) == (date(2026, 11, 23), date(2026, 11, 29))
    monthly = due_after(Rhythm.MONTHLY, time(0), friday, SHANGHAI)
    assert monthly == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert period_of(Rhythm.MONTHLY, monthly, SHANGHAI) == (date(2026, 11, 1), date(2026, 11, 30))


def test_six_in_the_morning_stays_six_when_the_clocks_are_changed() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = [before]
    for _ in range(2):
        found.append(due_after(Rhythm.DAILY, time(6), found[-1], BERLIN))
    assert [at.astimezone(BERLIN).hour for at in found[1:]] == [6, 6]
    assert found[1] == datetime(2026, 3, 29, 4, tzinfo=UTC)


@given(st.sampled_from(Rhythm), st.integers(0, 3_000_000_000), st.times())
def test_due_times_go_on_and_leave_no_day_out(rhythm: Rhythm, seconds: int, at: time) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    first = due_after(rhythm, at, moment, SHANGHAI)
    second = due_after(rhythm, at, first, SHANGHAI)
    assert moment < first < second
    (_, last), (begin, _) = period_of(rhythm, first, SHANGHAI), period_of(rhythm, second, SHANGHAI)
    assert begin == last + timedelta(days=1)
