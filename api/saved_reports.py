"""Views of reports that people keep and share, reports that are made by themselves, and what becomes of those.

Shared means: with whoever works in one of the plants and lines that the owner is limited to. What somebody sees of a
view is what their own account may see, so nothing leaks by sharing. A scheduled report is one file for all of its
recipients: so it shows what its maker may see, and only people who may see all of that can be recipients.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import time
from typing import Any, Final, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from api import permissions
from api.clock import now
from api.deps import Caller
from api.errors import Problem, not_found, refused
from api.neighbours import once
from api.scopes import Scope
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries import saved_reports as tables
from db.queries import users
from db.session import reading
from domain.base import Message, uuid_for
from domain.errors import Blocker
from domain.report_states import (
    SCHEDULED_REPORT,
    Rhythm,
    ScheduledReportEvent,
    ScheduledReportState,
    due_after,
)

Document = dict[str, Any]
Act = Literal["review", "reject", "distribute", "archive"]
DONE: Final[dict[Act, str]] = {
    "review": "reviewed", "reject": "reviewed", "distribute": "distributed", "archive": "archived",
}  # fmt: skip
SHOWN: Final = 200
A = TypeVar("A", bound=Message)


class Kept(Message):
    """What was made or changed."""

    id: str
    state: str = ""


def _write(
    who: Caller, kind: str, subject: str, key: str, content: Mapping[str, Any], work: Callable[[Connection], Done[Kept]]
) -> Document:
    request = Request(kind, subject, key, who.id, now(), content)
    engine = who.services.engine
    answer = once(key, lambda _: answer_once(engine, "record", COMMAND_OUTCOMES, request, Kept, work))
    return answer.model_dump(mode="json", by_alias=True)


# Views ------------------------------------------------------------------------------------------------------------


def views(who: Caller) -> list[Document]:
    """The caller's own views, and those that are shared with them."""
    with reading(who.services.engine) as connection:
        rows = tables.views(connection, who.id)
    return [_view(row, who) for row in rows if row["owner"] == who.id or meets(who.scope, _scope(row))]


def _view(row: Mapping[str, Any], who: Caller) -> Document:
    return {
        "id": str(row["id"]), "name": row["name"], "address": f"{row['address']}{_days(row)}", "owner": row["owner"],
        "isShared": row["is_shared"], "isOwn": row["owner"] == who.id, "createdAt": row["created_at"].isoformat(),
    }  # fmt: skip


def _days(row: Mapping[str, Any]) -> str:
    return f"{'&' if '?' in row['address'] else '?'}days={row['days']}"


def _scope(row: Mapping[str, Any]) -> Scope:
    return Scope(*(None if row[name] is None else tuple(row[name]) for name in ("plants", "lines")))


def meets(one: Scope, other: Scope) -> bool:
    """Whether two accounts work in one place."""
    pairs = ((one.plants, other.plants), (one.lines, other.lines))
    return all(a is None or b is None or not set(a).isdisjoint(b) for a, b in pairs)


def covers(one: Scope, other: Scope) -> bool:
    """Whether one account may see everything that another one may."""
    pairs = ((one.plants, other.plants), (one.lines, other.lines))
    return all(a is None or (b is not None and set(b) <= set(a)) for a, b in pairs)


def keep_view(who: Caller, name: str, address: str, days: int, shared: bool, key: str) -> Document:
    """A new view of the caller's."""
    identity = uuid_for("saved-view", key)
    row: dict[str, Any] = {
        "id": identity, "name": name, "address": address, "days": days, "owner": who.id, "is_shared": shared,
        "plants": _listed(who.scope.plants), "lines": _listed(who.scope.lines),
    }  # fmt: skip

    def work(connection: Connection) -> Done[Kept]:
        tables.add_view(connection, row | {"created_at": now()})
        new: dict[str, Any] = {name: value for name, value in row.items() if name != "id"}
        entry = who.entry("savedView.created", f"saved-view/{identity}", new=new, command_id=key)
        return Done(Kept(id=str(identity)), [entry])

    return _write(who, "keepView", f"saved-view/{identity}", key, {**row, "id": str(identity)}, work)


