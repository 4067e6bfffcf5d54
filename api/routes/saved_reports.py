"""Views of reports that people keep, reports that are made by themselves, and their way to the archive."""

from datetime import time
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api import saved_reports as kept
from api.deps import Caller, Who, only
from api.periods import MOST_DAYS
from api.routing import Router
from api.shapes import CommandBody, Identifier, Reason, Text
from domain.report_states import Rhythm
from reporting.summaries import Report
from workflows.report_clock import ReportClockWorkflow

router = Router(tags=["reports"])
Planner = Annotated[Caller, Depends(only("scheduleReport", "report-schedule"))]
Reviewer = Annotated[Caller, Depends(only("reviewReport", "scheduled-report"))]
Language = Annotated[str, Field(pattern="^(en|zh)$")]


class ViewBody(CommandBody):
    """A view: a page of figures with its question, and how many days up to today it shows."""

    name: Text
    address: Annotated[str, Field(max_length=1000, pattern=r"^/ui/(reports|suspects|spc)(\?[!-~]*)?$")]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 30
    shared: bool = False


class ShareBody(CommandBody):
    """Whether others see the view."""

    shared: bool


class ScheduleBody(CommandBody):
    """A report, when it is made (on the plant's clock), and who gets it when it was reviewed."""

    name: Text
    report: Report
    product: Annotated[str, Field(max_length=80)] = ""
    rhythm: Rhythm
    at: time = time(6)
    language: Language = "zh"
    recipients: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=100)]


class RejectBody(CommandBody):
    """Why a report is not given out."""

    reason: Reason


@router.get("/saved-views")
def views(who: Who) -> dict[str, Any]:
    """The caller's own views, and those that are shared where the caller works."""
    return {"views": kept.views(who)}


@router.post("/saved-views")
def keep(body: ViewBody, who: Who) -> dict[str, Any]:
    """Keep a view. What others see of a shared one is what their own account may see."""
    return kept.keep_view(who, body.name, body.address, body.days, body.shared, body.command_id)


@router.post("/saved-views/{view_id}/share")
def share(view_id: UUID, body: ShareBody, who: Who) -> dict[str, Any]:
    """Share an own view, or not any more."""
    return kept.change_view(who, view_id, body.command_id, shared=body.shared)


@router.post("/saved-views/{view_id}/remove")
def remove(view_id: UUID, body: CommandBody, who: Who) -> dict[str, Any]:
    """Take an own view away."""
    return kept.change_view(who, view_id, body.command_id, shared=None)


@router.get("/report-schedules")
def schedules(who: Who) -> dict[str, Any]:
    """Reports that are made by themselves."""
    return {"schedules": kept.schedules(who)}


@router.post("/report-schedules")
async def plan(body: ScheduleBody, who: Planner) -> dict[str, Any]:
    """A report that is made by itself: yesterday's, last week's or last month's, at a time of the plant's clock.

    What falls due while nothing runs is made afterwards, each once. 409 UNKNOWN_PERSON, RECIPIENT_SEES_LESS.
    """
    made = await run_in_threadpool(
        kept.plan, who, body.name, body.report, body.product, body.rhythm, body.at, body.language, body.recipients,
        body.command_id,
    )  # fmt: skip
    await who.services.orders.tell_clock(ReportClockWorkflow)
    return made


@router.post("/report-schedules/{schedule_id}/stop")
async def stop(schedule_id: UUID, body: CommandBody, who: Planner) -> dict[str, Any]:
    """No more reports of this schedule; those that were made stay."""
    done = await run_in_threadpool(kept.stop, who, schedule_id, body.command_id)
    await who.services.orders.tell_clock(ReportClockWorkflow)
    return done


@router.get("/scheduled-reports")
def reports(who: Who) -> dict[str, Any]:
    """Reports that were made: all for reviewers and for whoever planned them, for recipients those given out."""
    return {"reports": kept.reports(who)}


@router.get("/scheduled-reports/{report_id}/file")
def file(report_id: UUID, who: Who) -> Response:
    """The file as it was made; its SHA-256 stands in the list."""
    name, content = kept.file_of(who, report_id)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/scheduled-reports/{report_id}/review")
def review(report_id: UUID, body: CommandBody, who: Reviewer) -> dict[str, Any]:
    """The report is right."""
    return kept.act(who, report_id, "review", body.reason, body.command_id)


@router.post("/scheduled-reports/{report_id}/reject")
def reject(report_id: UUID, body: RejectBody, who: Reviewer) -> dict[str, Any]:
    """The report is not given out."""
    return kept.act(who, report_id, "reject", body.reason, body.command_id)


@router.post("/scheduled-reports/{report_id}/distribute")
def distribute(report_id: UUID, body: CommandBody, who: Reviewer) -> dict[str, Any]:
    """Its recipients see it from now on."""
    return kept.act(who, report_id, "distribute", body.reason, body.command_id)


@router.post("/scheduled-reports/{report_id}/archive")
def archive(report_id: UUID, body: CommandBody, who: Reviewer) -> dict[str, Any]:
    """Nothing is done with it any more; it stays readable."""
    return kept.act(who, report_id, "archive", body.reason, body.command_id)
