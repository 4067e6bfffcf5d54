"""People at their terminals: log in, work, sign; and what happens when something goes wrong under their hands."""

import asyncio
import uuid

import pytest
from fastapi import FastAPI
from playwright.async_api import Route, expect
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.words import at_stage, create, do, receive
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def stock(company: Company, working: None) -> None:
    """Enough active ingredient for all orders of this module."""
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "900")


@pytest.fixture
async def running(company: Company, stock: None) -> tuple[str, str]:
    """An order whose first operation is done, so that pieces can be reported at PRESS: (order id, work order id)."""
    order, work_order = await at_stage(company, "running")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    return order, work_order


def reports(engine: Engine, work_order: str) -> list[str]:
    """The good pieces of each report."""
    statement = text(
        "SELECT r.good FROM production_report r JOIN work_order w ON w.number = r.work_order WHERE w.uuid = :id"
    )
    with engine.connect() as connection:
        return [str(good) for good in connection.execute(statement, {"id": work_order}).scalars()]


async def test_a_wrong_password_says_no_more_than_that_and_the_right_one_opens_the_page_that_was_asked_for(
    console: Console, company: Company
) -> None:
    terminal = await console.terminal(language="zh")
    await terminal.open("/ui/orders")
    await terminal.page.fill("#user", "pia")
    await terminal.page.fill("#password", "not this one")
    await terminal.page.click("form button.primary")
    await terminal.shows("用户名或密码错误")
    assert await terminal.page.input_value("#user") == "pia"
    await terminal.page.fill("#password", "canary-Ochre-Lantern-71")
    await terminal.page.click("form button.primary")
    await expect(terminal.page).to_have_url(f"{console.address}/ui/orders")


@pytest.mark.accepts("E6")
async def test_an_operation_is_started_reported_and_completed_with_one_two_and_one_taps(
    console: Console, company: Company, running: tuple[str, str], engine: Engine
) -> None:
    _, work_order = running
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    await terminal.press("Start")
    await terminal.said("Recorded: Start the operation")
    await terminal.press("rest")
    await terminal.press("Report", exact=True)
    await terminal.said("Recorded: Report production")
    assert reports(engine, work_order) == ["1000"]
    await terminal.page.locator("input[name='values.0.text:entry']").fill("１１３。５")
    await terminal.press("Save parameters")
    await terminal.said("Recorded: Record parameters")
    await terminal.shows("113.5")
    await terminal.press("Complete")
    await terminal.said("Recorded: Complete the operation")


async def test_a_value_outside_its_limits_is_red_with_a_word_before_it_is_sent(
    console: Console, company: Company, running: tuple[str, str]
) -> None:
    _, work_order = running
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/start")
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    field = terminal.page.locator("input[name='values.0.text:entry']")
    await field.press_sequentially("119")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(terminal.page.locator("#task").get_by_text("outside the limits")).to_be_visible()
    await field.fill("118")
    await expect(terminal.page.locator("#task").get_by_text("outside the limits")).to_be_hidden()


async def test_too_much_is_refused_with_the_rest_named_and_what_was_typed_stays(
    console: Console, company: Company, running: tuple[str, str], engine: Engine
) -> None:
    _, work_order = running
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/start")
    terminal = await console.terminal("olu", "zh")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    good = terminal.page.locator("input[name='good:number']")
    await good.fill("1001")
    await terminal.press("报工", exact=True)
    await terminal.said("没有任何更改")
    await terminal.said("本次 1001，此前 0")
    await terminal.said("订单 1000，最多再报 1000")
    assert await good.input_value() == "1001"
    assert reports(engine, work_order) == []


