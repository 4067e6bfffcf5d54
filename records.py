"""`mes record`: batch records on paper and as files, from PostgreSQL alone, also where Temporal is gone."""

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from sqlalchemy import Connection, Engine

import wiring
from adapters.printing import seal
from adapters.printing.port import Language, PrintJob
from adapters.printing.typst_printer import TypstPrinter
from db import audit, record_copy
from db.queries import pictures, record_archive, record_document
from db.queries.record_people import names
from db.session import engine_for
from domain.errors import Refused
from settings import DEFAULT_DATA_DIR
from system import attach_or_start

record_app = typer.Typer(no_args_is_help=True, help="Batch records on paper and as files.")
out, screen = Console(), Console(stderr=True)

DataDir = Annotated[Path, typer.Option("--data-dir", help="where the system keeps its state")]
OutFile = Annotated[Path, typer.Option("--out", help="the file to be written; it must not exist")]


@record_app.command(name="print")
def print_record(
    lot: str,
    file: OutFile,
    language: Annotated[str, typer.Option(help="en or zh")] = "en",
    archived: Annotated[bool, typer.Option("--archived", help="the sealed file from the archive")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The batch record of LOT as PDF/A."""
    if language not in ("en", "zh"):
        _end(f"{language} is no language of the record: en or zh")
    _not_there(file)
    with _engine(data_dir) as engine:
        with _snapshot(engine) as connection:
            work_order = _work_order(connection, lot)
            make = _kept if archived else _set
            content = make(connection, work_order, language)  # type: ignore[arg-type]
        _note(engine, "record.printed", work_order, {"batch": lot, "language": language, "archived": archived})
    _write(file, content)
    _tell(f"{file}: {len(content):,} bytes")


def _set(connection: Connection, work_order: str, language: Language) -> bytes:
    document = record_document.read(connection, work_order).document()
    by = f"mes record print ({getpass.getuser()})"
    shown = pictures.of_record(connection, document)
    job = PrintJob(document, language, datetime.now(UTC), names(connection, document), by, pictures=shown)
    return TypstPrinter().print(job)


def _kept(connection: Connection, work_order: str, language: str) -> bytes:
    kept = record_archive.find_print(connection, work_order, language)
    if kept is None:
        _end(f"there is no archived print of {work_order} in {language}")
    if not record_archive.is_intact(kept):
        _end(f"the archived print of {work_order} in {language} is not the file that was put away")
    content: bytes = kept.pdf
    return content


@record_app.command(name="export")
def export_record(lot: str, file: OutFile, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """The complete copy of the batch record of LOT: document, rows, signatures, audit rows, prints, with all hashes."""
    _not_there(file)
    with _engine(data_dir) as engine:
        with _snapshot(engine) as connection:
            work_order = _work_order(connection, lot)
            copy = record_copy.make(connection, work_order, datetime.now(UTC))
        _note(engine, "record.exported", work_order, {"batch": lot, "hash": copy["hash"]})
    _write(file, (json.dumps(copy, ensure_ascii=False, indent=1) + "\n").encode())
    _tell(f"{file}: batch {lot}, hash {copy['hash']}")


@record_app.command(name="import")
def import_record(file: Path, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Read a copy into the system of an empty data folder, and compare it there, row by row, with the file."""
    copy = _copy(file)
    with _engine(data_dir) as engine:
        try:
            with engine.begin() as connection:
                record_copy.read_in(connection, copy, datetime.now(UTC), _source())
        except Refused as refused:
            for blocker in refused.blockers[:20]:
                _warn(f"{blocker.code} {blocker.found}")
            _end("nothing was imported")
    _tell(f"batch {copy['batch']}: content {copy['contentHash']}, the same as in the file")


@record_app.command(name="verify")
def verify_record(
    file: Annotated[Path | None, typer.Argument(help="a sealed PDF or a copy; without it: the whole archive")] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="the organisation's certificate (PEM or DER)")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Look for a changed byte: in a sealed PDF or an exported copy, without any server, or in the archive itself."""
    known = certificate if certificate is not None else wiring.seal_certificate(data_dir)
    asked = known.read_bytes() if known.is_file() else None
    if certificate is not None and asked is None:
        _end(f"there is no file {certificate}")
    if file is None:
        _verify_archive(data_dir, asked)
    elif not file.is_file():
        _end(f"there is no file {file}")
    elif file.read_bytes()[:5] == b"%PDF-":
        _verify_pdf(file, asked)
    else:
        _verify_copy(file)


def _verify_pdf(file: Path, certificate: bytes | None) -> None:
    verdict = seal.verify(file.read_bytes(), certificate)
    if verdict.signer:
        _tell(f"sealed by {verdict.signer}, {verdict.sealed_at}\ncertificate SHA-256 {verdict.fingerprint}")
    if not verdict.is_good:
        _end(f"{file}: {verdict.detail}")
    if verdict.is_known is None:
        _warn("no certificate to compare with: compare the SHA-256 by eye, or name one with --certificate")
    _tell(f"{file}: {verdict.detail}")


def _verify_copy(file: Path) -> None:
    verdict = record_copy.verify(_copy(file))
    if verdict.faults:
        for fault in verdict.faults[:20]:
            _warn(fault)
        _end(f"{file}: not as it was made")
    _tell(
        f"{file}: batch {verdict.batch}, {verdict.rows} rows and {verdict.audit_rows} rows of the audit trail, "
        "as they were made"
    )


def _verify_archive(data_dir: Path, certificate: bytes | None) -> None:
    faults: list[str] = []
    with _engine(data_dir) as engine, _snapshot(engine) as connection:
        everything = record_archive.everything(connection)
        for work_order in everything:
            faults += record_archive.faults(connection, work_order)
            for kept in record_archive.prints(connection, work_order):
                verdict = seal.verify(kept.pdf, certificate) if kept.is_sealed else None
                if verdict is not None and not verdict.is_good:
                    faults.append(f"{work_order}: the print in {kept.language}: {verdict.detail}")
    for fault in faults[:50]:
        _warn(fault)
    if faults:
        _end(f"archive: {len(faults)} faults")
    _tell(f"archive: {len(everything)} records, as they were put away")


@contextmanager
def _engine(data_dir: Path) -> Iterator[Engine]:
    """The record of a folder; Temporal is neither started nor asked."""

    def say(step: str) -> None:
        screen.print(f"· {step}", style="dim", markup=False, highlight=False)

    with attach_or_start(data_dir, migrate=wiring.migrate, report=say, with_temporal=False) as addresses:
        engine = engine_for(addresses.database_url, pool_size=1)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """The record as it is at one moment."""
    with engine.execution_options(isolation_level="REPEATABLE READ").begin() as connection:
        yield connection


def _work_order(connection: Connection, lot: str) -> str:
    try:
        return record_copy.work_order_of(connection, lot)
    except record_document.NoSuchRecord as unknown:
        _end(str(unknown))


def _note(engine: Engine, action: str, work_order: str, new: dict[str, object]) -> None:
    entry = audit.Entry(datetime.now(UTC), "system", action, f"work-order/{work_order}", new=new, source=_source())
    with engine.begin() as connection:
        audit.append(connection, [entry])


def _source() -> str:
    return f"command line, {getpass.getuser()}"


def _copy(file: Path) -> record_copy.Copy:
    try:
        return record_copy.load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _end(f"{file}: {error}")


def _not_there(file: Path) -> None:
    if file.exists():
        _end(f"{file} exists already; name a new file")


def _write(file: Path, content: bytes) -> None:
    """A new file, readable by its owner: records name people."""
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
            sink.write(content)
    except OSError as error:
        _end(f"{file}: {error.strerror}")


def _tell(text: str) -> None:
    """A line on the screen: what it says comes from records and files, and is no markup."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _warn(text: str) -> None:
    screen.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _end(message: str) -> NoReturn:
    screen.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)
