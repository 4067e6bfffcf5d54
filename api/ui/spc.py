"""Control charts of what was recorded: where a process leaves its own ways, and whether it is capable."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import spc
from api.periods import period, shortcuts
from api.routing import Router
from api.scopes import Scope
from api.ui.shell import PageRoute, context, page
from api.ui.svg.scales import short
from api.ui.svg.spc import Lines, Point, control_chart
from db.queries import spc as tables
from db.queries.spc import Sample, Source
from db.session import reading
from domain.quantities import plain
from domain.spc import LARGEST_SUBGROUP
from domain.spc_rules import RULES, RuleSet
from reporting.period import Period
from wording.texts import Words
from wording.values import Clock

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

SHOWN: Final = 80
"""Points of a chart; the limits are made of all."""
ROWS: Final = 20
"""Rows of its table."""
SIGNALS: Final = 40
KINDS: Final = ("individuals", "meanRange", "meanDeviation")
SOURCES: Final[tuple[Source, ...]] = ("parameter", "inspection", "scrap")


@dataclass(frozen=True)
class Choice:
    """What the address asks for. `of`: `source:name` of a characteristic, else the one with most values; `show`:
    `all` points."""

    of: str
    product: str
    chart: spc.Kind
    rules: RuleSet
    subgroup: int
    baseline: str
    show: str

    def question(self, source: Source, name: str, days: Period) -> spc.Question:
        """The question about one characteristic."""
        kind: spc.Kind = "proportion" if source == "scrap" else self.chart
        is_number = self.baseline.isascii() and self.baseline.isdigit() and int(self.baseline) > 1
        return spc.Question(
            source, name, days.since, days.until, self.product or None, kind, self.rules, self.subgroup,
            int(self.baseline) if is_number else None,
        )  # fmt: skip


def choice(
    of: Annotated[str, Query(max_length=240)] = "",
    product: Annotated[str, Query(max_length=80)] = "",
    chart: Literal["individuals", "meanRange", "meanDeviation"] = "individuals",
    rules: RuleSet = "nelson",
    subgroup: Annotated[int, Query(ge=2, le=LARGEST_SUBGROUP)] = 5,
    baseline: Annotated[str, Query(max_length=5)] = "",
    show: Annotated[str, Query(max_length=5)] = "",
) -> Choice:
    """What the address says."""
    return Choice(of, product, chart, rules, subgroup, baseline, show)


@router.get("/spc")
async def charts(
    request: Request, days: Annotated[Period, Depends(period)], chosen: Annotated[Choice, Depends(choice)]
) -> Response:
    """The charts of one characteristic, what they say, and the values."""
    session, engine = request.state.session, request.app.state.services.engine
    inside = Scope(session.plants, session.lines).orders()

    def asked() -> tuple[list[dict[str, Any]], spc.Answer | None]:
        with reading(engine) as connection:
            known = tables.characteristics(connection, days.since, days.until, inside)
            one = _chosen(known, chosen.of)
            return known, spc.answer(connection, chosen.question(*one, days), inside) if one else None

    known, found = await run_in_threadpool(asked)
    having = context(request)
    t: Words = having["t"]
    shown = _shown(found, t, having["clock"], chosen.show == "all")
    return page(
        request, "spc.html", period=days, shortcuts=shortcuts(days.zone), known=_options(known, t), found=found,
        products=sorted({one["product"] for one in known if found and _is_of(one, found)}),
        of=f"{found.question.source}:{found.question.name}" if found else "", product=chosen.product,
        chart=chosen.chart, rules=chosen.rules, subgroup=chosen.subgroup, baseline=chosen.baseline, short=short,
        kinds=[(kind, t.of("spc.kind", kind)) for kind in KINDS],
        rule_sets=[(name, t.of("spc.ruleSet", name)) for name in RULES], show=chosen.show, shown=SHOWN,
        live="operation,work-order,inspection", **shown,
    )  # fmt: skip


def _shown(found: spc.Answer | None, t: Words, clock: Clock, everything: bool) -> dict[str, Any]:
    """Pictures, signals and rows, as many as are shown."""
    if found is None or found.study is None:
        return {"pictures": [], "signals": [], "rows": []}
    last, rows = (len(found.points),) * 2 if everything else (SHOWN, ROWS)
    return {"pictures": _pictures(found, t, clock, last), "signals": _signals(found), "rows": _rows(found, rows)}


def _chosen(known: list[dict[str, Any]], of: str) -> tuple[Source, str] | None:
    source, _, name = of.partition(":")
    for own in SOURCES:
        if own == source and name:
            return own, name
    if not known:
        return None
    # What was measured before what was counted, the most values first.
    first = max(known, key=lambda one: (one["source"] != "scrap", one["count"], one["name"]))
    return first["source"], first["name"]


def _is_of(one: dict[str, Any], found: spc.Answer) -> bool:
    return bool(one["source"] == found.question.source and one["name"] == found.question.name)


def _options(known: list[dict[str, Any]], t: Words) -> list[tuple[str, str]]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for one in known:
        counts[one["source"], one["name"]] += one["count"]
    return [
        (f"{source}:{name}", f"{name} · {t.of('spc.source', source)} ({count})")
        for (source, name), count in counts.items()
    ]


def link_of(sample: Sample) -> str:
    """Where a value leads: to its order; of a received lot there is none."""
    return "" if sample.order_id is None else f"/ui/orders/{sample.order_id}"


def _hits(found: spc.Answer, chart: str) -> dict[int, list[str]]:
    """Which rules hit which sample of a chart."""
    hits: dict[int, list[str]] = defaultdict(list)
    for signal in found.study.signals if found.study else ():
        if signal.chart == chart:
            hits[signal.at].append(signal.rule)
    return hits


def _pictures(found: spc.Answer, t: Words, clock: Clock, last: int) -> list[Any]:
    assert found.study is not None
    low, high = found.limits
    specification = {t("spc.usl"): high, t("spc.lsl"): low} if found.question.chart == "individuals" else {}
    lines = Lines(t("spc.ucl"), t("spc.cl"), t("spc.lcl"), specification)
    made = []
    for chart in found.study.charts:
        hits = _hits(found, chart.name)
        points = []
        for place, value in enumerate(chart.values):
            at = place + chart.first
            sample = found.points[at][0]
            named = ", ".join(f"{rule} {t.of('spc.rule', rule)}" for rule in hits[at])
            label = t("spc.point", number=at + 1, value=short(value, 6), lot=sample.lot, at=clock.short(sample.at))
            points.append(
                Point(link_of(sample), f"{label} {named}".strip(), clock.short(sample.at)[:5], tuple(hits[at]))
            )
        title = t.of("spc.chart", chart.name)
        made.append((chart, title, control_chart(chart, points, lines, title, last)))
    return made


def _signals(found: spc.Answer) -> list[dict[str, Any]]:
    """The newest signals first, with the numbers of their points as people count."""
    assert found.study is not None
    return [
        {
            "rule": own.rule, "chart": own.chart, "number": own.at + 1, "sample": found.points[own.at][0],
            "points": ", ".join(str(point + 1) for point in own.points),
        }
        for own in sorted(found.study.signals, key=lambda signal: -signal.at)[:SIGNALS]
    ]  # fmt: skip


def _rows(found: spc.Answer, last: int) -> list[dict[str, Any]]:
    """The table that says the same as the charts, newest first."""
    assert found.study is not None
    main = found.study.charts[0]
    hits = {chart.name: _hits(found, chart.name) for chart in found.study.charts}
    made = []
    for at, point in enumerate(found.points):
        texts = [plain(sample.value) for sample in point]
        if point[0].size is not None:
            texts = [f"{plain(point[0].value)} / {plain(point[0].size)}"]
        others = [chart.values[at - chart.first] if at >= chart.first else None for chart in found.study.charts[1:]]
        made.append(
            {
                "number": at + 1, "sample": point[0], "link": link_of(point[0]), "texts": texts,
                "value": main.values[at], "others": others,
                "hits": [(chart, rule) for chart, own in hits.items() for rule in own.get(at, ())],
            }
        )  # fmt: skip
    return list(reversed(made[-last:]))
