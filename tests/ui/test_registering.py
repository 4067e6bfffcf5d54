"""Endpoints, outside systems, devices, policies and exported records at people's terminals."""

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api.company import Company, policy
from tests.api.pictures import digest, drawn, shown
from tests.api.records import PATH, TAB, TEXTS, draft, ok, said
from tests.ui.screen import Console
from tests.ui.test_pictures import looked_at, stored

pytestmark = pytest.mark.usefixtures("working")


@pytest.mark.accepts("C6")
async def test_an_administrator_sets_an_endpoint_and_a_system(console: Console, company: Company) -> None:
    ada = await company.desk("ada")
    erp = {"id": "erp-2", "fullName": "ERP", "password": "not-used-by-machines-2", "roles": ["integration"],
           "reason": "sends schedules"}  # fmt: skip
    await ada.post("/users", erp)
    terminal = await console.terminal("ada", "zh", bypass_csp=True)
    await terminal.open("/ui/interfaces")
    await terminal.press("新建端点")
    page = terminal.page
    await page.fill("main [name=code]", "qms")
    await page.fill("main [name=name]", "质量系统")
    await page.fill("main [name=url]", "ftp://nowhere")
    await page.fill("main [name='topics:list']", "deviation.*，alarm.raised")
    await looked_at(terminal, "endpoint", "zh")
    await page.locator("#endpoint-form button.primary").click()
    await terminal.said("没有任何更改")
    await page.fill("main [name=url]", "https://qms.example/events")
    await page.locator("#endpoint-form button.primary").click()
    await terminal.shows("质量系统", within="#endpoints")
    await terminal.press("qms", within="#endpoints")
    await expect(page.locator("[name='topics:list']")).to_have_value("deviation.*, alarm.raised")
    await page.select_option("main [name='isActive:bool']", "false")
    await page.locator("#endpoint-form button.primary").click()
    await terminal.shows("停用", within="#endpoint-qms")
    (found,) = ok(await ada.get("/integration/endpoints"))["endpoints"]
    assert (found["url"], found["topics"], found["isActive"]) == (
        "https://qms.example/events", ["deviation.*", "alarm.raised"], False,
    )  # fmt: skip

    await terminal.open("/ui/interfaces/incoming")
    await terminal.press("登记系统")
    await page.select_option("main [name=account]", "erp-2")
    await page.fill("main [name=name]", "ERP")
    await page.locator("main input[value=operations-schedule]").check()
    await page.fill("main [name=policy]", "gmp")
    await looked_at(terminal, "system", "zh")
    await page.locator("#system-form button.primary").click()
    await terminal.shows("erp-2", within="#systems")
    sam = await console.terminal("sam")
    await sam.open("/ui/interfaces/endpoints/qms")
    await sam.shows("Your role does not allow this")


@pytest.mark.accepts("AC-10")
async def test_a_device_is_registered_for_a_workstation(console: Console, company: Company) -> None:
    pat = await console.terminal("pat", bypass_csp=True)
    await pat.open("/ui/devices")
    await pat.press("Register a device")
    await pat.page.fill("main [name=code]", "TABLET-7")
    await pat.page.fill("main [name=name]", "Tablet at the bench")
    await pat.page.fill("main [name='workCentres:list']", "NOWHERE")
    await pat.page.locator("#device-form button.primary").click()
    await pat.said("NOWHERE")
    await pat.page.fill("main [name='workCentres:list']", "BENCH")
    await pat.page.locator("#device-form button.primary").click()
    await pat.shows("BENCH", within="#device-TABLET-7")
    await looked_at(pat, "devices", "en")
    found = ok(await (await company.desk("pat")).get("/devices"))["devices"]
    assert [own["workCentres"] for own in found if own["code"] == "TABLET-7"] == [["BENCH"]]


