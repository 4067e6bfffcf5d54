"""A file that only the holder of a key can read or write: AES-256-GCM in blocks, each bound to its place and its file.

    first line   id of the key (12 characters)   salt (16 bytes)   block 0   block 1   …   last block

A block is 64 KiB of content and its tag. The file's own key comes from the secret and the salt (HKDF-SHA-256), the
nonce is the block's number, and the last block says that it is the last: so blocks that were changed, exchanged,
repeated or cut off are found. Blocks are read in any order; nothing is written in the clear, nothing held as a whole.
"""

import io
import os
from collections.abc import Mapping, Sequence
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from system.refusals import BackupBroken, BackupRefused

MAGIC: Final = b"MILLWRIGHT-SEALED-1\n"
BLOCK: Final = 64 * 1024
_TAG: Final = 16
_ID: Final = 12
_SALT: Final = 16
HEAD: Final = len(MAGIC) + _ID + _SALT


def key_id(secret: str) -> str:
    """What a key is called: a fingerprint that tells nothing of it."""
    return _derived(secret, b"", b"millwright backup id", 6).hex()


def is_sealed(source: IO[bytes]) -> bool:
    """Whether a file is one of these. Leaves the position at its beginning."""
    source.seek(0)
    begins = source.read(len(MAGIC))
    source.seek(0)
    return begins == MAGIC


def _derived(secret: str, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret.encode())


def _cipher(secret: str, salt: bytes) -> AESGCM:
    return AESGCM(_derived(secret, salt, b"millwright backup key", 32))


def _nonce(block: int) -> bytes:
    return block.to_bytes(12, "big")


class SealingWriter(io.RawIOBase):
    """Takes content from its beginning to its end and writes it sealed. `close` writes the last block."""

    def __init__(self, sink: IO[bytes], secret: str) -> None:
        super().__init__()
        salt = os.urandom(_SALT)
        self._sink, self._cipher = sink, _cipher(secret, salt)
        self._head = MAGIC + key_id(secret).encode() + salt
        self._pending, self._blocks = bytearray(), 0
        sink.write(self._head)

    def writable(self) -> bool:
        """See RawIOBase."""
        return True

    def write(self, content: object) -> int:
        """See RawIOBase."""
        data = bytes(content)  # type: ignore[call-overload]
        self._pending += data
        while len(self._pending) > BLOCK:  # the last block is never empty-handed: it stays until the end
            self._put(bytes(self._pending[:BLOCK]), b"+")
            del self._pending[:BLOCK]
        return len(data)

    def finish(self) -> None:
        """Write the last block."""
        self._put(bytes(self._pending), b".")
        self._pending.clear()

    def _put(self, content: bytes, kind: bytes) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._blocks), content, self._head + kind))
        self._blocks += 1


class SealedReader(io.RawIOBase):
    """The content of a sealed file, read from any place.

    Raises BackupRefused without its key, BackupBroken for a block that is not as it was written.
    """

    def __init__(self, source: IO[bytes], secrets: Sequence[str]) -> None:
        super().__init__()
        source.seek(0, os.SEEK_END)
        body = source.tell() - HEAD
        source.seek(0)
        self._source, self._head = source, source.read(HEAD)
        self._cipher = _of_key(self._head, {key_id(secret): secret for secret in secrets})
        self._blocks = max(1, -(-body // (BLOCK + _TAG)))
        self.size = body - self._blocks * _TAG
        self._at, self._held = 0, (-1, b"")
        if self.size < 0:
            raise _broken()

    def readable(self) -> bool:
        """See RawIOBase."""
        return True

    def seekable(self) -> bool:
        """See RawIOBase."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See RawIOBase."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """See RawIOBase."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """See RawIOBase."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._at >= self.size or not view:
            return 0
        number, inside = divmod(self._at, BLOCK)
        found = self._block(number)[inside : inside + len(view)]
        view[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _block(self, number: int) -> bytes:
        if self._held[0] != number:
            self._source.seek(HEAD + number * (BLOCK + _TAG))
            sealed = self._source.read(BLOCK + _TAG)
            kind = b"." if number == self._blocks - 1 else b"+"
            try:
                self._held = (number, self._cipher.decrypt(_nonce(number), sealed, self._head + kind))
            except (InvalidTag, ValueError):
                raise _broken() from None
        return self._held[1]


def _of_key(head: bytes, known: Mapping[str, str]) -> AESGCM:
    name = head[len(MAGIC) : len(MAGIC) + _ID].decode("ascii", "replace")
    secret = known.get(name)
    if secret is None:
        there = f"the keys that are there: {', '.join(known)}" if known else "there is no key"
        raise BackupRefused(
            f"The backup is encrypted with the key {name}; {there}.",
            "Set MES_BACKUP_KEY, or MES_BACKUP_KEY_FILE to the file that holds it. Nothing was restored.",
        )
    return _cipher(secret, head[len(MAGIC) + _ID :])


def _broken() -> BackupBroken:
    return BackupBroken(
        "This backup cannot be used: it is no whole backup, or was changed after it was made.",
        "Use another copy of it. Nothing was restored.",
    )
