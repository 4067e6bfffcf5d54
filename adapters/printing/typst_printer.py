"""Batch records and audit trails set in type by typst: PDF/A-2b, with one font that has Chinese, from nothing but data.

The font comes with the Python packages and is embedded in the file; fonts of the server are never used, so the same
record looks the same everywhere.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import typst

from adapters.printing import audit_sheet
from adapters.printing.fonts import fonts
from adapters.printing.port import AuditJob, PrintFailed, PrintJob, RecallJob
from adapters.printing.recall_sheet import recall_sheet
from adapters.printing.record_sheet import sheet

_TEMPLATE: Final = Path(__file__).with_name("batch_record.typ").read_bytes()
PIXELS_PER_INCH: Final = 110


@dataclass(frozen=True)
class _Sheet:
    """What is set in type, and what it is."""

    what: str
    sheet: dict[str, Any]
    printed_at: datetime
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def _of_record(job: PrintJob) -> _Sheet:
    return _Sheet(f"the record of {job.document['workOrder']}", sheet(job), job.printed_at, job.pictures)


def _of_recall(job: RecallJob) -> _Sheet:
    return _Sheet(f"recall {job.document['number']}", recall_sheet(job), job.printed_at)


class TypstPrinter:
    """The printer. May be used by several threads; they set one record after the other."""

    def __init__(self) -> None:
        # Setting takes memory by the page: one at a time is faster than two in turns on one processor.
        self._lock = threading.Lock()

    def print(self, job: PrintJob) -> bytes:
        """A PDF/A-2b file. Raises `PrintFailed`."""
        (made,) = self._set(_of_record(job), "pdf")
        return made

    def print_audit(self, job: AuditJob) -> bytes:
        """Rows of the audit trail as a PDF/A-2b file. Raises `PrintFailed`."""
        (made,) = self._set(_Sheet("the audit trail", audit_sheet.sheet(job), job.printed_at), "pdf")
        return made

    def print_recall(self, job: RecallJob) -> bytes:
        """The evidence of a recall as a PDF/A-2b file. Raises `PrintFailed`."""
        (made,) = self._set(_of_recall(job), "pdf")
        return made

    def pages(self, job: PrintJob) -> list[bytes]:
        """The same pages as PNG pictures, to be looked at. Raises `PrintFailed`."""
        return self._set(_of_record(job), "png")

    def _set(self, own: _Sheet, form: Literal["pdf", "png"]) -> list[bytes]:
        inputs = {"sheet": json.dumps(own.sheet, ensure_ascii=False)}
        with self._lock, _folder(own.pictures) as root:
            compiler = typst.Compiler(
                _TEMPLATE, root=root, font_paths=fonts(), ignore_system_fonts=True, sys_inputs=inputs
            )
            try:
                made, warnings = compiler.compile_with_warnings(
                    format=form, ppi=PIXELS_PER_INCH, pdf_standards=["a-2b"] if form == "pdf" else [],
                    timestamp=own.printed_at.replace(microsecond=0),
                )  # fmt: skip
            except typst.TypstError as error:
                raise PrintFailed(f"{own.what} was not printed: {error}") from error
        if warnings or made is None:
            said = "; ".join(warning.message for warning in warnings)
            raise PrintFailed(f"{own.what} was not printed: {said}")
        return made if isinstance(made, list) else [made]


@contextmanager
def _folder(pictures: Mapping[str, bytes]) -> Iterator[str | None]:
    """A folder that holds these pictures and nothing else, for as long as they are set: the compiler reads no other."""
    if not pictures:
        yield None
        return
    with TemporaryDirectory(prefix="mes-print-") as made:
        for digest, content in pictures.items():
            Path(made, digest).write_bytes(content)
        yield made
