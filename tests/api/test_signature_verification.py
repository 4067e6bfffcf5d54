"""A signature is about exactly what was signed: whatever is changed afterwards is found, and named."""

import asyncio
import uuid
from dataclasses import replace
from typing import NoReturn

import pytest
from sqlalchemy import Engine, text

import wiring
from system.addresses import Addresses
from tests.api.company import PASSWORD, Company, policy
from tests.api.signing import audited, submitted, tampered, verdict
from tests.api.words import at_stage, do, go_on_to, receive
from tests.conftest import Database

pytestmark = pytest.mark.usefixtures("working")


@pytest.mark.accepts("ES-04")
@pytest.mark.parametrize(
    ("change", "record", "field"),
    [
        ("UPDATE signature SET full_name = 'Eve' WHERE id = '{id}'", "signature/{id}", "fullName"),
        ("UPDATE signature SET meaning = 'reviewed' WHERE id = '{id}'", "signature/{id}", "meaning"),
        ("UPDATE signature SET signed_at = signed_at + interval '1 hour' WHERE id = '{id}'", "signature/{id}",
         "signedAt"),
        ("UPDATE signature SET content = jsonb_set(content, '{{shown,quantity}}', '\"9 pcs\"') WHERE id = '{id}'",
         "signature/{id}", "content.shown.quantity"),
        ("UPDATE signature SET entity = 'production-order/X' WHERE id = '{id}'", "signature/{id}", "entity"),
        ("UPDATE production_order SET quantity = 9 WHERE number = '{number}'", "production-order/{number}", "quantity"),
        ("UPDATE order_fact SET body = jsonb_set(body, '{{events,0,specification,quantity}}', '\"9\"') "
         "WHERE order_number = '{number}' AND revision = 1", "order-fact/{number}", "quantity"),
        ("UPDATE order_fact SET actor = 'eve', body = jsonb_set(body, '{{actor}}', '\"eve\"') "
         "WHERE order_number = '{number}' AND command_id = '{command}'", "order-fact/{number}/3", "actor"),
        ("UPDATE audit_row SET actor = 'eve' WHERE command_id = '{command}' AND action = 'signature.given'",
         "audit-row/{seq}", "hash"),
    ],
)  # fmt: skip
async def test_one_changed_field_is_found_and_named(
    company: Company, engine: Engine, database: Database, change: str, record: str, field: str
) -> None:
    order = await submitted(company)
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
    detail = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()
    (signature,) = detail["signatures"]
    assert (await verdict(company, signature["id"])) == {
        "signature": signature["id"], "status": "valid", "code": None, "mismatches": [],
    }  # fmt: skip
    seq = next(row.seq for row in audited(engine, "signature.given") if row.command_id == signature["commandId"])
    names = {"id": signature["id"], "number": detail["number"], "command": signature["commandId"], "seq": seq}
    tampered(database.owner_url, change.format(**names))
    found = await verdict(company, signature["id"])
    assert (found["status"], found["code"]) == ("mismatch", "SIGNATURE_MISMATCH")
    assert (record.format(**names), field) in {(own["record"], own["field"]) for own in found["mismatches"]}, found


@pytest.mark.accepts("ES-04")
async def test_a_copied_signature_is_found(company: Company, database: Database, engine: Engine) -> None:
    first, second = await submitted(company), await submitted(company)
    await do(company, "sam", f"/mes/orders/{first}/approve", signed=PASSWORD)
    aud = await company.desk("aud")
    (signature,) = (await aud.get(f"/mes/orders/{first}")).json()["signatures"]
    other = (await aud.get(f"/mes/orders/{second}")).json()["number"]
    copy = str(uuid.uuid4())
    with engine.connect() as connection:
        names = connection.execute(text("SELECT * FROM signature LIMIT 0")).keys()
    changed = {"id": f"'{copy}'", "command_id": "'copied'", "entity": f"'production-order/{other}'"}
    columns = ", ".join(names)
    values = ", ".join(changed.get(name, name) for name in names)
    statement = f"INSERT INTO signature ({columns}) SELECT {values} FROM signature WHERE id = '{signature['id']}'"
    tampered(database.owner_url, statement)
    found = await verdict(company, copy)
    assert found["status"] == "mismatch"
    fields = {own["field"] for own in found["mismatches"]}
    assert {"id", "commandId", "entity"} <= fields
    assert (await verdict(company, signature["id"]))["status"] == "valid"
    missing = await aud.get(f"/signatures/{uuid.uuid4()}/verification")
    assert missing.status_code == 404


