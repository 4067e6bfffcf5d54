"""Events of lots at the screen: taken along, looked at before they are taken, and the genealogy over both plants."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from domain.epcis import lot_class
from domain.epcis_events import Amount, Happening, Site, document, event
from tests.api.company import Company
from tests.api.words import receive
from tests.ui.screen import Console, Terminal

pytestmark = pytest.mark.usefixtures("working")
AT = datetime(2026, 11, 20, tzinfo=UTC)
FAR = Site("EAST", None, ZoneInfo("UTC"))


def told(lot: str) -> dict[str, object]:
    """What the other plant tells: it made the lot of something, and one event that nobody can read."""
    ore, made = lot_class("EAST", "ORE", None, "ORE-7"), lot_class("EAST", "API", None, lot)
    good = Happening(
        "transform", "1", AT, "EAST-P", [Amount(ore, Decimal(9), "kg")], [Amount(made, Decimal(8), "kg")],
        transformation="urn:millwright:transformation:EAST:W7:L",
    )  # fmt: skip
    bad = event(Happening("receive", "2", AT, "EAST-P", [Amount(ore, Decimal(9), "kg")]), FAR) | {"bizStep": "baking"}
    return document([event(good, FAR), bad], AT)


async def looks_right(terminal: Terminal, screen: str, folder: Path) -> None:
    """At the width of a desk and of a telephone: nothing beside the screen, nothing that axe finds."""
    for width in (1280, 390):
        await terminal.page.set_viewport_size({"width": width, "height": 900})
        assert await terminal.has_no_sideways_scroll(), screen
        await terminal.breaks_no_rule(screen, width)
        await terminal.picture(folder / f"{screen}-{width}.png")


@pytest.mark.accepts("C4")
async def test_a_document_is_looked_at_then_taken_and_the_genealogy_shows_the_other_plant(
    company: Company, console: Console, tmp_path: Path
) -> None:
    await receive(company, "FAR-1", "8")
    path = tmp_path / "east.jsonld"
    path.write_text(json.dumps(told("FAR-1")))
    wil = await console.terminal("wil")
    await wil.open("/ui/interfaces/events")
    await wil.page.fill("#import-source", "East")
    await wil.page.set_input_files("#import-file", path)
    await wil.page.locator("#upload button").click()
    preview = wil.page.locator("#preview")
    await expect(preview).to_contain_text("Transformation · ")
    await expect(wil.page.locator("#unnamed")).to_contain_text("still called SITE")
    await expect(preview).to_contain_text("1 new, 0 known already, 1 would be put aside")
    await expect(preview).to_contain_text("baking")
    await expect(preview).to_contain_text("EAST-P")
    await expect(wil.page.locator("#documents")).to_contain_text("Nothing has come in.")
    await looks_right(wil, "preview", tmp_path)
    await preview.get_by_role("button", name="Take it").click()
    await expect(wil.page.locator("#taken")).to_contain_text("1 taken, 0 known already, 1 put aside")
    await expect(wil.page.locator("#aside")).to_contain_text("baking")
    await expect(wil.page.locator("#documents")).to_contain_text("East · wil")
    row = wil.page.locator("#aside tr", has_text="baking")
    await expect(row.get_by_text("Try again")).to_be_visible()
    await looks_right(wil, "aside", tmp_path)
    await row.get_by_text("Try again").click()
    await wil.page.locator("dialog[open] [name=reason]").fill("is it mended?")
    await wil.page.locator("dialog[open] button[type=submit], dialog[open] button.primary").last.click()
    await wil.shows("does not have the agreed form", within="body")
    await wil.open("/ui/interfaces/events")
    zh = await console.terminal("max", "zh")
    await expect(wil.page.locator("#aside").get_by_text("Discard")).to_have_count(0)
    await zh.open("/ui/interfaces/events")
    row = zh.page.locator("#aside tr", has_text="baking")
    await row.get_by_role("link", name="废弃").click()
    await zh.page.locator("#dialog [name=reason]").fill("对方的测试数据")
    await zh.picture(tmp_path / "discard.png")
    await zh.page.locator("#dialog").get_by_role("button", name="废弃").click()
    await expect(row).to_contain_text("已废弃")
    await expect(row).to_contain_text("max")
    await expect(row).to_contain_text("对方的测试数据")
    await expect(row.get_by_role("link")).to_have_count(0)
    await looks_right(zh, "discarded", tmp_path)
    for terminal, words in ((wil, "From plant"), (zh, "来源工厂")):
        await terminal.open("/ui/lots/FAR-1")
        node = terminal.page.locator("a.node", has_text="ORE-7")
        await expect(node).to_contain_text("EAST")
        await expect(terminal.page.locator("#list")).to_contain_text(words)
        await expect(terminal.page.locator("#list")).to_contain_text("EAST-P")
        await looks_right(terminal, f"genealogy-{words[:4]}", tmp_path)
    await wil.page.locator("#list a", has_text="ORE-7").click()
    await expect(wil.page.locator("#told")).to_contain_text("creating class instance")
    async with wil.page.expect_download() as coming:
        await wil.page.fill("#export-lot", "FAR-1")
        await wil.page.get_by_role("button", name="Take along").click()
    taken = json.loads(await asyncio.to_thread(Path(await (await coming.value).path()).read_text))
    assert [own["bizStep"] for own in taken["epcisBody"]["eventList"]] == ["receiving", "inspecting"]
    ola = await console.terminal("ole")
    await ola.open("/ui/interfaces/events")
    await expect(ola.page.locator("#import, #export")).to_have_count(0)
