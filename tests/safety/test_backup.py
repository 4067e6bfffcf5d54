"""Backup, wipe, restore: nothing is lost, a running order goes on, and what is not a whole backup is refused."""

import asyncio
import json
import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import wiring
from db import audit
from db.session import engine_for
from domain import commands as c
from settings import Settings
from system import Addresses, EmbeddedSystem, SystemRefusal
from system.archive import RECORD, TEMPORAL, Manifest, opened, written
from system.backup import back_up, restore
from system.postgres import binary
from system.refusals import AlreadyRunning, BackupBroken, BackupRefused, DataFolderBroken, FolderInUse
from tests.plant import Order, Plant
from tests.system.supervise import copy_of
from workflows.runtime import connect

pytestmark = pytest.mark.accepts("A23")


def silent(_step: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


@asynccontextmanager
async def plant_on(addresses: Addresses) -> AsyncIterator[Plant]:
    """The plant of a system, with a worker in this process."""
    engine = engine_for(addresses.database_url)
    settings = Settings(
        database_url=addresses.database_url,
        database_owner_url=addresses.database_owner_url,
        temporal_address=addresses.temporal_address,
        data_dir=addresses.data_dir,
    )
    plant = Plant(await connect(addresses.temporal_address), engine, settings, task_queue="backup")
    async with plant.working():
        yield plant
    engine.dispose()


class Story:
    """What was there when the backup was made."""

    def __init__(self, folder: Path, file: Path) -> None:
        self.folder, self.file = folder, file
        self.secrets: dict[str, str] = {}
        self.made: Manifest
        self.half_way: Order
        self.closed: Order


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A system with a closed order and one half way, stopped, backed up."""
    place = tmp_path_factory.mktemp("backup")
    story = Story(place / "mes", place / "monday.backup")
    with EmbeddedSystem(story.folder, migrate=wiring.migrate, environment={}) as system:
        async with plant_on(system.addresses) as plant:
            await asyncio.to_thread(plant.set_up)
            for lot, material in (("API-1", "API"), ("LAC-1", "LAC"), ("API-2", "API"), ("LAC-2", "LAC")):
                await plant.stock(lot, material, "200")
            story.closed = await (await plant.order()).closed()
            story.half_way = await (await plant.order()).picked()
            await story.half_way.operation("DISPENSE")
            await story.half_way.do(c.StartOperation, "olu", operation="COMPRESS")
        with pytest.raises(AlreadyRunning):
            back_up(story.folder, story.file, wiring.Record(), silent)
    assert not story.file.exists()
    story.secrets = json.loads((story.folder / "secrets.json").read_text())
    story.made = back_up(story.folder, story.file, wiring.Record(), silent)
    return story


@pytest.fixture(scope="module")
def restored(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The system as it is restored without kept secrets: to be copied."""
    place = tmp_path_factory.mktemp("restored") / "mes"
    restore(story.file, place, wiring.Record(), silent)
    return place


async def test_after_a_restore_nothing_is_lost_and_the_running_order_goes_on(story: Story, tmp_path: Path) -> None:
    wiped = tmp_path / "wiped"
    story.folder.rename(wiped)
    shutil.rmtree(wiped)
    steps: list[str] = []
    restored = restore(story.file, story.folder, wiring.Record(), lambda step, _done, _total: steps.append(step))
    assert restored == story.made
    assert restored.record["rows"]["order_fact"] > 30
    assert set(steps) == {"checking the file", "restoring Temporal's state", "restoring the record"}
    with EmbeddedSystem(story.folder, migrate=wiring.migrate, environment={}) as system:
        with wiring.Record().described(system.database_owner_url) as (_, found):
            assert found == story.made.record
        async with plant_on(system.addresses) as plant:
            order = story.half_way
            order.plant = story.closed.plant = plant
            assert story.closed.state() == "closed"
            assert (await order.process()).work_orders[order.work_order].operations["COMPRESS"].state == "running"
            values = (c.Measurement(name="weight", text="113", unit="mg"),)
            await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
            await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=990, scrap=10, scrap_reason="dust")
            await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
            await order.operation("COAT", good=980, scrap=10)
            await order.until("inspection", "created")
            await (await order.tested()).put_into_quarantine()
            assert (await order.finished()).state() == "closed"
            with plant.engine.connect() as connection:
                verdict = audit.verify(connection)
        assert verdict.broken_at is None
        assert verdict.rows > story.made.record["audit_rows"]


