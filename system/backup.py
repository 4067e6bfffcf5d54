"""Backup and restore of a data folder: the record and Temporal's state, of the same moment, because nothing runs.

Both belong together: an order's process says what comes next, the record what has happened. Why the system has to be
stopped, and why passwords are left out, stands in docs/adr/0008-backup.md.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Final, Protocol

from system import archive, postgres
from system.addresses import Outside
from system.archive import RECORD, TEMPORAL, Manifest, Progress
from system.data_folder import POSTGRES_MAJOR, DataFolder
from system.postgres import Postgres
from system.refusals import BackupBroken, BackupRefused, FolderInUse
from system.supervisor import end_leftovers, sigterm_unwinds

_PAGES: Final = 256


class Record(Protocol):
    """What the record tells about itself; who starts a backup hands it in, because this package knows no tables."""

    def described(self, owner_url: str) -> AbstractContextManager[tuple[str, dict[str, Any]]]:
        """The name of a snapshot, held open meanwhile, and what stands in it (`revision` among it)."""

    def known_revisions(self) -> tuple[str, ...]:
        """The schema revisions that this release can work with."""

    def bring_up_to_date(self, owner_url: str) -> None:
        """Bring a restored record to the schema of this release."""

    def broken_at(self, owner_url: str) -> int | None:
        """The first row of the audit trail that is not as it was written; None for an unbroken trail."""


def back_up(data_dir: Path, file: Path, record: Record, progress: Progress, key: str | None = None) -> Manifest:
    """Write record and Temporal's state into a new file, encrypted with a `key`. The system must not run.

    Raises AlreadyRunning, BackupRefused, BackupBroken, or what else keeps PostgreSQL from starting.
    """
    folder, file = DataFolder(data_dir), Path(os.path.abspath(file))
    _embedded_only()
    _check_source(folder, file)
    with sigterm_unwinds(), folder.locked(), _words_for_the_disk(file):
        folder.check()
        end_leftovers(folder.read_system(), lambda _step: None)
        with archive.written(file, key) as writer:
            # An encrypted backup leaves nothing readable beside it, not even for as long as it is made.
            beside = file.parent if key is None else folder.root
            writer.add(TEMPORAL, _temporal_copy(folder.temporal_db, beside, progress), compress=True)
            with _server(folder) as server, record.described(server.url(postgres.OWNER)) as (snapshot, described):
                writer.add(RECORD, _dump(server, snapshot, progress), compress=False)
                # A broken trail is copied as it is: it is evidence, and the plant needs its data all the same.
                broken_at = record.broken_at(server.url(postgres.OWNER))
            made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            manifest = Manifest(made, POSTGRES_MAJOR, described, writer.files, broken_at)
            writer.describe(manifest)
    return manifest


def restore(
    file: Path, data_dir: Path, record: Record, progress: Progress, secrets: Path | None = None,
    keys: Sequence[str] = (),
) -> Manifest:  # fmt: skip
    """Make a new data folder from a backup; it appears under its name when all of it is there and was compared.

    `secrets` is a kept `secrets.json`, from which the first accounts' passwords are taken over. Raises FolderInUse,
    BackupBroken, BackupRefused, or what else keeps PostgreSQL from starting; then there is no new folder.
    """
    target = DataFolder(data_dir).root
    _embedded_only()
    _check_target(target)
    with sigterm_unwinds(), archive.opened(file, progress, keys) as reader, _words_for_the_disk(target):
        _check_release(reader.manifest, record)
        target.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{target.name}.restoring-", dir=target.parent))
        try:
            _fill(DataFolder(making), reader, record, progress, secrets)
            making.rename(target)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        return reader.manifest


def _fill(folder: DataFolder, reader: archive.Reader, record: Record, progress: Progress, secrets: Path | None) -> None:
    expected = reader.manifest.record
    with folder.locked():
        folder.check()
        if secrets is not None:
            folder.adopt_account_secrets(secrets)
        with folder.temporal_db.open("wb") as sink:
            for chunk in reader.chunks(TEMPORAL, "restoring Temporal's state", progress):
                sink.write(chunk)
            os.fsync(sink.fileno())
        with _server(folder) as server:
            _undump(server, reader.chunks(RECORD, "restoring the record", progress))
            with record.described(server.url(postgres.OWNER)) as (_, found):
                if found != expected:
                    wrong = sorted(key for key in expected | found if expected.get(key) != found.get(key))
                    raise BackupBroken(
                        f"What was restored is not what the backup says ({', '.join(wrong)}).", "Nothing was kept."
                    )
            record.bring_up_to_date(server.url(postgres.OWNER))
            if (broken_at := record.broken_at(server.url(postgres.OWNER))) != reader.manifest.audit_broken_at:
                raise BackupBroken(f"The restored audit trail is broken at row {broken_at}.", "Nothing was kept.")


def _embedded_only() -> None:
    outside = Outside.of()
    named = [
        name
        for name, value in (("DATABASE_URL", outside.database_url), ("TEMPORAL_ADDRESS", outside.temporal_address))
        if value
    ]
    if named:
        raise BackupRefused(
            f"{' and '.join(named)} name servers of your own; this command is for the embedded ones.",
            "Back up both servers of yours with their own tools, of one moment (docs/operators/backup.md).",
        )


def _check_source(folder: DataFolder, file: Path) -> None:
    missing = [path.name for path in (folder.postgres / "PG_VERSION", folder.temporal_db) if not path.is_file()]
    if missing:
        raise BackupRefused(
            f"There is no system in {folder.root}: {', '.join(missing)} is missing.", "Name its folder with --data-dir."
        )
    if file.exists():
        raise BackupRefused(f"{file} exists already.", "Choose another name; a backup is never overwritten.")
    if not file.parent.is_dir():
        raise BackupRefused(f"There is no directory {file.parent}.", "Make it, or choose another place.")
    if file.is_relative_to(folder.root):
        raise BackupRefused(
            f"{file} lies in the folder that it would be a backup of.", "Choose another place, best on another disk."
        )


def _check_target(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise FolderInUse(target, "something that is not a directory")
    if target.is_dir() and (names := sorted(entry.name for entry in target.iterdir())):
        raise FolderInUse(target, f"{len(names)} entries ({', '.join(names[:3])}{', …' if names[3:] else ''})")


def _check_release(manifest: Manifest, record: Record) -> None:
    revision, known = manifest.record.get("revision"), record.known_revisions()
    if revision not in known:
        raise BackupRefused(
            f"The backup has schema {revision!r}, this release knows {', '.join(known)}.",
            "Restore it with the release that made it, or a newer one.",
        )
    if int(manifest.postgres_major) > int(POSTGRES_MAJOR):
        raise BackupRefused(
            f"The backup was made by PostgreSQL {manifest.postgres_major}, this release has {POSTGRES_MAJOR}.",
            "Restore it with the release that made it, or a newer one.",
        )


@contextlib.contextmanager
def _words_for_the_disk(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupRefused(
            f"{error.filename or place}: {error.strerror or error}.", "Check the disk and the rights. Nothing was kept."
        ) from None


@contextlib.contextmanager
def _server(folder: DataFolder) -> Iterator[Postgres]:
    """PostgreSQL alone: no process of ours and no Temporal that could change anything."""
    server = Postgres(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _temporal_copy(source: Path, beside: Path, progress: Progress) -> Iterator[bytes]:
    """A copy by SQLite's own backup, which takes what a killed server left in the write-ahead log with it."""
    with tempfile.TemporaryDirectory(prefix=".temporal-", dir=beside) as place:
        copy = Path(place) / TEMPORAL
        try:
            with contextlib.closing(sqlite3.connect(source)) as live, contextlib.closing(sqlite3.connect(copy)) as made:
                size = live.execute("PRAGMA page_size").fetchone()[0]

                def told(_status: int, remaining: int, total: int) -> None:
                    progress("copying Temporal's state", (total - remaining) * size, total * size)

                live.backup(made, pages=_PAGES, progress=told)
                verdict = made.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            raise BackupBroken(f"Temporal's state in {source} is damaged: {verdict}.", "Restore an earlier backup.")
        with copy.open("rb") as content:
            while chunk := content.read(archive.CHUNK):
                yield chunk


