"""kill -9 between commit and answer, for every activity: each order goes on, and each effect is there once.

Four orders live through all the kills at the same time: two are made, two are taken back. An order that lost its
worker waits for a time-out of ten seconds and more; together they wait once.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from temporalio.client import Client

from activities import stubs
from adapters.equipment.opcua import OpcUaEquipment
from adapters.equipment.port import JobState
from db.audit import verify
from domain import commands as c
from settings import Settings
from system.addresses import Addresses
from tests.conftest import Database
from tests.contracts.equipment.support import LONG, PASSWORD, SHORT, SHORT_GOOD, SHORT_WASTE, SPEED, PressProcess
from tests.plant import Order, Plant, pauses

ON_THE_WAY = (
    "record.write", "record.write/local", "inventory.allocate", "inventory.issue", "quality.request-inspection",
    "inventory.put-away", "inventory.release-to-stock", "equipment.run-job",
)  # fmt: skip
ON_THE_WAY_BACK = ("equipment.abort-job", "inventory.give-back", "quality.cancel-inspection", "inventory.scrap")


pytestmark = pytest.mark.timeout(900)
EVERY_ACTIVITY = (*ON_THE_WAY, *ON_THE_WAY_BACK)
STOCK = {"API-1": Decimal(1000), "LAC-1": Decimal(10000)}
NEEDED = {"API-1": Decimal("5.0"), "LAC-1": Decimal("95.0")}
"""What each order uses, in kg."""


@pytest.fixture(scope="module")
async def press(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PressProcess]:
    """The simulated tablet press. It is slow, so that it still works when a worker is back to take a cancellation."""
    process = PressProcess(tmp_path_factory.mktemp("press"), speed=SPEED / 5)
    await process.start()
    yield process
    await process.kill()


@pytest.fixture(scope="module")
async def haunted(servers: Addresses, database: Database, engine: Engine, client: Client) -> Plant:
    """A plant without a worker of its own: the workers of these tests are processes that die."""
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address=servers.temporal_address)
    plant = Plant(client, engine, settings, task_queue="haunted")
    await asyncio.to_thread(plant.set_up)
    await plant.stock("API-1", "API", str(STOCK["API-1"]))
    await plant.stock("LAC-1", "LAC", str(STOCK["LAC-1"]))
    return plant


@asynccontextmanager
async def dying_workers(plant: Plant, press: PressProcess, marks: Path, *doomed: str) -> AsyncIterator[None]:
    """One worker after the other, each new one when the one before has killed itself."""
    await asyncio.to_thread(marks.mkdir)
    endpoint = press.endpoint()
    connection = {"url": endpoint.url, "identity": str(endpoint.identity), "password": "env:PRESS_PASSWORD"}
    plant.workstation("PRESS-1", connection)
    environment = {
        **os.environ,
        "DATABASE_URL": plant.settings.database_url,
        "TEMPORAL_ADDRESS": plant.settings.temporal_address,
        "PRESS_PASSWORD": PASSWORD,
    }
    command = (sys.executable, "-m", "tests.kills.deadly_worker", plant.task_queue, str(marks), *doomed)
    process = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@dataclass(frozen=True)
class Survivors:
    """What is left when every activity has killed a worker.

    Two orders made and closed, two cancelled and aborted; of both the first by hand, the second on the press.
    """

    plant: Plant
    press: PressProcess
    marks: Path
    made: tuple[Order, Order]
    taken_back: tuple[Order, Order]


@pytest.fixture(scope="module")
async def survivors(haunted: Plant, press: PressProcess, tmp_path_factory: pytest.TempPathFactory) -> Survivors:
    """Four orders at the same time, while each activity kills the worker that has carried it out."""
    marks = tmp_path_factory.mktemp("kills") / "marks"
    async with dying_workers(haunted, press, marks, *EVERY_ACTIVITY):
        made_by_hand, taken_back_by_hand, (made_on_it, aborted_on_it) = await asyncio.gather(
            (await haunted.order()).closed(), taken_back(haunted), one_after_the_other_on_the_press(haunted)
        )
    return Survivors(haunted, press, marks, (made_by_hand, made_on_it), (taken_back_by_hand, aborted_on_it))


async def taken_back(plant: Plant) -> Order:
    """An order that is cancelled with its pieces made and its inspection open."""
    order = await (await plant.order()).executed()
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    return await order.until("order", "aborted", seconds=120)


async def one_after_the_other_on_the_press(plant: Plant) -> tuple[Order, Order]:
    """An order whose tablets are counted by the press; then one that is cancelled while its tablets are pressed."""
    made = await pressed(plant)
    closed, aborted = await asyncio.gather(closed_after_the_press(made), aborted_on_the_press(plant))
    return closed, aborted


async def pressed(plant: Plant) -> Order:
    """The press has made the tablets and is free again."""
    order = await plant.order(press="PRESS-1", lot=SHORT, quantity=SHORT_GOOD + SHORT_WASTE)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    return await order.until_job("COMPRESS", "ended", seconds=90)


async def closed_after_the_press(order: Order) -> Order:
    """The rest of a whole order."""
    values = (c.Measurement(name="weight", text="113", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
    await order.operation("COAT", good=SHORT_GOOD)
    await order.until("inspection", "created")
    await order.tested()
    await order.put_into_quarantine()
    return await order.finished()


async def aborted_on_the_press(plant: Plant) -> Order:
    """Cancelled while the press works."""
    order = await plant.order(press="PRESS-1", lot=LONG)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await until_readings(order)
    await order.do(c.CancelOrder, "sam", reason="wrong punch", disposition=c.Disposition.SCRAP)
    await order.until_job("COMPRESS", "aborted", seconds=90)
    return await order.until("order", "aborted", seconds=120)


async def until_readings(order: Order) -> None:
    """The press works and has told so."""
    statement = "SELECT 1 FROM equipment_reading WHERE job = :j LIMIT 1"
    for pause in pauses(90):
        if await asyncio.to_thread(order.plant.rows, statement, j=f"{order.work_order}/COMPRESS"):
            return
        await asyncio.sleep(pause)
    raise AssertionError("no reading of the press")


def test_every_activity_has_killed_its_worker(survivors: Survivors) -> None:
    """These tests have seen what they are about."""
    assert {mark.name for mark in survivors.marks.iterdir()} == {name.replace("/", ".") for name in EVERY_ACTIVITY}


@pytest.mark.accepts("A11", "AT-08", "RC-04", "PO-10")
async def test_orders_survive_a_kill_after_every_effect(survivors: Survivors) -> None:
    plant = survivors.plant
    by_hand, by_press = survivors.made
    assert plant.balance(by_hand.lot) == {"FINISHED": (Decimal(980), Decimal(0))}
    assert plant.balance(by_press.lot) == {"FINISHED": (Decimal(SHORT_GOOD), Decimal(0))}
    for order in survivors.made:
        once = {"produce": 1, "putAway": 1, "release": 1}
        assert moves_of(order) == {"issue": 2, "consume": 2, **once}
        links = plant.rows("SELECT 1 FROM lot_link WHERE output_lot = :l", l=order.lot)
        inspections = plant.rows("SELECT 1 FROM inspection WHERE work_order = :w", w=order.work_order)
        reports = plant.rows("SELECT 1 FROM production_report WHERE work_order = :w", w=order.work_order)
        assert (len(links), len(inspections), len(reports)) == (2, 1, 2)


@pytest.mark.accepts("A19")
async def test_a_compensation_goes_on_after_a_kill_at_each_step(survivors: Survivors) -> None:
    plant = survivors.plant
    by_hand, by_press = survivors.taken_back
    assert plant.balance(by_hand.lot) == plant.balance(by_press.lot) == {}
    assert moves_of(by_hand) == {"issue": 2, "consume": 2, "produce": 1, "scrap": 1}
    assert moves_of(by_press) == {"issue": 2, "consume": 2}
    scrapped = plant.rows("SELECT 1 FROM stock_move WHERE lot = :l AND to_place = 'SCRAP'", l=by_hand.lot)
    assert len(scrapped) == 1
    assert await job_on(survivors.press, f"{by_press.work_order}/COMPRESS") == JobState.ABORTED


@pytest.mark.accepts("A11", "A19", "AT-08", "RC-04", "PO-10")
def test_after_all_the_kills_nothing_is_there_twice_and_nothing_is_missing(survivors: Survivors) -> None:
    """No command is answered or noted twice, no alarm, the audit chain is whole; what was used of the stock is gone."""
    plant = survivors.plant
    noted = plant.rows(
        "SELECT command_id FROM order_fact WHERE command_id IS NOT NULL AND body ->> 'outcome' IS NOT NULL "
        "GROUP BY command_id HAVING count(*) > 1"
    )
    assert noted == []
    assert plant.rows("SELECT code, detail FROM alarm") == []
    with plant.engine.begin() as connection:
        assert verify(connection).broken_at is None
    for lot, received in STOCK.items():
        assert plant.balance(lot) == {"RAW": (received - 4 * NEEDED[lot], Decimal(0))}


def moves_of(order: Order) -> dict[str, int]:
    """How often stock was moved for an order, by the kind of move."""
    statement = "SELECT kind, count(*) AS n FROM stock_move WHERE work_order = :w GROUP BY kind"
    return {move.kind: move.n for move in order.plant.rows(statement, w=order.work_order)}


async def job_on(press: PressProcess, job: str) -> JobState:
    """How the press itself sees a job."""
    driver = OpcUaEquipment(press.endpoint())
    try:
        view = await driver.get_job(job)
    finally:
        await driver.close()
    assert view is not None
    return view.state


def test_no_activity_is_left_out() -> None:
    """A new activity has to be killed here too."""
    names = {
        getattr(function, "__temporal_activity_definition").name
        for function in vars(stubs).values()
        if hasattr(function, "__temporal_activity_definition")
    }
    assert names == {name.removesuffix("/local") for name in EVERY_ACTIVITY}
