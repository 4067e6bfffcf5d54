"""The API on real servers, in this process."""

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from temporalio.client import Client

from api import passwords
from api.app import create_app
from api.bootstrap import ensure_people
from db.session import engine_for
from settings import Settings
from system.addresses import Addresses
from tests.api.audit_routes import CALLED_IN
from tests.api.audit_rules import untold
from tests.api.changes import transactions, watch
from tests.api.company import MASTER_DATA, NEWCOMERS, PREFIX, Company
from tests.conftest import Database, copied_database
from worker import build_worker

_numbers = itertools.count(1)
_modules = itertools.count(1)


@pytest.fixture(scope="session")
def staffed(servers: Addresses, template: str) -> Iterator[str]:
    """A database with people in its record, that others are copied from.

    To check a password costs what its hash says. Theirs are cheap, because they log in and sign some thousand times;
    what tests and the product hash later costs what it costs in a plant (`tests/api/test_accounts.py`).
    """
    with copied_database(servers, template) as copy:
        engine = engine_for(copy.owner_url, pool_size=1)
        with pytest.MonkeyPatch.context() as cheap:
            cheap.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
            ensure_people(engine, NEWCOMERS)
        engine.dispose()
        yield copy.owner_url.rpartition("/")[2]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a watched module has changed is compared at its end: the result is that of its last test."""
    last = {item.path.stem: item for item in items if item.path.parent == Path(__file__).parent}
    for module in CALLED_IN.keys() & last.keys():
        last[module].add_marker(pytest.mark.accepts("AT-01"))


@pytest.fixture(scope="module")
def called() -> set[str]:
    """`METHOD path` of every write of this module that was accepted, as the addresses were."""
    return set()


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest, servers: Addresses, staffed: str, called: set[str]) -> Iterator[Database]:
    """A database of its own for one test module, with people in its record.

    In a module that is watched, everything that the product changed in it is in the audit trail at the end (AT-01).
    """
    # Another folder's module may have the name of one that is watched here.
    module = request.path.stem if request.path.parent == Path(__file__).parent else ""
    with copied_database(servers, staffed) as copy:
        _count_on(copy.owner_url)
        if module in CALLED_IN:
            watch(copy.owner_url)
        yield copy
        if module in CALLED_IN:
            missing = list(untold(transactions(copy.owner_url)))
            assert missing == [], "\n".join(missing[:40])
            if is_whole(request.config):
                assert not_called(CALLED_IN[module], called) == [], module


def _count_on(owner_url: str) -> None:
    """Modules of one process share its engine, where two orders of one number are one: each counts from its own."""
    series = f"PO{datetime.now(UTC):%y}{{seq:6}}"
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("INSERT INTO number_series (code, last) VALUES (%s, %s)", [series, 1000 * next(_modules)])


def is_whole(config: pytest.Config) -> bool:
    """Whether modules run as a whole, or somebody picked single tests."""
    picked = [
        config.option.keyword,
        config.option.markexpr,
        config.option.deselect,
        config.option.maxfail,
        config.option.lf,
    ]
    return not any(picked) and not any("::" in argument for argument in config.args)


def not_called(routes: tuple[str, ...], called: set[str]) -> list[str]:
    """Those of the routes that no accepted write went to; of those that are always refused, none that was."""
    patterns = {route: re.compile(re.sub(r"\\{.+?\\}", "[^ ]+", re.escape(route)) + "$") for route in routes}
    return [route for route, pattern in patterns.items() if not any(pattern.match(own) for own in called)]


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
async def company(app: FastAPI, called: set[str]) -> AsyncIterator[Company]:
    """The API and its people, with master data."""
    transport = httpx.ASGITransport(app)

    async def note(answer: httpx.Response) -> None:
        # A refusal is judged, too: `command.refused` is what it changes.
        if answer.status_code < 300 or answer.status_code == 409:
            called.add(f"{answer.request.method} {answer.request.url.path.removeprefix(PREFIX)}")

    hooks = {"response": [note]}
    async with httpx.AsyncClient(transport=transport, base_url="http://mes", timeout=30, event_hooks=hooks) as client:
        company = Company(client)
        imported = await (await company.desk("pat")).post("/master-data/import", MASTER_DATA)
        assert imported.status_code == 200, imported.text
        yield company


@pytest.fixture(scope="module")
async def working(client: Client, settings: Settings, task_queue: str) -> AsyncIterator[None]:
    """A worker serves the orders of this module."""
    engine = engine_for(settings.database_url, pool_size=20, application="millwright-worker")
    async with build_worker(client, engine, settings, task_queue=task_queue):
        yield
    engine.dispose()
