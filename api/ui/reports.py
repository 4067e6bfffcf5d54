"""Reports of a period: what was made, what was lost, how long it took; every figure leads to its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.clock import now
from api.errors import Problem
from api.periods import period, shortcuts
from api.routing import Router
from api.scopes import Scope
from api.ui.shell import PageRoute, context, page
from api.ui.svg.pareto import Bar, pareto, stack
from db.queries import oee as machines
from db.queries import report_lists as lists
from db.queries import reporting as tables
from db.session import reading
from domain import oee
from reporting import figures, shapes
from reporting.figures import Asked
from reporting.period import Period
from reporting.summaries import Figures, Report, figures_of, summary
from reporting.tables import Table, as_csv, lasting, percent
from wording.texts import Words
from wording.values import quantity

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

Rows = Literal["pieces", "leadTime", "delivery", "deviations", "moves", "spans", "reports", "values", "inspections"]
SHOWN: Final = 500
"""Rows of a list on a page; all of them are in its file."""
Document = dict[str, Any]


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def asked(
    request: Request,
    days: Annotated[Period, Depends(period)],
    product: Annotated[str, Query(max_length=80)] = "",
    opens: Annotated[str, Query(max_length=8)] = "",
    closes: Annotated[str, Query(max_length=8)] = "",
) -> Asked:
    """What the address asks for. `opens`, `closes`: the planned hours of each day, for OEE."""
    session = request.state.session
    begin, end = _clock(opens), _clock(closes)
    hours = None if begin is None or end is None or begin == end else (begin, end)
    return Asked(days, Scope(session.plants, session.lines), now(), product or None, hours)


Question = Annotated[Asked, Depends(asked)]


@router.get("/reports")
async def reports(request: Request, question: Question, report: Report = "output") -> Response:
    """The figures of a period beside those of the period before, and one report in full."""
    engine = request.app.state.services.engine

    def read() -> tuple[Figures, Figures, Table | None, list[str]]:
        with reading(engine) as connection:
            this, before = figures_of(connection, question), figures_of(connection, question.before)
            table = summary(connection, question, report, this, context(request)["t"])
            return this, before, table, tables.products(connection, question.scope.orders())

    this, before, table, products = await run_in_threadpool(read)
    having = context(request)
    t, clock = having["t"], having["clock"]
    return page(
        request, "reports.html", asked=question, period=question.period, shortcuts=shortcuts(question.period.zone),
        report=report, reports=figures.REPORTS, products=products, tiles=_tiles(question, this, before, t),
        table=table, rows=[table.cells(row, t, clock) for row in table.rows] if table else [],
        picture=_picture(question, report, table, t), own=_own(question), query=dict(request.query_params),
        stacks=_stacks(this.stations, t) if report == "oee" else [], doings=list(oee.Doing),
        live="work-order,production-order,operation,deviation",
    )  # fmt: skip


def _own(question: Asked) -> dict[str, str]:
    """The address of the question, for links and fields."""
    opens, closes = question.hours or ("", "")
    return {
        "since": question.period.first.isoformat(), "until": question.period.last.isoformat(),
        "product": question.product or "", "opens": str(opens)[:5], "closes": str(closes)[:5],
    }  # fmt: skip


# Tiles ------------------------------------------------------------------------------------------------------------


def _tiles(question: Asked, this: Figures, before: Figures, t: Words) -> list[Document]:
    """The figures on top, each beside that of the period before."""
    now_made, then_made = figures.totals(this.output), figures.totals(before.output)
    on_time, was_on_time = (figures.delivered(own.due) for own in (this, before))
    lead, was_lead = (figures.lead_times(own.lead)[-1][1].median for own in (this, before))
    machine, was_machine = (_oee(own) for own in (this, before))
    opened, was_opened = len(this.deviations), len(before.deviations)
    pieces = shapes.rows_link(question, "pieces", kind="good")

    def tile(key: str, text: str, was: str, href: str, report: str, unit: str = "") -> Document:
        return {"key": key, "text": text, "was": was, "href": href, "report": report, "unit": unit}

    same = then_made if then_made["unit"] == now_made["unit"] else {"good": Decimal(0)}
    return [
        tile("good", quantity(now_made["good"]), quantity(same["good"]), pieces, "output", now_made["unit"]),
        tile("yield", percent(now_made["yield"]), percent(then_made["yield"]),
             shapes.rows_link(question, "pieces"), "output"),
        tile("onTime", percent(on_time["share"]), percent(was_on_time["share"]),
             shapes.rows_link(question, "delivery"), "delivery"),
        tile("lead", _lasting(lead, t), _lasting(was_lead, t), shapes.rows_link(question, "leadTime"), "leadTime"),
        tile("deviations", str(opened), str(was_opened), shapes.rows_link(question, "deviations"), "deviations"),
        tile("oee", percent(machine), percent(was_machine), shapes.rows_link(question, "spans"), "oee"),
    ]  # fmt: skip


def _lasting(seconds: Decimal | None, t: Words) -> str:
    return "–" if seconds is None else lasting(seconds, t)


def _oee(figures: Figures) -> Decimal | None:
    return figures.stations[-1].figures.oee.value if figures.stations else None


def _picture(question: Asked, report: Report, table: Table | None, t: Words) -> Any:
    """The Pareto chart of scrap; of the unit with the most of it."""
    if report != "scrap" or table is None or not table.rows:
        return ""
    unit = table.rows[0]["unit"]
    bars = [
        Bar(
            t.of("scrap", row["reason"] or "none"), float(row["quantity"]),
            shapes.rows_link(question, "pieces", kind="scrap", reason=row["reason"]), float(row["cumulative"]),
        )
        for row in table.rows if row["unit"] == unit
    ]  # fmt: skip
    return pareto(bars, t("reports.scrap.title"), unit)


def _stacks(stations: Sequence[figures.Station], t: Words) -> list[Document]:
    """What each station did, as one bar."""
    return [
        {
            "code": own.code, "name": own.name, "seconds": _done(own, t),
            "picture": stack([(str(doing), float(own.seconds[doing])) for doing in oee.Doing],
                             t("oee.time.of", code=own.code)),
        }
        for own in stations if own.code
    ]  # fmt: skip


def _done(own: figures.Station, t: Words) -> list[tuple[oee.Doing, str]]:
    return [(doing, lasting(seconds, t)) for doing, seconds in own.seconds.items() if seconds]


# Rows and files ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """Which rows: what the figure that somebody followed is a figure of."""

    day: date | None
    kind: str
    reason: str | None
    material: str
    direction: str
    status: str
    code: str
    station: str
    lot: str
    operation: str
    name: str


def wanted(
    day: Annotated[str, Query(max_length=10)] = "",
    kind: Annotated[str, Query(max_length=10)] = "",
    reason: Annotated[str | None, Query(max_length=200)] = None,
    material: Annotated[str, Query(max_length=80)] = "",
    direction: Annotated[str, Query(max_length=170)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    code: Annotated[str, Query(max_length=80)] = "",
    station: Annotated[str, Query(max_length=80)] = "",
    lot: Annotated[str, Query(max_length=80)] = "",
    operation: Annotated[str, Query(max_length=80)] = "",
    name: Annotated[str, Query(max_length=200)] = "",
) -> Wanted:
    """What the address says."""
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        raise Problem(422, "INVALID_REQUEST", f"{day} is no day") from None
    return Wanted(on, kind, reason, material, direction, status, code, station, lot, operation, name)


Which = Annotated[Wanted, Depends(wanted)]


def _rows(connection: Connection, question: Asked, report: Rows, which: Wanted, limit: int) -> Table:
    inside, bounds, zone = question.scope.orders(), question.bounds, question.period.zone.key
    match report:
        case "pieces":
            rows = tables.pieces(*bounds, inside, question.product)
            filters = {"day": which.day, "kind": which.kind, "reason": which.reason}
            return Table(shapes.PIECES, tables.piece_rows(connection, rows, zone, limit, **filters))
        case "moves":
            if not question.scope.is_everywhere:
                return Table(shapes.MOVES)
            found = tables.move_rows(connection, *bounds, limit, which.material, which.direction)
            return Table(shapes.MOVES, found)
        case "leadTime":
            lead = [row | row["stages"] for row in figures.lead_rows(connection, question)]
            return Table(shapes.LEAD, lead[:limit])
        case "delivery":
            due = [row for row in figures.due(connection, question) if which.status in ("", row["status"])]
            return Table(shapes.DUE, due[:limit])
        case "deviations":
            own = [row for row in figures.deviation_rows(connection, question) if _is_wanted(row, which)]
            return Table(shapes.DEVIATIONS, own[:limit])
        case "values":
            verdict = which.status if which.status in ("within", "outside") else ""
            values = lists.value_rows(
                connection, *bounds, inside, limit, product=question.product or "", lot=which.lot,
                operation=which.operation, name=which.name, verdict=verdict,
            )  # fmt: skip
            return Table(shapes.VALUES, [row for row in values if which.status != "corrected" or row["version"] > 1])
        case "inspections":
            asked_for = figures.inspection_rows(connection, question)
            inspected = [row for row in asked_for if _is_asked(row, which)]
            return Table(shapes.INSPECTED, inspected[:limit])
        case "reports":
            reported = machines.report_rows(connection, *bounds, zone, inside, question.scope.lines, which.station)
            return Table(shapes.REPORTED, reported[:limit])
        case _:
            return Table(shapes.SPANS, _spans(connection, question, which.station)[:limit])


def _is_asked(row: Mapping[str, Any], which: Wanted) -> bool:
    fits = row["outside"] > 0 if which.status == "outside" else which.status in ("", row["verdict"])
    return fits and which.material in ("", row["material"])


def _is_wanted(row: Mapping[str, Any], which: Wanted) -> bool:
    state = "closed" if row["state"] == "closed" else "open"
    return which.code in ("", row["code"]) and which.status in ("", state)


def _spans(connection: Connection, question: Asked, station: str) -> list[Document]:
    """What operations and machines did, by time."""
    since, until = question.period.since, min(question.period.until, question.at)
    if since >= until:
        return []
    scope = question.scope
    found: list[Document] = [
        {
            "workstation": own.workstation, "order_number": own.order_number, "order_id": own.order_id,
            "operation": own.operation, **_span(own.span),
        }
        for own in machines.spans(connection, since, until, scope.orders(), scope.lines)
    ]  # fmt: skip
    known = machines.stations(connection, scope.lines)
    for code, spans in machines.machine_spans(connection, since, until).items():
        if code in known:
            found += [
                {"workstation": code, "order_number": None, "order_id": None, "operation": None, **_span(span)}
                for span in spans
            ]
    return sorted((row for row in found if station in ("", row["workstation"])), key=lambda row: row["from"])


def _span(span: oee.Span) -> Document:
    return {"from": span.start, "to": span.end, "doing": str(span.doing), "seconds": span.seconds}


@router.get("/reports/rows")
async def rows(request: Request, question: Question, which: Which, report: Rows = "pieces") -> Response:
    """The rows behind a figure."""
    table = await _read(request, lambda connection: _rows(connection, question, report, which, SHOWN + 1))
    having = context(request)
    cells = [table.cells(row, having["t"], having["clock"]) for row in table.rows[:SHOWN]]
    return page(
        request, "report_rows.html", report=report, table=table, rows=cells, period=question.period,
        own=_own(question), query=dict(request.query_params), shown=SHOWN, is_cut=len(table.rows) > SHOWN,
        live="work-order,production-order,operation,deviation",
    )  # fmt: skip


@router.get("/reports/rows.csv")
async def rows_file(request: Request, question: Question, which: Which, report: Rows = "pieces") -> Response:
    """The rows behind a figure as a file, all of them."""
    table = await _read(request, lambda connection: _rows(connection, question, report, which, tables.MOST))
    return _file(request, question, table, f"{report}-rows")


@router.get("/reports/report.csv")
async def report_file(request: Request, question: Question, report: Report = "output") -> Response:
    """A report as a file."""

    def read(connection: Connection) -> Table | None:
        return summary(connection, question, report, figures_of(connection, question), context(request)["t"])

    table = await _read(request, read)
    return _file(request, question, table or Table(()), report)


async def _read(request: Request, read: Callable[[Connection], Any]) -> Any:
    def done() -> Any:
        with reading(request.app.state.services.engine) as connection:
            return read(connection)

    return await run_in_threadpool(done)


def _file(request: Request, question: Asked, table: Table, name: str) -> Response:
    period = question.period
    attached = f'attachment; filename="{name}-{period.first}-{period.last}.csv"'
    content = as_csv(table, context(request)["t"])
    return Response(content, media_type="text/csv; charset=utf-8", headers={"content-disposition": attached})
