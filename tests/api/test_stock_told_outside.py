"""An outside warehouse hears of what samples and counts have moved, once each, as the ledger has it (IN-02, MT-09)."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.company import Company
from tests.api.records import ok
from tests.api.test_balance import balanced
from tests.api.test_interfaces import endpoint
from tests.api.words import at_stage, do, receive
from tests.outside import Outside, outside

pytestmark = [pytest.mark.usefixtures("working"), pytest.mark.accepts("IN-02", "MT-09")]
TOPICS = ("operation.sample", "work-order.count", "lot.sampled")


@pytest.fixture(scope="module")
def receiver(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(engine, tmp_path_factory.mktemp("warehouse")) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-TOLD", "1000")
    await balanced(company)


def booked(engine: Engine, *lots: str) -> list[tuple[str, str, str, str, str]]:
    """What samples and counts have moved of lots, in the order of the ledger."""
    query = text(
        "SELECT lot, from_place, to_place, trim_scale(quantity)::text, unit FROM stock_move"
        " WHERE kind IN ('sample', 'difference') AND lot = ANY(:lots) ORDER BY id"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query, {"lots": list(lots)})]


def told(messages: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The moves of events, as a warehouse reads them."""
    moves = [move for own in messages for move in own["body"]["data"]["new"]["moves"]]
    return [tuple(move[name] for name in ("lot", "from", "to", "quantity", "unit")) for move in moves]


async def test_a_warehouse_books_what_samples_and_counts_have_moved_whatever_fails_on_the_way(
    company: Company, receiver: Outside, engine: Engine
) -> None:
    await endpoint(company, receiver, "WMS", "drop,500,200", *TOPICS, attempts=5)
    _, work_order = await at_stage(company, "running", policy="balanced", quantity="20000")
    path = f"/mes/work-orders/{work_order}"
    at_line = {"line": 1, "lot": "API-TOLD", "unit": "kg"}
    sample = {**at_line, "quantity": "1", "purpose": "retained", "commandId": "told/1"}
    for _ in range(2):
        await do(company, "ana", f"{path}/operations/MIX/samples", **sample)
    await do(company, "olu", f"{path}/operations/MIX/start")
    await do(company, "olu", f"{path}/operations/MIX/complete", consumed=[{**at_line, "quantity": "94"}])
    for left, why in (("2", "the bag was torn"), ("2", "counted again"), ("4", "it was behind the hopper")):
        await do(company, "wil", f"{path}/count", lines=[{**at_line, "quantity": left}], reason=why)
    delivery = {"lot": "API-TOLD-2", "material": "API", "quantity": "50", "unit": "kg"}
    inspection = (await do(company, "wil", "/wms/receipts", **delivery))["inspection"]["number"]
    await do(company, "ana", f"/quality/inspections/{inspection}/samples", quantity="0.5", unit="kg")
    await receiver.deliver("WMS")

    effects = receiver.effects("WMS")
    assert [own["body"]["type"] for own in effects] == [
        "operation.sample", "work-order.count", "work-order.count", "work-order.count", "lot.sampled",
    ]  # fmt: skip
    assert len(receiver.requests("WMS")) == 3 * len(effects), "each was lost, then refused, then taken"
    assert told(effects) == booked(engine, "API-TOLD", "API-TOLD-2") == [
        ("API-TOLD", "LINE", "SAMPLE", "1", "kg"), ("API-TOLD", "LINE", "DIFFERENCE", "3", "kg"),
        ("API-TOLD", "DIFFERENCE", "LINE", "2", "kg"), ("API-TOLD-2", "RECEIVING", "SAMPLE", "0.5", "kg"),
    ]  # fmt: skip
    assert effects[2]["body"]["data"]["new"]["moves"] == [], "a count that finds what should be there moves nothing"
    assert effects[0]["body"]["data"]["new"]["purpose"] == "retained"


async def test_a_sample_of_what_was_made_is_told_with_its_lot(
    company: Company, receiver: Outside, engine: Engine
) -> None:
    await endpoint(company, receiver, "WMS-2", "200", *TOPICS)
    _, work_order = await at_stage(company, "running", policy="balanced", quantity="20000")
    path = f"/mes/work-orders/{work_order}"
    at_line = {"line": 1, "lot": "API-TOLD", "unit": "kg"}
    await do(company, "olu", f"{path}/operations/MIX/start")
    await do(company, "olu", f"{path}/operations/MIX/complete", consumed=[{**at_line, "quantity": "100"}])
    await do(company, "olu", f"{path}/operations/PRESS/start")
    lot = ok(await (await company.desk("wil")).get(f"/mes/work-orders/{work_order}"))["outputLot"]
    with engine.connect() as connection:
        expires = text("SELECT to_char((created_at AT TIME ZONE 'UTC')::date + 730, 'YYYY-MM-DD') FROM lot"
                       " WHERE number = :l")  # fmt: skip
        expiry = connection.execute(expires, {"l": lot}).scalar_one()
    await do(company, "olu", f"{path}/operations/PRESS/print-checks", lotText=lot, expiryText=expiry)
    report = {"workOrderId": work_order, "operation": "PRESS", "good": "19900", "scrap": "0", "labourSeconds": 60}
    await do(company, "olu", "/mes/production-reports/report", **report)
    await do(company, "ana", f"{path}/operations/PRESS/samples", quantity="20", unit="pcs")
    await receiver.deliver("WMS-2")
    (only,) = receiver.effects("WMS-2")
    assert only["body"]["type"] == "operation.sample"
    assert told([only]) == booked(engine, lot) == [(lot, "LINE", "SAMPLE", "20", "pcs")]
