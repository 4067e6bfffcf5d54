"""Messages that come in: taken once, or put aside where people see them, and never dropped (AT-12, IN-01)."""

import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.api.company import PREFIX, Company
from tests.api.records import codes, ok
from tests.api.words import at_stage, do, receive
from tests.workflows.test_operations_performance import schedule

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("AT-12")]
SCHEDULE, RESULT = "operations-schedule", "laboratory-result"


@pytest.fixture(scope="module", autouse=True)
async def _systems(company: Company, working: None) -> None:
    """The ERP and the LIMS are registered; another machine account is not."""
    ada = await company.desk("ada")
    for account in ("lims", "stranger"):
        body: dict[str, Any] = {
            "id": account,
            "fullName": account,
            "roles": ["integration"],
            "password": "canary-Ochre-Lantern-71",
        }
        made = await ada.command("/users", reason="a new machine", **body)
        assert made.status_code == 201, made.text
    ok(await ada.command("/integration/systems", account="erp", name="ERP", kinds=[SCHEDULE], policy="swift"))
    ok(await ada.command("/integration/systems", account="lims", name="LIMS", kinds=[RESULT]))


async def send(
    company: Company, who: str, kind: str, content: Any, message_id: str | None = None, checksum: str | None = None
) -> httpx.Response:
    """A message with its id and checksum, as a machine sends it."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {
        "Message-Id": f"m-{uuid.uuid4().hex[:10]}" if message_id is None else message_id,
        "Content-SHA256": hashlib.sha256(body).hexdigest() if checksum is None else checksum,
    }  # fmt: skip
    desk = await company.desk(who)
    path = f"{PREFIX}/integration/messages/{kind}"
    return await company.client.post(path, content=body, headers=headers | desk.headers)


def reasons(answer: httpx.Response) -> list[str]:
    """Why a message was put aside."""
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "quarantined"
    return [blocker["code"] for blocker in answer.json()["blockers"]]


async def quarantine(company: Company) -> list[dict[str, Any]]:
    """The quarantine as quality sees it."""
    answer = await (await company.desk("rae")).get("/integration/inbound-messages", state="quarantined")
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def wanted(reference: str) -> dict[str, Any]:
    """A schedule of one request."""
    return schedule(ID=reference)


@pytest.mark.accepts("IN-01")
@pytest.mark.usefixtures("working")
async def test_a_schedule_becomes_a_plan_line_and_an_order_once(company: Company) -> None:
    first = await send(company, "erp", SCHEDULE, wanted("ERP-100"), "m-100")
    again = await send(company, "erp", SCHEDULE, wanted("ERP-100"), "m-100")
    assert first.status_code == again.status_code == 200, first.text
    assert (first.json()["duplicate"], again.json()["duplicate"]) == (False, True)
    assert first.json()["effect"] == again.json()["effect"]
    lines = (await (await company.desk("pia")).get("/mes/plan-lines", limit=1000)).json()["planLines"]
    (line,) = [own for own in lines if own["reference"] == "ERP-100"]
    assert (line["product"], line["quantity"], line["plant"], line["policy"]) == ("TAB", "1000", "demo", "swift")
    assert line["dueAt"].startswith("2026-12-03T06:00:00")
    desk = await company.desk("erp")
    for _ in range(20):  # a verdict that takes longer than two seconds is fetched by asking again
        made = await desk.post(f"/mes/orders/from-plan/{line['id']}")
        if made.status_code != 202:
            break
    assert made.status_code == 200
    assert made.json()["number"] == first.json()["effect"]["orders"][0]


async def test_what_is_wrong_with_a_message_is_kept_with_it_and_has_no_effect(company: Company) -> None:
    before = len((await (await company.desk("pia")).get("/mes/plan-lines", limit=1000)).json()["planLines"])
    good = wanted("ERP-200")
    unknown = json.loads(json.dumps(good).replace('"TAB"', '"NOTHING"'))
    unit = json.loads(json.dumps(good).replace('"pcs"', '"kg"'))
    amount = json.loads(json.dumps(good).replace('"1000"', '"-5"'))
    cases: list[tuple[httpx.Response, list[str]]] = [
        (await send(company, "erp", SCHEDULE, b"{no json"), ["NOT_JSON"]),
        (await send(company, "erp", SCHEDULE, b"\xff\x00\xfe"), ["NOT_JSON"]),
        (await send(company, "erp", SCHEDULE, {"OperationsSchedule": {}}), ["SCHEMA"]),
        (await send(company, "erp", SCHEDULE, amount), ["SCHEMA"]),
        (await send(company, "erp", SCHEDULE, unknown), ["UNKNOWN_PRODUCT"]),
        (await send(company, "erp", SCHEDULE, unit), ["UNIT_MISMATCH"]),
        (await send(company, "erp", SCHEDULE, good, checksum="0" * 64), ["CHECKSUM_MISMATCH"]),
        (await send(company, "erp", SCHEDULE, good, checksum=""), ["CHECKSUM_MISSING"]),
        (await send(company, "erp", SCHEDULE, good, ""), ["MESSAGE_ID_MISSING"]),
        (await send(company, "erp", SCHEDULE, good, "a/b"), ["MESSAGE_ID_MISSING"]),
        (await send(company, "erp", RESULT, good), ["UNREGISTERED_SENDER"]),
        (await send(company, "stranger", SCHEDULE, good), ["UNREGISTERED_SENDER"]),
        (await send(company, "erp", "gossip", good), ["UNKNOWN_KIND", "UNREGISTERED_SENDER"]),
    ]  # fmt: skip
    for answer, expected in cases:
        assert reasons(answer) == expected
    kept = {own["number"] for own in await quarantine(company)}
    assert kept >= {answer.json()["number"] for answer, _ in cases}
    after = (await (await company.desk("pia")).get("/mes/plan-lines", limit=1000)).json()["planLines"]
    assert len(after) == before
    one = await (await company.desk("rae")).get(f"/integration/inbound-messages/{cases[0][0].json()['number']}")
    assert one.json()["body"] == "{no json"


async def test_a_person_sends_no_messages_and_a_message_needs_a_key(company: Company) -> None:
    assert codes(await send(company, "pia", SCHEDULE, wanted("ERP-250")), 403) == ["NOT_AUTHORISED"]
    nobody = await company.client.post(f"{PREFIX}/integration/messages/{SCHEDULE}", content=b"{}")
    assert nobody.status_code == 401


async def test_an_id_that_is_used_for_another_content_is_put_aside(company: Company) -> None:
    ok(await send(company, "erp", SCHEDULE, wanted("ERP-300"), "m-300"))
    other = await send(company, "erp", SCHEDULE, wanted("ERP-301"), "m-300")
    assert reasons(other) == ["DUPLICATE_MESSAGE_ID"]
    # The same bad message again is the same entry of the quarantine.
    again = await send(company, "erp", SCHEDULE, wanted("ERP-301"), "m-300")
    assert again.json()["number"] == other.json()["number"]
    assert sum(own["messageId"] == "m-300" for own in await quarantine(company)) == 1


async def test_a_person_has_a_message_tried_again_when_its_reason_is_gone(company: Company) -> None:
    document = json.loads(json.dumps(wanted("ERP-400")).replace('"TAB"', '"NEWTAB"'))
    answer = await send(company, "erp", SCHEDULE, document)
    assert reasons(answer) == ["UNKNOWN_PRODUCT"]
    path = f"/integration/inbound-messages/{answer.json()['number']}"
    desk = await company.desk("pia")
    assert codes(await desk.command(f"{path}/retry", reason="try again")) == ["UNKNOWN_PRODUCT"]
    assert codes(await (await company.desk("olu")).command(f"{path}/retry", reason="try again"), 403) == [
        "NOT_AUTHORISED"
    ]
    new = {"code": "NEWTAB", "name": "New tablet", "kind": "finished", "unit": "pcs"}
    ok(await (await company.desk("pat")).post("/master-data/import", {"materials": [new]}))
    done = ok(await desk.command(f"{path}/retry", reason="it is known now"))
    assert done["state"] == "accepted"
    assert done["effect"]["planLines"] == ["ERP-400"]
    assert ok(await desk.command(f"{path}/retry", reason="it is known now"))["effect"] == done["effect"]
    one = (await desk.get(path)).json()
    assert (one["state"], one["decidedBy"], one["reason"]) == ("accepted", "pia", "it is known now")
    audit = await (await company.desk("aud")).get("/audit", entity=f"inbound-message/erp/{one['messageId']}")
    assert [row["action"] for row in audit.json()["rows"]] == [
        "message.released", "message.released", "message.quarantined",
    ]  # fmt: skip


async def test_a_person_discards_a_message_with_a_reason_and_it_stays_without_effect(company: Company) -> None:
    content = b"not what was agreed"
    answer = await send(company, "erp", SCHEDULE, content, "m-500")
    path = f"/integration/inbound-messages/{answer.json()['number']}"
    desk = await company.desk("rae")
    assert (await desk.command(f"{path}/discard")).status_code == 422
    assert ok(await desk.command(f"{path}/discard", reason="a test of the ERP"))["state"] == "discarded"
    assert codes(await desk.command(f"{path}/discard", reason="a test of the ERP")) == ["INVALID_TRANSITION"]
    assert codes(await desk.command(f"{path}/retry", reason="a test of the ERP")) == ["INVALID_TRANSITION"]
    later = await send(company, "erp", SCHEDULE, content, "m-500")
    assert (later.status_code, later.json()["state"]) == (202, "discarded")
    assert codes(await desk.command("/integration/inbound-messages/999999/discard", reason="which one")) == [
        "UNKNOWN_MESSAGE",
    ]  # fmt: skip


def result(inspection: str, lot: str, *values: tuple[str, str, str]) -> dict[str, Any]:
    """What a laboratory sends."""
    found = [{"name": name, "value": value, "unit": unit} for name, value, unit in values]
    return {"inspection": inspection, "lot": lot, "results": found}


async def test_a_laboratory_s_result_is_taken_for_a_known_sample_in_its_unit(company: Company) -> None:
    lot = f"API-{uuid.uuid4().hex[:8]}"
    received = await do(company, "wil", "/wms/receipts", lot=lot, material="API", quantity="10", unit="kg")
    number = received["inspection"]["number"]
    good = ("water", "0.50", "%")
    cases = [
        (await send(company, "lims", RESULT, result("I-NONE", lot, good)), "UNKNOWN_SAMPLE"),
        (await send(company, "lims", RESULT, result(number, "OTHER", good)), "LOT_MISMATCH"),
        (await send(company, "lims", RESULT, result(number, lot, ("water", "0.50", "mg"))), "WRONG_UNIT"),
        (await send(company, "lims", RESULT, result(number, lot, ("water", "0.50", ""))), "SCHEMA"),
        (await send(company, "lims", RESULT, result(number, lot, ("taste", "1", "%"))), "UNKNOWN_PARAMETER"),
        (await send(company, "erp", RESULT, result(number, lot, good)), "UNREGISTERED_SENDER"),
    ]
    for answer, expected in cases:
        assert expected in reasons(answer)
    desk = await company.desk("ana")
    (inspection,) = (await desk.get("/quality/inspections", lot=lot)).json()["inspections"]
    assert inspection["results"] == []
    taken = await send(company, "lims", RESULT, result(number, lot, good), "r-1")
    again = await send(company, "lims", RESULT, result(number, lot, good), "r-1")
    assert taken.status_code == again.status_code == 200, taken.text
    (inspection,) = (await desk.get("/quality/inspections", lot=lot)).json()["inspections"]
    assert [(own["name"], own["text"], own["enteredBy"]) for own in inspection["results"]] == [
        ("water", "0.50", "lims"),
    ]  # fmt: skip
    # A second person decides, as always.
    ok(await (await company.desk("ben")).command(f"/quality/inspections/{number}/decision", accept=True))


async def test_a_laboratory_s_result_of_a_batch_goes_to_its_order_which_judges_it(company: Company) -> None:
    await _stock(company)
    _, work_order = await at_stage(company, "inspecting")
    found = (await (await company.desk("ana")).get(f"/mes/work-orders/{work_order}")).json()
    number, lot = found["inspection"]["number"], found["outputLot"]
    missing = await send(company, "lims", RESULT, result(number, lot, ("hardness", "90.0", "N")))
    assert reasons(missing) == ["UNKNOWN_PARAMETER"]
    ok(await send(company, "lims", RESULT, result(number, lot, ("dissolution", "90.0", "%")), "r-2"))
    again = await send(company, "lims", RESULT, result(number, lot, ("dissolution", "90.0", "%")), "r-2")
    assert again.json()["duplicate"] is True
    ok(await (await company.desk("ben")).command(f"/mes/work-orders/{work_order}/inspection/decision", accept=True))


async def _stock(company: Company) -> None:
    await receive(company, f"API-{uuid.uuid4().hex[:8]}", "1000")
