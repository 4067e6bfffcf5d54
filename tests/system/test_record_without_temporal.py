"""With Temporal stopped and its data deleted, every record prints, verifies and travels (RC-02)."""

import asyncio
import io
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import pypdf
import pytest
from sqlalchemy import insert

import wiring
from adapters.printing.glyphs import BREAK
from db import tables as t
from db.session import engine_for
from settings import Settings
from system import EmbeddedSystem
from system.data_folder import PRINT_SEAL, DataFolder
from tests.commands import COMMANDS
from tests.desk import GMP
from tests.plant import Plant
from workflows.runtime import connect

REVIEWED = GMP.model_copy(update={"code": "reviewed", "batch_record_review": True})


class Left(NamedTuple):
    """What is left of a plant: its data folder without Temporal's file, and the batch that it made."""

    folder: Path
    batch: str
    work_order: str


@pytest.fixture(scope="module")
async def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """One batch is made, reviewed, archived; the system is stopped; Temporal's database is deleted."""
    folder = tmp_path_factory.mktemp("rc02") / "data"
    system = EmbeddedSystem(folder, migrate=wiring.migrate, environment={})
    await asyncio.to_thread(system.start)
    try:
        batch, work_order = await made(system, folder)
    finally:
        await asyncio.to_thread(system.stop)
    files = list(folder.glob("temporal.db*"))
    assert files
    for file in files:
        file.unlink()
    return Left(folder, batch, work_order)


async def made(system: EmbeddedSystem, folder: Path) -> tuple[str, str]:
    """A batch of tablets from approval to the archive, with a signature under its approval."""
    settings = Settings(
        database_url=system.database_url, database_owner_url="", temporal_address=system.temporal_address,
        seal_key=folder / "seal" / "organisation.p12", seal_password=DataFolder(folder).secret(PRINT_SEAL),
    )  # fmt: skip
    engine = engine_for(system.database_url)
    try:
        plant = Plant(await connect(system.temporal_address), engine, settings, task_queue="rc02")
        plant.set_up()
        await plant.stock("API-1", "API", "10")
        await plant.stock("LAC-1", "LAC", "200")
        async with plant.working():
            order = await (await plant.order(REVIEWED)).closed()
        sign(plant, order.work_order)
        return order.lot, order.work_order
    finally:
        engine.dispose()


def sign(plant: Plant, work_order: str) -> None:
    """The signature that the API takes under an approval, put where it puts it."""
    with plant.engine.begin() as connection:
        (command,) = plant.rows(
            "SELECT command_id FROM order_fact WHERE body->'events' @> '[{\"kind\": \"batchRecordMoved\"}]' "
            "AND command_id IS NOT NULL ORDER BY revision LIMIT 1"
        )[0]
        row = {
            "id": "00000000-0000-0000-0000-000000000001", "command_id": command, "signer": "replay.quality",
            "full_name": "Qiu 质量", "meaning": "reviewed", "entity": f"work-order/{work_order}",
            "content_hash": "ab" * 32, "signed_at": "2026-11-26T10:11:12.345Z",
        }  # fmt: skip
        connection.execute(insert(t.core(t.Signature)), row)


def mes(*arguments: object, expected: int = 0) -> str:
    """A command in a process of its own; what it said."""
    done = COMMANDS.run([str(argument) for argument in arguments], os.environ)
    assert done.returncode == expected, (done.stdout, done.stderr)
    assert "temporal" not in (done.stdout + done.stderr).lower()
    return done.stdout + done.stderr


def _heads_outside_the_database_are_compared(folder: Path) -> None:
    published = mes("audit", "publish", "--data-dir", folder)
    assert published in mes("audit", "publish", "--data-dir", folder)
    assert "as published up to row" in mes("audit", "verify", "--data-dir", folder)
    heads = folder / "audit-heads.jsonl"
    (known,) = heads.read_text().splitlines()
    later = json.loads(known) | {"seq": json.loads(known)["seq"] + 3}
    heads.write_text(f"{known}\n{json.dumps(later)}\n")
    said = " ".join(mes("audit", "verify", "--data-dir", folder, expected=1).split())
    assert f"rows {later['seq'] - 2} to {later['seq']} are missing" in said
    heads.write_text(f"{known}\n")


