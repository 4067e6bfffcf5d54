"""Master batch records: written by one, signed by two others, effective on a day, compared, taken elsewhere."""

import asyncio
import copy
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company, material, operation
from tests.api.records import PATH, TAB, WEIGHT, approved, codes, draft, effective, move, ok, said, shown, signed
from tests.api.test_master_data import post

BROKEN = {
    **TAB,
    "balanceLimitPercent": None,
    "operations": [
        {**said("MIX"), "equipmentClass": "", "instructions": [{"number": 1, "text": {"en": "Mix."}}]},
        {**said("PRESS"), "yieldLowPercent": None, "expectedValues": [
            {"name": "force", "unit": "kN", "critical": True}, {**WEIGHT, "target": "117.5"}]},
        said("FLY"),
    ],
    "materials": [{"line": 1, "material": "LAC"}],
}  # fmt: skip


def rows(engine: Engine, query: str, **values: Any) -> list[Any]:
    """What the record says."""
    with engine.connect() as connection:
        return list(connection.execute(text(query), values))


def actions(engine: Engine, version: str) -> list[str]:
    """What the audit trail tells about a version of the tablet."""
    query = "SELECT action FROM audit_row WHERE entity = :entity ORDER BY seq"
    return [row.action for row in rows(engine, query, entity=f"master-batch-record/TAB/{version}")]


@pytest.mark.accepts("MD-02", "MD-04")
async def test_a_version_from_its_first_draft_to_the_day_it_counts(company: Company, engine: Engine) -> None:
    record = ok(await draft(company, "life", BROKEN))
    assert record["state"] == "draft"
    refused = await move(company, "pat", record, "submit")
    nodes = {(blocker["code"], blocker["id"]) for blocker in refused.json()["blockers"]}
    assert (refused.status_code, nodes) == (409, {
        ("EQUIPMENT_CLASS_MISSING", "TAB/life/MIX"), ("TEXT_MISSING", "TAB/life/MIX/1/zh"),
        ("YIELD_LIMITS_MISSING", "TAB/life/PRESS"), ("LIMITS_MISSING", "TAB/life/PRESS/force"),
        ("LIMITS_OUT_OF_ORDER", "TAB/life/PRESS/weight"), ("UNKNOWN_OPERATION", "TAB/life/FLY"),
        ("UNKNOWN_MATERIAL_LINE", "TAB/life/line/1"), ("BALANCE_LIMIT_MISSING", "TAB/life"),
    })  # fmt: skip
    listed = ok(await (await company.desk("olu")).get(f"{PATH}/{record['id']}/validation"))["faults"]
    assert listed == refused.json()["blockers"]
    assert (await shown(company, record))["state"] == "draft"
    body = {"changeControl": "CC-life", "reasonForChange": "holes are filled", "content": TAB,
            "basedOn": record["contentHash"]}  # fmt: skip
    pat = await company.desk("pat")
    record = ok(await pat.put(f"{PATH}/{record['id']}", body))
    assert ok(await move(company, "pat", record, "submit"))["stillNeeded"] == []
    assert (await shown(company, record))["stillNeeded"] == ["productionHead", "qualityHead"]
    assert ok(await signed(company, "sam", record))["stillNeeded"] == ["qualityHead"]
    assert (await shown(company, record))["state"] == "inReview"
    assert ok(await signed(company, "max", record))["state"] == "approved"
    counted = ok(await move(company, "max", record, "make-effective"))
    assert counted["state"] == "effective"
    found = await shown(company, record)
    assert (found["isInForce"], found["isIntact"], found["content"]["materials"][0]["line"]) == (True, True, 1)
    assert [(own["head"], own["by"], own["contentHash"]) for own in found["approvals"]] == [
        ("productionHead", "sam", record["contentHash"]), ("qualityHead", "max", record["contentHash"])]  # fmt: skip
    given = "SELECT signer, meaning, content -> 'command' ->> 'contentHash' FROM signature WHERE entity = :entity"
    signatures = rows(engine, f"{given} ORDER BY 1", entity="master-batch-record/TAB/life")
    assert [tuple(row) for row in signatures] == [(who, "approved", record["contentHash"]) for who in ("max", "sam")]
    assert actions(engine, "life") == [
        "master-batch-record.created", "command.refused", "master-batch-record.changed", "master-batch-record.submit",
        "signature.given", "master-batch-record.approve", "signature.given", "master-batch-record.approve",
        "master-batch-record.makeEffective",
    ]  # fmt: skip
    moves = rows(engine, "SELECT event, to_state FROM state_transition WHERE entity_id = 'TAB/life' ORDER BY id")
    assert [row.to_state for row in moves] == ["inReview", "approved", "effective"]


