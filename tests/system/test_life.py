"""Start, use, stop, start again: what was written is there."""

import os
import signal
import stat
import sys
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from system import Addresses, ChildSpec, EmbeddedSystem, attach_or_start, running
from system.processes import identity, wait_until
from system.refusals import AlreadyRunning, ChildFailed, OutsideServerUnusable, PortInUse
from tests.system.supervise import children, none_left, processes_of, state_of

ATTRIBUTES = TypedSearchAttributes(
    [
        SearchAttributePair(SearchAttributeKey.for_keyword("MesPhase"), "picking"),
        SearchAttributePair(SearchAttributeKey.for_keyword("MesProduct"), "tablet"),
        SearchAttributePair(SearchAttributeKey.for_keyword("MesLine"), "1"),
        SearchAttributePair(SearchAttributeKey.for_datetime("MesDueAt"), datetime(2026, 1, 1, tzinfo=UTC)),
    ]
)


def note(addresses: Addresses, words: str) -> None:
    with psycopg.connect(addresses.database_url) as connection:
        connection.execute("INSERT INTO note VALUES (%s)", (words,))


def notes(addresses: Addresses) -> list[str]:
    with psycopg.connect(addresses.database_url) as connection:
        return [row[0] for row in connection.execute("SELECT words FROM note").fetchall()]


def part_of(folder: Path, name: str) -> dict[str, Any]:
    state = state_of(folder)
    part: dict[str, Any] = {**state, **state["children"]}[name]
    return part


def started_again(folder: Path, name: str) -> bool:
    part = part_of(folder, name)
    return part["restarts"] == 1 and part["pid"] is not None and identity(part["pid"]) is not None


async def test_what_was_written_survives_a_stop(folder: Path) -> None:
    with EmbeddedSystem(folder, environment={}) as system:
        note(system.addresses, "kept")
        client = await Client.connect(system.temporal_address)
        await client.start_workflow("Order", id="order-1", task_queue="none", search_attributes=ATTRIBUTES)
        before = system.addresses
    assert none_left(folder)
    with EmbeddedSystem(folder, environment={}) as system:
        assert notes(system.addresses) == ["kept"]
        client = await Client.connect(system.temporal_address)
        described = await client.get_workflow_handle("order-1").describe()
        assert described.status == WorkflowExecutionStatus.RUNNING
        assert described.typed_search_attributes[SearchAttributeKey.for_keyword("MesPhase")] == "picking"
        assert (system.database_url, system.temporal_address) == (before.database_url, before.temporal_address)


async def test_closed_orders_are_kept_for_a_month(shared: EmbeddedSystem) -> None:
    client = await Client.connect(shared.temporal_address)
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)


