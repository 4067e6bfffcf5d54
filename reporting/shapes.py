"""The columns of each report and of the rows behind its figures; every figure leads to its rows."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlencode

from db.queries.reporting import DIRECTIONS, WAY
from domain.lead_time import STAGES
from reporting.figures import DELIVERY, VERDICTS, Asked
from reporting.period import Period
from reporting.tables import Column, Row

ROWS: Final = "/ui/reports/rows"


def rows_link(asked: Asked, report: str, **wanted: Any) -> str:
    """The address of the rows behind a figure."""
    query = {"report": report, **_period(asked.period), "product": asked.product or "", **wanted}
    return f"{ROWS}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def _period(period: Period) -> dict[str, str]:
    return {"since": period.first.isoformat(), "until": period.last.isoformat()}


def _order(row: Row) -> str:
    return f"/ui/orders/{row['order_id']}" if row.get("order_id") else ""


ORDER: Final = Column("order_number", "nav.orders", "order", href=_order)


def _pieces(asked: Asked, kind: str) -> Callable[[Row], str]:
    return lambda row: rows_link(asked, "pieces", kind=kind, day=row["day"].isoformat(), product=row["product"])


def output(asked: Asked) -> tuple[Column, ...]:
    """Output and yield by product and day."""
    return (
        Column("day", "reports.day", "day"), Column("product", "field.product"), Column("name", "reports.name"),
        Column("good", "reports.good", "number", unit="unit", href=_pieces(asked, "good")),
        Column("scrap", "reports.scrap", "number", unit="unit", href=_pieces(asked, "scrap")),
        Column("yield", "reports.yield", "percent", href=_pieces(asked, "")),
        Column("orders", "reports.orders", "number", href=_pieces(asked, "")),
    )  # fmt: skip


def scrap(asked: Asked) -> tuple[Column, ...]:
    """Scrap by reason."""

    def rows(row: Row) -> str:
        return rows_link(asked, "pieces", kind="scrap", reason=row["reason"])

    def every(row: Row) -> str:
        return rows_link(asked, "pieces", kind="scrap")

    return (
        Column("reason", "reports.reason", group="scrap"),
        Column("quantity", "reports.scrap", "number", unit="unit", href=rows),
        Column("share", "reports.share", "percent", href=rows),
        Column("cumulative", "reports.cumulative", "percent", href=every),
        Column("count", "reports.count", "number", href=rows),
    )  # fmt: skip


def lead_time(asked: Asked) -> tuple[Column, ...]:
    """Lead time by stage."""

    def rows(row: Row) -> str:
        return rows_link(asked, "leadTime")

    return (
        Column("stage", "reports.stage", group="stage"), Column("count", "reports.works", "number", href=rows),
        Column("median", "reports.median", "seconds", href=rows), Column("mean", "reports.mean", "seconds", href=rows),
        Column("ninth", "reports.ninth", "seconds", href=rows),
    )  # fmt: skip


def delivery(asked: Asked) -> tuple[Column, ...]:
    """Delivery by product."""

    def rows(status: str) -> Callable[[Row], str]:
        return lambda row: rows_link(asked, "delivery", status=status, product=row["product"])

    return (
        Column("product", "field.product"), Column("due", "reports.due", "number", href=rows("")),
        *(Column(name, f"reports.delivery.{name}", "number", href=rows(name)) for name in DELIVERY),
        Column("share", "reports.onTimeShare", "percent", href=rows("")),
    )  # fmt: skip


def deviations(asked: Asked) -> tuple[Column, ...]:
    """Deviations by kind."""

    def rows(state: str) -> Callable[[Row], str]:
        return lambda row: rows_link(asked, "deviations", code=row["code"], status=state)

    return (
        Column("code", "reports.code", group="code"), Column("opened", "reports.opened", "number", href=rows("")),
        Column("open", "reports.open", "number", href=rows("open")),
        Column("closed", "reports.closed", "number", href=rows("closed")),
        Column("median", "reports.closedIn", "seconds", href=rows("closed")),
    )  # fmt: skip


def balance(asked: Asked) -> tuple[Column, ...]:
    """Material balance."""

    def rows(direction: str) -> Callable[[Row], str]:
        return lambda row: rows_link(asked, "moves", material=row["material"], direction=direction)

    return (
        Column("material", "field.material"), Column("name", "reports.name"),
        Column("opening", "reports.opening", "number", unit="unit", href=rows("opening")),
        *(Column(name, f"reports.{name}", "number", href=rows(name)) for name in DIRECTIONS),
        Column("closing", "reports.closing", "number", unit="unit", href=rows("closing")),
    )  # fmt: skip


PIECES: Final = (
    Column("at", "spc.when", "time"), ORDER, Column("product", "field.product"),
    Column("kind", "reports.kind", group="reports"), Column("quantity", "field.quantity", "number", unit="unit"),
    Column("reason", "reports.reason", group="scrap"), Column("reference", "reports.reference"),
    Column("operation", "reports.operation"), Column("workstation", "field.workstation"),
    Column("person", "spc.who"),
)  # fmt: skip
MOVES: Final = (
    Column("at", "spc.when", "time"), Column("product", "field.material"), Column("kind", "reports.move", group="move"),
    Column("quantity", "field.quantity", "number", unit="unit"), Column("change", "reports.change", "number"),
    Column("reference", "field.lot"), Column("from_place", "reports.from"), Column("to_place", "reports.to"), ORDER,
    Column("person", "spc.who"),
)  # fmt: skip
DUE: Final = (
    ORDER, Column("product", "field.product"), Column("quantity", "field.quantity", "number", unit="unit"),
    Column("at", "field.dueAt", "time"), Column("done_at", "reports.doneAt", "time"),
    Column("status", "reports.status", group="reports.delivery"), Column("late", "reports.lateBy", "seconds"),
    Column("state", "field.state", "state"),
)  # fmt: skip
DEVIATIONS: Final = (
    Column("at", "spc.when", "time"), Column("reference", "field.number"), Column("code", "reports.code", group="code"),
    Column("detail", "reports.detail", "long"), ORDER, Column("lot", "field.lot"),
    Column("equipment", "reports.equipment"),
    Column("state", "field.state", "state"), Column("decided_at", "reports.decidedAt", "time"),
    Column("person", "spc.who"),
)  # fmt: skip
LEAD: Final = (
    Column("work_order", "reports.workOrder"), ORDER, Column("product", "field.product"),
    *(Column(stage, f"stage.{stage}", "seconds") for stage in STAGES), Column("whole", "stage.whole", "seconds"),
)  # fmt: skip
SPANS: Final = (
    Column("from", "period.since", "time"), Column("to", "period.until", "time"),
    Column("workstation", "field.workstation"), ORDER, Column("operation", "reports.operation"),
    Column("doing", "reports.doing", group="doing"), Column("seconds", "reports.lasting", "seconds"),
)  # fmt: skip


def effectiveness(asked: Asked) -> tuple[Column, ...]:
    """OEE by station; the last row is all of them together."""

    def rows(report: str) -> Callable[[Row], str]:
        return lambda row: rows_link(asked, report, station=row["code"])

    times, made = rows("spans"), rows("reports")
    return (
        Column("station", "field.workstation"), Column("name", "reports.name"),
        Column("availability", "oee.availability", "percent", href=times),
        Column("effectiveness", "oee.effectiveness", "percent", href=made),
        Column("quality", "oee.quality", "percent", href=made), Column("oee", "oee.oee", "percent", href=times),
        Column("reason", "oee.remark", group="oee.reason"), Column("busy", "oee.busy", "seconds", href=times),
        Column("producing", "oee.producing", "seconds", href=times),
        Column("produced", "oee.produced", "number", href=made), Column("good", "reports.good", "number", href=made),
    )  # fmt: skip


REPORTED: Final = (
    Column("at", "spc.when", "time"), Column("reference", "field.number"), ORDER, Column("product", "field.product"),
    Column("operation", "reports.operation"), Column("workstation", "field.workstation"),
    Column("good", "reports.good", "number", unit="unit"), Column("scrap", "reports.scrap", "number"),
    Column("review", "reports.review", "number"), Column("ideal", "oee.ideal", "number"), Column("person", "spc.who"),
)  # fmt: skip


# Batches, parameters, quality, flow -------------------------------------------------------------------------------


def _lot(row: Row) -> str:
    return f"/ui/lots/{quote(str(row['lot']), safe='')}" if row.get("lot") else ""


LOT: Final = Column("lot", "field.lot", href=_lot)


def batches(asked: Asked) -> tuple[Column, ...]:
    """One row for each batch; every figure leads to the record that it is from."""

    def values(row: Row) -> str:
        return rows_link(asked, "values", lot=row["lot"], product=row["product"], status="outside")

    def exceptions(row: Row) -> str:
        return f"/ui/exceptions?{urlencode({'order': row['order_number']})}"

    def review(row: Row) -> str:
        return f"/ui/reviews/{row['work_order_id']}"

    return (
        LOT, Column("product", "field.product"), ORDER, Column("at", "reports.doneAt", "time"),
        Column("planned", "reports.planned", "number", unit="unit", href=_order),
        Column("good", "reports.good", "number", href=_order), Column("scrap", "reports.scrap", "number", href=_order),
        Column("yield", "reports.yield", "percent", href=review),
        Column("seconds", "reports.lasting", "seconds", href=_order),
        Column("deviations", "reports.title.deviations", "number", href=exceptions),
        Column("outside", "reports.outside", "number", href=values),
        Column("status", "reports.lotStatus", group="lot"), Column("record", "reports.record", group="record"),
    )  # fmt: skip


def parameters(asked: Asked) -> tuple[Column, ...]:
    """Parameters with their spread."""

    def rows(status: str) -> Callable[[Row], str]:
        return lambda row: rows_link(
            asked, "values", product=row["product"], operation=row["operation"], name=row["name"], status=status
        )

    def chart(row: Row) -> str:
        query = {"of": f"parameter:{row['name']}", "product": row["product"], **_period(asked.period)}
        return f"/ui/spc?{urlencode(query)}"

    return (
        Column("product", "field.product"), Column("operation", "reports.operation"),
        Column("name", "reports.parameter"), Column("count", "reports.values", "number", href=rows("")),
        Column("low", "reports.least", "number", unit="unit", href=rows("")),
        Column("mean", "reports.mean", "number", href=chart),
        Column("high", "reports.most", "number", href=rows("")),
        Column("deviation", "reports.deviation", "number", href=chart),
        Column("outside", "reports.outside", "number", href=rows("outside")),
        Column("corrected", "reports.corrected", "number", href=rows("corrected")),
    )  # fmt: skip


def quality(asked: Asked) -> tuple[Column, ...]:
    """Inspections by material."""

    def rows(status: str) -> Callable[[Row], str]:
        return lambda row: rows_link(asked, "inspections", material=row["material"], status=status)

    return (
        Column("material", "field.material"),
        Column("inspections", "reports.inspections", "number", href=rows("")),
        *(Column(name, f"reports.{name}", "number", href=rows(name)) for name in (*VERDICTS, "open")),
        Column("share", "reports.accepted.share", "percent", href=rows("accepted")),
        Column("outside", "reports.outside", "number", href=rows("outside")),
        Column("median", "reports.median", "seconds", href=rows("")),
    )  # fmt: skip


def flow(asked: Asked) -> tuple[Column, ...]:
    """What went from where to where."""

    def rows(row: Row) -> str:
        way = f"{row['from_place']}{WAY}{row['to_place']}"
        return rows_link(asked, "moves", material=row["material"], direction=way)

    return (
        Column("material", "field.material"), Column("from_place", "reports.from"), Column("to_place", "reports.to"),
        Column("quantity", "field.quantity", "number", unit="unit", href=rows),
        Column("moves", "reports.moves", "number", href=rows), Column("lots", "reports.lots", "number", href=rows),
        Column("at", "reports.last", "time"),
    )  # fmt: skip


VALUES: Final = (
    Column("at", "spc.when", "time"), ORDER, LOT, Column("operation", "reports.operation"),
    Column("name", "reports.parameter"), Column("text", "reports.value", unit="unit"),
    Column("low", "reports.lowLimit", "number"), Column("high", "reports.highLimit", "number"),
    Column("verdict", "reports.verdict", group="reports.verdict"), Column("version", "reports.version", "number"),
    Column("reason", "field.reason", "long"), Column("person", "spc.who"),
)  # fmt: skip
INSPECTED: Final = (
    Column("at", "spc.when", "time"), Column("reference", "field.number", href=_lot),
    Column("material", "field.material"), LOT, ORDER, Column("state", "field.state", "state"),
    Column("outside", "reports.outside", "number"), Column("decided_at", "reports.decidedAt", "time"),
    Column("seconds", "reports.lasting", "seconds"), Column("person", "spc.who"),
)  # fmt: skip