@pytest.mark.accepts("MD-02", "AC-03")
async def test_two_heads_sign_and_neither_wrote_it(company: Company, engine: Engine) -> None:
    new = {"id": "both", "fullName": "Both", "password": PASSWORD, "roles": ["processEngineer", "supervisor"],
           "reason": "stands in"}  # fmt: skip
    await (await company.desk("ada")).post("/users", new)
    record = ok(await draft(company, "two"))
    content = TAB | {"operations": [said("MIX", room="R-2"), said("PRESS", expectedValues=[WEIGHT])]}
    body = {"changeControl": "CC-two", "reasonForChange": "another room", "basedOn": record["contentHash"]}
    body |= {"content": content}
    record = ok(await (await company.desk("both")).put(f"{PATH}/{record['id']}", body))
    early = await signed(company, "sam", record)
    assert codes(early) == ["INVALID_TRANSITION"]
    assert early.json()["possible"] == ["submit", "withdraw"]
    ok(await move(company, "pat", record, "submit"))
    assert codes(await signed(company, "both", record)) == ["SEPARATION_OF_DUTIES"]
    ok(await signed(company, "sam", record))
    assert codes(await signed(company, "sam", record)) == ["SEPARATION_OF_DUTIES"]
    assert codes(await signed(company, "sue", record)) == ["ALREADY_SIGNED"]
    assert (await shown(company, record))["stillNeeded"] == ["qualityHead"]
    assert codes(await move(company, "max", record, "make-effective")) == ["INVALID_TRANSITION"]
    ok(await signed(company, "max", record))
    assert rows(engine, "SELECT count(*) FROM signature WHERE entity = 'master-batch-record/TAB/two'")[0][0] == 2


@pytest.mark.accepts("ES-02", "ES-05", "ES-06")
async def test_a_version_is_signed_with_user_and_password_and_as_it_was_read(company: Company, engine: Engine) -> None:
    record = ok(await draft(company, "sign"))
    ok(await move(company, "pat", record, "submit"))
    without = await move(company, "sam", record, "approve", contentHash=record["contentHash"])
    assert (without.status_code, without.json()["code"]) == (403, "REAUTH_REQUIRED")
    assert without.json()["meaning"] == "approved"
    wrong = await signed(company, "sam", record, signed="not-the-password")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "SIGNATURE_FAILED")
    other = await move(company, "sam", record, "approve", contentHash=record["contentHash"],
                       signature={"userId": "max", "password": PASSWORD})  # fmt: skip
    assert other.json()["code"] == "SIGNER_NOT_SESSION_USER"
    assert codes(await signed(company, "sam", record, contentHash="0" * 64)) == ["CONTENT_CHANGED"]
    assert rows(engine, "SELECT count(*) FROM signature WHERE entity = 'master-batch-record/TAB/sign'")[0][0] == 0
    assert (await shown(company, record))["approvals"] == []


@pytest.mark.accepts("MD-02")
async def test_a_command_has_one_effect_and_its_answer_is_of_nobody_else(company: Company, engine: Engine) -> None:
    first = ok(await draft(company, "once", commandId="once/1"))
    assert ok(await draft(company, "once", commandId="once/1")) == first
    again = await draft(company, "once", TAB | {"balanceLimitPercent": "4"}, commandId="once/1")
    assert (again.status_code, again.json()["code"]) == (409, "COMMAND_ID_REUSED")
    ok(await move(company, "pat", first, "submit"))
    given = ok(await signed(company, "sam", first, commandId="once/2"))
    assert ok(await signed(company, "sam", first, commandId="once/2")) == given
    stolen = await signed(company, "max", first, commandId="once/2")
    assert (stolen.status_code, stolen.json()["code"]) == (409, "COMMAND_ID_REUSED")
    assert len((await shown(company, first))["approvals"]) == 1
    assert actions(engine, "once").count("master-batch-record.approve") == 1


