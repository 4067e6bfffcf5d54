"""An operator weighs a powder at the screen, stages the containers and charges the complete set."""

from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine

from tests.api.company import Company
from tests.api.words import at_stage
from tests.line import Line
from tests.ui.booth import dispensing, issued, picked
from tests.ui.floor import scan, stopped
from tests.ui.screen import Console, Terminal

pytestmark = pytest.mark.usefixtures("working")
BESIDE = {"user": "ole"}


@pytest.fixture(scope="module")
async def scale(company: Company, working: None, engine: Engine) -> str:
    """The code of a calibrated scale, in a plant that scans and weighs."""
    await dispensing(company)
    return Line(engine).qualified().calibrated().press


async def _weigh(olu: Terminal, scale: str, gross: str) -> None:
    form = olu.page.locator("form[data-net]").first
    await form.locator("select").select_option(scale)
    await form.locator("[name=tare]").fill("0.500")
    await form.locator("[name=gross]").fill(gross)


async def _containers(company: Company, work_order: str) -> list[dict[str, Any]]:
    found = (await (await company.desk("olu")).get(f"/mes/work-orders/{work_order}/weighing")).json()
    return [one for one in found["containers"] if one["state"] != "refused"]


@pytest.mark.parametrize(("language", "start", "weigh", "stage", "charge"), [
    ("en", "Start", "Weigh", "Stage the containers", "Charge the materials"),
    ("zh", "开始", "称量", "备料", "投料"),
])  # fmt: skip
async def test_a_lot_is_scanned_weighed_by_two_staged_and_charged(
    language: str, start: str, weigh: str, stage: str, charge: str, company: Company, console: Console, scale: str
) -> None:
    number, work_order = await issued(company)
    olu = await console.terminal("olu", language)
    await olu.open(f"/ui/tasks/{work_order}/MIX")
    await scan(olu, f"operation/{number}/MIX")
    await olu.press(start, within="main form[id^=start-]")

    # The red word stands there before anything is sent; the range is that of the lot's potency.
    form = olu.page.locator("form[data-net]").first
    await expect(form).to_contain_text("50.913")
    await _weigh(olu, scale, "55.000")
    await expect(form.locator("[data-too-much]")).to_be_visible()
    await _weigh(olu, scale, "50.500")
    await expect(form.locator("[data-too-little]")).to_be_visible()
    await _weigh(olu, scale, "51.413")
    await expect(form.locator("[data-net-shown]")).to_have_text("50.913")
    await expect(form.locator(".outside:visible")).to_have_count(0)

    # Nothing can be typed where it is to be scanned; the lot that was scanned is the one that is weighed.
    await expect(form.locator("[data-scan-wanted]")).not_to_be_editable()
    await scan(olu, "lot/API-W")
    await expect(form.locator("[data-scan-wanted]")).to_have_value("lot/API-W")
    await form.get_by_role("button", name=weigh).click()
    await olu.sign(**BESIDE)
    await expect(olu.page.locator("tr[id^=container-]")).to_have_count(1, timeout=15000)
    (made,) = await _containers(company, work_order)
    assert (made["net"], made["weighedBy"], made["verifiedBy"], made["lot"]) == ("50.913", "olu", "ole", "API-W")
    await expect(olu.page.locator("form[data-net]")).to_have_count(0)

    label = await olu.page.locator("tr[id^=container-] a[target=_blank]").get_attribute("href")
    answer = await olu.page.request.get(f"{console.address}{label}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    await scan(olu, f"container/{made['number']}")
    await olu.page.locator("form[id^=stage-] [name=place]").fill("BOOTH-1")
    await olu.press(stage, within="main form[id^=stage-]")
    await expect(olu.page.locator("form[id^=charge-]")).to_be_visible(timeout=15000)

    # A container of nobody is refused with what was expected, and the codes stay where they are.
    await scan(olu, "lot/API-W")
    await olu.press(charge, within="main form[id^=charge-]")
    await olu.said(made["number"])
    assert (await _containers(company, work_order))[0]["state"] == "staged"
    await olu.page.reload()
    await scan(olu, f"container/{made['number']}")
    await olu.press(charge, within="main form[id^=charge-]")
    await expect(olu.page.locator("form[id^=charge-]")).to_have_count(0, timeout=15000)
    assert (await _containers(company, work_order))[0]["state"] == "charged"


async def test_without_a_scanner_codes_are_typed_with_a_reason_beside_a_second_person(
    company: Company, console: Console, scale: str
) -> None:
    number, work_order = await issued(company)
    olu = await console.terminal("olu")
    await olu.open(f"/ui/tasks/{work_order}/MIX")
    await olu.press("The scanner does not work")
    await olu.page.locator("form[id^=start-] [name='scans.0']").fill(f"operation/{number}/MIX")
    await olu.page.locator("form[id^=start-] [name=reason]").fill("the scanner fell down")
    await olu.press("Start", within="main form[id^=start-]")
    await olu.sign(**BESIDE)
    await expect(olu.page.locator("form[data-net]")).to_be_visible(timeout=15000)
    record = (await (await company.desk("rae")).get(f"/mes/work-orders/{work_order}/batch-record")).json()
    assert any("the scanner fell down" in one["detail"] for one in record["exceptions"])


async def test_what_is_picked_was_scanned_and_not_only_ticked(company: Company, console: Console, scale: str) -> None:
    _, work_order, _ = await picked(company)
    wil = await console.terminal("wil")
    await wil.open(f"/ui/picks/{work_order}")
    await wil.page.locator("[data-mark]").first.click()
    await stopped(wil, "Scan it")
    await scan(wil, "lot/API-W")
    await expect(wil.page.locator("[data-marked]")).to_contain_text("API-W")
    await wil.press("Issue to the line")
    await expect(wil.page.locator("#line-side")).to_contain_text("API-W", timeout=15000)


async def test_where_nothing_is_weighed_or_scanned_the_task_is_as_it_was(company: Company, console: Console) -> None:
    _, work_order = await at_stage(company, "running")
    olu = await console.terminal("olu")
    await olu.open(f"/ui/tasks/{work_order}/MIX")
    await olu.press("Start")
    await olu.shows("Complete")
    await expect(olu.page.locator("[id^=weighing-]")).to_have_count(0)
