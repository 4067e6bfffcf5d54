"""Lots with their genealogy, the audit trail, the verification of signatures: what an auditor does at the screen."""

import asyncio
import csv
import io
import json

import pytest
from playwright.async_api import expect
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company
from tests.api.signing import submitted, tampered
from tests.api.words import do
from tests.conftest import Database
from tests.ui import quality_words as quality
from tests.ui.screen import PHONE, Console

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
async def lot(company: Company, engine: Engine) -> str:
    """A granulate with its family."""
    return await asyncio.to_thread(quality.family, engine, "FAM-")


async def test_a_lot_is_found_by_a_part_and_an_unknown_one_leads_to_the_nearest(console: Console, lot: str) -> None:
    rae = await console.terminal("rae")
    await rae.open("/ui/lots")
    await rae.page.fill("#find", "FAM-TAB")
    await rae.page.keyboard.press("Enter")
    await rae.shows("Lots that fit: 2")
    await rae.page.fill("#find", "FAM-GARN-1")
    await rae.press("Find")
    await rae.shows("There is no lot FAM-GARN-1")
    await expect(rae.page.locator(".list .job").first).to_contain_text("FAM-GRAN-1")
    await rae.page.locator(".list .job").first.click()
    await expect(rae.page.locator("#card h1")).to_have_text(lot)
    await rae.page.goto(f"{console.address}/ui/lots?find={lot}")
    await expect(rae.page.locator("#card h1")).to_have_text(lot)
    await expect(rae.page.locator("#stock")).to_contain_text("RAW")
    await rae.open("/ui/lots/FAM-GRAN-2")
    await rae.shows("There is no lot FAM-GRAN-2")


async def test_the_genealogy_is_walked_with_the_keyboard(console: Console, lot: str) -> None:
    rae = await console.terminal("rae")
    await rae.open(f"/ui/lots/{lot}")
    await rae.page.locator("#graph").focus()
    await rae.page.keyboard.press("ArrowRight")
    focused = rae.page.locator("#graph a:focus")
    await expect(focused).to_have_attribute("data-node", lot)
    await rae.page.keyboard.press("ArrowRight")
    await expect(focused).to_have_attribute("data-node", "FAM-TAB-1")
    await rae.page.keyboard.press("ArrowDown")
    await expect(focused).to_have_attribute("data-node", "FAM-TAB-2")
    await rae.page.keyboard.press("ArrowRight")
    await expect(focused).to_have_attribute("data-node", "FAM-PACK-1")
    await rae.page.keyboard.press("Enter")
    await expect(rae.page.locator("#card h1")).to_have_text("FAM-PACK-1")
    assert rae.page.url.endswith("/ui/lots/FAM-PACK-1")
    await rae.page.go_back()
    await expect(rae.page.locator("#card h1")).to_have_text(lot)


async def test_the_picture_is_moved_zoomed_and_fitted_again(console: Console, lot: str) -> None:
    rae = await console.terminal("rae")
    await rae.open(f"/ui/lots/{lot}")
    graph = rae.page.locator("#graph")
    whole = await graph.get_attribute("viewBox")
    assert whole is not None
    await rae.press("Nearer")
    near = await graph.get_attribute("viewBox")
    assert near is not None
    assert float(near.split()[2]) < float(whole.split()[2])
    await rae.press("Fit")
    await expect(graph).to_have_attribute("viewBox", whole)
    box = await graph.bounding_box()
    assert box is not None
    await rae.page.mouse.move(box["x"] + 20, box["y"] + 20)
    await rae.page.mouse.wheel(0, -200)
    await expect(graph).not_to_have_attribute("viewBox", whole)
    await rae.press("Fit")
    await rae.page.mouse.move(box["x"] + 20, box["y"] + 20)
    await rae.page.mouse.down()
    await rae.page.mouse.move(box["x"] + 80, box["y"] + 50, steps=4)
    await rae.page.mouse.up()
    moved = await graph.get_attribute("viewBox")
    assert moved is not None
    assert float(moved.split()[0]) < float(whole.split()[0])
    assert moved.split()[2:] == whole.split()[2:]


