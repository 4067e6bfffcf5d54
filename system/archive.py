"""The file of a backup: an ordinary zip whose last 64 bytes are the SHA-256 of all bytes before them.

    manifest.json   what is inside, from which schema, with which row counts and head of the audit trail
    record.dump     PostgreSQL's dump (format `custom`, compressed by pg_dump)
    temporal.db     Temporal's SQLite file

The 64 bytes are the zip's comment, so every zip program opens the file, and a byte that changed anywhere is found.
With a key the zip lies in a sealed file (`system/sealed_file.py`), whose blocks say the same and more: nobody without
the key can read or make one. Nothing is held in memory as a whole.
"""

import contextlib
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from system.refusals import BackupBroken, BackupRefused
from system.sealed_file import BLOCK, SealedReader, SealingWriter, is_sealed

FORMAT: Final = 1
RECORD: Final = "record.dump"
TEMPORAL: Final = "temporal.db"
CHUNK: Final = 1 << 20
_MANIFEST: Final = "manifest.json"
_PRODUCT: Final = "millwright"
_SEAL: Final = 64

Progress = Callable[[str, int, int | None], None]
"""Told: what is being done, bytes done, bytes in all (None when nobody knows yet)."""


@dataclass(frozen=True)
class Member:
    """One file of the archive: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What the archive says about itself.

    `record` is the record's own description of its content; `audit_broken_at` the first row of the audit trail that
    was not as it was written when the backup was made, None for an unbroken trail.
    """

    created_at: str
    postgres_major: str
    record: dict[str, Any]
    files: dict[str, Member]
    audit_broken_at: int | None = None

    def as_json(self) -> str:
        """As it stands in the archive."""
        return json.dumps({"product": _PRODUCT, "format": FORMAT, **asdict(self)}, indent=2, sort_keys=True)


class Writer:
    """Puts files into an archive that is being made."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, Member] = {}

    def add(self, name: str, chunks: Iterable[bytes], *, compress: bool) -> None:
        """One file, chunk by chunk."""
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o600 << 16
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        self.files[name] = Member(size, digest.hexdigest())

    def describe(self, manifest: Manifest) -> None:
        """The last file: what is inside."""
        self._archive.writestr(zipfile.ZipInfo(_MANIFEST), manifest.as_json())


@contextlib.contextmanager
def written(file: Path, key: str | None = None) -> Iterator[Writer]:
    """An archive that appears under its name, readable by its owner only, when all of it is on the disk.

    With a `key` it is encrypted.
    """
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w+b") as sink:
            if key is None:
                with zipfile.ZipFile(sink, "w") as archive:
                    yield Writer(archive)
                    archive.comment = b"0" * _SEAL
                _seal(sink)
            else:
                sealing = SealingWriter(sink, key)
                with zipfile.ZipFile(cast(IO[bytes], sealing), "w") as archive:
                    yield Writer(archive)
                sealing.finish()
                sink.flush()
                os.fsync(sink.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _seal(sink: IO[bytes]) -> None:
    sink.flush()
    size = os.fstat(sink.fileno()).st_size
    digest = _digest(sink, size - _SEAL)
    sink.seek(size - _SEAL)
    sink.write(digest.encode())
    sink.flush()
    os.fsync(sink.fileno())


def _digest(source: IO[bytes], size: int, progress: Progress | None = None) -> str:
    """SHA-256 of the first `size` bytes."""
    source.seek(0)
    digest, left = hashlib.sha256(), size
    while left > 0 and (chunk := source.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
        if progress:
            progress("checking the file", size - left, size)
    return digest.hexdigest()


class Reader:
    """Takes files out of an archive that was checked."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive, self.manifest = archive, manifest

    def chunks(self, name: str, step: str, progress: Progress) -> Iterator[bytes]:
        """The content of one file. Raises BackupBroken at its end when it is not what the manifest says."""
        expected = self.manifest.files[name]
        digest, done = hashlib.sha256(), 0
        with self._archive.open(name) as member:
            while chunk := member.read(CHUNK):
                digest.update(chunk)
                done += len(chunk)
                progress(step, done, expected.size)
                yield chunk
        if (done, digest.hexdigest()) != (expected.size, expected.sha256):
            raise _broken(f"{name} is not the file that the manifest describes")


@contextlib.contextmanager
def opened(file: Path, progress: Progress, keys: Sequence[str] = ()) -> Iterator[Reader]:
    """An archive every byte of which is as it was written. Raises BackupBroken or BackupRefused.

    `keys` are for one that is encrypted.
    """
    try:
        source = file.open("rb")
    except OSError as error:
        raise BackupRefused(f"{file} cannot be read ({error.strerror}).", "Name the file of a backup.") from None
    with source:
        content = _unsealed(source, progress, keys) if is_sealed(source) else _checked(file, source, progress)
        try:
            with zipfile.ZipFile(content) as archive:
                yield Reader(archive, _manifest(archive))
        except zipfile.BadZipFile as error:
            raise _broken(f"{file}: {error}") from None


def _checked(file: Path, source: IO[bytes], progress: Progress) -> IO[bytes]:
    size = os.fstat(source.fileno()).st_size
    digest = _digest(source, size - _SEAL, progress)
    if size <= _SEAL or source.read(_SEAL) != digest.encode():
        raise _broken(f"{file} is no whole backup, or was changed after it was made")
    return source


def _unsealed(source: IO[bytes], progress: Progress, keys: Sequence[str]) -> IO[bytes]:
    """The content of a sealed file, every block of which was opened once before anything is restored."""
    sealed = SealedReader(source, keys)
    content = io.BufferedReader(sealed, BLOCK)
    _digest(content, sealed.size, progress)
    content.seek(0)
    return content


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        content = json.loads(archive.read(_MANIFEST))
        if (content["product"], content["format"]) != (_PRODUCT, FORMAT):
            raise BackupRefused(
                f"The file is a backup of format {content['format']!r} of {content['product']!r}, "
                f"this release reads format {FORMAT} of {_PRODUCT!r}.",
                "Use the release that made it.",
            )
        files = {name: Member(**content["files"][name]) for name in (RECORD, TEMPORAL)}
        return Manifest(
            content["created_at"], content["postgres_major"], content["record"], files,
            content["audit_broken_at"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(f"the manifest cannot be read ({type(error).__name__}: {error})") from None


def _broken(what: str) -> BackupBroken:
    return BackupBroken(f"This backup cannot be used: {what}.", "Use another copy of it. Nothing was restored.")
