"""Views that are kept and shared; reports that are made by themselves, also when the service was down when due."""

import asyncio
import csv
import hashlib
import io
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from adapters.reports.due import DueReports
from adapters.reports.port import MadeFile, ReportJob
from db.queries import saved_reports as tables
from domain.report_states import Rhythm, due_after
from reporting.files import ReportFiles
from tests.api.company import Company
from tests.api.signing import audited
from tests.api.words import do
from tests.figures import pressing

pytestmark = pytest.mark.usefixtures("working")
ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)


async def view(company: Company, who: str, **more: Any) -> str:
    body = {"name": "Scrap of tablets", "address": "/ui/reports?report=scrap&product=TAB", "days": 7, **more}
    return str((await do(company, who, "/saved-views", **body))["id"])


async def seen(company: Company, who: str) -> list[dict[str, Any]]:
    answer = await (await company.desk(who)).get("/saved-views")
    found: list[dict[str, Any]] = answer.json()["views"]
    return found


async def limited(company: Company, user: str, plants: list[str] | None) -> None:
    body = {"plants": plants, "lines": None, "reason": "works there"}
    answer = await (await company.desk("ada")).post(f"/users/{user}/scope", body)
    assert answer.status_code == 200, answer.text


@pytest.mark.accepts("C5")
async def test_a_view_is_its_owners_until_it_is_shared_with_who_works_there(company: Company) -> None:
    await limited(company, "sue", ["demo"])
    await limited(company, "ole", ["elsewhere"])
    identity = await view(company, "sue")
    assert [own["id"] for own in await seen(company, "sue")] == [identity]
    assert await seen(company, "sam") == []
    await do(company, "sue", f"/saved-views/{identity}/share", shared=True)
    (shared,) = await seen(company, "sam")
    assert (shared["owner"], shared["isOwn"]) == ("sue", False)
    assert shared["address"] == "/ui/reports?report=scrap&product=TAB&days=7"
    assert await seen(company, "ole") == []
    other = await (await company.desk("sam")).command(f"/saved-views/{identity}/remove")
    assert (other.status_code, other.json()["code"]) == (404, "NOT_FOUND")
    await do(company, "sue", f"/saved-views/{identity}/remove")
    assert await seen(company, "sam") == await seen(company, "sue") == []
    outside = await (await company.desk("sue")).command("/saved-views", name="x", address="https://example.org/")
    assert outside.status_code == 422
    await limited(company, "sue", None)
    await limited(company, "ole", None)


async def planned(company: Company, **more: Any) -> str:
    body = {"name": "Scrap, every day", "report": "scrap", "rhythm": "daily", "at": "06:00", "language": "en",
            "recipients": ["olu"], **more}  # fmt: skip
    return str((await do(company, "max", "/report-schedules", **body))["id"])


async def made(company: Company, who: str) -> list[dict[str, Any]]:
    answer = await (await company.desk(who)).get("/scheduled-reports")
    found: list[dict[str, Any]] = answer.json()["reports"]
    return found


async def daily(company: Company) -> list[dict[str, Any]]:
    return [own for own in await made(company, "max") if own["name"] == "Scrap, every day"]


def overdue(engine: Engine, identity: str, by: timedelta) -> datetime:
    """The schedule fell due that long ago, while nothing ran: its first due time."""
    due = due_after(Rhythm.DAILY, time(6), datetime.now(UTC) - by, ZONE)
    with engine.begin() as connection:
        tables.move_on(connection, identity, due)  # type: ignore[arg-type]
    return due


@pytest.mark.accepts("B18")
async def test_reports_that_fell_due_while_the_service_was_down_are_made_once_and_reach_their_people(
    company: Company, engine: Engine
) -> None:
    _, work_order = await pressing(company)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "90", "scrap": "10", "scrapReason": "dust"}
    await do(company, "olu", "/mes/production-reports/report", **report)
    identity = await planned(company)
    due = await asyncio.to_thread(overdue, engine, identity, 3 * DAY)
    # The service comes back: its clock looks, as it does when a worker starts.
    await do(company, "max", f"/report-schedules/{await planned(company, name='another')}/stop")
    async with asyncio.timeout(60):
        while len(await daily(company)) < 3:  # noqa: ASYNC110 the worker writes, and the list has no event for it
            await asyncio.sleep(0.1)
    reports = await daily(company)
    assert [own["dueAt"] for own in reversed(reports)] == [(due + n * DAY).isoformat() for n in range(3)]
    assert {own["state"] for own in reports} == {"made"}
    # Looked for again, nothing is made twice.
    again = DueReports(engine, ReportFiles(ZONE), ZONE)
    await asyncio.to_thread(again.make, datetime.now(UTC))
    assert len(await daily(company)) == 3

    newest = reports[0]
    path = f"/scheduled-reports/{newest['id']}"
    assert await made(company, "olu") == []
    assert (await (await company.desk("olu")).get(f"{path}/file")).status_code == 404
    early = await (await company.desk("rae")).command(f"{path}/distribute")
    assert (early.status_code, early.json()["code"], early.json()["possible"]) == (
        409, "NOT_POSSIBLE", ["review", "reject"],
    )  # fmt: skip
    for step, state in (("review", "reviewed"), ("distribute", "distributed"), ("archive", "archived")):
        await do(company, "rae", f"{path}/{step}")
        assert next(own for own in await made(company, "rae") if own["id"] == newest["id"])["state"] == state
    (got,) = await made(company, "olu")
    assert (got["id"], got["reviewedBy"], got["archivedBy"]) == (newest["id"], "rae", "rae")
    file = await (await company.desk("olu")).get(f"{path}/file")
    assert hashlib.sha256(file.content).hexdigest() == newest["sha256"]
    assert next(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))[0] == "Reason"
    assert len(await asyncio.to_thread(audited, engine, "scheduledReport.made")) == 3
    await do(company, "rae", f"/scheduled-reports/{reports[1]['id']}/reject", reason="yesterday is not booked yet")
    assert await made(company, "olu") == [got]


async def test_who_may_not_see_all_of_a_report_cannot_be_its_recipient(company: Company) -> None:
    await limited(company, "ole", ["elsewhere"])
    body: dict[str, Any] = {"name": "x", "report": "output", "rhythm": "weekly", "recipients": ["ole", "nobody", "olu"]}
    answer = await (await company.desk("max")).command("/report-schedules", **body)
    assert answer.status_code == 409
    assert [(own["code"], own["id"]) for own in answer.json()["blockers"]] == [
        ("RECIPIENT_SEES_LESS", "ole"), ("UNKNOWN_PERSON", "nobody"),
    ]  # fmt: skip
    await limited(company, "ole", None)


class Broken:
    """A maker that cannot write one of the reports."""

    def make(self, connection: object, job: ReportJob) -> MadeFile:
        """The file of any report but `output`."""
        if job.report == "output":
            raise LookupError("the figures are not there")
        return MadeFile("file.csv", b"figures")


async def test_a_report_that_cannot_be_made_keeps_no_other_from_being_made(company: Company, engine: Engine) -> None:
    await planned(company, name="broken", report="output")
    await planned(company, name="sound", report="flow")
    # Tomorrow: the clock of the plant, which has a maker that can, does not look at them before.
    with pytest.raises(LookupError):
        await asyncio.to_thread(DueReports(engine, Broken(), ZONE).make, datetime.now(UTC) + DAY)
    with engine.connect() as connection:
        made_by = "SELECT s.name FROM scheduled_report r JOIN report_schedule s ON s.id = r.schedule"
        names = set(connection.execute(text(made_by)).scalars())
    assert "sound" in names
    assert "broken" not in names
