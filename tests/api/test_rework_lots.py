"""Rework over the API where it makes lots of its own: permission, lots, links, additional tests, record (QL-11)."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.records import PATH, effective, ok, said
from tests.api.test_reports import report
from tests.api.turning import ready, stock, turned_products
from tests.api.words import do, receive, until

pytestmark = pytest.mark.usefixtures("working")
FRIABILITY = {"name": "friability", "unit": "%", "high": "0.8", "method": "Ph. Eur. 2.9.7"}
BY_THE_BOOK: dict[str, Any] = {"procedure": "SOP-RW-07", "tests": [FRIABILITY], "reason": "risk assessed, RA-12"}
PRODUCTS = {"PLUGR": "", "PILL": "tablet", "PILLX": "tablet"}
"""Product → its dosage form; the record of PILLX permits no rework."""


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-REWORKS", "1000")
    policy = {"code": "reworked", "reworkLots": True}
    await turned_products(company, PRODUCTS, policy, {}, inspectionRule="every")
    for code in PRODUCTS:
        allowed = code != "PILLX"
        content = {
            "billOfMaterialVersion": "1", "routeVersion": "1", "materials": [], "balanceLimitPercent": "10",
            "operations": [said("TURN", reworkAllowed=allowed), said("WRAP", reworkAllowed=allowed)],
        }  # fmt: skip
        await effective(company, "1", content, code)


async def failed(company: Company, product: str, at: str = "WRAP") -> tuple[str, str, str]:
    """An order of 100, of which five of an operation's pieces failed: order, path of its work order, rework."""
    order, path = await ready(company, product, "reworked")
    for code in ("TURN", "WRAP"):
        await do(company, "olu", f"{path}/operations/{code}/start")
        answer = await report(company, path.rpartition("/")[2], 100, at=code)
        bad = {"failed": "5", "defect": "burr"} if code == at else {"failed": "0"}
        inspection = answer.json()["result"]["inspection"]
        decided = await do(company, "ana", f"{path}/in-process-inspections/{inspection}/decision", **bad)
        await do(company, "olu", f"{path}/operations/{code}/complete")
        if code == at:
            return order, path, decided["result"]["rework"]
    raise AssertionError(at)


async def approve(company: Company, path: str, rework: str, who: str = "max", **body: Any) -> Any:
    """The answer to an approval."""
    return await (await company.desk(who)).command(f"{path}/reworks/{rework}/approve", **{**BY_THE_BOOK, **body})


@pytest.mark.accepts("QL-11")
async def test_only_the_head_of_quality_permits_and_only_what_product_and_stage_permit(company: Company) -> None:
    _, path, rework = await failed(company, "PILL")
    for who in ("sam", "rae", "quinn", "ada"):
        assert (await approve(company, path, rework, who)).status_code == 403
    other = await approve(company, path, rework, reworkMethod="reprocess")
    assert [(one["code"], one["id"]) for one in other.json()["blockers"]] == [("REPROCESS_FORBIDDEN", "PILL")]
    bare = await approve(company, path, rework, procedure="", tests=[])
    assert {one["code"] for one in bare.json()["blockers"]} == {"PROCEDURE_MISSING", "ADDITIONAL_TESTS_MISSING"}
    ok(await approve(company, path, rework))

    _, path, rework = await failed(company, "PILLX")
    stage = await approve(company, path, rework)
    assert [(one["code"], one["id"]) for one in stage.json()["blockers"]] == [("REWORK_FORBIDDEN", "PILLX/WRAP")]
    await do(company, "max", f"{path}/reworks/{rework}/reject", reason="the record permits none")

    _, path, rework = await failed(company, "PLUGR")  # no medicine: another process is no matter of principle
    ok(await approve(company, path, rework, reworkMethod="reprocess"))


