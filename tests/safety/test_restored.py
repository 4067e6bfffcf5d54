"""What a restore says of the restored system: audit trail, every signature, every process; and what then goes on."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

import wiring
from api.app import create_app
from api.bootstrap import ensure_people
from db.session import engine_for
from settings import Settings
from system import EmbeddedSystem
from system.backup import back_up
from tests.api.company import MASTER_DATA, NEWCOMERS, PASSWORD, Company
from tests.api.holding import held, until_hold
from tests.api.signing import submitted
from tests.api.words import do, receive
from tests.commands import COMMANDS
from tests.system.supervise import copy_of
from worker import build_worker
from workflows.runtime import connect

pytestmark = pytest.mark.accepts("RC-03")


def silent(_step: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


@asynccontextmanager
async def company_of(system: EmbeddedSystem) -> AsyncIterator[Company]:
    """API and worker on a system, in this process."""
    settings = Settings(
        database_url=system.database_url, database_owner_url=system.database_owner_url,
        temporal_address=system.temporal_address, data_dir=system.folder.root,
    )  # fmt: skip
    app, engine = create_app(settings), engine_for(settings.database_url)
    client = await connect(settings.temporal_address)
    async with app.router.lifespan_context(app), build_worker(client, engine, settings):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mes", timeout=60) as http:
            yield Company(http)
    engine.dispose()


@dataclass
class Plant:
    """A stopped system with a signed order and a held lot, and its backup."""

    folder: Path
    file: Path
    order: str


@pytest.fixture(scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    place = tmp_path_factory.mktemp("signed")
    with EmbeddedSystem(place / "mes", migrate=wiring.migrate, environment={}) as system:
        engine = engine_for(system.database_owner_url, pool_size=1)
        ensure_people(engine, NEWCOMERS)
        engine.dispose()
        async with company_of(system) as company:
            await (await company.desk("pat")).post("/master-data/import", MASTER_DATA)
            order = await submitted(company)
            await do(company, "sam", f"/mes/orders/{order}/approve", signed=PASSWORD)
            await receive(company, "API-9", "20")
            await until_hold(company, await held(company, "API-9"), "held")
    back_up(place / "mes", place / "monday.mes", wiring.Record(), silent)
    return Plant(place / "mes", place / "monday.mes", order)


def mes(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, as people give it."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "TEMPORAL_ADDRESS")
    }
    return COMMANDS.run([str(argument) for argument in arguments], environment)


def words(done: subprocess.CompletedProcess[str]) -> str:
    """All that it said, in one line."""
    return " ".join((done.stdout + done.stderr).split())


def forged(plant: Plant, place: Path, *statements: str) -> Path:
    """A backup that says something else: sealed as if it were genuine, by somebody with all rights."""
    copy = copy_of(plant.folder, place / "copy")
    with EmbeddedSystem(copy, environment={}) as system, psycopg.connect(system.database_owner_url) as owner:
        owner.execute("SET session_replication_role = replica")
        for statement in statements:
            owner.execute(statement)
    back_up(copy, place / "forged.mes", wiring.Record(), silent)
    return place / "forged.mes"


def test_a_restore_says_that_trail_signatures_and_processes_are_as_they_were(plant: Plant, tmp_path: Path) -> None:
    done = mes("restore", plant.file, "--data-dir", tmp_path / "new")
    said = words(done)
    assert done.returncode == 0, said
    assert "2 signatures, 2 valid" in said
    assert "processes: 1 open orders and cases, 1 with their process" in said
    assert "NO PROCESS" not in said


def test_a_row_that_was_changed_inside_the_backup_is_named(plant: Plant, tmp_path: Path) -> None:
    file = forged(
        plant, tmp_path,
        "UPDATE signature SET meaning = 'reviewed' WHERE signer = 'sam'",
        "UPDATE production_order SET quantity = 5000",
        "UPDATE lot_hold SET reason = 'a feeling'",
        "UPDATE audit_row SET actor = 'nobody' WHERE seq = 7",
    )  # fmt: skip
    done = mes("restore", file, "--data-dir", tmp_path / "new")
    said = words(done)
    assert done.returncode == 1
    assert "meaning: approved → reviewed" in said
    assert "quantity: 1000 → 5000" in said
    assert "reason: glass was found → a feeling" in said
    assert "audit trail broken at row 7" in said
    assert "2 of 2 signatures are not about what was signed any more" in said
    assert "restored, and kept as it is" in said
    assert (tmp_path / "new").is_dir(), "it is evidence"


async def test_an_order_whose_process_is_gone_is_named_and_begun_from_the_record(plant: Plant, tmp_path: Path) -> None:
    copy = copy_of(plant.folder, tmp_path / "copy")
    for name in copy.glob("temporal.db*"):
        name.unlink()
    with EmbeddedSystem(copy, environment={}):
        pass
    back_up(copy, tmp_path / "half.mes", wiring.Record(), silent)
    done = mes("restore", tmp_path / "half.mes", "--data-dir", tmp_path / "new")
    assert done.returncode == 1
    assert "1 open orders and cases, 0 with their process NO PROCESS production-order/PO-" in words(done)
    assert "2 signatures, 2 valid" in words(done)
    new = tmp_path / "new"
    assert mes("processes", "--data-dir", new).returncode == 1
    begun = mes("processes", "--start", "--data-dir", new)
    assert begun.returncode == 0
    assert "begun from the record: production-order/PO-" in words(begun)
    with EmbeddedSystem(new, environment={}) as system:
        async with company_of(system) as company:
            sam = await company.desk("sam")
            before = (await sam.get(f"/mes/orders/{plant.order}")).json()
            assert before["state"] == "approved"
            released = await sam.command(f"/mes/orders/{plant.order}/release")
            assert released.status_code == 200, released.text
            # The hold is released as well: its process is begun by whoever releases it.
            hold = (await sam.get("/quality/holds", lot="API-9")).json()["holds"][0]["number"]
            rae = await company.desk("rae")
            answer = await rae.command(
                "/quality/lots/API-9/release-hold", signed=PASSWORD, reason="it was not glass", hold=hold
            )
            assert answer.status_code == 200, answer.text
            await until_hold(company, hold, "released")
    assert mes("processes", "--data-dir", new).returncode == 0


def test_a_process_that_knows_something_else_is_replaced_when_nothing_runs(plant: Plant, tmp_path: Path) -> None:
    copy = copy_of(plant.folder, tmp_path / "copy")
    with EmbeddedSystem(copy, environment={}) as system, psycopg.connect(system.database_owner_url) as owner:
        found = owner.execute("SELECT number FROM production_order").fetchone()
        assert found is not None
        refused = mes("processes", "--replace", found[0], "--data-dir", copy)
        assert (refused.returncode, "the system runs" in words(refused)) == (1, True)
    unknown = mes("processes", "--replace", "PO-NONE", "--data-dir", copy)
    assert (unknown.returncode, "not open in the record: PO-NONE" in words(unknown)) == (1, True)
    done = mes("processes", "--replace", found[0], "--data-dir", copy)
    assert done.returncode == 0, words(done)
    assert f"NO PROCESS production-order/{found[0]} (approved): terminated" in words(done)
    assert "1 with their process" in words(mes("processes", "--data-dir", copy))
