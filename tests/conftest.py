"""Real servers for the tests: one PostgreSQL and one Temporal for the whole run, a database for each module."""

import asyncio
import contextlib
import gc
import itertools
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.worker._workflow import _InterruptDeadlockError, _RunningWorkflow

from db.migrate import upgrade
from db.session import engine_for
from settings import Settings
from system import postgres, temporal_server
from system.addresses import Addresses
from system.supervisor import EmbeddedSystem
from tests.plant import Plant
from workflows.runtime import connect

gc.disable()  # until the tests are collected
_numbers = itertools.count(1)
os.environ.setdefault("MES_SANDBOX", "on")  # also in the processes that tests start: what it finds is found here


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """On a machine without a free core Temporal interrupts a workflow that got no time for two seconds, and repeats it.

    The interrupt can hit a callback of the garbage collector, and signals that had come with the task are thrown away
    before they begin: no test is to blame for either. Everything else that is raised where nobody can catch it stays an
    error; a signal that is not begun without an interrupt, too.
    """
    told, interrupt = sys.unraisablehook, _RunningWorkflow.attempt_deadlock_interruption
    interrupted: list[str] = []

    def noted(workflow: _RunningWorkflow) -> None:
        interrupted.append(workflow.workflow_id)
        interrupt(workflow)

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        of_signal = getattr(unraisable.object, "__qualname__", "").endswith("_process_signal_job.<locals>.run_signal")
        if not isinstance(unraisable.exc_value, _InterruptDeadlockError) and not (interrupted and of_signal):
            told(unraisable)

    # The SDK has no other place that says so.
    _RunningWorkflow.attempt_deadlock_interruption = noted  # type: ignore[assignment, method-assign]
    sys.unraisablehook = hook


def pytest_collection_finish() -> None:
    """What was imported stays: the collector of garbage need not look at it again and again.

    Half a million objects cost it a quarter of the time of collecting the tests, and a twentieth of running them.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """PostgreSQL and Temporal, started from nothing in a temporary folder.

    These two do not wait for the disk: their data is good for this run only, and no test takes the machine's power
    away. Those of `tests/system`, of backups and of chaos runs wait for it, as a plant's do. Temporal's collector of
    garbage runs less often: memory is cheaper here than cores.
    """
    folder = tmp_path_factory.mktemp("system")
    # A low limit lets an order continue in a new run after a handful of commands.
    dynamic_config = {"limit.historyCount.suggestContinueAsNew": "300"}
    with contextlib.ExitStack() as running:
        with pytest.MonkeyPatch.context() as quick:
            quick.setitem(postgres._SETTINGS, "fsync", "off")
            quick.setitem(temporal_server._PRAGMAS, "synchronous", "off")
            quick.setenv("GOGC", "300")
            system = running.enter_context(EmbeddedSystem(folder, environment={}, dynamic_config=dynamic_config))
        yield system.addresses


@dataclass(frozen=True)
class Database:
    """A fresh database with the current schema."""

    owner_url: str
    app_url: str


@pytest.fixture(scope="session")
def template(servers: Addresses) -> str:
    """A migrated database that others are copied from."""
    name = "template_mes"
    with psycopg.connect(servers.database_owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    upgrade(_at(servers.database_owner_url, name))
    return name


def _at(url: str, database: str) -> str:
    return url.rsplit("/", 1)[0] + "/" + database


@contextmanager
def copied_database(servers: Addresses, template: str) -> Iterator[Database]:
    """A copy of a database to which nobody is connected; dropped at the end."""
    name = f"mes_{next(_numbers)}"
    with psycopg.connect(servers.database_owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield Database(_at(servers.database_owner_url, name), _at(servers.database_url, name))
    with psycopg.connect(servers.database_owner_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def database(servers: Addresses, template: str) -> Iterator[Database]:
    """A database of its own for one test module."""
    with copied_database(servers, template) as copy:
        yield copy


@pytest.fixture(scope="module")
def engine(database: Database) -> Iterator[Engine]:
    """The application's own login."""
    engine = engine_for(database.app_url, pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
async def client(servers: Addresses) -> Client:
    """A Temporal client."""
    return await connect(servers.temporal_address)


@pytest.fixture(scope="module")
async def plant(servers: Addresses, database: Database, engine: Engine, client: Client) -> AsyncIterator[Plant]:
    """A plant with a worker in this process; its task queue is its own."""
    settings = Settings(
        database_url=database.app_url,
        database_owner_url=database.owner_url,
        temporal_address=servers.temporal_address,
        data_dir=Path(servers.data_dir),
    )
    plant = Plant(client, engine, settings, task_queue=f"plant-{next(_numbers)}")
    await asyncio.to_thread(plant.set_up)
    async with plant.working():
        yield plant
