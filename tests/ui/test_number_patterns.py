"""Patterns of lot numbers at the screen: a new version, the next number, what a number says."""

import pytest
from playwright.async_api import expect

from tests.api.company import Company
from tests.ui.floor import word
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.mark.accepts("D1")
async def test_a_pattern_is_written_gives_a_number_and_reads_it_back(company: Company, console: Console) -> None:
    pat, pia = await console.terminal("pat"), await console.terminal("pia", "zh", PHONE)
    await pat.open("/ui/master/numbers")
    await pat.shows("No plant has a pattern")
    form = pat.page.locator("#new-pattern")
    await form.get_by_label("Plant").fill("P9")
    await form.locator("#f-kind").select_option("finished")
    await form.locator("#f-pattern").fill("F{date:yyMM}-{line:2}")
    await form.get_by_label("Reason").fill("numbers that tell the line")
    await pat.press("Save")
    await pat.said(word("code.PATTERN_REFUSED", "en"))
    await form.locator("#f-version").fill("one")
    await form.locator("#f-pattern").fill("F{date:yyMM}-{line:2}-{seq:4}")
    await pat.press("Save")
    await expect(form.locator(".field:has(#f-version) .wrong")).to_be_visible()
    await form.locator("#f-version").fill("1")
    await pat.press("Save")
    await pat.said("The pattern counts for new numbers.")
    await expect(pat.page.locator("#pattern-P9-finished")).to_contain_text("-L1-0001")

    await pia.open("/ui/master/numbers")
    await expect(pia.page.locator("#new-pattern")).to_have_count(0)
    await pia.press("生成批号")
    await pia.said(word("code.PARTS_REFUSED", "zh"))
    await pia.page.locator("#next [name=line]").fill("L7")
    await pia.page.locator("#next [name=date]").fill("2026-11-28")
    await pia.press("生成批号")
    await pia.said("批号为 F2611-L7-0001")
    await pia.page.fill("#f-number", "F2611-L7-0001")
    await pia.press("解读")
    await expect(pia.page.locator("#said")).to_contain_text("L7")
    await expect(pia.page.locator("#said")).to_contain_text("pia")
    await pia.page.fill("#f-number", "X-1")
    await pia.press("解读")
    await expect(pia.page.locator("#said")).to_contain_text(word("code.NO_PATTERN_MATCHES", "zh"))

    await pat.open("/ui/master/numbers")
    await pat.press("New version")
    await expect(form.locator("#f-version")).to_have_value("2")
    await form.locator("#f-pattern").fill("F{date:yyMM}{line:2}{seq:5}")
    await form.get_by_label("Reason").fill("more than 9999 a month")
    await pat.press("Save")
    await expect(pat.page.locator("#pattern-P9-finished")).to_contain_text("version 1, 1 given")
    olu = await console.terminal("olu")
    await olu.open("/ui/master/numbers")
    await expect(olu.page.locator("#next, #new-pattern")).to_have_count(0)
