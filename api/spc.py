"""Control charts of recorded values: which samples, which chart, what it says. For the API and for the console."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection

from db.queries import spc as tables
from db.queries.spc import Asked, Sample, Source
from domain import spc
from domain.quantities import plain
from domain.spc_rules import RuleSet

Kind = Literal["individuals", "meanRange", "meanDeviation", "proportion"]
DIGITS: Final = 6


@dataclass(frozen=True)
class Question:
    """What is charted and how: `subgroup` values make one point of a chart of means, `baseline` samples the limits."""

    source: Source
    name: str
    since: datetime
    until: datetime
    product: str | None = None
    chart: Kind = "individuals"
    rules: RuleSet = "nelson"
    subgroup: int = 5
    baseline: int | None = None


@dataclass(frozen=True)
class Answer:
    """`points` has the samples of each point of the charts; `left_out` values did not fill a subgroup. Without a
    study `reason` says why there is none."""

    question: Question
    points: tuple[tuple[Sample, ...], ...] = ()
    study: spc.Study | None = None
    capability: spc.Capability | None = None
    left_out: int = 0
    reason: str = ""
    limits: tuple[float | None, float | None] = (None, None)
    limits_changed: bool = False
    unit: str = ""
    units: tuple[str, ...] = field(default=())


def answer(connection: Connection, question: Question, inside: Sequence[ColumnElement[bool]] = ()) -> Answer:
    """The charts of a question; with one statement."""
    asked = Asked(question.source, question.name, question.product, question.since, question.until)
    return charted(question, tables.samples(connection, asked, inside))


def charted(question: Question, samples: Sequence[Sample]) -> Answer:
    """The charts of samples in the order of time."""
    if len(samples) < 2:
        return Answer(question, reason="tooFew")
    units = tuple(sorted({sample.unit for sample in samples}))
    if len(units) > 1:
        return Answer(question, reason="severalUnits", units=units)
    if question.source == "scrap":
        return _proportions(question, samples)
    size = question.subgroup if question.chart in ("meanRange", "meanDeviation") else 1
    points = _subgroups(samples, size)
    left_out = len(samples) - size * len(points)
    if len(points) < 2:
        return Answer(question, reason="tooFewSubgroups", left_out=left_out)
    groups = [[float(sample.value) for sample in point] for point in points]
    match question.chart:
        case "meanRange":
            study = spc.means_and_ranges(groups, question.rules, question.baseline)
        case "meanDeviation":
            study = spc.means_and_deviations(groups, question.rules, question.baseline)
        case _:
            study = spc.individuals([group[0] for group in groups], question.rules, question.baseline)
    last = samples[-1]
    low, high = (None if limit is None else float(limit) for limit in (last.low, last.high))
    values = [value for group in groups for value in group]
    found = spc.capability(values, study.within or 0.0, low, high)
    changed = len({(sample.low, sample.high) for sample in samples}) > 1
    return Answer(question, points, study, found, left_out, "", (low, high), changed, units[0], units)


def _proportions(question: Question, samples: Sequence[Sample]) -> Answer:
    study = spc.proportions(
        [(float(sample.size or 0), float(sample.value)) for sample in samples], question.rules, question.baseline
    )
    return Answer(question, tuple((sample,) for sample in samples), study, unit="", units=())


def _subgroups(samples: Sequence[Sample], size: int) -> tuple[tuple[Sample, ...], ...]:
    """Values that follow each other in one batch; what does not fill a subgroup is left out."""
    found: list[tuple[Sample, ...]] = []
    for _, own in groupby(samples, key=lambda sample: sample.lot if size > 1 else None):
        of_lot = list(own)
        found += [tuple(of_lot[at : at + size]) for at in range(0, len(of_lot) - size + 1, size)]
    return tuple(found)


def document(found: Answer) -> dict[str, Any]:
    """An answer as the API gives it; estimates have six decimals, values are as they were recorded."""
    study, question = found.study, found.question
    return {
        "characteristic": {"source": question.source, "name": question.name, "product": question.product,
                           "unit": found.unit},
        "since": question.since.isoformat(), "until": question.until.isoformat(), "rules": question.rules,
        "baseline": study.baseline if study else None, "leftOut": found.left_out, "reason": found.reason or None,
        "specification": {"low": found.limits[0], "high": found.limits[1], "changed": found.limits_changed},
        "points": [[_sample(sample) for sample in point] for point in found.points],
        "charts": [_chart(chart) for chart in study.charts] if study else [],
        "signals": [
            {"rule": own.rule, "chart": own.chart, "at": own.at, "points": list(own.points)} for own in study.signals
        ] if study else [],
        "capability": _capability(found.capability),
    }  # fmt: skip


def _sample(sample: Sample) -> dict[str, Any]:
    return {
        "value": plain(sample.value), "size": None if sample.size is None else plain(sample.size),
        "at": sample.at.isoformat(), "lot": sample.lot, "product": sample.product,
        "orderId": None if sample.order_id is None else str(sample.order_id), "orderNumber": sample.order_number,
        "workOrder": sample.work_order, "operation": sample.operation, "number": sample.number,
        "person": sample.person,
    }  # fmt: skip


def _chart(chart: spc.Chart) -> dict[str, Any]:
    return {
        "name": chart.name, "centre": _rounded(chart.centre), "first": chart.first,
        "values": [_rounded(value) for value in chart.values], "sigma": [_rounded(value) for value in chart.sigma],
        "lower": [_rounded(value) for value in chart.lower], "upper": [_rounded(value) for value in chart.upper],
    }  # fmt: skip


def _capability(found: spc.Capability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("mean", "within", "overall", "cp", "cpl", "cpu", "cpk", "pp", "ppl", "ppu", "ppk")
    return {name: _rounded(getattr(found, name)) for name in names} | {"count": found.count, "isFew": found.is_few}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
