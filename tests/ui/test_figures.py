"""Control charts and reports in a real browser: what they show, and where a point or a number leads."""

import re

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.words import do
from tests.figures import IN_CONTROL, a_bad_night, figures, weigh, weights
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def plant(company: Company, working: None) -> dict[str, str]:
    """A shifted process, scrap for three reasons, an order that is over."""
    return await figures(company)


@pytest.mark.accepts("D5")
async def test_a_shift_is_seen_on_the_chart_and_its_point_leads_to_the_order(
    console: Console, plant: dict[str, str]
) -> None:
    terminal = await console.terminal("ben")
    # The order of the fixture is the only one with weights but one: its first 21 values make the limits.
    await terminal.open("/ui/spc?of=parameter:weight&product=TAB&baseline=21")
    chart = terminal.page.locator("svg.control-chart").first
    hit = chart.get_by_role("link", name=re.compile("R6"))
    await expect(hit.first).to_have_accessible_name(re.compile(f"Point {len(IN_CONTROL) + 4}: "))
    assert await chart.locator(".specification").count() == 2
    assert await chart.locator("polygon.zone").count() == 3
    await expect(terminal.page.locator("#tile-cpk b")).to_have_text(re.compile(r"^\d\.\d\d$"))
    await expect(terminal.page.locator("#few")).to_have_count(0)
    row = terminal.page.locator(f"#row-{len(IN_CONTROL) + 4}")
    await expect(row).to_be_hidden()
    await terminal.page.locator("#values > summary").click()
    await expect(row).to_be_visible()
    await expect(terminal.page.locator("#values tbody tr")).to_have_count(20)
    await expect(row).to_contain_text("R6")
    await hit.first.click()
    await expect(terminal.page).to_have_url(re.compile(f"/ui/orders/{plant['order_figures']}"))


async def test_few_values_are_said_to_be_few_and_another_chart_is_one_choice_away(
    console: Console, plant: dict[str, str]
) -> None:
    terminal = await console.terminal("ben", "zh", PHONE)
    await terminal.open("/ui/spc?of=inspection:dissolution")
    await terminal.shows("至少需要两个数值")
    await terminal.page.select_option("#spc-of", "parameter:weight")
    await terminal.shows("控制限由")
    await terminal.page.select_option("#spc-chart", "meanRange")
    await terminal.shows("极差")
    await terminal.page.locator("#subgroup").fill("12")
    await terminal.page.keyboard.press("Enter")
    await expect(terminal.page.locator("#few")).to_contain_text("少于 25 个")
    assert await terminal.has_no_sideways_scroll()


async def test_a_new_value_comes_to_an_open_chart_by_itself(
    console: Console, company: Company, plant: dict[str, str]
) -> None:
    terminal = await console.terminal("max")
    await terminal.open("/ui/spc?of=parameter:weight")
    await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1")
    count = await terminal.page.locator("svg.control-chart").first.locator(".point").count()
    await weigh(company, plant["work_figures"], weights((0.2,)))
    await expect(terminal.page.locator("svg.control-chart").first.locator(".point")).to_have_count(
        count + 1, timeout=10000
    )


@pytest.mark.accepts("KP-07")
async def test_a_number_of_a_report_leads_to_its_rows_and_they_are_a_file(
    console: Console, company: Company, plant: dict[str, str]
) -> None:
    terminal = await console.terminal("sam")
    await terminal.open("/ui/reports")
    await terminal.press("Scrap", within=".tabs")
    await terminal.shows("By reason, the most first")
    await expect(terminal.page.locator("svg.pareto")).to_be_visible()
    row = terminal.page.locator("table.figures tbody tr", has_text="Dimension")
    await expect(row).to_contain_text("12")
    await row.get_by_role("link").first.click()
    await terminal.shows("Pieces behind a figure")
    await expect(terminal.page.locator("table.figures tbody tr")).to_have_count(1)
    async with terminal.page.expect_download() as waiting:
        await terminal.press("As a file")
    download = await waiting.value
    assert download.suggested_filename.startswith("pieces-rows-")
    content = (await download.path()).read_text(encoding="utf-8-sig")
    assert content.splitlines()[1].split(",")[4] == "12"
    await terminal.page.locator("table.figures tbody tr").get_by_role("link").first.click()
    await expect(terminal.page).to_have_url(re.compile(f"/ui/orders/{plant['order_figures']}"))


async def test_an_open_report_counts_what_is_reported_meanwhile(
    console: Console, company: Company, plant: dict[str, str]
) -> None:
    terminal = await console.terminal("sam", "zh")
    await terminal.open("/ui/reports?report=output")
    tile = terminal.page.locator("#tile-good b")
    before = await tile.inner_text()
    body = {"workOrderId": plant["work_figures"], "operation": "PRESS", "good": "17"}
    await do(company, "olu", "/mes/production-reports/report", **body)
    await expect(tile).not_to_have_text(before, timeout=10000)


@pytest.mark.accepts("D6")
async def test_who_made_the_bad_ones_is_said_first_and_every_count_leads_to_its_reports(
    console: Console, company: Company, plant: dict[str, str]
) -> None:
    order, _ = await a_bad_night(company)
    terminal = await console.terminal("max")
    await terminal.open("/ui/reports?report=scrap")
    await terminal.press("Who made the bad ones")
    await terminal.open("/ui/suspects?since=2026-11-20&until=2026-11-21&shifts=06:00,18:00")
    await expect(terminal.page.locator("#answer .notice")).to_contain_text(
        "SAW-2, 18:00–06:00: 10.00 % bad, 6.0 times as often as the others"
    )
    first = terminal.page.locator("#suspect-1")
    await expect(first).to_contain_text("stands out")
    await expect(terminal.page.locator("#suspect-2")).to_contain_text("may be chance")
    await first.get_by_role("link", name="20", exact=True).click()
    await expect(terminal.page.locator("table.figures tbody tr")).to_have_count(1)
    await terminal.shows("Surface")
    await terminal.page.locator("table.figures tbody tr").get_by_role("link").first.click()
    await expect(terminal.page).to_have_url(re.compile(f"/ui/orders/{order}"))
    zh = await console.terminal("max", "zh", PHONE)
    await zh.open("/ui/suspects?since=2026-11-20&until=2026-11-21&shifts=06:00,18:00&by=machine")
    await zh.shows("为其他组的")
    assert await zh.has_no_sideways_scroll()
