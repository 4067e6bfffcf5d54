"""Numbers by large keys: what a gloved finger, and a keyboard, can enter at a number field."""

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.words import at_stage, do, receive
from tests.ui.floor import new_lot, scan
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def pressing(company: Company, working: None) -> str:
    """The work order of an order that is being pressed."""
    await receive(company, new_lot("API"), "500")
    _, work_order = await at_stage(company, "running")
    path = f"/mes/work-orders/{work_order}/operations"
    for step in ("MIX/start", "MIX/complete", "PRESS/start"):
        await do(company, "olu", f"{path}/{step}")
    return work_order


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_tap_opens_large_keys_with_unit_and_limits_and_no_keyboard(
    console: Console, pressing: str, language: str
) -> None:
    terminal = await console.terminal("olu", language, PHONE, has_touch=True, bypass_csp=True)
    await terminal.open(f"/ui/tasks/{pressing}/PRESS")
    field, pad = terminal.page.locator("input[name='values.0.text:entry']"), terminal.page.locator("#keypad")
    await field.tap()
    await expect(pad).to_be_visible()
    await expect(field).to_have_attribute("inputmode", "none")
    await expect(pad.locator("h2")).to_have_text("weight")
    await expect(pad.locator("[data-unit]")).to_have_text("mg")
    await expect(pad.locator("[data-limits]")).to_contain_text("108")
    boxes = [await key.bounding_box() for key in await pad.locator(".keys button").all()]
    assert all(box is not None and box["height"] >= 68 and box["width"] >= 68 for box in boxes)
    await terminal.breaks_no_rule()
    assert await terminal.has_no_sideways_scroll()
    for key in ("1", "1", "9", ".", "5"):
        await pad.locator(f"[data-key='{key}']").tap()
    await expect(pad.locator("output")).to_have_text("119.5")
    await expect(pad.locator("[data-outside]")).to_be_visible()
    for key in ("back", "back", "back", "3", "."):
        await pad.locator(f"[data-key='{key}']").tap()
    await expect(pad.locator("output")).to_have_text("113.")
    await expect(pad.locator("[data-outside]")).to_be_hidden()
    await pad.locator("[data-key='5']").tap()
    await pad.locator("[data-enter]").tap()
    await expect(field).to_have_value("113.5")
    await expect(pad).to_be_hidden()


async def test_what_happens_meanwhile_changes_neither_the_keys_nor_the_field(
    console: Console, company: Company, pressing: str
) -> None:
    terminal = await console.terminal("olu", "en", PHONE, has_touch=True)
    await terminal.open(f"/ui/tasks/{pressing}/PRESS")
    field, pad = terminal.page.locator("input[name='values.0.text:entry']"), terminal.page.locator("#keypad")
    await field.tap()
    await pad.locator("[data-key='1']").tap()
    text = "the hopper is half empty"
    await do(company, "olu", f"/mes/work-orders/{pressing}/operations/PRESS/comment", text=text)
    await expect(terminal.page.locator("[id^=remarks-]")).to_contain_text(text)
    await expect(field).to_have_attribute("inputmode", "none")
    for key in ("1", "3"):
        await pad.locator(f"[data-key='{key}']").tap()
    await pad.locator("[data-enter]").tap()
    await expect(field).to_have_value("113")


async def test_the_keys_can_be_typed_and_a_mouse_types_into_the_field(console: Console, pressing: str) -> None:
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{pressing}/PRESS")
    good, pad = terminal.page.locator("input[name='good:number']"), terminal.page.locator("#keypad")
    await good.click()
    await expect(pad).to_be_hidden()
    await terminal.page.keyboard.press("F2")
    await expect(pad).to_be_visible()
    await expect(pad.locator("output")).to_have_text("0")
    await scan(terminal, "4711")  # a code is no quantity
    await expect(pad.locator("output")).to_have_text("0")
    for key in ("4", "2", "5", "Backspace"):
        await terminal.page.keyboard.press(key)
        await terminal.page.wait_for_timeout(120)  # as fast as a person, or it were a scan
    await expect(pad.locator("output")).to_have_text("42")
    await terminal.page.keyboard.press("Enter")
    await expect(good).to_have_value("42")
    await expect(good).to_be_focused()
    await terminal.page.keyboard.press("F2")
    await terminal.page.keyboard.press("9")
    await terminal.page.keyboard.press("Escape")
    await expect(good).to_have_value("42")
    await terminal.press("Report", exact=True)
    await terminal.said("Recorded: Report production")


async def test_a_pin_is_entered_with_the_same_keys_and_not_shown(console: Console, company: Company) -> None:
    terminal = await console.terminal("olu", "en", PHONE, has_touch=True)
    await terminal.open("/ui/login?switch=true&badge=ole")
    await terminal.page.locator("#pin").tap()
    pad = terminal.page.locator("#keypad")
    for key in "4839":
        await pad.locator(f"[data-key='{key}']").tap()
    await expect(pad.locator("output")).to_have_text("••••")
    await expect(pad.locator("[data-point]")).to_be_disabled()
    await pad.locator("[data-enter]").tap()
    await expect(terminal.page.locator("#pin")).to_have_value("4839")
