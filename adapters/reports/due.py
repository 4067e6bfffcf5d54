"""Reports that are due: each is made once, however often it is looked for, and none is left out after a stop."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from adapters.reports.port import ReportJob, ReportMaker
from db import audit
from db.queries import saved_reports as tables
from domain.base import uuid_for
from domain.report_states import Rhythm, ScheduledReportState, due_after, period_of

MOST_AT_ONCE: Final = 50
"""Reports of one look; after a long stop the next look goes on."""


@dataclass(frozen=True)
class DueReports:
    """Makes what is due in the plant's zone."""

    engine: Engine
    maker: ReportMaker
    zone: ZoneInfo

    def make(self, now: datetime) -> datetime | None:
        """Make every report that is due, the longest due first; when to look again (None: nothing is planned).

        One report is one transaction: file, row, next due time and audit row. Raises what the first report raised that
        could not be made; the others are made nevertheless.
        """
        wrong: list[Exception] = []
        given_up: set[Any] = set()
        for _ in range(MOST_AT_ONCE):
            with self.engine.connect() as connection:
                schedule = tables.most_due(connection, now, given_up)
            if schedule is None:
                break
            try:
                self._make(schedule, now)
            except Exception as error:  # the schedule behind a broken one is somebody else's
                wrong.append(error)
                given_up.add(schedule["id"])
        if wrong:
            raise wrong[0]
        with self.engine.connect() as connection:
            return tables.next_due(connection)

    def _make(self, schedule: Mapping[str, Any], now: datetime) -> None:
        due_at, rhythm = schedule["next_due_at"], Rhythm(schedule["rhythm"])
        first, last = period_of(rhythm, due_at, self.zone)
        job = ReportJob(
            schedule["report"], schedule["product"], schedule["language"], first, last, _limits(schedule["plants"]),
            _limits(schedule["lines"]), now,
        )  # fmt: skip
        identity = uuid_for("scheduled-report", f"{schedule['id']}/{due_at.isoformat()}")
        with self.engine.begin() as connection:
            if not tables.is_due(connection, schedule["id"], due_at):
                return  # somebody else has made it, or it was stopped
            file = self.maker.make(connection, job)
            row = {
                "id": identity, "schedule": schedule["id"], "due_at": due_at, "first": first, "last": last,
                "state": str(ScheduledReportState.MADE), "sha256": hashlib.sha256(file.content).hexdigest(),
                "made_at": now,
            }  # fmt: skip
            tables.put(connection, row, file.name, file.content)
            after = due_after(rhythm, time.fromisoformat(schedule["at"]), due_at, self.zone)
            tables.move_on(connection, schedule["id"], after)
            audit.append(connection, [_entry(row, file.name, now), _next(schedule["id"], due_at, after, now)])


def _limits(found: list[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)


def _entry(row: Mapping[str, Any], name: str, now: datetime) -> audit.Entry:
    new = {key: value if isinstance(value, str) else str(value) for key, value in row.items()}
    new |= {"due_at": row["due_at"].isoformat(), "made_at": now.isoformat(), "name": name}
    return audit.Entry(now, "system", "scheduledReport.made", f"scheduled-report/{row['id']}", new=new)


def _next(schedule: Any, before: datetime, after: datetime, now: datetime) -> audit.Entry:
    return audit.Entry(
        now, "system", "reportSchedule.moved", f"report-schedule/{schedule}", {"nextDueAt": before.isoformat()},
        {"nextDueAt": after.isoformat()},
    )  # fmt: skip