@pytest.mark.accepts("ES-04")
async def test_a_changed_value_under_a_signed_report_is_found(
    company: Company, database: Database, engine: Engine
) -> None:
    await receive(company, "API-SIGN-3", "100")
    own = policy("signed-work", approvals=0, signatures={"recordParameters": "performed",
                 "reportProduction": "performed"}, certification=False, productionRelease=False)  # fmt: skip
    assert (await (await company.desk("pat")).post("/master-data/import", {"policies": [own]})).status_code == 200
    order, work_order = await _at_press(company)
    path = f"/mes/work-orders/{work_order}/operations/PRESS"
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{path}/parameters", values=values, signed=PASSWORD)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "990", "scrap": "10", "scrapReason": "dust"}
    await do(company, "olu", "/mes/production-reports/report", signed=PASSWORD, **report)
    measured, reported = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()["signatures"]
    for signature in (measured, reported):
        assert (await verdict(company, signature["id"]))["status"] == "valid"
    number = (await (await company.desk("aud")).get(f"/mes/work-orders/{work_order}")).json()["number"]
    tampered(
        database.owner_url,
        f"UPDATE parameter_value SET text = '114.00' WHERE work_order = '{number}'",
        f"UPDATE production_report SET good = 999 WHERE work_order = '{number}'",
    )
    (found,) = (await verdict(company, measured["id"]))["mismatches"]
    assert (found["record"].split("/")[0], found["field"]) == ("parameter-value", "weight.text")
    assert (found["signed"], found["found"]) == ("113.00", "114.00")
    (found,) = (await verdict(company, reported["id"]))["mismatches"]
    assert (found["record"].split("/")[0], found["field"], found["found"]) == ("production-report", "good", "999")


async def _at_press(company: Company) -> tuple[str, str]:
    """An order under signed work whose press runs."""
    order, work_order = await at_stage(company, "submitted", policy="signed-work")
    await do(company, "sam", f"/mes/orders/{order}/release")
    for stage in ("dispatched", "ready", "running"):
        await go_on_to(company, stage, order, work_order)
    path = f"/mes/work-orders/{work_order}/operations"
    for step in ("MIX/start", "MIX/complete", "PRESS/start"):
        await do(company, "olu", f"{path}/{step}")
    return order, work_order


@pytest.mark.accepts("ES-04")
async def test_the_command_names_what_is_broken_and_ends_with_a_failure(
    company: Company, database: Database, servers: Addresses
) -> None:
    order = await submitted(company)
    await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
    (signature,) = (await (await company.desk("aud")).get(f"/mes/orders/{order}")).json()["signatures"]
    here, one = replace(servers, database_url=database.app_url), uuid.UUID(signature["id"])
    said: list[str] = []

    class Ended(Exception):
        pass

    def end(message: str) -> NoReturn:
        raise Ended(message)

    def check(identity: uuid.UUID | None) -> None:
        wiring.verify_signatures(here, identity, said.append, end)

    await asyncio.to_thread(check, one)
    assert said == ["1 signatures, 1 valid"]
    with pytest.raises(Ended, match="there is no signature"):
        await asyncio.to_thread(check, uuid.uuid4())
    tampered(database.owner_url, f"UPDATE signature SET meaning = 'verified' WHERE id = '{one}'")
    with pytest.raises(Ended, match="not about what was signed"):
        await asyncio.to_thread(check, None)
    assert f"SIGNATURE_MISMATCH {one}: signature/{one} meaning: approved → verified" in said
