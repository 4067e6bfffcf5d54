"""The console in a real browser, on the application as it is served: a real server, a real record, real orders."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, async_playwright

from api import outcomes
from api.app import create_app
from settings import Settings
from tests.api.company import MASTER_DATA, Company
from tests.api.conftest import called, database, settings, staffed, task_queue, working
from tests.ui.screen import Console

__all__ = ["called", "database", "settings", "staffed", "task_queue", "working"]

CHROMIUM = os.environ.get("MES_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests. Without it the tests fail: they are not skipped in silence."""
    if os.environ.get("MES_SKIP_BROWSER") == "yes":
        pytest.skip("told to do without a browser by MES_SKIP_BROWSER")
    if shutil.which(CHROMIUM) is None:
        pytest.fail(f"there is no browser at {CHROMIUM}: install Debian's chromium, or name one in MES_CHROMIUM")
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        await browser.close()


@asynccontextmanager
async def serving(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """The application behind a real server on this port, or on any; answers its address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        running = asyncio.create_task(server.serve([listener]))
        async with asyncio.timeout(30):
            while not server.started:  # noqa: ASYNC110 uvicorn has no event for it
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


@pytest.fixture(scope="module")
async def served(settings: Settings, task_queue: str) -> AsyncIterator[tuple[FastAPI, str]]:
    """The application behind a real server: (application, address).

    It waits longer for a verdict than a plant's two seconds: beside other tests a machine is slow, and these ask what a
    page says of the verdict. What is answered while there is none, `tests/robustness` looks at.
    """
    app = create_app(settings, task_queue=task_queue)
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(outcomes, "VERDICT_SECONDS", 12.0)
        async with serving(app) as address:
            yield app, address


@pytest.fixture(scope="module")
async def company(served: tuple[FastAPI, str]) -> AsyncIterator[Company]:
    """The API over the wire and its people, with master data."""
    async with httpx.AsyncClient(base_url=served[1], timeout=30) as client:
        company = Company(client)
        imported = await (await company.desk("pat")).post("/master-data/import", MASTER_DATA)
        assert imported.status_code == 200, imported.text
        yield company


@pytest.fixture
async def console(browser: Browser, served: tuple[FastAPI, str]) -> AsyncIterator[Console]:
    """Terminals for people; a test fails when a page logs an error, or asks another host for anything."""
    console = Console(browser, served[1])
    yield console
    await console.close()
    assert console.faults == []
