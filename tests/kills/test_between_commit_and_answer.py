"""kill -9 between commit and answer, for every activity: each order goes on, and each effect is there once."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from tests.contracts.equipment.support import LONG, PASSWORD, SHORT, SHORT_GOOD, SHORT_WASTE, PressProcess
from tests.plant import Order, Plant

ON_THE_WAY = (
    "record.write", "record.write/local", "inventory.allocate", "inventory.issue", "quality.request-inspection",
    "inventory.put-away", "inventory.release-to-stock", "equipment.run-job",
)  # fmt: skip
OF_CASES = ("record.write-case", "record.write-case/local", "quality.settle-lot")
ON_THE_WAY_BACK = ("equipment.abort-job", "inventory.give-back", "quality.cancel-inspection", "inventory.scrap")


@pytest.fixture
async def press(tmp_path: Path) -> AsyncIterator[PressProcess]:
    """The simulated tablet press."""
    process = PressProcess(tmp_path / "press")
    process.folder.mkdir()
    await process.start()
    yield process
    await process.kill()


@pytest.fixture(scope="module")
async def haunted(servers: Addresses, database: Database, engine: Engine, client: Client) -> Plant:
    """A plant without a worker of its own: the workers of these tests are processes that die."""
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address=servers.temporal_address)
    plant = Plant(client, engine, settings, task_queue="haunted")
    await asyncio.to_thread(plant.set_up)
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")
    return plant


@asynccontextmanager
async def dying_workers(plant: Plant, press: PressProcess | None, marks: Path, *doomed: str) -> AsyncIterator[None]:
    """One worker after the other, each new one when the one before has killed itself."""
    await asyncio.to_thread(marks.mkdir)
    if press is not None:
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
    current: list[asyncio.subprocess.Process] = []

    async def keep() -> None:
        while True:
            process = await asyncio.create_subprocess_exec(*command, env=environment)
            current[:] = [process]
            await process.wait()

    keeper = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        for process in current:
            if process.returncode is None:
                process.kill()
            await process.wait()


def assert_all_died(marks: Path, *doomed: str) -> None:
    """Each of the activities has killed its worker: the test has seen what it is about."""
    assert {mark.name for mark in marks.iterdir()} == {name.replace("/", ".") for name in doomed}


def assert_nothing_doubled(plant: Plant) -> None:
    """No command is answered or noted twice, no alarm, and the audit chain is whole."""
    noted = plant.rows(
        "SELECT command_id FROM order_fact WHERE command_id IS NOT NULL AND body ->> 'outcome' IS NOT NULL "
        "GROUP BY command_id HAVING count(*) > 1"
    )
    assert noted == []
    answered = plant.rows(
        "SELECT command_id FROM case_fact WHERE command_id IS NOT NULL GROUP BY command_id HAVING count(*) > 1"
    )
    assert answered == []
    assert plant.rows("SELECT code, detail FROM alarm") == []
    with plant.engine.begin() as connection:
        assert verify(connection).broken_at is None


async def made_on_the_press(plant: Plant) -> Order:
    """A whole order whose tablets are counted by the press."""
    order = await plant.order(press="PRESS-1", lot=SHORT, quantity=SHORT_GOOD + SHORT_WASTE)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await order.until_job("COMPRESS", "ended", seconds=60)
    values = (c.Measurement(name="weight", text="113", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
    await order.operation("COAT", good=SHORT_GOOD)
    await order.until("inspection", "created")
    await order.tested()
    await order.put_into_quarantine()
    return await order.finished()


@pytest.mark.timeout(240)
@pytest.mark.accepts("A11", "AT-08", "RC-04", "PO-10")
async def test_orders_survive_a_kill_after_every_effect(haunted: Plant, press: PressProcess, tmp_path: Path) -> None:
    async with dying_workers(haunted, press, tmp_path / "marks", *ON_THE_WAY):
        by_hand, by_press = await asyncio.gather((await haunted.order()).closed(), made_on_the_press(haunted))
    assert_all_died(tmp_path / "marks", *ON_THE_WAY)
    assert haunted.balance(by_hand.lot) == {"FINISHED": (Decimal(980), Decimal(0))}
    assert haunted.balance(by_press.lot) == {"FINISHED": (Decimal(SHORT_GOOD), Decimal(0))}
    for order in (by_hand, by_press):
        moves = haunted.rows(
            "SELECT kind, count(*) AS n FROM stock_move WHERE work_order = :w GROUP BY kind", w=order.work_order
        )
        once = {"produce": 1, "putAway": 1, "release": 1}
        assert {move.kind: move.n for move in moves} == {"issue": 2, "consume": 2, **once}
        links = haunted.rows("SELECT 1 FROM lot_link WHERE output_lot = :l", l=order.lot)
        inspections = haunted.rows("SELECT 1 FROM inspection WHERE work_order = :w", w=order.work_order)
        reports = haunted.rows("SELECT 1 FROM production_report WHERE work_order = :w", w=order.work_order)
        assert (len(links), len(inspections), len(reports)) == (2, 1, 2)
    assert_nothing_doubled(haunted)


@pytest.mark.timeout(240)
@pytest.mark.accepts("A19")
async def test_a_compensation_goes_on_after_a_kill_at_each_step(
    haunted: Plant, press: PressProcess, tmp_path: Path
) -> None:
    before = haunted.balance("API-1")["RAW"][0]
    async with dying_workers(haunted, press, tmp_path / "marks", *ON_THE_WAY_BACK):
        by_hand, by_press = await asyncio.gather((await haunted.order()).executed(), running_on_the_press(haunted))
        await by_press.do(c.CancelOrder, "sam", reason="wrong punch", disposition=c.Disposition.SCRAP)
        await by_press.until_job("COMPRESS", "aborted")
        await by_hand.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
        await by_hand.until("order", "aborted", seconds=90)
        await by_press.until("order", "aborted", seconds=90)
    assert_all_died(tmp_path / "marks", *ON_THE_WAY_BACK)
    assert haunted.balance(by_hand.lot) == haunted.balance(by_press.lot) == {}
    # What both have consumed is gone by decision; nothing else is missing.
    assert haunted.balance("API-1") == {"RAW": (before - Decimal("10.0"), Decimal(0))}
    scrapped = haunted.rows("SELECT 1 FROM stock_move WHERE lot = :l AND to_place = 'SCRAP'", l=by_hand.lot)
    assert len(scrapped) == 1
    assert await job_on(press, f"{by_press.work_order}/COMPRESS") == JobState.ABORTED
    assert_nothing_doubled(haunted)


async def running_on_the_press(plant: Plant) -> Order:
    """An order whose tablets are being pressed, for some seconds."""
    order = await plant.order(press="PRESS-1", lot=LONG)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    return await order.until_job("COMPRESS", "started")


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
    assert names == {name.removesuffix("/local") for name in (*ON_THE_WAY, *OF_CASES, *ON_THE_WAY_BACK)}
