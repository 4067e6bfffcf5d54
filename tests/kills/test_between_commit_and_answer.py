"""kill -9 between commit and answer, for every activity: the order goes on, and the effect is there once."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from temporalio.client import Client

from db.audit import verify
from domain import commands as c
from settings import Settings
from system.addresses import Addresses
from tests.conftest import Database
from tests.plant import Plant

ON_THE_WAY = (
    "record.write@5", "inventory.allocate", "inventory.issue", "quality.request-inspection", "inventory.put-away",
    "inventory.release-to-stock",
)  # fmt: skip
ON_THE_WAY_BACK = ("inventory.give-back", "quality.cancel-inspection", "inventory.scrap")


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
async def dying_workers(plant: Plant, marks: Path, doomed: tuple[str, ...]) -> AsyncIterator[None]:
    """One worker after the other, each new one when the one before has killed itself."""
    environment = {
        **os.environ,
        "DATABASE_URL": plant.settings.database_url,
        "TEMPORAL_ADDRESS": plant.settings.temporal_address,
    }
    command = (sys.executable, "-m", "tests.kills.deadly_worker", plant.task_queue, str(marks), *doomed)
    current: list[asyncio.subprocess.Process] = []

    async def keep() -> None:
        while True:
            process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.DEVNULL)
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


def killed(marks: Path) -> set[str]:
    return {mark.name for mark in marks.iterdir()} - {"ready"}


@pytest.mark.timeout(180)
@pytest.mark.accepts("A11", "AT-08", "RC-04", "PO-10")
async def test_an_order_survives_a_kill_after_every_effect(haunted: Plant, tmp_path: Path) -> None:
    async with dying_workers(haunted, tmp_path, ON_THE_WAY):
        order = await (await haunted.order()).closed()
    assert killed(tmp_path) == {name.split("@")[0] for name in ON_THE_WAY}
    assert haunted.balance(order.lot) == {"FINISHED": (Decimal(980), Decimal(0))}
    moves = haunted.rows(
        "SELECT kind, count(*) AS n FROM stock_move WHERE work_order = :w OR lot = :l GROUP BY kind ORDER BY kind",
        w=order.work_order, l=order.lot,
    )  # fmt: skip
    assert all(move.n == (2 if move.kind in ("issue", "consume") else 1) for move in moves), moves
    links = haunted.rows("SELECT 1 FROM lot_link WHERE output_lot = :l", l=order.lot)
    inspections = haunted.rows("SELECT 1 FROM inspection WHERE work_order = :w", w=order.work_order)
    reports = haunted.rows("SELECT 1 FROM production_report WHERE work_order = :w", w=order.work_order)
    assert (len(links), len(inspections), len(reports)) == (2, 1, 2)
    doubled = haunted.rows(
        "SELECT command_id FROM audit_row WHERE action = 'operation.report' GROUP BY command_id HAVING count(*) > 1"
    )
    assert doubled == []
    assert haunted.rows("SELECT 1 FROM alarm") == []


@pytest.mark.timeout(180)
@pytest.mark.accepts("A19")
async def test_a_compensation_goes_on_after_a_kill_at_each_of_its_steps(haunted: Plant, tmp_path: Path) -> None:
    before = haunted.balance("API-1")["RAW"][0]
    async with dying_workers(haunted, tmp_path, ON_THE_WAY_BACK):
        order = await (await haunted.order()).executed()
        await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
        await order.until("order", "aborted", seconds=90)
    assert killed(tmp_path) == set(ON_THE_WAY_BACK)
    assert haunted.balance(order.lot) == {}
    # What was consumed is gone by decision; nothing else is missing.
    assert haunted.balance("API-1") == {"RAW": (before - Decimal("5.0"), Decimal(0))}
    scrapped = haunted.rows("SELECT 1 FROM stock_move WHERE lot = :l AND to_place = 'SCRAP'", l=order.lot)
    assert len(scrapped) == 1
    with haunted.engine.begin() as connection:
        assert verify(connection).broken_at is None
