"""The finite schedule: a bar for every open operation, and a preview of what a workstation that is down moves."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import scheduling
from api.clock import now
from api.routing import Router
from api.scheduling import Found, Question
from api.scopes import Scope
from api.ui.shell import PageRoute, context, page
from api.ui.svg.gantt import GanttBar, gantt
from db.session import reading
from domain.scheduling import NEVER, Bar, late
from reporting.tables import lasting
from wording.texts import Words
from wording.values import Clock

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SPANS: Final = (1, 3, 7, 14, 28)
"""Days that the picture can show."""
MOVES_SHOWN: Final = 100
Text = Annotated[str, Query(max_length=80)]


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return time(0)


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


@router.get("/schedule")
async def schedule(
    request: Request, opens: Text = "", closes: Text = "", days: Annotated[list[int] | None, Query()] = None,
    down: Text = "", since: Text = "", until: Text = "", span: Annotated[int, Query(ge=1, le=28)] = 7,
) -> Response:  # fmt: skip
    """The picture of so many days, the orders with their ends, what is late; with `down` what would move."""
    session, zone = request.state.session, ZoneInfo(request.app.state.services.settings.time_zone)
    at = now()
    weekdays = tuple(sorted({day for day in days or () if 0 <= day <= 6})) or tuple(range(7))
    ends = _moment(until, zone) or (at + timedelta(days=1) if down else None)
    begins = _moment(since, zone)
    if ends is not None and ends <= (begins or at):
        ends = (begins or at) + timedelta(days=1)
    question = Question(
        Scope(session.plants, session.lines), at, zone, _clock(opens), _clock(closes), weekdays, down, begins, ends
    )

    def work() -> Found:
        with reading(request.app.state.services.engine) as connection:
            return scheduling.find(connection, question)

    found = await run_in_threadpool(work)
    having = context(request)
    delayed = late(found.jobs, found.shown)
    return page(
        request, "schedule.html", found=found, moves=_moves(found), more=max(0, len(found.moves) - MOVES_SHOWN),
        orders=_orders(found, delayed, having["t"]), late_before=late(found.jobs, found.plan), late_now=delayed,
        picture=_picture(found, delayed, question, span, having["t"], having["clock"]), span=span, spans=SPANS,
        asked={"opens": opens, "closes": closes, "down": down, "since": since, "until": until}, weekdays=weekdays,
        assumed=sum(1 for bar in found.shown.bars if found.rows[bar.step.key]["basis"] == "assumed"),
        live="production-order,work-order,operation,equipment",
    )  # fmt: skip


def _picture(found: Found, delayed: dict[str, timedelta], question: Question, span: int, t: Words, clock: Clock) -> Any:
    start = question.at.astimezone(question.zone).replace(minute=0, second=0, microsecond=0)
    end = start + timedelta(days=span)
    moved = {move.step.key for move in found.moves}
    lanes = [own["code"] for own in found.stations if any(bar.station == own["code"] for bar in found.shown.bars)]
    lanes += [code for code in found.down if code not in lanes]
    bars = [
        GanttBar(
            bar.station, bar.start, bar.end, bar.step.order,
            f"{bar.step.order} {bar.step.operation}: {clock.short(bar.start)} – {clock.short(bar.end)}"
            + (f" · {t('board.late')}" if bar.step.order in delayed else ""),
            f"/ui/orders/{found.rows[bar.step.key]['order_id']}", _tone(bar, delayed, moved),
        )
        for bar in found.shown.bars
    ]  # fmt: skip
    return gantt(lanes, bars, start, end, t("schedule.title"), _closed(found, start, end), found.down)


def _tone(bar: Bar, delayed: dict[str, timedelta], moved: set[str]) -> str:
    if bar.step.order in delayed:
        return "late"
    if bar.step.key in moved:
        return "moved"
    return "running" if bar.step.running_at else "planned"


def _closed(found: Found, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The hours between the open ones."""
    edges = [start, *(edge for window in found.windows for edge in window), end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(low, high) for low, high in pairs if low < high and high > start and low < end]


def _moves(found: Found) -> Sequence[dict[str, Any]]:
    return [
        {"step": move.step, "before": move.before, "after": move.after, "row": found.rows[move.step.key]}
        for move in found.moves[:MOVES_SHOWN]
    ]


def _orders(found: Found, delayed: dict[str, timedelta], t: Words) -> list[dict[str, Any]]:
    """Orders by due date: when they begin and end, and by how much they are late."""
    made = []
    for job in sorted(found.jobs, key=lambda own: (own.due_at is None, own.due_at or now(), own.order)):
        own = [bar for bar in found.shown.bars if bar.step.order == job.order]
        row = found.rows[job.steps[0].key]
        by = delayed.get(job.order)
        made.append(
            {"number": job.order, "id": row["order_id"], "product": row["product"], "state": row["order_state"],
             "due_at": job.due_at, "start": min((bar.start for bar in own), default=None),
             "end": found.shown.ends[job.order], "is_late": by is not None,
             "late": lasting(by.total_seconds(), t) if by is not None and by is not NEVER else "",
             "unplaced": [one for one in found.shown.unplaced if one.step.order == job.order]}
        )  # fmt: skip
    return made
