"""Nonconforming and earlier material in a batch: recovery of a part, rework of the whole, by quality alone (QL-11)."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company
from tests.api.records import ok
from tests.api.recovering import BY_THE_BOOK, made, recovery_plant, rejected, released, running
from tests.api.turning import stock
from tests.api.words import do, until

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company, working: None) -> None:
    await recovery_plant(company)


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [one["code"] for one in answer.json()["blockers"]]


@pytest.mark.accepts("QL-11", "TR-01")
async def test_material_of_an_earlier_batch_goes_in_by_approval_and_forces_the_tests(
    company: Company, engine: Engine
) -> None:
    lot = await rejected(company, "PEARL")
    order, path = await running(company, "PEARL")
    asked = {"operation": "TURN", "lot": lot, "quantity": "40", "reason": "assay too low, can be blended"}
    olu, leader = await company.desk("olu"), await company.desk("max")
    assert codes(await olu.command(f"{path}/recoveries", **(asked | {"operation": "WRAP"}))) == ["RECOVERY_FORBIDDEN"]
    assert codes(await olu.command(f"{path}/recoveries", **(asked | {"lot": "NO-LOT"}))) == ["UNKNOWN_LOT"]
    wrong = await olu.command(f"{path}/recoveries", **(asked | {"lot": "API-RECOVERIES"}))
    assert codes(wrong) == ["NOT_RECOVERABLE"]
    number = (await do(company, "olu", f"{path}/recoveries", **asked))["result"]["recovery"]
    own = f"{path}/recoveries/{number}"

    for who in ("sam", "rae", "quinn", "olu"):
        assert (await (await company.desk(who)).command(f"{own}/approve", **BY_THE_BOOK)).status_code == 403
    unsigned = await leader.command(f"{own}/approve", **BY_THE_BOOK)
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    bare = await leader.command(f"{own}/approve", signed=PASSWORD, reason="a good thing")
    assert set(codes(bare)) == {"PROCEDURE_MISSING", "ADDITIONAL_TESTS_MISSING"}
    assert codes(await olu.command(f"{own}/introduce")) == ["INVALID_TRANSITION"]
    await do(company, "max", f"{own}/approve", signed=PASSWORD, **BY_THE_BOOK)
    assert codes(await olu.command(f"{path}/operations/TURN/complete")) == ["RECOVERY_OPEN"]
    await do(company, "olu", f"{own}/introduce")
    assert await stock(company, lot) == {"REJECTED": "60"}

    found = (await made(company, order, path))["workOrders"][0]
    assert [one["name"] for one in found["inspection"]["characteristics"]] == ["assay", "impurity B"]
    early = [{"name": "assay", "text": "99.0", "unit": "%"}]
    ana = await company.desk("ana")
    assert codes(await ana.command(f"{path}/inspection/results", values=early)) == ["RESULT_MISSING"]
    values = [*early, {"name": "impurity B", "text": "0.11", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=values)
    await do(company, "ben", f"{path}/inspection/decision", accept=True)

    batch = found["outputLot"]
    with engine.connect() as connection:
        links = connection.execute(
            text("SELECT quantity, unit, operation FROM lot_link WHERE input_lot = :lot AND output_lot = :batch"),
            {"lot": lot, "batch": batch},
        ).all()  # fmt: skip
    assert [(str(one.quantity), one.unit, one.operation) for one in links] == [("40", "pcs", "TURN")]
    record = ok(await (await company.desk("sam")).get(f"{path}/batch-record"))
    assert [(one["number"], one["state"], one["decidedBy"]) for one in record["recoveries"]] == [
        (number, "introduced", "max")
    ]
    told = [one["detail"] for one in record["exceptions"] if one["type"] == "recoveredMaterial"]
    assert told == [f"{number}: 40 pcs of lot {lot} (rejected) introduced"]
    listed = ok(await leader.get("/quality/recoveries", state="introduced", limit=500))["recoveries"]
    assert number in [one["number"] for one in listed]


@pytest.mark.accepts("QL-11")
async def test_a_lot_that_is_stopped_after_the_approval_does_not_go_in(company: Company) -> None:
    lot = await rejected(company, "GRANULE")
    order, path = await running(company, "GRANULE")
    asked = {"operation": "TURN", "lot": lot, "quantity": "400", "reason": "assay too low"}
    number = (await do(company, "olu", f"{path}/recoveries", **asked))["result"]["recovery"]
    await do(company, "max", f"{path}/recoveries/{number}/approve", signed=PASSWORD, **BY_THE_BOOK)
    olu = await company.desk("olu")
    assert codes(await olu.command(f"{path}/recoveries/{number}/introduce")) == ["NOT_ENOUGH"]
    assert await stock(company, lot) == {"REJECTED": "100"}
    await do(company, "max", f"{path}/recoveries/{number}/reject", reason="there is not as much")
    found = await made(company, order, path)
    assert [one["name"] for one in found["workOrders"][0]["inspection"]["characteristics"]] == ["assay"]


@pytest.mark.accepts("QL-11", "A19")
async def test_a_cancelled_order_voids_its_recovery(company: Company, engine: Engine) -> None:
    lot = await rejected(company, "GRANULE")
    order, path = await running(company, "GRANULE")
    asked = {"operation": "TURN", "lot": lot, "quantity": "10", "reason": "assay too low"}
    await do(company, "olu", f"{path}/recoveries", **asked)
    await do(company, "sam", f"/mes/orders/{order}/cancel", reason="customer withdrew", disposition="scrap")
    await until(company, order, lambda o: o["state"] in ("aborted", "cancelled"))
    with engine.connect() as connection:
        state = connection.execute(text("SELECT state FROM recovery WHERE lot = :lot"), {"lot": lot}).scalar_one()
    assert state == "cancelled"
    assert await stock(company, lot) == {"REJECTED": "100"}


@pytest.mark.accepts("QL-11")
async def test_product_and_stage_have_to_permit_the_rework_of_a_batch(company: Company) -> None:
    lot = await rejected(company, "STONE")
    ana = await company.desk("ana")
    path = f"/quality/lots/{lot}/propose-rework"
    answer = await ana.command(path, operation="TURN", reworkMethod="reprocess", reason="turn it again")
    assert [(one["code"], one["id"]) for one in answer.json()["blockers"]] == [
        ("REPROCESS_FORBIDDEN", "STONE"), ("REWORK_FORBIDDEN", "STONE/TURN"), ("REWORK_FORBIDDEN", "STONE/WRAP"),
    ]  # fmt: skip
    assert codes(await ana.command(path, operation="BAKE", reason="turn it again")) == ["UNKNOWN_OPERATION"]
    good = await ana.command("/quality/lots/API-RECOVERIES/propose-rework", operation="TURN", reason="turn it again")
    assert set(codes(good)) == {"NOT_REWORKABLE", "NOT_REJECTED", "NOT_ENOUGH"}


@pytest.mark.accepts("QL-11", "TR-01")
async def test_a_rejected_batch_is_reworked_by_an_order_of_its_own(company: Company, engine: Engine) -> None:
    lot = await rejected(company, "PEARL")
    first = await do(company, "ana", f"/quality/lots/{lot}/propose-rework", operation="WRAP", reason="only scratched")
    ana, leader = await company.desk("ana"), await company.desk("max")
    again = await ana.command(f"/quality/lots/{lot}/propose-rework", operation="WRAP", reason="only scratched")
    assert codes(again) == ["REWORK_OPEN"]
    await do(company, "max", f"/quality/lots/{lot}/reject-rework", rework=first["rework"], reason="turn it, too")
    own = await do(company, "ana", f"/quality/lots/{lot}/propose-rework", operation="TURN", reason="as Max said")
    number = own["rework"]
    path = f"/quality/lots/{lot}/approve-rework"
    for who in ("sam", "rae", "quinn", "ana"):
        assert (await (await company.desk(who)).command(path, rework=number, **BY_THE_BOOK)).status_code == 403
    unsigned = await leader.command(path, rework=number, **BY_THE_BOOK)
    assert unsigned.json()["code"] == "REAUTH_REQUIRED"
    bare = await leader.command(path, signed=PASSWORD, rework=number, reason="why not, then")
    assert set(codes(bare)) == {"PROCEDURE_MISSING", "ADDITIONAL_TESTS_MISSING"}
    gone = await leader.command(path, signed=PASSWORD, rework=first["rework"], **BY_THE_BOOK)
    assert codes(gone) == ["NO_OPEN_PROPOSAL"]
    body = {"commandId": uuid.uuid4().hex, "rework": number, **BY_THE_BOOK}
    answer = ok(await leader.command(path, signed=PASSWORD, **body))
    assert ok(await leader.command(path, signed=PASSWORD, **body)) == answer
    assert answer["planLine"] == number

    (listed,) = [
        one
        for one in ok(await leader.get("/quality/batch-reworks", lot=lot))["batchReworks"]
        if one["number"] == number
    ]
    order = ok(await (await company.desk("pia")).post(f"/mes/orders/from-plan/{listed['planLineId']}"))
    whole = await (await company.desk("pia")).command(
        f"/mes/orders/{order['id']}/split", parts=[{"quantity": "50"}, {"quantity": "50"}], reason="two shifts"
    )
    assert codes(whole) == ["ONE_BATCH"]
    work = f"/mes/work-orders/{order['workOrders'][0]['id']}"
    await released(company, order["id"])
    await do(company, "sam", f"{work}/dispatch")
    await do(company, "olu", f"{work}/operations/TURN/start")
    (recovery,) = ok(await leader.get(work))["recoveries"]
    assert (recovery["state"], recovery["lot"], recovery["batchRework"]) == ("approved", lot, number)
    await do(company, "olu", f"{work}/recoveries/{recovery['number']}/introduce")
    assert await stock(company, lot) == {}
    found = (await made(company, order["id"], work))["workOrders"][0]
    assert found["outputLot"] == number
    assert [one["name"] for one in found["inspection"]["characteristics"]] == ["assay", "impurity B"]
    values = [{"name": "assay", "text": "99.0", "unit": "%"}, {"name": "impurity B", "text": "0.11", "unit": "%"}]
    await do(company, "ana", f"{work}/inspection/results", values=values)
    await do(company, "ben", f"{work}/inspection/decision", accept=True)
    await until(company, order["id"], lambda o: o["workOrders"][0]["state"] == "puttingAway")
    await do(company, "wil", f"{work}/put-away", place="FINISHED")
    await until(company, order["id"], lambda o: o["state"] == "completed")
    with engine.connect() as connection:
        statement = text("SELECT input_lot, quantity FROM lot_link WHERE output_lot = :lot")
        (link,) = connection.execute(statement, {"lot": number}).all()
    assert (link.input_lot, str(link.quantity)) == (lot, "100")
    back = ok(await leader.get(f"/mes/traceabilities/batch/{number}/validate/PEARL"))
    assert (back["valid"], back["reasons"]) == (True, [])
