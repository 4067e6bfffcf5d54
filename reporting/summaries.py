"""The table of each report of a period: for its page, for its file, and for the reports that are made by themselves."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from reporting import figures, shapes
from reporting.figures import Asked
from reporting.tables import Table
from wording.texts import Words

Report = Literal[
    "output", "scrap", "leadTime", "delivery", "deviations", "oee", "balance", "batches", "parameters", "quality",
    "flow",
]  # fmt: skip
Document = dict[str, Any]


@dataclass(frozen=True)
class Figures:
    """Everything that the page of a period needs of one period."""

    output: list[Document]
    due: list[Document]
    deviations: list[Document]
    lead: list[Document]
    stations: list[figures.Station]


def figures_of(connection: Connection, question: Asked) -> Figures:
    """Read them."""
    return Figures(
        figures.output(connection, question), figures.due(connection, question),
        figures.deviation_rows(connection, question), figures.lead_rows(connection, question),
        figures.stations(connection, question),
    )  # fmt: skip


def summary(connection: Connection, question: Asked, report: Report, this: Figures, t: Words) -> Table | None:
    """The table of a report; None: there is none for this account."""
    match report:
        case "output":
            return Table(shapes.output(question), this.output)
        case "scrap":
            return Table(shapes.scrap(question), figures.scrap(connection, question))
        case "leadTime":
            rows = [{"stage": stage, **vars(own)} for stage, own in figures.lead_times(this.lead)]
            return Table(shapes.lead_time(question), rows)
        case "delivery":
            return Table(shapes.delivery(question), figures.delivery(this.due))
        case "deviations":
            return Table(shapes.deviations(question), figures.deviations(this.deviations))
        case "batches":
            return Table(shapes.batches(question), figures.batches(connection, question))
        case "parameters":
            return Table(shapes.parameters(question), figures.parameters(connection, question))
        case "quality":
            rows = figures.quality(figures.inspection_rows(connection, question))
            return Table(shapes.quality(question), rows)
        case "oee":
            return Table(shapes.effectiveness(question), [_station(own, t) for own in this.stations])
        case "flow":
            ways = figures.flow(connection, question)
            return None if ways is None else Table(shapes.flow(question), ways)
        case _:
            found = figures.balance(connection, question)
            return None if found is None else Table(shapes.balance(question), found)


def _station(own: figures.Station, t: Words) -> Document:
    found = own.figures
    parts = (found.availability, found.effectiveness, found.quality, found.oee)
    names = ("availability", "effectiveness", "quality", "oee")
    return {name: part.value for name, part in zip(names, parts, strict=True)} | {
        "code": own.code, "station": own.code or t("oee.all"), "name": own.name,
        "reason": next((part.reason for part in parts if part.reason), "fine"),
        "busy": own.counts.busy, "producing": own.counts.producing, "produced": own.counts.produced,
        "good": own.counts.good,
    }  # fmt: skip
