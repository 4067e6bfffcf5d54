"""Holds, recalls and destruction are signed as orders are: shown, with meaning and hash, refused when changed."""

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.api.company import PASSWORD, Company, Desk, policy
from tests.api.holding import previewed, until_hold
from tests.api.recalling import opened, read, scoped
from tests.api.shipping import saleable, shipped
from tests.api.signing import audited, shown, states, tampered, verdict, with_second_factor
from tests.api.test_nonconforming import rejected
from tests.api.words import at_stage, do, receive
from tests.conftest import Database

pytestmark = pytest.mark.usefixtures("working")


def new_lot() -> str:
    return f"API-{uuid.uuid4().hex[:6].upper()}"


async def show(desk: Desk, command: str, number: str, reason: str | None = None, **content: Any) -> dict[str, Any]:
    """A ceremony of an act, begun."""
    return await shown(desk, command, number, reason=reason, content=content)


async def sign(
    desk: Desk, path: str, made: dict[str, Any], second: dict[str, Any] | None = None, **body: Any
) -> httpx.Response:
    """Send the act with what its ceremony has shown."""
    ceremony = {"requestId": made["id"], "contentHash": made["contentHash"], **body.pop("ceremony", {})}
    more = {} if second is None else {"second": {"requestId": made["id"], **second}}
    return await desk.command(
        path, signed=PASSWORD, ceremony=ceremony, commandId=made["commandId"], **more, **body
    )  # fmt: skip


def content_of(made: dict[str, Any]) -> dict[str, str]:
    return {line["field"]: line["value"] for line in made["content"]}


def reach_of(preview: dict[str, Any]) -> dict[str, Any]:
    return {
        "downstream": False, "lots": preview["lotCount"], "orders": preview["orderCount"],
        "shipped": preview["shipped"],
    }  # fmt: skip


@pytest.mark.accepts("ES-01", "ES-05", "D3")
async def test_a_hold_and_its_release_are_shown_before_they_are_signed(
    company: Company, engine: Engine, database: Database
) -> None:
    lot, rae = new_lot(), await company.desk("rae")
    await receive(company, lot, "20")
    order, _ = await at_stage(company, "dispatched", fixedLots={"API": [lot]})
    number = (await rae.get(f"/mes/orders/{order}")).json()["number"]
    said = {"reason": "glass was found", **reach_of(await previewed(company, lot))}
    made = await show(rae, "holdLot", lot, **said)
    seen = content_of(made)
    assert (made["entity"], made["meaning"], made["entityRevision"]) == (f"lot/{lot}", "approved", None)
    assert (seen["lotStatus"], seen["heldLots"], seen["runningOrders"]) == ("released", lot, number)
    assert seen["stock"].startswith("RAW 20 kg")
    assert "批准" in made["statement"]["zh"]
    other = await sign(rae, f"/quality/lots/{lot}/hold", made, **{**said, "reason": "something else"})
    assert other.json()["code"] == "CONTENT_CHANGED"
    made = await show(rae, "holdLot", lot, **said)
    answer = await sign(rae, f"/quality/lots/{lot}/hold", made, **said)
    assert answer.status_code == 200, answer.text
    again = await sign(rae, f"/quality/lots/{lot}/hold", made, **said)
    assert again.json()["hold"] == answer.json()["hold"]
    assert states(engine, made["id"]) == ["requested", "authenticated", "executed"]
    hold = await until_hold(company, answer.json()["hold"], "held")
    kept = (await rae.get("/signatures", entity=f"lot/{lot}")).json()["signatures"]
    assert [(own["contentHash"], own["meaning"], own["command"]) for own in kept] == [
        (made["contentHash"], "approved", "holdLot")
    ]

    release = {"reason": "it was not glass", "hold": hold["number"]}
    made = await show(rae, "releaseLotHold", lot, **release)
    seen = content_of(made)
    assert (seen["holdReason"], seen["heldOrders"], made["meaning"]) == ("glass was found", number, "released")
    answer = await sign(rae, f"/quality/lots/{lot}/release-hold", made, **release)
    assert answer.status_code == 200, answer.text
    done = await until_hold(company, hold["number"], "released")
    for identity in (done["signature"], done["releaseSignature"]):
        assert (await verdict(company, identity))["status"] == "valid"
    tampered(database.owner_url, f"UPDATE lot_hold SET reason = 'a feeling' WHERE number = '{hold['number']}'")
    (found,) = (await verdict(company, done["signature"]))["mismatches"]
    assert (found["record"], found["field"]) == (f"lot-hold/{hold['number']}", "reason")
    assert (found["signed"], found["found"]) == ("glass was found", "a feeling")


