"""The record is full, read-only, without a connection; the engine is not there: said clearly, nothing lost, goes on."""

import asyncio
import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, exc, text

import api.deps
import api.security
from api.app import create_app
from api.clock import now
from db import audit
from settings import Settings
from tests.api.company import PASSWORD, PREFIX, Company
from tests.api.signing import submitted
from tests.api.words import do
from tests.conftest import Database
from tests.plant import pauses
from workflows.runtime import connect

pytestmark = pytest.mark.usefixtures("working")
FULL = """
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON audit_row EXECUTE FUNCTION no_room();
    """
ROOM = "DROP TRIGGER full_disk ON audit_row; DROP FUNCTION no_room()"


@contextmanager
def owner(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


def count(engine: Engine, statement: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def is_chained(engine: Engine) -> bool:
    """Whether the audit trail is whole."""
    with engine.begin() as connection:
        return audit.verify(connection).broken_at is None


async def taken(company: Company, order: str, command: str, **body: str) -> httpx.Response:
    """A command as a terminal sends it, once: what it is told at once."""
    sam = await company.desk("sam")
    sent = {"commandId": command, **body}
    return await sam.client.post(f"{PREFIX}/mes/orders/{order}/hold", json=sent, headers=sam.headers)


async def judged(company: Company, command: str) -> httpx.Response:
    """The verdict on a command that was taken."""
    sam = await company.desk("sam")
    for pause in pauses(90, first=0.1):
        answer = await sam.get(f"/commands/{command}")
        if answer.status_code == 200:
            return answer
        await asyncio.sleep(pause)
    raise AssertionError(f"no verdict on {command}")


async def test_a_full_disk_refuses_what_it_cannot_write_and_loses_nothing(
    company: Company, engine: Engine, database: Database
) -> None:
    order = await submitted(company, "plain")
    await do(company, "sam", f"/mes/orders/{order}/release")
    signed = await submitted(company)
    command, rows = f"full/{uuid.uuid4().hex}", count(engine, "SELECT count(*) FROM audit_row")
    with owner(database) as connection:
        connection.execute(FULL)
    try:
        refused = await (await company.desk("sam")).command(f"/mes/orders/{signed}/approve", signed=PASSWORD)
        assert (refused.status_code, refused.json()["code"]) == (503, "RECORD_FULL")
        assert "nothing was written" in refused.json()["detail"]
        # The engine takes the command and keeps it: its verdict waits for the disk.
        later = await taken(company, order, command, reason="a noise")
        assert later.status_code == 202
        assert count(engine, "SELECT count(*) FROM audit_row") == rows
        assert count(engine, "SELECT count(*) FROM signature") == 0
    finally:
        with owner(database) as connection:
            connection.execute(ROOM)
    assert (await judged(company, command)).json()["accepted"]
    assert (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["state"] == "held"
    await do(company, "sam", f"/mes/orders/{signed}/approve", signed=PASSWORD)
    assert is_chained(engine)


async def test_a_read_only_record_is_read_and_says_so_to_who_writes(
    company: Company, engine: Engine, database: Database
) -> None:
    order = await submitted(company, "plain")
    await do(company, "sam", f"/mes/orders/{order}/release")
    ada = await company.desk("ada")
    command, name = f"read-only/{uuid.uuid4().hex}", database.owner_url.rpartition("/")[2]
    sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with owner(database) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        connection.execute(sessions, (name,))
    try:
        refused = await ada.post("/users/sue/disable", {"reason": "is on leave"})
        for _ in range(20):  # a session that was ended may still be noticed by its first use
            if refused.json()["code"] == "RECORD_READ_ONLY":
                break
            refused = await ada.post("/users/sue/disable", {"reason": "is on leave"})
        assert (refused.status_code, refused.json()["code"]) == (503, "RECORD_READ_ONLY")
        shown = await (await company.desk("sam")).get(f"/mes/orders/{order}")
        assert shown.json()["state"] == "released"
        assert (await taken(company, order, command, reason="a noise")).status_code == 202
    finally:
        with owner(database) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            connection.execute(sessions, (name,))
    assert (await judged(company, command)).json()["accepted"]
    assert is_chained(engine)


async def test_who_gets_no_connection_is_told_and_others_are_served_again(app: FastAPI, company: Company) -> None:
    engine: Engine = app.state.services.engine
    sam = await company.desk("sam")
    pool = engine.pool
    was, pool._timeout = pool._timeout, 0.5  # type: ignore[attr-defined]
    held = []
    try:
        with suppress(exc.TimeoutError):
            while True:
                held.append(engine.connect())
        refused = await sam.get("/mes/orders")
        assert (refused.status_code, refused.json()["code"]) == (503, "RECORD_UNAVAILABLE")
        assert (await sam.client.get(f"{PREFIX}/healthz")).status_code == 200
    finally:
        pool._timeout = was  # type: ignore[attr-defined]
        for connection in held:
            connection.close()
    assert len(held) == pool.size() * 2  # type: ignore[attr-defined]
    assert (await sam.get("/mes/orders")).status_code == 200


async def test_an_api_that_starts_without_its_engine_reads_and_refuses_commands(
    company: Company, settings: Settings, engine: Engine
) -> None:
    order = await submitted(company, "plain")
    app = create_app(replace(settings, temporal_address="127.0.0.1:9"), task_queue="nobody")
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mes", timeout=60) as http:
            alone = Company(http)
            sam = await alone.desk("sam")
            ready = await http.get(f"{PREFIX}/readyz")
            assert ready.status_code == 503
            assert ready.json()["engine"] is False
            assert (await sam.get(f"/mes/orders/{order}")).json()["state"] == "approved"
            facts = count(engine, "SELECT count(*) FROM order_fact")
            refused = await sam.command(f"/mes/orders/{order}/release", commandId="no-engine/1")
            assert (refused.status_code, refused.json()["code"]) == (503, "ENGINE_UNAVAILABLE")
            assert count(engine, "SELECT count(*) FROM order_fact") == facts
    # The same command, sent again where the engine is: one effect.
    assert (await (await company.desk("sam")).command(f"/mes/orders/{order}/release", commandId="no-engine/1")
            ).status_code == 200  # fmt: skip
    # A worker asks again and again, and ends with an error in the end: whoever supervises it starts it again.
    with pytest.raises(RuntimeError):
        await connect("127.0.0.1:9", attempts=2)


async def test_a_clock_that_jumps_ends_sessions_and_leaves_the_chain_whole(
    company: Company, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, ada = await company.login("aud"), await company.login("ada")
    ahead, behind = (lambda: now() + timedelta(hours=20)), (lambda: now() - timedelta(hours=2))
    with monkeypatch.context() as jumped:
        jumped.setattr(api.security, "now", ahead)
        refused = await early.get("/mes/orders")
        assert (refused.status_code, refused.json()["code"]) == (401, "SESSION_EXPIRED")
    with monkeypatch.context() as jumped:
        jumped.setattr(api.deps, "now", behind)
        jumped.setattr(api.security, "now", behind)
        answer = await ada.post("/users/erp/disable", {"reason": "is replaced"})
        assert answer.status_code < 300, answer.text
    fresh = await company.login("aud")
    assert (await fresh.get("/mes/orders")).status_code == 200
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT seq, at FROM audit_row ORDER BY seq")).all()
    backwards = [after.seq for before, after in itertools.pairwise(rows) if after.at < before.at]
    assert backwards, "the times say what the clock said"
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert is_chained(engine)
