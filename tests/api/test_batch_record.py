"""The batch record of an operation over the API: values, corrections, remarks."""

from typing import Any

import pytest

from tests.api.company import Company
from tests.api.words import at_stage, do, receive

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-RECORD", "100000")


async def pressing(company: Company) -> tuple[str, str]:
    """An order whose pressing runs: its id and the path of the operation."""
    order, work_order = await at_stage(company, "running", quantity="100")
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return order, f"{path}/PRESS"


async def versions(company: Company, path: str) -> list[dict[str, Any]]:
    """All versions of the operation's only value."""
    (value,) = (await (await company.desk("aud")).get(f"{path}/parameters")).json()["values"]
    found: list[dict[str, Any]] = value["versions"]
    return found


@pytest.mark.accepts("AT-06", "AT-05", "B10", "AT-10")
async def test_a_corrected_value_keeps_its_history(company: Company) -> None:
    _, path = await pressing(company)
    await do(company, "olu", f"{path}/parameters", values=[{"name": "weight", "text": "113.00", "unit": "mg"}])
    olu = await company.desk("olu")
    nothing = await olu.command(f"{path}/parameters/V9/correct", text="112", reason="misread it")
    assert nothing.status_code == 404
    without_reason = await olu.command(f"{path}/parameters/V1/correct", text="112")
    assert without_reason.status_code == 422
    for text, reason in (("113.50", "misread it"), ("113.5", "as it was printed"), ("114", "the other balance")):
        body = {"text": text, "reason": reason, "commandId": f"{path[-30:]}-{text}"}
        for _ in range(2):  # sent twice: one effect, the same answer
            answer = await olu.post(f"{path}/parameters/V1/correct", body)
            assert answer.status_code == 200, answer.text
    stale = await olu.command(f"{path}/parameters/V1/correct", text="115", reason="misread it", seenText="113.5")
    assert (stale.status_code, stale.json()["blockers"][0]["code"]) == (409, "CONTENT_CHANGED")
    found = await versions(company, path)
    assert [(row["version"], row["text"], row["reason"]) for row in found] == [
        (1, "113.00", None), (2, "113.50", "misread it"), (3, "113.5", "as it was printed"),
        (4, "114", "the other balance"),
    ]  # fmt: skip
    assert {row["recordedBy"] for row in found} == {"olu"}


@pytest.mark.accepts("AT-07", "B7")
async def test_the_server_s_time_stands_beside_the_sender_s(company: Company) -> None:
    order, path = await pressing(company)
    measured = "2026-01-05T10:00:00Z"
    values = [{"name": "weight", "text": "119", "unit": "mg"}]
    await do(company, "olu", f"{path}/parameters", values=values, measuredAt=measured)
    (found,) = await versions(company, path)
    assert found["measuredAt"] == measured
    assert found["recordedAt"] > measured
    assert (found["withinLimits"], found["isTyped"]) == (False, True)
    document = (await (await company.desk("rae")).get(f"/mes/orders/{order}")).json()
    assert len(document["openDeviations"]) == 1
    (press,) = [own for own in document["workOrders"][0]["operations"] if own["code"] == "PRESS"]
    assert press["state"] == "held"
    refused = await (await company.desk("olu")).command(f"{path}/complete")
    assert [blocker["code"] for blocker in refused.json()["blockers"]] == ["OPERATION_NOT_RUNNING"]


async def test_a_remark_stands_in_the_record_and_in_the_audit_trail(company: Company) -> None:
    _, path = await pressing(company)
    await do(company, "olu", f"{path}/comment", text="the hopper was refilled twice")
    trail = (await (await company.desk("aud")).get("/audit", action="operation.comment")).json()
    assert "the hopper was refilled twice" in str(trail)
