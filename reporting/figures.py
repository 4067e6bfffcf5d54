"""The figures of a period, each with the rows that it is made of. For the console's reports and their files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection

from db.queries import oee as machines
from db.queries import report_lists as lists
from db.queries import reporting as tables
from db.queries.scopes import Limits
from domain import oee
from domain.lead_time import STAGES, Spread, durations, spread
from reporting.period import Period

Document = dict[str, Any]
REPORTS: Final = (
    "output", "scrap", "leadTime", "delivery", "deviations", "oee", "balance", "batches", "parameters", "quality",
    "flow",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What is reported: the period, who asks, one product or all, the planned hours of a day (None: all of it)."""

    period: Period
    scope: Limits
    at: datetime
    product: str | None = None
    hours: tuple[time, time] | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The period in UTC."""
        return self.period.since, self.period.until

    @property
    def before(self) -> "Asked":
        """The same of the period before."""
        return Asked(self.period.before, self.scope, self.at, self.product, self.hours)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """A part of a whole, or None where there is no whole."""
    return part / whole if whole > 0 else None


# Output, scrap ----------------------------------------------------------------------------------------------------


def output(connection: Connection, asked: Asked) -> list[Document]:
    """Good, scrap and yield by product and day."""
    rows = tables.pieces(*asked.bounds, asked.scope.orders(), asked.product)
    found = tables.output(connection, rows, asked.period.zone.key)
    return [row | {"yield": share(row["good"], row["good"] + row["scrap"])} for row in found]


def totals(rows: Iterable[Document]) -> Document:
    """Output of a period: by unit, because pieces and kilograms have no sum; `yield` of the unit with most output."""
    good: dict[str, Decimal] = {}
    scrap: dict[str, Decimal] = {}
    for row in rows:
        good[row["unit"]] = good.get(row["unit"], Decimal(0)) + row["good"]
        scrap[row["unit"]] = scrap.get(row["unit"], Decimal(0)) + row["scrap"]
    unit = max(good, key=lambda name: (good[name], name), default="")
    if not unit:
        return {"unit": "", "good": Decimal(0), "scrap": Decimal(0), "yield": None}
    return {
        "unit": unit, "good": good[unit], "scrap": scrap[unit], "yield": share(good[unit], good[unit] + scrap[unit]),
    }  # fmt: skip


def scrap(connection: Connection, asked: Asked) -> list[Document]:
    """Scrap by reason, the most first, with its share and the share of all up to it, within its unit."""
    rows = tables.pieces(*asked.bounds, asked.scope.orders(), asked.product)
    found = tables.pareto(connection, rows)
    whole: dict[str, Decimal] = {}
    for row in found:
        whole[row["unit"]] = whole.get(row["unit"], Decimal(0)) + row["quantity"]
    so_far = dict.fromkeys(whole, Decimal(0))
    made = []
    for row in found:
        so_far[row["unit"]] += row["quantity"]
        unit = row["unit"]
        made.append(
            row | {"share": row["quantity"] / whole[unit], "cumulative": so_far[unit] / whole[unit]}
        )  # fmt: skip
    return made


# Lead time, delivery, deviations ----------------------------------------------------------------------------------


def lead_rows(connection: Connection, asked: Asked) -> list[Document]:
    """Work orders that were done in the period, with the seconds of each stage and of all."""
    found = tables.milestones(connection, *asked.bounds, asked.scope.orders())
    made = []
    for row in found:
        if asked.product and row["product"] != asked.product:
            continue
        own = durations(row)
        made.append(row | {"stages": own, "whole": sum(own.values(), Decimal(0))})
    return made


def lead_times(rows: Sequence[Document]) -> list[tuple[str, Spread]]:
    """The spread of each stage, and of the whole way."""
    by_stage = [(stage, spread([row["stages"][stage] for row in rows if stage in row["stages"]])) for stage in STAGES]
    return [*by_stage, ("whole", spread([row["whole"] for row in rows]))]


ON_TIME, LATE, OVERDUE, OPEN = "onTime", "doneLate", "overdue", "notDue"
DELIVERY: Final = (ON_TIME, LATE, OVERDUE, OPEN)


def due(connection: Connection, asked: Asked) -> list[Document]:
    """Orders that were due in the period: `status`, and by how many seconds they are late (negative: early)."""
    made = []
    for row in tables.due(connection, *asked.bounds, asked.scope.orders()):
        if asked.product and row["product"] != asked.product:
            continue
        done, wanted = row["done_at"], row["at"]
        ended = ON_TIME if done is not None and done <= wanted else LATE
        status = ended if done is not None else OVERDUE if wanted < asked.at else OPEN
        late = ((done or asked.at) - wanted).total_seconds() if status != OPEN else None
        made.append(row | {"status": status, "late": late})
    return made


def delivery(rows: Sequence[Document]) -> list[Document]:
    """How many orders of each product were due, and what became of them; `share` of those whose time has come."""
    made = []
    for product in sorted({row["product"] for row in rows}):
        own = [row["status"] for row in rows if row["product"] == product]
        made.append({"product": product, "due": len(own)} | _delivered(own))
    return made


def _delivered(statuses: Sequence[str]) -> Document:
    number = {name: Decimal(statuses.count(name)) for name in DELIVERY}
    return number | {"share": share(number[ON_TIME], number[ON_TIME] + number[LATE] + number[OVERDUE])}


def delivered(rows: Sequence[Document]) -> Document:
    """The same of all products."""
    return {"due": len(rows)} | _delivered([row["status"] for row in rows])


def deviation_rows(connection: Connection, asked: Asked) -> list[Document]:
    """Deviations that were opened in the period."""
    rows = tables.deviations(connection, *asked.bounds, asked.scope.orders(tables.DEVIATIONS.c.order_number))
    return [row for row in rows if not asked.product or row["product"] == asked.product]


def deviations(rows: Sequence[Document]) -> list[Document]:
    """How many of each kind were opened, are open, are closed, and how long it took."""
    made = []
    for code in {row["code"] for row in rows}:
        own = [row for row in rows if row["code"] == code]
        taken = [Decimal(str((row["decided_at"] - row["at"]).total_seconds())) for row in own if row["decided_at"]]
        is_open = sum(1 for row in own if row["state"] != "closed")
        made.append(
            {"code": code, "opened": len(own), "open": is_open, "closed": len(own) - is_open,
             "median": spread(taken).median}
        )  # fmt: skip
    return sorted(made, key=lambda row: (-row["opened"], row["code"]))


# OEE --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Station:
    """The effectiveness of one station, or of all together (`code` is empty)."""

    code: str
    name: str
    counts: oee.Counts
    seconds: dict[oee.Doing, Decimal]

    @property
    def figures(self) -> oee.Figures:
        """Its figures."""
        return oee.figures(self.counts)


def stations(connection: Connection, asked: Asked) -> list[Station]:
    """Every active station, and all together at the end. Time that has not come yet is no time. Four statements."""
    since, until = asked.period.since, min(asked.period.until, asked.at)
    if since >= until:
        return []
    inside, lines = asked.scope.orders(), asked.scope.lines
    names = machines.stations(connection, lines)
    own = machines.by_station(machines.spans(connection, since, until, inside, lines))
    for code, found in machines.machine_spans(connection, since, until).items():
        own[code].extend(found)
    pieces = machines.counts(connection, since, until, asked.period.zone.key, inside, lines)
    planned = _planned(asked)
    made = []
    for code in sorted(names):
        seconds = oee.state_seconds(oee.time_line(own.get(code, ()), since, until, planned))
        counts = oee.total(found for (station, _), found in pieces.items() if station == code)
        made.append(Station(code, names[code], oee.from_times(seconds) + counts, seconds))
    return [*made, _together(made)] if made else []


def _planned(asked: Asked) -> list[oee.Window] | None:
    if asked.hours is None:
        return None
    before = asked.period.before.last  # a night shift of the day before reaches into the first day
    return oee.shifts(before, asked.period.last, *asked.hours, asked.period.zone)


def _together(made: Sequence[Station]) -> Station:
    seconds = {doing: sum((one.seconds[doing] for one in made), Decimal(0)) for doing in oee.Doing}
    # Stations without any order in the period would only dilute what the others did.
    worked = [one.counts for one in made if one.counts.producing or one.counts.produced]
    return Station("", "", oee.total(worked), seconds)


def balance(connection: Connection, asked: Asked) -> list[Document] | None:
    """Stock by material; None for an account that is limited: stock is kept for all plants together."""
    if not asked.scope.is_everywhere:
        return None
    rows = tables.balance(connection, *asked.bounds)
    return [row for row in rows if not asked.product or row["material"] == asked.product]


# Batches, parameters, quality, flow -------------------------------------------------------------------------------


def batches(connection: Connection, asked: Asked) -> list[Document]:
    """Batches that were done in the period, with their yield."""
    rows = lists.batches(connection, *asked.bounds, asked.scope.orders(), tables.MOST)
    return [
        row | {"yield": share(row["good"], row["good"] + row["scrap"])} for row in rows if _is_of(row["product"], asked)
    ]


def parameters(connection: Connection, asked: Asked) -> list[Document]:
    """Parameters that were recorded in the period."""
    rows = lists.parameters(connection, *asked.bounds, asked.scope.orders())
    return [row for row in rows if _is_of(row["product"], asked)]


def inspection_rows(connection: Connection, asked: Asked) -> list[Document]:
    """Inspections that were asked for in the period; `verdict`: accepted, rejected, open."""
    rows = lists.inspections(connection, *asked.bounds, asked.scope.orders(), tables.MOST)
    return [
        row | {"verdict": row["state"] if row["state"] in VERDICTS else "open"}
        for row in rows if row["state"] != "cancelled" and _is_of(row["material"], asked)
    ]  # fmt: skip


VERDICTS: Final = ("accepted", "rejected")


def quality(rows: Sequence[Document]) -> list[Document]:
    """Inspections by material: how many, with which verdict, how many results outside their limits, how long."""
    made = []
    for code in sorted({row["material"] for row in rows}):
        own = [row for row in rows if row["material"] == code]
        number = {name: sum(1 for row in own if row["verdict"] == name) for name in (*VERDICTS, "open")}
        decided = Decimal(number["accepted"] + number["rejected"])
        took = [Decimal(row["seconds"]) for row in own if row["seconds"] is not None]
        made.append(
            {"material": code, "inspections": len(own), **number, "outside": sum(row["outside"] for row in own),
             "share": share(Decimal(number["accepted"]), decided), "median": spread(took).median}
        )  # fmt: skip
    return made


def flow(connection: Connection, asked: Asked) -> list[Document] | None:
    """What went from where to where; None for an account that is limited, as with `balance`."""
    if not asked.scope.is_everywhere:
        return None
    return [row for row in lists.flow(connection, *asked.bounds) if _is_of(row["material"], asked)]


def _is_of(product: str, asked: Asked) -> bool:
    return asked.product is None or product == asked.product