@pytest.mark.accepts("ES-05")
async def test_what_changed_since_it_was_shown_is_named_and_nothing_is_held(company: Company, engine: Engine) -> None:
    lot, rae = new_lot(), await company.desk("rae")
    await receive(company, lot, "20")
    said = {"reason": "glass was found", **reach_of(await previewed(company, lot))}
    made = await show(rae, "holdLot", lot, **said)
    await do(
        company, "wil", f"/quality/lots/{lot}/move", quantity="5", fromPlace="RAW", toPlace="FINISHED",
        reason="room is needed",
    )  # fmt: skip
    refused = await sign(rae, f"/quality/lots/{lot}/hold", made, **said)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONTENT_CHANGED")
    (blocker,) = refused.json()["blockers"]
    assert (blocker["entity"], blocker["id"]) == ("lot", lot)
    assert blocker["found"].startswith("stock: FINISHED 5 kg")
    assert blocker["found"].endswith("changed by wil")
    assert (await rae.get("/quality/holds", lot=lot)).json()["holds"] == []
    assert states(engine, made["id"]) == ["requested", "failed"]
    late = await sign(rae, f"/quality/lots/{lot}/hold", made, **said)
    assert late.json()["code"] == "SIGNATURE_REQUEST_ENDED"


@pytest.mark.accepts("ES-05")
async def test_a_ceremony_of_an_act_asks_for_its_role_and_its_subject(company: Company) -> None:
    rae, olu, lot = await company.desk("rae"), await company.desk("olu"), new_lot()
    said: dict[str, Any] = {"command": "holdLot", "commandId": "acts/none", "reason": "glass was found",
            "content": {"downstream": False, "lots": 1, "orders": 0, "shipped": "0"}}  # fmt: skip
    unknown = await rae.post("/signatures/requests", {**said, "entityId": lot})
    assert unknown.status_code == 404
    await receive(company, lot, "20")
    not_hers = await olu.post("/signatures/requests", {**said, "entityId": lot})
    assert (not_hers.status_code, not_hers.json()["code"]) == (403, "NOT_AUTHORISED")
    empty = await rae.post("/signatures/requests", {**said, "entityId": lot, "content": {}})
    assert empty.status_code == 422
    assert {field["field"] for field in empty.json()["fields"]} == {
        "content.lots", "content.orders", "content.shipped"
    }  # fmt: skip
    no_uuid = await rae.post("/signatures/requests", {**said, "command": "approveOrder", "entityId": lot})
    assert no_uuid.status_code == 422
    # Of another lot: what was shown of one is not signed for another.
    other = new_lot()
    await receive(company, other, "20")
    made = await shown(rae, "holdLot", lot, reason=said["reason"], content=said["content"])
    wrong = await sign(rae, f"/quality/lots/{other}/hold", made, reason=said["reason"], **said["content"])
    assert wrong.json()["code"] == "SIGNATURE_REQUEST_ENDED"


@pytest.mark.accepts("ES-05", "TR-03")
async def test_a_recall_is_approved_on_the_report_that_was_shown(company: Company, database: Database) -> None:
    lot, max_ = new_lot(), await company.desk("max")
    await receive(company, lot, "10")
    _, _, batch = await saleable(company, fixedLots={"API": [lot]})
    await shipped(company, batch, "300")
    path = await opened(company, lot=lot)
    number = path.rpartition("/")[2]
    report = await scoped(company, path)
    scope = {"scopeHash": (await read(company, path))["scopeHash"]}
    made = await show(max_, "approveRecall", number, **scope)
    seen = content_of(made)
    assert (seen["recallReason"], seen["isMock"], seen["scopeHash"]) == (
        "glass in the bottle", "no", scope["scopeHash"],
    )  # fmt: skip
    assert seen["affectedLots"].split(", ") == [own["lot"] for own in report["lots"]]
    assert (seen["command.shipped"], str(seen["command.lots"])) == ("300", str(len(report["lots"])))
    assert (await sign(max_, f"{path}/approve", made, **scope)).status_code == 200
    known = await read(company, path)
    assert (await verdict(company, known["signature"]))["status"] == "valid"
    tampered(database.owner_url, f"UPDATE recall SET scope = scope || '{{\"lots\": []}}' WHERE number = '{number}'")
    fields = {own["field"] for own in (await verdict(company, known["signature"]))["mismatches"]}
    assert fields == {"scope"}