def change_view(who: Caller, identity: UUID, key: str, *, shared: bool | None) -> Document:
    """Share a view or not; `shared` None: take it away. Raises 404 for one that is not the caller's own."""

    def work(connection: Connection) -> Done[Kept]:
        row = tables.view(connection, identity)
        if row is None or row["owner"] != who.id:
            raise not_found("saved view", identity)
        entity = f"saved-view/{identity}"
        if shared is None:
            at = now()
            tables.change_view(connection, identity, removed_at=at)
            old, new = {"removed_at": None}, {"removed_at": at.isoformat()}
            entry = who.entry("savedView.removed", entity, old=old, new=new, command_id=key)
        else:
            tables.change_view(connection, identity, is_shared=shared)
            before, after = {"is_shared": row["is_shared"]}, {"is_shared": shared}
            entry = who.entry("savedView.shared", entity, old=before, new=after, command_id=key)
        return Done(Kept(id=str(identity)), [entry])

    return _write(who, "changeView", f"saved-view/{identity}", key, {"shared": shared}, work)


def _listed(found: Sequence[str] | None) -> list[str] | None:
    return None if found is None else list(found)


# Schedules --------------------------------------------------------------------------------------------------------


def schedules(who: Caller) -> list[Document]:
    """Schedules whose reports the caller may see."""
    with reading(who.services.engine) as connection:
        rows = tables.schedules(connection)
    return [_schedule(row) for row in rows if covers(who.scope, _scope(row))]


def _schedule(row: Mapping[str, Any]) -> Document:
    times = {
        name: row[column] and row[column].isoformat()
        for name, column in (("nextDueAt", "next_due_at"), ("stoppedAt", "stopped_at"), ("createdAt", "created_at"))
    }
    return times | {
        "id": str(row["id"]), "name": row["name"], "report": row["report"], "product": row["product"],
        "rhythm": row["rhythm"], "at": row["at"], "language": row["language"], "recipients": row["recipients"],
        "createdBy": row["created_by"],
    }  # fmt: skip


def plan(
    who: Caller, name: str, report: str, product: str, rhythm: Rhythm, at: time, language: str,
    recipients: Sequence[str], key: str,
) -> Document:  # fmt: skip
    """A report that is made by itself from now on. Raises `Refused` with every recipient who may not see it."""
    zone, identity = ZoneInfo(who.services.settings.time_zone), uuid_for("report-schedule", key)
    people = list(dict.fromkeys(recipients))
    row = {
        "id": identity, "name": name, "report": report, "product": product, "rhythm": str(rhythm),
        "at": at.strftime("%H:%M"), "language": language, "recipients": people,
        "plants": _listed(who.scope.plants), "lines": _listed(who.scope.lines), "created_by": who.id,
    }  # fmt: skip

    def work(connection: Connection) -> Done[Kept]:
        _check(connection, who, people)
        moment = now()
        due = due_after(rhythm, at, moment, zone)
        tables.add_schedule(connection, row | {"created_at": moment, "next_due_at": due})
        new = {key: value for key, value in row.items() if key != "id"} | {"next_due_at": due.isoformat()}
        entry = who.entry("reportSchedule.created", f"report-schedule/{identity}", new=new, command_id=key)
        return Done(Kept(id=str(identity)), [entry])

    return _write(who, "planReport", f"report-schedule/{identity}", key, {**row, "id": str(identity)}, work)


def _check(connection: Connection, who: Caller, people: Sequence[str]) -> None:
    blockers: list[Blocker] = []
    for person in people:
        account = users.find(connection, person)
        if account is None or not account.is_active:
            no = refused("UNKNOWN_PERSON", "account", person, "no active account", "one", "administrator")
            blockers += no.blockers
        elif not covers(Scope(account.plants, account.lines), who.scope):
            found = "an account that is limited to less than the report shows"
            required = "somebody who may see all of it"
            blockers += refused("RECIPIENT_SEES_LESS", "account", person, found, required, "administrator").blockers
    if blockers:
        raise Problem(409, blockers[0].code, "not everybody may get this report", blockers=tuple(blockers))


