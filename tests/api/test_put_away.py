"""From the report to the shelf: proposals, the gate before saleable stock, the label."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, insert, update

from db.tables import Lot, StockBalance, core
from tests.api.company import Company, policy
from tests.api.test_master_data import counted
from tests.api.words import at_stage, do, receive, until

pytestmark = pytest.mark.usefixtures("working")
INBOUND = "/wms/inbound-orders/from-production-report"
SHELVES = [
    {"code": f"{letter}-{number}", "name": f"Shelf {number}", "zone": zone}
    for letter, zone in (("R", "released"), ("Q", "quarantine"), ("X", "rejected"))
    for number in (1, 2, 3)
]


@pytest.fixture(scope="module", autouse=True)
async def _plant(company: Company) -> None:
    document = {"policies": [policy("guarded", signatures={})], "places": SHELVES}
    answer = await (await company.desk("pat")).post("/master-data/import", document)
    assert answer.status_code == 200, answer.text
    await receive(company, "API-PUT", "1000")


async def work_order_of(company: Company, work_order: str) -> dict[str, Any]:
    """The work order as it stands."""
    found: dict[str, Any] = (await (await company.desk("wil")).get(f"/mes/work-orders/{work_order}")).json()
    return found


async def proposed(company: Company, put_away: str, **query: Any) -> list[tuple[str, str]]:
    """What is proposed: (place, reason)."""
    answer = await (await company.desk("wil")).get(f"/wms/put-away-orders/{put_away}/proposals", **query)
    assert answer.status_code == 200, answer.text
    return [(line["place"], line["reason"]) for line in answer.json()["proposals"]]


@pytest.mark.accepts("A15", "D1")
async def test_what_was_reported_is_put_away_behind_the_gates(company: Company) -> None:
    order, work_order = await at_stage(company, "puttingAway", policy="guarded", batchNumber="TAB-PUT-1")
    wil = await company.desk("wil")
    (report,) = (await wil.get("/mes/production-reports", workOrderId=work_order)).json()["reports"]
    inbound = {"reportNumber": report["number"], "place": "QUARANTINE"}
    more = await wil.command(INBOUND, **inbound, quantity="991")
    assert (more.status_code, more.json()["code"]) == (409, "MORE_THAN_GOOD"), more.text
    assert more.json()["blockers"][0]["found"] == "991"
    early = await wil.command(INBOUND, **inbound | {"place": "FINISHED"})
    assert (early.status_code, early.json()["code"]) == (409, "ZONE_MISMATCH"), early.text
    (gate,) = early.json()["blockers"]
    assert (gate["id"], gate["whoCanFix"]) == ("TAB-PUT-1", "supervisor")
    assert "production release first" in gate["required"]
    lying = (await wil.get("/wms/stock", lot="TAB-PUT-1")).json()["stock"]
    assert [(line["place"], line["onHand"]) for line in lying] == [("LINE", "990")]
    await do(company, "wil", INBOUND, **inbound)
    await do(company, "quinn", f"/mes/work-orders/{work_order}/certify")
    await do(company, "sam", f"/mes/work-orders/{work_order}/release-batch", place="FINISHED")
    await until(company, order, lambda o: o["workOrders"][0]["lotStatus"] == "released")
    (line,) = (await wil.get("/wms/stock", lot="TAB-PUT-1")).json()["stock"]
    assert (line["place"], line["onHand"], line["status"], line["lot"]) == ("FINISHED", "990", "released", "TAB-PUT-1")
    label = await wil.get("/wms/lots/TAB-PUT-1/label")
    assert (label.status_code, label.headers["content-type"]) == (200, "image/svg+xml")
    for text in ("合格 RELEASED", "TAB-PUT-1", "990 pcs", "Plant  demo"):
        assert text in label.text
    missing = await wil.command(INBOUND, reportNumber="NONE", place="FINISHED")
    assert missing.status_code == 404


@pytest.mark.accepts("A15")
async def test_places_are_proposed_by_what_lies_there(company: Company, engine: Engine) -> None:
    _, first = await at_stage(company, "puttingAway", policy="guarded")
    _, second = await at_stage(company, "puttingAway", policy="guarded", batchNumber="TAB-PUT-2")
    one, other = [(await work_order_of(company, own))["putAway"]["id"] for own in (first, second)]
    delivery = {"lot": "API-Q", "material": "API", "quantity": "1", "unit": "kg", "place": "Q-3"}
    await do(company, "wil", "/wms/receipts", **delivery)
    rest = [("QUARANTINE", "PLANT_POLICY"), ("Q-1", "EMPTY"), ("Q-2", "EMPTY"), ("Q-3", "ZONE_FITS")]
    assert await proposed(company, other) == rest
    await do(company, "wil", f"/mes/work-orders/{first}/put-away", place="Q-2")
    rest.remove(("Q-2", "EMPTY"))
    assert await proposed(company, other) == [("Q-2", "SAME_MATERIAL"), *rest]
    with engine.begin() as connection:  # an earlier part of the lot
        row = {"lot": "TAB-PUT-2", "place": "Q-3", "on_hand": 5, "reserved": 0}
        connection.execute(insert(core(StockBalance)).values(row))
    assert await proposed(company, other) == [("Q-3", "SAME_LOT"), ("Q-2", "SAME_MATERIAL"), *rest[:2]]
    assert await proposed(company, other, limit=1) == [("Q-3", "SAME_LOT")]
    assert await proposed(company, one) == []
    missing = await (await company.desk("wil")).get(f"/wms/put-away-orders/{uuid4()}/proposals")
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("status", "zones"),
    [("released", ["released", "quarantine"]), ("rejected", ["rejected"]), ("onHold", ["quarantine"]),
     ("recalled", ["quarantine"])],
)  # fmt: skip
async def test_only_zones_that_fit_the_status(company: Company, engine: Engine, status: str, zones: list[str]) -> None:
    _, work_order = await at_stage(company, "puttingAway", policy="guarded")
    found = await work_order_of(company, work_order)
    with engine.begin() as connection:
        lots = core(Lot)
        connection.execute(update(lots).where(lots.c.number == found["outputLot"]).values(status=status))
    path = f"/wms/put-away-orders/{found['putAway']['id']}/proposals"
    answer = (await (await company.desk("wil")).get(path, limit=200)).json()
    assert (answer["lotStatus"], answer["zones"]) == (status, zones)
    assert {line["zone"] for line in answer["proposals"]} == set(zones)
    assert not {line["place"] for line in answer["proposals"]} & {"RECEIVING", "LINE", "SUPPLIER", "PROCESS", "SCRAP"}


async def test_many_places_cost_no_more_statements(company: Company, engine: Engine, app: FastAPI) -> None:
    _, work_order = await at_stage(company, "puttingAway", policy="guarded")
    put_away = (await work_order_of(company, work_order))["putAway"]["id"]
    with counted(app.state.services.engine) as few:
        before = await proposed(company, put_away)
    shelves = [{"code": f"Z-{number:04}", "name": "Shelf", "zone": "quarantine"} for number in range(1000)]
    await (await company.desk("pat")).post("/master-data/import", {"places": shelves})
    with counted(app.state.services.engine) as many:
        after = await proposed(company, put_away, limit=200)
    assert len(after) == 200 > len(before)
    assert sum("FROM p" in sent for sent in many) == sum("FROM p" in sent for sent in few) == 2
