"""A lot that goes from one plant to another, each with a system of its own: the trace does not break (C4, TR-06)."""

import copy
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from temporalio.client import Client

from api.app import create_app
from db.session import engine_for
from settings import Settings
from system.addresses import Addresses
from tests.api.company import MASTER_DATA, PREFIX, Company, line, material, operation
from tests.api.shipping import saleable, shipped
from tests.api.words import create, do, receive, until
from tests.conftest import copied_database
from tests.contracts.epcis.schema import wrong
from worker import build_worker

pytestmark = pytest.mark.usefixtures("working")
GTIN = "04012345111118"
TABLETS = {**material("TAB", "finished", "pcs"), "strength": "250 mg", "shelfLifeDays": 730, "gtin": GTIN}
WEST_DATA: dict[str, Any] = {
    **MASTER_DATA,
    "materials": [
        *(own for own in MASTER_DATA["materials"] if own["code"] != "TAB"), TABLETS,
        {**material("KIT", "finished", "pcs"), "strength": "2 × 250 mg", "gtin": "00614141777778"},
    ],
    "billsOfMaterial": [
        *(own for own in MASTER_DATA["billsOfMaterial"] if own["product"] != "TAB"),
        {"product": "KIT", "version": "1", "baseQuantity": "1", "lines": [line(1, "TAB", "2", "pcs", "FIT")]},
    ],
    "routes": [
        *(own for own in MASTER_DATA["routes"] if own["product"] != "TAB"),
        {"product": "KIT", "version": "1", "operations": [
            operation("FIT", 10, "FIT", [], countsPieces=True, isOutput=True)]},
    ],
}  # fmt: skip
Document = dict[str, Any]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The first plant's."""
    return replace(settings, site="EAST", site_gln="0614141007776")


@pytest.fixture(scope="module")
async def west(servers: Addresses, staffed: str, settings: Settings, client: Client) -> AsyncIterator[Company]:
    """The second plant: a database, an API and a worker of its own."""
    with copied_database(servers, staffed) as database:
        own = Settings(
            database_url=database.app_url, database_owner_url=database.owner_url, site="WEST",
            temporal_address=settings.temporal_address, data_dir=settings.data_dir, secret_keys=settings.secret_keys,
        )  # fmt: skip
        app: FastAPI = create_app(own, task_queue="epcis-west")
        engine = engine_for(own.database_url, pool_size=20, application="millwright-worker")
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://west", timeout=30)
        working = build_worker(client, engine, own, task_queue="epcis-west")
        async with app.router.lifespan_context(app), working, http:
            company = Company(http)
            made = await (await company.desk("pat")).post("/master-data/import", WEST_DATA)
            assert made.status_code == 200, made.text
            yield company
        engine.dispose()


async def export(company: Company, **query: Any) -> Document:
    answer = await (await company.desk("rae")).get("/epcis/events", **query)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    assert wrong(found) == []
    return found


async def capture(company: Company, document: Any, who: str = "wil", **query: Any) -> httpx.Response:
    desk = await company.desk(who)
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {**desk.headers, "content-type": "application/json"}
    params = {"source": "the other plant", **query}
    return await company.client.post(f"{PREFIX}/epcis/capture", content=content, headers=headers, params=params)


async def trace(company: Company, lot: str, direction: str, who: str = "dan") -> Document:
    answer = await (await company.desk(who)).get(f"/mes/traceabilities/lots/{lot}", direction=direction)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def links(found: Document) -> set[tuple[str, str, str]]:
    """(from, to, plant that told it) by the names of the lots."""
    names = {node["lot"]: node.get("name", node["lot"]) for node in found["nodes"]}
    return {(names[own["from"]], names[own["to"]], own.get("sourcePlant", "")) for own in found["edges"]}


