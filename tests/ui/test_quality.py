"""The screens of quality: a batch record reviewed by exception and released, a deviation led to its end."""

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company
from tests.api.words import do, receive, until
from tests.ui import quality_words as quality
from tests.ui.screen import PHONE, Console, Terminal

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None, engine: Engine) -> None:
    await receive(company, "API-QUALITY", "100000")
    await quality.with_policies(company, engine, 6000)
    await quality.with_jo(company)


async def state_of(company: Company, work_order: str) -> str:
    """The state of a batch record."""
    found = (await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}/batch-record/exceptions")).json()
    return str(found["state"])


async def explain(terminal: Terminal, why: str) -> None:
    """The first exception that is still open is accepted, with an explanation."""
    await terminal.press("Accept and explain")
    dialog = terminal.page.locator("#dialog")
    await dialog.locator("#f-reason").fill(why)
    await dialog.locator("button.primary").click()
    await terminal.shows(why)


async def test_exceptions_are_explained_and_each_step_is_signed_by_another_person(
    company: Company, console: Console
) -> None:
    order, work_order = await quality.made(company, corrected=True)
    sam = await console.terminal("sam")
    await sam.open("/ui/reviews")
    await sam.page.locator(f"a[href='/ui/reviews/{work_order}']").click()
    await sam.shows("2 of 2 exceptions still need a decision.")
    first = sam.page.locator(".exception").first
    await expect(first).to_contain_text("Corrected value")
    await expect(first.locator("del")).to_have_text("112")
    await expect(first).to_contain_text("misread the balance")
    await explain(sam, "print-out attached")
    await explain(sam, "polishing is usual")
    await sam.shows("All 2 exceptions are explained or decided.")

    await sam.press("Sign the review")
    await sam.sign("not my password")
    dialog = sam.page.locator("#dialog")
    await expect(dialog.locator("[role=alert]")).to_contain_text("The password is wrong")
    await expect(dialog.locator("#sign-password")).to_be_visible()
    assert await state_of(company, work_order) == "inReview", "a wrong password counts for nothing"
    await sam.sign()
    await sam.said("Recorded: Review the batch record.")
    assert await state_of(company, work_order) == "qaReview"
    await sam.shows("Waits for: Approve the batch record (QA reviewer)")

    rae = await console.terminal("rae")
    await rae.open(f"/ui/reviews/{work_order}")
    await rae.shows("1 of 3 exceptions still need a decision.")
    approve = rae.page.get_by_role("button", name="Sign and approve")
    await expect(approve).to_be_disabled()
    await expect(rae.page.locator("#not-yet")).to_contain_text("Signature refused: The password was wrong")
    await explain(rae, "sam mistyped it, seen by me")
    await expect(approve).to_be_enabled()
    await approve.click()
    await rae.sign()
    await rae.said("Recorded: Approve the batch record.")
    assert await state_of(company, work_order) == "approved"

    quinn = await console.terminal("quinn")
    await quinn.open(f"/ui/reviews/{work_order}")
    await expect(quinn.page.locator("#standing .no")).to_have_count(0)
    await quinn.press("Sign and certify")
    await quinn.sign()
    await quinn.said("Recorded: Certify the batch.")
    await sam.press("Release for sale")
    await dialog.locator("select[name=place]").select_option("FINISHED")
    await dialog.locator("button.primary").click()
    await expect(dialog.locator("#sign-password")).to_be_visible()
    await sam.sign()
    await until(company, order, lambda o: o["workOrders"][0]["batchRecord"]["state"] == "archived")
    await sam.shows("Archived")
    given = (await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}/batch-record")).json()["signatures"]
    assert [(one["signer"], one["meaning"]) for one in given] == [
        ("sam", "reviewed"), ("rae", "approved"), ("quinn", "certified"), ("sam", "released"),
    ]  # fmt: skip


