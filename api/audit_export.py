"""Handing out what was found in the audit trail: as CSV for a spreadsheet, as JSON for a program, as PDF for people.

All rows come from one snapshot, oldest first. Who took which rows, and the fingerprint of the file, is a row itself: it
is written before a byte is handed out.
"""

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Literal

from sqlalchemy import Connection

from adapters.printing.audit_words import Sentence, in_words
from adapters.printing.port import AuditJob, Language
from api.clock import now
from api.deps import Caller, writing
from api.errors import refused
from db.queries import audit_trail
from db.queries.audit_trail import Search

Format = Literal["csv", "json", "pdf"]
MEDIA: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8", "json": "application/json", "pdf": "application/pdf",
}  # fmt: skip
MOST_PRINTED: Final = 5000
"""More rows are no paper that anybody reads; CSV and JSON take any number."""
_IN_MEMORY: Final = 4 * 1024 * 1024
_CHUNK: Final = 256 * 1024
COLUMNS: Final = (
    "seq", "at", "actor", "actorName", "action", "entity", "text", "old", "new", "reason", "source", "commandId",
    "hash",
)  # fmt: skip


@dataclass
class Export:
    """A finished file: its name, how many rows, its SHA-256."""

    file: IO[bytes]
    format: Format
    rows: int
    sha256: str

    def chunks(self) -> Iterator[bytes]:
        """The file, in pieces; it is gone afterwards."""
        with self.file as file:
            while piece := file.read(_CHUNK):
                yield piece


def export(who: Caller, search: Search, form: Format, language: Language) -> Export:
    """Make the file, and say so in the trail. Raises `Refused` TOO_MANY_ROWS for a PDF that nobody would read."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (closed by who reads it to the end)
    try:
        return _export(who, search, form, language, file)
    except BaseException:
        file.close()
        raise


def _export(who: Caller, search: Search, form: Format, language: Language, file: IO[bytes]) -> Export:
    writer = _Writer(file, form, language)
    snapshot = who.services.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        if form == "pdf":
            _print(connection, who, search, language, writer)
        else:
            for rows in audit_trail.everything(connection, search):
                writer.write(rows)
            writer.finish()
    made = Export(file, form, writer.rows, writer.digest.hexdigest())
    new = {
        "filters": search.as_document(), "format": form, "language": language, "rows": made.rows,
        "firstSeq": writer.first, "lastSeq": writer.last, "sha256": made.sha256,
    }  # fmt: skip
    with writing(who, who.entry("audit.exported", "audit", new=new)):
        pass
    file.seek(0)
    return made


def _print(connection: Connection, who: Caller, search: Search, language: Language, writer: "_Writer") -> None:
    found = audit_trail.count(connection, search)
    if found > MOST_PRINTED:
        required = f"at most {MOST_PRINTED} rows for a PDF; search more narrowly, or take CSV or JSON"
        raise refused("TOO_MANY_ROWS", "audit", "export", f"{found} rows", required, who.id)
    rows = [row for page in audit_trail.everything(connection, search) for row in page]
    by = f"{who.session.full_name} ({who.id})"
    writer.note(rows)
    writer.put(who.services.printer.print_audit(AuditJob(rows, search.as_document(), language, now(), by)))


class _Writer:
    """Writes rows as they come, and keeps count and fingerprint."""

    def __init__(self, file: IO[bytes], form: Format, language: Language) -> None:
        self._file, self._form, self._sentence = file, form, Sentence(language)
        self.digest, self.rows = hashlib.sha256(), 0
        self.first: int | None = None
        self.last: int | None = None
        if form == "csv":
            # The mark lets spreadsheets see that it is UTF-8.
            self.put("\ufeff".encode() + _line(COLUMNS))

    def put(self, piece: bytes) -> None:
        """Write bytes."""
        self.digest.update(piece)
        self._file.write(piece)

    def note(self, rows: list[dict[str, Any]]) -> None:
        """Count rows."""
        if rows:
            self.first = rows[0]["seq"] if self.first is None else self.first
            self.last = rows[-1]["seq"]
        self.rows += len(rows)

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write rows."""
        if self._form == "csv":
            self.put(b"".join(_line(self._cells(row)) for row in rows))
        else:
            for number, row in enumerate(rows, self.rows):
                start = b",\n" if number else b'{"rows": [\n'
                self.put(start + json.dumps({**row, "text": in_words(row)}, ensure_ascii=False).encode())
        self.note(rows)

    def finish(self) -> None:
        """Write what stands at the end."""
        if self._form == "json":
            self.put(b"\n]}\n" if self.rows else b'{"rows": []}\n')

    def _cells(self, row: dict[str, Any]) -> Iterator[str]:
        for column in COLUMNS:
            value = self._sentence.of(row) if column == "text" else row[column]
            yield harmless(_text(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection): an apostrophe stands before it."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _line(cells: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(list(cells))
    return out.getvalue().encode()
