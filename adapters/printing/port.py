"""What a printer is: a document in, a file for people out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol, get_args

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
Document = dict[str, Any]


@dataclass(frozen=True)
class PrintJob:
    """A batch record to be printed.

    `document` is what `BatchRecord.document()` gives, `people` the full names by user id. `printed_at` is the time on
    the paper and in the file: the same job gives the same bytes. `for_archive` says that this is the print that is
    put away, and whether it will be sealed; an ordinary print says who made it in `printed_by`. `pictures` are those
    that the instructions show: SHA-256 → the file.
    """

    document: Document
    language: Language
    printed_at: datetime
    people: Mapping[str, str] = field(default_factory=dict)
    printed_by: str = ""
    for_archive: Literal["sealed", "unsealed"] | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def is_draft(self) -> bool:
        """Whether quality has not approved the record (yet)."""
        return self.document["review"]["state"] not in ("approved", "archived")


@dataclass(frozen=True)
class AuditJob:
    """Rows of the audit trail to be printed, as `db.queries.audit_trail` gives them, oldest first.

    `asked` says what was searched for. Who printed it when stands on every page.
    """

    rows: Sequence[Document]
    asked: Document
    language: Language
    printed_at: datetime
    printed_by: str


@dataclass(frozen=True)
class RecallJob:
    """The evidence of a recall to be printed: `document` is what `db.queries.recalls.detail` gives, with signatures."""

    document: Document
    language: Language
    printed_at: datetime
    people: Mapping[str, str]
    printed_by: str


class Printer(Protocol):
    """Makes PDF/A-2b files. Pure: no network, no database, no clock."""

    def print(self, job: PrintJob) -> bytes:
        """A batch record. Raises `PrintFailed`."""
        ...

    def print_audit(self, job: AuditJob) -> bytes:
        """Rows of the audit trail. Raises `PrintFailed`."""
        ...

    def print_recall(self, job: RecallJob) -> bytes:
        """The evidence of a recall. Raises `PrintFailed`."""
        ...


class Sealer(Protocol):
    """Seals a finished file with the organisation's key, so that a changed byte is found without any server."""

    def seal(self, pdf: bytes) -> bytes:
        """The same pages with a seal over all of them. Raises `SealKeyUnusable`."""
        ...


class PrintFailed(RuntimeError):
    """The document could not be set in type: a fault of the program, not of the record."""


class SealKeyUnusable(RuntimeError):
    """The organisation's key cannot be read, or its password is wrong."""