async def test_the_list_says_the_same_as_the_picture_and_goes_along_as_csv(console: Console, lot: str) -> None:
    rae = await console.terminal("rae", "zh", PHONE)
    for query, lots in (
        ("", {"API-1", "LAC-1", "SMCC-1", "GRAN-1", "TAB-1", "TAB-2", "PACK-1"}),
        ("?direction=forward", {"GRAN-1", "TAB-1", "TAB-2", "PACK-1"}),
        ("?direction=backward", {"API-1", "LAC-1", "SMCC-1", "GRAN-1"}),
        ("?depth=1", {"API-1", "LAC-1", "SMCC-1", "GRAN-1", "TAB-1", "TAB-2"}),
    ):
        await rae.open(f"/ui/lots/{lot}{query}")
        drawn = await rae.page.locator("#graph a").evaluate_all("own => own.map(a => a.dataset.node)")
        listed = await rae.page.locator("#list tbody td:first-child").all_inner_texts()
        assert {f"FAM-{name}" for name in lots} == set(drawn) == set(listed)
        link = await rae.page.locator("#list a.button").get_attribute("href")
        answer = await rae.page.request.get(f"{console.address}{link}")
        rows = list(csv.reader(io.StringIO((await answer.body()).decode("utf-8-sig"))))
        assert rows[0][0] == "批次"
        assert {row[0] for row in rows[1:]} == set(drawn)
        relations = {row[0]: row[5] for row in rows[1:]}
        assert relations[lot] == "本批"


async def test_too_many_lots_are_grouped_in_the_picture_and_all_in_the_list(
    console: Console, company: Company, engine: Engine
) -> None:
    crowded = await asyncio.to_thread(quality.family, engine, "CROWD-", 210)
    rae = await console.terminal("rae")
    await rae.open(f"/ui/lots/{crowded}")
    await rae.shows("217 lots are too many for one picture")
    await expect(rae.page.locator("#graph")).to_contain_text("212 lots")
    assert await rae.page.locator("#graph a").count() == 4
    await expect(rae.page.locator("#list tbody tr")).to_have_count(217)
    await expect(rae.page.locator("#list tbody tr").first).to_be_hidden()
    await rae.page.locator("#graph a", has_text="212 lots").click()
    await expect(rae.page.locator("#list tbody tr").first).to_be_visible()


async def test_the_label_of_a_lot_is_printed(console: Console, lot: str) -> None:
    wil = await console.terminal("wil")
    await wil.open(f"/ui/lots/{lot}")
    link = await wil.page.get_by_role("link", name="Print the label").get_attribute("href")
    answer = await wil.page.request.get(f"{console.address}{link}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")


async def test_an_auditor_finds_what_happened_to_an_order_in_words(company: Company, console: Console) -> None:
    order = await submitted(company)
    number = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()["number"]
    refused = await (await company.desk("pia")).command(f"/mes/orders/{order}/submit")
    assert refused.status_code == 409
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
    aud = await console.terminal("aud")
    await aud.open("/ui/audit")
    await aud.page.fill("#record", number)
    await aud.press("Find")
    rows = aud.page.locator("#trail li")
    await expect(rows.filter(has_not_text=number)).to_have_count(0)
    await expect(rows.filter(has_text="approved").filter(has_text="Sam")).not_to_have_count(0)
    await expect(rows.filter(has_text="Submitted").filter(has_text="Approved").locator("del")).to_have_text("Submitted")
    await expect(rows.filter(has_text="asked for what is not possible now")).to_have_class("refused")
    await expect(rows.filter(has_not_text=number)).to_have_count(0)
    await aud.page.select_option("#f-actor", "pia")
    await aud.press("Find")
    await expect(rows.filter(has_text="Sam")).to_have_count(0)
    await expect(rows.filter(has_text="Pia")).not_to_have_count(0)
    await aud.page.select_option("#f-act", "command.refused")
    await aud.press("Find")
    await expect(rows).to_have_count(1)
    await aud.page.fill("#since", "2100-01-01T00:00")
    await aud.press("Find")
    await aud.shows("No entry fits.")
    await aud.page.fill("#since", "2020-01-01T00:00")
    await aud.page.fill("#until", "2020-02-01T00:00")
    await aud.press("Find")
    await aud.shows("No entry fits.")
    await aud.page.fill("#until", "2100-01-01T00:00")
    await aud.press("Find")
    await expect(rows).to_have_count(1)
    looked = (await (await company.desk("aud")).get("/audit", action="audit.viewed")).json()["rows"]
    assert any(row["actor"] == "aud" and row["new"]["action"] == "command.refused" for row in looked)


