"""Whatever kills the supervisor: no process stays, and the next start works."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from system import ports
from system.data_folder import DataFolder
from system.postgres import OWNER, Postgres, _prefix, binary, environment
from system.processes import identity
from tests.system.supervise import none_left, processes_of, state_of, supervisor


def test_kill_9_leaves_nothing_behind_and_the_next_start_works(folder: Path) -> None:
    with supervisor(folder) as process:
        first = state_of(folder)
        assert len(processes_of(folder)) >= 4  # itself, two servers, one child
        process.kill()
        process.wait()
        assert none_left(folder)
    with supervisor(folder) as process:
        second = state_of(folder)
        assert second["state"] == "ready"
        assert second["postgres"]["port"] == first["postgres"]["port"]
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    assert not processes_of(folder)
    assert state_of(folder)["state"] == "stopped"


@pytest.mark.parametrize(
    ("mode", "number", "code"), [("up", signal.SIGHUP, 0), ("up", signal.SIGTERM, 0), ("command", signal.SIGTERM, 143)]
)
def test_a_request_to_end_stops_everything_cleanly(folder: Path, mode: str, number: signal.Signals, code: int) -> None:
    with supervisor(folder, mode) as process:
        assert process.stdout is not None
        process.stdout.close()  # the terminal is gone: nothing can be reported any more
        process.send_signal(number)
        assert process.wait(120) == code
    assert not processes_of(folder)
    assert state_of(folder)["state"] == "stopped"
    assert not (folder / "postgres" / "postmaster.pid").exists()


def use(server: Postgres) -> None:
    """Start it, ask it something, stop it."""
    server.start()
    try:
        with psycopg.connect(server.url(OWNER)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_database_server_left_by_another_supervisor_is_ended_first(folder: Path) -> None:
    port = ports.any_free()
    argv = [*_prefix(), str(binary("postgres")), "-D", str(folder / "postgres"), "-c", f"port={port}"]
    argv += ["-c", "unix_socket_directories="]
    with subprocess.Popen(argv, env=environment(), stderr=subprocess.DEVNULL) as orphan:
        pid_file = folder / "postgres" / "postmaster.pid"
        while not (pid_file.exists() and "ready" in pid_file.read_text()):
            assert orphan.poll() is None
        use(Postgres(DataFolder(folder)))
        assert orphan.wait(1) == 0


def test_a_stale_pid_file_with_a_number_in_use_does_not_stop_a_start(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (folder / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{folder / 'postgres'}\n")
        use(Postgres(DataFolder(folder)))
        assert identity(stranger.pid)
        stranger.kill()
    assert (folder / "logs" / "postmaster.pid.stale").exists()


def test_a_killed_database_server_recovers(folder: Path) -> None:
    server = Postgres(DataFolder(folder))
    server.start()
    with psycopg.connect(server.url(OWNER)) as connection:
        connection.execute("INSERT INTO note VALUES ('committed')")
    pid = server.describe()["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    again = Postgres(DataFolder(folder))
    again.start()
    with psycopg.connect(again.url(OWNER)) as connection:
        assert connection.execute("SELECT words FROM note").fetchall() == [("committed",)]
    again.stop()
    server.stop()


@pytest.mark.parametrize("name", ["a b,c\"d'e$", "x" * 120])
def test_any_folder_name_will_do(folder: Path, tmp_path: Path, name: str) -> None:
    moved = Path(shutil.move(folder, tmp_path / name))
    use(Postgres(DataFolder(moved)))


def test_a_taken_port_is_left_to_its_owner(folder: Path) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        taken = int(other.getsockname()[1])
        server = Postgres(DataFolder(folder), last_port=taken)
        use(server)
        assert server.port != taken
