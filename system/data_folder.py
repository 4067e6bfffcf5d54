"""The data folder: everything an embedded system keeps, and the lock that makes it one system's own.

    layout.json    which layout the folder has         secrets.json   passwords, readable by the owner only
    lock           held while a system runs            system.json    pids, ports and addresses of the running system
    postgres/      PostgreSQL's data                   temporal.db    Temporal's data (SQLite, WAL)
    seal/          the key that seals prints           press/         what the simulated press remembers
    logs/          one file per process                attached       held by commands that use a running system

Nothing in here is ever deleted by this module: what it does not understand it refuses, and says why.
"""

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from system.refusals import AlreadyRunning, DataFolderBroken

LAYOUT = 1
POSTGRES_MAJOR = "18"
ACCOUNT = "password of "
"""What the name of an account's secret begins with."""
PRESS = "password of the press"
SEAL = "key that seals secrets in the record"
PRINT_SEAL = "seal key"
PAYLOAD = "key of what Temporal stores"
"""What the password of the key is called that seals archived prints."""
_PRODUCT = "millwright"
# What a first start that was interrupted may have left before it wrote layout.json.
_BEFORE_LAYOUT = ("lock", "attached")


class DataFolder:
    """Paths, lock and small files of one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root.expanduser()))
        self.postgres = self.root / "postgres"
        self.temporal_db = self.root / "temporal.db"
        self.logs = self.root / "logs"
        self._layout = self.root / "layout.json"
        self._secrets = self.root / "secrets.json"
        self._system = self.root / "system.json"
        self._lock = self.root / "lock"
        self._attached = self.root / "attached"

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder. Raises AlreadyRunning when another process does, DataFolderBroken for a bad place."""
        self._make()
        self._check_place()
        handle = self._open(self._lock)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._already_running() from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Be counted as a user of the running system; waits while that system is going down."""
        handle = self._open(self._attached)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def nobody_attached(self) -> Iterator[bool]:
        """Keep further users out; yields False (and keeps nobody out) while there are some."""
        handle = self._open(self._attached)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)

    def check(self) -> None:
        """Refuse a folder this release cannot work with, before anything is written. Raises DataFolderBroken."""
        self._check_layout()
        self._check_postgres()
        self._check_temporal()
        self.read_system()
        known = self.read_secrets()
        if (self.postgres / "PG_VERSION").exists() and not {"owner", "app"} <= known.keys():
            raise DataFolderBroken(
                self._secrets,
                "no passwords for the database that lies in postgres/",
                "the file written together with it",
                "Put back secrets.json from your backup.",
            )
        try:
            self.logs.mkdir(exist_ok=True)
        except FileExistsError:
            raise DataFolderBroken(self.logs, "a file", "a directory", "Move it away.") from None

    def read_system(self) -> dict[str, Any]:
        """What the running (or last) system wrote about itself; empty before the first. Raises DataFolderBroken."""
        return _read_object(self._system, "Move it away: it is written anew at the next start.")

    def write_system(self, state: dict[str, Any]) -> None:
        """Replace system.json at once: a reader sees the old or the new one."""
        _write(self._system, state, 0o644)

    def read_secrets(self) -> dict[str, str]:
        """The passwords by name; empty before the first start. Raises DataFolderBroken."""
        return _read_object(self._secrets, "Put back secrets.json from your backup.")

    def secret(self, name: str) -> str:
        """The random secret of this name, made and kept (mode 0600) at the first call. Raises DataFolderBroken."""
        known = self.read_secrets()
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            _write(self._secrets, known, 0o600)
        return known[name]

    def adopt_account_secrets(self, kept: Path) -> None:
        """Take from another folder's secrets.json: people's passwords, the keys of sealed secrets and of processes.

        The servers' own passwords are made anew.

        Raises DataFolderBroken when it cannot be read.
        """
        remedy = "Name the secrets.json that was kept with the backup, or leave --secrets out."
        content = _read_object(kept, remedy)
        people = {
            name: word
            for name, word in content.items()
            if ((name.startswith(ACCOUNT) and name != PRESS) or name in (SEAL, PAYLOAD)) and isinstance(word, str)
        }
        if not people:
            raise DataFolderBroken(kept, "no passwords of accounts", "the secrets.json of the backed up folder", remedy)
        _write(self._secrets, self.read_secrets() | people, 0o600)

    def _make(self) -> None:
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            found = "a file" if self.root.exists() else f"no way to make it ({error.strerror})"
            raise self._bad_place(found) from None
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise self._bad_place("a directory this user may not write to")

    def _bad_place(self, found: str) -> DataFolderBroken:
        return DataFolderBroken(
            self.root, found, "a directory this user may write to", "Choose another folder with --data-dir."
        )

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._bad_place(f"{path.name} cannot be opened ({error.strerror})") from None

    def _already_running(self) -> AlreadyRunning:
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._lock.read_text())
            state = self.read_system()
            return AlreadyRunning(self.root, pid, state.get("api_url") if state.get("pid") == pid else None)
        return AlreadyRunning(self.root, None, None)

    def _check_place(self) -> None:
        """Not a file of ours is put into a folder that is somebody else's."""
        if self._layout.exists():
            return
        names = [entry.name for entry in self.root.iterdir()]
        others = sorted(n for n in names if n not in _BEFORE_LAYOUT and not n.startswith(".layout.json."))
        if others:
            raise DataFolderBroken(
                self.root,
                f"no layout.json beside {', '.join(others[:3])}",
                "an empty folder or one that Millwright made",
                "Choose another folder with --data-dir.",
            )

    def _check_layout(self) -> None:
        known = _read_object(self._layout, "Put back layout.json from your backup.")
        if not known and not self._layout.exists():
            _write(self._layout, {"product": _PRODUCT, "layout": LAYOUT, "created_at": _now()}, 0o644)
        elif known.get("product") != _PRODUCT or known.get("layout") != LAYOUT:
            raise DataFolderBroken(
                self._layout,
                f"layout {known.get('layout')!r} of {known.get('product')!r}",
                f"layout {LAYOUT} of {_PRODUCT!r}",
                "Use the release that made this folder, or choose another one with --data-dir.",
            )

    def _check_temporal(self) -> None:
        if not _starts_with(self.temporal_db, b"SQLite format 3\0"):
            raise DataFolderBroken(
                self.temporal_db,
                "something that is not SQLite's",
                "Temporal's SQLite database",
                "Put it back from the same backup as postgres/.",
            )

    def _check_postgres(self) -> None:
        if not self.postgres.exists():
            return
        version = self.postgres / "PG_VERSION"
        try:
            found = version.read_text().strip()
        except OSError:
            if self.postgres.is_dir() and not any(self.postgres.iterdir()):
                return
            raise DataFolderBroken(
                self.postgres,
                "something without a readable PG_VERSION",
                f"a PostgreSQL {POSTGRES_MAJOR} data directory",
                "Put it back from your backup, or choose another folder with --data-dir.",
            ) from None
        if found != POSTGRES_MAJOR:
            raise DataFolderBroken(
                version,
                f"data of PostgreSQL {found!r}",
                f"of PostgreSQL {POSTGRES_MAJOR}",
                "Dump it with the release that made it and restore it here.",
            )


def _starts_with(path: Path, words: bytes) -> bool:
    try:
        with path.open("rb") as source:
            start = source.read(len(words))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return start in (b"", words)


def _read_object(path: Path, remedy: str) -> dict[str, Any]:
    expected = "a readable JSON object"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataFolderBroken(path, f"a file that cannot be read ({error.strerror})", expected, remedy) from None
    except ValueError:
        raise DataFolderBroken(path, "text that is not JSON", expected, remedy) from None
    if not isinstance(content, dict):
        raise DataFolderBroken(path, f"a JSON {type(content).__name__}", expected, remedy)
    return content


def _write(path: Path, content: dict[str, Any], mode: int) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            json.dump(content, sink, indent=2)
            sink.write("\n")
            sink.flush()
            os.fchmod(sink.fileno(), mode)
            os.fsync(sink.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