def stop(who: Caller, identity: UUID, key: str) -> Document:
    """No more reports of this schedule. Raises 404 for one that the caller may not see."""

    def work(connection: Connection) -> Done[Kept]:
        row = tables.schedule(connection, identity)
        if row is None or not covers(who.scope, _scope(row)):
            raise not_found("report schedule", identity)
        at, entries = now(), []
        if tables.stop(connection, identity, at):
            old = {"next_due_at": row["next_due_at"].isoformat(), "stopped_at": None}
            new = {"next_due_at": None, "stopped_at": at.isoformat()}
            entity = f"report-schedule/{identity}"
            entries = [who.entry("reportSchedule.stopped", entity, old=old, new=new, command_id=key)]
        return Done(Kept(id=str(identity)), entries)

    return _write(who, "stopSchedule", f"report-schedule/{identity}", key, {}, work)


# What was made ----------------------------------------------------------------------------------------------------


def may_review(who: Caller) -> bool:
    """Whether the caller is one of those who look at reports before anybody gets them."""
    return not set(permissions.DIRECT["reviewReport"]).isdisjoint(who.session.roles)


def may_see(who: Caller, row: Mapping[str, Any]) -> bool:
    """Reviewers and the maker of the schedule from the start, recipients when it was distributed."""
    if not covers(who.scope, _scope(row)):
        return False
    is_out = row["state"] in (ScheduledReportState.DISTRIBUTED, ScheduledReportState.ARCHIVED)
    return may_review(who) or row["created_by"] == who.id or (is_out and who.id in row["recipients"])


def reports(who: Caller) -> list[Document]:
    """Reports that the caller may see, newest first."""
    with reading(who.services.engine) as connection:
        rows = tables.reports(connection, SHOWN)
    return [_report(row) for row in rows if may_see(who, row)]


def _report(row: Mapping[str, Any]) -> Document:
    steps = {
        f"{name}{part.title()}": value.isoformat() if part == "at" and value else value
        for name in ("reviewed", "distributed", "archived")
        for part, value in (("by", row[f"{name}_by"]), ("at", row[f"{name}_at"]))
    }
    return steps | {
        "id": str(row["id"]), "name": row["name"], "report": row["report"], "state": row["state"],
        "dueAt": row["due_at"].isoformat(), "madeAt": row["made_at"].isoformat(), "sha256": row["sha256"],
        "first": row["first"].isoformat(), "last": row["last"].isoformat(), "rhythm": row["rhythm"],
        "recipients": row["recipients"], "possible": [str(event) for event in _possible(row["state"])],
    }  # fmt: skip


def _possible(state: str) -> list[ScheduledReportEvent]:
    return [event for (at, event) in SCHEDULED_REPORT.transitions if at == state]


def file_of(who: Caller, identity: UUID) -> tuple[str, bytes]:
    """Name and content. Raises 404 for a report that the caller may not see."""
    with reading(who.services.engine) as connection:
        row = tables.report(connection, identity)
        if row is None or not may_see(who, row):
            raise not_found("scheduled report", identity)
        return tables.file(connection, identity)


def act(who: Caller, identity: UUID, what: Act, reason: str | None, key: str) -> Document:
    """A step of a report's life. Raises 404, or 409 NOT_POSSIBLE with what is possible now."""

    def work(connection: Connection) -> Done[Kept]:
        row = tables.report(connection, identity, lock=True)
        if row is None or not covers(who.scope, _scope(row)):
            raise not_found("scheduled report", identity)
        state = SCHEDULED_REPORT.transitions.get((ScheduledReportState(row["state"]), ScheduledReportEvent(what)))
        if state is None:
            possible = [str(event) for event in _possible(row["state"])]
            no = refused("NOT_POSSIBLE", "scheduled-report", str(identity), row["state"], f"before {what}", "reviewer")
            raise Problem(409, "NOT_POSSIBLE", f"{what} is not possible now", blockers=no.blockers, possible=possible)
        at, step = now(), DONE[what]
        tables.change_report(connection, identity, state=str(state), **{f"{step}_by": who.id, f"{step}_at": at})
        entry = who.entry(
            f"scheduledReport.{what}", f"scheduled-report/{identity}", old={"state": row["state"]},
            new={"state": str(state), f"{step}_by": who.id, f"{step}_at": at.isoformat()}, reason=reason,
            command_id=key,
        )  # fmt: skip
        return Done(Kept(id=str(identity), state=str(state)), [entry])

    return _write(who, f"{what}Report", f"scheduled-report/{identity}", key, {"reason": reason}, work)
