"""Pictures of instructions at people's terminals: added to a draft, refused in words, seen and enlarged at the step."""

import os
import uuid
from pathlib import Path

import pytest
from playwright.async_api import expect

from plants.tablets.illustrations import ILLUSTRATIONS
from tests.api.company import PREFIX, Company
from tests.api.pictures import digest, drawn, shown
from tests.api.records import PATH, TAB, TEXTS, draft, effective, ok, said, with_policy
from tests.api.words import at_stage, do, receive
from tests.ui.screen import DESKTOP, PHONE, Console, Terminal

pytestmark = pytest.mark.usefixtures("working")
FOLDER = os.environ.get("MES_GALLERY")
LOADING = ILLUSTRATIONS["BLEND", 2]
CORES = ILLUSTRATIONS["COMPRESS", 2]
MIX = "content.operations.0.instructions.0.pictures"


async def stored(company: Company, *files: bytes) -> None:
    """Pat has uploaded these."""
    pat = await company.desk("pat")
    for content in files:
        ok(await pat.client.post(f"{PREFIX}{PATH}/pictures", content=content, headers=pat.headers))


async def looked_at(terminal: Terminal, name: str, language: str) -> None:
    """The screen is fit for everybody on both widths; a picture of it is kept where `make gallery` wants some."""
    for label, (width, height) in (("desktop", DESKTOP), ("phone", PHONE)):
        await terminal.page.set_viewport_size({"width": width, "height": height})
        # What stands below the header that stays is no target for anybody.
        await terminal.page.evaluate("window.scrollTo(0, 0)")
        await terminal.page.wait_for_timeout(150)
        if FOLDER:
            await terminal.picture(Path(FOLDER) / f"{name}-{language}-{label}.png")
        await terminal.breaks_no_rule(name, language, label)
        assert await terminal.has_no_sideways_scroll(), (name, language, label)
    await terminal.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})


@pytest.mark.accepts("MD-02", "MD-04")
async def test_a_picture_is_added_to_a_draft_and_what_is_none_is_refused_in_words(
    console: Console, company: Company, tmp_path: Path
) -> None:
    record = ok(await draft(company, f"p-{uuid.uuid4().hex[:6]}"))
    pat = await console.terminal("pat", "zh", bypass_csp=True)
    await pat.open(f"/ui/master/records/{record['id']}/edit")
    form = pat.page.locator("#record-form")

    async def choose(content: bytes, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        room = form.locator("details.one-picture").first
        if await room.get_attribute("open") is None:
            await room.locator("summary").click()
        await form.locator(f"[name='{MIX}.0.file']").set_input_files(path)

    await choose(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.png")
    await form.locator(f"[name='{MIX}.0.text.zh']").fill("料斗剖面")
    await form.get_by_role("button", name="保存草稿").click()
    await pat.shows("SVG 图形（可能含脚本）", within="#form-refused")
    assert await form.locator(f"[name='{MIX}.0.text.zh']").input_value() == "料斗剖面"
    unchanged = ok(await (await company.desk("pat")).get(f"{PATH}/{record['id']}"))
    assert unchanged["contentHash"] == record["contentHash"]

    await choose(LOADING.content, "loading.png")
    await form.get_by_role("button", name="保存草稿").click()
    await pat.shows("缺少图片内容说明", within="#faults")
    await pat.open(f"/ui/master/records/{record['id']}/edit")
    await expect(form.locator(".one-picture img").first).to_be_visible()
    await form.locator(f"[name='{MIX}.0.text.en']").fill("Cross-section of the bin")
    await looked_at(pat, "picture-edit", "zh")
    await form.get_by_role("button", name="保存草稿").click()
    await pat.said("已记录")
    await expect(pat.page.locator("#faults")).to_have_count(0)
    await looked_at(pat, "picture-record", "zh")
    content = ok(await (await company.desk("pat")).get(f"{PATH}/{record['id']}"))["content"]
    (picture,) = content["operations"][0]["instructions"][0]["pictures"]
    assert picture == {"sha256": digest(LOADING.content),
                       "text": {"zh": "料斗剖面", "en": "Cross-section of the bin"}}  # fmt: skip

    await pat.open(f"/ui/master/records/{record['id']}/edit")
    await form.locator(f"[name='{MIX}.0.gone:bool']").check()
    await form.get_by_role("button", name="保存草稿").click()
    await pat.said("已记录")
    content = ok(await (await company.desk("pat")).get(f"{PATH}/{record['id']}"))["content"]
    assert "pictures" not in content["operations"][0]["instructions"][0]


@pytest.mark.accepts("B6", "MD-01")
async def test_the_operator_sees_the_picture_at_the_step_and_enlarges_it(console: Console, company: Company) -> None:
    await stored(company, LOADING.content, CORES.content)
    told = [
        {"number": 10, "text": TEXTS, "pictures": [LOADING.reference]},
        {"number": 20, "text": {"en": "Sort the cores.", "zh": "分拣片芯。"},
         "pictures": [CORES.reference, LOADING.reference]},
    ]  # fmt: skip
    await with_policy(company)
    content = TAB | {"operations": [said("MIX", room="R-1", instructions=told), said("PRESS")]}
    await effective(company, f"s-{uuid.uuid4().hex[:6]}", content)
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "500")
    _, work_order = await at_stage(company, "running", policy="by-record")
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/MIX/start")
    for language, words in (("en", LOADING.en), ("zh", LOADING.zh)):
        # The policy of the page stays on: a picture that it forbade would be a fault of the console.
        olu = await console.terminal("olu", language)
        await olu.open(f"/ui/tasks/{work_order}/MIX")
        picture = olu.page.locator(".steps img").first
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("complete", True)
        assert await picture.evaluate("image => image.naturalWidth") == 800
        await expect(picture).to_have_attribute("alt", words)
        await olu.page.locator(".steps a.picture").first.click()
        dialog = olu.page.locator("#dialog")
        await expect(dialog.locator("figcaption")).to_have_text(words)
        await expect(dialog.locator("img")).to_have_js_property("naturalWidth", 800)
        if FOLDER:
            await olu.page.screenshot(path=Path(FOLDER) / f"picture-large-{language}.png")
        await olu.page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        looker = await console.terminal("olu", language, bypass_csp=True)
        await looker.open(f"/ui/tasks/{work_order}/MIX")
        await looked_at(looker, "picture-task", language)


@pytest.mark.accepts("MD-02")
async def test_two_versions_show_both_pictures_side_by_side(console: Console, company: Company) -> None:
    other = drawn((200, 60, 20), (160, 120))
    await stored(company, LOADING.content, other)

    def content(*pictures: object) -> object:
        told = [{"number": 10, "text": TEXTS, "pictures": list(pictures)}]
        return TAB | {"operations": [said("MIX", room="R-1", instructions=told), said("PRESS")]}

    first = ok(await draft(company, f"d1-{uuid.uuid4().hex[:6]}", content(LOADING.reference)))
    second = ok(
        await draft(company, f"d2-{uuid.uuid4().hex[:6]}", content(shown(other), shown(other, "Again", "再一次")))
    )
    aud = await console.terminal("aud", "zh", bypass_csp=True)
    await aud.open(f"/ui/master/records/{first['id']}/compare/{second['id']}")
    images = aud.page.locator("#changes img")
    await expect(images).to_have_count(3)
    for place in range(3):
        await images.nth(place).scroll_into_view_if_needed()
        await expect(images.nth(place)).not_to_have_js_property("naturalWidth", 0)
    await looked_at(aud, "picture-compare", "zh")