def test_the_database_is_set_up_for_a_record(shared: EmbeddedSystem) -> None:
    with psycopg.connect(shared.database_url, autocommit=True) as connection:
        for setting, value in {
            "max_connections": "200",
            "fsync": "on",
            "synchronous_commit": "on",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
            "listen_addresses": "127.0.0.1",
        }.items():
            assert connection.execute(f"SHOW {setting}".encode()).fetchone() == (value,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (x int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE other")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(shared.database_url.replace("mes_app:", "mes_app:x"))


def test_passwords_are_in_the_secrets_file_only(shared: EmbeddedSystem) -> None:
    root = shared.folder.root
    assert stat.S_IMODE((root / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    words = [*shared.folder.read_secrets().values()]
    for file in (root / "system.json", root / "layout.json", *(root / "logs").iterdir()):
        assert not any(word in file.read_text() for word in words), file
    assert not any(word in repr(shared.addresses) for word in words)


def test_a_second_start_is_refused_and_names_the_first(shared: EmbeddedSystem) -> None:
    with pytest.raises(AlreadyRunning, match=str(os.getpid())) as refused:
        EmbeddedSystem(shared.folder.root, environment={}).start()
    assert refused.value.code == "already-running"
    assert "--data-dir" in refused.value.remedy
    assert notes(shared.addresses) == []


def test_a_command_uses_the_running_system(shared: EmbeddedSystem) -> None:
    with attach_or_start(shared.folder.root, environment={}) as addresses:
        assert addresses.attached
        assert addresses.database_url == shared.database_url
        assert addresses.database_owner_url == shared.database_owner_url
        assert notes(addresses) == []
    state = running(shared.folder.root)
    assert state is not None
    assert state["pid"] == os.getpid()


def test_a_command_for_other_servers_than_the_running_system_is_refused(shared: EmbeddedSystem) -> None:
    same = {"DATABASE_URL": shared.database_url, "TEMPORAL_ADDRESS": shared.temporal_address}
    with attach_or_start(shared.folder.root, environment=same) as addresses:
        assert addresses.database_url == shared.database_url
    for other in ({"DATABASE_URL": "postgresql://me:pw@elsewhere/db"}, {"TEMPORAL_ADDRESS": "elsewhere:7233"}):
        with (
            pytest.raises(OutsideServerUnusable, match=next(iter(other))) as refused,
            attach_or_start(shared.folder.root, environment=other),
        ):
            pass
        assert "pw" not in str(refused.value)


def test_servers_named_by_the_environment_are_used_and_not_started(shared: EmbeddedSystem, tmp_path: Path) -> None:
    env = shared.addresses.environment(owner=True)
    with EmbeddedSystem(tmp_path / "own", environment=env, children=children) as system:
        assert system.database_url == shared.database_url
        assert system.temporal_address == shared.temporal_address
        assert not system.folder.postgres.exists()
        assert not system.folder.temporal_db.exists()
        state = (tmp_path / "own" / "system.json").read_text()
        assert shared.folder.read_secrets()["app"] not in state
    assert notes(shared.addresses) == []


@pytest.mark.parametrize(
    "env",
    [
        {"DATABASE_URL": "postgresql://me:topsecret@127.0.0.1:1/db"},
        {"DATABASE_URL": "no address with topsecret"},
        {"TEMPORAL_ADDRESS": "127.0.0.1:1"},
    ],
)
def test_a_server_that_does_not_answer_is_named(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("system.addresses._OUTSIDE_SECONDS", 0.3)
    with pytest.raises(OutsideServerUnusable, match=next(iter(env))) as refused:
        EmbeddedSystem(tmp_path / "own", environment=env).start()
    assert "topsecret" not in str(refused.value)


def test_a_taken_port_is_refused_before_anything_starts(shared: EmbeddedSystem, folder: Path) -> None:
    taken = int(shared.temporal_address.rpartition(":")[2])
    before = state_of(folder)["postgres"]["port"]
    with pytest.raises(PortInUse, match=str(taken)) as refused:
        EmbeddedSystem(folder, api_port=taken, environment={}).start()
    assert "--port" in refused.value.remedy
    assert not processes_of(folder)
    assert state_of(folder)["postgres"]["port"] == before


def test_what_ends_is_started_again(folder: Path) -> None:
    with EmbeddedSystem(folder, environment={}, children=children) as system:
        note(system.addresses, "before")
        for part in part_of(folder, "api"), part_of(folder, "postgres"):
            os.kill(part["pid"], signal.SIGKILL)
        for name in "api", "postgres":
            assert wait_until(partial(started_again, folder, name), 60), name
        assert notes(system.addresses) == ["before"]
        assert system.api_url == f"http://127.0.0.1:{system.addresses.api_port}"
    assert none_left(folder, 1)


def test_a_child_that_does_not_start_says_why_and_nothing_is_left(folder: Path) -> None:
    program = [sys.executable, "-c", "raise SystemExit('no plant file')"]
    spec = ChildSpec("plant", program, ready=lambda: False)
    with pytest.raises(ChildFailed, match="no plant file"):
        EmbeddedSystem(folder, environment={}, children=lambda _addresses: [spec]).start()
    assert none_left(folder, 1)
    assert state_of(folder)["state"] == "stopped"


def test_a_command_s_own_system_waits_for_the_others_that_use_it(folder: Path) -> None:
    steps: list[str] = []
    with attach_or_start(folder, environment={}, report=steps.append) as mine:
        assert not mine.attached
        ready, done = threading.Event(), threading.Event()
        seen: list[object] = []

        def other() -> None:
            with attach_or_start(folder, environment={}) as theirs:
                seen.append(theirs.attached)
                ready.set()
                done.wait(60)
                seen.append(notes(theirs))

        thread = threading.Thread(target=other)
        thread.start()
        assert ready.wait(60)
        threading.Timer(0.5, done.set).start()
    thread.join()
    assert seen == [True, []]
    assert [step for step in steps if "still uses" in step]
    assert none_left(folder, 1)
