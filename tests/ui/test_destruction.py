"""A rejected lot is destroyed at the screen: decided, shown, signed by two people."""

import uuid

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.api.test_nonconforming import rejected
from tests.ui.screen import Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.mark.accepts("ES-05", "QL-12")
async def test_a_destruction_is_decided_and_carried_out_at_the_lot(company: Company, console: Console) -> None:
    lot = f"API-{uuid.uuid4().hex[:6].upper()}"
    await rejected(company, lot)
    max_, wil = await console.terminal("max"), await console.terminal("wil", "zh")
    await wil.open(f"/ui/lots/{lot}")
    await expect(wil.page.locator("#card a", has_text="销毁批次")).to_have_count(0)
    await max_.open(f"/ui/lots/{lot}")
    await max_.press("Decide on destruction")
    await max_.page.locator("#dialog textarea").fill("too much water")
    await max_.press("Decide on destruction", within="#dialog")
    await expect(max_.page.locator("#dialog .signed")).to_contain_text("Rejected")
    await expect(max_.page.locator("#dialog .signed")).to_contain_text("10 kg")
    await max_.sign()
    await expect(max_.page.locator(f"#destruction-{lot}-X1")).to_contain_text("too much water")
    await expect(max_.page.locator("#card a", has_text="Decide on destruction")).to_have_count(0)

    await wil.open(f"/ui/lots/{lot}")
    await wil.press("销毁批次")
    await wil.page.locator("#dialog input[name=how]").fill("burnt at the works")
    await wil.press("销毁批次", within="#dialog")
    signed = wil.page.locator("#dialog .signed")
    await expect(signed).to_contain_text("too much water")
    await expect(signed).to_contain_text("已决定")
    await wil.sign(user="wil")
    await expect(wil.page.locator("#dialog .notice.bad")).to_be_visible()
    await wil.sign(user="wes")
    await expect(wil.page.locator(f"#destruction-{lot}-X1")).to_contain_text("wes")
    await expect(wil.page.locator("#card")).to_contain_text("已销毁")
    found = (await (await company.desk("aud")).get(f"/quality/lots/{lot}/destructions")).json()["destructions"]
    assert [(own["state"], own["destroyedBy"], own["witnessedBy"]) for own in found] == [("done", "wil", "wes")]
