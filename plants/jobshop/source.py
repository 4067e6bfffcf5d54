"""Reads the source's `reports.csv`: one row per shop-floor report."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from plants.texts import Row, Unreadable, rows_of, whole_number_in

REPORT_TYPES: Final = {"D": "production", "S": "setup", "B": "breakdown"}
_TIME: Final = "%Y/%m/%d %H:%M:%S"
_REQUIRED: Final = frozenset(
    {
        "work_order", "part", "work_order_qty", "activity", "machine", "worker_id", "start", "complete", "report_type",
        "qty_completed", "qty_rejected", "qty_for_mrb", "rework",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """One report. Times are local to the plant and carry no zone."""

    row: int
    activity: str
    machine: str
    worker: str
    start: datetime
    complete: datetime
    report_type: str
    good: int
    scrap: int
    review_board: int
    is_rework: bool

    @property
    def labour_seconds(self) -> int | None:
        """Seconds from start to end; none where the end lies before the start."""
        seconds = int((self.complete - self.start).total_seconds())
        return seconds if seconds >= 0 else None


@dataclass(frozen=True)
class Job:
    """One work order with its reports in time order and its operations in the order in which they first occur."""

    work_order: str
    part: str
    quantity: int
    reports: tuple[Report, ...]

    @property
    def order_number(self) -> str:
        """The number of the production order."""
        return f"JOB-{self.work_order}"

    @property
    def finished_lot(self) -> str:
        """The lot number of the finished parts."""
        return f"LOT-{self.work_order}"

    @property
    def product(self) -> str:
        """The material code: a part by the route of this work order, for nothing else says how it is made."""
        return f"{'-'.join(self.part.upper().split())}-{self.work_order}"[:80]

    @property
    def operations(self) -> dict[str, str]:
        """Activity → operation code `OP010`, `OP020`, …"""
        activities = dict.fromkeys(report.activity for report in self.reports)
        return {activity: f"OP{index * 10:03d}" for index, activity in enumerate(activities, start=1)}


@dataclass(frozen=True)
class Source:
    """All work orders of a file, and the rows that cannot be read."""

    jobs: tuple[Job, ...]
    unreadable: tuple[Unreadable, ...]


def read(path: Path) -> Source:
    """Read a file. Raises `SourceUnreadable` if it lacks a column, OSError if it is not there."""
    reports: dict[str, list[Report]] = {}
    heads: dict[str, tuple[str, int]] = {}
    unreadable: list[Unreadable] = []
    for row, cells in rows_of(path, ",", _REQUIRED):
        found = _report(row, cells)
        quantity = whole_number_in(cells["work_order_qty"])
        if isinstance(found, Unreadable):
            unreadable.append(found)
        elif not cells["work_order"] or not cells["part"] or quantity is None or quantity <= 0:
            detail = f"work order {cells['work_order']!r}, part {cells['part']!r}, {cells['work_order_qty']!r} pieces"
            unreadable.append(Unreadable(row, "WORK_ORDER_UNREADABLE", detail))
        else:
            heads.setdefault(cells["work_order"], (cells["part"], quantity))
            reports.setdefault(cells["work_order"], []).append(found)
    jobs = tuple(
        Job(number, *heads[number], tuple(sorted(own, key=lambda report: (report.start, report.row))))
        for number, own in reports.items()
    )
    return Source(jobs, tuple(unreadable))


def _report(row: int, cells: Row) -> Report | Unreadable:
    start, complete = _time(cells["start"]), _time(cells["complete"])
    good, scrap, held = (_pieces(cells[name]) for name in ("qty_completed", "qty_rejected", "qty_for_mrb"))
    report_type = REPORT_TYPES.get(cells["report_type"].upper())
    label = f"work order {cells['work_order']}"
    if start is None or complete is None:
        return Unreadable(row, "TIME_UNREADABLE", f"{label}: {cells['start']!r} to {cells['complete']!r}")
    if good is None or scrap is None or held is None:
        found = ", ".join(repr(cells[name]) for name in ("qty_completed", "qty_rejected", "qty_for_mrb"))
        return Unreadable(row, "QUANTITY_UNREADABLE", f"{label}: {found}")
    if report_type is None or not cells["activity"] or not cells["machine"]:
        found = f"type {cells['report_type']!r}, activity {cells['activity']!r}, machine {cells['machine']!r}"
        return Unreadable(row, "REPORT_UNREADABLE", f"{label}: {found}")
    return Report(
        row, cells["activity"], cells["machine"], cells["worker_id"], start, complete, report_type, good, scrap, held,
        is_rework=cells["rework"].upper() == "Y",
    )  # fmt: skip


def _time(text: str) -> datetime | None:
    try:
        # The source has local times without a zone; the replay gives them the plant's.
        return datetime.strptime(text, _TIME)  # noqa: DTZ007
    except ValueError:
        return None


def _pieces(text: str) -> int | None:
    """A count of pieces; an empty cell means none were counted."""
    count = whole_number_in(text or "0")
    return count if count is not None and count >= 0 else None
