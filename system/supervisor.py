"""The embedded system: servers, migrations and processes, started in order, watched, stopped in reverse order."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from system import ports, postgres, processes
from system.addresses import Addresses, Outside, database_place
from system.children import LONGEST_PAUSE_SECONDS, Child, ChildSpec, Keeper, Service
from system.data_folder import DataFolder
from system.postgres import Postgres
from system.refusals import SystemRefusal
from system.temporal_server import TemporalServer

Report = Callable[[str], None]
_WATCH_EVERY_SECONDS = 0.2
_LEFTOVER_SECONDS = 5.0


def silent(_step: str) -> None:
    """Report nothing."""


def _unbreakable(report: Report) -> Report:
    """Telling goes on as long as somebody can read it: a closed terminal must not keep anything from stopping."""

    def tell(step: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            report(step)

    return tell


class EmbeddedSystem:
    """One Millwright system on one data folder, owned by this process.

    `children` is asked for the processes to run once the servers have addresses, after `migrate` has run. Servers
    that the environment names (DATABASE_URL, TEMPORAL_ADDRESS) are used and not started; without `with_temporal` the
    record alone is there, and nothing is asked of Temporal or its data. What ends is started again, after pauses that
    grow up to `longest_pause` seconds while it keeps ending. `report` is told every step,
    also from the watching thread. Use it as a context manager, or `start` and `stop` it. From the main thread,
    SIGTERM and SIGHUP become SystemExit (143, 129) between the two: whoever waits is unwound, everything is stopped.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        api_port: int | None = None,
        api_host: str = ports.LOOPBACK,
        children: Callable[[Addresses], Sequence[ChildSpec]] | None = None,
        migrate: Callable[[Addresses], None] | None = None,
        report: Report = silent,
        dynamic_config: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        with_temporal: bool = True,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        self._folder = DataFolder(data_dir)
        self._asked_port, self._api_host = api_port, api_host
        self._specs, self._migrate, self._report = children, migrate, _unbreakable(report)
        self._dynamic_config = dict(dynamic_config or {})
        self._outside, self._with_temporal = Outside.of(environment, with_temporal), with_temporal
        self._longest_pause = longest_pause
        self._held = contextlib.ExitStack()
        self._postgres: Postgres | None = None
        self._temporal: TemporalServer | None = None
        self._keepers: list[Keeper] = []
        self._addresses: Addresses | None = None
        self._phase = "stopped"
        self._started_at: str | None = None
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._last: dict[str, Any] = {}

    @property
    def addresses(self) -> Addresses:
        """Where everything is. Raises RuntimeError before the servers run."""
        if self._addresses is None:
            raise RuntimeError("the system is not started")
        return self._addresses

    @property
    def folder(self) -> DataFolder:
        """The data folder, for logs and secrets."""
        return self._folder

    @property
    def database_url(self) -> str:
        """The application's login."""
        return self.addresses.database_url

    @property
    def database_owner_url(self) -> str:
        """The owner's login, for migrations and backups."""
        return self.addresses.database_owner_url

    @property
    def temporal_address(self) -> str:
        """host:port of Temporal."""
        return self.addresses.temporal_address

    @property
    def api_url(self) -> str | None:
        """Base address of the API; None when no child is called `api`."""
        return self.addresses.api_url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything, or nothing. Raises a SystemRefusal, or what `migrate` or `children` raises."""
        if self._phase != "stopped":
            raise RuntimeError("the system is started already")
        try:
            self._held.enter_context(sigterm_unwinds())
            self._held.enter_context(self._folder.locked())
            self._folder.check()
            self._last = self._folder.read_system()
            self._phase = "starting"
            self._start_parts()
        except BaseException:
            # The reason why it did not start is the news, not what else goes wrong on the way down.
            with contextlib.suppress(SystemRefusal):
                self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in reverse order; once it began, no signal but SIGKILL breaks it off.

        Raises PostgresFailed when PostgreSQL had to be killed. Does nothing when nothing runs.
        """
        with self._held, _signals_wait():
            if self._phase == "stopped":
                return
            self._phase = "stopping"
            self._stopping.set()
            if self._watcher:
                self._watcher.join()
            with contextlib.ExitStack() as order:
                order.callback(self._ended)
                for keeper in self._keepers:
                    order.callback(keeper.service.stop)
                    order.callback(self._report, f"stopping {keeper.service.name}")
                self._write()

    def run_until_stopped(self) -> None:
        """Wait in the main thread until SIGINT, SIGTERM or SIGHUP comes; stopping is left to the caller's `with`.

        `running` is reported once the signals are listened to.
        """
        asked = threading.Event()

        def note(_number: int, _frame: FrameType | None) -> None:
            asked.set()

        with _handlers(dict.fromkeys((signal.SIGINT, *_ends()), note)):
            self._report("running")
            # With a time-out, because a wait without one is not woken by a signal on every platform.
            while not asked.wait(1.0):
                pass

    def _start_parts(self) -> None:
        end_leftovers(self._last, self._report)
        api_port = ports.demanded(self._asked_port, self._api_host)
        self._started_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._start_servers()
        self._addresses = self._find_addresses(api_port, with_api=True)
        self._write()
        if self._migrate:
            self._report("bringing the database up to date")
            self._migrate(self._addresses)
        specs = list(self._specs(self._addresses)) if self._specs else []
        self._addresses = self._find_addresses(api_port, with_api=any(spec.name == "api" for spec in specs))
        self._start_children(specs)
        self._phase = "ready"
        self._write()
        self._stopping.clear()
        self._watcher = threading.Thread(target=self._watch, name="mes-watch", daemon=True)
        self._watcher.start()
        self._report("ready")

    def _start_servers(self) -> None:
        self._postgres = self._temporal = None
        if self._outside.database_url or self._outside.temporal_address:
            self._report("checking the servers named by the environment")
            self._outside.check()
        if self._outside.database_url is None:
            self._postgres = Postgres(self._folder, _port(self._last, "postgres"))
        if self._with_temporal and self._outside.temporal_address is None:
            self._temporal = TemporalServer(self._folder, _port(self._last, "temporal"), self._dynamic_config)
        servers: list[Service] = [server for server in (self._postgres, self._temporal) if server]
        self._keepers = [Keeper(server, self._report, self._longest_pause) for server in servers]
        if not servers:
            return
        self._report("starting " + " and ".join(server.name for server in servers))
        self._write()
        with ThreadPoolExecutor(len(servers)) as both:
            for future in [both.submit(server.start) for server in servers]:
                future.result()

    def _start_children(self, specs: Sequence[ChildSpec]) -> None:
        children = [Child(spec, self._folder) for spec in specs]
        for child in children:
            self._report(f"starting {child.name}")
            child.start()
            self._keepers.append(Keeper(child, self._report, self._longest_pause))
        self._write()
        for child in children:
            child.wait_ready()

    def _find_addresses(self, api_port: int, with_api: bool) -> Addresses:
        out, server, temporal = self._outside, self._postgres, self._temporal
        host = f"[{self._api_host}]" if ":" in self._api_host else self._api_host
        return Addresses(
            data_dir=self._folder.root,
            database_url=server.url(postgres.APP) if server else out.database_url or "",
            database_owner_url=server.url(postgres.OWNER) if server else out.database_owner_url or "",
            temporal_address=temporal.address if temporal else out.temporal_address or "",
            temporal_namespace=out.temporal_namespace,
            api_host=self._api_host,
            api_port=api_port,
            api_url=f"http://{host}:{api_port}" if with_api else None,
        )

    def _ended(self) -> None:
        self._phase = "stopped"
        self._write()
        self._keepers, self._watcher, self._addresses = [], None, None
        self._report("stopped")

    def _watch(self) -> None:
        while not self._stopping.wait(_WATCH_EVERY_SECONDS):
            if True in [keeper.tend() for keeper in self._keepers]:
                # A full disk keeps us from saying it, not from going on.
                with contextlib.suppress(OSError):
                    self._write()

    def _write(self) -> None:
        """Say in system.json what is; called by the starting and stopping thread, and by the watcher in between."""
        described = {keeper.service.name: _with_identity(keeper.describe()) for keeper in self._keepers}
        # Before the servers are started, what the last run wrote stays: their ports are kept that way.
        database = described.pop("postgres", None) or self._outside_database() or _gone(self._last, "postgres")
        temporal = described.pop("temporal", None) or self._outside_temporal() or _gone(self._last, "temporal")
        me = processes.identity(os.getpid())
        state = {
            "state": self._phase,
            "pid": os.getpid(),
            "started": me.started if me else None,
            "started_at": self._started_at,
            "api_host": self._api_host,
            "api_port": self._addresses.api_port if self._addresses else None,
            "api_url": self._addresses.api_url if self._addresses else None,
            "record_only": not self._with_temporal,
            "postgres": database,
            "temporal": temporal,
            "children": described,
        }
        self._folder.write_system(state)

    def _outside_database(self) -> dict[str, Any]:
        url = self._outside.database_url
        return {"outside": True, **database_place(url)} if url else {}

    def _outside_temporal(self) -> dict[str, Any]:
        address = self._outside.temporal_address
        return {"outside": True, "address": address, "namespace": self._outside.temporal_namespace} if address else {}