@pytest.mark.accepts("B19", "MD-03")
async def test_every_rule_of_a_policy_has_a_field(console: Console, company: Company) -> None:
    rules = policy("whole", signatures={"approveOrder": "approved"}, secondFactor=["approved"])
    ok(await (await company.desk("pat")).post("/master-data/import", {"policies": [rules]}))
    pat = await console.terminal("pat", "zh", bypass_csp=True)
    await pat.open("/ui/master/policies/whole/change")
    page = pat.page
    named = set(await page.locator("main [name^='content.']").evaluate_all("all => all.map(one => one.name)"))
    shown_fields = {name.split(".")[1].partition(":")[0] for name in named}
    newest = ok(await (await company.desk("pat")).get("/master-data/policies/whole"))["versions"][-1]
    assert newest.keys() - {"code", "version"} == shown_fields
    await page.fill("main [name=changeControl]", "CC-W")
    await page.fill("main [name=reasonForChange]", "全部字段均须变更")
    await page.select_option("main [name='content.overReport']", "flag")
    await page.fill("main [name='content.overReportTolerancePercent:number']", "2.5")
    await page.fill("main [name='content.lateEntrySeconds:int']", "900")
    await page.locator("main #signed summary").click()
    await page.select_option("main [name='content.signatures.approveOrder']", "")
    for place in range(10):
        await page.locator(f"main [name='content.secondFactor.{place}']").uncheck()
    await looked_at(pat, "policy-change", "zh")
    await page.locator("main form button.primary.big").click()
    await pat.said("已申请变更")
    changes = ok(await (await company.desk("pat")).get("/configuration-changes"))["configurationChanges"]
    (change,) = [own for own in changes if own["subject"] == "whole"]
    asked = ok(await (await company.desk("pat")).get(f"/configuration-changes/{change['id']}"))["content"]
    assert (asked["overReport"], asked["overReportTolerancePercent"], asked["lateEntrySeconds"]) == ("flag", "2.5", 900)
    assert (asked["signatures"], asked["secondFactor"]) == ({}, [])
    assert asked["gmpRelevant"] == newest["gmpRelevant"]


@pytest.mark.accepts("MD-02")
async def test_an_exported_version_is_taken_with_its_pictures(
    console: Console, company: Company, tmp_path: Path
) -> None:
    content = drawn((12, 140, 90))
    await stored(company, content)
    told = [{"number": 10, "text": TEXTS, "pictures": [shown(content)]}]
    body = TAB | {"operations": [said("MIX", room="R-1", instructions=told), said("PRESS")]}
    record = ok(await draft(company, "carried", body))
    exported = ok(await (await company.desk("pat")).get(f"{PATH}/{record['id']}/export"))
    file = tmp_path / "record.json"
    file.write_text(json.dumps(exported))
    pat = await console.terminal("pat", "zh", bypass_csp=True)
    await pat.open("/ui/master/records")
    await pat.page.locator("#import summary").click()
    await looked_at(pat, "record-import", "zh")
    await pat.page.locator("#import-file").set_input_files(file)
    await pat.page.fill("#import [name=version]", "carried-2")
    await pat.page.locator("#import button.primary").click()
    await pat.said("TAB / carried-2")
    await expect(pat.page.locator(".pictures img")).to_have_attribute("alt", "天平")
    assert digest(content) in (await pat.page.locator(".pictures img").get_attribute("src") or "")
    async with pat.page.expect_download() as coming:
        await pat.page.get_by_role("link", name="BatchML").click()
    batchml = tmp_path / "record.xml"
    await (await coming.value).save_as(batchml)
    await pat.open("/ui/master/records")
    await pat.page.locator("#import summary").click()
    await pat.page.locator("#import-file").set_input_files(batchml)
    await pat.page.fill("#import [name=version]", "carried-3")
    await pat.page.locator("#import button.primary").click()
    await pat.said("TAB / carried-3")
    await expect(pat.page.locator(".pictures img")).to_have_attribute("alt", "天平")
    batchml.write_text(batchml.read_text().replace("<ID>MIX</ID>", "<ID> </ID>"))
    await pat.open("/ui/master/records")
    await pat.page.locator("#import summary").click()
    await pat.page.locator("#import-file").set_input_files(batchml)
    await pat.page.locator("#import button.primary").click()
    await pat.shows("RecipeElement[ ]/ID (line", within="body")
