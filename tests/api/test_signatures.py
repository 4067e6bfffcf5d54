"""Electronic signatures: who, what, when, with which meaning; shown before, verified after."""

import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api import ceremonies
from domain.signing import Meaning
from tests.api.company import PASSWORD, Company, policy
from tests.api.signing import approve, audited, show, shown, states, submitted, verdict, with_second_factor
from tests.api.words import at_stage, do, receive

pytestmark = pytest.mark.usefixtures("working")


async def signatures_of(company: Company, entity: str) -> list[dict[str, Any]]:
    answer = await (await company.desk("aud")).get("/signatures", entity=entity)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["signatures"]
    return found


@pytest.mark.accepts("ES-01", "AC-04")
async def test_a_signature_says_who_when_where_and_what_it_means(company: Company) -> None:
    order = await submitted(company)
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
    detail = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()
    (signature,) = await signatures_of(company, f"production-order/{detail['number']}")
    assert detail["signatures"] == [signature]
    assert (signature["signer"], signature["fullName"], signature["meaning"]) == ("sam", "Sam", "approved")
    assert (signature["meaningZh"], signature["command"], signature["part"]) == ("批准", "approveOrder", "signer")
    utc, local = (datetime.fromisoformat(signature[name]) for name in ("signedAt", "localTime"))
    assert utc == local
    assert signature["localTime"].endswith("+08:00")
    assert (signature["timeZone"], signature["localOffset"]) == ("Asia/Shanghai", "+08:00")
    assert len(signature["signedAt"]) == len("2026-11-26T08:00:00.123Z")
    assert signature["manifestation"] == f"Sam (sam), approved, {signature['signedAt']} ({signature['localTime']})"
    await (await company.desk("ada")).post("/users/sue/disable", {"reason": "is on leave"})
    assert await signatures_of(company, f"production-order/{detail['number']}") == [signature]


@pytest.mark.accepts("ES-01")
async def test_every_meaning_can_be_signed_and_no_other_is_taken(company: Company) -> None:
    engineer = await company.desk("pat")
    free = await engineer.post("/master-data/import", {"policies": [policy("free", signatures={"holdOrder": "seen"})]})
    assert free.status_code == 422
    for meaning in Meaning:
        own = policy(f"means-{meaning}", signatures={"rejectOrder": meaning})
        assert (await engineer.post("/master-data/import", {"policies": [own]})).status_code == 200
        order = await submitted(company, f"means-{meaning}")
        await do(company, "sam", f"/mes/orders/{order}/reject", signed=PASSWORD, reason="once more, please")
        detail = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()
        assert [own["meaning"] for own in detail["signatures"]] == [meaning]


@pytest.mark.accepts("ES-02", "ES-06", "B9")
async def test_a_token_alone_signs_nothing_and_nobody_signs_for_another(company: Company, engine: Engine) -> None:
    order = await submitted(company)
    sam, path = await company.desk("sam"), f"/mes/orders/{order}/approve"
    assert (await sam.command(path)).json()["code"] == "REAUTH_REQUIRED"
    alone = await sam.command(path, signature={"password": PASSWORD})
    assert alone.json()["code"] == "REAUTH_REQUIRED"
    other = await sam.command(path, signature={"userId": "pia", "password": PASSWORD})
    assert other.json()["code"] == "SIGNER_NOT_SESSION_USER"
    wrong = await sam.command(path, signed="wrong-password-7")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "SIGNATURE_FAILED")
    detail = (await sam.get(f"/mes/orders/{order}")).json()
    failed = audited(engine, "signature.failed")[-1]
    assert (failed.actor, failed.entity) == ("sam", f"production-order/{detail['number']}")
    assert failed.new["why"] == "wrong password"
    assert detail["signatures"] == []
    await do(company, "sam", path, signed=PASSWORD)


@pytest.mark.accepts("ES-05")
async def test_the_signer_sees_what_is_signed_and_signs_that(company: Company, engine: Engine) -> None:
    order = await submitted(company, "shown")
    sam = await company.desk("sam")
    blind = await sam.command(f"/mes/orders/{order}/approve", signed=PASSWORD)
    assert (blind.status_code, blind.json()["code"]) == (403, "CONTENT_NOT_SHOWN")
    made = await shown(sam, "approveOrder", order, reason="as planned")
    content = {line["field"]: line["value"] for line in made["content"]}
    assert content["quantity"] == "1000 pcs"
    assert (content["orderState"], content["command.reason"]) == ("submitted", "as planned")
    assert (made["meaning"], made["state"], made["entityRevision"]) == ("approved", "requested", 2)
    assert "approved" in made["statement"]["en"]
    assert "批准" in made["statement"]["zh"]
    other = await approve(sam, order, made)
    assert other.json()["code"] == "CONTENT_CHANGED"
    assert "command.reason" in other.json()["blockers"][0]["found"]
    made = await shown(sam, "approveOrder", order)
    assert (await approve(sam, order, made)).status_code == 200
    assert states(engine, made["id"]) == ["requested", "authenticated", "executed"]
    for action in ("signature.requested", "signature.authenticated", "signature.given"):
        assert audited(engine, action)[-1].new["request"] == made["id"]
    (signature,) = (await sam.get(f"/mes/orders/{order}")).json()["signatures"]
    assert (signature["contentHash"], signature["entityRevision"]) == (made["contentHash"], 2)
    again = await approve(sam, order, made)
    assert (again.status_code, again.json()["accepted"]) == (200, True)


