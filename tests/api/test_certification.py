"""Only a person who is appointed as qualified person certifies, and is named wherever the batch is shown (QL-09)."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import PEOPLE, Company, policy
from tests.api.test_master_data import post
from tests.api.words import at_stage, do, receive, until

POLICY = "certified"


@pytest.mark.accepts("QL-09")
@pytest.mark.usefixtures("working")
async def test_nobody_certifies_but_the_qualified_person_and_the_batch_says_who_did(
    company: Company, engine: Engine
) -> None:
    await post(company, {"policies": [policy(POLICY, signatures={}, completeToSubmit=True)]})
    await receive(company, "API-QP", "50")
    order, work_order = await at_stage(company, "puttingAway", policy=POLICY)
    path = f"/mes/work-orders/{work_order}"
    await do(company, "wil", f"{path}/put-away", place="QUARANTINE")
    found = await until(company, order, lambda o: o["workOrders"][0]["state"] == "completed")
    lot = found["workOrders"][0]["outputLot"]
    assert "受权人 QP" not in await label(company, lot)

    refused: set[str] = set()
    for user in PEOPLE.keys() - {"quinn"}:
        answer = await (await company.desk(user)).command(f"{path}/certify")
        assert (answer.status_code, answer.json()["code"]) == (403, "QP_REQUIRED"), (user, answer.text)
        (blocker,) = answer.json()["blockers"]
        assert (blocker["code"], blocker["whoCanFix"]) == ("QP_REQUIRED", "qualifiedPerson")
        assert user in blocker["found"]
        assert "quinn" in blocker["required"]
        assert "max" not in blocker["required"]
        refused |= set(PEOPLE[user])
    assert "qualityManager" in refused
    assert refused == {role for roles in PEOPLE.values() for role in roles} - {"qualifiedPerson"}
    denied = text("SELECT count(*) FROM audit_row WHERE action = 'auth.denied' AND new ->> 'action' = 'certifyBatch'")
    with engine.connect() as connection:
        assert connection.execute(denied).scalar_one() == len(PEOPLE) - 1
    assert (await record(company, path))["certifiedBy"] is None

    await do(company, "quinn", f"{path}/certify")
    release = await record(company, path)
    assert (release["certifiedBy"], release["certifiedAt"] is not None) == ("quinn", True)
    shown = await label(company, lot)
    assert "受权人 QP" in shown
    assert "Quinn (quinn)" in shown
    for form in ("png", "pdf"):
        answer = await (await company.desk("wil")).get(f"/wms/lots/{lot}/label", format=form)
        assert answer.status_code == 200


@pytest.mark.accepts("QL-09")
@pytest.mark.usefixtures("working")
async def test_an_appointment_that_has_ended_is_none(company: Company, engine: Engine) -> None:
    """An appointed person who may not log in any more is not named as who may."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE user_account SET is_active = false WHERE id = 'quinn'"))
    try:
        made = await company.plan("PL-NO-QP")
        order = (await (await company.desk("pia")).post(f"/mes/orders/from-plan/{made['id']}")).json()
        answer = await (await company.desk("max")).command(f"/mes/work-orders/{order['workOrders'][0]['id']}/certify")
        assert answer.json()["code"] == "QP_REQUIRED"
        assert "appointed: nobody" in answer.json()["blockers"][0]["required"]
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE user_account SET is_active = true WHERE id = 'quinn'"))


async def label(company: Company, lot: str) -> str:
    """The label of a lot, as SVG."""
    answer = await (await company.desk("wil")).get(f"/wms/lots/{lot}/label")
    assert answer.status_code == 200, answer.text
    return answer.text


async def record(company: Company, path: str) -> dict[str, Any]:
    """Certificate and release in the batch record."""
    answer = await (await company.desk("aud")).get(f"{path}/batch-record")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["release"]
    return found
