"""Nonconforming lots: marked wherever they are named, kept apart, destroyed by decision before a witness (QL-12)."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api.gate import PREFIX
from db.queries.marking import MARK, NAMING
from tests.api.company import PASSWORD, Company
from tests.api.holding import held, until_hold
from tests.api.recalling import opened, scoped
from tests.api.shipping import prepare, saleable, shipped
from tests.api.words import at_stage, do, receive

pytestmark = pytest.mark.usefixtures("working")
_BY_NUMBER = {"lot", "batch_no", "product_id", "serial_no"}
"""Parameters of addresses that take the number of a lot."""


async def rejected(company: Company, lot: str, quantity: str = "10") -> None:
    """A received lot with too much water: ana finds it, ben rejects it."""
    got = await do(company, "wil", "/wms/receipts", lot=lot, material="API", quantity=quantity, unit="kg")
    path = f"/quality/inspections/{got['inspection']['number']}"
    await do(company, "ana", f"{path}/results", values=[{"name": "water", "text": "2.5", "unit": "%"}])
    await do(company, "ben", f"{path}/decision", accept=False)


def naming(value: Any, lot: str) -> Iterator[dict[str, Any]]:
    """Every part of a document that names the lot."""
    if isinstance(value, dict):
        if any(value.get(name) == lot for name in NAMING):
            yield value
        for name, own in value.items():
            if name != "filters":  # the question, told again
                yield from naming(own, lot)
    elif isinstance(value, list):
        for own in value:
            yield from naming(own, lot)


async def documents(company: Company, app: FastAPI, lot: str, **ids: str) -> dict[str, Any]:
    """Path → what every list and detail says that can be asked about the lot."""
    found: dict[str, Any] = {}
    desk = await company.desk("rae")
    for full, methods in app.openapi()["paths"].items():
        path = full.removeprefix(PREFIX)
        if "get" not in methods:
            continue
        named = [own["name"] for own in methods["get"].get("parameters", ()) if own["in"] == "path"]
        values = {name: lot if name in _BY_NUMBER else ids.get(name) for name in named}
        if None in values.values():
            continue
        asked = {own["name"] for own in methods["get"].get("parameters", ()) if own["in"] == "query"}
        query = {"batch": lot} if path.endswith("/graph") else {"lot": lot} if "lot" in asked else {}
        answer = await desk.get(path.format(**values), **query)
        if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
            found[path] = answer.json()
    return found


_FROZEN = {
    "/audit", "/mes/work-orders/{work_order_id}/batch-record", "/mes/work-orders/{work_order_id}/batch-record/archive",
    "/mes/orders/{order_id}/history",
}  # fmt: skip
"""What was said at a time stays as it was said."""


@pytest.mark.accepts("QL-12")
async def test_a_nonconforming_lot_is_marked_in_every_list(company: Company, app: FastAPI) -> None:
    await receive(company, "API-NC", "1000")
    order, work_order, lot = await saleable(company)
    shipment = await shipped(company, lot, "10")
    await do(company, "rae", "/quality/deviations", lot=lot, code="CRACKED", detail="a cracked tablet")
    recall = (await opened(company, mock=True, lot=lot)).rpartition("/")[2]
    await scoped(company, f"/quality/recalls/{recall}")
    shown = (await (await company.desk("rae")).get(f"/mes/work-orders/{work_order}")).json()
    ids = {
        "order_id": order, "work_order_id": work_order, "shipment": shipment, "recall": recall,
        "pick_list_id": shown["pickList"]["id"],
    }  # fmt: skip
    before = await documents(company, app, lot, **ids)
    hold = await held(company, lot)
    await until_hold(company, hold, "held")
    after = await documents(company, app, lot, **ids, hold=hold)
    for state, is_marked in ((before, False), (after, True)):
        telling = {path: list(naming(document, lot)) for path, document in state.items() if path not in _FROZEN}
        telling = {path: parts for path, parts in telling.items() if parts}
        assert {"/wms/stock", "/wms/lots/{lot}", "/wms/shipments", "/quality/inspections", "/quality/deviations",
                "/mes/orders/{order_id}", "/mes/work-orders/{work_order_id}", "/mes/traceabilities/lots/{lot}",
                "/mes/traceabilities/graph", "/quality/recalls"} <= telling.keys()  # fmt: skip
        wrong = {path: part for path, parts in telling.items() for part in parts if part.get(MARK) is not is_marked}
        assert wrong == {}


@pytest.mark.accepts("QL-12")
async def test_a_rejected_lot_is_neither_allocated_nor_shipped_and_lies_among_the_rejected(
    company: Company, engine: Engine
) -> None:
    lot = f"API-REJ-{uuid.uuid4().hex[:6]}"
    await rejected(company, lot)
    wil = await company.desk("wil")
    stock = (await wil.get("/wms/stock", lot=lot)).json()["stock"]
    assert [(row["place"], row["zone"], row[MARK]) for row in stock] == [("REJECTED", "rejected", True)]
    sent = await prepare(company, lot, "1", unit="kg", place="REJECTED")
    assert {blocker["code"] for blocker in sent.json()["blockers"]} == {"LOT_NOT_USABLE", "ZONE_MISMATCH"}
    order, _ = await at_stage(company, "released", fixedLots={"API": [lot]})
    work_order = (await wil.get(f"/mes/orders/{order}")).json()["workOrders"][0]["id"]
    await do(company, "sam", f"/mes/work-orders/{work_order}/dispatch")
    reserved = text("SELECT count(*) FROM reservation WHERE lot = :l")
    with engine.connect() as connection:
        assert connection.execute(reserved, {"l": lot}).scalar_one() == 0

    body = {"quantity": "4", "fromPlace": "REJECTED", "reason": "the store is full"}
    for place in ("RAW", "QUARANTINE", "FINISHED"):
        refused = await wil.command(f"/quality/lots/{lot}/move", **body, toPlace=place)
        assert [one["code"] for one in refused.json()["blockers"]] == ["ZONE_MISMATCH", "NOT_APPROVED"], place
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO place VALUES ('CAGE', 'Cage', 'rejected') ON CONFLICT DO NOTHING"))
    unapproved = await wil.command(f"/quality/lots/{lot}/move", **body, toPlace="CAGE")
    assert [one["code"] for one in unapproved.json()["blockers"]] == ["NOT_APPROVED"]
    by_rae = {"userId": "rae", "password": PASSWORD}
    other = await wil.command(f"/quality/lots/{lot}/move", **body, toPlace="CAGE", second=by_rae)
    assert (other.status_code, other.json()["code"]) == (403, "NOT_AUTHORISED")
    by_max = {"userId": "max", "password": PASSWORD}
    await do(company, "wil", f"/quality/lots/{lot}/move", **body, toPlace="CAGE", second=by_max)
    stock = (await wil.get("/wms/stock", lot=lot)).json()["stock"]
    assert {(row["place"], row["zone"], row["onHand"]) for row in stock} == {
        ("CAGE", "rejected", "4"), ("REJECTED", "rejected", "6")
    }  # fmt: skip


@pytest.mark.accepts("QL-12")
async def test_a_lot_is_destroyed_by_decision_of_the_quality_manager_before_a_witness(
    company: Company, engine: Engine
) -> None:
    lot = f"API-DES-{uuid.uuid4().hex[:6]}"
    await rejected(company, lot)
    path = f"/quality/lots/{lot}"
    wil, maxim = await company.desk("wil"), await company.desk("max")
    witness = {"userId": "rae", "password": PASSWORD}
    body = {"destruction": f"{lot}-X1", "how": "burnt at 1100 °C"}
    undecided = await wil.command(f"{path}/destroy", signed=PASSWORD, second=witness, **body)
    assert (undecided.status_code, undecided.json()["code"]) == (409, "NOT_APPROVED")
    unsigned = await maxim.command(f"{path}/decide-destruction", reason="water 2.5 %")
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    decided = await do(company, "max", f"{path}/decide-destruction", signed=PASSWORD, reason="water 2.5 %")
    assert decided["destruction"] == f"{lot}-X1"
    alone = await wil.command(f"{path}/destroy", signed=PASSWORD, **body)
    assert (alone.status_code, alone.json()["code"]) == (403, "SECOND_PERSON_REQUIRED")
    himself = {"userId": "wil", "password": PASSWORD}
    twice = await wil.command(f"{path}/destroy", signed=PASSWORD, second=himself, **body)
    assert (twice.status_code, twice.json()["code"]) == (403, "SEPARATION_OF_DUTIES")
    await do(company, "wil", f"{path}/destroy", signed=PASSWORD, second=witness, **body)
    (record,) = (await wil.get(f"{path}/destructions")).json()["destructions"]
    said = {name: record[name] for name in ("decidedBy", "destroyedBy", "witnessedBy", "quantity", "unit", "how", MARK)}
    assert said == {
        "decidedBy": "max", "destroyedBy": "wil", "witnessedBy": "rae", "quantity": "10", "unit": "kg",
        "how": "burnt at 1100 °C", MARK: True,
    }  # fmt: skip
    with engine.connect() as connection:
        given = text("SELECT signer, meaning FROM signature WHERE entity = :e ORDER BY signed_at, part DESC")
        rows = [tuple(row) for row in connection.execute(given, {"e": f"lot/{lot}"})]
    assert sorted(rows) == [("max", "approved"), ("rae", "witnessed"), ("wil", "performed")]
    assert (await wil.get("/wms/stock", lot=lot)).json()["stock"] == []
    assert (await wil.get(f"/wms/lots/{lot}")).json()["status"] == "destroyed"
    again = await wil.command(f"{path}/destroy", signed=PASSWORD, second=witness, **body)
    assert {one["code"] for one in again.json()["blockers"]} == {"DESTRUCTION_NOT_POSSIBLE", "NOT_APPROVED"}


async def test_only_rejected_or_recalled_lots_are_destroyed(company: Company) -> None:
    await receive(company, "API-FINE", "5")
    refused = await (await company.desk("max")).command(
        "/quality/lots/API-FINE/decide-destruction", signed=PASSWORD, reason="by mistake"
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "DESTRUCTION_NOT_POSSIBLE")


@pytest.mark.accepts("QL-12")
async def test_what_was_reserved_of_a_lot_is_withdrawn_when_the_lot_is_rejected(
    company: Company, engine: Engine
) -> None:
    """Another delivery of a released lot fails: nothing of it stays among the released, not even what was picked."""
    lot = f"API-WD-{uuid.uuid4().hex[:6]}"
    await receive(company, lot, "10")
    order, work_order = await at_stage(company, "dispatched", fixedLots={"API": [lot]})
    wil = await company.desk("wil")
    shown = (await wil.get(f"/mes/work-orders/{work_order}")).json()
    pick_list = f"/wms/outbound-orders/{shown['pickList']['id']}"
    await do(company, "wes", f"{pick_list}/approve")
    await rejected(company, lot, "1")
    stock = (await wil.get("/wms/stock", lot=lot)).json()["stock"]
    assert [(row["place"], row["onHand"], row["reserved"]) for row in stock] == [("REJECTED", "11", "0")]
    issue = await (await company.desk("wes")).command(f"{pick_list}/execute")
    assert (issue.status_code, issue.json()["code"]) == (409, "LOT_NOT_USABLE")
    short = await (await company.desk("wes")).command(f"{pick_list}/preallocate-inventory")
    assert (short.status_code, short.json()["code"]) == (409, "SHORT")
    with engine.connect() as connection:
        left = text("SELECT count(*) FROM reservation WHERE lot = :l AND state <> 'freed'")
        assert connection.execute(left, {"l": lot}).scalar_one() == 0
    cancel = {"reason": "no material", "disposition": "scrap"}
    await do(company, "sam", f"/mes/orders/{order}/cancel", **cancel)


@pytest.mark.accepts("QL-12")
async def test_a_batch_that_fails_its_test_is_put_away_among_the_rejected_only(company: Company) -> None:
    await receive(company, "API-PA", "5")
    order, work_order = await at_stage(company, "inspecting", fixedLots={"API": ["API-PA"]})
    path = f"/mes/work-orders/{work_order}"
    values = [{"name": "dissolution", "text": "90.0", "unit": "%"}]
    await do(company, "ana", f"{path}/inspection/results", values=values)
    await do(company, "ben", f"{path}/inspection/decision", accept=False, reason="broken tablets")
    wil = await company.desk("wil")
    for place in ("FINISHED", "QUARANTINE"):
        refused = await wil.command(f"{path}/put-away", place=place)
        assert (refused.status_code, refused.json()["code"]) == (409, "ZONE_MISMATCH"), place
    await do(company, "wil", f"{path}/put-away", place="REJECTED")
    shown = (await wil.get(f"/mes/orders/{order}")).json()["workOrders"][0]
    assert (shown["lotStatus"], shown[MARK]) == ("rejected", True)
    stock = (await wil.get("/wms/stock", lot=shown["outputLot"])).json()["stock"]
    assert {row["zone"] for row in stock} == {"rejected"}
