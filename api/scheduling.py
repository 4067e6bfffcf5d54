"""The finite schedule of all open orders (A20), and what becomes of it when a workstation is down: a preview.

Nothing is written: the schedule follows from the orders as they are, and is another one tomorrow. How long an operation
takes is its ideal cycle time, else the median of what it took in half a year, else an hour, and each says so.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from api.scopes import Scope
from db.queries import scheduling as tables
from domain import scheduling
from domain.scheduling import Job, Plan, Step, Window

HORIZON_DAYS: Final = 180
REMEMBERED: Final = timedelta(days=183)
ASSUMED_SECONDS: Final = 3600
Basis = Literal["cycleTime", "history", "assumed"]
Document = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Working hours and days (Monday is 0) of the plant; `down`: one workstation, from when until when."""

    scope: Scope
    at: datetime
    zone: ZoneInfo
    begin: time = time(0)
    end: time = time(0)
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    down: str = ""
    down_from: datetime | None = None
    down_until: datetime | None = None


@dataclass(frozen=True)
class Found:
    """The schedule as it is, the one with the workstation down (None: no such question), and what they are made of."""

    plan: Plan
    preview: Plan | None
    jobs: tuple[Job, ...]
    rows: Mapping[str, Document]
    stations: tuple[Document, ...]
    windows: tuple[Window, ...]
    down: Mapping[str, tuple[Window, ...]]

    @property
    def shown(self) -> Plan:
        """The preview, where there is one."""
        return self.preview or self.plan

    @property
    def moves(self) -> tuple[scheduling.Move, ...]:
        """What the preview moves."""
        return scheduling.moves(self.plan, self.preview) if self.preview else ()


def find(connection: Connection, question: Question) -> Found:
    """Make the schedule. Three statements."""
    rows = tables.steps(connection, question.scope.orders())
    history = tables.durations(connection, question.at - REMEMBERED)
    stations = tables.stations(connection, question.scope.lines)
    jobs, known = _jobs(rows, history, stations, question)
    windows = scheduling.open_hours(
        question.at, HORIZON_DAYS, question.begin, question.end, question.weekdays, question.zone
    )
    # Nobody has said how long what is broken stays so: a day is a guess, and it is shown.
    broken = {own["code"]: ((question.at, question.at + timedelta(days=1)),) for own in stations if own["is_down"]}
    plan = scheduling.schedule(jobs, question.at, windows, broken)
    asked = dict(broken)
    preview = None
    if question.down and question.down_until is not None:
        own = (question.down_from or question.at, question.down_until)
        asked[question.down] = (*asked.get(question.down, ()), own)
        preview = scheduling.schedule(jobs, question.at, windows, asked)
    return Found(plan, preview, tuple(jobs), known, tuple(stations), tuple(windows), asked)


def _jobs(
    rows: Sequence[Document], history: Mapping[tuple[str, str], float], stations: Sequence[Document], question: Question
) -> tuple[list[Job], dict[str, Document]]:
    able: dict[str, list[str]] = defaultdict(list)
    for station in stations:
        for capability in station["capabilities"]:
            able[capability].append(station["code"])
    active = {station["code"] for station in stations}
    feeding, same = _feeding(rows), _by_work_order(rows)
    steps: dict[str, list[Step]] = defaultdict(list)
    known: dict[str, Document] = {}
    for row in rows:
        key = f"{row['work_order']}/{row['code']}"
        seconds, basis = _seconds(row, history)
        if row["state"] == "running" and row["started_at"] is not None:
            seconds = max(60, seconds - int((question.at - row["started_at"]).total_seconds()))
        own = [row["workstation"]] if row["workstation"] in active else []
        others = [code for code in able.get(row["capability"] or "", ()) if code not in own]
        before = _before(row, same[row["work_order"]], feeding)
        step = Step(
            key, row["order_number"], row["code"], seconds, (*own, *others), before,
            row["workstation"] if row["state"] == "running" and own else None,
        )  # fmt: skip
        steps[row["order_number"]].append(step)
        known[key] = row | {"basis": basis}
    due = {row["order_number"]: row["due_at"] for row in rows}
    return [Job(order, due[order], tuple(own)) for order, own in steps.items()], known


def _seconds(row: Document, history: Mapping[tuple[str, str], float]) -> tuple[int, Basis]:
    if row["ideal_cycle_seconds"] is not None:
        return max(60, int(row["ideal_cycle_seconds"] * row["quantity"])), "cycleTime"
    took = history.get((row["product"], row["code"]))
    return (max(60, int(took)), "history") if took else (ASSUMED_SECONDS, "assumed")


def _by_work_order(rows: Sequence[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for row in rows:
        found[row["work_order"]].append(row)
    return found


def _feeding(rows: Sequence[Document]) -> dict[str, list[str]]:
    """Work order → the keys of the steps of the work orders that feed it: it waits for them."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["feeds"]:
            found[row["feeds"]].append(f"{row['work_order']}/{row['code']}")
    return found


def _before(row: Document, same: Sequence[Document], feeding: Mapping[str, list[str]]) -> tuple[str, ...]:
    """What has to be over: its predecessors in the route (where the route does not know it, all that come before it in
    its work order), and what feeds its work order."""
    own = row["predecessors"]
    if own is None:
        own = [one["code"] for one in same if one["sequence"] < row["sequence"]]
    return (*(f"{row['work_order']}/{code}" for code in own), *feeding.get(row["work_order"], ()))


def document(found: Found) -> Document:
    """As the API answers it."""
    plan = found.shown
    late = scheduling.late(found.jobs, plan)
    return {
        "operations": [
            {
                "orderNumber": bar.step.order, "workOrder": bar.step.key.rpartition("/")[0],
                "operation": bar.step.operation, "workstation": bar.station, "start": bar.start.isoformat(),
                "end": bar.end.isoformat(), "basis": found.rows[bar.step.key]["basis"],
            }
            for bar in plan.bars
        ],
        "unplaced": [
            {"orderNumber": own.step.order, "operation": own.step.operation, "reason": own.reason}
            for own in plan.unplaced
        ],
        "late": {order: None if by is scheduling.NEVER else int(by.total_seconds()) for order, by in late.items()},
        "moved": [
            {
                "orderNumber": move.step.order, "operation": move.step.operation,
                "from": _where(move.before), "to": _where(move.after),
            }
            for move in found.moves
        ],
    }  # fmt: skip


def _where(bar: scheduling.Bar | None) -> Document | None:
    if bar is None:
        return None
    return {"workstation": bar.station, "start": bar.start.isoformat(), "end": bar.end.isoformat()}
