"""Twenty kills while a dozen real batches are made: the record is the one of a run that nobody disturbed."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

import wiring
from db.audit import verify
from db.session import engine_for
from replay.report import ReplayReport
from replay.tablets import replay_tablets
from system import Addresses, EmbeddedSystem
from system.processes import ProcessIdentity, wait_until
from tests.system.supervise import state_of

VICTIMS = ("worker", "gateway", "api", "temporal", "postgres")
KILLS = 20
SEED = 20261125

SAME = {
    "orders": "SELECT number, state, quantity FROM production_order",
    "work orders": "SELECT number, state, output_lot FROM work_order",
    "operations": "SELECT work_order, code, state, good, scrap, started_by FROM operation",
    "reports": "SELECT work_order, operation, good, scrap, scrap_reason, operator, source FROM production_report",
    "values": "SELECT work_order, operation, name, text, recorded_by FROM parameter_value",
    "documents": "SELECT number, state FROM pick_list UNION ALL SELECT number, state FROM put_away",
    "lots": "SELECT number, material, status FROM lot",
    "stock": "SELECT lot, place, on_hand, reserved FROM stock_balance",
    "moves": "SELECT kind, lot, from_place, to_place, quantity, work_order FROM stock_move",
    "reservations": "SELECT work_order, line, lot, quantity, state FROM reservation",
    "genealogy": "SELECT input_lot, output_lot, quantity FROM lot_link",
    "inspections": "SELECT number, lot, state, entered_by, decided_by FROM inspection",
    "results": "SELECT inspection, name, text FROM inspection_result",
    "deviations": "SELECT order_number, lot, code, state FROM deviation",
    "press": "SELECT job, batch, state, good, waste FROM equipment_run",
    "readings": "SELECT job, count(*), min(sequence), max(sequence) FROM equipment_reading GROUP BY job",
    "signatures": "SELECT command_id, signer, meaning FROM signature",
    # A neighbour that did not answer at once is an exception of the batch record, and somebody explains it. Which batch
    # is the next at a station is chance: what is occupied, cleaned and cleared is another thing in every run.
    "answers": "SELECT command_id, order_number, accepted FROM command_outcome o WHERE order_number !~ "
    "'^(equipment|line-clearance|workstation|open)/' AND NOT EXISTS (SELECT 1 "
    "FROM order_fact f WHERE f.command_id = o.command_id AND f.body ->> 'commandKind' = 'justifyException')",
    "alarms": "SELECT code, order_number FROM alarm",
}
"""What has to be equal; clock readings, running numbers and repeated attempts are not."""


@contextmanager
def new_system(folder: Path) -> Iterator[EmbeddedSystem]:
    with EmbeddedSystem(
        folder,
        children=wiring.children(wiring.SAMPLE_TABLETS / "press_timeseries.csv"),
        migrate=wiring.migrate,
        environment={},
    ) as system:
        yield system


async def make_all(addresses: Addresses) -> ReplayReport:
    """Every batch of the sample, from approval to close."""
    return await replay_tablets(
        lambda: httpx.AsyncClient(base_url=addresses.api_url or "", timeout=30),
        wiring.people(addresses.data_dir),
        wiring.SAMPLE_TABLETS,
        concurrency=2,
        press_connection=wiring.PRESS_CONNECTION,
    )


def record_of(addresses: Addresses) -> dict[str, list[Any]]:
    """All that has to be the same."""
    engine = engine_for(addresses.database_url, pool_size=1)
    try:
        with engine.begin() as connection:
            assert verify(connection).broken_at is None
            return {name: sorted(map(repr, connection.execute(text(statement)))) for name, statement in SAME.items()}
    finally:
        engine.dispose()


async def kill_around(folder: Path, dice: random.Random) -> list[str]:
    """Kill each process four times in an order of chance, each time after a moment of chance."""
    victims = list(VICTIMS) * (KILLS // len(VICTIMS))
    dice.shuffle(victims)
    for victim in victims:
        await asyncio.sleep(dice.uniform(0.5, 2.5))
        await asyncio.to_thread(kill, folder, victim)
    return victims


def kill(folder: Path, victim: str) -> None:
    """Kill a process, as soon as it runs again after the last time."""

    def who() -> ProcessIdentity:
        state = state_of(folder)
        found = state["children"].get(victim) or state[victim]
        return ProcessIdentity(found["pid"] or 0, found["started"] or "")

    assert wait_until(lambda: who().alive(), 60, every=0.1), f"{victim} does not come back"
    os.kill(who().pid, signal.SIGKILL)


@pytest.mark.timeout(1200)
@pytest.mark.accepts("E1")
async def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    with new_system(tmp_path / "clean") as system:
        undisturbed = await make_all(system.addresses)
        wanted = record_of(system.addresses)
    assert [order.state for order in undisturbed.orders] == ["closed"] * len(undisturbed.orders)

    with new_system(tmp_path / "killed") as system:
        killing = asyncio.create_task(kill_around(tmp_path / "killed", random.Random(SEED)))
        report = await make_all(system.addresses)
        assert killing.done(), "the orders were over before the last kill: kill faster, or make more orders"
        assert len(killing.result()) == KILLS
        found = record_of(system.addresses)
    assert report.refusals == undisturbed.refusals
    for name, rows in wanted.items():
        assert found[name] == rows, name
