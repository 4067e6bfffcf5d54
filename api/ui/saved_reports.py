"""Views that people keep, and the reports that are made by themselves: planned, reviewed, given out, archived."""

from typing import Annotated, Any, Final, get_args
from urllib.parse import parse_qsl, urlencode

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from api.permissions import DIRECT
from api.routing import Router
from api.ui.actions import Form, problem_of, safe_back
from api.ui.ask import people
from api.ui.calls import File, call, read
from api.ui.shell import PageRoute, context, flash, page, refused
from domain.report_states import Rhythm
from reporting.summaries import Report

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
LINE: Final = ("made", "reviewed", "distributed", "archived")
_DAYS: Final = frozenset({"since", "until", "days"})


@router.get("/saved-reports")
async def saved(request: Request) -> Response:
    """Own and shared views; schedules; what was made, with the next step of each."""
    plans = await read(request, "/report-schedules")
    made = await read(request, "/scheduled-reports")
    views = await read(request, "/saved-views")
    return page(
        request, "saved_reports.html", views=views["views"], schedules=plans["schedules"], reports=made["reports"],
        line=LINE, reviewers=sorted(DIRECT["reviewReport"]), live="saved-view,report-schedule,scheduled-report",
    )  # fmt: skip


@router.get("/saved-reports/new")
async def new_view(
    request: Request, address: Annotated[str, Query(max_length=1200)], days: Annotated[int, Query(ge=1, le=366)] = 30
) -> Response:
    """The form that keeps a view: its name, and whether others see it."""
    return page(request, "saved_view_new.html", address=without_days(safe_back(address)), days=days)


def without_days(address: str) -> str:
    """An address without its days: a kept view shows the last days whenever it is opened."""
    path, _, query = address.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name not in _DAYS and value]
    return f"{path}?{urlencode(kept)}" if kept else path


@router.get("/saved-reports/plan")
async def plan_form(request: Request, report: str = "output", product: str = "") -> Response:
    """The form of a schedule."""
    return page(
        request, "report_schedule_new.html", report=report, product=product, reports=get_args(Report),
        rhythms=list(Rhythm), people=people(request),
    )  # fmt: skip


@router.post("/saved-reports/plan")
async def plan(request: Request, form: Form) -> Response:
    """Plan a report; a list of people is what a form of the console cannot say by the names of its fields."""
    fields: dict[str, Any] = {
        name: str(form.get(name) or "")
        for name in ("commandId", "name", "report", "product", "rhythm", "at", "language")
    }
    recipients = [str(value) for value in form.getlist("recipients")]
    answer = await call(request, "POST", "/report-schedules", fields | {"recipients": recipients})
    if not answer.accepted:
        return refused(request, problem_of(answer))
    response = RedirectResponse("/ui/saved-reports", 303)
    flash(response, "good", context(request)["t"]("saved.planned", name=fields["name"]))
    return response


@router.get("/saved-reports/{report_id}/file")
async def file(report_id: str, request: Request) -> Response:
    """The file of a report that was made."""
    return File(request, f"/scheduled-reports/{report_id}/file", {}, lambda no: refused(request, problem_of(no)))
