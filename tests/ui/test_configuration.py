"""A policy is changed at people's terminals: asked for, analysed, approved by signature, tested, published (B19)."""

import pytest
from playwright.async_api import expect

from tests.api.company import PASSWORD, Company, policy
from tests.ui.screen import Console, Terminal

pytestmark = pytest.mark.usefixtures("working")


async def act(terminal: Terminal, name: str, **fields: str) -> None:
    """Open the form of a step and send it."""
    await terminal.press(name, within="#acts")
    dialog = terminal.page.locator("#dialog")
    for field, value in fields.items():
        place = dialog.locator(f"[name='{field}'], [name^='{field}:']").first
        await (place.select_option(value) if field == "passed" else place.fill(value))
    await dialog.locator("button.primary").click()
    await terminal.said(name)


@pytest.mark.accepts("B19", "MD-03")
async def test_a_policy_counts_when_its_change_is_published(company: Company, console: Console) -> None:
    rules = policy("controlled", controlledChanges=True, signatures={})
    assert (await (await company.desk("pat")).post("/master-data/import", {"policies": [rules]})).status_code == 200
    pat, rae, max_ = [await console.terminal(user) for user in ("pat", "rae", "max")]
    await pat.open("/ui/master/policies/controlled")
    await pat.press("Ask for a change")
    await pat.page.fill("[name=changeControl]", "CC-7")
    await pat.page.fill("[name=reasonForChange]", "two heads approve")
    await pat.page.fill("[name='content.approvals:int']", "2")
    await pat.page.locator("main form button.primary.big").click()
    await pat.said("The change is asked for")
    await pat.press("controlled", within="#configurations")
    await pat.shows("Nothing of this counts before it is published")
    row = pat.page.locator("#changes tbody tr").filter(has_text="Approvals")
    await expect(row.locator(".was")).to_have_text("1")
    await expect(row.locator(".is")).to_have_text("2")
    address = pat.page.url.partition("/ui/")[2]
    for terminal in (rae, max_):
        await terminal.open(f"/ui/{address}")
    await act(rae, "Analyse the change", reason="orders from now on")
    await max_.shows("Approve the change of configuration")
    await act(max_, "Approve the change of configuration", **{"signature.password": PASSWORD})
    await rae.shows("Record the test")
    await act(rae, "Record the test", passed="true", reason="tried with a dummy order")
    await max_.shows("Publish the change")
    versions = (await (await company.desk("pat")).get("/master-data/policies/controlled")).json()["versions"]
    assert [own["approvals"] for own in versions] == [1]
    await act(max_, "Publish the change")
    await pat.shows("Published", within="#standing")
    versions = (await (await company.desk("pat")).get("/master-data/policies/controlled")).json()["versions"]
    assert [own["approvals"] for own in versions] == [1, 2]
