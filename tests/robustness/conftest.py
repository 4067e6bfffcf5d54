"""API, worker and record as in the API's tests; what is done to them is done by the tests."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine
from temporalio.client import Client

from settings import Settings
from system.addresses import Addresses
from tests.api.conftest import app, called, company, database, settings, staffed, task_queue, working
from tests.conftest import Database
from tests.plant import Plant

__all__ = ["app", "called", "company", "database", "settings", "staffed", "task_queue", "working"]


@pytest.fixture(scope="module")
async def bare_plant(servers: Addresses, database: Database, engine: Engine, client: Client) -> Plant:
    """A plant whose worker the test starts itself."""
    settings = Settings(
        database_url=database.app_url, database_owner_url=database.owner_url,
        temporal_address=servers.temporal_address, data_dir=Path(servers.data_dir),
    )  # fmt: skip
    plant = Plant(client, engine, settings, task_queue="robust")
    await asyncio.to_thread(plant.set_up)
    return plant