@pytest.mark.accepts("MD-03")
async def test_what_was_submitted_is_not_edited_until_it_is_rejected(company: Company, engine: Engine) -> None:
    record = ok(await draft(company, "locked"))
    changed = TAB | {"balanceLimitPercent": "5"}
    body = {"changeControl": "CC-2", "reasonForChange": "wider balance", "content": changed,
            "basedOn": record["contentHash"]}  # fmt: skip
    pat = await company.desk("pat")

    async def put() -> Any:
        return await pat.put(f"{PATH}/{record['id']}", body)

    ok(await move(company, "pat", record, "submit"))
    assert codes(await put()) == ["VERSION_LOCKED"]
    ok(await signed(company, "sam", record))
    assert (await move(company, "sam", record, "reject")).status_code == 422
    assert ok(await move(company, "max", record, "reject", reason="balance too tight"))["state"] == "draft"
    assert (await shown(company, record))["approvals"] == []
    written = ok(await put())
    assert codes(await put()) == ["CONTENT_CHANGED"]  # what this was based on is not there any more
    (row,) = rows(engine, "SELECT old, new, reason FROM audit_row WHERE entity = 'master-batch-record/TAB/locked' "
                          "AND action = 'master-batch-record.changed'")  # fmt: skip
    assert (row.old["body.balanceLimitPercent"], row.new["body.balanceLimitPercent"]) == ("3", "5")
    assert (row.new["change_control"], row.reason) == ("CC-2", "wider balance")
    ok(await move(company, "pat", record, "submit"))
    ok(await signed(company, "sam", written))
    ok(await signed(company, "max", written))
    body["basedOn"] = written["contentHash"]
    for step in ("make-effective", "withdraw"):
        assert codes(await put()) == ["VERSION_LOCKED"]
        ok(await move(company, "max", record, step, reason="tried and left"))
    assert codes(await put()) == ["VERSION_LOCKED"]


@pytest.mark.accepts("MD-05")
async def test_of_many_who_want_one_version_one_gets_it(company: Company, engine: Engine) -> None:
    contents = [TAB | {"balanceLimitPercent": str(number)} for number in range(1, 7)]
    answers = await asyncio.gather(*(draft(company, "race", content) for content in contents))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    for answer in answers:
        if answer.status_code == 409:
            (blocker,) = answer.json()["blockers"]
            assert (blocker["code"], blocker["id"]) == ("VERSION_EXISTS", "TAB/race")
            assert "pat" in blocker["found"]
            assert "CC-race" in blocker["found"]
    assert actions(engine, "race").count("master-batch-record.created") == 1


@pytest.mark.accepts("MD-05")
async def test_of_two_that_become_effective_at_once_one_is_superseded(company: Company, engine: Engine) -> None:
    several = [await approved(company, f"pair-{number}") for number in range(4)]
    for answer in await asyncio.gather(*(move(company, "max", record, "make-effective") for record in several)):
        ok(answer)
    query = (
        "SELECT state, effective_from, effective_until FROM master_batch_record WHERE version LIKE 'pair-%' ORDER BY 2"
    )
    found = rows(engine, query)
    assert [row.state for row in found] == [*["superseded"] * 3, "effective"]
    assert [row.effective_until for row in found] == [*(row.effective_from for row in found[1:]), None]


