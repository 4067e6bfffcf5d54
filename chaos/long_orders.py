"""Orders of more than ten thousand events: reported piece by piece, over many runs of their process (E8)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg
from temporalio.client import Client

from chaos.check import Finding
from chaos.told import address_of

EVENTS: Final = 10_000
"""An order with fewer is no long one."""
REPORTS: Final = 2_100
"""Reports of one piece each: a report is a signal, a task and a marker, five events of the history."""
_REPORTED: Final[LiteralString] = (
    "SELECT count(*), coalesce(sum(good), 0) FROM production_report r JOIN work_order w ON w.number = r.work_order "
    "WHERE w.order_number = %s"
)
_TIMES: Final[LiteralString] = "SELECT min(at), max(at), count(*) FROM order_fact WHERE order_number = %s"


@dataclass(frozen=True)
class LongOrder:
    """What became of one long order in a run. `worker_kills` are those while it was reported."""

    number: str
    reports: int
    events: int
    runs: int
    facts: int
    seconds: float
    worker_kills: int
    kills: int

    def document(self) -> dict[str, Any]:
        """As JSON data."""
        found = asdict(self)
        return {"workerKills" if name == "worker_kills" else name: value for name, value in found.items()}

    def is_long(self) -> bool:
        """Whether its process had as many events as are wanted, and more than one run."""
        return self.events > EVENTS and self.runs > 1


def names(count: int) -> list[str]:
    """The work orders, as the job shop's file calls them."""
    return [f"LONG-{at + 1}" for at in range(count)]


def number_of(name: str) -> str:
    """The order's number."""
    return f"JOB-{name}"


def addresses(count: int) -> list[str]:
    """The ids of the orders in the API."""
    return [address_of("production-order", number_of(name)) for name in names(count)]


def rows(name: str, reports: int) -> list[dict[str, str]]:
    """Rows of a job shop's file: one piece in each."""
    return [
        {
            "work_order": name, "part": "Long Shaft", "work_order_qty": str(reports), "report_type": "D",
            "activity": "Turning - Machine 99", "machine": "Machine 99 - Turning", "worker_id": "ID9900",
            "start": _time(at), "complete": _time(at + 1), "qty_completed": "1", "qty_rejected": "0",
            "qty_for_mrb": "0", "rework": "",
        }
        for at in range(reports)
    ]  # fmt: skip


def _time(minute: int) -> str:
    day, rest = divmod(minute, 24 * 60)
    return f"2012/03/{day + 1:02d} {rest // 60:02d}:{rest % 60:02d}:00"


async def found(client: Client, database_url: str, name: str, kills: Sequence[tuple[datetime, str]]) -> LongOrder:
    """What Temporal and the record say of a long order that is over."""
    number = number_of(name)
    runs = [run async for run in client.list_workflows(f"WorkflowId = 'production-order/{number}'")]
    described = [await client.get_workflow_handle(run.id, run_id=run.run_id).describe() for run in runs]
    with psycopg.connect(database_url) as connection:
        first, last, facts = connection.execute(_TIMES, (number,)).fetchall()[0]
        reports, _ = connection.execute(_REPORTED, (number,)).fetchall()[0]
    during = [] if first is None else [victim for at, victim in kills if first <= at <= last]
    seconds = 0.0 if first is None else (last - first).total_seconds()
    return LongOrder(
        number, reports, sum(own.history_length for own in described), len(described), facts, round(seconds, 1),
        during.count("worker"), len(during),
    )  # fmt: skip


def findings(long: Sequence[LongOrder], reports: int) -> list[Finding]:
    """What is missing or too much of the long orders."""
    everything: list[Finding] = []
    for own in long:
        if own.reports != reports:
            kind = "lost" if own.reports < reports else "doubled"
            everything.append(Finding(kind, own.number, f"{own.reports} reports in the record, {reports} were made"))
        if not own.is_long():
            said = f"{own.events} events in {own.runs} runs: it was to be more than {EVENTS} in more than one"
            everything.append(Finding("broken", own.number, said))
    return everything