async def kit(west: Company) -> str:
    """A kit that the second plant makes of the tablets that it has received."""
    made = await create(west, product="KIT", quantity="10", policy="swift", plant="WEST-P")
    order, work_order = made["id"], made["workOrders"][0]["id"]
    await approved_swift(west, order)
    path = f"/mes/work-orders/{work_order}"
    await do(west, "sam", f"{path}/dispatch")
    await until(west, order, lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") in ("allocated", "short"))
    found = (await (await west.desk("wil")).get(path)).json()
    await do(west, "wes", f"/wms/outbound-orders/{found['pickList']['id']}/approve")
    await do(west, "wes", f"/wms/outbound-orders/{found['pickList']['id']}/execute")
    await until(west, order, lambda o: o["workOrders"][0]["state"] == "ready")
    await do(west, "olu", f"{path}/start-execution")
    await do(west, "olu", f"{path}/operations/FIT/start")
    report = {"workOrderId": work_order, "operation": "FIT", "good": "10", "scrap": "0", "labourSeconds": 60}
    await do(west, "olu", "/mes/production-reports/report", **report)
    await do(west, "olu", f"{path}/operations/FIT/complete")
    done = await until(west, order, lambda o: o["workOrders"][0]["state"] in ("inspecting", "puttingAway"))
    lot: str = done["workOrders"][0]["outputLot"]
    return lot


async def approved_swift(company: Company, order: str) -> None:
    await do(company, "pia", f"/mes/orders/{order}/submit")
    await do(company, "sam", f"/mes/orders/{order}/approve")
    await do(company, "sam", f"/mes/orders/{order}/release")


@pytest.fixture(scope="module")
async def history(company: Company, west: Company) -> dict[str, Any]:
    """Raw material → tablets in the east, shipped → received in the west under its own number → kit."""
    changed = await (await company.desk("pat")).post("/master-data/import", {"materials": [TABLETS]})
    assert changed.status_code == 200, changed.text
    await receive(company, "EAST-API-1", "100", supplier="ACME")
    _, _, tablets = await saleable(company, plant="EAST-P")
    await shipped(company, tablets, "500")
    got = await (await west.desk("wil")).command(
        "/wms/receipts", lot="WEST-R-1", material="TAB", quantity="500", unit="pcs", supplierLot=tablets
    )
    assert got.status_code == 200, got.text
    path = f"/quality/inspections/{got.json()['inspection']['number']}"
    await do(west, "ana", f"{path}/results", values=[{"name": "dissolution", "text": "90.0", "unit": "%"}])
    await do(west, "ben", f"{path}/decision", accept=True)
    return {"tablets": tablets, "kit": await kit(west)}


def everything(engine: Engine) -> dict[str, Any]:
    """All rows of our own stock and genealogy."""
    tables = ("lot", "stock_move", "stock_balance", "lot_link", "reservation", "production_order")
    with engine.connect() as connection:
        return {
            name: connection.execute(text(f"SELECT row_to_json(t)::text FROM {name} t ORDER BY 1")).scalars().all()
            for name in tables
        }


@pytest.mark.accepts("C4", "TR-06")
async def test_the_trace_goes_through_both_plants_in_both_directions(
    company: Company, west: Company, history: dict[str, Any], engine: Engine
) -> None:
    tablets, kit_lot = history["tablets"], history["kit"]
    before = await trace(west, kit_lot, "backward")
    assert links(before) == {("WEST-R-1", kit_lot, "")}, "without events the trace ends at the gate"
    sent = await export(company, lot=tablets)
    seen = await capture(west, sent, preview=True)
    assert (seen.status_code, seen.json()["accepted"]) == (200, len(sent["epcisBody"]["eventList"]))
    assert {own["sourcePlant"] for own in seen.json()["events"]} == {"EAST", "EAST-P"}
    assert links(await trace(west, kit_lot, "backward")) == links(before), "a preview stores nothing"
    taken = await capture(west, sent)
    assert (taken.status_code, taken.json()["quarantined"]) == (200, [])
    back = await trace(west, kit_lot, "backward")
    assert links(back) == {("EAST-API-1", "WEST-R-1", "EAST-P"), ("WEST-R-1", kit_lot, "")}
    by_name = {node.get("name", node["lot"]): node for node in back["nodes"]}
    assert (by_name["EAST-API-1"]["sourcePlant"], by_name["EAST-API-1"]["status"]) == ("EAST", "external")
    assert (by_name["WEST-R-1"]["sourcePlant"], by_name["WEST-R-1"]["epc"]) == (
        "EAST-P", f"https://id.gs1.org/01/{GTIN}/10/{tablets}",
    )  # fmt: skip
    assert "sourcePlant" not in by_name[kit_lot]
    stock = everything(engine)
    reply = await capture(company, await export(west, lot=kit_lot))
    assert (reply.status_code, reply.json()["quarantined"]) == (200, []), reply.text
    forward = await trace(company, "EAST-API-1", "forward")
    assert links(forward) == {("EAST-API-1", tablets, ""), (tablets, kit_lot, "WEST-P")}
    assert links(await trace(company, tablets, "both")) == links(forward)
    asked = await (await company.desk("dan")).get(
        "/mes/traceabilities/graph", batch="EAST-API-1", direction="downstream"
    )
    assert links(asked.json()) == links(forward)
    assert everything(engine) == stock, "what others tell changes nothing of our own"


@pytest.mark.accepts("C4")
async def test_a_document_that_comes_twice_has_one_effect(
    company: Company, west: Company, history: dict[str, Any]
) -> None:
    sent = json.dumps(await export(company, lot=history["tablets"])).encode()
    first, second = await capture(west, sent), await capture(west, sent)
    assert first.json()["accepted"] == 0, "its events had come in another document"
    assert (second.json()["duplicate"], second.json()["accepted"]) == (True, 0)
    assert second.json()["sha256"] == hashlib.sha256(sent).hexdigest()
    found = await (await west.desk("rae")).get(f"/epcis/documents/{second.json()['sha256']}")
    assert found.json()["body"].encode() == sent, "it is kept as it came"
    rows = (await (await west.desk("aud")).get("/audit", entity=f"epcis-document/{second.json()['sha256']}")).json()
    assert [row["action"] for row in rows["rows"]] == ["epcis.imported"]


@pytest.mark.accepts("C4")
async def test_what_contradicts_or_cannot_be_read_is_put_aside_and_shown(
    company: Company, west: Company, history: dict[str, Any]
) -> None:
    sent = await export(company, lot=history["tablets"])
    before = links(await trace(west, history["kit"], "backward"))
    other = copy.deepcopy(sent)
    events = other["epcisBody"]["eventList"]
    made = next(event for event in events if event["type"] == "TransformationEvent" and "inputQuantityList" in event)
    made["inputQuantityList"][0]["epcClass"] = "urn:millwright:lot:EAST:API:SOMETHING-ELSE"
    broken = copy.deepcopy(made) | {"eventID": "urn:uuid:00000000-0000-0000-0000-000000000001", "bizStep": "baking"}
    ours = copy.deepcopy(made) | {"eventID": "urn:uuid:00000000-0000-0000-0000-000000000002", "millwright:site": "WEST"}
    kit_class = f"https://id.gs1.org/01/00614141777778/10/{history['kit']}"
    claimed = copy.deepcopy(made) | {
        "eventID": "urn:uuid:00000000-0000-0000-0000-000000000003", "outputQuantityList": [{"epcClass": kit_class}],
    }  # fmt: skip
    wrong_one = copy.deepcopy(made) | {
        "eventID": made["eventID"] + "0",
        "errorDeclaration": {"declarationTime": made["eventTime"]},
    }
    other["epcisBody"]["eventList"] = [made, broken, ours, claimed, wrong_one, "no event"]
    answer = await capture(west, other)
    assert answer.status_code == 202
    found = {own["position"]: [no["code"] for no in own["blockers"]] for own in answer.json()["quarantined"]}
    assert found == {
        0: ["CONTRADICTION"], 1: ["SCHEMA"], 2: ["OWN_EVENT"], 3: ["LOT_MADE_HERE"], 4: ["ERROR_DECLARATION"],
        5: ["SCHEMA"],
    }  # fmt: skip
    assert links(await trace(west, history["kit"], "backward")) == before
    again = await capture(west, other)
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    listed = (await (await west.desk("rae")).get("/epcis/quarantine")).json()["quarantined"]
    assert sorted(own["position"] for own in listed) == [0, 1, 2, 3, 4, 5], "once each"
    assert not any(own["isSettled"] for own in listed)
    alarms = (await (await west.desk("sam")).get("/alarms")).json()["alarms"]
    assert sum(own["code"] == "MESSAGE_QUARANTINED" for own in alarms) == 1
    mended = copy.deepcopy(sent)
    mended["epcisBody"]["eventList"] = [broken | {"bizStep": "other", "transformationID": "urn:x:mended"}]
    assert (await capture(west, mended)).status_code == 200
    listed = (await (await west.desk("rae")).get("/epcis/quarantine")).json()["quarantined"]
    assert [own["position"] for own in listed if own["isSettled"]] == [1]
    for body, code in ((b"\xff", "NOT_JSON"), (b"[]", "SCHEMA"), (b'{"a": NaN}', "NOT_JSON"), (b"{}", "SCHEMA")):
        none = await capture(west, body)
        assert (none.status_code, none.json()["quarantined"][0]["blockers"][0]["code"]) == (202, code)


@pytest.mark.accepts("C4", "A22")
async def test_who_may_and_what_a_limited_account_sees(
    company: Company, west: Company, history: dict[str, Any]
) -> None:
    refused = await capture(west, {}, who="olu")
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_AUTHORISED")
    limited = await (await west.desk("ada")).command(
        "/users/dan/scope", plants=["WEST-P"], lines=None, reason="works in the west alone"
    )
    assert limited.status_code == 200, limited.text
    dan = await west.login("dan")
    found = (await dan.get(f"/mes/traceabilities/lots/{history['kit']}", direction="backward")).json()
    assert found["outsideScope"] >= 1
    assert all(node["status"] != "external" for node in found["nodes"])
    assert (await dan.get("/epcis/imported-events")).json()["events"] == []


async def test_events_that_others_told_cannot_be_changed(west: Company, history: dict[str, Any]) -> None:
    services = west.client._transport.app.state.services  # type: ignore[attr-defined]
    for table in ("epcis_document", "epcis_event", "epcis_item", "epcis_rejection"):
        with pytest.raises(Exception, match=r"permission denied|append-only"), services.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
