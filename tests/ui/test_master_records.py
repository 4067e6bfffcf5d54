"""A master batch record at the terminal: written, refused at the place, signed by two heads, effective, compared."""

from playwright.async_api import expect

from tests.api.company import PASSWORD, Company
from tests.api.records import PATH, TAB, draft, ok
from tests.ui.engineering import BROKEN, versions
from tests.ui.screen import Console, Terminal


async def give(terminal: Terminal, name: str, **fields: str) -> None:
    """Open the form of an act and send it."""
    await terminal.press(name, within="#acts", exact=True)
    dialog = terminal.page.locator("#dialog")
    for field, value in fields.items():
        await dialog.locator(f"[name^='{field}']").first.fill(value)
    await dialog.locator("button.primary").click()


async def test_a_draft_with_broken_limits_is_refused_in_words_and_at_the_place(
    console: Console, company: Company
) -> None:
    record = ok(await draft(company, "broken", BROKEN))
    pat = await console.terminal("pat", "zh")
    await pat.open(f"/ui/master/records/{record['id']}")
    await pat.shows("有 2 处问题", within="#faults")
    await give(pat, "提交审核")
    dialog = pat.page.locator("#dialog")
    await expect(dialog).to_contain_text("限度大小顺序错误")
    await expect(dialog).to_contain_text("缺少某一语言的文字")
    await expect(dialog).to_contain_text("没有任何更改")
    assert (await (await company.desk("pat")).get(f"{PATH}/{record['id']}")).json()["state"] == "draft"
    await pat.open(f"/ui/master/records/{record['id']}/edit")
    row = pat.page.locator("tr", has=pat.page.locator("[name='content.operations.1.expectedValues.0.target:number']"))
    await expect(row).to_contain_text("限度大小顺序错误")


async def test_a_version_from_the_first_word_to_the_day_it_counts(console: Console, company: Company) -> None:
    pat = await console.terminal("pat")
    await pat.open("/ui/master/records/new?product=TAB")
    form = pat.page.locator("#record-form")

    async def fill(name: str, value: str) -> None:
        await form.locator(f"[name='{name}'], [name^='{name}:']").first.fill(value)

    await fill("version", "7")
    await fill("changeControl", "CC-7")
    await fill("reasonForChange", "first version on paper no more")
    await fill("content.balanceLimitPercent", "three")
    for n, code in enumerate(("MIX", "PRESS")):
        await expect(form.get_by_role("group", name=code, exact=True)).to_be_visible()
        for name, value in (("equipmentClass", "mixer"), ("yieldLowPercent", "90"), ("yieldHighPercent", "101"),
                            ("instructions.0.text.en", "Look."), ("instructions.0.text.zh", "看。")):  # fmt: skip
            await fill(f"content.operations.{n}.{name}", value)
    await fill("content.materials.0.weighingTolerancePercent", "0.5")
    save = form.get_by_role("button", name="Save the draft")
    await save.click()
    await pat.shows("Something is not filled in as it should be")
    await expect(form.locator("[name='content.balanceLimitPercent:number']")).to_have_attribute("aria-invalid", "true")
    assert await form.locator("[name='content.operations.1.instructions.0.text.zh']").input_value() == "看。"
    await fill("content.balanceLimitPercent", "３。５")
    await save.click()
    await pat.said("Recorded: TAB / 7")
    address = pat.page.url.removeprefix(console.address)
    await give(pat, "Submit for review")
    await pat.said("Recorded: Submit for review")
    await pat.shows("In review", within="#standing")

    sam = await console.terminal("sam")
    await sam.open(address)
    await give(sam, "Sign and approve", **{"signature.password": "not the one"})
    await expect(sam.page.locator("#dialog")).to_contain_text("The password is wrong")
    await sam.sign(PASSWORD)
    await sam.said("Recorded")
    await sam.shows("Sam (sam), approved", within="#standing")
    await expect(sam.page.locator("#acts").get_by_text("Sign and approve")).to_have_count(0)
    quality = await console.terminal("max")
    await quality.open(address)
    await give(quality, "Sign and approve", **{"signature.password": PASSWORD})
    await quality.said("Recorded: Sign and approve")
    await give(quality, "Make effective")
    await quality.said("Recorded: Make effective")
    await quality.shows("Effective", within="#standing")

    await pat.open(address)
    await pat.shows("What was approved is never edited")
    await expect(pat.page.get_by_text("Edit the draft")).to_have_count(0)
    await pat.open(f"{address}/edit")
    await pat.shows("This version is no draft: write a new one")
    found = (await (await company.desk("pat")).get(f"{PATH}/{address.rpartition('/')[2]}")).json()
    assert (found["state"], found["content"]["balanceLimitPercent"]) == ("effective", "3.5")
    assert [own["by"] for own in found["approvals"]] == ["sam", "max"]


async def test_somebody_else_wrote_in_between_and_nothing_is_overwritten(console: Console, company: Company) -> None:
    record = ok(await draft(company, "two-hands"))
    pat = await console.terminal("pat")
    await pat.open(f"/ui/master/records/{record['id']}/edit")
    other = {"changeControl": "CC-other", "reasonForChange": "the other hand", "content": TAB,
             "basedOn": record["contentHash"]}  # fmt: skip
    ok(await (await company.desk("pat")).put(f"{PATH}/{record['id']}", other))
    field = pat.page.locator("[name='reasonForChange']")
    await field.fill("this hand was slower")
    await pat.press("Save the draft")
    await pat.said("What you were shown has changed")
    assert await field.input_value() == "this hand was slower"
    found = (await (await company.desk("pat")).get(f"{PATH}/{record['id']}")).json()
    assert found["reasonForChange"] == "the other hand"


async def test_two_versions_stand_side_by_side_and_policies_too(console: Console, company: Company) -> None:
    known = await versions(company)
    aud = await console.terminal("aud", "zh")
    await aud.open(f"/ui/master/records/{known['effective']}/compare/{known['draft']}")
    await aud.shows("工序 PRESS › 预期数值 weight › 目标值", within="#changes")
    await aud.shows("117.5", within="#changes")
    await expect(aud.page.get_by_text("提交审核")).to_have_count(0)
    await aud.open("/ui/master/materials/CART")
    await aud.shows("STEEL", within="#bom")
    await aud.open("/ui/master/materials/API")
    await aud.shows("TAB", within="#used")
