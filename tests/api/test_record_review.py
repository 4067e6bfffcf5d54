"""Review by exception, approval, certificate, archive: the batch record over the API."""

from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from tests.api.company import MASTER_DATA, Company
from tests.api.words import at_stage, do, receive, until
from tests.conftest import Database

pytestmark = pytest.mark.usefixtures("working")
POLICY = "reviewed"


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-REVIEW", "100000")
    policies = [{**MASTER_DATA["policies"][0], "code": POLICY, "batchRecordReview": True, "signatures": {}}]
    imported = await (await company.desk("pat")).post("/master-data/import", {"policies": policies})
    assert imported.status_code == 200, imported.text


async def pressing(company: Company) -> tuple[str, str]:
    """An order of 1000 whose pressing runs."""
    order, work_order = await at_stage(company, "running", policy=POLICY)
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    return order, work_order


async def stored(company: Company, order: str, work_order: str) -> None:
    """The pressing reported and completed, tested, put away into quarantine."""
    path = f"/mes/work-orders/{work_order}"
    values = [{"name": "weight", "text": "113.00", "unit": "mg"}]
    await do(company, "olu", f"{path}/operations/PRESS/parameters", values=values)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "990", "scrap": "10", "scrapReason": "dust"}
    await do(company, "olu", "/mes/production-reports/report", **report, labourSeconds=60)
    await do(company, "olu", f"{path}/operations/PRESS/complete")
    await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
    results = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=results)
    await do(company, "ben", f"{path}/inspection/decision", accept=True)
    await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    await do(company, "wil", f"{path}/put-away", place="QUARANTINE")
    await until(company, order, lambda o: o["state"] == "completed")


async def refused(company: Company, user: str, path: str, **body: Any) -> list[str]:
    """The codes of the blockers of a command that is refused."""
    answer = await (await company.desk(user)).command(path, **body)
    assert answer.status_code == 409, answer.text
    return [blocker["code"] for blocker in answer.json()["blockers"]]


async def exceptions(company: Company, work_order: str) -> list[tuple[str, bool]]:
    """(type, is open) of the exceptions of a batch."""
    found = (await (await company.desk("rae")).get(f"/mes/work-orders/{work_order}/batch-record/exceptions")).json()
    return [(own["type"], own["isOpen"]) for own in found["exceptions"]]


@pytest.mark.accepts("EB-01", "EB-02", "EB-07", "EB-08", "QL-10", "B12", "B14", "PO-11")
async def test_a_clean_batch_is_reviewed_approved_certified_released_and_archived(
    company: Company, engine: Engine
) -> None:
    order, work_order = await pressing(company)
    path = f"/mes/work-orders/{work_order}"
    assert await refused(company, "sam", f"{path}/batch-record/review") == ["INVALID_TRANSITION"]
    await stored(company, order, work_order)
    assert await exceptions(company, work_order) == []
    assert "RECORD_NOT_APPROVED" in await refused(company, "quinn", f"{path}/certify")
    await do(company, "sam", f"{path}/batch-record/review")
    await do(company, "rae", f"{path}/batch-record/approve")
    for user, sealed in (("olu", {"text": "112", "reason": "misread it"}),):
        at = f"{path}/operations/PRESS/parameters/V1/correct"
        assert await refused(company, user, at, **sealed) == ["RECORD_SEALED"]
    assert await refused(company, "olu", f"{path}/operations/PRESS/comment", text="late remark") == ["RECORD_SEALED"]
    assert "RECORD_NOT_ARCHIVED" in await refused(company, "sam", f"/mes/orders/{order}/close")
    await do(company, "quinn", f"{path}/certify")
    await do(company, "sam", f"{path}/release-batch", place="FINISHED")
    await until(company, order, lambda o: o["workOrders"][0]["batchRecord"]["state"] == "archived")
    await do(company, "sam", f"/mes/orders/{order}/close")

    kept = (await (await company.desk("aud")).get(f"{path}/batch-record/archive")).json()
    document = kept["document"]
    assert kept["isIntact"]
    assert [step["state"] for step in document["review"]["steps"]] == ["open", "inReview", "qaReview", "approved"]
    assert (document["release"]["certifiedBy"], document["release"]["releasedBy"]) == ("quinn", "sam")
    assert document["materials"][0]["lot"] == "API-REVIEW"
    assert [stage["code"] for stage in document["operations"]] == ["MIX", "PRESS"]
    assert document["operations"][1]["yieldPercent"] == "99.00"
    assert kept["retainUntil"] > "2031"
    now = (await (await company.desk("aud")).get(f"{path}/batch-record")).json()
    assert now["contentHash"] == document["contentHash"], "a sealed record says the same for ever"


