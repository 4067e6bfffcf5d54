"""Conditions of maintenance: what is due, what is not enough to say (A22)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from domain.maintenance_conditions import ConditionKind, Direction, Finding, JobSum, MaintenanceCondition, judged

pytestmark = pytest.mark.accepts("A22")


def of(kind: ConditionKind, limit: str, jobs: Sequence[JobSum], **more: Any) -> Finding:
    condition = MaintenanceCondition(code="C-1", equipment="P-1", kind=kind, limit=Decimal(limit), **more)
    return judged(condition, jobs)


def ran(*means: str | None, hours: str = "2", pieces: str = "1000") -> list[JobSum]:
    return [
        JobSum(job=f"J{n}", hours=Decimal(hours), pieces=Decimal(pieces), mean=None if mean is None else Decimal(mean))
        for n, mean in enumerate(means)
    ]


def test_hours_and_strokes_are_due_at_their_limit_and_not_before() -> None:
    assert not of(ConditionKind.RUN_HOURS, "6.01", ran(None, None, None)).is_due
    assert of(ConditionKind.RUN_HOURS, "6", ran(None, None, None)) == Finding(value=Decimal(6), jobs=3, is_due=True)
    assert of(ConditionKind.STROKES, "3000", ran(None, None, None)).is_due
    assert not of(ConditionKind.STROKES, "3001", ran(None, None, None)).is_due
    assert not of(ConditionKind.RUN_HOURS, "1", []).is_due


def test_a_rising_value_is_due_before_it_is_there() -> None:
    rising = ran("100", "102", "104", "106", "108", "110")
    found = of(ConditionKind.TREND, "120", rising, tag="ejection", ahead=5)
    assert (found.value, found.slope, found.is_due) == (Decimal(120), Decimal(2), True)
    assert not of(ConditionKind.TREND, "120", rising, tag="ejection", ahead=4).is_due


def test_one_job_that_went_astray_makes_no_trend() -> None:
    found = of(ConditionKind.TREND, "120", ran("100", "100", "100", "100", "100", "180"), tag="ejection")
    assert (found.slope, found.is_due) == (Decimal(0), False)


def test_too_few_jobs_say_nothing_and_jobs_without_the_value_do_not_count() -> None:
    found = of(ConditionKind.TREND, "1", ran("1", None, "2", None, "3", "4"), tag="ejection")
    assert (found.value, found.jobs, found.is_due) == (None, 4, False)


def test_a_falling_value_and_one_that_goes_back() -> None:
    falling = ran("10", "9", "8", "7", "6")
    assert of(ConditionKind.TREND, "2", falling, tag="force", direction=Direction.BELOW, ahead=4).is_due
    assert not of(ConditionKind.TREND, "5", falling, tag="force", ahead=0).is_due, "above, and going back"


def test_only_the_last_jobs_count() -> None:
    means = ["0"] * 10 + ["100", "100", "100", "100", "100"]
    assert of(ConditionKind.TREND, "150", ran(*means), tag="t", window=5).slope == 0
