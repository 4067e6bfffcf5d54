"""A backup with a key: nobody reads or changes it without the key, which lies elsewhere; in production there is one."""

import asyncio
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import wiring
from db.session import engine_for
from domain import commands as c
from settings import SettingMissing, Settings, from_environment
from system import EmbeddedSystem, SystemRefusal
from system.archive import RECORD, TEMPORAL, Manifest, opened, written
from system.backup import back_up, restore
from system.data_folder import PAYLOAD, DataFolder
from system.refusals import BackupBroken, BackupRefused
from system.sealed_file import BLOCK, HEAD, SealedReader, SealingWriter, key_id
from tests.plant import Plant
from workflows.runtime import connect

pytestmark = pytest.mark.accepts("C8")
KEY, OLD, OTHER = ("a key of backups, long enough to be one", "an old key of backups, long enough to",
                   "a key of nobody here, long enough ....")  # fmt: skip
CANARY = "canary reason 72 Ochre"


def silent(_step: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


def sealed(content: bytes, key: str = KEY) -> bytes:
    """The bytes of a sealed file."""
    sink = io.BytesIO()
    writer = SealingWriter(sink, key)
    for start in range(0, len(content), 50_000):
        writer.write(content[start : start + 50_000])
    writer.finish()
    return sink.getvalue()


def unsealed(content: bytes, *keys: str) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(content), keys)).read()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 7])
def test_what_was_sealed_is_read_with_its_key_from_any_place(size: int) -> None:
    content = os.urandom(size)
    file = sealed(content)
    assert unsealed(file, OTHER, KEY) == content
    reader = SealedReader(io.BytesIO(file), [KEY])
    assert reader.size == size
    with io.BufferedReader(reader) as looked_at:
        for at in (size // 2, 0, max(0, size - 3)):
            looked_at.seek(at)
            assert looked_at.read(5) == content[at : at + 5]
    assert file != sealed(content), "every file has a key of its own"


def test_without_its_key_a_file_says_which_one_it_needs() -> None:
    file = sealed(b"the record", OLD)
    with pytest.raises(BackupRefused, match=f"{key_id(OLD)}.*{key_id(KEY)}"):
        unsealed(file, KEY)
    with pytest.raises(BackupRefused, match="there is no key"):
        unsealed(file)
    assert KEY not in key_id(KEY)
    assert b"the record" not in file


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_byte_or_a_block_that_was_changed_is_found(data: st.DataObject) -> None:
    file = sealed(b"r" * (2 * BLOCK + 100))
    size = BLOCK + 16
    at = data.draw(st.integers(HEAD, len(file) - 1))
    first, second, rest = (file[HEAD : HEAD + size], file[HEAD + size : HEAD + 2 * size], file[HEAD + 2 * size :])
    changed = data.draw(
        st.sampled_from(
            [
                file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :],
                file[: HEAD + 2 * size],  # the last block is cut off
                file[:HEAD] + second + first + rest,
                file[:HEAD] + first + first + rest,
                file + b"x",
            ]
        )
    )
    with pytest.raises(BackupBroken):
        unsealed(changed, KEY)


def test_an_archive_with_a_key_is_no_zip_for_others(tmp_path: Path) -> None:
    file = tmp_path / "small"
    with written(file, KEY) as writer:
        writer.add(TEMPORAL, [CANARY.encode()], compress=False)
        writer.add(RECORD, [b"rec", b"ord"], compress=False)
        writer.describe(Manifest("2026-11-25T08:00:00Z", "18", {"revision": "0001"}, writer.files))
    assert not zipfile.is_zipfile(file)
    assert CANARY.encode() not in file.read_bytes()
    with opened(file, silent, (OTHER, KEY)) as reader:
        assert b"".join(reader.chunks(TEMPORAL, "t", silent)) == CANARY.encode()
    with pytest.raises(BackupRefused, match=key_id(KEY)), opened(file, silent):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


async def test_no_secret_of_a_production_system_can_be_read_in_its_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MES_PRODUCTION", "on")
    folder, plain, file = tmp_path / "mes", tmp_path / "plain.mes", tmp_path / "sealed.mes"
    with EmbeddedSystem(folder, migrate=wiring.migrate, environment={}) as system:
        keys = wiring.payload_key(system.addresses)
        assert keys == {"MES_PAYLOAD_KEY": DataFolder(folder).secret(PAYLOAD)}, "the folder makes a key of its own"
        settings = from_environment({**system.addresses.environment(owner=True), **keys})
        await make_an_order(system, settings)
    with pytest.raises(SystemRefusal, match="no key is set"):
        wiring.backup_keys()
    monkeypatch.setenv("MES_BACKUP_KEY", f"{KEY}\n{OLD}")
    assert wiring.backup_keys() == (KEY, OLD)
    back_up(folder, plain, wiring.Record(), silent)
    back_up(folder, file, wiring.Record(), silent, KEY)

    payload_key, known = keys["MES_PAYLOAD_KEY"], DataFolder(folder).read_secrets()
    with zipfile.ZipFile(plain) as archive:
        temporal = archive.read(TEMPORAL)
    assert CANARY.encode() not in temporal, "what Temporal keeps of the order is encrypted"
    content = file.read_bytes()
    assert [name for name, word in known.items() if word.encode() in content + temporal] == []
    for word in (CANARY, "manifest.json", "production_order", "argon2id", payload_key):
        assert word.encode() not in content, word
    assert sorted(os.listdir(tmp_path)) == ["mes", "plain.mes", "sealed.mes"]

    for wrong in ((), (OTHER,)):
        with pytest.raises(BackupRefused, match=key_id(KEY)):
            restore(file, tmp_path / "new", wiring.Record(), silent, keys=wrong)
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    (tmp_path / "changed.mes").write_bytes(changed)
    with pytest.raises(BackupBroken):
        restore(tmp_path / "changed.mes", tmp_path / "new", wiring.Record(), silent, keys=(KEY,))
    assert not (tmp_path / "new").exists()
    restore(file, tmp_path / "new", wiring.Record(), silent, folder / "secrets.json", (OLD, KEY))
    assert DataFolder(tmp_path / "new").secret(PAYLOAD) == payload_key, "kept apart with the other secrets"


async def make_an_order(system: EmbeddedSystem, settings: Settings) -> None:
    """An order that was submitted with the canary as its reason."""
    client = await connect(system.temporal_address, payload_keys=settings.payload_keys)
    engine = engine_for(system.database_url)
    plant = Plant(client, engine, settings, task_queue="sealed")
    await asyncio.to_thread(plant.set_up)
    async with plant.working():
        await (await plant.order()).do(c.SubmitOrder, "pia", reason=CANARY)
    engine.dispose()


def test_a_production_process_does_not_start_without_a_key() -> None:
    least = {"DATABASE_URL": "postgresql://x", "TEMPORAL_ADDRESS": "x:1", "MES_PRODUCTION": "on"}
    with pytest.raises(SettingMissing, match="MES_PAYLOAD_KEY"):
        from_environment(least)
    assert from_environment({**least, "MES_PAYLOAD_KEY": KEY}).payload_keys == (KEY,)