@pytest.mark.accepts("AT-09")
async def test_an_auditor_takes_along_what_was_found(company: Company, console: Console) -> None:
    order = await submitted(company)
    number = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()["number"]
    aud = await console.terminal("aud", "zh")
    await aud.open(f"/ui/audit?record={number}&kind=production-order")
    links = aud.page.locator("#export a")
    files = {}
    for form, link in zip(("csv", "pdf", "json"), await links.all(), strict=True):
        async with aud.page.expect_download() as download:
            await link.click()
        taken = await download.value
        assert taken.suggested_filename.endswith(f".{form}")
        files[form] = await asyncio.to_thread((await taken.path()).read_bytes)
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert rows
    assert {row["entity"] for row in rows} == {f"production-order/{number}"}
    assert [row["seq"] for row in rows] == [str(row["seq"]) for row in json.loads(files["json"])["rows"]]
    assert any("一" <= char <= "鿿" for char in rows[0]["text"])
    assert files["pdf"].startswith(b"%PDF")
    taken_by = (await (await company.desk("aud")).get("/audit", action="audit.exported")).json()["rows"]
    assert {row["new"]["format"] for row in taken_by[:3]} == {"csv", "pdf", "json"}
    sam = await console.terminal("sam")
    await sam.open("/ui/audit/export?format=csv")
    await sam.shows("Your role does not allow this")


async def test_an_operator_is_told_that_the_audit_trail_is_not_for_him(console: Console) -> None:
    olu = await console.terminal("olu")
    await olu.open("/ui/audit")
    await olu.shows("Your role does not allow this")


async def test_a_signature_is_valid_until_somebody_changes_what_was_signed(
    company: Company, console: Console, database: Database
) -> None:
    order = await submitted(company)
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
    number = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()["number"]
    aud = await console.terminal("aud")
    await aud.open("/ui/signatures")
    await aud.page.fill("#record", number)
    await aud.press("Find")
    await aud.shows("Signatures: 1")
    await aud.press("Verify")
    await expect(aud.page.locator("#verdict .notice")).to_contain_text("Valid. The record is exactly what was signed.")
    tampered(database.owner_url, f"UPDATE production_order SET quantity = 9 WHERE number = '{number}'")
    await aud.page.reload()
    await expect(aud.page.locator("#verdict .notice")).to_contain_text("Invalid.")
    await expect(aud.page.locator("#verdict tbody tr").filter(has_text="Quantity")).to_contain_text("9")


async def test_the_chain_is_verified_and_the_first_changed_entry_named(
    company: Company, console: Console, database: Database
) -> None:
    aud = await console.terminal("aud")
    await aud.open("/ui/audit")
    await aud.press("Verify the chain")
    await expect(aud.page.locator("#verdict")).to_contain_text("entries stand as they were written")
    tampered(database.owner_url, "UPDATE audit_row SET actor = 'eve' WHERE seq = 7")
    zh = await console.terminal("aud", "zh")
    await zh.open("/ui/audit?verify=true")
    await expect(zh.page.locator("#verdict")).to_contain_text("第 7 条记录与写入时不一致")
