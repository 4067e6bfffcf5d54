"""Several people at one terminal: a badge is scanned, a PIN is typed, and the next one goes on."""

from playwright.async_api import expect
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company
from tests.api.test_accounts import hired
from tests.ui.floor import scan, word
from tests.ui.screen import PHONE, Console, Terminal

PIN = "483920"


async def choose_pin(terminal: Terminal, pin: str = PIN) -> None:
    """In "My account", by the password."""
    await terminal.open("/ui/account")
    for field, secret in (("#pin-password", PASSWORD), ("#pin-pin", pin), ("#pin-again", pin)):
        await terminal.page.fill(field, secret)
    await terminal.page.locator("#pin-card button.primary").click()


async def test_a_badge_that_is_scanned_anywhere_asks_for_the_pin_and_the_next_person_goes_on(
    console: Console, company: Company, engine: Engine
) -> None:
    await hired(company, "nina", "operator")
    own = await console.terminal("nina", "zh")
    await choose_pin(own, "1111")
    await own.said(word("code.PIN_TOO_SIMPLE", "zh"))
    await choose_pin(own)
    await own.said("PIN 已启用")
    shared = await console.terminal("olu")
    await shared.open("/ui/tasks")
    await scan(shared, "person/nina")
    badge, pin = shared.page.locator("#badge"), shared.page.locator("#pin")
    await expect(badge).to_have_value("nina")
    await expect(pin).to_be_focused()
    await pin.fill("9753")
    await shared.page.locator("#take-over button").click()
    await expect(shared.page.locator("#take-over")).to_contain_text(word("code.PIN_FAILED"))
    await expect(shared.page.locator("#badge")).to_have_value("nina")
    await shared.page.fill("#pin", PIN)
    await shared.page.locator("#take-over button").click()
    await expect(shared.page.locator(".who .name")).to_have_text("Nina")
    with engine.connect() as connection:
        row = connection.execute(text("SELECT actor, new FROM audit_row WHERE action = 'terminal.taken'")).one()
    assert (row.actor, row.new) == ("nina", {"terminalOf": "olu"})


async def test_a_locked_terminal_is_taken_over_by_badge_wherever_the_focus_is(
    console: Console, company: Company
) -> None:
    await hired(company, "noah", "operator")
    await choose_pin(await console.terminal("noah"))
    shared = await console.terminal("olu", "zh", PHONE, bypass_csp=True)
    await shared.open("/ui/orders")
    await shared.page.locator("details.menu summary").last.click()
    await shared.page.click("#lock-now")
    lock = shared.page.locator("#lock")
    await expect(lock.locator("#lock-password")).to_be_focused()
    await shared.breaks_no_rule()
    assert await shared.has_no_sideways_scroll()
    # the badge is read although the password is waited for, and none of it stays there
    await scan(shared, "person/noah")
    await expect(lock.locator("#lock-badge")).to_have_value("person/noah")
    await expect(lock.locator("#lock-password")).to_have_value("")
    await expect(lock.locator("#lock-pin")).to_be_focused()
    await lock.locator("#lock-pin").fill("9753")
    await shared.page.keyboard.press("Enter")
    await expect(lock).to_contain_text(word("code.PIN_FAILED", "zh"))
    await lock.locator("#lock-pin").fill(PIN)
    await shared.page.keyboard.press("Enter")
    await expect(shared.page).to_have_url(f"{console.address}/ui/")
    await expect(shared.page.locator("html")).to_have_attribute("data-user", "noah")
    # next time this terminal waits for a badge
    await shared.page.locator("details.menu summary").last.click()
    await shared.page.click("#lock-now")
    await expect(lock.locator("#lock-badge")).to_be_focused()


async def test_whoever_logs_out_leaves_nothing_to_take_over(console: Console, company: Company) -> None:
    terminal = await console.terminal()
    await terminal.log_in("olu")
    await terminal.page.locator("details.menu summary").last.click()
    await terminal.press("Log out", within="header")
    await expect(terminal.page.locator("#user")).to_be_visible()
    await expect(terminal.page.locator("#take-over")).to_have_count(0)


async def test_an_administrator_gives_a_badge_and_takes_a_locked_pin_away(console: Console, company: Company) -> None:
    await hired(company, "nils", "operator")
    await choose_pin(await console.terminal("nils"))
    ada = await console.terminal("ada")
    await ada.open("/ui/admin/nils")
    await ada.press("Give a badge")
    dialog = ada.page.locator("#dialog")
    await dialog.locator("[name=badge]").fill("card-0815")
    await dialog.locator("[name=reason]").fill("a new card")
    await dialog.locator("button.primary").click()
    await ada.shows("card-0815")
    await ada.press("Reset the PIN")
    await dialog.locator("[name=reason]").fill("forgot it")
    await dialog.locator("button.primary").click()
    await expect(ada.page.locator("#acts").get_by_text("Reset the PIN")).to_have_count(0)