@pytest.mark.accepts("QL-11", "TR-01")
async def test_the_reworked_lot_has_its_parent_and_the_tests_that_quality_set(company: Company, engine: Engine) -> None:
    order, path, rework = await failed(company, "PILL")
    ok(await approve(company, path, rework))
    await do(company, "olu", f"{path}/reworks/{rework}/start")
    own = (await until(company, order, lambda o: True))["workOrders"][0]
    lot = own["outputLot"]
    (found,) = own["reworks"]
    assert (found["lot"], found["ownLot"], found["method"], found["procedure"]) == (
        lot, f"{lot}-W1", "rework", "SOP-RW-07",
    )  # fmt: skip
    assert (await stock(company, lot), await stock(company, f"{lot}-W1")) == ({"LINE": "95"}, {"LINE": "5"})
    inspection = (await do(company, "olu", f"{path}/reworks/{rework}/report", good="4", scrap="1"))["result"][
        "inspection"
    ]
    own = (await until(company, order, lambda o: True))["workOrders"][0]
    extra = next(one for one in own["inProcessInspections"] if one["number"] == inspection)
    assert (extra["rework"], extra["lot"], [test["name"] for test in extra["tests"]]) == (
        rework, f"{lot}-W1", ["friability"],
    )  # fmt: skip
    decision = f"{path}/in-process-inspections/{inspection}/decision"
    early = await (await company.desk("ana")).command(decision, failed="0")
    assert [one["code"] for one in early.json()["blockers"]] == ["RESULT_MISSING"]
    await do(company, "ana", decision, failed="0", values=[{"name": "friability", "text": "0.31", "unit": "%"}])
    assert (await stock(company, lot), await stock(company, f"{lot}-W1")) == ({"LINE": "99"}, {})
    found = await until(company, order, lambda o: o["workOrders"][0]["state"] == "puttingAway")
    assert found["goodQuantity"] == "99"
    await do(company, "wil", f"{path}/put-away", place="FINISHED")
    await until(company, order, lambda o: o["state"] == "completed")

    desk = await company.desk("sam")
    back = (await desk.get(f"/mes/traceabilities/batch/{lot}/validate/PILL")).json()
    assert (back["valid"], back["reasons"]) == (True, [])
    with engine.connect() as connection:
        links = connection.execute(
            text("SELECT input_lot, output_lot, quantity, operation FROM lot_link WHERE :lot IN (input_lot, output_lot)"
                 " AND 'API-REWORKS' <> input_lot ORDER BY id"), {"lot": f"{lot}-W1"},
        ).all()  # fmt: skip
        row = connection.execute(
            text("SELECT status, origin, material FROM lot WHERE number = :lot"), {"lot": f"{lot}-W1"}
        ).one()
    assert [tuple(link) for link in links] == [(lot, f"{lot}-W1", 5, "WRAP"), (f"{lot}-W1", lot, 4, "WRAP")]
    assert tuple(row) == ("released", "reworked", "PILL")
    listed = (await desk.get("/quality/reworks", state="completed", limit=500)).json()["reworks"]
    assert [(one["ownLot"], one["approvedBy"]) for one in listed if one["number"] == rework] == [(f"{lot}-W1", "max")]
    record = ok(await desk.get(f"{path}/batch-record"))
    assert [(own["ownLot"], own["tests"][0]["name"]) for own in record["reworks"]] == [(f"{lot}-W1", "friability")]
    results = [own.get("testResults") for own in record["inProcessInspections"] if own["number"] == inspection]
    assert [one["text"] for one in results[0]] == ["0.31"]


@pytest.mark.accepts("QL-11")
async def test_pieces_of_an_operation_in_between_are_a_lot_too_and_may_fail_again(company: Company) -> None:
    order, path, rework = await failed(company, "PILL", at="TURN")
    ok(await approve(company, path, rework))
    await do(company, "olu", f"{path}/reworks/{rework}/start")
    lot = (await until(company, order, lambda o: True))["workOrders"][0]["outputLot"]
    assert (await stock(company, lot), await stock(company, f"{lot}-W1")) == ({}, {"LINE": "5"})
    done = await do(company, "olu", f"{path}/reworks/{rework}/report", good="5", scrap="0")
    decision = f"{path}/in-process-inspections/{done['result']['inspection']}/decision"
    bad = [{"name": "friability", "text": "0.9", "unit": "%"}]
    again = (await do(company, "ana", decision, failed="0", values=bad))["result"]["rework"]
    found = await until(company, order, lambda o: True)
    assert (found["deviations"], len(found["openDeviations"])) == (1, 1)
    ok(await approve(company, path, again))
    await do(company, "olu", f"{path}/reworks/{again}/start")
    assert (await stock(company, f"{lot}-W1"), await stock(company, f"{lot}-W2")) == ({}, {"LINE": "5"})
    done = await do(company, "olu", f"{path}/reworks/{again}/report", good="5", scrap="0")
    decision = f"{path}/in-process-inspections/{done['result']['inspection']}/decision"
    good = [{"name": "friability", "text": "0.5", "unit": "%"}]
    await do(company, "ana", decision, failed="0", values=good)
    assert await stock(company, f"{lot}-W2") == {}
    answer = (await (await company.desk("sam")).get(f"/mes/traceabilities/batch/{lot}/validate/PILL")).json()
    assert (answer["valid"], answer["reasons"]) == (True, [])


@pytest.mark.accepts("QL-11", "A19")
@pytest.mark.parametrize(("disposition", "left"), [("scrap", {}), ("keepAsLot", {"LINE": "5"})])
async def test_a_cancelled_order_leaves_nothing_of_a_rework_unaccounted(
    company: Company, engine: Engine, disposition: str, left: dict[str, str]
) -> None:
    order, path, rework = await failed(company, "PLUGR")
    ok(await approve(company, path, rework))
    await do(company, "olu", f"{path}/reworks/{rework}/start")
    await do(company, "sam", f"/mes/orders/{order}/cancel", reason="customer withdrew", disposition=disposition)
    found = await until(company, order, lambda o: o["state"] in ("aborted", "cancelled"))
    lot = found["workOrders"][0]["outputLot"]
    assert await stock(company, f"{lot}-W1") == left
    with engine.connect() as connection:
        status = connection.execute(text("SELECT status FROM lot WHERE number = :l"), {"l": f"{lot}-W1"}).scalar_one()
    assert status == ("onHold" if left else "rejected")


async def test_the_record_says_where_rework_is_permitted(company: Company) -> None:
    versions = ok(await (await company.desk("pat")).get(PATH, product="PILLX"))["masterBatchRecords"]
    shown = ok(await (await company.desk("pat")).get(f"{PATH}/{versions[0]['id']}"))
    assert {own["operation"]: own["reworkAllowed"] for own in shown["content"]["operations"]} == {
        "TURN": False, "WRAP": False,
    }  # fmt: skip