@pytest.mark.accepts("ES-05")
async def test_what_changed_between_showing_and_signing_is_named_with_who_did_it(company: Company) -> None:
    order = await submitted(company, "shown")
    sam = await company.desk("sam")
    made = await shown(sam, "approveOrder", order)
    other = await company.login("sam")
    await do(company, "pia", f"/mes/orders/{order}/cancel", reason="not needed any more")
    refused = await approve(other, order, made)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONTENT_CHANGED")
    (blocker,) = refused.json()["blockers"]
    assert blocker["found"].startswith("orderState: cancelled, changed by pia")
    assert blocker["required"].startswith("orderState: submitted")
    assert (await sam.get(f"/signatures/requests/{made['id']}")).json()["state"] == "failed"
    late = await approve(sam, order, made)
    assert late.json()["code"] in ("SIGNATURE_REQUEST_ENDED", "INVALID_TRANSITION")


@pytest.mark.accepts("ES-05")
async def test_a_change_that_the_signer_does_not_see_does_not_matter(company: Company) -> None:
    await receive(company, "API-SIGN-1", "100")
    order, work_order = await at_stage(company, "running")
    detail = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    path = f"/mes/work-orders/{work_order}/operations/MIX"
    await do(company, "olu", f"{path}/start")
    # Nobody asks for this signature; what a revision says is compared all the same, where one is asked for.
    assert detail["signatures"] == []
    order = await submitted(company)
    sam = await company.desk("sam")
    revision = (await sam.get(f"/mes/orders/{order}")).json()["revision"]
    refused = await sam.command(f"/mes/orders/{order}/release")
    assert refused.status_code == 409
    assert (await sam.get(f"/mes/orders/{order}")).json()["revision"] > revision
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD, ceremony={"revision": revision})
    (signature,) = (await sam.get(f"/mes/orders/{order}")).json()["signatures"]
    assert signature["entityRevision"] == revision