async def test_who_made_the_batch_is_told_why_another_person_has_to_approve(company: Company, console: Console) -> None:
    _, work_order = await quality.made(company, corrected=False, worker="jo")
    path = f"/mes/work-orders/{work_order}/batch-record"
    await do(company, "sam", f"{path}/review", signed=PASSWORD)
    jo = await console.terminal("jo")
    await jo.open(f"/ui/reviews/{work_order}")
    await expect(jo.page.get_by_role("button", name="Sign and approve")).to_be_disabled()
    await expect(jo.page.locator("#not-yet")).to_contain_text(
        "Another person has to do this: jo has worked on MIX, PRESS"
    )
    answer = await (await company.desk("jo")).command(f"{path}/approve", signed=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (409, "SEPARATION_OF_DUTIES")
    await jo.shows("Same person on both sides")
    await jo.shows("Approve the batch record was refused: Another person has to do this")
    assert await state_of(company, work_order) == "qaReview"
    zh = await console.terminal("jo", "zh", PHONE)
    await zh.open(f"/ui/reviews/{work_order}")
    await zh.shows("须由另一人执行: jo 执行过 MIX, PRESS")
    rae = await console.terminal("rae")
    await rae.open(f"/ui/reviews/{work_order}")
    await explain(rae, "jo was told, nothing was signed")
    await expect(rae.page.get_by_role("button", name="Sign and approve")).to_be_enabled()


async def test_a_clean_batch_says_so_in_one_sentence_and_shows_everything_on_one_click(
    company: Company, console: Console
) -> None:
    _, work_order = await quality.made(company, corrected=False)
    sam = await console.terminal("sam", "zh")
    await sam.open(f"/ui/reviews/{work_order}")
    await expect(sam.page.locator("#summary")).to_contain_text("本批正常")
    await expect(sam.page.locator(".exception")).to_have_count(0)
    whole = sam.page.locator("#whole table").first
    await expect(whole).to_be_hidden()
    await sam.page.locator("#whole > summary").click()
    await expect(whole).to_contain_text("API-QUALITY")
    await expect(sam.page.locator("#whole")).to_contain_text("112")
    for language in ("en", "zh"):
        link = sam.page.locator(f"a[href='/ui/reviews/{work_order}/pdf?language={language}']")
        await expect(link).to_be_visible()
        answer = await sam.page.request.get(f"{console.address}/ui/reviews/{work_order}/pdf?language={language}")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
        assert (await answer.body()).startswith(b"%PDF")


async def test_a_record_goes_back_for_correction_and_returns(company: Company, console: Console) -> None:
    _, work_order = await quality.made(company, corrected=False)
    sam = await console.terminal("sam")
    await sam.open(f"/ui/reviews/{work_order}")
    await sam.press("Return for correction")
    dialog = sam.page.locator("#dialog")
    await dialog.locator("[name='fields:list']").fill("PRESS/V1, PRESS/yield")
    await dialog.locator("#f-reason").fill("weight is not plausible")
    await dialog.locator("button.primary").click()
    await sam.shows("Returned for correction", within="#returned")
    await sam.shows("PRESS/yield", within="#returned")
    assert await state_of(company, work_order) == "correction"
    await sam.press("Corrected: submit again")
    await sam.shows("Sign the review")
    assert await state_of(company, work_order) == "inReview"


async def test_a_deviation_goes_its_whole_way_on_the_screen(company: Company, console: Console) -> None:
    opened = await quality.deviation(company)
    number = opened["number"]
    rae = await console.terminal("rae")
    await rae.open("/ui/exceptions")
    await rae.page.locator(f"#case-{number}").click()
    await expect(rae.page.locator("h1")).to_contain_text(number)
    await rae.shows("Not classified")
    await rae.press("Classify", exact=True)
    dialog = rae.page.locator("#dialog")
    await dialog.locator("select[name=classification]").select_option("minor")
    await dialog.locator("[name=impact]").fill("no batch was on it")
    await dialog.locator("button.primary").click()
    await rae.shows("Classified as Minor: no batch was on it", within="#history")
    await rae.press("Assign", exact=True)
    await dialog.locator("select[name=owner]").select_option("mia")
    await dialog.locator("button.primary").click()
    await rae.shows("Assigned to Mia", within="#history")

    mia = await console.terminal("mia", "zh", PHONE)
    await mia.open("/ui/exceptions?show=mine")
    await mia.page.locator(f"#case-{number}").click()
    await expect(mia.page.locator("h1")).to_contain_text(number)
    await mia.press("提出结论")
    own = mia.page.locator("#dialog")
    await own.locator("[name=rootCause]").fill("a bearing")
    await own.locator("select[name=disposition]").select_option("accept")
    await own.locator("select[name='needsCapa:bool']").select_option("false")
    await own.locator("button.primary").click()
    await mia.shows("根本原因：a bearing", within="#history")
    await expect(mia.page.locator("#acts").get_by_role("link", name="批准结论")).to_have_count(0)

    await rae.press("Approve the conclusion")
    await dialog.locator("button.primary").click()
    await rae.sign()
    await rae.shows("Approved as Quality assurance", within="#history")
    await rae.press("Close the deviation")
    await dialog.locator("button.primary").click()
    await expect(rae.page.locator("h1")).to_contain_text("Closed")
    await rae.open("/ui/exceptions")
    await expect(rae.page.locator(f"#case-{number}")).to_have_count(0)
    await rae.open("/ui/exceptions?show=all")
    await expect(rae.page.locator(f"#case-{number}")).to_contain_text("Closed")


async def test_a_value_out_of_limits_is_found_by_its_order_and_decided_in_one_step(
    company: Company, console: Console
) -> None:
    order, work_order = await quality.held(company)
    number = (await (await company.desk("rae")).get(f"/mes/orders/{order}")).json()["number"]
    rae = await console.terminal("rae")
    await rae.open(f"/ui/exceptions?order={number}")
    await expect(rae.page.locator(".list .job")).to_have_count(1)
    await rae.page.locator(".list .job").click()
    await expect(rae.page.locator("h1")).to_contain_text(f"{number}-D1")
    await rae.shows("weight 119 mg, limits 108 – 118")
    await rae.press("Release the operation")
    await rae.page.locator("#dialog #f-reason").fill("press adjusted, tablets sorted")
    await rae.page.locator("#dialog button.primary").click()
    await rae.shows("press adjusted, tablets sorted")
    await expect(rae.page.locator("h1")).to_contain_text("Closed")
    await rae.open(f"/ui/reviews/{work_order}")
    await rae.shows("All 1 exceptions are explained or decided.")