@pytest.mark.accepts("MD-01")
async def test_a_version_counts_from_its_day_on_and_the_one_before_until_then(company: Company) -> None:
    now = await effective(company, "day-1")
    later, third = await approved(company, "day-2"), await approved(company, "day-3")
    day = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    past = await move(company, "max", later, "make-effective", effectiveFrom="2020-01-01T00:00:00Z")
    assert set(codes(past)) == {"EFFECTIVE_DATE_PAST", "RECIPE_NOT_EFFECTIVE"}  # the route did not count then
    ok(await move(company, "max", later, "make-effective", effectiveFrom=day))
    before, after = await shown(company, now), await shown(company, later)
    assert (before["state"], before["isInForce"], before["effectiveUntil"]) == ("superseded", True, day)
    assert (after["state"], after["isInForce"], after["effectiveFrom"]) == ("effective", False, day)
    assert codes(await move(company, "max", third, "make-effective")) == ["VERSION_WAITS"]
    assert (await shown(company, now))["effectiveUntil"] == day
    ok(await move(company, "max", later, "withdraw", reason="not needed after all"))
    again = await shown(company, now)
    assert (again["state"], again["isInForce"], again["effectiveUntil"]) == ("effective", True, None)
    ok(await move(company, "max", third, "make-effective"))
    over = await shown(company, now)
    assert (over["state"], over["isInForce"]) == ("superseded", False)
    assert codes(await move(company, "max", now, "withdraw", reason="it is over")) == ["VERSION_OVER"]


async def test_what_counts_is_withdrawn_at_once_though_its_successor_waits(company: Company) -> None:
    bad, good = await effective(company, "bad"), await approved(company, "good")
    day = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    ok(await move(company, "max", good, "make-effective", effectiveFrom=day))
    ok(await move(company, "max", bad, "withdraw", reason="wrong strength"))
    gone, waiting = await shown(company, bad), await shown(company, good)
    assert (gone["state"], gone["isInForce"]) == ("withdrawn", False)
    assert (waiting["state"], waiting["effectiveFrom"]) == ("effective", day)
    ok(await move(company, "max", good, "withdraw", reason="wrong as well"))
    assert (await shown(company, bad))["state"] == "withdrawn"


@pytest.mark.accepts("MD-04")
async def test_a_record_stands_on_a_route_that_counts(company: Company) -> None:
    route = {"operations": [operation("MIX", 10, "MIX", [], isOutput=True)]}
    await post(
        company,
        {
            "materials": [material("SLOW", "finished", "pcs")],
            "routes": [
                {"product": "SLOW", "version": "1", **route, "effectiveFrom": "2190-01-01T00:00:00Z"},
                {"product": "SLOW", "version": "2", **route, "state": "draft"},
            ],
        },
    )
    content = {"routeVersion": "1", "operations": [said("MIX")]}
    record = await approved(company, "1", content, "SLOW")
    assert codes(await move(company, "max", record, "make-effective")) == ["RECIPE_NOT_EFFECTIVE"]
    ok(await move(company, "max", record, "make-effective", effectiveFrom="2191-01-01T00:00:00Z"))
    for version, code in (("2", "RECIPE_NOT_EFFECTIVE"), ("9", "UNKNOWN_VERSION")):
        made = ok(await draft(company, version, content | {"routeVersion": version}, "SLOW"))
        assert codes(await move(company, "pat", made, "submit")) == [code]
    assert codes(await draft(company, "1", content, "GHOST")) == ["UNKNOWN_PRODUCT"]


@pytest.mark.accepts("MD-03")
async def test_what_changes_between_two_versions_is_shown(company: Company) -> None:
    changed = copy.deepcopy(TAB)
    changed["operations"][1]["expectedValues"][0]["warningHigh"] = "115"
    changed["operations"][0]["instructions"].insert(0, {"number": 5, "text": {"en": "Wash.", "zh": "清洗。"}})
    one, two = ok(await draft(company, "diff-1")), ok(await draft(company, "diff-2", changed))
    desk = await company.desk("aud")
    found = ok(await desk.get(f"{PATH}/{one['id']}/differences/{two['id']}"))
    assert (found["before"]["version"], found["after"]["version"]) == ("diff-1", "diff-2")
    by_path = {own.pop("path"): own for own in found["differences"]}
    assert by_path.keys() == {
        "changeControl", "content.operations[MIX].instructions[5]",
        "content.operations[PRESS].expectedValues[weight].warningHigh",
    }  # fmt: skip
    assert by_path["content.operations[PRESS].expectedValues[weight].warningHigh"] == {
        "change": "changed", "before": "116", "after": "115",
    }  # fmt: skip
    assert by_path["content.operations[MIX].instructions[5]"]["after"]["text"]["zh"] == "清洗。"
    assert ok(await desk.get(f"{PATH}/{one['id']}/differences/{one['id']}"))["differences"] == []


