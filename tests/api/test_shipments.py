"""Shipments: only saleable stock leaves, and the record says who got what."""

from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import Engine, text

from tests.api.company import PASSWORD, Company
from tests.api.holding import held, let_go, until_hold
from tests.api.shipping import CLINIC, prepare, saleable, shipped, stored
from tests.api.words import do, receive
from tests.conftest import Database

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(company: Company) -> None:
    await receive(company, "API-SHIP", "1000")


async def codes(company: Company, lot: str, quantity: str = "100", **more: str) -> list[str]:
    """Everything that stands in the way of a shipment."""
    answer = await prepare(company, lot, quantity, **more)
    assert answer.status_code == 409, answer.text
    return [blocker["code"] for blocker in answer.json()["blockers"]]


@pytest.mark.accepts("B13")
async def test_a_batch_is_saleable_and_shipped_only_after_certificate_and_release(company: Company) -> None:
    _, work_order, lot = await stored(company)
    path = f"/mes/work-orders/{work_order}"
    assert await codes(company, lot) == ["LOT_NOT_USABLE", "NOT_ENOUGH"]
    assert await codes(company, lot, place="QUARANTINE") == ["LOT_NOT_USABLE", "ZONE_MISMATCH"]
    sue = await company.desk("sue")
    refused = await sue.command(f"{path}/certify", signed=PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (403, "QP_REQUIRED")
    early = await sue.command(f"{path}/release-batch", place="FINISHED")
    assert (early.status_code, early.json()["code"]) == (409, "NOT_CERTIFIED")
    await do(company, "quinn", f"{path}/certify", signed=PASSWORD)
    assert await codes(company, lot) == ["LOT_NOT_USABLE", "NOT_ENOUGH"]
    same = await (await company.desk("quinn")).command(f"{path}/release-batch", place="FINISHED")
    assert same.status_code == 403
    await do(company, "sue", f"{path}/release-batch", place="FINISHED")
    stock = (await (await company.desk("wil")).get("/wms/stock", lot=lot)).json()["stock"]
    assert [(row["place"], row["zone"], row["status"]) for row in stock] == [("FINISHED", "released", "released")]
    await shipped(company, lot, "100")


@pytest.mark.accepts("TR-08")
async def test_a_shipment_record_says_who_got_what_and_is_kept(
    company: Company, engine: Engine, database: Database
) -> None:
    _, _, lot = await saleable(company)
    number = await shipped(company, lot, "400")
    found = (await (await company.desk("aud")).get(f"/wms/shipments/{number}")).json()
    said = {name: found[name] for name in ("product", "strength", "batch", "quantity", "unit", "transport", "state")}
    assert said == {
        "product": "TAB", "strength": "250 mg", "batch": lot, "quantity": "400", "unit": "pcs",
        "transport": "truck, 15–25 °C", "state": "shipped",
    }  # fmt: skip
    assert {name: found[name] for name in CLINIC} == CLINIC
    shipped_on, expires_on = date.fromisoformat(found["shippedAt"][:10]), date.fromisoformat(found["expiresOn"])
    assert expires_on - shipped_on == timedelta(days=730)
    assert date.fromisoformat(found["retainUntil"]) >= expires_on.replace(year=expires_on.year + 1)
    for url in (database.app_url, database.owner_url):  # not even the owner of the schema, by a plain statement
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM shipment WHERE number = %s", (number,))
    with engine.connect() as connection:
        left = text("SELECT from_place, to_place, quantity FROM stock_move WHERE lot = :l AND kind = 'ship'")
        assert [tuple(row) for row in connection.execute(left, {"l": lot})] == [("FINISHED", "CUSTOMER", 400)]
    listed = (await (await company.desk("aud")).get("/wms/shipments", lot=lot)).json()["shipments"]
    assert [own["number"] for own in listed] == [number]


@pytest.mark.accepts("D2")
async def test_a_lot_on_hold_does_not_leave_even_when_it_was_prepared(company: Company) -> None:
    _, _, lot = await saleable(company)
    made = (await prepare(company, lot, "100")).json()["shipment"]
    hold = await held(company, lot)
    await until_hold(company, hold, "held")
    answer = await (await company.desk("wil")).command(f"/wms/shipments/{made}/dispatch")
    assert (answer.status_code, answer.json()["code"]) == (409, "LOT_NOT_USABLE")
    assert await codes(company, lot) == ["LOT_NOT_USABLE"]
    await let_go(company, lot, hold)
    await until_hold(company, hold, "released")
    await do(company, "wil", f"/wms/shipments/{made}/dispatch")


async def test_no_more_is_prepared_than_is_free_and_a_cancelled_shipment_frees_it(company: Company) -> None:
    _, _, lot = await saleable(company)
    first = (await prepare(company, lot, "900")).json()["shipment"]
    answer = await prepare(company, lot, "91", unit="kg")
    blockers = answer.json()["blockers"]
    assert [own["code"] for own in blockers] == ["UNIT_MISMATCH", "NOT_ENOUGH"]
    assert blockers[1]["found"] == "90 pcs free at FINISHED"
    await do(company, "wil", f"/wms/shipments/{first}/cancel", reason="the clinic is closed")
    again = await (await company.desk("wil")).command(f"/wms/shipments/{first}/dispatch")
    assert (again.status_code, again.json()["code"]) == (409, "INVALID_TRANSITION")
    await shipped(company, lot, "990")


async def test_what_comes_back_goes_to_quarantine_and_never_more_than_left(company: Company) -> None:
    _, _, lot = await saleable(company)
    number = await shipped(company, lot, "100")
    path = f"/wms/shipments/{number}/take-back"
    wil = await company.desk("wil")
    refused = await wil.command(path, quantity="101", place="FINISHED", reason="wrong address")
    assert [own["code"] for own in refused.json()["blockers"]] == ["ZONE_MISMATCH", "MORE_THAN_SHIPPED"]
    await do(company, "wil", path, quantity="60", place="QUARANTINE", reason="wrong address")
    more = await wil.command(path, quantity="41", place="QUARANTINE", reason="wrong address")
    assert (more.status_code, more.json()["code"]) == (409, "MORE_THAN_SHIPPED")
    assert (await wil.get(f"/wms/shipments/{number}")).json()["returned"] == "60"
    assert await codes(company, lot, "10", place="QUARANTINE") == ["ZONE_MISMATCH"]


async def test_a_certified_product_without_strength_is_not_shipped(company: Company, engine: Engine) -> None:
    _, _, lot = await saleable(company)
    with engine.begin() as connection:
        connection.execute(text("UPDATE material SET strength = NULL WHERE code = 'TAB'"))
    try:
        assert await codes(company, lot) == ["STRENGTH_MISSING"]
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE material SET strength = '250 mg' WHERE code = 'TAB'"))