def sql_of(file: Path) -> bytes:
    """The record inside a backup, as readable SQL."""
    with zipfile.ZipFile(file) as archive:
        command = [str(binary("pg_restore")), "-f", "-"]
        return subprocess.run(command, input=archive.read(RECORD), capture_output=True, check=True).stdout


@pytest.mark.accepts("C8")
def test_no_password_is_in_the_file(story: Story) -> None:
    text = sql_of(story.file)
    with zipfile.ZipFile(story.file) as archive:
        assert set(archive.namelist()) == {TEMPORAL, RECORD, "manifest.json"}
        text += archive.read(TEMPORAL) + archive.read("manifest.json")
    assert b"$argon2id$" in text
    assert len(story.secrets) > 10
    assert not [name for name, word in story.secrets.items() if word.encode() in text]
    assert stat.S_IMODE(story.file.stat().st_mode) == 0o600
    assert [path.name for path in story.file.parent.iterdir() if path.name.startswith(".")] == []


def test_passwords_of_people_come_from_the_kept_secrets_alone(story: Story, tmp_path: Path) -> None:
    kept, place = tmp_path / "kept.json", tmp_path / "new"
    kept.write_text(json.dumps(story.secrets))
    restore(story.file, place, wiring.Record(), silent, kept)
    assert wiring.password_of(place, "replay.operator") == story.secrets["password of replay.operator"]
    assert all(person.password in story.secrets.values() for person in wiring.people(place).values())
    now = json.loads((place / "secrets.json").read_text())
    assert now["owner"] != story.secrets["owner"]
    assert now["app"] != story.secrets["app"]
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"owner": "x"}')
    with pytest.raises(DataFolderBroken, match="no passwords of accounts"):
        restore(story.file, tmp_path / "other", wiring.Record(), silent, wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json", "new", "wrong.json"]


def test_without_secrets_the_passwords_are_not_guessed(restored: Path, tmp_path: Path) -> None:
    place = copy_of(restored, tmp_path / "new")
    with EmbeddedSystem(place, migrate=wiring.migrate, environment={}):
        pass
    assert wiring.password_of(place, "admin") is None
    with pytest.raises(SystemRefusal, match=r"replay\.operator"):
        wiring.people(place)


@pytest.mark.parametrize("what", ["a file in it", "a file", "a link"])
def test_a_place_that_holds_something_is_refused(story: Story, tmp_path: Path, what: str) -> None:
    place = tmp_path / "new"
    if what == "a file in it":
        place.mkdir()
        (place / "letter").write_text("dear")
    elif what == "a file":
        place.write_text("dear")
    else:
        place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderInUse, match="never overwrites"):
        restore(story.file, place, wiring.Record(), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def rewritten(story: Story, to: Path, manifest: Manifest) -> Path:
    """A backup with another manifest, sealed as if it were genuine."""
    with zipfile.ZipFile(story.file) as archive, written(to) as writer:
        for name in (TEMPORAL, RECORD):
            writer.add(name, [archive.read(name)], compress=False)
        writer.describe(manifest)
    return to


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"record": {"revision": "9999"}}, "9999"),
        ({"postgres_major": "99"}, "PostgreSQL 99"),
    ],
)
def test_what_a_newer_release_made_is_refused(story: Story, tmp_path: Path, change: Any, said: str) -> None:
    file = rewritten(story, tmp_path / "newer", replace(story.made, **change))
    with pytest.raises(BackupRefused, match=said):
        restore(file, tmp_path / "new", wiring.Record(), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["newer"]


def test_what_came_back_is_compared_with_what_was_there(story: Story, tmp_path: Path) -> None:
    rows = {**story.made.record["rows"], "lot": 77}
    file = rewritten(story, tmp_path / "other", replace(story.made, record={**story.made.record, "rows": rows}))
    with pytest.raises(BackupBroken, match="rows"):
        restore(file, tmp_path / "new", wiring.Record(), silent)
    damaged = {**story.made.files, RECORD: replace(story.made.files[RECORD], sha256="0" * 64)}
    file = rewritten(story, tmp_path / "damaged", replace(story.made, files=damaged))
    with pytest.raises(BackupBroken, match="not the file that the manifest describes"):
        restore(file, tmp_path / "new", wiring.Record(), silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged", "other"]


def test_a_broken_audit_trail_is_kept_as_evidence_and_named(story: Story, restored: Path, tmp_path: Path) -> None:
    copy_of(restored, tmp_path / "mes")
    with (
        EmbeddedSystem(tmp_path / "mes", environment={}) as system,
        psycopg.connect(system.database_owner_url) as owner,
    ):
        owner.execute("ALTER TABLE audit_row DISABLE TRIGGER USER")
        owner.execute("UPDATE audit_row SET actor = 'nobody' WHERE seq = 5")
        owner.execute("ALTER TABLE audit_row ENABLE TRIGGER USER")
    made = back_up(tmp_path / "mes", tmp_path / "broken", wiring.Record(), silent)
    assert made.audit_broken_at == 5
    assert restore(tmp_path / "broken", tmp_path / "again", wiring.Record(), silent).audit_broken_at == 5
    file = rewritten(story, tmp_path / "other", replace(story.made, audit_broken_at=7))
    with pytest.raises(BackupBroken, match="audit trail"):
        restore(file, tmp_path / "third", wiring.Record(), silent)
    assert not (tmp_path / "third").exists()


def test_a_backup_is_never_overwritten_and_never_inside_what_it_copies(
    story: Story, restored: Path, tmp_path: Path
) -> None:
    before = story.file.read_bytes()
    copy_of(restored, tmp_path / "mes")
    for file, said in (
        (story.file, "never overwritten"),
        (tmp_path / "mes" / "b", "lies in the folder"),
        (tmp_path / "no" / "b", "no directory"),
    ):
        with pytest.raises(BackupRefused, match=said):
            back_up(tmp_path / "mes", file, wiring.Record(), silent)
    with pytest.raises(BackupRefused, match="no system"):
        back_up(tmp_path / "nothing", tmp_path / "b", wiring.Record(), silent)
    assert not (tmp_path / "nothing").exists()
    (tmp_path / "mes" / "temporal.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(BackupBroken, match="damaged"):
        back_up(tmp_path / "mes", tmp_path / "b", wiring.Record(), silent)
    assert not (tmp_path / "b").exists()
    assert story.file.read_bytes() == before


@pytest.mark.parametrize("variable", ["DATABASE_URL", "TEMPORAL_ADDRESS"])
def test_servers_of_ones_own_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "elsewhere")
    for work in (back_up, restore):
        with pytest.raises(BackupRefused, match=variable):
            work(tmp_path / "a", tmp_path / "b", wiring.Record(), silent)


# The file ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a little archive."""
    file = tmp_path_factory.mktemp("archive") / "small"
    with written(file) as writer:
        writer.add(TEMPORAL, [b"temporal" * 50], compress=True)
        writer.add(RECORD, [b"rec", b"ord"], compress=False)
        writer.describe(Manifest("2026-11-25T08:00:00Z", "18", {"revision": "0001"}, writer.files))
    return file.read_bytes()


def content(file: Path) -> bytes:
    with opened(file, silent) as reader:
        return b"".join(reader.chunks(TEMPORAL, "t", silent)) + b"".join(reader.chunks(RECORD, "r", silent))


def test_what_was_put_in_comes_out(small: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(small)
    assert content(tmp_path / "file") == b"temporal" * 50 + b"record"


@hypothesis_settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_byte_that_changed_or_is_missing_is_found(
    small: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(small) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != small[at]))
    changed = data.draw(
        st.sampled_from(
            [small[:at] + bytes([other]) + small[at + 1 :], small[:at], small + bytes([other]), small[at + 1 :]]
        )
    )
    file = tmp_path_factory.getbasetemp() / f"changed-{os.getpid()}"
    file.write_bytes(changed)
    with pytest.raises(BackupBroken):
        content(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="nothing-here"):
        content(tmp_path / "nothing-here")


def test_an_interrupted_archive_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise LookupError("the disk")

    with pytest.raises(LookupError), written(tmp_path / "file") as writer:
        writer.add(RECORD, broken(), compress=False)
    assert list(tmp_path.iterdir()) == []
