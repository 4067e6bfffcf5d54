"""The API on real servers, in this process."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from temporalio.client import Client

from api.app import create_app
from api.bootstrap import ensure_people
from settings import Settings
from system.addresses import Addresses
from tests.api.company import MASTER_DATA, NEWCOMERS, Company
from tests.conftest import Database
from worker import build_worker

_numbers = itertools.count(1)


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
async def app(settings: Settings, task_queue: str, engine: Engine) -> AsyncIterator[FastAPI]:
    """The application, with people in its record."""
    await asyncio.to_thread(ensure_people, engine, NEWCOMERS)
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
