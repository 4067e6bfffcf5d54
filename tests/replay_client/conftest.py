"""A whole system for replays: the API in this process on real servers, a worker, and the replay's people."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from temporalio.client import Client

from api.app import create_app
from api.bootstrap import NewPerson, ensure_people
from replay.people import Person, crew
from settings import Settings
from system.addresses import Addresses
from tests.conftest import Database
from worker import build_worker

Factory = Callable[[], httpx.AsyncClient]


@pytest.fixture(scope="session")
def people() -> dict[str, Person]:
    """The replay's people with a password."""
    return crew(lambda user_id: f"password of {user_id}")


@pytest.fixture(scope="module")
async def client_factory(
    client: Client, servers: Addresses, database: Database, engine: Engine, people: dict[str, Person]
) -> AsyncIterator[Factory]:
    """Makes clients of a running system."""
    settings = Settings(
        database_url=database.app_url,
        database_owner_url=database.owner_url,
        temporal_address=servers.temporal_address,
        data_dir=Path(servers.data_dir),
    )
    newcomers = [NewPerson(one.user_id, one.full_name, one.password, one.roles) for one in people.values()]
    await asyncio.to_thread(ensure_people, engine, newcomers)
    task_queue = "replay-client"
    app = create_app(settings, task_queue=task_queue)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), build_worker(client, engine, settings, task_queue=task_queue):
        yield lambda: httpx.AsyncClient(transport=transport, base_url="http://mes", timeout=30)
