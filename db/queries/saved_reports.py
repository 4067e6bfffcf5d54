"""Saved views, schedules of reports, and the reports that were made by them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, insert, select, update

from db.tables import ReportFile, ReportSchedule, SavedView, ScheduledReport, core

VIEWS, SCHEDULES, REPORTS, FILES = core(SavedView), core(ReportSchedule), core(ScheduledReport), core(ReportFile)
Document = dict[str, Any]


# Views ------------------------------------------------------------------------------------------------------------


def views(connection: Connection, user: str) -> list[Document]:
    """Somebody's own views and everybody's shared ones, by name."""
    mine = (VIEWS.c.owner == user) | VIEWS.c.is_shared
    statement = select(VIEWS).where(VIEWS.c.removed_at.is_(None), mine).order_by(VIEWS.c.name, VIEWS.c.id)
    return _documents(connection, statement)


def view(connection: Connection, identity: UUID) -> Document | None:
    """One view that was not removed."""
    return _one(connection, select(VIEWS).where(VIEWS.c.id == identity, VIEWS.c.removed_at.is_(None)))


def add_view(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new view."""
    connection.execute(insert(VIEWS).values(**row))


def change_view(connection: Connection, identity: UUID, **values: Any) -> None:
    """Share it, or take it away."""
    connection.execute(update(VIEWS).where(VIEWS.c.id == identity).values(**values))


# Schedules --------------------------------------------------------------------------------------------------------


def schedules(connection: Connection) -> list[Document]:
    """All schedules, those that run first, by name."""
    order = (SCHEDULES.c.stopped_at.is_not(None), SCHEDULES.c.name, SCHEDULES.c.id)
    return _documents(connection, select(SCHEDULES).order_by(*order))


def schedule(connection: Connection, identity: UUID) -> Document | None:
    """One schedule."""
    return _one(connection, select(SCHEDULES).where(SCHEDULES.c.id == identity))


def add_schedule(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new schedule."""
    connection.execute(insert(SCHEDULES).values(**row))


def stop(connection: Connection, identity: UUID, at: datetime) -> bool:
    """Nothing is due any more; False when it was stopped before."""
    statement = update(SCHEDULES).where(SCHEDULES.c.id == identity, SCHEDULES.c.stopped_at.is_(None))
    return connection.execute(statement.values(stopped_at=at, next_due_at=None)).rowcount == 1


def most_due(connection: Connection, now: datetime, without: Collection[UUID]) -> Document | None:
    """The schedule that is due for the longest time."""
    due = select(SCHEDULES).where(SCHEDULES.c.next_due_at <= now, SCHEDULES.c.id.not_in(list(without)))
    return _one(connection, due.order_by(SCHEDULES.c.next_due_at, SCHEDULES.c.id).limit(1))


def next_due(connection: Connection) -> datetime | None:
    """When the next report is due."""
    found: datetime | None = connection.execute(select(func.min(SCHEDULES.c.next_due_at))).scalar_one()
    return found


def is_due(connection: Connection, identity: UUID, due_at: datetime) -> bool:
    """Whether a schedule still waits for this due time; it is locked for the transaction."""
    own = select(SCHEDULES.c.next_due_at).where(SCHEDULES.c.id == identity).with_for_update()
    return connection.execute(own).scalar_one_or_none() == due_at


def move_on(connection: Connection, identity: UUID, due_at: datetime) -> None:
    """The next due time."""
    connection.execute(update(SCHEDULES).where(SCHEDULES.c.id == identity).values(next_due_at=due_at))


# What was made ----------------------------------------------------------------------------------------------------


def put(connection: Connection, row: Mapping[str, Any], name: str, content: bytes) -> None:
    """A report with its file."""
    connection.execute(insert(REPORTS).values(**row))
    connection.execute(insert(FILES).values(report=row["id"], name=name, content=content))


def _reports() -> Select[Any]:
    plan = (
        SCHEDULES.c.name, SCHEDULES.c.report, SCHEDULES.c.product, SCHEDULES.c.rhythm, SCHEDULES.c.recipients,
        SCHEDULES.c.plants, SCHEDULES.c.lines, SCHEDULES.c.created_by, SCHEDULES.c.language,
    )  # fmt: skip
    return select(REPORTS, *plan).join(SCHEDULES, SCHEDULES.c.id == REPORTS.c.schedule)


def reports(connection: Connection, limit: int) -> list[Document]:
    """Reports with what their schedule says, newest first."""
    order = (REPORTS.c.due_at.desc(), SCHEDULES.c.name, REPORTS.c.id)
    return _documents(connection, _reports().order_by(*order).limit(limit))


def report(connection: Connection, identity: UUID, *, lock: bool = False) -> Document | None:
    """One report; with `lock` nobody else changes it in this transaction."""
    statement = _reports().where(REPORTS.c.id == identity)
    return _one(connection, statement.with_for_update(of=REPORTS) if lock else statement)


def change_report(connection: Connection, identity: UUID, **values: Any) -> None:
    """A step of its life."""
    connection.execute(update(REPORTS).where(REPORTS.c.id == identity).values(**values))


def file(connection: Connection, identity: UUID) -> tuple[str, bytes]:
    """Name and content."""
    row = connection.execute(select(FILES.c.name, FILES.c.content).where(FILES.c.report == identity)).one()
    return row.name, bytes(row.content)


def _one(connection: Connection, statement: Select[Any]) -> Document | None:
    row = connection.execute(statement).one_or_none()
    return None if row is None else dict(row._mapping)


def _documents(connection: Connection, statement: Select[Any]) -> list[Document]:
    return [dict(row._mapping) for row in connection.execute(statement)]