@pytest.mark.accepts("EB-07", "B12", "B10", "AC-03", "QL-06")
async def test_the_review_lists_exactly_what_was_not_normal(company: Company) -> None:
    order, work_order = await pressing(company)
    path = f"/mes/work-orders/{work_order}"
    press = f"{path}/operations/PRESS"
    await do(company, "olu", f"{press}/parameters", values=[{"name": "weight", "text": "119", "unit": "mg"}])
    await do(company, "rae", f"{press}/release-hold", reason="press adjusted, tablets sorted")
    await do(company, "olu", f"{press}/parameters", values=[{"name": "weight", "text": "112", "unit": "mg"}])
    await do(company, "olu", f"{press}/parameters/V2/correct", text="112.5", reason="misread the balance")
    await do(company, "olu", f"{press}/comment", text="die 7 was polished")
    await stored(company, order, work_order)
    assert await exceptions(company, work_order) == [
        ("parameterOutOfLimits", False), ("correctedValue", True), ("comment", True),
    ]  # fmt: skip
    await do(company, "sam", f"{path}/batch-record/review")
    assert await refused(company, "rae", f"{path}/batch-record/approve") == ["EXCEPTION_OPEN", "EXCEPTION_OPEN"]
    record = (await (await company.desk("rae")).get(f"{path}/batch-record")).json()
    ids = [own["id"] for own in record["exceptions"] if own["isOpen"]]
    await do(company, "rae", f"{path}/batch-record/exceptions/{ids[0]}/explain", reason="print-out attached")
    back = {"fields": ["PRESS/V3"], "reason": "weight after adjusting is missing"}
    await do(company, "rae", f"{path}/batch-record/return", **back)
    assert await refused(company, "rae", f"{path}/batch-record/approve") == ["INVALID_TRANSITION"]
    await do(company, "olu", f"{path}/batch-record/resubmit")
    await do(company, "sam", f"{path}/batch-record/exceptions/{ids[1]}/explain", reason="polishing is usual")
    await do(company, "sue", f"{path}/batch-record/review")
    await do(company, "olu", f"{press}/parameters/V3/correct", text="113.1", reason="second look at the print-out")
    found = (await (await company.desk("sam")).get(path)).json()
    assert found["batchRecord"]["state"] == "inReview", "a correction after the review asks for another one"
    last = [own for own in await exceptions(company, work_order) if own[1]]
    assert last == [("correctedValue", True)]
    await do(company, "sam", f"{path}/batch-record/review")
    record = (await (await company.desk("rae")).get(f"{path}/batch-record")).json()
    (left,) = [own["id"] for own in record["exceptions"] if own["isOpen"]]
    await do(company, "rae", f"{path}/batch-record/exceptions/{left}/explain", reason="print-out attached")
    await do(company, "rae", f"{path}/batch-record/approve")


@pytest.mark.accepts("ES-04", "QL-10", "AT-04", "MT-01")
async def test_a_record_that_was_changed_behind_the_system_is_not_certified(
    company: Company, engine: Engine, database: Database
) -> None:
    order, work_order = await pressing(company)
    path = f"/mes/work-orders/{work_order}"
    await stored(company, order, work_order)
    await do(company, "sam", f"{path}/batch-record/review")
    await do(company, "rae", f"{path}/batch-record/approve")
    number = (await (await company.desk("sam")).get(path)).json()["number"]
    with engine.begin() as owner:
        hold = text("UPDATE lot SET status = 'onHold' WHERE number = 'API-REVIEW'")
        owner.execute(hold)
    try:
        assert await refused(company, "quinn", f"{path}/certify") == ["LOT_NOT_USABLE"]
    finally:
        with engine.begin() as owner:
            owner.execute(text("UPDATE lot SET status = 'released' WHERE number = 'API-REVIEW'"))
    listed = (await (await company.desk("quinn")).get(f"{path}/batch-record/check-list")).json()
    assert listed["blockers"] == []
    past_the_system = create_engine(database.owner_url, poolclass=NullPool)
    with past_the_system.begin() as connection:  # without the trigger, as only the owner of the database can
        connection.execute(text("ALTER TABLE production_report DISABLE TRIGGER USER"))
        change = text("UPDATE production_report SET good = good + 1 WHERE work_order = :number")
        connection.execute(change, {"number": number})
        connection.execute(text("ALTER TABLE production_report ENABLE TRIGGER USER"))
    assert await refused(company, "quinn", f"{path}/certify") == ["SIGNATURE_MISMATCH"]
