"""The API on real servers, in this process."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from temporalio.client import Client

from api.app import create_app
from api.bootstrap import ensure_people
from db.session import engine_for
from settings import Settings
from system.addresses import Addresses
from tests.api.company import MASTER_DATA, NEWCOMERS, Company
from tests.conftest import Database, copied_database
from worker import build_worker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def staffed(servers: Addresses, template: str) -> Iterator[str]:
    """A database with people in its record, that others are copied from: to hash their passwords takes a second."""
    with copied_database(servers, template) as copy:
        engine = engine_for(copy.owner_url, pool_size=1)
        ensure_people(engine, NEWCOMERS)
        engine.dispose()
        yield copy.owner_url.rpartition("/")[2]


@pytest.fixture(scope="module")
def database(servers: Addresses, staffed: str) -> Iterator[Database]:
    """A database of its own for one test module, with people in its record."""
    with copied_database(servers, staffed) as copy:
        yield copy


@pytest.fixture(scope="module")
def settings(servers: Addresses, database: Database) -> Settings:
    """Settings on this module's database."""
    return Settings(
        database_url=database.app_url,
        database_owner_url=database.owner_url,
        temporal_address=servers.temporal_address,
        data_dir=Path(servers.data_dir),
        time_zone="Asia/Shanghai",
        secret_keys=("a key of the tests, long enough to be one",),
    )


@pytest.fixture(scope="module")
def task_queue() -> str:
    """A task queue of this module's own."""
    return f"api-{next(_numbers)}"


@pytest.fixture(scope="module")
async def app(settings: Settings, task_queue: str) -> AsyncIterator[FastAPI]:
    """The application, with people in its record."""
    app = create_app(settings, task_queue=task_queue)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="module")
async def company(app: FastAPI) -> AsyncIterator[Company]:
    """The API and its people, with master data."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mes", timeout=30) as client:
        company = Company(client)
        imported = await (await company.desk("pat")).post("/master-data/import", MASTER_DATA)
        assert imported.status_code == 200, imported.text
        yield company


@pytest.fixture(scope="module")
async def working(client: Client, engine: Engine, settings: Settings, task_queue: str) -> AsyncIterator[None]:
    """A worker serves the orders of this module."""
    async with build_worker(client, engine, settings, task_queue=task_queue):
        yield