def _command(server: Postgres, program: str, *options: str) -> tuple[list[str], dict[str, str]]:
    """A client program of PostgreSQL and its environment; the password is not on the command line."""
    login = ["-h", "127.0.0.1", "-p", str(server.port), "-U", postgres.OWNER, "-d", postgres.DATABASE, "--no-password"]
    return [str(postgres.binary(program)), *login, *options], server.client_environment()


def _dump(server: Postgres, snapshot: str, progress: Progress) -> Iterator[bytes]:
    argv, env = _command(server, "pg_dump", "--format=custom", f"--snapshot={snapshot}")
    with _running(argv, env) as process:
        assert process.stdout is not None
        done = 0
        while chunk := process.stdout.read(archive.CHUNK):
            done += len(chunk)
            progress("copying the record", done, None)
            yield chunk


def _undump(server: Postgres, chunks: Iterable[bytes]) -> None:
    argv, env = _command(server, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner")
    with _running(argv, env) as process:
        assert process.stdin is not None
        # A program that ended early says why on its error output, which is what is reported.
        with contextlib.suppress(BrokenPipeError):
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()


@contextlib.contextmanager
def _running(argv: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose words are read all the time, so that it never waits for us; an error of it is a refusal."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, stderr=pipe)
    words: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(process.stderr, words), daemon=True)
    listener.start()
    try:
        yield process
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        listener.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
    if code:
        said = b"".join(words).decode(errors="replace").strip()[-2000:]
        raise BackupBroken(f"{Path(argv[0]).name} failed: {said}", "Nothing was kept.")


def _listen(source: IO[bytes], words: list[bytes]) -> None:
    words.extend(iter(lambda: source.read(4096), b""))
