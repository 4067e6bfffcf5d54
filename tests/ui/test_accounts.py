"""Accounts at the terminal: made and limited by an administrator; one's own password and second factor."""

import io
import uuid

import zxingcpp
from PIL import Image
from playwright.async_api import expect

from tests.api.company import PASSWORD, Company
from tests.api.signing import Authenticator
from tests.ui.screen import Console

OTHER = "another-Brass-Kettle-38"
FIRST = "first-Copper-Window-52"


async def test_an_account_is_made_limited_locked_out_and_let_in_again(console: Console, company: Company) -> None:
    name = f"new-{uuid.uuid4().hex[:6]}"
    ada = await console.terminal("ada")
    await ada.open("/ui/admin")
    await ada.press("New account")
    dialog = ada.page.locator("#dialog")
    await dialog.locator("[name='id']").fill(name)
    await dialog.locator("[name='fullName']").fill("Nora New")
    await dialog.locator("[name='password:secret']").fill("short")
    await dialog.get_by_label("Operator").check()
    await dialog.locator("[name='reason']").fill("joins shift B")
    await dialog.locator("button.primary").click()
    await expect(dialog).to_contain_text("The password is too short")
    await dialog.locator("[name='password:secret']").fill(FIRST)
    await dialog.locator("button.primary").click()
    await ada.said("Recorded: New account")

    await ada.open(f"/ui/admin/{name}")
    scope = ada.page.locator("#scope")
    await scope.locator("[name='lines:list']").fill("A, B")
    await scope.locator("[name='reason']").fill("only the press lines")
    await scope.locator("button").click()
    await ada.shows("A, B", within="#account")
    await ada.press("Change roles", within="#acts")
    await expect(dialog.get_by_label("Operator")).to_be_checked()
    await dialog.get_by_label("Administrator").check()
    await dialog.locator("[name='reason']").fill("wants to do everything")
    await dialog.locator("button.primary").click()
    await expect(dialog).to_contain_text("Another person has to do this")
    (found,) = [own for own in (await (await company.desk("ada")).get("/users")).json() if own["id"] == name]
    assert (found["roles"], found["lines"], found["plants"]) == (["operator"], ["A", "B"], None)

    for _ in range(5):
        await company.client.post("/api/v1/auth/login", json={"userId": name, "password": "wrong-wrong-wrong"})
    await ada.open("/ui/admin?show=locked")
    await ada.shows(name, within="#people")
    await ada.open(f"/ui/admin/{name}")
    await ada.press("Unlock", within="#acts")
    await dialog.locator("[name='reason']").fill("called and was known")
    await dialog.locator("button.primary").click()
    await ada.said("Recorded: Unlock")
    await ada.shows("Active", within="#account")


async def test_a_key_of_a_machine_is_shown_once_and_opens_what_it_is_for(console: Console, company: Company) -> None:
    ada = await console.terminal("ada", "zh")
    await ada.open("/ui/admin/erp")
    await ada.page.locator("#add-key summary").click()
    form = ada.page.locator("#add-key form")
    await form.locator("[name='name']").fill("夜间计划")
    await form.locator("[name='routes:list']").fill("GET /mes/plan-lines")
    await form.locator("[name='reason']").fill("计划每晚导入")
    await form.locator("button").click()
    key = await ada.page.locator("#the-key").inner_text()
    bearer = {"authorization": f"Bearer {key}"}
    assert (await company.client.get("/api/v1/mes/plan-lines", headers=bearer)).status_code == 200
    assert (await company.client.get("/api/v1/mes/orders", headers=bearer)).status_code == 403
    await ada.open("/ui/admin/erp")
    await ada.shows("夜间计划", within="#keys")
    assert key not in await ada.page.content()
    await ada.press("吊销", within="#keys")
    await ada.page.locator("#dialog [name='reason']").fill("换新系统了，停用")
    await ada.page.locator("#dialog button.primary").click()
    await ada.said("已记录：吊销")
    assert (await company.client.get("/api/v1/mes/plan-lines", headers=bearer)).status_code == 401


async def test_only_who_administers_changes_accounts(console: Console) -> None:
    aud = await console.terminal("aud")
    await aud.open("/ui/admin/olu")
    await aud.shows("Operator", within="#account")
    await expect(aud.page.locator("main button, #acts")).to_have_count(0)
    olu = await console.terminal("olu")
    await olu.open("/ui/admin")
    await olu.shows("Your role does not allow this")


async def test_a_second_factor_is_enrolled_by_the_picture(console: Console, company: Company) -> None:
    wes = await console.terminal("wes")
    await wes.open("/ui/account")
    await wes.page.fill("#factor-password", "not mine")
    await wes.press("Enrol a second factor")
    await wes.said("The password is wrong")
    await wes.page.fill("#factor-password", PASSWORD)
    await wes.press("Enrol a second factor")
    picture = Image.open(io.BytesIO(await wes.page.locator("svg.qr").screenshot()))
    (read,) = zxingcpp.read_barcodes(picture.convert("L"))
    secret = read.text.partition("secret=")[2].partition("&")[0]
    assert secret == (await wes.page.locator("#factor .secret").inner_text()).replace(" ", "")
    await wes.page.fill("#confirm-code", "000000")
    await wes.press("Confirm with the first code")
    await wes.said("The one-time code is wrong")
    await expect(wes.page.locator("svg.qr")).to_be_visible()
    await wes.page.fill("#confirm-code", Authenticator(read.text).code())
    await wes.press("Confirm with the first code")
    await wes.said("The second factor counts from now on")
    await wes.shows("Enrolled", within="#factor")


async def test_a_password_is_changed_and_the_old_one_opens_nothing(console: Console, company: Company) -> None:
    dan = await console.terminal("dan")
    await dan.open("/ui/account")
    for field, value in (("old-password", PASSWORD), ("new-password", OTHER), ("new-again", f"{OTHER}x")):
        await dan.page.fill(f"#{field}", value)
    await dan.press("Change the password")
    await dan.shows("The two new passwords are not the same")
    await dan.open("/ui/account")
    for field, value in (("old-password", PASSWORD), ("new-password", PASSWORD), ("new-again", PASSWORD)):
        await dan.page.fill(f"#{field}", value)
    await dan.press("Change the password")
    await dan.shows("This password was used before")
    await dan.open("/ui/account")
    for field, value in (("old-password", PASSWORD), ("new-password", OTHER), ("new-again", OTHER)):
        await dan.page.fill(f"#{field}", value)
    await dan.press("Change the password")
    await expect(dan.page.locator("#notices")).to_contain_text("The password was changed")
    await dan.log_in("dan", OTHER)
    refused = await company.client.post("/api/v1/auth/login", json={"userId": "dan", "password": PASSWORD})
    assert refused.status_code == 401