def end_leftovers(last: dict[str, Any], report: Report) -> None:
    """What a killed supervisor started ends by itself at once; a moment's patience, then it is made to.

    `last` is what that supervisor wrote into system.json.
    """
    children = list((last.get("children") or {}).values())
    for part in (last.get("temporal") or {}, *children):
        who = processes.ProcessIdentity(part.get("pid") or 0, part.get("started") or "")
        if who.pid and who.alive():
            report(f"ending process {who.pid}, which an earlier run left behind")
            processes.end_stranger(who, signal.SIGTERM, _LEFTOVER_SECONDS)


def _port(last: dict[str, Any], server: str) -> int | None:
    port = (last.get(server) or {}).get("port")
    outside = (last.get(server) or {}).get("outside")
    return port if isinstance(port, int) and not outside else None


def _gone(last: dict[str, Any], server: str) -> dict[str, Any]:
    return {**(last.get(server) or {}), "pid": None, "started": None}


def _with_identity(described: dict[str, object]) -> dict[str, object]:
    pid = described.get("pid")
    who = processes.identity(pid) if isinstance(pid, int) else None
    return {**described, "started": who.started if who else None}


@contextlib.contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """In the main thread, SIGTERM and SIGHUP become SystemExit: whoever works is unwound."""

    def unwind(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handlers(dict.fromkeys(_ends(), unwind)):
        yield


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    with _handlers(dict.fromkeys((signal.SIGINT, *_ends()), signal.SIG_IGN)):
        yield


def _ends() -> list[signal.Signals]:
    """The signals that ask for an end; a closed terminal is one of them, unless nohup had it ignored."""
    hang_up = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGTERM, *hang_up]


@contextlib.contextmanager
def _handlers(wanted: Mapping[signal.Signals, Any]) -> Iterator[None]:
    """Other handlers for a while; only the main thread may, and elsewhere it is not ours to do."""
    if not _in_main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        # Started in the main thread but stopped in another: the handlers stay, there is no way to change them.
        for number, handler in before.items():
            if _in_main_thread():
                signal.signal(number, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
