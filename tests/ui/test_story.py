"""A whole order played through in the browser, in English and in Chinese, each step by the person whose it is.

Nobody uses the API: a planner writes the line, and everybody else finds the next step on the own home page.
"""

import uuid

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine

from tests.api.company import Company
from tests.api.planning_words import own_numbers
from tests.api.words import receive, until
from tests.ui.screen import Console, Terminal
from wording.texts import Words

pytestmark = pytest.mark.usefixtures("working")


class Shift:
    """The people of one order, each at a terminal of their own, in one language."""

    def __init__(self, console: Console, language: str) -> None:
        self._console, self._language, self._desks = console, language, dict[str, Terminal]()
        self.t = Words(language)
        self.order = self.work_order = self.order_id = ""

    async def at(self, user: str) -> Terminal:
        """The terminal of somebody."""
        if user not in self._desks:
            self._desks[user] = await self._console.terminal(user, self._language)
        return self._desks[user]

    async def home(self, user: str, command: str, what: str = "") -> Terminal:
        """Somebody finds a step on the home page, and presses it there."""
        terminal = await self.at(user)
        await terminal.open("/ui/")
        row = terminal.page.locator(f"#task-{command}-{(what or self.work_order).replace('/', '-')}")
        await expect(row).to_be_visible(timeout=20000)
        button = row.locator(".button, button")
        leads_to = await button.get_attribute("href") if await button.get_attribute("data-swap") is not None else None
        await button.click()
        if leads_to is not None:
            await terminal.page.wait_for_url(f"**{leads_to}")
        return terminal

    async def done(self, terminal: Terminal, command: str) -> None:
        """The console has said that it is recorded."""
        await terminal.said(self.t("said.done", what=self.t.of("command", command)))

    async def press(self, terminal: Terminal, key: str) -> None:
        """Press what a key of the words names."""
        await terminal.press(self.t(key), exact=True)


async def plan(shift: Shift) -> None:
    """A line, its order, and that it is complete: the planner."""
    pia = await shift.at("pia")
    await pia.open("/ui/plan/new")
    reference = f"PL-{uuid.uuid4().hex[:8]}"
    await pia.page.fill("[name=reference]", reference)
    await pia.page.fill("[name=product]", "TAB")
    await pia.page.fill("[name='quantity:number']", "1000")
    await pia.page.select_option("[name=policy]", "gmp")
    await pia.page.fill("[name=plant]", "demo")
    await shift.press(pia, "plan.add")
    await pia.shows(reference)
    await pia.open(f"/ui/plan?find={reference}")
    await pia.page.locator("main").get_by_role("button", name=shift.t("plan.make")).first.click()
    await pia.page.wait_for_selector("#notices .notice.good")
    link = pia.page.locator("main a[href^='/ui/orders/']").first
    shift.order = (await link.inner_text()).strip()
    shift.order_id = (await link.get_attribute("href") or "").rpartition("/")[2]
    shift.work_order = f"{shift.order}-01"


async def execute(shift: Shift) -> None:
    """Both operations: started, reported, measured, completed."""
    olu = await shift.home("olu", "startWorkOrder")
    await shift.done(olu, "startWorkOrder")
    for code in ("MIX", "PRESS"):
        olu = await shift.home("olu", "startOperation", f"{shift.work_order}/{code}")
        await shift.press(olu, "verb.startOperation")
        await shift.done(olu, "startOperation")
        if code == "PRESS":
            await olu.page.locator("input[name='good:number']").fill("990")
            await olu.page.locator("input[name='scrap:number']").fill("10")
            await olu.page.locator("select[name=scrapReason]").select_option("handling")
            await shift.press(olu, "verb.reportProduction")
            await shift.done(olu, "reportProduction")
            await olu.page.locator("input[name='values.0.text:entry']").fill("113.0")
            await shift.press(olu, "tasks.save")
            await shift.done(olu, "recordParameters")
        await shift.press(olu, "verb.completeOperation")
        await shift.done(olu, "completeOperation")


async def decide(shift: Shift) -> None:
    """Results, the second person, the warehouse, the qualified person, production."""
    ana = await shift.home("ana", "enterInspectionResults")
    await ana.page.locator("input[name='values.0.text:entry']").fill("90.0")
    await shift.press(ana, "inspect.save")
    await shift.done(ana, "enterInspectionResults")
    ben = await shift.home("ben", "decideInspection")
    await shift.press(ben, "inspect.accept")
    await ben.page.wait_for_selector("#notices .notice.good")
    wil = await shift.home("wil", "putAway")
    await wil.page.locator("input[name=place][value=QUARANTINE]").check()
    await shift.press(wil, "verb.putAway")
    await wil.page.wait_for_selector("#notices .notice.good")
    quinn = await shift.home("quinn", "certifyBatch")
    await shift.press(quinn, "act.certifyBatch")
    await quinn.sign()
    await shift.done(quinn, "certifyBatch")
    sam = await shift.home("sam", "releaseBatch")
    await sam.press(shift.t("act.releaseBatch"))
    await sam.page.locator("#dialog select[name=place]").select_option("FINISHED")
    await sam.page.locator("#dialog button.primary").click()
    await shift.done(sam, "releaseBatch")


@pytest.mark.accepts("E7")
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_order_from_its_plan_line_to_its_close(
    language: str, console: Console, company: Company, working: None, engine: Engine
) -> None:
    own_numbers(engine, 500_000)
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    shift = Shift(console, language)
    await plan(shift)
    await shift.done(await shift.home("pia", "submitOrder", shift.order), "submitOrder")
    sam = await shift.home("sam", "approveOrder", shift.order)
    await sam.sign()
    await shift.done(sam, "approveOrder")
    await shift.done(await shift.home("sam", "releaseOrder", shift.order), "releaseOrder")
    await shift.done(await shift.home("sam", "dispatchWorkOrder"), "dispatchWorkOrder")
    wes = await shift.home("wes", "approvePickList")
    await shift.press(wes, "picks.approve")
    await shift.done(wes, "approvePickList")
    wil = await shift.home("wil", "issuePickList")
    await wil.page.locator(".picks input[type=checkbox]").check()
    await shift.press(wil, "picks.issue")
    await shift.done(wil, "issuePickList")
    await execute(shift)
    await decide(shift)
    await until(company, shift.order_id, lambda order: order["state"] == "completed")
    await shift.done(await shift.home("sam", "closeOrder", shift.order), "closeOrder")
    await sam.open(f"/ui/orders/{shift.order_id}")
    await sam.shows(shift.t("state.closed"))
    await sam.open("/ui/")
    await expect(sam.page.locator("main")).not_to_contain_text(shift.order)
