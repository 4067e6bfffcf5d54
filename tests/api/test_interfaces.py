"""Endpoints, the outbox and alarms over the API: who sets them, who sees them, who decides."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.api.company import Company
from tests.api.records import codes, ok
from tests.api.words import at_stage
from tests.outside import Outside, outside

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module")
def receiver(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(engine, tmp_path_factory.mktemp("receiver")) as made:
        yield made


async def endpoint(company: Company, receiver: Outside, code: str, plan: str, *topics: str, **more: Any) -> None:
    """Ada makes an endpoint."""
    body = {
        "code": code, "name": code, "url": f"http://127.0.0.1:{receiver.port}/{code}?plan={plan}",
        "topics": list(topics), "timeoutSeconds": 1, "attempts": 2, **more,
    }  # fmt: skip
    ok(await (await company.desk("ada")).command("/integration/endpoints", **body))


async def messages(company: Company, **query: Any) -> list[dict[str, Any]]:
    """The outbox as Sam sees it."""
    answer = await (await company.desk("sam")).get("/integration/outbound-messages", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


@pytest.mark.accepts("IN-02", "B21")
async def test_a_parked_message_is_seen_and_sent_again_by_a_person_with_the_right_role(
    company: Company, receiver: Outside
) -> None:
    await endpoint(company, receiver, "ERP", "500", "production-order.release", "production-order.submit")
    order, _ = await at_stage(company, "released")
    await receiver.deliver("ERP")
    parked, waiting = await messages(company, endpoint="ERP", state="parked"), await messages(company, state="pending")
    assert [own["topic"] for own in parked] == ["production-order.submit"]
    assert [own["topic"] for own in waiting] == ["production-order.release"]
    assert parked[0]["lastError"] == "ERP did not answer: HTTP 500"
    listed = (await (await company.desk("olu")).get("/integration/endpoints")).json()["endpoints"]
    assert [(own["code"], own["pending"], own["parked"]) for own in listed] == [("ERP", 1, 1)]
    number = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["number"]
    assert parked[0]["subject"] == f"production-order/{number}"

    path = f"/integration/outbound-messages/{parked[0]['id']}"
    for person in ("olu", "ada", "erp"):
        answer = await (await company.desk(person)).command(f"{path}/retry", reason="it is up again")
        assert codes(answer, 403) == ["NOT_AUTHORISED"]
    assert (await (await company.desk("sam")).command(f"{path}/retry")).status_code == 422
    # The ERP is mended.
    await endpoint(company, receiver, "ERP", "200", "production-order.release", "production-order.submit")
    desk = await company.desk("sam")
    sent = {"commandId": "again-1", "reason": "it is up again"}
    first, second = await desk.post(f"{path}/retry", sent), await desk.post(f"{path}/retry", sent)
    assert ok(first) == ok(second) == {"id": parked[0]["id"], "state": "pending"}
    await receiver.deliver("ERP")
    assert {own["state"] for own in await messages(company, endpoint="ERP")} == {"delivered"}
    assert [own["body"]["type"] for own in receiver.effects("ERP")] == [
        "production-order.submit", "production-order.release",
    ]  # fmt: skip
    audit = await (await company.desk("aud")).get("/audit", entity=f"message/{parked[0]['id']}")
    rows = {row["action"]: row for row in audit.json()["rows"]}
    assert set(rows) == {"message.parked", "message.retried"}
    assert (rows["message.retried"]["actor"], rows["message.retried"]["reason"]) == ("sam", "it is up again")
    answer = await desk.command(f"{path}/retry", reason="once more")
    assert codes(answer) == ["INVALID_TRANSITION"]
    assert codes(await desk.command("/integration/outbound-messages/none/retry", reason="once more")) == [
        "UNKNOWN_MESSAGE",
    ]  # fmt: skip


@pytest.mark.accepts("IN-02")
async def test_a_message_that_nobody_wants_is_discarded_with_a_reason(company: Company, receiver: Outside) -> None:
    await endpoint(company, receiver, "QMS", "400", "probe.*")
    receiver.fact("probe.one", "lot/A")
    receiver.fact("probe.two", "lot/A")
    await receiver.deliver("QMS")
    (parked,) = await messages(company, endpoint="QMS", state="parked")
    one = (await (await company.desk("max")).get(f"/integration/outbound-messages/{parked['id']}")).json()
    assert one["content"]["type"] == "probe.one"
    await endpoint(company, receiver, "QMS", "200", "probe.*")
    desk = await company.desk("max")
    ok(await desk.command(f"/integration/outbound-messages/{parked['id']}/discard", reason="told by telephone"))
    await receiver.deliver("QMS")
    assert [own["body"]["type"] for own in receiver.effects("QMS")] == ["probe.two"]
    assert [own["state"] for own in await messages(company, endpoint="QMS")] == ["delivered", "discarded"]


@pytest.mark.parametrize("url", ["ftp://erp.example", "https://user:word@erp.example", "erp.example/path", "https://"])
async def test_an_endpoint_is_an_address_without_a_secret(company: Company, url: str) -> None:
    body: dict[str, Any] = {"code": "BAD", "name": "Bad", "url": url, "topics": ["lot.*"]}
    answer: httpx.Response = await (await company.desk("ada")).command("/integration/endpoints", **body)
    assert answer.status_code == 422


async def alarms(company: Company, who: str = "sam", **query: Any) -> list[dict[str, Any]]:
    """Alarms as somebody sees them."""
    found: list[dict[str, Any]] = (await (await company.desk(who)).get("/alarms", **query)).json()["alarms"]
    return found


@pytest.mark.accepts("C6")
async def test_a_rule_that_is_hit_raises_an_alarm_and_tells_both_robots(company: Company, receiver: Outside) -> None:
    rule: dict[str, Any] = {"code": "PROBE_FAILED", "name": "The probe has failed", "topic": "probe.failed",
            "severity": "critical",
            "escalateSeconds": 60}  # fmt: skip
    ok(await (await company.desk("pat")).command("/alarm-rules", **rule))
    assert codes(await (await company.desk("olu")).command("/alarm-rules", **rule), 403) == ["NOT_AUTHORISED"]
    await endpoint(company, receiver, "WECOM", "busy,robot&unsigned=yes&key={token}", "alarm.*", format="wecom")
    await endpoint(company, receiver, "DING", "robot&unsigned=yes&access_token={token}", "alarm.*", format="dingtalk")
    receiver.fact("probe.failed", "lot/A", {"why": "<b>broken</b>"})
    (alarm,) = [own for own in await alarms(company, open=True) if own["code"] == "PROBE_FAILED"]
    assert (alarm["severity"], alarm["subject"]) == ("critical", "lot/A")
    assert alarm["detail"] == "The probe has failed: lot/A"
    await receiver.deliver("WECOM")
    await receiver.deliver("DING")
    (told,) = receiver.effects("WECOM")
    assert told["body"]["msgtype"] == "markdown"
    assert "PROBE_FAILED critical" in told["body"]["markdown"]["content"]
    assert [own["step"] for own in receiver.requests("WECOM")] == ["busy", "robot"]
    (said,) = receiver.effects("DING")
    assert said["body"]["markdown"]["title"] == "Alarm 报警"
    assert "The probe has failed: lot/A" in said["body"]["markdown"]["text"]
    (request,) = receiver.requests("DING")
    assert "&timestamp=" in request["query"]
    assert "&sign=" in request["query"]
    assert "access_token=a%20secret" in request["query"]
    # Mia has seen it: nobody else can say so, and it is told, too.
    path = f"/alarms/{alarm['id']}/acknowledge"
    assert codes(await (await company.desk("olu")).command(path), 403) == ["NOT_AUTHORISED"]
    ok(await (await company.desk("mia")).command(path, note="I go and look"))
    assert codes(await (await company.desk("sam")).command(path)) == ["INVALID_TRANSITION"]
    (seen,) = [own for own in await alarms(company, open=False) if own["id"] == alarm["id"]]
    assert (seen["acknowledgedBy"], seen["acknowledgement"], seen["escalateAt"]) == ("mia", "I go and look", None)
    await receiver.deliver("DING")
    assert [own["body"]["markdown"]["title"] for own in receiver.effects("DING")][-1] == "Alarm acknowledged 报警已确认"
