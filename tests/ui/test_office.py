"""The desk: a schedule with a preview, a view that is kept and shared, a report on its way to its recipients."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import FilePayload, expect
from sqlalchemy import Engine

from adapters.reports.due import DueReports
from reporting.files import ReportFiles
from tests.api.company import Company
from tests.api.test_saved_reports import ZONE, overdue, planned
from tests.api.words import create
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.mark.accepts("A20")
async def test_the_planner_sees_who_does_what_when_and_what_a_station_that_is_down_would_move(
    company: Company, console: Console
) -> None:
    due = datetime.now(UTC) + timedelta(hours=4)
    made = await create(company, dueAt=due.isoformat())
    pia = await console.terminal("pia")
    await pia.open("/ui/schedule")
    chart = pia.page.locator("svg.gantt")
    bar = chart.get_by_role("link", name=f"{made['number']} MIX")
    await expect(bar).to_have_count(1)
    await expect(pia.page.locator("#count-late")).to_have_text("0")
    await pia.page.select_option("#down", "BENCH")
    await pia.shows("Preview: BENCH is down.")
    await expect(pia.page.locator("#count-late")).to_have_text("1")
    await expect(pia.page.locator("#moves tbody tr")).not_to_have_count(0)
    late = pia.page.locator(f"#planned-{made['number']} .chip.bad")
    await expect(late).to_contain_text("h")
    await bar.click()
    await expect(pia.page.locator("h1")).to_contain_text(made["number"])
    phone = await console.terminal("pia", "zh", PHONE)
    await phone.open("/ui/schedule?down=BENCH&days=0&days=1")
    await phone.shows("BENCH 停机")
    assert await phone.has_no_sideways_scroll()


@pytest.mark.accepts("C5")
async def test_a_report_is_kept_as_a_view_and_a_colleague_opens_it(company: Company, console: Console) -> None:
    sam = await console.terminal("sam")
    await sam.open("/ui/reports?report=batches")
    await sam.press("Keep this view")
    await sam.page.fill("#view-name", "My batches")
    await sam.page.select_option("#view-shared", "true")
    await sam.press("Keep this view", within="#dialog")
    await expect(sam.page.locator("#views")).to_contain_text("My batches")
    max_ = await console.terminal("max", "zh")
    await max_.open("/ui/saved-reports")
    await max_.page.locator("#views").get_by_role("link", name="My batches").click()
    await expect(max_.page.locator("#report-batches h2")).to_have_text("批次")
    await expect(max_.page).to_have_url(f"{console.address}/ui/reports?report=batches&days=30")


@pytest.mark.accepts("B18")
async def test_a_planned_report_is_reviewed_given_out_and_archived_at_the_screen(
    company: Company, console: Console, engine: Engine
) -> None:
    rae = await console.terminal("rae")
    await rae.open("/ui/saved-reports")
    await rae.press("Plan a report")
    await rae.page.fill("#plan-name", "Scrap by week")
    await rae.page.select_option("#plan-report", "scrap")
    await rae.page.select_option("#plan-rhythm", "weekly")
    await rae.page.check("#to-olu")
    await rae.press("Plan a report", within="#dialog")
    await rae.said("Scrap by week: planned.")
    await expect(rae.page.locator("#schedules")).to_contain_text("on Mondays 06:00")
    await asyncio.to_thread(overdue, engine, await planned(company), timedelta(days=1))
    await asyncio.to_thread(DueReports(engine, ReportFiles(ZONE), ZONE).make, datetime.now(UTC))
    row = rae.page.locator("#made tbody tr").filter(has_text="Scrap, every day")
    olu = await console.terminal("olu")
    await olu.open("/ui/saved-reports")
    await olu.shows("No report yet.")
    for button, state in (("It is right", "Reviewed"), ("Give out", "Given out")):
        await row.get_by_role("button", name=button).click()
        await expect(row.locator(".chip")).to_have_text(state)
    await expect(olu.page.locator("#made tbody tr")).to_have_count(1, timeout=15000)
    async with olu.page.expect_download() as download:
        await olu.page.locator("#made").get_by_role("link", name="CSV").click()
    assert (await download.value).suggested_filename.startswith("scrap-")
    await expect(olu.page.locator("#made").get_by_role("button", name="Archive")).to_have_count(0)
    await row.get_by_role("button", name="Archive").click()
    await expect(row.locator(".chip")).to_have_text("Archived")


async def test_a_sheet_of_materials_is_looked_at_before_it_is_taken_and_bad_cells_are_in_a_table(
    company: Company, console: Console
) -> None:
    pat = await console.terminal("pat")
    await pat.open("/ui/master/import")
    bad = FilePayload(name="materials.csv", mimeType="text/csv", buffer=b"code,name,kind,unit\nX-1,,powder,kg\n")
    await pat.page.set_input_files("#file", files=[bad])
    await pat.press("Look at it first")
    await expect(pat.page.locator("#bad-cells tbody tr")).to_have_count(2)
    await pat.shows("materials.csv: 2 cells or rows are wrong.")
    sheet = "code,name,kind,unit\nX-1,纤维素,raw,kg\n".encode()
    good = FilePayload(name="materials.csv", mimeType="text/csv", buffer=sheet)
    await pat.page.set_input_files("#file", files=[good])
    await pat.press("Look at it first")
    await expect(pat.page.locator("#changes tbody tr")).to_contain_text("material/X-1")
    assert (await (await company.desk("pat")).get("/master-data/materials", prefix="X-")).json()["materials"] == []
    await pat.press("Take all 1")
    await pat.said("1 objects imported.")
    (made,) = (await (await company.desk("pat")).get("/master-data/materials", prefix="X-")).json()["materials"]
    assert made["name"] == "纤维素"
    sam = await console.terminal("sam", "zh", PHONE)
    await sam.open("/ui/master/import")
    await sam.shows("主数据由工艺工程师导入。")


async def test_a_class_of_equipment_is_made_and_changed_in_hours(company: Company, console: Console) -> None:
    pat = await console.terminal("pat")
    await pat.open("/ui/equipment-classes")
    await pat.press("New class")
    await pat.page.fill("#class-code", "DRYER")
    await pat.page.fill("#class-name", "Fluid bed dryer")
    await pat.page.fill("#class-cleanHoldSeconds", "７2")
    await pat.press("Keep the class", within="#dialog")
    await pat.said("DRYER: kept.")
    row = pat.page.locator("#class-DRYER")
    await expect(row).to_contain_text("72 h")
    await row.get_by_role("link", name="DRYER").click()
    await expect(pat.page.locator("#class-cleanHoldSeconds")).to_have_value("72")
    await pat.page.fill("#class-dirtyHoldSeconds", "1.5")
    await pat.press("Keep the class", within="#dialog")
    await expect(row).to_contain_text("1.5 h")
    found = (await (await company.desk("pat")).get("/equipment-classes")).json()["classes"]
    (own,) = (one for one in found if one["code"] == "DRYER")
    assert (own["cleanHoldSeconds"], own["dirtyHoldSeconds"]) == (72 * 3600, 5400)
