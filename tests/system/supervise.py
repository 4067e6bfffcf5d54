"""A supervisor in a process of its own, to be killed: `python -m tests.system.supervise DATA_DIR up|command`"""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from system import Addresses, ChildSpec, EmbeddedSystem, attach_or_start
from system.processes import identity, wait_until

HELLO = """
import http.server, os
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ["MES_API_PORT"]), bind="127.0.0.1")
"""


def children(addresses: Addresses) -> list[ChildSpec]:
    """One web server, under the name `api`."""

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{addresses.api_port}/", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    return [ChildSpec("api", [sys.executable, "-c", HELLO], addresses.environment(), ready, grace=3)]


def run_as_owner(addresses: Addresses, statements: str) -> None:
    """Run SQL as the owner of the database."""
    with psycopg.connect(addresses.database_owner_url) as connection:
        for statement in statements.split(";"):
            connection.execute(statement.strip().encode())


def copy_of(template: Path, to: Path) -> Path:
    """A thousand files: `cp` is several times faster than shutil here."""
    subprocess.run(["cp", "-a", "--reflink=auto", template, to], check=True)
    return to


def state_of(folder: Path) -> dict[str, Any]:
    """What system.json says."""
    content: dict[str, Any] = json.loads((folder / "system.json").read_text())
    return content


def processes_of(folder: Path) -> list[int]:
    """The processes whose command line names the folder, or that its system.json names: those that run."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
    state = state_of(folder)
    parts = [state["postgres"], state["temporal"], *state["children"].values()]
    found |= {part["pid"] for part in parts if part.get("pid")}
    return sorted(pid for pid in found if identity(pid))


def none_left(folder: Path, seconds: float = 30.0) -> bool:
    """Whether all its processes end within the time."""
    return wait_until(lambda: not processes_of(folder), seconds)


@contextlib.contextmanager
def supervisor(folder: Path, mode: str = "up") -> Iterator[subprocess.Popen[bytes]]:
    """Run this file; the body begins when its system is ready."""
    argv = [sys.executable, "-m", "tests.system.supervise", str(folder), mode]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"running\n" in iter(process.stdout.readline, b"")
            yield process
        finally:
            process.kill()


def main(folder: Path, mode: str) -> None:
    def report(step: str) -> None:
        print(step, flush=True)  # noqa: T201

    if mode == "command":
        with attach_or_start(folder, children=children, report=report, environment={}):
            report("running")
            time.sleep(60)
        return
    with EmbeddedSystem(folder, children=children, report=report, environment={}) as system:
        system.run_until_stopped()


if __name__ == "__main__":
    # A shell that started the tests in the background had SIGINT ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(Path(sys.argv[1]), sys.argv[2])