@pytest.mark.accepts("ES-05")
async def test_a_revision_that_was_seen_is_enough_to_notice_a_change(company: Company) -> None:
    order = await submitted(company)
    sam = await company.desk("sam")
    path, seen = f"/mes/orders/{order}/approve", {"revision": 1}
    refused = await sam.command(path, signed=PASSWORD, ceremony=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONTENT_CHANGED")
    assert "orderState: submitted, changed by pia" in refused.json()["blockers"][0]["found"]
    unknown = await sam.command(path, signed=PASSWORD, ceremony={"revision": 99})
    assert unknown.status_code == 422
    other = await sam.command(path, signed=PASSWORD, ceremony={"contentHash": "0" * 64})
    assert other.json()["code"] == "CONTENT_CHANGED"


@pytest.mark.accepts("AC-05", "ES-05")
async def test_three_failed_and_one_abandoned_ceremony_are_four_audit_rows(
    company: Company, engine: Engine, app: FastAPI
) -> None:
    order = await submitted(company)
    max_ = await company.desk("sam")
    before = {action: len(audited(engine, action)) for action in ("signature.failed", "signature.expired")}
    for _ in range(3):
        made = await shown(max_, "approveOrder", order)
        assert (await approve(max_, order, made, "wrong-password-8")).json()["code"] == "SIGNATURE_FAILED"
        assert states(engine, made["id"]) == ["requested", "failed"]
        again = await approve(max_, order, made)
        assert again.json()["code"] == "SIGNATURE_REQUEST_ENDED"
    left = await shown(max_, "approveOrder", order)
    with engine.begin() as connection:
        late = text("UPDATE signature_request SET expires_at = requested_at WHERE id = :id")
        connection.execute(late, {"id": left["id"]})
    assert ceremonies.expire(app.state.services.engine) == 1
    assert ceremonies.expire(app.state.services.engine) == 0
    assert states(engine, left["id"]) == ["requested", "expired"]
    assert (await approve(max_, order, left)).json()["code"] == "SIGNATURE_REQUEST_EXPIRED"
    failed, expired = audited(engine, "signature.failed"), audited(engine, "signature.expired")
    assert (len(failed) - before["signature.failed"], len(expired) - before["signature.expired"]) == (3, 1)
    number = (await max_.get(f"/mes/orders/{order}")).json()["number"]
    for row in (*failed[-3:], expired[-1]):
        assert row.entity == f"production-order/{number}"
        assert row.new["why"]
    turned = await shown(max_, "approveOrder", order)
    gone = await max_.post(f"/signatures/requests/{turned['id']}/abandon", {"reason": "called away"})
    assert (gone.json()["state"], gone.json()["failure"]) == ("expired", "called away")
    assert audited(engine, "signature.expired")[-1].actor == "sam"


@pytest.mark.accepts("ES-05")
async def test_a_ceremony_belongs_to_who_began_it_and_to_its_command(company: Company) -> None:
    order = await submitted(company, "shown")
    sam, pia = await company.desk("sam"), await company.desk("pia")
    assert (await show(pia, "approveOrder", order)).json()["code"] == "NOT_AUTHORISED"
    assert (await show(sam, "holdOrder", order)).json()["code"] == "NO_SIGNATURE_NEEDED"
    assert (await show(sam, "bribeOrder", order)).status_code == 422
    assert (await show(sam, "approveOrder", str(uuid.uuid4()))).status_code == 404
    made = await shown(sam, "approveOrder", order)
    assert (await pia.get(f"/signatures/requests/{made['id']}")).status_code == 404
    stolen = {"requestId": made["id"]}
    other = await sam.command(f"/mes/orders/{order}/approve", signed=PASSWORD, ceremony=stolen)
    assert (other.status_code, other.json()["code"]) == (404, "NOT_FOUND")
    second = await submitted(company, "shown")
    wrong = await sam.command(
        f"/mes/orders/{second}/approve", signed=PASSWORD, ceremony=stolen, commandId=made["commandId"]
    )
    assert wrong.json()["code"] == "SIGNATURE_REQUEST_ENDED"


@pytest.mark.accepts("ES-03", "AC-08")
async def test_in_one_session_the_password_is_enough_after_the_first_time_where_the_policy_says_so(
    company: Company,
) -> None:
    password_only = {"password": PASSWORD}
    desk = await company.login("sam")
    order = await submitted(company, "easy")
    first = await desk.command(f"/mes/orders/{order}/approve", signature=password_only)
    assert first.json()["code"] == "REAUTH_REQUIRED"
    assert (await desk.command(f"/mes/orders/{order}/approve", signed=PASSWORD)).status_code == 200
    assert (await desk.command(f"/mes/orders/{order}/release", signature=password_only)).status_code == 200
    strict = await submitted(company, "gmp")
    refused = await desk.command(f"/mes/orders/{strict}/approve", signature=password_only)
    assert refused.json()["code"] == "REAUTH_REQUIRED"
    order = await submitted(company, "easy")
    wrong = await desk.command(f"/mes/orders/{order}/approve", signature={"password": "wrong-password-9"})
    assert wrong.json()["code"] == "SIGNATURE_FAILED"
    await desk.post("/auth/logout")
    again = await company.login("sam")
    after = await again.command(f"/mes/orders/{order}/approve", signature=password_only)
    assert after.json()["code"] == "REAUTH_REQUIRED"


@pytest.mark.accepts("ES-06", "B9", "AC-03")
async def test_a_second_person_signs_at_the_same_terminal(company: Company, engine: Engine) -> None:
    await receive(company, "API-SIGN-2", "100")
    _, work_order = await at_stage(company, "inspecting", policy="pairs")
    path = f"/mes/work-orders/{work_order}/inspection"
    values = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"{path}/results", values=values)
    ben, own = await company.desk("ben"), {"userId": "ben", "password": PASSWORD}
    decide = f"{path}/decision"

    async def ask(second: Any, **more: Any) -> Any:
        return await ben.command(decide, accept=True, signature=own, second=second, **more)

    assert (await ask(None)).json()["code"] == "SECOND_PERSON_REQUIRED"
    assert (await ask(own)).json()["code"] == "SEPARATION_OF_DUTIES"
    assert (await ask({"password": PASSWORD})).json()["code"] == "REAUTH_REQUIRED"
    assert (await ask({"userId": "max", "password": "wrong-password-4"})).json()["code"] == "SIGNATURE_FAILED"
    assert (await ask({"userId": "olu", "password": PASSWORD})).json()["code"] == "NOT_AUTHORISED"
    assert (await ask({"userId": "erp", "password": PASSWORD})).json()["code"] == "SIGNER_NOT_A_PERSON"
    assert (await ask({"userId": "nobody", "password": PASSWORD})).json()["code"] == "SIGNATURE_FAILED"
    with engine.connect() as connection:
        failures = connection.execute(text("SELECT failed_attempts FROM user_account WHERE id = 'max'")).scalar_one()
        assert connection.execute(text("SELECT count(*) FROM signature WHERE command_id LIKE 't/pair%'")).scalar() == 0
    assert failures == 1
    answer = await ask({"userId": "max", "password": PASSWORD}, commandId="t/pair")
    assert answer.status_code == 200, answer.text
    detail = (await ben.get(f"/mes/work-orders/{work_order}")).json()
    assert [(own["signer"], own["part"], own["meaning"], own["terminalSessionUser"]) for own in detail["signatures"]] \
        == [("ben", "signer", "reviewed", "ben"), ("max", "second", "verified", "ben")]  # fmt: skip
    lot = (await ben.get(f"/wms/lots/{detail['outputLot']}")).json()
    assert lot["signatures"] == detail["signatures"]
    for own_signature in detail["signatures"]:
        assert (await verdict(company, own_signature["id"]))["status"] == "valid"
    given = [row for row in audited(engine, "signature.given") if row.command_id == "t/pair"]
    assert [(row.actor, row.new["terminalSessionUser"]) for row in given] == [("ben", "ben"), ("max", "ben")]


