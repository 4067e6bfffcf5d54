"""Configuration under change control: request, analysis, approval, test, publication (B19, MD-03)."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company, policy
from tests.api.planning_words import audited, order_of
from tests.api.words import create

pytestmark = pytest.mark.usefixtures("working")
PATH = "/configuration-changes"
PLAIN: dict[str, Any] = {"certification": False, "productionRelease": False, "signatures": {}}


@pytest.fixture(scope="module", autouse=True)
async def _controlled(company: Company, working: None) -> None:
    """A policy whose versions and whose plant's inspection plans are changed by configuration changes alone."""
    rules = policy("controlled", controlledChanges=True, **PLAIN)
    imported = await (await company.desk("pat")).post("/master-data/import", {"policies": [rules]})
    assert imported.status_code == 200, imported.text


async def asked(company: Company, content: dict[str, Any], subject: str = "controlled", **more: Any) -> dict[str, Any]:
    """A change that Pat asks for."""
    body = {"kind": "policy", "changeControl": "CC-7", "reasonForChange": "two heads approve", **more}
    answer = await (await company.desk("pat")).command(PATH, subject=subject, content=content, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def step(company: Company, who: str, change: dict[str, Any], act: str, **body: Any) -> httpx.Response:
    """One step of a change; an approval is signed by who has read it."""
    if act == "approve":
        body = {"signed": PASSWORD, "contentHash": change["contentHash"], **body}
    return await (await company.desk(who)).command(f"{PATH}/{change['id']}/{act}", **body)


async def done(company: Company, who: str, change: dict[str, Any], act: str, **body: Any) -> dict[str, Any]:
    """A step that was taken."""
    answer = await step(company, who, change, act, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def newest(company: Company, code: str = "controlled") -> dict[str, Any]:
    """The version of a policy that counts."""
    answer = await (await company.desk("pat")).get(f"/master-data/policies/{code}")
    found: dict[str, Any] = answer.json()["versions"][-1]
    return found


def codes(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 409, answer.text
    return {own["code"] for own in answer.json()["blockers"]}


@pytest.mark.accepts("B19", "MD-03")
async def test_the_active_version_switches_only_at_the_publication(company: Company, engine: Engine) -> None:
    change = await asked(company, {"approvals": 2})
    assert (change["state"], change["number"]) == ("requested", "policy-controlled-K1")
    before = await create(company, policy="controlled")
    unclear = await step(company, "rae", change, "analyse")
    assert codes(unclear) == {"REASON_REQUIRED"}
    early = await step(company, "max", change, "approve")
    assert codes(early) == {"INVALID_TRANSITION"}
    await done(company, "rae", change, "analyse", reason="orders from now on need a second head")
    edit = {"changeControl": "CC-7", "reasonForChange": "three heads approve", "content": {"approvals": 3}}
    locked = await (await company.desk("pat")).put(f"{PATH}/{change['id']}", edit)
    assert codes(locked) == {"VERSION_LOCKED"}
    unread = await step(company, "max", change, "approve", contentHash="0" * 64)
    assert codes(unread) == {"CONTENT_CHANGED"}
    unsigned = await (await company.desk("max")).command(
        f"{PATH}/{change['id']}/approve", contentHash=change["contentHash"]
    )
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    nobody = await step(company, "pat", change, "approve")
    assert (nobody.status_code, nobody.json()["code"]) == (403, "NOT_AUTHORISED")
    await done(company, "max", change, "approve")
    assert codes(await step(company, "max", change, "publish")) == {"INVALID_TRANSITION"}
    await done(company, "rae", change, "test", passed=True, reason="tried with a dummy order")
    assert (await newest(company))["version"] == 1

    path = f"{PATH}/{change['id']}/publish"
    body = {"commandId": "publish-1"}
    max_ = await company.desk("max")
    answers = await asyncio.gather(*(max_.post(path, body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert {answer.json()["publishedVersion"] for answer in answers} == {2}
    now = await newest(company)
    assert (now["version"], now["approvals"], now["controlledChanges"]) == (2, 2, True)
    assert (await order_of(company, before["id"]))["approvalsNeeded"] == 1
    assert (await order_of(company, (await create(company, policy="controlled"))["id"]))["approvalsNeeded"] == 2

    found = (await (await company.desk("aud")).get(f"{PATH}/{change['id']}")).json()
    places = {own["path"]: (own["before"], own["after"]) for own in found["differences"]}
    assert places == {"approvals": (1, 2), "version": (1, 2)}
    assert [(own["event"], own["by"]) for own in found["steps"]] == [
        ("analyse", "rae"), ("approve", "max"), ("passTest", "rae"), ("publish", "max"),
    ]  # fmt: skip
    entity = f"configuration-change/{change['number']}"
    acts = [f"configuration-change.{act}" for act in ("created", "analyse", "approve", "passTest", "publish")]
    assert [len(audited(engine, act, entity)) for act in acts] == [1] * 5
    assert len(audited(engine, "policy.created", "policy/controlled/2")) == 1
    assert found["steps"][1]["signatureId"]


@pytest.mark.accepts("MD-03")
async def test_nothing_under_change_control_is_imported_directly(company: Company) -> None:
    pat = await company.desk("pat")
    rules = policy("controlled", approvals=0, **PLAIN) | {"version": 9}
    answer = await pat.post("/master-data/import", {"policies": [rules]})
    assert codes(answer) == {"VERSION_LOCKED"}
    assert "configuration change" in answer.json()["blockers"][0]["required"]
    wider = [{"name": "water", "unit": "%", "low": "0", "high": "2", "required": True}]
    plan = {"inspectionPlans": [{"material": "API", "characteristics": wider}]}
    assert codes(await pat.post("/master-data/import", plan)) == {"VERSION_LOCKED"}
    free = await pat.post("/master-data/import", {"policies": [policy("plain", approvals=1, **PLAIN) | {"version": 2}]})
    assert free.status_code == 200, free.text

    change = await asked(company, {"characteristics": wider}, "API", kind="inspectionPlan")
    await done(company, "rae", change, "analyse", reason="lots with up to 2 % pass")
    await done(company, "max", change, "approve")
    await done(company, "rae", change, "test", passed=False, reason="the press stops at 1.5 %")
    narrower = [{**wider[0], "high": "1.5"}]
    edit = {"changeControl": "CC-8", "reasonForChange": "up to 1.5 %", "content": {"characteristics": narrower}}
    written = await pat.put(f"{PATH}/{change['id']}", edit)
    assert (written.status_code, written.json()["state"]) == (200, "requested"), written.text
    change = written.json()
    await done(company, "rae", change, "analyse", reason="lots with up to 1.5 % pass")
    await done(company, "max", change, "approve")
    await done(company, "rae", change, "test", passed=True, reason="the press runs at 1.5 %")
    assert (await done(company, "max", change, "publish"))["publishedVersion"] == 2
    found = (await pat.get(f"{PATH}/{change['id']}")).json()
    assert ("characteristics[water].high", "1", "1.5") in [
        (own["path"], own["before"], own["after"]) for own in found["differences"]
    ]


@pytest.mark.accepts("MD-03", "AC-03")
async def test_who_wrote_it_does_not_approve_it_and_of_two_changes_of_one_version_one_counts(company: Company) -> None:
    both = {"id": "moe", "fullName": "Moe", "password": PASSWORD, "roles": ["processEngineer", "qualityManager"],
            "reason": "of both trades"}  # fmt: skip
    assert (await (await company.desk("ada")).post("/users", both)).status_code == 201
    version = (await newest(company))["version"]
    first = await asked(company, {"approvals": 3})
    second = await asked(company, {"approvals": 1})
    edit = {"changeControl": "CC-9", "reasonForChange": "four heads approve", "content": {"approvals": 4}}
    moe = await company.desk("moe")
    first = (await moe.put(f"{PATH}/{first['id']}", edit)).json()
    for change in (first, second):
        await done(company, "rae", change, "analyse", reason="orders from now on")
    own = await step(company, "moe", first, "approve")
    assert codes(own) == {"SEPARATION_OF_DUTIES"}
    for change in (first, second):
        await done(company, "max", change, "approve")
        await done(company, "rae", change, "test", passed=True, reason="tried with a dummy order")
    assert codes(await step(company, "moe", first, "publish")) == {"SEPARATION_OF_DUTIES"}
    await done(company, "max", first, "publish")
    assert codes(await step(company, "max", second, "publish")) == {"CHANGE_STALE"}
    await done(company, "max", second, "reject", reason="overtaken by the other one")
    assert ((await newest(company))["version"], (await newest(company))["approvals"]) == (version + 1, 4)
    listed = (await moe.get(PATH, subject="controlled", state="rejected")).json()["configurationChanges"]
    assert [row["number"] for row in listed] == [second["number"]]
    wrong = await (await company.desk("pat")).command(
        PATH, kind="policy", subject="controlled", changeControl="C", reasonForChange="a typing error",
        content={"aprovals": 1},
    )  # fmt: skip
    assert (wrong.status_code, wrong.json()["code"]) == (422, "INVALID_REQUEST")
