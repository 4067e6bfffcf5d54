"""A terminal without a network: what is confirmed waits, goes out in order, and what was refused is decided."""

import uuid

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.words import at_stage, do, receive
from tests.ui.screen import Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture
async def running(company: Company, working: None) -> str:
    """The id of a work order at whose PRESS pieces can be reported."""
    await receive(company, f"API-{uuid.uuid4().hex[:6]}", "5")
    _, work_order = await at_stage(company, "running")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return work_order


def reported(engine: Engine, work_order: str) -> list[str]:
    """The good pieces of each report, in the order in which they were accepted."""
    statement = text(
        "SELECT r.good FROM production_report r JOIN work_order w ON w.number = r.work_order WHERE w.uuid = :id"
        " ORDER BY r.reported_at, r.number"
    )
    with engine.connect() as connection:
        return [str(good) for good in connection.execute(statement, {"id": work_order}).scalars()]


@pytest.mark.accepts("E5")
async def test_ten_confirmations_without_a_network_nine_go_out_once_in_order_and_one_is_decided(
    console: Console, company: Company, running: str, engine: Engine
) -> None:
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{running}/PRESS")
    await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1")
    good = terminal.page.locator("input[name='good:number']")
    quantities = ["11", "12", "13", "14", "960", "15", "16", "17", "18", "19"]
    await terminal.page.context.set_offline(True)
    for count, quantity in enumerate(quantities, 1):
        await good.fill(quantity)
        await terminal.press("Report", exact=True)
        await expect(terminal.page.locator("#outbox .count")).to_have_text(str(count))
    await terminal.said("Kept here")
    assert reported(engine, running) == []
    # Meanwhile another hand has reported: so the fifth one passes the order's quantity.
    await do(company, "olu", "/mes/production-reports/report", workOrderId=running, operation="PRESS", good="1")
    await terminal.page.context.set_offline(False)
    conflict = terminal.page.locator("#outbox li.conflict")
    await expect(conflict).to_have_count(1, timeout=20000)
    await expect(terminal.page.locator("#outbox li")).to_have_count(1, timeout=20000)
    await expect(conflict).to_contain_text("960")
    await expect(conflict).to_contain_text("Nothing was changed")
    assert reported(engine, running) == ["1", *(one for one in quantities if one != "960")]
    await conflict.get_by_role("button", name="Discard").click()
    await expect(terminal.page.locator("#outbox")).to_be_hidden()


@pytest.mark.accepts("E5")
async def test_an_order_that_was_held_meanwhile_refuses_and_takes_it_after_the_hold(
    console: Console, company: Company, running: str, engine: Engine
) -> None:
    order = (await (await company.desk("sam")).get(f"/mes/work-orders/{running}")).json()["orderId"]
    terminal = await console.terminal("olu", "zh")
    await terminal.open(f"/ui/tasks/{running}/PRESS")
    await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1")
    await terminal.page.context.set_offline(True)
    await terminal.page.locator("input[name='good:number']").fill("25")
    await terminal.press("报工", exact=True)
    await do(company, "sam", f"/mes/orders/{order}/hold", reason="a look at the press")
    await terminal.page.context.set_offline(False)
    conflict = terminal.page.locator("#outbox li.conflict")
    await expect(conflict).to_contain_text("没有任何更改", timeout=20000)
    assert reported(engine, running) == []
    await do(company, "sam", f"/mes/orders/{order}/resume")
    await conflict.get_by_role("button", name="重新发送").click()
    await expect(terminal.page.locator("#outbox")).to_be_hidden(timeout=20000)
    assert reported(engine, running) == ["25"]


async def test_what_waits_survives_a_reload_and_is_sent_by_nobody_else(
    console: Console, company: Company, running: str, engine: Engine
) -> None:
    terminal = await console.terminal("olu")
    await terminal.open(f"/ui/tasks/{running}/PRESS")
    await expect(terminal.page.locator("#lamp")).to_have_attribute("data-on", "1")
    await terminal.page.context.set_offline(True)
    await terminal.page.locator("input[name='good:number']").fill("31")
    await terminal.press("Report", exact=True)
    await expect(terminal.page.locator("#outbox .count")).to_have_text("1")
    kept = await terminal.page.evaluate("localStorage.getItem('mes-outbox')")
    assert "form_token" not in kept
    await terminal.page.evaluate(
        "localStorage.setItem('mes-outbox', localStorage.getItem('mes-outbox').replace('\"olu\"', '\"sue\"'))"
    )
    await terminal.page.context.set_offline(False)
    await terminal.open(f"/ui/tasks/{running}/PRESS")
    await expect(terminal.page.locator("#outbox li")).to_contain_text("sue")
    await terminal.page.wait_for_timeout(1500)
    assert reported(engine, running) == []
    await terminal.page.evaluate(
        "localStorage.setItem('mes-outbox', localStorage.getItem('mes-outbox').replace('\"sue\"', '\"olu\"'))"
    )
    await terminal.open(f"/ui/tasks/{running}/PRESS")
    await expect(terminal.page.locator("#outbox")).to_be_hidden(timeout=20000)
    assert reported(engine, running) == ["31"]
