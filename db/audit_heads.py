"""Heads of the audit trail, published outside the database: who cuts the trail off cannot cut these off with it.

A chain of hashes proves that nothing was changed *before* its end; where the end was, only something outside can say.
The file is append-only, one JSON line for each head: `{"seq": 7, "hash": "…", "at": "…Z"}`, about 140 bytes, forced to
the disk. Put it where the database's administrators cannot write: another machine, or storage that is written once.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from db import audit
from db.audit import Published

_LINE: Final = 256
"""No line is longer."""


class HeadsUnreadable(Exception):
    """The file of published heads is not as it was written: evidence in itself."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path}, line {line}, is no published head: the file was damaged or changed")


@dataclass(frozen=True)
class Heads:
    """The file of published heads."""

    path: Path

    def publish(self, connection: Connection, at: datetime) -> Published | None:
        """Append the end of the chain, unless it stands there already. Raises OSError, HeadsUnreadable."""
        seq, digest = audit.head(connection)
        if seq == 0 or self._last() == (seq, digest):
            return None
        made = Published(seq, digest, audit.timestamp(at))
        self._append(json.dumps({"seq": made.seq, "hash": made.hash, "at": made.at}))
        return made

    def _last(self) -> tuple[int, str] | None:
        """The last head, by the end of the file alone: it grows for years."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 4 * _LINE, 0))
            lines = file.read().split(b"\n")
        with suppress(ValueError, KeyError, TypeError, IndexError):
            own = json.loads(lines[-2])
            return int(own["seq"]), str(own["hash"])
        return None

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        # What a crash left half written stays on a line of its own.
        torn = not is_new and self.path.read_bytes()[-1:] not in (b"", b"\n")
        with self.path.open("ab", buffering=0) as file:
            file.write((("\n" if torn else "") + line + "\n").encode())
            os.fsync(file.fileno())
        if is_new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def read(self) -> Sequence[Published]:
        """All heads, in the order in which they were published; none where there is no file.

        A line that ends before its JSON does was being written during a crash. Raises HeadsUnreadable for any other.
        """
        if not self.path.exists():
            return ()
        found: list[Published] = []
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            try:
                own = json.loads(line)
                found.append(Published(int(own["seq"]), str(own["hash"]), str(own["at"])))
            except (ValueError, KeyError, TypeError):
                if line.startswith("{") and not line.endswith("}"):
                    continue
                raise HeadsUnreadable(self.path, number) from None
        return tuple(found)