@pytest.mark.timeout(300)
@pytest.mark.accepts("RC-02", "ES-07", "B12", "AT-04")
def test_record_audit_trail_and_signatures_come_from_postgresql_alone(left: Left, tmp_path: Path) -> None:
    paper = tmp_path / "f.pdf"
    mes("record", "print", left.batch, "--language", "zh", "--out", paper, "--data-dir", left.folder)
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper.read_bytes())).pages)
    found = re.sub(r"\s+", " ", " ".join(pages)).replace(BREAK, "")
    for said in ("批生产记录", left.batch, "API-1", "dissolution", "Qiu 质量 replay.quality 审核", "10:11:12.345 UTC"):
        assert said in found, said
    assert "unbroken" in mes("audit", "verify", "--data-dir", left.folder)
    assert "1 records, as they were put away" in mes("record", "verify", "--data-dir", left.folder)
    _heads_outside_the_database_are_compared(left.folder)
    assert not list(left.folder.glob("temporal.db*")), "nothing was started that makes it again"
    taken = mes("record", "print", left.batch, "--out", paper, "--data-dir", left.folder, expected=1)
    assert "exists" in taken, "a file is never overwritten"
    assert "no work order" in mes("record", "print", "NONE", "--out", "x.pdf", "--data-dir", left.folder, expected=1)


@pytest.mark.timeout(300)
@pytest.mark.accepts("AT-13", "ES-09", "B14", "RC-02")
def test_a_sealed_print_and_a_copy_leave_the_plant_and_are_verified_elsewhere(left: Left, tmp_path: Path) -> None:
    paper, copy, new = tmp_path / "f.pdf", tmp_path / "f.json", tmp_path / "new"
    mes("record", "print", left.batch, "--archived", "--out", paper, "--data-dir", left.folder)
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(wiring.seal_certificate(left.folder).read_bytes())
    elsewhere = tmp_path / "nothing-here"
    assert "as it was sealed" in mes("record", "verify", paper, "--certificate", certificate, "--data-dir", elsewhere)
    changed = bytearray(paper.read_bytes())
    changed[len(changed) // 3] ^= 1
    (tmp_path / "changed.pdf").write_bytes(changed)
    said = mes("record", "verify", tmp_path / "changed.pdf", "--data-dir", elsewhere, expected=1)
    assert "changed after it was sealed" in said
    assert not elsewhere.exists(), "verification of a file needs no system"

    mes("record", "export", left.batch, "--out", copy, "--data-dir", left.folder)
    assert "as they were made" in mes("record", "verify", copy, "--data-dir", elsewhere)
    hashes = json.loads(copy.read_text())
    assert hashes["contentHash"] in mes("record", "import", copy, "--data-dir", new)
    again = tmp_path / "again.json"
    mes("record", "export", left.batch, "--out", again, "--data-dir", new)
    second = json.loads(again.read_text())
    assert (second["documentHash"], second["document"]) == (hashes["documentHash"], hashes["document"])
    assert second["rowHashes"] == hashes["rowHashes"]
    assert "unbroken" in mes("audit", "verify", "--data-dir", new)
    assert "nothing was imported" in mes("record", "import", copy, "--data-dir", new, expected=1)


def test_a_folder_seals_with_a_key_of_its_own_that_stays_the_same(left: Left) -> None:
    key = left.folder / "seal" / "organisation.p12"
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    wiring._make_seal_key(DataFolder(left.folder))
    assert key.read_bytes() == before
    assert PRINT_SEAL in DataFolder(left.folder).read_secrets()