@pytest.mark.accepts("ES-02", "C8")
async def test_a_second_factor_where_the_policy_asks_for_one(company: Company, engine: Engine) -> None:
    sam = await company.login("sam")
    order = await submitted(company, "strong")
    path = f"/mes/orders/{order}/approve"
    without = await sam.command(path, signed=PASSWORD)
    assert (without.status_code, without.json()["code"]) == (403, "SECOND_FACTOR_REQUIRED")
    wrong = await sam.post("/auth/second-factor", {"password": "wrong-password-5"})
    assert wrong.json()["code"] == "SIGNATURE_FAILED"
    telephone = await with_second_factor(sam)
    assert (await sam.command(path, signed=PASSWORD)).json()["code"] == "SECOND_FACTOR_REQUIRED"
    bad = await sam.command(path, signed=PASSWORD, ceremony={"code": "000000"})
    assert bad.json()["code"] == "SECOND_FACTOR_FAILED"
    assert audited(engine, "signature.failed")[-1].new["why"] == "wrong or used one-time code"
    code = telephone.code()
    good = await sam.command(path, signed=PASSWORD, ceremony={"code": code}, commandId="t/strong")
    assert good.status_code == 200, good.text
    again = await sam.command(path, signed=PASSWORD, ceremony={"code": code}, commandId="t/strong")
    assert (again.status_code, again.text) == (200, good.text)
    second = await submitted(company, "strong")
    used = await sam.command(f"/mes/orders/{second}/approve", signed=PASSWORD, ceremony={"code": code})
    assert used.json()["code"] == "SECOND_FACTOR_FAILED"
    (signature,) = (await sam.get(f"/mes/orders/{order}")).json()["signatures"]
    assert signature["hasSecondFactor"] is True
    with engine.connect() as connection:
        sealed = connection.execute(text("SELECT totp_secret FROM user_account WHERE id = 'sam'")).scalar_one()
    assert telephone.secret.hex() not in json.dumps(sealed)
    replaced = await sam.post("/auth/second-factor", {"password": PASSWORD})
    assert replaced.json()["code"] == "SECOND_FACTOR_REQUIRED"
    assert (await (await company.desk("ada")).post("/users/sam/reset-second-factor", {"reason": "lost it"})).is_success
    assert (await sam.command(f"/mes/orders/{second}/approve", signed=PASSWORD)).json()["code"] == (
        "SECOND_FACTOR_REQUIRED"
    )


@pytest.mark.accepts("AC-05")
async def test_wrong_passwords_in_ceremonies_lock_the_account(company: Company, engine: Engine) -> None:
    new = {"id": "lou", "fullName": "Lou", "password": PASSWORD, "roles": ["supervisor"], "reason": "a new colleague"}
    assert (await (await company.desk("ada")).post("/users", new)).status_code == 201
    order = await submitted(company)
    lou = await company.login("lou")
    path = f"/mes/orders/{order}/approve"
    codes = [(await lou.command(path, signed="wrong-password-6")).json()["code"] for _ in range(6)]
    assert codes == ["SIGNATURE_FAILED"] * 5 + ["ACCOUNT_LOCKED"]
    assert (await lou.command(path, signed=PASSWORD)).json()["code"] == "ACCOUNT_LOCKED"
    with engine.connect() as connection:
        detail = connection.execute(text("SELECT detail FROM alarm WHERE detail LIKE 'lou:%'")).scalar_one()
    assert "5 failed attempts (signature)" in detail