@pytest.mark.accepts("ES-05", "ES-06", "QL-12")
async def test_a_destruction_is_shown_to_the_doer_and_signed_with_a_witness(
    company: Company, engine: Engine, database: Database
) -> None:
    lot, max_, wil = new_lot(), await company.desk("max"), await company.desk("wil")
    await rejected(company, lot)
    made = await show(max_, "decideDestruction", lot, reason="too much water")
    assert content_of(made)["lotStatus"] == "rejected"
    answer = await sign(max_, f"/quality/lots/{lot}/decide-destruction", made, reason="too much water")
    assert answer.status_code == 200, answer.text
    what = {"destruction": answer.json()["destruction"], "how": "burnt"}
    path = f"/quality/lots/{lot}/destroy"
    made = await show(wil, "destroyLot", lot, **what)
    seen = content_of(made)
    assert (made["meaning"], made["secondMeaning"]) == ("performed", "witnessed")
    assert (seen["decisionReason"], seen["decidedBy"]) == ("too much water", "max")
    assert "10 kg" in seen["stock"]
    alone = await sign(wil, path, made, **what)
    assert alone.json()["code"] == "SECOND_PERSON_REQUIRED"
    done = await sign(wil, path, made, {"userId": "wes", "password": PASSWORD}, **what)
    assert done.status_code == 200, done.text
    assert states(engine, made["id"]) == ["requested", "authenticated", "executed"]
    (record,) = (await wil.get(f"/quality/lots/{lot}/destructions")).json()["destructions"]
    assert (record["destroyedBy"], record["witnessedBy"]) == ("wil", "wes")
    for name in ("decisionSignature", "signature", "witness"):
        assert (await verdict(company, record[name]))["status"] == "valid"
    tampered(database.owner_url, f"UPDATE destruction SET how = 'sold' WHERE lot = '{lot}'")
    for name in ("signature", "witness"):
        (found,) = (await verdict(company, record[name]))["mismatches"]
        assert (found["field"], found["signed"], found["found"]) == ("how", "burnt", "sold")


@pytest.mark.accepts("ES-02", "ES-05", "ES-06")
async def test_a_policy_may_ask_for_more_at_the_signatures_of_acts(company: Company, engine: Engine) -> None:
    lot, rae = new_lot(), await company.desk("rae")
    await receive(company, lot, "20")
    said = {"reason": "glass was found", **reach_of(await previewed(company, lot))}
    path = f"/quality/lots/{lot}/hold"
    asking = policy("acts", signsOtherActs=True, signatureShowsContent=True, signatures={"holdLot": "reviewed"},
                    secondSignatures={"holdLot": "approved"}, secondFactor=["reviewed"])  # fmt: skip
    assert (await (await company.desk("pat")).post("/master-data/import", {"policies": [asking]})).status_code == 200
    try:
        telephone = await with_second_factor(rae)
        second = {"userId": "max", "password": PASSWORD}
        blind = await rae.command(path, signed=PASSWORD, second=second, **said)
        assert (blind.status_code, blind.json()["code"]) == (403, "CONTENT_NOT_SHOWN")
        made = await show(rae, "holdLot", lot, **said)
        assert (made["meaning"], made["secondMeaning"]) == ("reviewed", "approved")
        no_code = await sign(rae, path, made, second, **said)
        assert no_code.json()["code"] == "SECOND_FACTOR_REQUIRED"
        code = {"code": telephone.code()}
        operator = await sign(rae, path, made, {"userId": "olu", "password": PASSWORD}, ceremony=code, **said)
        assert operator.json()["code"] == "NOT_AUTHORISED"
        made, code = await show(rae, "holdLot", lot, **said), {"code": telephone.code()}
        done = await sign(rae, path, made, second, ceremony=code, **said)
        assert done.status_code == 200, done.text
        given = [own for own in audited(engine, "signature.given") if own.entity == f"lot/{lot}"]
        assert [(own.actor, own.new["meaning"], own.new["hasSecondFactor"]) for own in given] == [
            ("rae", "reviewed", True), ("max", "approved", False),
        ]  # fmt: skip
        await until_hold(company, done.json()["hold"], "held")
    finally:
        calm = policy("acts") | {"version": 2}
        answer = await (await company.desk("pat")).post("/master-data/import", {"policies": [calm]})
        assert answer.status_code == 200, answer.text
