"""An order is rejected, edited, approved, released; then only a signed request changes it: at people's terminals."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api.company import Company, policy
from tests.api.planning_words import order_of
from tests.api.words import create, do
from tests.ui.screen import PHONE, Console
from wording.texts import Words

pytestmark = pytest.mark.usefixtures("working")
PICTURES = os.environ.get("MES_GALLERY")
WHY = "the customer wants fewer"


async def controlled(company: Company) -> tuple[str, str]:
    """A draft under change control: its id and number."""
    rules = policy("controlled", controlledChanges=True, certification=False, productionRelease=False, signatures={})
    imported = await (await company.desk("pat")).post("/master-data/import", {"policies": [rules]})
    assert imported.status_code == 200, imported.text
    made = await create(company, policy="controlled", dueAt="2027-06-01T00:00:00Z")
    return made["id"], made["number"]


@pytest.mark.accepts("B1", "B3", "PO-03")
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_order_is_changed_before_and_after_its_release(
    company: Company, console: Console, language: str
) -> None:
    words = Words(language)
    order, number = await controlled(company)
    await do(company, "pia", f"/mes/orders/{order}/submit", reason="for autumn")
    await do(company, "sam", f"/mes/orders/{order}/reject", reason="one shift is not enough")
    pia = await console.terminal("pia", language)
    await pia.open(f"/ui/orders/{order}")
    await pia.shows("one shift is not enough")
    await pia.press(words("command.changeOrder"))
    dialog = pia.page.locator("#dialog")
    await dialog.locator("[name='quantity:number']").fill("900")
    await dialog.locator("[name=reason]").fill("fits into one shift")
    await dialog.locator("button.primary").click()
    await pia.shows("900", within="#decisions")
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/approve")
    await pia.shows(words("decision.approved"), within="#decisions")
    await do(company, "pia", f"/mes/orders/{order}/change", quantity="800", reason=WHY)
    await pia.shows(words("decisions.void"), within="#decisions")
    await do(company, "sam", f"/mes/orders/{order}/approve")
    await do(company, "sam", f"/mes/orders/{order}/release")

    await pia.shows(words("command.requestOrderChange"))
    await pia.press(words("command.requestOrderChange"))
    await dialog.locator("[name='quantity:number']").fill("700")
    await dialog.locator("[name=reason]").fill(WHY)
    await dialog.locator("button.primary").click()
    row = pia.page.locator(f"#change-{number}-C1 tbody tr")
    await expect(row.locator(".was")).to_contain_text("800")
    await expect(row.locator(".is")).to_contain_text("700")
    await pia.shows(words("changes.held"), within="#changes")
    await expect(pia.page.locator("#changes .row.end button")).to_have_count(1)  # her own request, to take back
    await pia.press(words("command.withdrawOrderChange"), within="#changes")
    await pia.shows(words("change.withdrawn"), within="#changes")
    assert (await order_of(company, order))["state"] == "released"
    await do(company, "pia", f"/mes/orders/{order}/change-requests", quantity="700", reason=WHY)
    await expect(pia.page.locator(f"#change-{number}-C2")).to_contain_text("700")

    sam = await console.terminal("sam", language, PHONE, color_scheme="dark" if language == "zh" else "light")
    await sam.open(f"/ui/orders/{order}")
    assert await sam.has_no_sideways_scroll()
    await sam.press(words("command.approveOrderChange"), within="#changes")
    await expect(sam.page.locator("#dialog")).to_contain_text("800 → 700")
    if PICTURES:
        await sam.picture(Path(PICTURES) / f"order-change-sign-{language}.png")
        await pia.picture(Path(PICTURES) / f"order-change-{language}.png")
    await sam.sign()
    await sam.shows(words("change.approved"), within="#changes")
    if PICTURES:
        await sam.picture(Path(PICTURES) / f"order-changed-{language}.png")
    found = await order_of(company, order)
    assert (found["state"], found["quantity"], found["changeRequests"][-1]["decidedBy"]) == ("released", "700", "sam")