async def test_a_double_tap_counts_once(
    console: Console, company: Company, running: tuple[str, str], engine: Engine
) -> None:
    _, work_order = running
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/start")
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    await terminal.page.locator("input[name='good:number']").fill("40")
    await terminal.page.locator("form.report[data-outbox] button.go").dblclick()
    await terminal.said("Recorded")
    # Without scripts the browser itself sends twice, under the same id.
    form = terminal.page.locator("form.report[data-outbox]")
    body = await form.evaluate("form => new URLSearchParams(new FormData(form)).toString()")
    sent = body.replace("good%3Anumber=0", "good%3Anumber=7")
    for _ in range(2):
        answer = await terminal.page.request.post(
            f"{console.address}/ui/do/mes/production-reports/report", data=sent, max_redirects=0,
            headers={"content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert answer.status == 303
    assert sorted(reports(engine, work_order)) == ["40", "7"]


async def test_a_command_whose_answer_was_lost_counts_once(
    console: Console, company: Company, running: tuple[str, str], engine: Engine
) -> None:
    _, work_order = running
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/start")
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    lost = []

    async def lose(route: Route) -> None:
        """The command arrives, the answer does not."""
        lost.append(await route.fetch())
        await route.abort()

    await terminal.page.route("**/ui/do/**", lose)
    await terminal.page.locator("input[name='good:number']").fill("55")
    await terminal.press("Report", exact=True)
    await terminal.said("Kept here")
    await terminal.page.unroute("**/ui/do/**")
    await expect(terminal.page.locator("#outbox")).to_be_hidden(timeout=20000)
    assert lost
    assert reports(engine, work_order) == ["55"]


async def test_a_form_that_may_not_wait_stays_as_it_was_typed_and_counts_once_when_it_is_sent_again(
    console: Console, company: Company, stock: None, engine: Engine
) -> None:
    order, _ = await at_stage(company, "released")
    terminal = await console.terminal("sam")
    await terminal.open(f"/ui/orders/{order}")
    await terminal.press("Hold", within="#waits")
    dialog = terminal.page.locator("#dialog")
    await dialog.locator("textarea").fill("the press makes a noise")
    await terminal.page.context.set_offline(True)
    await dialog.locator("button.primary").click()
    await expect(terminal.page.locator("#notices")).to_contain_text("Not sent")
    assert await dialog.locator("textarea").input_value() == "the press makes a noise"
    await terminal.page.context.set_offline(False)
    await dialog.locator("button.primary").click()
    await terminal.said("Recorded: Hold the order")


async def test_a_page_that_changes_under_the_hands_keeps_the_focus_and_what_was_typed(
    console: Console, company: Company, running: tuple[str, str]
) -> None:
    _, work_order = running
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/start")
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    await expect(terminal.page.locator("#lamp")).to_contain_text("Live")
    field = terminal.page.locator("input[name='values.0.text:entry']")
    await field.press_sequentially("11")
    body = {"workOrderId": work_order, "operation": "PRESS", "good": "12"}
    await do(company, "olu", "/mes/production-reports/report", **body)
    await terminal.shows("12 / 1,000")
    await field.press_sequentially("3")
    assert await field.input_value() == "113"


async def test_a_session_that_ends_in_the_middle_of_a_form_costs_nothing(
    console: Console, company: Company, running: tuple[str, str], engine: Engine, served: tuple[FastAPI, str]
) -> None:
    _, work_order = running
    await do(company, "olu", f"/mes/work-orders/{work_order}/operations/PRESS/start")
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    await terminal.page.locator("input[name='good:number']").fill("21")
    with engine.begin() as connection:
        connection.execute(text("UPDATE user_session SET ended_at = now() WHERE user_id = 'olu'"))
    served[0].state.services.sessions.forget()
    company._desks.pop("olu")
    await terminal.press("Report", exact=True)
    lock = terminal.page.locator("#lock")
    await expect(lock).to_be_visible()
    await expect(terminal.page.locator("#main")).to_be_hidden()
    await lock.locator("#lock-password").fill("wrong one")
    await lock.locator("button.primary").click()
    await expect(lock).to_contain_text("User or password is wrong")
    await lock.locator("#lock-password").fill("canary-Ochre-Lantern-71")
    await lock.locator("button.primary").click()
    await terminal.said("Recorded: Report production")
    assert reports(engine, work_order) == ["21"]


async def test_two_people_at_one_order_and_the_second_is_told_what_has_happened(
    console: Console, company: Company, stock: None
) -> None:
    order, _ = await at_stage(company, "approved")
    first, second = await console.terminal("sam"), await console.terminal("sue")
    await first.open(f"/ui/orders/{order}")
    await second.open(f"/ui/orders/{order}")
    stale = await second.page.locator("form.one").first.evaluate(
        "form => new URLSearchParams(new FormData(form)).toString()"
    )
    await first.press("Release")
    await first.said("Recorded: Release the order")
    answer = await second.page.request.post(
        f"{console.address}/ui/do/mes/orders/{order}/release", data=stale,
        headers={"content-type": "application/x-www-form-urlencoded", "x-fragment": "1"},
    )  # fmt: skip
    assert answer.status == 409
    assert "Not possible in this state" in await answer.text()
    await second.shows("Released")


@pytest.mark.accepts("A21")
async def test_a_report_is_seen_on_an_open_board_without_a_reload_also_on_a_phone(
    console: Console, company: Company, running: tuple[str, str]
) -> None:
    order, _ = running
    wall, phone = await console.terminal("sam"), await console.terminal("sue", size=PHONE)
    for terminal in (wall, phone):
        await terminal.open("/ui/board")
        await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1")
    number = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["number"]
    await do(company, "sam", f"/mes/orders/{order}/hold", reason="a look at the press")
    for terminal in (wall, phone):
        await expect(terminal.page.locator(f"#card-{number}")).to_contain_text("On hold", timeout=2000)
        assert await terminal.has_no_sideways_scroll()


async def test_a_signature_shows_what_is_signed_and_a_wrong_password_costs_a_try_and_nothing_else(
    console: Console, company: Company, stock: None
) -> None:
    made = await create(company, policy="shown")
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    terminal = await console.terminal("sam")
    await terminal.open(f"/ui/orders/{made['id']}")
    await terminal.press("Approve", within="#waits")
    dialog = terminal.page.locator("#dialog")
    await expect(dialog).to_contain_text(f"say of production-order {made['number']}")
    await terminal.sign("not my password")
    await expect(dialog).to_contain_text("The password is wrong")
    await terminal.sign()
    await terminal.said("Recorded: Approve the order")
    await terminal.shows("Signatures")
    await expect(dialog).to_be_hidden()


@pytest.mark.accepts("E6")
async def test_my_work_is_what_the_processes_wait_for(console: Console, company: Company, stock: None) -> None:
    made = await create(company)
    terminal = await console.terminal("sam")
    await terminal.open("/ui/")
    await expect(terminal.page.locator("#main")).not_to_contain_text(made["number"])
    await do(company, "pia", f"/mes/orders/{made['id']}/submit")
    state = (await (await company.desk("sam")).get(f"/mes/orders/{made['id']}/state")).json()
    assert [wait["command"] for wait in state["waitsFor"]] == ["approveOrder"]
    row = terminal.page.locator(f"#task-approveOrder-{made['number']}")
    await expect(row).to_be_visible()
    await do(company, "sam", f"/mes/orders/{made['id']}/approve", signed="canary-Ochre-Lantern-71")
    await expect(row).to_be_hidden()
    await expect(terminal.page.locator(f"#task-releaseOrder-{made['number']}")).to_be_visible()


async def test_an_order_is_seen_as_it_was(console: Console, company: Company, stock: None) -> None:
    order, _ = await at_stage(company, "released")
    terminal = await console.terminal("sam")
    await terminal.open(f"/ui/orders/{order}?step=2")
    await terminal.shows("As it stood at")
    await terminal.shows("Submitted")
    await terminal.press("Back to now")
    await terminal.shows("Released")


async def test_a_hold_asks_for_its_reason_in_a_dialog_and_a_short_one_is_no_reason(
    console: Console, company: Company, stock: None
) -> None:
    order, _ = await at_stage(company, "released")
    terminal = await console.terminal("sam")
    await terminal.open(f"/ui/orders/{order}")
    await terminal.press("Hold", within="#waits")
    dialog = terminal.page.locator("#dialog")
    await dialog.locator("textarea").fill("no")
    await dialog.locator("button.primary").click()
    await expect(dialog).to_contain_text("Nothing was changed")
    await dialog.locator("textarea").fill("the press makes a noise")
    await dialog.locator("button.primary").click()
    await terminal.said("Recorded: Hold the order")
    await terminal.shows("On hold")


async def test_a_form_of_another_session_is_refused(console: Console, company: Company, stock: None) -> None:
    order, _ = await at_stage(company, "draft")
    terminal = await console.terminal("pia")
    answer = await terminal.page.request.post(
        f"{console.address}/ui/do/mes/orders/{order}/submit", form={"commandId": "x", "form_token": "0" * 32},
        headers={"x-fragment": "1"},
    )  # fmt: skip
    assert answer.status == 403
    assert (await (await company.desk("pia")).get(f"/mes/orders/{order}")).json()["state"] == "draft"


async def test_a_socket_of_another_site_or_without_a_session_is_closed(console: Console, company: Company) -> None:
    terminal = await console.terminal()
    await terminal.open("/ui/login")
    answer = await terminal.page.evaluate(
        "() => new Promise(done => { const s = new WebSocket(`ws://${location.host}/ui/live`); "
        "s.onclose = () => done('closed'); s.onmessage = () => done('told') })"
    )
    assert answer == "closed"
    assert all("403" in fault for fault in console.faults)
    console.faults.clear()


async def test_eight_open_tabs_all_hear(console: Console, company: Company, stock: None) -> None:
    order, _ = await at_stage(company, "released")
    first = await console.terminal("sam")
    await first.open(f"/ui/orders/{order}")
    tabs = [first.page] + [await first.page.context.new_page() for _ in range(7)]
    for tab in tabs[1:]:
        await tab.goto(f"{console.address}/ui/orders/{order}")
    for tab in tabs:
        await expect(tab.locator("#lamp")).to_have_attribute("data-on", "1")
    await do(company, "sam", f"/mes/orders/{order}/hold", reason="all shall see it")
    for tab in tabs:
        # A page in the background asks again when somebody looks at it.
        await tab.bring_to_front()
        await expect(tab.locator("h1")).to_contain_text("On hold", timeout=10000)
    await asyncio.sleep(0)


async def test_people_read_names_in_their_own_language_and_the_record_keeps_the_codes(
    console: Console, company: Company, running: tuple[str, str]
) -> None:
    names = [
        {"kind": "operation", "code": "PRESS", "english": "Pressing", "chinese": "压制"},
        {"kind": "material", "code": "TAB", "english": "Tablets of 250 mg", "chinese": "250 毫克片剂"},
    ]
    engineer = await company.desk("pat")
    answer = await engineer.post("/master-data/import", {"displayNames": names, "reason": "for the floor"})
    assert answer.json() == {"changed": {"display-name": 2}}
    assert (await engineer.post("/master-data/import", {"displayNames": names})).json() == {"changed": {}}
    twice = await engineer.post("/master-data/import", {"displayNames": [*names, names[0]]})
    assert [blocker["id"] for blocker in twice.json()["blockers"]] == ["operation/PRESS"]

    _, work_order = running
    terminal = await console.terminal("olu", "zh")
    await terminal.open(f"/ui/tasks/{work_order}/PRESS")
    await expect(terminal.page.get_by_role("heading", level=1)).to_contain_text("压制")
    await terminal.shows("250 毫克片剂")
    english = await console.terminal("olu", "en")
    await english.open(f"/ui/tasks/{work_order}/PRESS")
    await expect(english.page.get_by_role("heading", level=1)).to_contain_text("Pressing")
    document = (await engineer.get(f"/mes/work-orders/{work_order}")).json()
    assert "PRESS" in [own["code"] for own in document["operations"]]