async def test_a_version_is_taken_elsewhere_as_a_document(company: Company, engine: Engine) -> None:
    one = ok(await draft(company, "export"))
    document = ok(await (await company.desk("aud")).get(f"{PATH}/{one['id']}/export"))
    pat = await company.desk("pat")
    copied = ok(await pat.command(f"{PATH}/import", document=document, version="imported"))
    assert (copied["state"], copied["version"]) == ("draft", "imported")
    assert (await shown(company, copied))["content"] == (await shown(company, one))["content"]
    document["content"]["balanceLimitPercent"] = "30"
    assert codes(await pat.command(f"{PATH}/import", document=document, version="forged")) == ["CONTENT_CHANGED"]
    assert actions(engine, "forged") == ["command.refused"]
    document["content"]["balanceLimitPercent"] = "3"
    assert codes(await pat.command(f"{PATH}/import", document=document)) == ["VERSION_EXISTS"]


async def test_a_long_record_is_taken_and_lists_have_pages(company: Company) -> None:
    steps = [{"number": number, "text": {"en": "x" * 500, "zh": "字" * 300}} for number in range(1, 101)]
    content = TAB | {"operations": [said("MIX", instructions=steps), said("PRESS")]}
    long = ok(await draft(company, "long", content))
    assert len((await shown(company, long))["content"]["operations"][0]["instructions"]) == 100
    desk = await company.desk("dan")
    everything = ok(await desk.get(PATH))["masterBatchRecords"]
    paged: list[Any] = []
    after: str | None = None
    while True:
        page = ok(await desk.get(PATH, limit=2, **({"after": after} if after else {})))
        paged += page["masterBatchRecords"]
        if (after := page["next"]) is None:
            break
    assert paged == everything
    assert "content" not in everything[0]
    drafts = ok(await desk.get(PATH, product="TAB", state="draft"))["masterBatchRecords"]
    assert {own["state"] for own in drafts} == {"draft"}
    assert (await desk.get(f"{PATH}/{uuid.uuid4()}")).status_code == 404
    assert (await move(company, "pat", {"id": str(uuid.uuid4())}, "submit")).status_code == 404


@pytest.mark.accepts("MD-03")
async def test_the_versions_of_a_policy_are_compared(company: Company) -> None:
    one = {"code": "strict", "version": 1, "approvals": 1}
    await post(company, {"policies": [one]})
    await post(company, {"policies": [one | {"version": 2, "approvals": 2, "signatures": {"closeOrder": "approved"}}]})
    desk = await company.desk("aud")
    found = ok(await desk.get("/master-data/policies/strict/differences", before=1, after=2))
    assert found["differences"] == [
        {"path": "version", "change": "changed", "before": 1, "after": 2},
        {"path": "approvals", "change": "changed", "before": 1, "after": 2},
        {"path": "signatures.closeOrder", "change": "added", "before": None, "after": "approved"},
    ]
    assert [own["version"] for own in ok(await desk.get("/master-data/policies/strict"))["versions"]] == [1, 2]
    assert (await desk.get("/master-data/policies/strict/differences", before=1, after=3)).status_code == 404
    assert (await desk.get("/master-data/policies/none")).status_code == 404


async def test_a_policy_that_was_written_before_a_rule_was_thought_of_is_the_same_one(
    company: Company, engine: Engine
) -> None:
    old = {"code": "ancient", "version": 1, "approvals": 2}
    await post(company, {"policies": [old]})
    with engine.begin() as connection:
        connection.execute(text("UPDATE plant_policy SET body = body - 'masterBatchRecord' WHERE code = 'ancient'"))
    assert (await post(company, {"policies": [old]}))["changed"] == {}
    assert (await post(company, {"policies": [old | {"masterBatchRecord": True}]}, 409))["code"] == "VERSION_LOCKED"
