"""Weighing on the real servers: scale, warehouse, containers, their genealogy, and what a cancellation gives back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from temporalio.client import Client

from adapters.equipment.scale_server import ScaleServer
from adapters.equipment.stations import Stations
from db.audit import verify
from db.queries import record_document
from db.queries.trace import trace
from domain import commands as c
from tests.booth import booth, listening_scale, lot
from tests.contracts.equipment.support import PASSWORD
from tests.plant import Plant, Refusal
from worker import build_gateway


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "10000")
    await plant.stock("LAC-1", "LAC", "10000")


@pytest.mark.accepts("B11", "MT-06")
async def test_a_good_weight_makes_a_container_and_the_lot_is_less_by_it_once(plant: Plant) -> None:
    at = await booth(plant)
    before = at.lots
    for gross, found in (("101.6", "100.6 kg net of lot API-1"), ("100.4", "99.4 kg net of lot API-1")):
        with pytest.raises(Refusal) as bad:
            await at.weigh(gross)
        assert bad.value.blocker.code == "WEIGHING_OUT_OF_TOLERANCE"
        assert (bad.value.blocker.found, bad.value.blocker.required) == (found, "99.5 … 100.5 kg")
    with pytest.raises(Refusal) as alone:
        await at.weigh("101.2", second_signer=None)
    assert alone.value.codes == ["SECOND_PERSON_REQUIRED"]
    assert at.lots == before
    number = await at.weigh("101.20")
    gone = Decimal("100.20")
    after = {"RAW": before["RAW"], "LINE": before["LINE"] - gone, "DISPENSED": before["DISPENSED"] + gone}
    assert at.lots == after
    # The same command again has no second effect.
    again = at.order.command(
        c.WeighMaterial, "olu", operation="DISPENSE", line=1, scale=at.line.press, unit="kg", scans=(lot("API-1"),),
        tare="1.0", gross="101.20", second_signer="ole", command_id=f"{at.order.number}/c{at.order.given}",
    )  # fmt: skip
    await at.order.send(again)
    await at.order.do(c.PauseOperation, "olu", operation="DISPENSE", reason="a short break")
    assert at.lots == after
    (row,) = plant.rows("SELECT * FROM dispensed_container WHERE work_order = :w", w=at.order.work_order)
    assert (row.number, row.state, row.source, row.net) == (number, "weighed", "person", gone)
    assert (row.tare_text, row.gross_text, row.weighed_by, row.verified_by) == ("1.0", "101.20", "olu", "ole")
    assert (row.scale, row.certificate, row.target) == (at.line.press, "CERT-1", Decimal(100))
    assert row.calibration_due_at == at.line.item().calibration_due_at
    with plant.engine.connect() as connection:
        record = record_document.read(connection, at.order.work_order)
    bad_weights = [own.detail for own in record.exceptions if own.type == "chargeOutOfLimits"]
    assert len(bad_weights) == 2
    assert all("weighMaterial refused: WEIGHING_OUT_OF_TOLERANCE" in detail for detail in bad_weights)


@pytest.mark.accepts("B11", "MT-06")
async def test_a_scale_without_a_valid_calibration_does_not_weigh(plant: Plant) -> None:
    at = await booth(plant, ready=False)
    await asyncio.to_thread(at.line.qualified)
    before = at.lots
    with pytest.raises(Refusal) as never:
        await at.weigh("101.6")
    # Everything at once: the scale, and the weight.
    assert never.value.codes == ["CALIBRATION_EXPIRED", "WEIGHING_OUT_OF_TOLERANCE"]
    assert never.value.outcome.blockers[0].id == at.line.press
    await asyncio.to_thread(lambda: at.line.calibrated(at.line.clock() + timedelta(days=1)))
    plant.rows(
        "UPDATE equipment_item SET calibration_due_at = now() - interval '1 day' WHERE code = :c RETURNING 1",
        c=at.line.press,
    )
    with pytest.raises(Refusal) as late:
        await at.weigh("101.0")
    assert late.value.blocker.code == "CALIBRATION_EXPIRED"
    assert "last certificate CERT-1" in late.value.blocker.found
    with pytest.raises(Refusal) as unknown:
        await at.weigh("101.0", scale="KITCHEN-SCALE")
    assert (unknown.value.blocker.code, unknown.value.blocker.id) == ("EQUIPMENT_NOT_REGISTERED", "KITCHEN-SCALE")
    assert at.lots == before


async def test_a_lot_that_quality_has_stopped_is_not_dispensed(plant: Plant) -> None:
    await plant.stock("API-STOP", "API", "200")
    at = await booth(plant, fixed_lots=("API-STOP",))
    plant.rows("UPDATE lot SET status = 'onHold' WHERE number = 'API-STOP' RETURNING 1")
    with pytest.raises(Refusal) as stopped:
        await at.weigh("101.0", scans=(lot("API-STOP"),))
    assert (stopped.value.blocker.code, stopped.value.blocker.id) == ("LOT_NOT_USABLE", "API-STOP")
    assert stopped.value.blocker.found == "onHold, expires never"


@pytest.mark.accepts("MT-08")
async def test_the_complete_set_is_staged_and_charged_and_stands_in_record_and_genealogy(plant: Plant) -> None:
    at = await booth(plant)
    order = at.order
    first, second = await at.weigh("61.0", more_follows=True), await at.weigh("41.0")
    one, two = at.scanned(first), at.scanned(second)
    with pytest.raises(Refusal) as missing:
        await order.do(c.StageContainers, "wil", place="BOOTH-1", scans=(one,))
    assert (missing.value.blocker.code, missing.value.blocker.id) == ("CONTAINER_MISSING", second)
    await order.do(c.StageContainers, "wil", place="BOOTH-1", scans=(two, one))
    with pytest.raises(Refusal) as missing:
        await order.do(c.ChargeMaterials, "olu", operation="DISPENSE", scans=(two,))
    assert (missing.value.blocker.code, missing.value.blocker.id) == ("CONTAINER_MISSING", first)
    with pytest.raises(Refusal) as early:
        await order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    assert early.value.codes == ["NOT_CHARGED", "NOT_CHARGED"]
    dispensed = at.lots["DISPENSED"]
    await order.do(c.ChargeMaterials, "olu", operation="DISPENSE", scans=(one, two))
    assert at.lots["DISPENSED"] == dispensed - 100
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    back = c.ReturnedQuantity(line=1, lot="API-1", quantity=Decimal(10), unit="kg")
    await order.do(c.ReturnMaterials, "wil", lines=(back,), reason="the reserve")
    links = plant.rows(
        "SELECT input_lot, container, quantity FROM lot_link WHERE output_lot = :l ORDER BY container NULLS LAST",
        l=order.lot,
    )
    assert [tuple(link) for link in links] == [
        ("API-1", first, Decimal(60)), ("API-1", second, Decimal(40)), ("LAC-1", None, Decimal("95.0")),
    ]  # fmt: skip
    with plant.engine.connect() as connection:
        record = record_document.read(connection, order.work_order).document()
        found = trace(connection, order.lot, "backward")
    assert {(edge.source, edge.quantity) for edge in found.edges} == {
        ("API-1", Decimal(100)), ("LAC-1", Decimal("95.0")),
    }  # fmt: skip
    assert [(own["number"], own["state"], own["place"], own["net"]) for own in record["containers"]] == [
        (first, "charged", "BOOTH-1", "60.0"), (second, "charged", "BOOTH-1", "40.0"),
    ]  # fmt: skip
    assert [(own["operation"], own["containers"], own["chargedBy"]) for own in record["charges"]] == [
        ("DISPENSE", [first, second], "olu")
    ]
    with plant.engine.begin() as connection:
        assert verify(connection).broken_at is None


async def test_what_was_weighed_goes_back_when_the_order_is_cancelled(plant: Plant) -> None:
    before = plant.balance("API-1")
    at = await booth(plant)
    await at.weigh("61.0", more_follows=True)
    void = await at.weigh("41.0")
    lots = at.lots
    await at.order.do(c.VoidContainer, "sam", container=void, reason="a torn bag")
    assert at.lots["LINE"] == lots["LINE"] + 40
    another = await at.weigh("41.0")
    assert another != void
    await at.order.do(c.CancelOrder, "sam", reason="customer withdrew")
    await at.order.until("order", "cancelled")
    assert plant.balance("API-1") == before
    states = plant.rows("SELECT state FROM dispensed_container WHERE work_order = :w", w=at.order.work_order)
    assert {row.state for row in states} == {"voided"}


@pytest.fixture
async def scale(tmp_path: Path) -> AsyncIterator[tuple[ScaleServer, dict[str, str]]]:
    """A scale that listens, and how a workstation reaches it."""
    async with listening_scale(tmp_path / "pki") as found:
        yield found


@pytest.mark.accepts("MT-06")
async def test_a_connected_scale_needs_no_second_person(
    plant: Plant, engine: Engine, client: Client, scale: tuple[ScaleServer, dict[str, str]]
) -> None:
    server, reached = scale
    at = await booth(plant)
    stations = Stations(engine, {"PRESS_PASSWORD": PASSWORD})
    async with build_gateway(client, engine, stations):
        with pytest.raises(Refusal) as unconnected:
            await at.weigh(None, None)
        assert unconnected.value.codes == ["SCALE_NOT_CONNECTED"]
        plant.workstation(at.line.station, reached)
        await server.put("1.000", "101.6")
        with pytest.raises(Refusal) as heavy:
            await at.weigh(None, None)
        assert (heavy.value.blocker.code, heavy.value.blocker.found) == (
            "WEIGHING_OUT_OF_TOLERANCE", "100.600 kg net of lot API-1",
        )  # fmt: skip
        for stable, good in ((False, True), (True, False)):
            await server.put("1.000", "101.0", stable=stable, good=good)
            with pytest.raises(Refusal) as shaking:
                await at.weigh(None, None)
            assert shaking.value.codes == ["READING_UNUSABLE"]
        await server.put("1.000", "101.230")
        number = await at.weigh(None, None)
    await stations.close()
    (row,) = plant.rows("SELECT * FROM dispensed_container WHERE number = :n", n=number)
    assert (row.source, row.verified_by, row.tare_text, row.gross_text) == ("scale", None, "1.000", "101.230")
    assert row.read_at is not None
    assert row.net == Decimal("100.230")


@pytest.mark.accepts("MT-06")
async def test_what_is_at_the_line_bounds_what_is_weighed(plant: Plant) -> None:
    at = await booth(plant, reserve_percent=None)
    with pytest.raises(Refusal) as more:
        await at.weigh("101.2")
    assert more.value.blocker.code == "MORE_THAN_ON_LINE"
    assert more.value.blocker.required == "at most 100 kg, or another lot"
